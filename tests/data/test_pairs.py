"""Pairs: which two motions make one, by hand; what is left out and why; what votes add up to."""

import numpy as np
import pytest

from atom_hf.data.annotation_records import Annotated, Candidate, Vote
from atom_hf.data.pairs import MAJORITY, PairReport, PairRule, majority, pairs_from_scores, pairs_from_votes


def prompt_with(*scores, votes=(), **of_candidates) -> Annotated:
    prompt = Annotated("p0", "a man jumps", "frequency")
    for sample, score in enumerate(scores):
        values = {"codes": (sample, 9), "score": score, "judge": "j", "rules_version": "r"}
        values |= {name: value[sample] for name, value in of_candidates.items()}
        prompt.candidates[sample] = Candidate(sample, **values)
    prompt.votes += votes
    return prompt


def made(prompt, rule=None, num_codes=512):
    report = PairReport()
    rows = pairs_from_scores(prompt, rule or PairRule(), report, num_codes)
    return [row["id"].removeprefix("p0/") for row in rows], report


def test_the_winner_is_good_and_clearly_better():
    ids, report = made(prompt_with(5.0, 3.0, 2.0, 4.75))
    # 5 beats 3 and 2; 4.75 beats both; 5 and 4.75 are too near, and 3 is no winner
    assert sorted(ids) == ["0-1", "0-2", "3-1", "3-2"]
    assert report.left_out == {"with a gap below 0.5": 1, "with a winner of at most 3": 1}
    assert (report.prompts, report.paired, report.pairs) == (1, 1, 4)
    assert report.degrees == {"much better": 3, "better": 1}


def test_each_motion_as_rarely_as_possible_then_the_largest_gap():
    ids, report = made(prompt_with(5.0, 3.5, 2.0, 1.0), PairRule(max_pairs=2))
    assert ids == ["0-3", "1-2"]
    assert report.left_out == {"with a winner of at most 3": 1, "above 2 a prompt": 3}


def test_what_is_left_out_is_counted():
    assert made(prompt_with(5.0, 5.0))[1].left_out == {"of equal scores": 1}
    assert made(prompt_with(5.0, 1.0, codes=[(1,), (1,)]))[1].left_out == {"of two motions that are the same": 1}
    two = "judged by two judges, or by two versions of the rules"
    assert made(prompt_with(5.0, 1.0, judge=["j", "k"]))[1].left_out == {two: 1}
    assert made(prompt_with(5.0, 1.0, rules_version=["1", "2"]))[1].left_out == {two: 1}
    ids, report = made(prompt_with(5.0, None, None, cause=[None, "no answer", None]))
    assert not ids and report.unscored == {"no answer": 1, "no verdict": 1} and not report.left_out


def test_a_gap_that_is_exactly_the_smallest_counts():
    assert made(prompt_with(3.6, 3.3), PairRule(min_gap=0.3))[0] == ["0-1"]  # 0.30000000000000027
    assert made(prompt_with(4.0, 3.7), PairRule(min_gap=0.3))[0] == ["0-1"]  # 0.2999999999999998


def test_rows_carry_what_is_known():
    prompt = prompt_with(5.0, 3.5)
    prompt.scenario = "{}"
    (row,) = pairs_from_scores(prompt, PairRule(), PairReport(), 16)
    assert row["degree"] == "better" and row["margin"] == 2.0 and row["scenario"] == "{}"
    assert (row["chosen_score"], row["rejected_score"], row["judge"], row["rules_version"]) == (5.0, 3.5, "j", "r")
    assert row["chosen"][0]["content"] == "<motion_id_16><motion_id_0><motion_id_9><motion_id_17>"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"min_gap": 0}, "min_gap is above 0 and at most 4, .*got 0"),
        ({"min_gap": float("nan")}, "min_gap is above 0"),
        ({"min_score": 5}, "min_score is from 0 to below 5, .*got 5"),
        ({"max_pairs": 0}, "max_pairs is at least 1, got 0"),
        ({"min_score": "3"}, "min_score is a number, got '3', a str"),
        ({"min_gap": None}, "min_gap is a number, got None"),
        ({"max_pairs": 2.5}, "max_pairs is an integer, got 2.5, a float"),
        ({"max_pairs": True}, "max_pairs is an integer, got True"),
    ],
)
def test_rules_that_are_none(values, text):
    with pytest.raises((ValueError, TypeError), match=text):
        PairRule(**values)


def test_rules_take_numbers_of_numpy():
    assert PairRule(np.float32(1), np.float64(2), np.int64(3)).max_pairs == 3


def votes(*given: str, voters: bool = True) -> list[Vote]:
    """`"1m"`: for sample 1, much better; `"-"`: skipped."""
    degrees = {"m": "much better", "b": "better", "s": "slightly better", "u": "negligibly better/unsure"}
    made = []
    for i, text in enumerate(given):
        voter = f"voter{i}" if voters else ""
        if text == "-":
            made.append(Vote(0, 1, "skipped", "skipped", voter))
        else:
            made.append(Vote(0, 1, "first" if text[0] == "0" else "second", degrees[text[1]], voter))
    return made


@pytest.mark.parametrize(
    ("given", "result"),
    [
        (["1b"], (1, 0, "better")),
        (["0m", "1b", "1s"], (1, 0, "slightly better")),  # the weaker of two
        (["1m", "1b", "1s", "0m"], (1, 0, "better")),  # the median of three
        (["0m", "1m"], (0, 1, "negligibly better/unsure")),  # a draw, for the one that was voted for first
        (["1m", "0m"], (1, 0, "negligibly better/unsure")),
        (["-", "1m", "0m"], (1, 0, "negligibly better/unsure")),
        (["-", "-", "1m"], (1, 0, "skipped")),
        (["-", "1m"], (1, 0, "much better")),  # as many skip as vote: there is a preference
        (["-"], (0, 1, "skipped")),
        (["0u"], (0, 1, "negligibly better/unsure")),
    ],
)
@pytest.mark.parametrize("voters", [True, False])
def test_majority(given, result, voters):
    assert majority(votes(*given, voters=voters)) == result


def test_the_last_vote_of_a_person_counts():
    assert majority([Vote(0, 1, "first", "better", "a"), Vote(1, 0, "first", "much better", "a")]) == (
        1,
        0,
        "much better",
    )


def test_of_a_draw_the_first_vote_that_counts_decides():
    changed = [
        Vote(0, 1, "first", "better", "a"),
        Vote(0, 1, "second", "better", "b"),
        Vote(0, 1, "first", "better", "a"),
    ]
    assert majority(changed) == (1, 0, "negligibly better/unsure")  # a's last vote came after b's


def test_a_person_whose_name_is_a_number_has_a_vote():
    named = [Vote(0, 1, "first", "better", "1"), Vote(0, 1, "second", "better"), Vote(0, 1, "first", "better", "0")]
    assert majority(named) == (0, 1, "better")


def test_a_choice_that_skips_is_no_choice():
    assert majority([Vote(0, 1, "first", "skipped")]) == (0, 1, "skipped")


def test_scores_of_judges_are_no_scores_of_people():
    prompt = prompt_with(5.0, 2.0, votes=votes("1m"))
    report = PairReport()
    (row,) = pairs_from_votes(prompt, report)
    assert (row["chosen_codes"], row["judge"]) == ([1, 9], "human")
    assert (row["chosen_score"], row["rejected_score"]) == (None, None) and report.verdicts == {MAJORITY}
    assert prompt.candidates[0].score == 5.0


@pytest.mark.parametrize(
    ("better", "worse", "degree"),
    [(4.1, 3.6, "slightly better"), (13 / 3, 10 / 3, "better"), (3.8, 1.8, "much better"), (4.1, 3.62, None)],
)
def test_degrees_where_floats_miss_the_limit(better, worse, degree):
    """In double precision, and as the scores are stored."""
    for kind in (float, np.float32):
        scores = [float(kind(score)) for score in (better, worse)]
        rows = pairs_from_scores(prompt_with(*scores), PairRule(), PairReport())
        assert [row["degree"] for row in rows] == ([degree] if degree else [])


def test_pairs_of_votes():
    couple = [Vote(2, 1, "second", "better", "a"), *votes("-"), Vote(1, 2, "first", "better", "b")]
    prompt = prompt_with(None, None, 4.0, votes=couple)
    report = PairReport()
    rows = pairs_from_votes(prompt, report)
    assert [row["id"] for row in rows] == ["p0/1-2/human", "p0/0-1/human"]
    assert [row["degree"] for row in rows] == ["better", "skipped"] and rows[0]["judge"] == "human"
    assert rows[0]["votes"] == [
        {"voter": "a", "choice": "chosen", "degree": "better"},
        {"voter": "b", "choice": "chosen", "degree": "better"},
    ]
    assert rows[1]["votes"] == [{"voter": "voter0", "choice": "skipped", "degree": "skipped"}]
    assert (report.pairs, report.paired) == (2, 1) and report.degrees == {"better": 1, "skipped": 1}


def test_ids_of_judged_and_voted_pairs_differ():
    prompt = prompt_with(5.0, 1.0, votes=votes("0m"))
    judged = pairs_from_scores(prompt, PairRule(), PairReport())
    assert judged[0]["id"] != pairs_from_votes(prompt, PairReport())[0]["id"]


def test_votes_on_one_motion_twice():
    report = PairReport()
    assert pairs_from_votes(prompt_with(None, None, codes=[(1,), (1,)], votes=votes("0m")), report) == []
    assert report.left_out == {"of two motions that are the same": 1}


def test_reports_add_up():
    first, second = made(prompt_with(5.0, 1.0))[1], made(prompt_with(5.0, 5.0, None))[1]
    first.add(second)
    assert first.verdicts == second.verdicts == set()
    assert first.to_dict() == {
        "prompts": 2,
        "paired": 1,
        "pairs": 1,
        "degrees": {"much better": 1},
        "left_out": {"of equal scores": 1},
        "unscored": {"no verdict": 1},
        "verdicts": [],
    }
    assert str(first).splitlines()[0] == "1 pairs of 1 of 2 prompts" and "left out: 1 of equal scores" in str(first)
