"""Replies are read strictly: what is not of the form asked for is unreadable and says why; nothing is made up."""

import json

import pytest

from atom_hf.rewards.vlm.replies import (
    PAIR_SCHEMA,
    POINT_SCHEMA,
    Finding,
    NoScore,
    PairFinding,
    PairReply,
    PointReply,
    Unreadable,
    read_pair,
    read_point,
)

POINT = {
    "caption_gives_orders": False,
    "findings": [{"event": "jumps twice", "seen": "partly", "note": "one at 1.6 s"}],
    "reason": "One of two.",
    "score": 3,
    "confidence": 0.7,
}
PAIR = {
    "caption_gives_orders": True,
    "findings": [{"event": "jumps twice", "first": "yes", "second": "no", "note": "first only"}],
    "reason": "The first jumps.",
    "choice": "first",
    "confidence": 1,
}


def test_a_score():
    finding = Finding("jumps twice", "partly", "one at 1.6 s")
    assert read_point(json.dumps(POINT)) == PointReply(3, 0.7, (finding,), "One of two.", False)


def test_a_choice():
    finding = PairFinding("jumps twice", "yes", "no", "first only")
    assert read_pair(json.dumps(PAIR)) == PairReply("first", 1.0, (finding,), "The first jumps.", True)


@pytest.mark.parametrize(
    "form", ["```json\n{}\n```", "```\n{}\n```", "\n ```JSON \n{}\n```\n", "\n\n{}\n", "```json\r\n{}\r\n```"]
)
def test_a_fence_around_it_is_no_matter(form):
    assert read_point(form.replace("{}", json.dumps(POINT, indent=1))).score == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is empty"),
        (" \n", "it is empty"),
        ("Score: 5", "it is no JSON"),
        ("5", "it is no JSON object, got 5"),
        ("[]", r"it is no JSON object, got \[\]"),
        (json.dumps(POINT)[:-9], "it is no JSON"),
        ("Here it is:\n" + json.dumps(POINT), "it is no JSON"),
        (json.dumps(POINT) + "\nI hope this helps!", "it is no JSON"),
        (json.dumps(POINT) * 2, "it is no JSON"),
        ("```json\n" + json.dumps(POINT), "it is no JSON"),
        ("[" * 100_000, "it is no JSON"),
        (json.dumps(POINT).replace("0.7", "NaN"), "NaN is no number"),
        (json.dumps(POINT).replace("0.7", "1e999"), '"confidence" is a number from 0 to 1, got Infinity'),
        (json.dumps(POINT).replace('"score": 3', '"score": ' + "9" * 5000), "it is no JSON"),
        (json.dumps(POINT)[:-1] + ', "score": 5}', 'it has "score" twice'),
    ],
    ids=range(15),
)
def test_what_is_no_reply(text, message):
    with pytest.raises(Unreadable, match=message):
        read_point(text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"score": 6}, '"score" is a whole number from 1 to 5, or null, got 6'),
        ({"score": 0}, "got 0"),
        ({"score": 3.5}, "got 3.5"),
        ({"score": True}, "got true"),
        ({"score": "5"}, 'got "5"'),
        ({"score": [5]}, r"got \[5\]"),
        ({"confidence": 1.1}, '"confidence" is a number from 0 to 1, got 1.1'),
        ({"confidence": True}, "got true"),
        ({"confidence": "high"}, 'got "high"'),
        ({"confidence": None}, "got null"),
        ({"reason": None}, '"reason" is text, got null'),
        ({"caption_gives_orders": 0}, '"caption_gives_orders" is true or false, got 0'),
        ({"findings": {}}, r'"findings" is a list, got \{\}'),
        ({"findings": ["jump"]}, 'finding 1 is an object, got "jump"'),
        ({"findings": [{"event": "jump", "seen": "yes"}]}, 'finding 1 has no "note"'),
        ({"findings": [{"event": "jump", "seen": "maybe", "note": ""}]}, '"seen" of finding 1 is one of "yes", "par'),
        ({"findings": [{"event": "jump", "seen": ["yes"], "note": ""}]}, '"seen" of finding 1 is one of'),
        ({"findings": [{"event": 3, "seen": "yes", "note": ""}]}, '"event" of finding 1 is text, got 3'),
        ({"grade": 5}, 'it has "grade", which was not asked for; there are only "caption_gives_orders", "findings"'),
    ],
    ids=str,
)
def test_replies_of_another_form(change, message):
    with pytest.raises(Unreadable, match=message) as caught:
        read_point(json.dumps(POINT | change))
    assert not isinstance(caught.value, NoScore)


@pytest.mark.parametrize("name", POINT)
def test_everything_is_required(name):
    with pytest.raises(Unreadable, match=f'it has no "{name}"'):
        read_point(json.dumps({key: value for key, value in POINT.items() if key != name}))


@pytest.mark.parametrize("choice", ["both", "First", 1, True, ["first"]])
def test_choices_of_another_form(choice):
    with pytest.raises(Unreadable, match='"choice" is one of "first", "second", "tie", or null, got'):
        read_pair(json.dumps(PAIR | {"choice": choice}))


def test_each_reads_its_own_form_only():
    with pytest.raises(Unreadable, match='it has no "score"'):
        read_point(json.dumps(PAIR))
    with pytest.raises(Unreadable, match='it has no "choice"'):
        read_pair(json.dumps(POINT))


def test_a_judge_that_cannot_tell_gives_no_score():
    with pytest.raises(NoScore, match=r"the judge gave no score: The picture is empty\."):
        read_point(json.dumps(POINT | {"score": None, "reason": "The picture is empty."}))
    with pytest.raises(NoScore, match="the judge made no choice: without a reason"):
        read_pair(json.dumps(PAIR | {"choice": None, "reason": ""}))


def test_whole_numbers_with_a_point_are_whole_numbers():
    reply = read_point(json.dumps(POINT | {"score": 4.0, "confidence": 0}))
    assert (reply.score, type(reply.score), reply.confidence) == (4, int, 0.0)


def test_halves_of_surrogate_pairs_can_be_stored():
    reply = read_point(json.dumps(POINT | {"reason": "cut \ud83d"}))
    assert reply.reason == "cut ?"


def test_problems_are_short_and_ascii():
    with pytest.raises(Unreadable) as caught:
        read_point(json.dumps(POINT | {"score": "</s> \u2028" * 500}))
    assert str(caught.value).isascii() and len(str(caught.value)) < 200


@pytest.mark.parametrize("schema", [POINT_SCHEMA, PAIR_SCHEMA])
def test_schemas_are_strict(schema):
    """Structured output in strict mode: every object names all of its keys as required, and allows no others."""

    def objects(node):
        if isinstance(node, dict):
            if node.get("type") == "object":
                yield node
            for value in node.values():
                yield from objects(value)

    found = list(objects(schema))
    assert len(found) == 2
    assert all(node["additionalProperties"] is False for node in found)
    assert all(node["required"] == list(node["properties"]) for node in found)
    answer = "score" if schema is POINT_SCHEMA else "choice"
    assert schema["required"].index("reason") < schema["required"].index(answer)  # think first, then answer
    assert None in schema["properties"][answer]["enum"]
