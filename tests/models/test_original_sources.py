"""What is taken for an original, where its parts are looked for, what is said if they are missing, whole folders."""

import os
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from atom_hf.models.original_sources import (
    MOTIONGPT,
    MOTIONGPT_FILE,
    TOKENIZER,
    find_checkpoint,
    find_stats,
    find_tokenizer,
    is_original,
    new_folder,
)
from tests.models.original_files import WORDS, tiny_stats, tiny_tokenizer


def test_what_is_an_original(tmp_path):
    for name in ("a.tar", "a.ckpt", "a.pt", "a.pth", "a.bin", "A.SAFETENSORS", "gone/a.tar"):
        assert is_original(tmp_path / name) and is_original(str(tmp_path / name))
    assert is_original(MOTIONGPT)
    for other in (None, "", "nobody/nothing", tmp_path, str(tmp_path), "OpenMotionLab/other", "a.json", 3):
        assert not is_original(other)
    (tmp_path / MOTIONGPT_FILE).touch()
    assert is_original(tmp_path) and find_checkpoint(tmp_path) == tmp_path / MOTIONGPT_FILE
    (tmp_path / "model-00001-of-00002.safetensors").touch()
    assert not is_original(tmp_path)
    with pytest.raises(ValueError, match=r"Expected an original checkpoint: a file"):
        find_checkpoint("nobody/nothing")


def test_without_a_network_people_are_told_what_to_fetch(tmp_path):
    with pytest.raises(
        OSError, match=f"{MOTIONGPT_FILE} .* of {MOTIONGPT} is not in the cache and cannot be downl"
    ) as error:
        find_checkpoint(MOTIONGPT, cache_dir=tmp_path)
    assert f"hf download {MOTIONGPT} {MOTIONGPT_FILE} --local-dir FOLDER" in str(error.value)
    with pytest.raises(OSError, match=f"tokenizer of {TOKENIZER} is not in the cache") as error:
        find_tokenizer(None, tmp_path / "a.tar", 512)
    assert f"hf download {TOKENIZER} tokenizer.json --local-dir FOLDER" in str(error.value)
    with pytest.raises(OSError, match=r"tokenizer of nobody/nothing is not in the cache"):
        find_tokenizer("nobody/nothing", tmp_path / "a.tar", 512)


def test_hub_options_reach_the_download(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(
        "atom_hf.models.original_sources.hf_hub_download", lambda *names, **hub: asked.append((names, hub)) or tmp_path
    )
    assert find_checkpoint(MOTIONGPT, revision="v1", cache_dir=None) == tmp_path
    assert asked == [((MOTIONGPT, MOTIONGPT_FILE), {"revision": "v1", "cache_dir": None})]


def test_statistics(tmp_path):
    stats = tiny_stats()
    assert find_stats(stats) is stats
    stats.save(tmp_path / "humanml3d")  # Mean.npy and Std.npy
    np.testing.assert_array_equal(find_stats(tmp_path / "humanml3d").mean, stats.mean)
    if not (tmp_path / "humanml3d" / "mean.npy").exists():  # file systems that tell a from A
        with pytest.raises(ValueError, match=r"HumanML3D's Mean.npy and Std.npy are others"):
            find_stats(None, tmp_path / "humanml3d" / "a.tar")
    np.save(tmp_path / "mean.npy", stats.mean)
    with pytest.raises(ValueError, match=r"give their folder as stats \(atom-hf convert-checkpoint --stats FOLDER\)"):
        find_stats(None, tmp_path / "a.tar")
    np.save(tmp_path / "std.npy", stats.std)
    np.testing.assert_array_equal(find_stats(None, tmp_path / "a.tar").std, stats.std)
    with pytest.raises(ValueError, match=r"expected Mean.npy and Std.npy"):
        find_stats(tmp_path / "nowhere", tmp_path / "a.tar")


def test_tokenizers(tmp_path):
    tokenizer = tiny_tokenizer()
    assert find_tokenizer(tokenizer, tmp_path / "a.tar", 512) is tokenizer
    with pytest.raises(FileNotFoundError, match=r"expected tokenizer.json in this folder"):
        find_tokenizer(tmp_path, tmp_path / "a.tar", 512)
    tokenizer.save_pretrained(tmp_path)
    for found in (find_tokenizer(tmp_path, Path("a.tar"), 512), find_tokenizer(None, tmp_path / "a.tar", 512)):
        assert len(found) == WORDS + 515 and found.get_vocab()["<motion_id_0>"] == WORDS


def test_motion_tokens_are_added_to_the_golden_tokenizer(shared):
    folder = shared / "golden" / "c_tiny_lm" / "base_tokenizer"
    assert find_tokenizer(str(folder), Path("a.tar"), 512).get_vocab()["<motion_id_514>"] == 224 + 514


# Folders -------------------------------------------------------------------------------------------------------------


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    output = tmp_path / "a" / "out"
    with pytest.raises(KeyError), new_folder(output, False, "x") as folder:
        (folder / "config.json").touch()
        raise KeyError
    assert names(tmp_path / "a") == []
    with new_folder(output, False, "x") as folder:
        assert not output.exists() and output.parent in folder.parents  # one filesystem, so that a rename will do
        (folder / "config.json").write_text("1")
    assert names(tmp_path / "a") == ["out"] and names(output) == ["config.json"]
    if os.name == "posix":
        (tmp_path / "usual").mkdir()
        assert output.stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_an_empty_folder_is_no_obstacle(tmp_path):
    (tmp_path / "out").mkdir()
    with new_folder(tmp_path / "out", False, "x") as folder:
        (folder / "config.json").touch()
    assert names(tmp_path) == ["out"] and names(tmp_path / "out") == ["config.json"]


def test_a_checkpoint_is_replaced_only_where_asked_for(tmp_path):
    output = tmp_path / "out"
    output.mkdir()
    (output / "config.json").write_text("old")
    with pytest.raises(ValueError, match=r"out is not empty; choose another folder, or overwrite it \(--overwrite\)"):
        new_folder(output, False, "x").__enter__()
    with pytest.raises(KeyError), new_folder(output, True, "x") as folder:
        (folder / "config.json").write_text("new")
        raise KeyError
    assert (output / "config.json").read_text() == "old" and names(tmp_path) == ["out"]
    with new_folder(output, True, "x") as folder:
        (folder / "config.json").write_text("new")
    assert (output / "config.json").read_text() == "new" and names(tmp_path) == ["out"]


def test_what_is_never_replaced(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"file is a file; expected a folder"):
        new_folder(tmp_path / "file", True, "x").__enter__()
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.tex").touch()
    with pytest.raises(ValueError, match=r"holds something else than a checkpoint, so it is not overwritten"):
        new_folder(home, True, "x").__enter__()
    (home / "config.json").touch()
    (home / "a.tar").touch()
    with pytest.raises(ValueError, match=r"a.tar lies in .*home, which would be replaced"):
        new_folder(home, True, home / "a.tar").__enter__()
    assert names(home) == ["a.tar", "config.json", "thesis.tex"]
