"""Folders that no run can write into are refused before anything is loaded."""

import os
from pathlib import Path

import pytest

pytest.importorskip("trl")
pytest.importorskip("peft")

from atom_hf.trainer.output_folder import check_output_folder
from atom_hf.trainer.ppo_config import MotionPPOConfig


def test_folders_that_are_there_or_can_be_made(tmp_path, monkeypatch):
    for folder in (tmp_path, tmp_path / "a" / "b" / "c", str(tmp_path / "a")):
        check_output_folder(folder)
    monkeypatch.chdir(tmp_path)
    check_output_folder("outputs/dpo")
    assert not any(tmp_path.iterdir())


def test_files_and_what_is_below_them(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    with pytest.raises(NotADirectoryError, match=r"notes.txt is no folder\. Choose another output_dir"):
        check_output_folder(file)
    with pytest.raises(NotADirectoryError, match=r"notes.txt is no folder, so .*notes.txt/a/run cannot be made\. Ch"):
        check_output_folder(file / "a" / "run")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(NotADirectoryError, match="link is no folder"):
        check_output_folder(tmp_path / "link")
    with pytest.raises(NotADirectoryError, match=r"notes.txt is no folder"):
        MotionPPOConfig(str(file), use_cpu=True)


def test_folders_that_nobody_may_write_into(tmp_path, monkeypatch):
    locked = tmp_path / "locked"
    locked.mkdir()
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != locked and allowed(path, mode))  # root may all
    with pytest.raises(PermissionError, match=r"Nothing can be written into .*locked\. Choose another output_dir"):
        check_output_folder(locked)
    with pytest.raises(PermissionError, match=r"written into .*locked, so .*locked/run cannot be made"):
        check_output_folder(locked / "run")
    check_output_folder(tmp_path / "other")
