"""The examples, run as the README's main job runs them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from atom_hf.motion import load_motion, read_humanml3d

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.mark.slow  # and CI runs the loop from the wheel
def test_the_whole_loop(tmp_path):
    """`run_cpu.sh` from another folder, and what it leaves behind."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    run = subprocess.run(
        ["bash", str(EXAMPLES / "run_cpu.sh"), "results"],
        cwd=tmp_path, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    results = tmp_path / "results"
    left, right = sorted(read_humanml3d(results / "corpus"), key=lambda clip: clip.name, reverse=True)
    assert (left.name, right.name) == ("walk", "Mwalk")
    assert "left" in left.captions[0].text and "right" in right.captions[0].text
    assert len(load_motion(results / "walk_again.bvh")) == 79
    assert (results / "walk.png").read_bytes().startswith(b"\x89PNG")
    assert "as asked: 5.00 of 5" in run.stdout and "wave missing" in run.stdout and "Traceback" not in run.stderr


def test_each_example_says_how_to_run_it():
    for path in EXAMPLES.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) < 200, path
        if "__main__" in text:  # others are parts of examples
            assert re.search(rf"(python|accelerate launch) examples/{path.name}", text.split('"""')[1]), path
