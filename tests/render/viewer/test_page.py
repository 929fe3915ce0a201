"""Viewers in HTML: nothing becomes markup, nothing is asked of another host."""

import base64
import hashlib
import html
import json
import re
from html.parser import HTMLParser

import pytest

from atom_hf.render.viewer import (
    ViewerClip,
    ViewerEvent,
    viewer_block,
    viewer_iframe,
    viewer_module,
    viewer_page,
    viewer_script,
    viewer_spec,
    viewer_style,
)
from atom_hf.render.viewer.page import script_json

HOSTILE = "</script><script>alert(1)</script><!-- <b>&amp; \u2028 \"'"


class _Elements(HTMLParser):
    """Every element with its attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.found and self.found[-1][0] in ("script", "style") and data.strip():
            self.texts.append((self.found[-1][0], data))

    def names(self) -> list[str]:
        return [name for name, _ in self.found]


@pytest.fixture(scope="module")
def hostile(walking) -> ViewerClip:
    return ViewerClip(walking, HOSTILE, [ViewerEvent(HOSTILE, 0.0, 1.0, side=HOSTILE)])


def test_captions_and_names_never_become_markup(hostile):
    block = viewer_block(viewer_spec(hostile, prompt=HOSTILE))
    elements = _Elements(block)
    assert elements.names().count("script") == 1
    assert "b" not in elements.names()
    assert "<!--" not in block
    [(_, data)] = elements.texts
    spec = json.loads(data)
    assert spec["prompt"] == spec["clips"][0]["label"] == spec["clips"][0]["events"][0]["side"] == HOSTILE
    page = _Elements(viewer_page(hostile, title=HOSTILE, prompt=HOSTILE, video_budget=0))
    assert [attributes.get("type") for name, attributes in page.found if name == "script"] == [
        "application/json",
        "module",
    ]


def test_the_policy_names_the_script_and_the_style_and_no_host(walking):
    page = viewer_page(ViewerClip(walking), video_budget=0)
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    texts = dict(_Elements(page).texts)
    for name in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(texts[name].encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert not re.search(r"https?:|unsafe|\*", policy)


def test_a_page_loads_nothing(walking):
    page = viewer_page(ViewerClip(walking), video_budget=0)
    for _, attributes in _Elements(page).found:
        for name in ("src", "href"):
            assert (attributes.get(name) or "data:").startswith("data:")
    assert not re.search(r"@import|url\(", viewer_style())


def test_the_still_stands_in_a_block_once(walking):
    spec = viewer_spec(ViewerClip(walking), prompt="a person walks")
    block = viewer_block(spec)
    assert block.count(spec["fallback"]["still"]) == 1
    assert '<p dir="auto">a person walks</p>' in block


def test_events_can_be_read_without_javascript(walking):
    clip = ViewerClip(walking, "A", [ViewerEvent("kick", 0.5, 1.25, side="left")])
    assert "A: left kick, 0.50 s to 1.25 s (asked)" in viewer_block(viewer_spec(clip, fallback=False))


def test_a_frame_for_notebooks_holds_the_page_and_reaches_nothing(walking):
    frame = viewer_iframe(ViewerClip(walking), height=480, prompt='a "person" walks')
    [(name, attributes)] = _Elements(frame).found
    assert (name, attributes["sandbox"], attributes["height"]) == ("iframe", "allow-scripts", "480")
    assert attributes["title"] == 'a "person" walks'
    assert attributes["srcdoc"].startswith("<!DOCTYPE html>")
    with pytest.raises(ValueError, match="Expected a height in pixels, an integer of at least 1, got 0"):
        viewer_iframe(ViewerClip(walking), height=0)


def test_the_module_for_gradio_is_an_expression_with_the_bundle_in_it():
    module = viewer_module()
    assert module.startswith("(globalThis.atomViewer ??=")
    assert script_json(viewer_script()) in module
    assert "<" not in module.replace("<=", "").replace("< ", "")


def test_json_for_scripts_reads_back_and_refuses_nan():
    assert json.loads(script_json({"a": HOSTILE})) == {"a": HOSTILE}
    assert not re.search(r"[<>&\u2028]", script_json(HOSTILE))
    with pytest.raises(ValueError, match="not JSON compliant"):
        script_json(float("nan"))


def test_a_page_is_small_and_the_same_every_time(walking):
    clip = ViewerClip(walking)
    page = viewer_page(clip, prompt="a person walks", video_budget=0)
    assert page == viewer_page(clip, prompt="a person walks", video_budget=0)
    assert len(page) < len(viewer_script()) + len(viewer_style()) + 192 * 40 + 40_000
    assert html.unescape(viewer_iframe(clip)).count("<main>") == 1
