"""One browser for all tests: Chromium of the system, drawing with its processor, cut off from every host."""

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from atom_hf.render.viewer import ViewerClip, ViewerEvent, viewer_module, viewer_page
from atom_hf.render.viewer.page import script_json

# Counts drawing contexts that were made and given back; one of them is made to learn who draws, and given back.
COUNT = """
window.contexts = { made: 0, lost: 0 };
const getContext = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (...args) {
  const had = this.seenBefore;
  const context = getContext.apply(this, args);
  if (context && !had && /webgl/.test(args[0])) {
    this.seenBefore = true;
    window.contexts.made++;
    this.addEventListener("webglcontextlost", () => window.contexts.lost++);
  }
  return context;
};
"""


class Opened:
    """A page that is open: what it said, what it asked for, and its first viewer."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.said: list[str] = []
        self.asked: list[str] = []

    @property
    def state(self) -> dict[str, Any]:
        """State of the first viewer."""
        found: dict[str, Any] = self.page.evaluate("viewer().state")
        return found

    def wait(self, condition: str) -> None:
        """Until a condition on the page holds."""
        end = time.monotonic() + 10  # playwright's own waiting needs eval, which the page's policy forbids
        while not self.page.evaluate(f"!!({condition})"):
            assert time.monotonic() < end, f"never came true: {condition}"
            self.page.wait_for_timeout(20)

    def ready(self) -> "Opened":
        """Until the first viewer draws."""
        self.wait("viewer() && viewer().state.drawing")
        return self

    def mount(self, spec: dict[str, Any], place: str = "a") -> "Opened":
        """Mount a viewer on the page of `bench`."""
        self.page.evaluate("([spec, place]) => { mount(document.getElementById(place), spec); }", [spec, place])
        self.wait(f"document.getElementById('{place}').atomViewer.state.drawing")
        return self

    def reset(self) -> "Opened":
        """The first viewer as it was when the page was opened."""
        self.page.bring_to_front()
        self.page.evaluate(
            "() => { const v = viewer(); document.activeElement.blur(); v.moveTo(0); v.setLoop(true);"
            " v.setFollow(true); v.setSpeed(1); v.setKeys(true); v.setView('three-quarter'); }"
        )
        self.settle()
        return self.ready()

    def settle(self) -> None:
        """Until what was asked for is drawn."""
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def check(self) -> None:
        """Nothing went wrong, and no host was asked for anything."""
        assert self.said == []
        assert [url for url in self.asked if not _local(url)] == []

    def picture(self) -> np.ndarray:
        """The first viewer's picture, `[height, width, 3]`."""
        self.settle()
        shot = self.page.locator(".av-stage").first.screenshot()
        return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)


class Opener:
    """Opens pages from disk, and closes them all."""

    def __init__(self, browser: Any, folder: Path) -> None:
        self.browser = browser
        self.folder = folder
        self.pages: list[Opened] = []

    def __call__(self, html: str, *, script: str = "", width: int = 600, height: int = 600, **options: Any) -> Opened:
        """Open HTML; `script` runs before its own."""
        options = {"reduced_motion": "reduce"} | options
        page = self.browser.new_context(viewport={"width": width, "height": height}, **options).new_page()
        result = Opened(page)
        self.pages.append(result)
        page.on("console", lambda message: result.said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: result.said.append(str(error)))
        page.on("request", lambda request: result.asked.append(request.url))
        page.route("**/*", lambda route: route.continue_() if _local(route.request.url) else route.abort())
        page.add_init_script(
            f"window.viewer = () => document.querySelector('[data-atom-viewer]')?.atomViewer; {COUNT} {script}"
        )
        path = self.folder / f"page{len(self.pages)}.html"
        path.write_text(html, encoding="utf-8")
        page.goto(path.as_uri())
        return result

    def close(self) -> None:
        """Close all; errors, and requests to other hosts, fail the test."""
        for page in self.pages:
            page.page.context.close()
        for page in self.pages:
            page.check()


@pytest.fixture
def opened(browser, tmp_path) -> Iterator[Opener]:
    """Opens pages of a test's own."""
    opener = Opener(browser, tmp_path)
    yield opener
    opener.close()


@pytest.fixture(scope="module")
def shared_pages(browser, tmp_path_factory, one_page, pair_page) -> Iterator[list[Opened]]:
    """Pages that stay open: with one clip, with two, and with a place for any."""
    opener = Opener(browser, tmp_path_factory.mktemp("pages"))
    yield [opener(one_page).ready(), opener(pair_page, width=640).ready(), opener(_module_page())]
    opener.close()


@pytest.fixture
def one(shared_pages) -> Iterator[Opened]:
    """A page with one clip, at its beginning."""
    yield shared_pages[0].reset()
    shared_pages[0].check()


@pytest.fixture
def two(shared_pages) -> Iterator[Opened]:
    """A page with two clips, at its beginning."""
    yield shared_pages[1].reset()
    shared_pages[1].check()


def _local(url: str) -> bool:
    return url.startswith(("file:", "data:", "blob:", "about:"))


@pytest.fixture
def bench(shared_pages) -> Iterator[Opened]:
    """A page on which viewers are mounted by code."""
    shared_pages[2].page.bring_to_front()
    shared_pages[2].wait("window.mount")
    yield shared_pages[2]
    shared_pages[2].page.evaluate("() => document.querySelectorAll('#a, #b').forEach(e => e.atomViewer?.destroy())")
    shared_pages[2].check()


@pytest.fixture(scope="session")
def pair(walking) -> list[ViewerClip]:
    """Two clips of different length, with events."""
    events = (ViewerEvent("walk", 0.2, 1.0), ViewerEvent("kick", 1.0, 1.5, side="left"))
    seen = (ViewerEvent("walk", 0.25, 1.0, row="seen"),)
    return [ViewerClip(walking, "Base", events), ViewerClip(walking[:20], "Aligned", seen)]


@pytest.fixture(scope="session")
def one_page(pair) -> str:
    """A page with one clip."""
    return viewer_page(pair[0], prompt="a person walks", video_budget=0)


@pytest.fixture(scope="session")
def pair_page(pair) -> str:
    """A page with two clips."""
    return viewer_page(pair, prompt="a person walks", video_budget=0)


def _module_page() -> str:
    """A page that takes the module the way Gradio does: no block, and code that runs as a function."""
    code = f"{viewer_module()}.then(({{ mount }}) => {{ window.mount = mount; }})"
    return (
        '<!DOCTYPE html><meta charset="utf-8"><body><div id="a" data-atom-viewer></div><div id="b"></div>'
        f"<script>new Function('element', {script_json(code)})(document.body);</script>"
    )
