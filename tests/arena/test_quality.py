"""Quality of votes: gold questions, repeats, others, and agreement with the numbers of `atom_hf.evaluation`."""

import pytest

from atom_hf.arena.counted import CountedVote
from atom_hf.arena.quality import signed
from atom_hf.evaluation.agreement import cohen_kappa, krippendorff_alpha
from atom_hf.evaluation.proportion import wilson_interval
from tests.arena.parts import pair, pairs, rows, sign_in, vote


def _choose(arena, session, wanted, degree="better"):
    """Vote for motion one or two of the next pair, or tie, whatever the sides are; gives the pair."""
    ballot = arena.next_ballot(session)
    ((pair_, one_first, prompt),) = rows(
        arena,
        "SELECT pair, one_first, prompt FROM ballots JOIN pairs ON pairs.id = pair JOIN prompts "
        f"ON prompts.id = prompt_id WHERE ballots.id = '{ballot.id}'",
    )
    said = wanted(pair_, prompt) if callable(wanted) else wanted
    if said == "tie":
        vote(arena, session, "tie")
    elif said == "skipped":
        vote(arena, session, "skipped", reason="other")
    else:
        vote(arena, session, "first" if (said == "one") == bool(one_first) else "second", degree=degree)
    return pair_, said


def test_agreement_is_what_evaluation_computes(make):
    arena = make(12)
    table: dict[int, dict[str, str]] = {}
    for k, name in enumerate(("ann", "bob", "eve")):
        session = sign_in(arena, name)
        for _ in range(12 - 2 * k):  # not everybody sees everything
            pair_, said = _choose(
                arena, session, lambda pair_, _, k=k: ("one", "two", "tie", "skipped")[(pair_ * (k + 1)) % 4]
            )
            if said != "skipped":
                table.setdefault(pair_, {})[name] = said
    found = arena.agreement()
    assert (found.pairs, found.votes, found.labellers) == (12, 30, 3)
    ratings = [[given.get(name) for name in ("ann", "bob", "eve")] for given in table.values()]
    expected = krippendorff_alpha(ratings, draws=10)
    assert found.choice.value == pytest.approx(expected.value) and found.choice.raters == 3
    assert found.choice.low < found.choice.value < found.choice.high
    numbers = [[{"one": 3, "two": -3, "tie": 0}.get(said) for said in row] for row in ratings]
    assert found.degree.value == pytest.approx(krippendorff_alpha(numbers, level="ordinal", draws=10).value)
    kappas = {
        frozenset((a, b)): cohen_kappa(
            [g.get(a) for g in table.values()], [g.get(b) for g in table.values()], draws=10
        )
        for a, b in (("ann", "bob"), ("ann", "eve"), ("bob", "eve"))
    }
    assert sorted((k.items, k.value or 0) for _, _, k in found.couples) == sorted(
        (k.items, k.value or 0) for k in kappas.values()
    )


def test_gold_questions_are_counted(make):
    known = [pair(f"gold {i}", expected=("one", "two", "tie")[i % 3]) for i in range(6)]
    arena = make([*pairs(6), *known], gold_every=1)
    right = {f"gold {i}": ("one", "two", "tie")[i % 3] for i in range(6)}
    ann, bob = sign_in(arena), sign_in(arena, "bob")
    for session, wrong in ((ann, {"gold 0"}), (bob, {"gold 0", "gold 1", "gold 4"})):
        while arena.next_ballot(session) is not None:
            _choose(
                arena,
                session,
                lambda _, prompt, wrong=wrong: (
                    {"one": "two", "two": "one"}.get(right[prompt], "one")
                    if prompt in wrong
                    else right.get(prompt, "one")
                ),
                degree="slightly better",
            )
    good, bad = arena.quality(ann), arena.quality(bob)
    assert (good.gold.hits, good.gold.total, good.votes) == (5, 6, 12)
    assert (good.gold.low, good.gold.high) == wilson_interval(5, 6)
    assert good.flags == () and (bad.gold.hits, bad.gold.total) == (3, 6)
    assert bad.flags == ("3 of 6 gold questions right, expected 70%",)
    assert (good.others.hits, good.others.total) == (6, 6)  # checks are none of it
    everybody = arena.admin("open sesame").labellers()
    assert {quality.labeller: quality.flags for quality in everybody} == {good.labeller: (), bad.labeller: bad.flags}
    assert arena.standings()[0].votes == 12
    assert arena.standings(without_flagged=True)[0].votes == 6
    assert arena.win_rates("base", "aligned", without_flagged=True).votes.wins == 6


def test_an_unsure_answer_is_a_tie_where_a_tie_is_expected(make):
    arena = make([pair("gold", expected="tie")], gold_every=1)
    ann = sign_in(arena)
    arena._store._writer.execute("UPDATE labellers SET gold_due = 0")
    vote(arena, ann, "first", degree="negligibly better/unsure")
    assert arena.quality(ann).gold.rate == 1


def test_repeats_and_position(make):
    arena = make(24, repeat_every=2, repeat_gap=2, min_checks=4)
    ann, bob = sign_in(arena), sign_in(arena, "bob")
    while arena.next_ballot(ann) is not None:
        _choose(arena, ann, lambda pair_, _: ("one", "two")[pair_ % 2])
    while arena.next_ballot(bob) is not None:
        vote(arena, bob, "first")  # whatever it is
    good, bad = arena.quality(ann), arena.quality(bob)
    assert good.repeats.rate == 1 and good.repeats.total >= 4 and good.flags == ()
    assert bad.repeats.rate == 0 and bad.position.rate == 1 and bad.position.p < 0.001
    assert bad.flags == (
        f"0 of {bad.repeats.total} repeats as before, expected 60%",
        "the first motion chosen in 24 of 24 votes",
    )
    assert bad.position.inconsistent == bad.repeats.total


def test_time_skipping_and_a_lonely_labeller(make):
    arena = make(4)
    ann = sign_in(arena)
    for seconds in (2.0, 4.0, 9.0):
        vote(arena, ann, seconds=seconds)
    vote(arena, ann, "skipped", reason="both implausible")
    quality = arena.quality(ann)
    assert (quality.seconds, quality.skipped.hits, quality.skipped.total) == (4.0, 1, 4)
    assert quality.kappa is None and quality.others.rate is None and quality.gold.rate is None


def test_signed():
    base = CountedVote(1, 1, "p", "x", "normal", True, "one", "much better", None, "{}", "", 0, None, None, ("a", "b"))
    assert signed(base) == 4 and signed(base._replace(choice="two")) == -4
    assert signed(base._replace(degree="negligibly better/unsure")) == 1
    assert signed(base._replace(choice="tie", degree=None)) == 0
    assert base.first and not base._replace(one_first=False).first and base._replace(choice="tie").first is None
