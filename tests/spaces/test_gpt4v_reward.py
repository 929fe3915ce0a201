"""The metric's Space: judged over its named endpoint, without a key; and what visitors cannot do."""

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio")
pytest.importorskip("openai")

import gradio

from atom_hf import Motion
from atom_hf.rewards import Verdict
from atom_hf.rewards.gpt4v_reward import gpt4v_reward as packaged

SPACE = Path(__file__).parents[2] / "spaces" / "gpt4v_reward"


@pytest.fixture(scope="module")
def app() -> Any:
    spec = importlib.util.spec_from_file_location("gpt4v_reward_app", SPACE / "app.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def file(tmp_path, walk) -> str:
    path = tmp_path / "walk.bvh"
    Motion(walk).save(path)
    return str(path)


def test_the_page_and_its_endpoint(app, file, monkeypatch):
    client = pytest.importorskip("gradio_client")
    monkeypatch.delenv("JUDGE_MODEL", raising=False)
    page = app.make_app()
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    try:
        asked = client.Client(url, verbose=False)
        picture, kinematic, vision = asked.predict(
            file=client.handle_file(file), prompt="a person walks forward", task="integrity", api_name="/judge"
        )
    finally:
        page.close()
    assert Path(picture if isinstance(picture, str) else picture["path"]).stat().st_size > 10_000
    assert re.match(r"\*\*5\.0 of 5\*\* \(kinematic-1\): ", kinematic)
    assert re.match(r"`gpt-4o, integrity-1` would take 1 requests, about [\d,]+ input and .*\$0\.0", vision)


def test_refused(app, file, tmp_path):
    with pytest.raises(gradio.Error, match="Choose a motion file first"):
        app.judge(None, "walks", "overall")
    with pytest.raises(gradio.Error, match="Say in 1 to 500 characters"):
        app.judge(file, " ", "overall")
    with pytest.raises(gradio.Error, match="Say in 1 to 500 characters"):
        app.judge(file, "walks " * 100, "overall")
    other = tmp_path / "notes.bvh"
    other.write_text("hello")
    with pytest.raises(gradio.Error, match="This file is no motion that can be read: "):
        app.judge(str(other), "walks", "overall")


def test_what_a_model_says_stays_text(app):
    said = app.in_words(Verdict(3.0, "see `x`\n# big <b>", judge="m"))
    assert said == "**3.0 of 5** (m): `see 'x' # big <b>`"
    assert app.in_words(Verdict.unscored("refused", "m")) == "**No score** (m): `refused`"


def test_all_visits_share_one_budget(app, monkeypatch):
    monkeypatch.setenv("JUDGE_BUDGET", "0.5")
    app.shared_budget.cache_clear()
    first, second = app.vision_judge("temporal"), app.vision_judge("overall")
    assert first.budget is second.budget and first.budget.dollars == 0.5


def test_visitors_name_neither_address_nor_key(app):
    names = [component.label for component in app.make_app().blocks.values() if hasattr(component, "label")]
    assert not [name for name in names if name and re.search("url|address|key|model", name, re.IGNORECASE)]


def test_files_of_the_space():
    assert (SPACE / "gpt4v_reward.py").read_text() == Path(packaged.__file__).read_text()
    card = (SPACE / "README.md").read_text()
    assert 'python_version: "3.12"' in card and "sdk: gradio" in card and "app_file: app.py" in card
    assert (Path(packaged.__file__).parent / "README.md").read_text() in card
