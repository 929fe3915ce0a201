"""Win rates: the numbers of `atom_hf.evaluation` from the votes."""

import pytest

from atom_hf.arena import ArenaError, Clip, PairItem
from atom_hf.evaluation.win_rate import win_rate
from tests.arena.parts import motion, pair, rows, sign_in, vote


def _vote_for(arena, session, choose):
    """Vote for a system in the next pair, or tie or skip."""
    ballot = arena.next_ballot(session)
    ((prompt, one_first, one, two),) = rows(
        arena,
        "SELECT prompts.prompt, one_first, a.system, b.system FROM ballots JOIN pairs ON pairs.id = pair "
        "JOIN prompts ON prompts.id = pairs.prompt_id JOIN motions AS a ON a.id = one JOIN motions AS b ON b.id = two "
        f"WHERE ballots.id = '{ballot.id}'",
    )
    said = choose(prompt, {one, two})
    if said == "tie":
        vote(arena, session, "tie")
    elif said == "skipped":
        vote(arena, session, "skipped", reason="both implausible")
    else:
        first = one if one_first else two
        vote(arena, session, "first" if said == first else "second")


def test_one_outcome_a_prompt(make):
    arena = make([pair(name, systems=("base", "aligned")) for name in "abcdefg"])
    said = {  # by prompt, one vote of each of three people
        "a": ("base", "base", "aligned"),  # loss of aligned
        "b": ("aligned", "aligned", "aligned"),  # win
        "c": ("aligned", "base", "tie"),  # tie
        "d": ("skipped", "skipped", "skipped"),  # unscored
        "e": ("tie", "tie", "aligned"),  # tie
        "f": ("aligned", "skipped", "skipped"),  # win
        "g": ("aligned", "base", "skipped"),  # tie
    }
    for k, name in enumerate(("ann", "bob", "eve")):
        session = sign_in(arena, name)
        for _ in said:
            _vote_for(arena, session, lambda prompt, _, k=k: said[prompt][k])
    found = arena.win_rates("aligned", "base")
    assert sorted(map(str, found.outcomes)) == ["None", "loss", "tie", "tie", "tie", "win", "win"]
    assert found.win_rate == win_rate(found.outcomes)
    assert (found.win_rate.wins, found.win_rate.losses, found.win_rate.ties, found.win_rate.unscored) == (2, 1, 3, 1)
    assert found.win_rate.interval == win_rate(["win", "win", "loss"]).interval
    votes = [vote for given in said.values() for vote in given]
    outcomes = [{"aligned": "win", "base": "loss", "skipped": None}.get(vote, vote) for vote in votes]
    assert found.votes == win_rate(outcomes)
    other = arena.win_rates("base", "aligned")
    assert (other.win_rate.wins, other.win_rate.losses) == (1, 2)
    assert found.position.first + found.position.second == 12 and found.position.ties == 3


def test_table_of_all_couples(make):
    three = {name: Clip(motion(name), name) for name in ("a", "b", "c")}
    items = [
        PairItem("a man waves", three["a"], three["b"]),
        PairItem("a man waves", three["c"], three["b"]),
        PairItem("a man waves", Clip(motion("d"), "a", 1), three["a"]),  # of one system: nobody wins
        pair("known", systems=("a", "b"), expected="one"),
    ]
    arena = make(items, gold_every=1)
    ann = sign_in(arena)
    while arena.next_ballot(ann) is not None:
        _vote_for(arena, ann, lambda _, systems: min(systems))
    table = [(row.a, row.b, row.votes, row.win_rate.wins, row.win_rate.losses) for row in arena.standings()]
    assert table == [("a", "b", 1, 1, 0), ("b", "c", 1, 1, 0)]
    with pytest.raises(ArenaError, match="Expected a system, one of a, b, c, got 'd'"):
        arena.win_rates("a", "d")
    with pytest.raises(ArenaError, match="Expected two systems, got 'a' twice"):
        arena.win_rates("a", "a")
    assert arena.win_rates("a", "c").win_rate.judged == 0


def test_votes_that_were_taken_back_do_not_count(make):
    arena = make([pair("a")])
    ann = sign_in(arena)
    _vote_for(arena, ann, lambda *_: "base")
    arena.undo(ann)
    assert arena.win_rates("base", "aligned").win_rate.judged == 0
    _vote_for(arena, ann, lambda *_: "aligned")
    assert arena.win_rates("base", "aligned").win_rate.losses == 1
