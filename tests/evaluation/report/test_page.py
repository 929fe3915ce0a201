import base64
import hashlib
import re
import sys
from itertools import pairwise

import pytest

from atom_hf.evaluation.report import (
    Clip,
    ClipGroup,
    Column,
    Outcome,
    Report,
    Row,
    Table,
    Value,
    bar_chart,
    clips,
    distribution_chart,
    line_chart,
    outcome_chart,
    radar_chart,
)
from atom_hf.evaluation.report.charts.chart import COLOURS, DARK_COLOURS
from atom_hf.motion import Motion
from atom_hf.render import viewer as viewer_module
from atom_hf.render.viewer import viewer_script, viewer_style

ELEMENTS = set(
    "html head meta link title style body header h1 h2 h3 p nav ul li a main div table caption thead tbody tr th td "
    "span strong figure figcaption svg desc text line rect circle path polygon details summary "
    "ol script noscript".split()
)


@pytest.fixture
def viewers(monkeypatch):
    """Viewers that cost little: without stills and videos."""
    whole = viewer_module.viewer_spec
    monkeypatch.setattr(viewer_module, "viewer_spec", lambda *args, **_: whole(*args, fallback=False))


def full(name, walk):
    """A report with everything, in which every text is `name`."""
    motion = Motion(walk[:4], text=name)
    report = Report(name, name)
    for level in (2, 3, 2, 2):
        report.add_heading(name, level)
    report.add_text(f"{name}\n\n{name}")
    report.add_text(name, note=True)
    report.add_table(
        Table(name, [Column(name, "lower")], [Row(name, [Value(1, 0.1)]), Row("b", [name])], [name], name)
    )
    two = {name: [0.1, 0.2, 0.3], "b": [0.4, 0.5, 0.6]}
    report.add_chart(radar_chart(name, [name, "x", "y"], two), bar_chart(name, [name, "x", "y"], two, x_label=name))
    report.add_chart(distribution_chart(name, two, x_label=name), outcome_chart(name, {name: Outcome(1, 2, 3)}))
    report.add_chart(line_chart(name, {name: ([1, 2], [3, 4]), "b": ([], [])}, x_label=name, y_label=name))
    report.add_chart(line_chart(name, {}))
    report.add_clips([ClipGroup(name, [Clip(name, motion, [name, name]), Clip("b", motion)])])
    return report


def test_every_text_is_escaped(viewers, walk, evil, read):
    page = read(full(evil, walk).html())
    assert {name for name, _ in page.found} <= ELEMENTS
    assert [a.get("type") for a in page.named("script")] == ["application/json", "module"]
    handlers = [key for _, attributes in page.found for key in attributes if key.startswith("on") or key == "style"]
    assert handlers == []  # those would be code that the policy has to forbid
    shown = evil.replace("\x00", "\ufffd").replace("\u202e", "\ufffd")
    assert page.text("h1") == page.text("h2").split(" " + shown)[0] == shown
    for place in ("p", "caption", "th", "td", "figcaption", "li", "a"):
        assert shown in page.text(place), place


def test_no_request_leaves_the_page(viewers, walk, read):
    markup = full("a name", walk).html().replace(viewer_script(), "")  # which has tests of its own
    markup = re.sub(r'<script type="application/json">.*?</script>', "", markup)  # base64 may have two slashes
    assert set(re.findall(r"(?:https?:)?//[\w.]+[^\s\"'<]*", markup.replace("// ", ""))) == {
        "http://www.w3.org/2000/svg"
    }
    links = [
        value
        for _, attributes in read(markup).found
        for key, value in attributes.items()
        if key in ("src", "href", "poster", "data", "action", "srcset", "xlink:href")
    ]
    assert len(links) > 3 and all(link.startswith(("data:", "#part-")) for link in links)
    assert "@import" not in markup and "url(" not in markup.replace("url(data:", "") and "fetch(" not in markup


def test_policy_allows_our_style_and_script_only(viewers, walk, read):
    page = read(full("a name", walk).html())
    (policy,) = [a["content"] for a in page.named("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["img-src"] == rules["media-src"] == rules["connect-src"] == "data: blob:" and "unsafe" not in policy
    for kind, among in (("style", slice(None)), ("script", slice(-1, None))):  # data need no leave
        texts = [text for name, text in page.texts if name == kind][among]
        digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
        assert rules[f"{kind}-src"] == " ".join(f"'sha256-{digest}'" for digest in digests)
    names = [name for name, _ in page.found]
    assert names.index("meta") < names.index("style")  # the policy holds from the first style on


def test_for_every_reader(viewers, walk, read):
    page = read(full("a name", walk).html())
    assert page.named("html") == [{"lang": "en"}]
    assert any("width=device-width" in a.get("content", "") for a in page.named("meta"))
    assert len(page.named("caption")) == len(page.named("table")) == 6
    assert [a.get("id") for a in page.named("h2")] == ["part-1", "part-2", "part-3"]
    assert [a["href"] for a in page.named("a")] == ["#part-1", "#part-2", "#part-3"]
    levels = [int(name[1]) for name, _ in page.found if re.fullmatch(r"h\d", name)]
    assert levels[0] == 1 and all(b - a <= 1 for a, b in pairwise(levels))
    assert "prefers-reduced-motion" in page.text("script")
    for query in ("prefers-color-scheme: dark", "print", "max-width"):
        assert query in page.text("style")


def test_colours_of_page_and_charts_agree(read):
    style = read(Report("t").html()).text("style")
    light, dark = (re.findall(r"--c\d: (#\w+);", part) for part in style.split("dark)", 1))
    assert tuple(light) == COLOURS and tuple(dark) == DARK_COLOURS


def test_blocks_stand_in_their_order(viewers, walk):
    motion = Motion(walk[:4])
    report = Report("t")
    report.add_clips([ClipGroup("first", [Clip("a", motion)])])
    report.add_text("second")
    report.add_clips([ClipGroup("third", [Clip("a", motion)]), ClipGroup("fourth", [])])
    page = report.html()
    places = [page.index(word) for word in ("first", "second", "third", "fourth")]
    assert places == sorted(places)


def test_a_page_without_motions_needs_no_script(read):
    page = read(Report("t").html())
    (policy,) = [a["content"] for a in page.named("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert not page.named("script") and "script-src" not in policy and len(page.named("style")) == 1


def test_a_note_stands_before_the_motions(monkeypatch, walk, read):
    monkeypatch.setitem(sys.modules, "atom_hf.render.viewer", None)
    report = Report("t")
    report.add_clips([ClipGroup("a person walks", [Clip("base", Motion(walk[:4]), ["score 0.5"])])])
    page = read(report.html())
    assert page.text("p").count("Pillow") == 1 and page.text("li") == "score 0.5" and not page.named("script")


def test_written_whole_and_not_over_another(viewers, walk, tmp_path):
    path = tmp_path / "new" / "report.html"
    assert full("a name", walk).write(path) == path
    first = path.read_bytes()
    with pytest.raises(FileExistsError, match=r"report.html exists already; .* overwrite=True"):
        Report("other").write(path)
    assert path.read_bytes() == first
    full("a name", walk).write(path, overwrite=True)
    assert path.read_bytes() == first  # nothing depends on chance or time
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


def test_nothing_is_written_on_failure(monkeypatch, walk, tmp_path):
    def broken(*_):
        raise RuntimeError("drawing broke")

    report = full("a name", walk)
    monkeypatch.setattr(clips, "_block", broken)
    with pytest.raises(RuntimeError, match="drawing broke"):
        report.write(tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_stays_within_its_budget(monkeypatch, walk):
    monkeypatch.setattr(clips, "_block", lambda *_: "x" * 40_000)
    bundle = len(viewer_script().encode()) + len(viewer_style().encode())
    report = Report("t", budget=bundle + 150_000)
    report.add_clips([ClipGroup(f"{i}", [Clip("a", Motion(walk[:4]))] * 2) for i in range(10)])
    page = report.html()
    assert 100_000 < len(page.encode()) - bundle <= 150_000 and "7 of 10 groups" in page


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda: Report("t").write("report.pdf"), ValueError, r"a file ending in .html, got '.pdf'"),
        (lambda: Report("t").add_heading("x", 1), ValueError, "level 2 or 3, got 1"),
        (lambda: Report("t", budget=0), ValueError, "at least 1 byte, got 0"),
        (
            lambda: Report("t").add_clips([ClipGroup("jump", [Clip("base", [[0.0]])])]),
            TypeError,
            "Expected a Motion in clip 'base' of 'jump', got list",
        ),
    ],
)
def test_refused(act, error, message):
    with pytest.raises(error, match=message):
        act()
