"""Event tracks: what was asked for, what is seen."""

from itertools import pairwise

import numpy as np
import pytest

from atom_hf import Motion, Scenario, synthesize
from atom_hf.evaluation.event_track import event_track, scenario_of


def test_asked_and_seen():
    scenario = Scenario.parse("a person walks forward, then jumps twice")
    motion = Motion(synthesize(scenario, seed=1).joints)
    track = event_track(motion, scenario)
    asked, seen = ([event for event in track if event.row == row] for row in ("asked", "seen"))
    assert [event.name for event in asked] == ["walk forward", "jump ×2"]
    assert asked[0].start == 0 and asked[0].end == asked[1].start and asked[1].end == pytest.approx(motion.duration)
    assert [event.name.split()[0] for event in seen] == ["walk", "jump", "jump"]
    assert all(0 <= a.start < a.end <= motion.duration for a in seen)
    assert all(a.start <= b.start for a, b in pairwise(seen))
    assert event_track(motion) == tuple(seen)


def test_sides():
    scenario = Scenario.parse("a person kicks with the left foot")
    track = event_track(Motion(synthesize(scenario, seed=1).joints), scenario)
    assert {event.side for event in track} == {"left"} and {event.row for event in track} == {"asked", "seen"}


def test_a_clip_that_shows_nothing():
    still = Motion(np.repeat(synthesize(Scenario.parse("a person jumps"), seed=1).joints[:1], 1, axis=0))
    assert event_track(still) == ()
    assert [event.row for event in event_track(still, Scenario.parse("a person jumps"))] == ["asked"]


def test_captions_that_the_grammar_reads():
    assert scenario_of("a person jumps twice") == Scenario.parse("a person jumps twice")
    assert scenario_of("") is scenario_of(None) is scenario_of("colourless green ideas") is None
