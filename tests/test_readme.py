"""The README's Python is run as it stands, and what it says is printed is what is printed."""

import re
from pathlib import Path

import pytest

from atom_hf.motion import Motion
from examples.make_walk import walking

README = Path(__file__).parent.parent / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```\n(?:\n((?: {4}[^\n]*\n)+))?", README.read_text(encoding="utf-8"), re.DOTALL)


def test_there_is_python_in_it():
    assert len(BLOCKS) == 7


@pytest.mark.parametrize(("code", "printed"), BLOCKS)
def test_python_of_the_readme(code, printed, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Motion(walking(40)).save("outputs/jumps.bvh")
    exec(compile(code, str(README), "exec"), {})
    if printed:  # trainers print what changes from run to run
        assert capsys.readouterr().out.strip().splitlines() == [line.strip() for line in printed.strip().splitlines()]


def test_pictures_are_there():
    for target in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README.read_text(encoding="utf-8")):
        assert (README.parent / target).is_file()
