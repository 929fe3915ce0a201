"""The page in a browser: from a sentence to a file, a vote and the names; with the keyboard, on a phone, offline."""

import json
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from atom_hf.apps.text_to_motion.app import launch_options, make_app
from atom_hf.apps.text_to_motion.settings import PageSettings
from atom_hf.apps.text_to_motion.studio import Studio
from atom_hf.apps.text_to_motion.systems import Sources
from atom_hf.arena import Arena
from atom_hf.motion import load_motion

PROMPT = "a person kicks with the left leg"


class Visit:
    """A visitor with a browser of his or her own."""

    def __init__(self, browser: Any, url: str, script: str = "", **options: Any) -> None:
        self.said: list[str] = []
        self.abroad: list[str] = []
        self.page = browser.new_context(**{"reduced_motion": "reduce", **options}).new_page()
        self.page.on("console", lambda entry: self.said.append(entry.text) if entry.type == "error" else None)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self._note(request.url, url))
        self.page.add_init_script(script)
        self.page.goto(url)
        self.page.wait_for_selector(".atom-viewer")  # the page opens with a motion

    def _note(self, asked: str, url: str) -> None:
        if not asked.startswith((url, "data:", "blob:")):
            self.abroad.append(asked)

    def wait(self, condition: str) -> None:
        self.page.wait_for_function(condition, timeout=20_000)

    def shown(self, prompt: str) -> None:
        self.wait(f"document.querySelector('.av-prompt')?.textContent === {json.dumps(prompt)}")

    def close(self) -> None:
        self.page.context.close()
        assert self.said == [] and self.abroad == []


@pytest.fixture
def visit(browser, page) -> Iterator[Any]:
    visits: list[Visit] = []

    def open_page(url: str = page.url, **options: Any) -> Visit:
        visits.append(Visit(browser, url, **options))
        return visits[-1]

    yield open_page
    for one in visits:
        one.close()


def test_from_a_sentence_to_files_a_vote_and_the_names(visit, page, tmp_path):
    visitor = visit(viewport={"width": 1000, "height": 700})
    tab = visitor.page
    tab.fill("#prompt textarea", PROMPT)
    tab.click("#generate")
    visitor.shown(PROMPT)
    assert tab.locator("#takes input").count() == 4 and tab.locator(".t2m-card").count() == 2
    assert "kick" in tab.inner_text("#verdicts") and "motions in" in tab.inner_text("#status")
    tab.click(".av-transport button[aria-label*='lay'], button[aria-label*='lay']")
    visitor.wait("document.querySelector('.t2m-viewer').atomViewer.state.playing")
    visitor.wait("document.querySelector('.t2m-viewer').atomViewer.state.frame > 3")
    tab.locator("#takes input").nth(1).check()
    tab.locator("#side input").nth(1).check()
    for suffix in ("bvh", "glb", "mp4", "gif", "npy", "npz"):
        with tab.expect_download(timeout=20_000) as download:
            tab.click(f"#as-{suffix}")
        assert download.value.suggested_filename == f"a-person-kicks-with-the-left-leg_B2.{suffix}"
        path = tmp_path / f"motion.{suffix}"
        download.value.save_as(path)
        check_file(path)
    told = "document.querySelector('#blind').innerText"
    assert "names stay hidden" in tab.inner_text("#blind") and "motiongpt" not in tab.content().split("<script")[0]
    tab.click("text=B is slightly better")
    visitor.wait(f"{told}.includes('motiongpt_tiny_aligned')")
    assert tab.locator(".av-label").first.inner_text() in ("A · base", "A · aligned")
    assert tab.is_disabled("text=A is much better") and tab.is_disabled("#reveal")
    tab.locator("#takes input").nth(2).check()
    visitor.wait(f"{told}.includes('names stay hidden')")
    tab.click("#reveal")
    visitor.wait(f"{told}.includes('motiongpt_tiny_aligned')")
    assert "seed 0" in tab.inner_text("#status")
    tab.click("#again")
    visitor.wait("!document.querySelector('#status').innerText.includes('seed 0')")
    with Arena(page.votes) as arena:
        ((choice, degree),) = arena._store.read("SELECT choice, degree FROM votes")
    assert choice in ("one", "two") and degree == "slightly better"


def check_file(path) -> None:
    if path.suffix in (".bvh", ".npy", ".npz"):
        assert len(load_motion(path)) > 10
    elif path.suffix == ".glb":
        data = path.read_bytes()
        assert data[:4] == b"glTF" and json.loads(data[20 : 20 + struct.unpack_from("<I", data, 12)[0]])["animations"]
    elif path.suffix == ".gif":
        with Image.open(path) as picture:
            assert picture.n_frames > 10
    else:
        av = pytest.importorskip("av")
        with av.open(str(path)) as video:
            assert sum(1 for _ in video.decode(video=0)) > 10


@pytest.mark.slow
def test_keyboard_alone(visit):
    visitor = visit(viewport={"width": 1280, "height": 900})
    tab = visitor.page

    def tab_to(condition: str, most: int = 60) -> None:
        for _ in range(most):
            if tab.evaluate(f"(() => {{ const a = document.activeElement; return !!({condition}); }})()"):
                return
            tab.keyboard.press("Tab")
        raise AssertionError(f"never reached: {condition}")

    tab_to("a.matches('#prompt textarea')")
    tab.keyboard.type(PROMPT)
    tab.keyboard.press("Enter")
    visitor.shown(PROMPT)
    tab_to("a.matches('.av-picture')")
    tab.keyboard.press("Space")
    visitor.wait("document.querySelector('.t2m-viewer').atomViewer.state.playing")
    tab_to("a.matches('#takes input') && !a.checked")  # gradio's choices are reached one by one
    tab.keyboard.press("Space")
    visitor.wait("document.querySelectorAll('#takes input')[1].checked")
    tab_to("a.matches('#reveal')")
    tab.keyboard.press("Enter")
    visitor.wait("document.querySelector('#blind').innerText.includes('is the base model')")
    tab_to("a.matches('#as-npy')")
    with tab.expect_download(timeout=20_000) as download:
        tab.keyboard.press("Enter")
    assert download.value.suggested_filename == "a-person-kicks-with-the-left-leg_A2.npy"


@pytest.mark.slow
def test_phone(visit):
    visitor = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    tab = visitor.page
    assert tab.evaluate("document.documentElement.scrollWidth") == 390
    tab.locator("#controls button", has_text="a person squats twice").tap()
    visitor.shown("a person squats twice")
    visitor.wait("document.querySelector('.t2m-viewer').getBoundingClientRect().top < innerHeight / 2")
    assert tab.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.slow
def test_what_cannot_be_asked_for(visit):
    visitor = visit(viewport={"width": 1000, "height": 800})
    tab = visitor.page
    tab.fill("#prompt textarea", "  ")
    tab.click("#generate")
    tab.wait_for_selector("text=Please say what the person does")
    odd = "</script><img src=x onerror=alert(1)> 🏃 人"
    tab.fill("#prompt textarea", odd)
    tab.dblclick("#generate")
    visitor.shown(odd)
    assert "No verdict" in tab.inner_text("#verdicts")
    assert tab.evaluate("document.querySelectorAll('img[src=x]').length") == 0


@pytest.mark.slow
def test_without_webgl(visit):
    visitor = visit(script="HTMLCanvasElement.prototype.getContext = () => null;")
    still = visitor.page.locator(".t2m-viewer img[src^='data:image/webp']")
    still.wait_for()
    assert visitor.page.evaluate("document.querySelector('.t2m-viewer').atomViewer.state.fallback") is True


@pytest.mark.slow
def test_a_model_that_is_not_there(browser, tmp_path):
    settings = PageSettings(Sources(model=str(tmp_path / "gone")), votes=None)
    app = make_app(settings, Studio(settings.sources))
    _, url, _ = app.launch(prevent_thread_lock=True, quiet=True, **launch_options())
    context = browser.new_context()
    try:
        tab = context.new_page()
        tab.goto(url)
        tab.wait_for_selector("text=The model gone cannot be loaded")
        assert not tab.is_visible("#vote") and not tab.is_visible("#files")
        assert "Traceback" not in tab.content() and str(tmp_path) not in tab.content()
    finally:
        context.close()
        app.close(verbose=False)
