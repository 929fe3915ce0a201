"""The queue: few votes first, then disagreement; training, gold questions and swapped repeats where they belong."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest

from atom_hf.arena.queue import gap, priority
from tests.arena.parts import PLAIN, pair, pairs, rows, sign_in, vote

THREE = replace(PLAIN, votes_per_pair=3, most_votes=6)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((0, 0, 0, 0, 0), 0),
        ((1, 0, 0, 0, 1), 2),
        ((3, 0, 0, 0, 0), None),  # enough, and of one mind
        ((2, 0, 0, 0, 1), None),
        ((2, 1, 0, 0, 0), 3.5),  # enough, but they disagree
        ((1, 1, 1, 0, 0), 3),  # even more so
        ((2, 2, 0, 0, 0), 4),
        ((3, 1, 0, 0, 0), None),
        ((3, 2, 0, 0, 1), None),  # nobody asks for ever
        ((0, 0, 0, 3, 0), None),  # everybody skips it
    ],
)
def test_priority(counts, expected):
    assert priority(*counts, settings=THREE) == expected


def test_without_an_end():
    assert priority(40, 2, 0, 0, 1, settings=PLAIN) == 43


def test_few_votes_first_and_people_get_different_pairs(make):
    arena = make(12)
    sessions = [sign_in(arena, f"labeller {i}") for i in range(12)]
    assert len({arena.next_ballot(session).prompt for session in sessions}) == 12
    for session in sessions:
        vote(arena, session)
    for session in sessions:
        vote(arena, session)
    assert rows(arena, "SELECT DISTINCT one + two FROM tallies") == [(2,)]


def test_what_is_left_lying_comes_to_others(make, clock):
    arena = make(2, votes_per_pair=1, most_votes=1, lease=60)
    ann, bob, eve = (sign_in(arena, name) for name in ("ann", "bob", "eve"))
    ballot = arena.next_ballot(ann)
    arena.next_ballot(bob)
    assert arena.next_ballot(eve) is None
    clock.now += 61
    assert arena.next_ballot(bob) is not None  # it was shown again, so it counts again
    assert arena.next_ballot(eve).prompt == ballot.prompt
    vote(arena, ann)  # late, but it is a vote
    vote(arena, eve)
    assert rows(arena, "SELECT one + two, waiting FROM tallies ORDER BY 1 DESC") == [(2, 0), (0, 1)]


def test_disagreement_asks_for_more_votes(make):
    arena = make(2, votes_per_pair=2, most_votes=4)
    ((other,),) = rows(arena, "SELECT max(pair) FROM tallies")
    for name, choices in (("ann", "tie"), ("bob", "skipped")):
        session = sign_in(arena, name)
        for _ in range(2):
            (pair_,) = rows(arena, f"SELECT pair FROM ballots WHERE id = '{arena.next_ballot(session).id}'")[0]
            choice = choices if pair_ == other else "tie"
            vote(arena, session, choice, **({"reason": "other"} if choice == "skipped" else {}))
    for name in ("eve", "dan", "kim"):
        session = sign_in(arena, name)
        ballot = arena.next_ballot(session)
        if name == "kim":
            assert ballot is None
        else:
            assert rows(arena, f"SELECT pair FROM ballots WHERE id = '{ballot.id}'") == [(other,)]
            vote(arena, session, "tie" if name == "eve" else "skipped", reason=None if name == "eve" else "other")


def test_nobody_sees_a_pair_twice_but_for_swapped_repeats(make):
    arena = make(30, repeat_every=4, repeat_gap=5)
    ann = sign_in(arena)
    while arena.next_ballot(ann) is not None:
        vote(arena, ann)
    seen = rows(arena, "SELECT pair, presentation, one_first, number, kind FROM votes ORDER BY number")
    first = {pair_: (one_first, number) for pair_, presentation, one_first, number, _ in seen if not presentation}
    repeats = [row for row in seen if row[1]]
    assert len(first) == 30 and 4 <= len(repeats) <= 11
    assert len({row[0] for row in repeats}) == len(repeats)
    for pair_, _, one_first, number, kind in repeats:
        assert kind == "repeat" and one_first != first[pair_][0] and number - first[pair_][1] > 5
    assert rows(arena, "SELECT sum(one + two) FROM tallies") == [(30,)]  # repeats are no votes on the pair


def test_gold_questions_come_now_and_then(make):
    arena = make([*pairs(60), *(pair(f"gold {i}", expected="one") for i in range(9))], gold_every=10)
    places = Counter()
    for name in ("ann", "bob", "eve"):
        session = sign_in(arena, name)
        while arena.next_ballot(session) is not None:
            vote(arena, session)
    for name, number in rows(
        arena,
        "SELECT labeller, (SELECT count(*) FROM votes AS v WHERE v.labeller = votes.labeller "
        "AND v.number < votes.number) FROM votes WHERE kind = 'gold'",
    ):
        places[name, number] += 1
    each = Counter(name for name, _ in places)
    assert all(4 <= count <= 9 for count in each.values()) and len(each) == 3
    ordered = {name: sorted(number for who, number in places if who == name) for name in each}
    gaps = [b - a for numbers in ordered.values() for a, b in pairwise(numbers)]
    assert min(gaps) >= 7 and max(gaps) <= 14 and len(set(gaps)) > 1  # nobody can count them out


def test_training_comes_first_and_has_an_end(make):
    lessons = [pair(f"lesson {i}", expected="tie", training=True) for i in range(4)]
    arena = make([*pairs(3), *lessons], training=2)
    ann = sign_in(arena)
    prompts = []
    while (ballot := arena.next_ballot(ann)) is not None:
        prompts.append(ballot.prompt)
        vote(arena, ann)
    assert prompts[:2] == ["lesson 0", "lesson 1"] and sorted(p[:6] for p in prompts[2:]) == ["a pers"] * 3


def test_gap():
    assert {gap(10) for _ in range(400)} == set(range(7, 14)) and gap(0) == 0


def test_new_settings_change_whose_turn_it_is(make):
    arena = make(2, votes_per_pair=1, most_votes=1)
    ann, bob = sign_in(arena), sign_in(arena, "bob")
    vote(arena, ann)
    vote(arena, ann)
    assert arena.next_ballot(bob) is None
    arena.close()
    arena = make(0, votes_per_pair=2, most_votes=2)
    assert arena.next_ballot(bob) is not None
