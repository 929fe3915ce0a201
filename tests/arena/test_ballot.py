"""Ballots: what is served before a vote tells nothing of who made the motions or why a pair comes."""

import base64
import binascii
import json
import re
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from atom_hf.arena import Answer, BallotError, Clip, PairItem
from atom_hf.motion import Motion
from tests.arena.parts import motion, pair, pairs, rows, sign_in, token, vote

SYSTEMS = ("zebrafish-9000", "quagga-7331")
KINDS = ("gold", "repeat", "training", "normal")


def _hidden_texts(value: Any) -> set[bytes]:
    """Everything a reader could find in a JSON value: its text, and what base64, hex and zlib make of its strings."""
    found = {json.dumps(value).encode()}
    strings = set(re.findall(r'"([^"]*)"', json.dumps(value)))
    for string in strings:
        layers = [string.encode()]
        for _ in range(2):
            for data in list(layers):
                for decode in (
                    lambda data: base64.b64decode(data + b"=" * (-len(data) % 4), validate=True),
                    lambda data: base64.urlsafe_b64decode(data + b"=" * (-len(data) % 4)),
                    binascii.unhexlify,
                    zlib.decompress,
                ):
                    try:
                        layers.append(decode(data))
                    except (ValueError, binascii.Error, zlib.error):
                        pass
        found.update(layers)
    return found


def _says(texts: set[bytes], word: str) -> bool:
    forms = [word.encode(), word[::-1].encode(), word.upper().encode(), base64.b64encode(word.encode())[:8]]
    return any(form in text for text in texts for form in forms)


def test_the_search_finds_what_is_hidden():
    for hidden in (
        {"id": "zebrafish-9000"},
        {"id": base64.b64encode(b"x zebrafish-9000").decode()},
        {"id": base64.b64encode(zlib.compress(b"zebrafish-9000")).decode()},
    ):
        assert _says(_hidden_texts(hidden), SYSTEMS[0])


def test_no_system_in_any_byte_before_the_vote(make):
    known = [pair(f"gold {i}", systems=SYSTEMS, expected="one") for i in range(4)]
    lesson = [pair("lesson", systems=SYSTEMS, expected="two", training=True)]
    arena = make(
        [*pairs(14, systems=SYSTEMS), *known, *lesson], training=1, gold_every=3, repeat_every=4, repeat_gap=2
    )
    ann = sign_in(arena)
    served = 0
    ids = []
    while (ballot := arena.next_ballot(ann)) is not None:
        seen = {"ballot": ballot.to_dict(), "progress": arena.progress(ann)}
        texts = _hidden_texts(seen)
        for word in (*SYSTEMS, "system", "seed", "sample"):
            assert not _says(texts, word)
        without_prompt = json.dumps({**ballot.to_dict(), "prompt": ""})
        assert not any(kind in without_prompt for kind in KINDS)
        assert set(vars(ballot)) == {"id", "prompt", "task", "questions", "first", "second"}
        for shown in (ballot.first, ballot.second):
            assert shown.codes is None and shown.features is None and shown.text is None
        ids.append(ballot.id)
        told = vote(arena, ann, "first")
        assert not _says(_hidden_texts(told), SYSTEMS[0]) and not _says(_hidden_texts(told), SYSTEMS[1])
        served += 1
    kinds = dict(rows(arena, "SELECT kind, count(*) FROM votes GROUP BY kind"))
    assert set(kinds) == set(KINDS) and kinds["normal"] == 14  # all kinds were looked at
    assert len(set(ids)) == served == sum(kinds.values())


def test_ids_do_not_tell_the_pair_and_are_not_used_again(make):
    arena = make(3)
    sessions = [sign_in(arena, f"labeller {i}") for i in range(12)]
    ids = [arena.next_ballot(session).id for session in sessions]
    assert len(set(ids)) == 12 and all(re.fullmatch(r"[\w-]{24}", name) for name in ids)


def test_sides_are_a_fair_coin(make):
    arena = make(12)
    for i in range(20):
        session = sign_in(arena, f"labeller {i}")
        for _ in range(12):
            vote(arena, session)
    (first,) = rows(arena, "SELECT sum(one_first) FROM ballots")[0]
    assert 78 <= first <= 162  # of 240; outside by chance once in 10 million
    of_a_pair = rows(arena, "SELECT pair, count(DISTINCT one_first) FROM ballots GROUP BY pair")
    assert {count for _, count in of_a_pair} == {2}


def test_where_a_motion_was_is_not_shown(make):
    there = motion("a man").joints
    moved = there[..., [2, 1, 0]] * np.float32([1, 1, -1]) + np.float32([100, 0.3, -7])  # turned by 90°
    arena = make([PairItem("a man walks", Clip(Motion(there), "a"), Clip(Motion(moved), "b"))])
    ballot = arena.next_ballot(sign_in(arena))
    assert np.abs(ballot.first.joints - ballot.second.joints).max() <= 0.0011
    for shown in (ballot.first, ballot.second):
        assert np.allclose(shown.joints[0, 0, [0, 2]], 0, atol=1e-3) and abs(shown.joints[..., 1].min()) < 1e-3
        assert np.allclose(shown.joints * 1000, np.rint(shown.joints * 1000), atol=1e-3)


def test_the_same_ballot_until_it_is_voted_on(make):
    arena = make()
    ann = sign_in(arena)
    first = arena.next_ballot(ann)
    again = arena.next_ballot(ann)
    assert first.to_dict() == again.to_dict()
    assert rows(arena, "SELECT count(*) FROM ballots") == [(1,)]


def test_plain_data(make):
    arena = make([pair("a man waves", task="frequency")])
    ballot = arena.next_ballot(sign_in(arena))
    plain = json.loads(json.dumps(ballot.to_dict()))
    assert [question["name"] for question in plain["questions"]] == ["events", "count"]
    joints = np.array(plain["first"]["joints_mm"]) / 1000
    assert plain["first"]["fps"] == 20 and np.allclose(joints, ballot.first.joints, atol=1e-6)
    silent = make([pair("a man waves")], name="silent", questions=False)
    assert silent.next_ballot(sign_in(silent)).questions == ()


def test_a_ballot_for_a_pair_that_is_seen_already(make):
    one, two = pair("a person sees it"), pair("a person does not")
    arena = make([one])
    session = sign_in(arena)
    swapped = replace(one, one=one.two, two=one.one)
    for item in (swapped, one):
        ballot = arena.ballot_for(session, item)
        assert ballot.prompt == one.prompt and len(ballot.first) == len(item.one.motion)
        lengths = [np.ptp(each.joints[..., 1]) for each in (ballot.first, item.one.motion)]
        assert lengths[0] == pytest.approx(lengths[1], abs=1e-3)  # the side is the one that was seen
    arena.vote(session, ballot.id, Answer("first", "much better"), token())
    with pytest.raises(BallotError, match="You have voted on these two motions already"):
        arena.ballot_for(session, one)
    with pytest.raises(BallotError, match="no pair of this arena; add_pairs"):
        arena.ballot_for(session, two)
