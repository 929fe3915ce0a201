"""`atom-hf label`: options that contradict each other, and a server that serves."""

import argparse
import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from atom_hf.cli import label
from tests.arena.parts import motion


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    label.add_parser(parser.add_subparsers())
    return parser.parse_args(["label", *words])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["folder", "--pairs", "me/pairs"], "pairs from one place, got folder and pairs"),
        (["--models", "default"], "--models and --prompts belong together"),
        (["--prompts", "file"], "--models and --prompts belong together"),
        (["--models", "a", "b", "c", "--prompts", "file"], "one model or two, got 3"),
        (["--port", "0"], "a port from 1 to 65535, got 0"),
    ],
)
def test_options_that_do_not_fit_are_named(words, said):
    options = parse(*words)
    with pytest.raises(ValueError, match=said):
        options.run(options)


def test_a_file_without_prompts_is_named(tmp_path):
    (tmp_path / "empty.txt").write_text("\n \n")
    options = parse(
        "--models", "default", "--prompts", str(tmp_path / "empty.txt"), "--store", str(tmp_path / "store")
    )
    with pytest.raises(ValueError, match=r"empty\.txt: expected a prompt a line, got none"):
        label._made(options)


def test_it_serves_a_folder_says_where_and_stops(tmp_path, interruptible):
    pytest.importorskip("gradio")
    for system in ("base", "aligned"):
        (tmp_path / "campaign" / system).mkdir(parents=True)
        np.save(tmp_path / "campaign" / system / "one.npy", motion(system).joints)
    line = json.dumps({"name": "one", "prompt": "a person walks"})
    (tmp_path / "campaign" / "prompts.jsonl").write_text(line)
    root = Path(label.__file__).parents[2]
    command = [
        sys.executable,
        "-m",
        "atom_hf",
        "label",
        str(tmp_path / "campaign"),
        "--store",
        str(tmp_path / "store"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)
    try:
        assert process.stdout is not None
        address, *said = (process.stdout.readline().strip() for _ in range(4))
        assert said[0].startswith("1 new pairs; votes are kept in ") and said[1].startswith("Secret of the admin page")
        with urllib.request.urlopen(address, timeout=20) as answer:
            page = answer.read().decode()
        assert "Which motion fits the text better?" in page and "aligned" not in page.split("<script")[0]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
    assert (tmp_path / "store" / "votes.sqlite").is_file()
