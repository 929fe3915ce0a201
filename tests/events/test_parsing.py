"""Text → scenario: captions as people write them, errors that say where reading stopped, and nothing dropped."""

import csv
import json
from pathlib import Path
from random import Random

import pytest

from atom_hf.events import ACTIONS, Event, Scenario
from atom_hf.events.fillers import FILLERS
from atom_hf.events.lexicon import ACTION_FILLERS, ADVERBS, DIRECTIONS, IDLE, TURN_DIRECTIONS, all_words
from atom_hf.events.parsing import ScenarioParseError
from atom_hf.events.words import describe


def understood(text: str) -> str:
    """`"walk (forward), jump x 2"`: a scenario in short."""
    return ", ".join(map(describe, Scenario.parse(text).events))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a man walks forward, turns around and walks back", "walk (forward), turn (around), walk (forward)"),
        ("a person walks back", "walk (backward)"),
        ("a person turns left and walks back", "turn (left), walk (backward)"),
        ("a person jogs forward. Then he turns around and jogs back.", "run (forward), turn (around), run (forward)"),
        (
            "he walked forward, spun right on one foot and walked back to his original position.",
            "walk (forward), turn (right), walk",
        ),
        ("she turns around and walks back to where she started", "turn (around), walk (forward)"),
        ("the person takes 3 steps forward then jumps twice", "step (forward) x 3, jump x 2"),
        ("a person walks five steps", "step x 5"),
        ("a person takes a few steps forward and stops", "walk (forward)"),
        ("someone waves with their right hand while standing", "wave (right side)"),
        ("a person raises both arms above their head", "raise_arm (both side)"),
        ("a man lifts his arms and lowers them", "raise_arm (both side)"),
        ("person sits down on a chair and then gets back up", "sit_down, stand_up"),
        ("he stands, raises his arms and sits", "raise_arm (both side), sit_down"),
        ("he sits down, then stands", "sit_down, stand_up"),
        ("a man kicks something or someone with his left leg.", "kick (left side)"),
        ("kicks with their left foot before going back to their original stance", "kick (left side)"),
        ("steps forward and uses the left leg to kick something", "step (forward), kick (left side)"),
        ("a person turns left and then right", "turn (left), turn (right)"),
        ("a person waves with the left hand, then the right hand", "wave (left side), wave (right side)"),
        ("he kicks twice with his right leg and once with his left leg", "kick (right side) x 2, kick (left side)"),
        ("a person walks forward and backward", "walk (forward), walk (backward)"),
        ("a person turns 180 degrees", "turn (around)"),
        ("a person turns clockwise", "turn (right)"),
        ("a person does a u-turn", "turn (around)"),
        ("hops forward with both feet for 4 hops", "jump (forward) x 4"),
        ("a person jumps on their right leg twice", "hop (right side) x 2"),
        ("jumps up and down four times", "jump (up) x 4"),
        ("someone throws a punch with the right fist, then a kick", "punch (right side), kick"),
        ("a person takes a seat, appears to make a throwing motion, and then stands up", "sit_down, throw, stand_up"),
        ("a person bows (happy)", "bow"),
        ("a person: run/jog", "run"),
        ("A PERSON JUMPS TWICE!!!", "jump x 2"),
        ("a person is slowly and casually walking forward with swinging arms.", "walk (forward)"),
        ("the person jumps like a ballet dancer, then bows", "jump, bow"),
        ("“a person walks”", "walk"),
        ("A human standing up", "stand_up"),
        ("a standing human person bows", "bow"),
        ("a person takes two steps forward and two steps back", "step (forward) x 2, step (backward) x 2"),
        ("walks three steps to the left and then 2 steps to the right", "step (left) x 3, step (right) x 2"),
        ("a man throws the ball overhand with his left arm", "throw (left side)"),
        ("person turns to face the opposite direction", "turn (around)"),
    ],
)
def test_caption(text: str, expected: str) -> None:
    assert understood(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a person walks, then jumps",
        "a person walks before jumping",
        "a person walks before he jumps",
        "before jumping, a person walks",
        "after walking, a person jumps",
        "after he walks, he jumps",
        "a person jumps after walking",
        "a person walks. After that, they jump.",
        "a person walks, followed by a jump",
        "a person walks followed by jumping",
        "first a person walks and finally jumps",
    ],
)
def test_order_is_that_of_time(text: str) -> None:
    assert understood(text) == "walk, jump"


def test_after_belongs_to_the_whole_last_clause() -> None:
    assert understood("he walks, turns left and right after jumping and bowing") == (
        "walk, jump, bow, turn (left), turn (right)"
    )
    assert understood("before sitting down and waving, he jumps and bows") == "jump, bow, sit_down, wave"


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("a person jumps", "integrity"),
        ("a person jumps twice and bows", "frequency"),
        ("a person jumps and bows", "temporal"),
        ("a person waves while walking", "integrity"),
    ],
)
def test_task_is_inferred(text: str, task: str) -> None:
    assert Scenario.parse(text).task == task
    assert Scenario.parse(text, task="frequency").task == "frequency"


@pytest.mark.parametrize(
    ("text", "stopped_at", "why", "events"),
    [
        ("", "", "got an empty text", ()),
        ("   .", "", "got an empty text", ()),
        ("a person walks then does a cartwheel", "does a cartwheel", "no action, count", (Event("walk"),)),
        ("a person jmups twice", "jmups twice", "did you mean 'jumps'?", ()),
        ("ein Mann geht vorwärts", "ein Mann geht vorwärts", "in English", ()),
        ("人が歩く", "人が歩く", "in English", ()),
        ("jumps ten thousand times", "jumps ten thousand times", "from 1 to 6 .* got 10000", ()),
        ("jumps 99999999999999999999 times", None, "from 1 to 6", ()),
        ("jumps twenty-one times", "jumps twenty-one times", "got 21", ()),
        ("turns around 360 degrees", "360 degrees", "no action", (Event("turn", direction="around"),)),
        ("turns slightly to the left", "slightly to the left", "no action", (Event("turn"),)),
        ("jumps and claps at the same time", "at the same time", "no action", (Event("jump"), Event("clap"))),
        ("a man walks and a woman jumps", "a woman", "a scenario has one person", (Event("walk"),)),
        ("two people walk", "two people walk", "no action", ()),
        ("does a left arm kick", "does a left arm", "no action", ()),
        ("does a left kick with his right leg", "with his right leg", "left leg, then right leg", None),
        ("does several jumps", "does several jumps", "no action", ()),
        ("jumps zero times", "jumps zero times", "from 1 to 6 .* got 0", ()),
        ("a person takes 12 steps", "takes 12 steps", "count of step is from 1 to 6", ()),
        ("a person waves 3 times", "waves 3 times", "count of wave is from 1 to 1", ()),
        ("jumps several times", "several times", "no exact number", (Event("jump"),)),
        ("waves his left hand with his right hand", "with his right hand", "left hand, then right hand", None),
        ("walks forward backward", "backward", "says forward, then backward", (Event("walk", direction="forward"),)),
        ("jumps twice three times", "three times", "says 2 times, then 3 times", (Event("jump", 2),)),
        ("walks forward and to the right", None, "at once is no direction", (Event("walk", direction="forward"),)),
        ("walks back and forth", "back and forth", "two events", (Event("walk"),)),
        ("the person runs to the left", "to the left", "direction of run is one of forward", (Event("run"),)),
        ("kicks with both legs", "kicks with both legs", "side of kick is one of left, right, got 'both'", ()),
        ("lifts their left leg", "their left leg", "'lifts' goes with arm or hand", None),
        ("raises a bar over his head", None, "only arms and hands are raised", ()),
        ("a person does not walk", "does not walk", "no action", ()),
        ("a person is sitting", "sitting", "no action", ()),
        ("a person walks and", "", "ends where an action is expected", (Event("walk"),)),
        ("a person stands still", "", "names no action of the table", ()),
        ("walks up the stairs", "up the stairs", "direction of walk", (Event("walk"),)),
    ],
)
def test_error_says_where_it_stopped(text: str, stopped_at: str | None, why: str, events: tuple | None) -> None:
    with pytest.raises(ScenarioParseError, match=why) as caught:
        Scenario.parse(text)
    if stopped_at is not None:
        assert caught.value.stopped_at == stopped_at
    if events is not None:
        assert caught.value.understood == events
    assert caught.value.text == text


def test_error_shows_what_was_understood() -> None:
    with pytest.raises(
        ScenarioParseError, match=r"stopped at 'flies away'.*until there: walk \(forward\), kick \(left"
    ):
        Scenario.parse("a man walks forward, kicks with his left leg twice and flies away")


def test_text_is_a_string_of_limited_length() -> None:
    with pytest.raises(TypeError, match="is a string, got NoneType"):
        Scenario.parse(None)
    with pytest.raises(ScenarioParseError, match="at most 1000 characters, got 6000"):
        Scenario.parse("jumps " * 1000)


def test_any_words_are_read_or_refused() -> None:
    words = [*sorted(all_words()), *",|.|and|then|after|before|while|a|the|99|(|/|uses|as if|several".split("|")]
    random = Random(0)
    for length in [*range(1, 12)] * 60 + [120]:
        text = " ".join(random.choice(words) for _ in range(length))
        try:
            Scenario.parse(text[:1000])
        except ScenarioParseError as error:
            assert error.stopped_at in text


def test_unknown_content_words_never_vanish() -> None:
    sentence = "a person walks forward slowly , then kicks with the left leg twice".split()
    for place in range(len(sentence) + 1):
        with pytest.raises(ScenarioParseError):
            Scenario.parse(" ".join([*sentence[:place], "grumbling", *sentence[place:]]))


def test_patterns_are_whole_phrases() -> None:
    assert set(FILLERS) <= set(ACTIONS)
    loose = {"a", "an", "the", "of", "with", "and", "from", "for", "his", "into"}
    for table in (ADVERBS, DIRECTIONS, TURN_DIRECTIONS, IDLE, *ACTION_FILLERS.values()):
        assert [words for words in table.phrases() if not words or words[-1] in loose] == []


# Captions of the corpora with an action that the table has not; everything else must be read.
BEYOND_THE_TABLE = (
    "basketball|calls someone|dance|gesture|slashes|washes|referee|traffic|playground|balance"
    "|strike|scoop|swordplay|wash|uneven terrain|picks something|ping-pong|hand shower"
).split("|")


def test_captions_of_real_motion(shared: Path) -> None:
    captions = set()
    for file in sorted((shared / "mocap").glob("*.csv")):
        with file.open(encoding="utf-8") as lines:
            captions |= {row[column] for row in csv.DictReader(lines) for column in ("caption", "human_caption")}
    refused = []
    for caption in captions - {""}:
        try:
            Scenario.parse(caption)
        except ScenarioParseError:
            refused.append(caption)
    assert [caption for caption in refused if not any(word in caption for word in BEYOND_THE_TABLE)] == []
    assert len(captions) - len(refused) >= 130


def test_scenarios_are_json_after_parsing() -> None:
    scenario = Scenario.parse("a person hops on the left foot three times")
    assert json.loads(scenario.to_json())["events"] == [{"action": "hop", "count": 3, "side": "left"}]
