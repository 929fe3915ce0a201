"""The table of actions is complete and consistent: every form of every verb, counts, sides, times, postures."""

import itertools

import pytest

from atom_hf.events import ACTIONS, Action, Verb
from atom_hf.events.grammar_prompts import LONGEST_CLIP

POSTURES = {"standing", "sitting", "lying"}


@pytest.mark.parametrize("action", ACTIONS.values(), ids=list(ACTIONS))
def test_entry_is_consistent(action: Action) -> None:
    assert ACTIONS[action.name] is action
    assert action.unit and action.verbs
    assert set(action.sides) <= {"left", "right", "both"}
    assert set(action.directions) <= {"forward", "backward", "left", "right", "up", "around"}
    assert (action.limb is None) == (not action.sides)
    assert action.limb is not None or not action.limb_synonyms
    assert set(action.postures) <= POSTURES and (action.leaves is None or action.leaves in POSTURES)


@pytest.mark.parametrize("action", ACTIONS.values(), ids=list(ACTIONS))
def test_largest_count_fits_a_clip(action: Action) -> None:
    assert action.max_count >= 1
    assert action.max_count * action.seconds <= LONGEST_CLIP


@pytest.mark.parametrize("verb", [verb for action in ACTIONS.values() for verb in action.verbs], ids=lambda v: v.base)
def test_forms_of_a_verb_share_their_particle(verb: Verb) -> None:
    particles = {tuple(form.split()[1:]) for form in (verb.base, verb.third, verb.gerund, verb.past)}
    assert len(particles) == 1
    assert verb.third.split()[0].endswith("s")
    assert verb.gerund.split()[0].endswith("ing")


def test_no_two_actions_share_a_verb() -> None:
    for first, second in itertools.combinations(ACTIONS.values(), 2):
        assert {verb.base for verb in first.verbs}.isdisjoint(verb.base for verb in second.verbs)
