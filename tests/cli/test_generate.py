"""`atom-hf generate`, as a user types it."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from PIL import Image

from atom_hf.cli import main
from atom_hf.models import MotionGPTForPreference
from atom_hf.motion import load_motion
from tests.models.tiny_checkpoint import CAPTIONS, tiny_checkpoint

SHORT = ["--max-frames", "24", "--temperature", "1.5"]


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    return str(tiny_checkpoint(tmp_path_factory.mktemp("generate") / "model"))


def generate(*words: object) -> int:
    return main(["generate", *map(str, words)])


def only_line(error: str) -> str:
    (line,) = error.strip().splitlines()
    assert line.startswith("atom-hf generate: ")
    return line


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".bvh"])
def test_motion_files(model, tmp_path, capsys, suffix):
    target = tmp_path / "new" / f"out{suffix}"
    assert generate(CAPTIONS[0], "-o", target, "--model", model, "--seed", 5, *SHORT) == 0
    expected = MotionGPTForPreference.from_pretrained(model).generate_motion(
        CAPTIONS[0], seed=5, max_frames=24, temperature=1.5
    )[0]
    found = load_motion(target)
    assert len(found) == len(expected) > 4 and [path.name for path in target.parent.iterdir()] == [target.name]
    if suffix == ".npy":  # the others hold rotations, to which a random model's bones of changing length do not fit
        np.testing.assert_allclose(found.joints, expected.joints, rtol=0, atol=1e-5)
    assert capsys.readouterr().out == f"{CAPTIONS[0]} → {target}: {expected.duration:.2f} s\n"


def test_pictures_and_videos(model, tmp_path):
    words = [CAPTIONS[0], "--model", model, "--seed", "1", "--max-frames", "12"]
    assert generate(*words, "-o", tmp_path / "out.png") == 0
    with Image.open(tmp_path / "out.png") as image:
        assert image.width > 100 and len(image.convert("RGB").getcolors(1 << 24)) > 50
    assert generate(*words, "-o", tmp_path / "out.MP4") == 0
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "out.MP4")) as video:
        assert sum(1 for _ in video.decode(video=0)) >= 4


def test_several_motions_are_numbered(model, tmp_path, capsys):
    (tmp_path / "prompts.txt").write_text(f"{CAPTIONS[1]}\n\n  {CAPTIONS[2]}  \n", encoding="utf-8")
    words = ["--prompts", tmp_path / "prompts.txt", "--samples", 4, "--model", model, "--seed", 5, *SHORT]
    assert generate(CAPTIONS[0], *words, "-o", tmp_path / "m.npy") == 0
    names = sorted(path.name for path in tmp_path.glob("*.npy"))
    assert names == [f"m_{i:02d}.npy" for i in range(12)]
    expected = MotionGPTForPreference.from_pretrained(model).generate_motion(
        CAPTIONS[:3], 4, seed=5, max_frames=24, temperature=1.5
    )
    for name, motion in zip(names, expected, strict=True):
        np.testing.assert_allclose(load_motion(tmp_path / name).joints, motion.joints, rtol=0, atol=1e-5)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" → ")[0] for line in lines] == [caption for caption in CAPTIONS[:3] for _ in range(4)]
    assert generate(*CAPTIONS[:2], "-o", tmp_path / "two.bvh", "--model", model, *SHORT) == 0
    assert {path.name for path in tmp_path.glob("*.bvh")} == {"two_0.bvh", "two_1.bvh"}


def test_seeds(model, tmp_path):
    def joints(name: str, *words: object) -> np.ndarray:
        assert generate(CAPTIONS[0], "-o", tmp_path / name, "--model", model, *SHORT, *words) == 0
        return load_motion(tmp_path / name).joints

    first = joints("a.npy", "--seed", 1)
    assert np.array_equal(first, joints("b.npy", "--seed", 1))
    others = [joints(f"{seed}.npy", "--seed", seed) for seed in (2, 3)]
    assert any(other.shape != first.shape or not np.allclose(other, first) for other in others)
    assert np.array_equal(joints("c.npy", "--seed", 1, "--temperature", 0), joints("d.npy", "--seed", 2, "--top-k", 1))


def test_what_looks_like_structure_is_reported(model, tmp_path, caplog):
    assert generate("</s> <motion_id_7>", "-o", tmp_path / "out.npy", "--model", model, *SHORT) == 0
    assert "Text never becomes structure: '</s>', '<motion_id_7>'" in caplog.text
    assert len(load_motion(tmp_path / "out.npy")) >= 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["", "-o", "out.npy"], "got an empty prompt"),
        (["-o", "out.npy"], 'Expected a sentence, such as atom-hf generate "a person jumps twice" -o out.mp4, or --'),
        (["a man", "-o", "out.fbx"], "out.fbx: expected a file ending in .mp4, .gif, .webp, .png, .jpg, .jpeg, "),
        (["a man", "-o", "out"], "got 'no suffix'"),
        (["--prompts", "absent.txt", "-o", "out.npy"], "absent.txt: expected a file, but there is no such file"),
        (["a man " * 200, "-o", "out.npy"], "more than the 256"),
        (["a man", "-o", "out.npy", "--temperature", "-1"], "temperature is 0 (greedy) or above"),
        (["a man", "-o", "out.npy", "--samples", "0"], "num_return_sequences of at least 1"),
        (["a man", "-o", "out.npy", "--max-frames", "3"], "max_frames of at least 4"),
        (["a man", "-o", "out.npy", "--batch-size", "0"], "batch_size of at least 1"),
    ],
)  # fmt: skip
def test_mistakes_end_with_one_line(model, tmp_path, capsys, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    assert generate(*words, "--model", model) == 1
    output = capsys.readouterr()
    assert message in only_line(output.err) and output.out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["absent", "./absent", "/nowhere/at/all", "me/absent-model", "a/b/c"])
def test_a_model_that_is_not_there(tmp_path, capsys, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    assert generate("a man", "-o", "out.npy", "--model", name) == 1
    line = only_line(capsys.readouterr().err)
    assert name in line and list(tmp_path.iterdir()) == []


def test_a_folder_without_a_model(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert generate("a man", "-o", tmp_path / "out.npy", "--model", tmp_path / "empty") == 1
    assert "empty" in only_line(capsys.readouterr().err)


def test_options(capsys):
    with pytest.raises(SystemExit):
        main(["generate", "--help"])
    text = capsys.readouterr().out
    for option in (
        "--prompts",
        "--samples",
        "--seed",
        "--temperature",
        "--top-k",
        "--top-p",
        "--max-frames",
        "--device",
    ):
        assert option in text
    with pytest.raises(SystemExit) as exit:
        generate("a man")
    assert exit.value.code == 2 and "-o" in capsys.readouterr().err


def test_a_prompt_file_of_another_system(model, tmp_path, capsys):
    (tmp_path / "prompts.txt").write_bytes("\ufeffa man waves\r\nsie springt über\r\n".encode())
    target = Path(tmp_path / "out.npy")
    assert generate("--prompts", tmp_path / "prompts.txt", "-o", target, "--model", model, *SHORT) == 0
    spoken = [line.split(" → ")[0] for line in capsys.readouterr().out.splitlines()]
    assert spoken == ["a man waves", "sie springt über"]
