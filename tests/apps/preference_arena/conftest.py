"""Arenas of walks, whose systems have names that no page may tell, and one page for all tests in a browser."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from atom_hf.apps.preference_arena.service import LabelService
from atom_hf.arena import Arena, Clip, PairItem
from tests.arena.parts import PLAIN, motion, pair

SYSTEMS = ("quagga-base", "quagga-aligned")
SECRET = "open sesame, please"


def lesson() -> PairItem:
    """A pair of the training round."""
    right, wrong = Clip(motion("right"), SYSTEMS[0]), Clip(motion("wrong"), SYSTEMS[1])
    return PairItem("a person walks <b>on</b>", right, wrong, expected="one", training=True, lesson="It <i>limps</i>.")


def campaign(number: int) -> list[PairItem]:
    """So many pairs."""
    return [pair(f"a person takes {i + 2} steps", SYSTEMS, task="frequency") for i in range(number)]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Arena]]:
    """Makes arenas without checks and limits, unless settings say otherwise."""
    made = []

    def arena(items: Any = 3, name: str = "arena", **settings: Any) -> Arena:
        made.append(Arena(tmp_path / name, replace(PLAIN, **settings), admin_secret=SECRET))
        made[-1].add_pairs(campaign(items) if isinstance(items, int) else items)
        return made[-1]

    yield arena
    for one in made:
        one.close()


@pytest.fixture
def service(make) -> LabelService:
    return LabelService(make())


class Page(NamedTuple):
    """A page that is being served."""

    url: str
    arena: Arena


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    pytest.importorskip("gradio")
    from atom_hf.apps.preference_arena.app import launch_options, make_app
    from atom_hf.apps.preference_arena.limits import Tickets

    folder = tmp_path_factory.mktemp("arena")
    arena = Arena(folder / "store", replace(PLAIN, training=1), admin_secret=SECRET)
    arena.add_pairs([lesson(), *campaign(8)])
    tickets = Tickets()
    app = make_app(arena, tickets=tickets)
    _, url, _ = app.launch(prevent_thread_lock=True, quiet=True, **launch_options(tickets))
    yield Page(url, arena)
    app.close(verbose=False)
    arena.close()


class Visit:
    """A labeller with a browser of his or her own; everything that comes from the server is looked at in the end."""

    def __init__(self, browser: Any, url: str, **options: Any) -> None:
        self.said: list[str] = []
        self.abroad: list[str] = []
        self.answers: list[Any] = []
        self.may_fail = self.may_know = False
        self.tab = browser.new_context(**{"reduced_motion": "reduce", **options}).new_page()
        self.tab.on("console", lambda entry: self.said.append(entry.text) if entry.type == "error" else None)
        self.tab.on("pageerror", lambda error: self.said.append(str(error)))
        self.tab.on("request", lambda request: self._note(request.url, url))
        self.tab.on("response", lambda answer: self.answers.append(answer))
        self.tab.goto(url)
        self.tab.wait_for_selector("#ar-name")

    def _note(self, asked: str, url: str) -> None:
        if not asked.startswith((url, "data:", "blob:")):
            self.abroad.append(asked)

    def sign_in(self, name: str) -> None:
        self.tab.keyboard.type(name)  # the focus is there already
        self.tab.keyboard.press("Enter")
        self.tab.wait_for_selector("text=I agree")
        self.tab.keyboard.press("Enter")
        self.tab.wait_for_selector(".ar-ballot .atom-viewer")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.tab.keyboard.press(key)

    def heard(self, words: str) -> None:
        """Wait until the live region says something."""
        self.tab.wait_for_function(f"document.querySelector('.ar-live').textContent.includes({json.dumps(words)})")

    def vote(self, *keys: str) -> None:
        """Vote by keys, and wait for the next pair."""
        self.tab.evaluate("document.querySelector('.ar-live').textContent = ''")
        self.press(*keys, "Enter")
        self.tab.wait_for_function(
            "/saved/.test(document.querySelector('.ar-live').textContent) || document.querySelector('h2')"
        )

    def train(self) -> None:
        """The training round, of one pair."""
        self.press("a", "4", "Enter")
        self.tab.wait_for_selector(".ar-feedback")
        self.press("Enter")
        self.heard("Next: ")

    def close(self) -> None:
        told = [answer.url for answer in self.answers if SYSTEMS[0][:6].encode() in _body(answer)]
        self.tab.context.close()
        assert self.abroad == []
        assert self.may_know or told == []
        assert self.may_fail or self.said == []


def _body(answer: Any) -> bytes:
    kind = answer.headers.get("content-type", "")
    if answer.url.startswith(("blob:", "data:")) or "event-stream" in kind or "/queue/" in answer.url:
        return b""
    try:
        return bytes(answer.body())
    except Exception:  # a redirect or an answer that was cut off has no body
        return b""


@pytest.fixture
def visit(browser, page) -> Iterator[Callable[..., Visit]]:
    visits: list[Visit] = []

    def open_page(url: str = page.url, **options: Any) -> Visit:
        visits.append(Visit(browser, url, **options))
        return visits[-1]

    yield open_page
    for one in visits:
        one.close()
