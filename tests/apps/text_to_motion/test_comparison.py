"""Sides, names and words of what a visitor sees."""

from itertools import pairwise

import pytest

from atom_hf.apps.text_to_motion import words
from atom_hf.apps.text_to_motion.asked import read_scenario
from atom_hf.apps.text_to_motion.comparison import Comparison
from atom_hf.apps.text_to_motion.examples import EXAMPLES, OPENING
from atom_hf.apps.text_to_motion.request import Request
from atom_hf.apps.text_to_motion.studio import Studio
from atom_hf.apps.text_to_motion.systems import Sources
from atom_hf.evaluation.event_track import asked_events
from atom_hf.events import Scenario
from atom_hf.render.viewer import viewer_spec

from .conftest import Puppet


def test_sides_are_drawn_for_every_take(generation):
    orders = {Comparison.of(generation).orders for _ in range(200)}
    assert orders == {((a, 1 - a), (b, 1 - b)) for a in (0, 1) for b in (0, 1)}


def test_nothing_that_is_served_before_a_vote_tells_a_name(generation):
    comparison = Comparison.of(generation)
    served = [str(viewer_spec(comparison.clips(i), fallback=False)) + words.verdicts(comparison, i) for i in (0, 1)]
    served += [words.status(comparison), str(words.take_names(comparison))]
    for text in served:
        for name in ("base", "aligned", "good", "bad"):
            assert name not in text.replace("base64", "")


def test_names_of_one_take_leave_the_others_blind(generation):
    comparison = Comparison(generation, ((1, 0), (0, 1))).told(0)
    assert [comparison.label(side, 0) for side in "AB"] == ["A · aligned", "B · base"]
    assert [comparison.label(side, 1) for side in "AB"] == ["A", "B"]
    assert words.blindness(comparison, 0, True) == (
        "**A** is the aligned model, good · **B** is the base model, bad. The other takes are still blind."
    )
    assert words.blindness(comparison, 1, True).endswith("names stay hidden until you vote or reveal them.")
    assert words.blindness(comparison.told(1), 1, True).endswith("bad · **B** is the aligned model, good.")
    assert "good" in words.verdicts(comparison, 0) and "good" not in words.verdicts(comparison, 1)


def test_one_model_has_no_sides():
    studio = Studio(Sources(model="one"), lambda recipe: Puppet())
    comparison = Comparison.of(studio.generate(Request.read("a person jumps", 1, 0, 0.7, 9.8)))
    assert comparison.sides == ("A",) and comparison.label("A", 0) == "" and words.blindness(comparison, 0, True) == ""
    assert len(comparison.clips(0)) == 1
    assert words.take_names(comparison) == [("Take 1 · 5.0", 0)]


def test_verdicts(generation):
    comparison = Comparison(generation, ((0, 1), (0, 1)))
    html = words.verdicts(comparison, 0)
    assert "jump missing" in html and "2 of 2 jumps" in html and "<li>jump ×2</li>" in html
    assert words.take_names(comparison)[1][0] == "Take 2 · A 1.0 · B 5.0"


def test_what_is_typed_stays_text():
    studio = Studio(Sources(model="one"), lambda recipe: Puppet("a person walks"))
    prompt = "</script><img src=x onerror=alert(1)>"
    comparison = Comparison.of(studio.generate(Request.read(prompt, 1, 0, 0.7, 9.8)))
    html = words.verdicts(comparison, 0)
    assert "No verdict" in html and "<img" not in html and "script>" not in html
    assert "&lt;" in html or "(" in html


def test_asked_events_share_the_clip_in_order():
    bars = asked_events(Scenario.parse("a person walks forward, then jumps twice, then waves with the left hand"), 6.0)
    assert [(bar.name, bar.side, bar.row) for bar in bars] == [
        ("walk forward", None, "asked"), ("jump ×2", None, "asked"), ("wave", "left", "asked"),
    ]  # fmt: skip
    assert bars[0].start == 0 and bars[-1].end == pytest.approx(6.0)
    assert all(a.end == b.start for a, b in pairwise(bars))
    assert asked_events(None, 6.0) == []


def test_prompts_with_structure_are_read_as_words():
    assert read_scenario("a person jumps").scenario is not None
    assert "stopped at" in read_scenario("a person jumps </s> over").problem


@pytest.mark.parametrize("group", EXAMPLES, ids=lambda group: group.task)
def test_examples_belong_to_their_task(group):
    assert {Scenario.parse(prompt).task for prompt in group.prompts} == {group.task}
    assert OPENING in EXAMPLES[-1].prompts
