"""The files of the text-to-motion Space."""

import re
from pathlib import Path

import pytest

pytest.importorskip("gradio")

from atom_hf.apps.text_to_motion.settings import PageSettings

SPACE = Path(__file__).parents[2] / "spaces" / "text_to_motion"


def test_card_and_requirements():
    card = (SPACE / "README.md").read_text(encoding="utf-8")
    front = card.split("---")[1]
    for line in ('python_version: "3.12"', "sdk: gradio", "sdk_version: 6.31.0", "app_file: app.py", "apache-2.0"):
        assert line in front
    requirements = (SPACE / "requirements.txt").read_text()
    assert re.search(r"^atom_hf\[space\]", requirements, re.MULTILINE)
    picture = SPACE / "screenshot.png"
    assert picture.read_bytes()[:4] == b"\x89PNG" and picture.stat().st_size < 300_000


def test_the_cards_variables_are_read():
    card = (SPACE / "README.md").read_text(encoding="utf-8")
    variables = set(re.findall(r"`(ATOM_HF_\w+)`", card))
    values = dict.fromkeys(variables, "3")
    settings = PageSettings.of_environment(values)
    assert (settings.caps.samples, settings.caps.prompt, settings.queue) == (3, 3, 3)
    assert settings.sources.model == settings.sources.base_model == settings.sources.adapter == "3"
    assert settings.votes == Path("3") and len(variables) == 7


def test_app_does_nothing_but_launch():
    source = (SPACE / "app.py").read_text(encoding="utf-8")
    assert "make_app().launch(**launch_options())" in source and len(source.splitlines()) < 20
