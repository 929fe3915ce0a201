"""`atom-hf demo`, as a user types it."""

import argparse
import sys

import pytest

pytest.importorskip("gradio")
pytest.importorskip("peft")
pytest.importorskip("torch")

import gradio

from atom_hf.apps.text_to_motion import app
from atom_hf.assets import DEFAULT_MODEL
from atom_hf.cli import demo


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    demo.add_parser(parser.add_subparsers(dest="command"))
    return parser.parse_args(["demo", *words])


@pytest.fixture
def launched(monkeypatch):
    """What the command asks gradio for, without a server."""
    calls = {}

    def launch(self, **given):
        calls.update(given)
        return None, "http://127.0.0.1:7860/", "https://x.gradio.live" if given["share"] else None

    def make(settings):
        calls["settings"] = settings
        return gradio.Blocks()

    monkeypatch.setattr(gradio.Blocks, "launch", launch)
    monkeypatch.setattr(gradio.Blocks, "block_thread", lambda self: None)
    monkeypatch.setattr(app, "make_app", make)
    return calls


def test_stays_on_this_machine_unless_asked(launched, capsys, tmp_path):
    assert demo.run(options("--votes", str(tmp_path / "votes"))) == 0
    assert capsys.readouterr().out == "http://127.0.0.1:7860/\nCtrl+C stops the page.\n"
    assert launched["server_name"] == "127.0.0.1" and launched["share"] is False and launched["inbrowser"] is False
    assert launched["allowed_paths"] == [] and launched["strict_cors"] and not launched["ssr_mode"]
    assert [recipe.role for recipe in launched["settings"].sources.recipes()] == ["base", "aligned"]
    assert launched["settings"].votes == tmp_path / "votes"


def test_asked(launched, capsys):
    words = ["--model", "me/x", "--base-model", "default", "--port", "8000", "--host", "0.0.0.0", "--share", "--open"]
    demo.run(options(*words, "--no-votes"))
    assert "https://x.gradio.live (anybody who knows this address can use it)" in capsys.readouterr().out
    assert (launched["server_name"], launched["server_port"], launched["inbrowser"]) == ("0.0.0.0", 8000, True)
    settings = launched["settings"]
    assert settings.votes is None
    assert [recipe.model for recipe in settings.sources.recipes()] == [DEFAULT_MODEL, "me/x"]


def test_wrong(launched, monkeypatch):
    with pytest.raises(ValueError, match="Expected a port from 1 to 65535, got 99999"):
        demo.run(options("--port", "99999"))
    monkeypatch.setitem(sys.modules, "atom_hf.apps.text_to_motion.app", None)
    with pytest.raises(ImportError, match=r"pip install 'atom_hf\[space\]'"):
        demo.run(options())
