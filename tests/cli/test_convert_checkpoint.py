"""`atom-hf convert-checkpoint`, as a user types it."""

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from atom_hf.cli import main
from atom_hf.models import MotionGPTForPreference
from tests.models.original_files import (
    WORDS,
    language_model,
    original_weights,
    save_like_lightning,
    tiny_stats,
    tiny_tokenizer,
)


@pytest.fixture
def original(tmp_path):
    """A folder with MotionGPT's checkpoint, tokenizer and statistics."""
    save_like_lightning(tmp_path / "motiongpt_s3_h3d.tar", original_weights())
    tiny_tokenizer().save_pretrained(tmp_path / "flan")
    (tmp_path / "meta").mkdir()
    for name in ("mean", "std"):
        np.save(tmp_path / "meta" / f"{name}.npy", getattr(tiny_stats(), name))
    return tmp_path


def test_motiongpt_and_what_was_trained_from_it(original, capsys):
    words = ["convert-checkpoint", str(original), str(original / "out"), "--tokenizer", str(original / "flan")]
    assert main([*words, "--stats", str(original / "meta")]) == 0
    out = capsys.readouterr().out
    assert f"language model: 2 + 2 layers, d_model 16, {WORDS + 515} tokens" in out
    assert "left out: 126 of metrics.*, 9 of _losses.*" in out and f"→ {original / 'out'}: " in out
    assert MotionGPTForPreference.from_pretrained(original / "out").vqvae is not None

    torch.save(language_model(original_weights(seed=1)), original / "ppo.pt")
    words = [
        "convert-checkpoint",
        str(original / "ppo.pt"),
        str(original / "aligned"),
        "--base",
        str(original / "out"),
    ]
    assert main(words) == 0
    assert "width 8, not from this checkpoint" in capsys.readouterr().out
    assert main(words) == 1
    assert "atom-hf convert-checkpoint: " in (error := capsys.readouterr().err) and "--overwrite" in error
    assert main([*words, "--overwrite"]) == 0
    capsys.readouterr()


def test_what_is_missing_is_named(original, capsys):
    words = ["convert-checkpoint", str(original), str(original / "out")]
    assert main(words) == 1
    assert "assets/meta of the repository OpenMotionLab/MotionGPT" in capsys.readouterr().err
    assert main([*words, "--stats", str(original / "meta")]) == 1
    assert "hf download google/flan-t5-base tokenizer.json" in capsys.readouterr().err
    assert main(["convert-checkpoint", str(original / "motiongpt_s3_h3d.rar"), str(original / "out")]) == 1
    assert "Expected an original checkpoint: a file" in capsys.readouterr().err
    assert not (original / "out").exists()


def test_options(capsys):
    with pytest.raises(SystemExit):
        main(["convert-checkpoint", "--help"])
    text = capsys.readouterr().out
    for option in ("--stats", "--tokenizer", "--base", "--vqvae", "--lora-alpha", "--revision", "--overwrite"):
        assert option in text


def test_the_command_line_starts_without_torch():
    code = "import sys; from atom_hf.cli import main; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
