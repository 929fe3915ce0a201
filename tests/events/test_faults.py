"""Faults change one thing, say which, and refuse where there is nothing of the kind to change."""

import pytest

from atom_hf.events import FAULTS, Event, Scenario, fault_kinds, synthesize, with_fault

FULL = Scenario((Event("kick", 3, "left", "forward"), Event("walk", direction="left"), Event("wave")), "temporal")


@pytest.mark.parametrize("kind", FAULTS)
def test_every_kind_changes_the_scenario_and_says_so(kind):
    found = {with_fault(FULL, kind, seed) for seed in range(20)}
    assert len(found) > (kind != "side")  # seeds differ; there is one side to change
    for fault in found:
        assert fault.kind == kind
        assert fault.scenario.events != FULL.events
        assert fault.scenario.task == "temporal"
        assert FULL.events[fault.event].action in fault.description


@pytest.mark.parametrize("kind", FAULTS)
def test_the_same_seed_gives_the_same_fault(kind):
    assert with_fault(FULL, kind, 3) == with_fault(FULL, kind, 3)


def test_drop_leaves_one_event_out():
    fault = with_fault(FULL, "drop", 0)
    assert len(fault.scenario.events) == 2
    assert fault.description == f"{FULL.events[fault.event].action} is left out"


def test_swap_exchanges_neighbours():
    fault = with_fault(Scenario((Event("walk"), Event("jump", 2))), "swap")
    assert fault.scenario.events == (Event("jump", 2), Event("walk"))
    assert fault.description == "jump before walk instead of after"


def test_counts_stay_within_the_table():
    for seed in range(30):
        fault = with_fault(Scenario((Event("jump", 6),)), "count", seed)
        assert fault.scenario.events[0].count in (4, 5)
    assert with_fault(Scenario((Event("jump", 3),)), "count", 0).description.endswith("instead of 3")


def test_sides_and_directions_change_alone():
    side = with_fault(FULL, "side").scenario.events[0]
    assert side == Event("kick", 3, "right", "forward")
    for seed in range(10):
        events = with_fault(FULL, "direction", seed).scenario.events
        changed = [i for i in range(3) if events[i] != FULL.events[i]]
        assert len(changed) == 1
        assert events[changed[0]].direction != FULL.events[changed[0]].direction


def test_the_side_of_one_arm_never_becomes_both():
    for seed in range(20):
        assert with_fault(Scenario((Event("punch", 2, "left"),)), "side", seed).scenario.events[0].side == "right"


def test_kinds_that_apply_are_listed():
    assert fault_kinds(Scenario((Event("walk"),))) == ("replace",)
    assert fault_kinds(FULL) == FAULTS


def test_a_kind_that_does_not_apply_is_an_error():
    with pytest.raises(
        ValueError, match=r"'swap' needs two events that differ.*got walk; this scenario can have: replace"
    ):
        with_fault(Scenario((Event("walk"),)), "swap")
    with pytest.raises(ValueError, match="'drop' needs at least two events"):
        with_fault(Scenario((Event("jump"),)), "drop")
    with pytest.raises(ValueError, match="'side' needs an event with a side"):
        with_fault(Scenario((Event("kick"),)), "side")


def test_an_unknown_kind_is_an_error():
    with pytest.raises(ValueError, match="Unknown kind of fault 'speed'; expected one of drop, replace, swap"):
        with_fault(FULL, "speed")


def test_a_fault_can_be_shown():
    fault = with_fault(Scenario((Event("jump", 3),)), "count", 1)
    assert len(synthesize(fault.scenario).segments) == fault.scenario.events[0].count
