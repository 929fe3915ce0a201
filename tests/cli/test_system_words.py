"""How `atom-hf evaluate` reads its words."""

import pytest

from atom_hf.cli.system_words import FOLDER_OPTIONS, MODEL_OPTIONS, parse_system, parse_systems


@pytest.mark.parametrize(
    ("word", "name", "what", "options"),
    [
        ("default", "default", "default", {}),
        ("base=default", "base", "default", {}),
        ("default@temperature=1.2", "default temperature=1.2", "default", {"temperature": 1.2}),
        ("hot=default@temperature=1.2,top_k=5", "hot", "default", {"temperature": 1.2, "top_k": 5}),
        ("OpenMotionLab/MotionGPT-base", "MotionGPT-base", "OpenMotionLab/MotionGPT-base", {}),
        ("x=some/where@v2", "x", "some/where@v2", {}),
        ("x=some/where@v2@fps=30,split=test", "x", "some/where@v2", {"fps": 30.0, "split": "test"}),
        ("out/lr=3/motions", "motions", "out/lr=3/motions", {}),
        ("our best=out/lr=3", "our best", "out/lr=3", {}),
    ],
)
def test_words(word, name, what, options):
    assert parse_system(word) == (name, what, options)


def test_a_folder_whose_name_looks_like_options_is_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a=b@fps=3").mkdir()
    assert parse_system("a=b@fps=3") == ("a=b@fps=3", "a=b@fps=3", {}) and parse_system("a=b@fps=3").is_folder


def test_folders_and_checkpoints(tmp_path):
    assert parse_system(str(tmp_path)).is_folder and not parse_system("default").is_folder
    (tmp_path / "config.json").write_text("{}")
    assert not parse_system(str(tmp_path)).is_folder


def test_real_motion_stands_apart():
    real, systems = parse_systems(["a=x", "real=y@fps=30", "b=x"])
    assert real is not None and real.options == {"fps": 30.0} and [word.name for word in systems] == ["a", "b"]
    assert parse_systems(["a=x"])[0] is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a=x", "a=y"], "Two systems are named 'a'; give each a name of its own, as in name=what"),
        (["out/x", "other/x"], "Two systems are named 'x'"),
        (["real=x"], "'real=x' is the row of real motion; add the systems"),
        (["a="], "Expected name=what, got 'a='; what is a folder"),
        (["=x"], "Expected name=what, got '=x' without a name"),
        (["a=x@temprature=1"], "unknown option 'temprature'.* Did you mean temperature?"),
        (["a=x@temperature=warm"], "expected temperature as a number, got 'warm'"),
        (["a=x@top_k=1.5"], "expected top_k as a whole number, got '1.5'"),
        (["a=x@top_k=1,top_k=2"], "the option top_k is there twice"),
        (["a=x@split="], "expected a value for split, got none"),
    ],
)
def test_broken_words(words, message):
    with pytest.raises(ValueError, match=message):
        parse_systems(words)


def test_options_of_the_wrong_kind():
    with pytest.raises(ValueError, match="a: the option fps is not for a model, which has temperature"):
        parse_system("a=x@fps=30").only(MODEL_OPTIONS, "a model")
    assert parse_system("a=x@fps=30").only(FOLDER_OPTIONS, "a folder") == {"fps": 30.0}
