"""Scenario → text: what is said is read again, the English is sound, and wording varies with the seed."""

import re
import subprocess
import sys
from random import Random

import pytest

from atom_hf.events import ACTIONS, Event, Scenario
from atom_hf.events.grammar import SUBJECTS

from .random_scenarios import random_scenario

RANDOM = Random(4)
TEXTS = [
    (scenario, scenario.to_text(seed)) for seed, scenario in enumerate(random_scenario(RANDOM) for _ in range(4000))
]


def test_every_text_is_read_as_its_scenario() -> None:
    wrong = [(text, scenario) for scenario, text in TEXTS if Scenario.parse(text, task=scenario.task) != scenario]
    assert wrong == []


@pytest.mark.parametrize("action", ACTIONS.values(), ids=list(ACTIONS))
def test_every_way_to_ask_for_one_action_round_trips(action) -> None:
    for count in range(1, action.max_count + 1):
        for side in (None, *action.sides):
            for direction in (None, *action.directions):
                for seed in range(6):
                    scenario = Scenario((Event(action.name, count, side, direction),), "frequency")
                    assert Scenario.parse(scenario.to_text(seed), "frequency") == scenario


def test_wording_varies_with_the_seed_and_is_the_same_everywhere() -> None:
    scenario = Scenario((Event("walk", direction="forward"), Event("kick", 2, "left")), "temporal")
    texts = [scenario.to_text(seed) for seed in range(200)]
    assert len(set(texts)) > 120
    code = (
        "from atom_hf.events import *; "
        "print(Scenario((Event('walk', direction='forward'), Event('kick', 2, 'left')), 'temporal').to_text(7))"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == texts[7]


@pytest.mark.parametrize(
    "pattern",
    [r"\bbefore \w+ing\b", r"^After \w+ing\b", r"\bafter \w+ing\b", r"followed by", r"\. Then|\. After that"],
)
def test_conjunctions_occur(pattern: str) -> None:
    assert sum(bool(re.search(pattern, text)) for _, text in TEXTS) > 20


THIRD = {verb.third.split()[0] for action in ACTIONS.values() for verb in action.verbs} | {"does", "makes", "takes"}
BASE = {verb.base.split()[0] for action in ACTIONS.values() for verb in action.verbs} | {"do", "make", "take"}


def test_verbs_agree_with_pronouns() -> None:
    for _, text in TEXTS:
        assert not re.search(rf"\bthey ({'|'.join(THIRD)})\b", text), text
        assert not re.search(rf"\b(he|she|it) ({'|'.join(BASE)})\b", text), text


def test_articles_and_plurals() -> None:
    for _, text in TEXTS:
        assert not re.search(r"\ba [aeio]|\ban [^aeiou]|\b(two|three|[2-9]) (time|jump|step|squat|turn|kick)\b", text)
        assert not re.search(
            r"\b(a|one|an) (?!few )((left|right|half) )?(jumps|steps|squats|turns|kicks|feet|hands)\b", text
        ), text
        assert not re.search(r"\b(\w+) \1\b", text.replace("that that", "")), text


def test_sentences_are_well_formed() -> None:
    for _, text in TEXTS:
        assert text[0].isupper() and text == " ".join(text.split())
        assert not re.search(r"[{}]|,,|\s[,.]|,\.|\.\.", text), text
        assert text.endswith(".") or " is " not in text


def test_gerunds_after_before_and_after() -> None:
    for _, text in TEXTS:
        for word in re.findall(r"\b(?:before|after) (\w+)", text.lower()):
            assert word.endswith("ing") or word in {subject.pronoun for subject in SUBJECTS} | {"that"}, text


def test_left_and_right_hands_have_an_owner() -> None:
    text = " ".join(Scenario((Event("wave", side="left"),)).to_text(seed) for seed in range(50))
    assert {"his left hand", "her left hand", "their left hand", "the left hand"} <= set(
        re.findall(r"\b(?:his|her|their|the) left hand", text)
    )
