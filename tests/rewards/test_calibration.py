"""Calibration: the truth is true, known judges get the figures they deserve, and what speaks against one is said."""

import json
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

from atom_hf.data.json_lines import write_lines
from atom_hf.evaluation import cohen_kappa
from atom_hf.events import Event, Scenario, synthesize
from atom_hf.motion import Motion
from atom_hf.rewards import JudgeItem, KinematicJudge, Verdict
from atom_hf.rewards.calibration import calibrate, calibrate_layouts, calibrate_votes
from atom_hf.rewards.calibration_items import (
    CalibrationItem,
    CalibrationPair,
    calibration_items,
    calibration_pairs,
    voted_pairs,
)
from atom_hf.rewards.calibration_orders import ORDERS, ordered, with_orders
from atom_hf.rewards.calibration_report import Calibration, Estimate, PairAgreement, TaskAgreement
from atom_hf.rewards.clustered import kappa_of, kendall, over_prompts, share_of, spearman_of
from atom_hf.rewards.vlm import Preference
from atom_hf.rewards.vlm.rules import fenced

TASKS = ("integrity", "temporal", "frequency", "overall")


@pytest.fixture(scope="module")
def made() -> list[CalibrationItem]:
    return calibration_items(48, seed=1)


@pytest.fixture(scope="module")
def items() -> list[CalibrationItem]:
    """Sixty prompts with motions of which nothing but the score matters."""
    motion = Motion(np.zeros((2, 22, 3), dtype=np.float32))
    rng = np.random.default_rng(3)
    made = []
    for i in range(60):
        task = TASKS[i % 3]
        for score in (5.0, *rng.choice([1.0, 2.0, 3.0, 4.0], 3, replace=False)):
            item = JudgeItem(motion, f"prompt {i}", Scenario((Event("jump"),), task))
            made.append(CalibrationItem(item, dict.fromkeys(TASKS, float(score)), task, f"p{i}"))
    return made


class Told:
    """A judge that says what it is told to say of the true score."""

    name = "told-1"

    def __init__(self, items, say):
        self.truth = {id(item.item): item.truth["overall"] for item in items}
        self.say, self.calls = say, 0

    def score(self, items):
        self.calls += 1
        said = [self.say(self.truth[id(item)]) for item in items]
        return [Verdict.unscored(s) if isinstance(s, str) else Verdict(s, judge=self.name) for s in said]


class Comparing(Told):
    """One that also compares; `choose` gets the true scores of both in the order in which they are shown."""

    def __init__(self, items, choose):
        super().__init__(items, lambda truth: truth)
        self.choose = choose

    def compare(self, pairs):
        found = []
        for first, second in pairs:
            a, b = self.truth[id(first)], self.truth[id(second)]
            orders = self.choose(a, b), {"first": "second", "second": "first"}.get(self.choose(b, a), "tie")
            found.append(Preference(orders[0] if orders[0] == orders[1] else "tie", orders=orders))
        return found


def test_motions_without_faults_are_perfect_and_the_others_are_not(made):
    assert len(made) == 48 and len({item.prompt_id for item in made}) == 12
    for item in made:
        assert set(item.truth) == set(TASKS)
        assert all(1 <= score <= 5 for score in item.truth.values())
        mean = np.mean([item.truth[task] for task in TASKS[:3]])
        assert item.truth["overall"] == pytest.approx(mean)
        if not item.faults:
            assert set(item.truth.values()) == {5.0}
    assert [len(item.faults) for item in made[:4]] == [0, 1, 2, 3]
    assert {item.task for item in made} == set(TASKS[:3])
    assert np.mean([item.truth["overall"] for item in made if item.faults]) < 4


def test_the_truth_of_one_fault_is_what_was_done():
    """A motion with one jump where two were asked for is worth half in frequency, and all in integrity."""
    shown, asked = Scenario((Event("jump"),), "frequency"), Scenario((Event("jump", 2),), "frequency")
    with pytest.MonkeyPatch.context() as patch:
        from atom_hf.events.grammar_prompts import Prompt

        module = import_module("atom_hf.rewards.calibration_items")
        patch.setattr(module, "_faulty", lambda scenario, faults, rng: (shown, ("one jump",)))
        item = module._item(Prompt("a man jumps twice", asked), "p", 1, None, np.random.default_rng(0))
    assert item.truth == {"integrity": 5.0, "temporal": 5.0, "frequency": 3.0, "overall": pytest.approx(13 / 3)}


def test_the_same_seed_makes_the_same_motions_and_noise_moves_joints_only(made):
    again, noisy = calibration_items(8, seed=1), calibration_items(8, seed=1, jitter=0.02)
    other = calibration_items(8, seed=2)
    for a, b, c in zip(made, again, noisy, strict=False):
        assert a.item.prompt == b.item.prompt == c.item.prompt and a.truth == b.truth == c.truth
        np.testing.assert_array_equal(a.item.motion.joints, b.item.motion.joints)
        moved = c.item.motion.joints - a.item.motion.joints
        assert np.sqrt((moved**2).mean()) == pytest.approx(0.02, rel=0.01)
    assert [item.item.prompt for item in other] != [item.item.prompt for item in again]


def test_items_that_cannot_be_made():
    with pytest.raises(ValueError, match="at least one item and a jitter from 0 to 1 metre, got 0 and"):
        calibration_items(0)
    with pytest.raises(ValueError, match=r"got 4 and -0\.1"):
        calibration_items(4, jitter=-0.1)


def test_pairs_have_a_better_one(items):
    pairs = calibration_pairs(items)
    truth = {id(item.item): item.truth["overall"] for item in items}
    assert len(pairs) == 60 * 6  # four different scores a prompt
    for pair in pairs:
        gap = truth[id(pair.first)] - truth[id(pair.second)]
        assert gap > 0 if pair.better == "first" else gap < 0
    assert 0.4 < np.mean([pair.better == "first" for pair in pairs]) < 0.6
    few = calibration_pairs(items, per_prompt=2)
    assert len(few) == 120 and few == calibration_pairs(items, per_prompt=2)


def test_pairs_whose_scores_hardly_differ_are_none(items):
    close = [replace(item, truth=dict.fromkeys(TASKS, 4 + item.truth["overall"] / 11)) for item in items]
    assert calibration_pairs(close) == []


def test_the_kinematic_judge_agrees(made):
    report = calibrate(KinematicJudge(), made, repeats=2, draws=200)
    assert report.judge == "kinematic-1"
    assert [task.task for task in report.tasks] == ["integrity", "temporal", "frequency", "all"]
    assert report.all.items == report.all.scored == 48
    assert report.all.kappa.value > 0.9 and report.all.spearman.value > 0.9 and report.all.kendall > 0.9
    assert report.all.pairs.agreement.value > 0.9 and not report.all.pairs.asked
    assert report.repeatability.same == 1 and report.repeatability.spread == 0
    assert report.position is None and report.unscored == {} and report.unscored_share == 0


def test_a_judge_with_a_task_is_held_against_that_task(made):
    report = calibrate(KinematicJudge("overall"), made, draws=50)
    assert [task.task for task in report.tasks] == ["overall"]
    assert report.all.error < 0.2


def test_a_perfect_judge(items):
    report = calibrate(Told(items, lambda truth: truth), items, draws=200)
    for task in report.tasks:
        assert task.kappa == task.spearman == task.pairs.agreement == Estimate(1.0, 1.0, 1.0)
        assert task.kendall == task.exact == 1 and task.error == task.bias == 0
    assert report.histogram["judge"] == report.histogram["truth"]
    assert sum(report.histogram["truth"]) == 240 and report.histogram["truth"][4] == 60
    assert report.trustworthy and report.warning is None


def test_a_judge_that_has_it_backwards(items):
    report = calibrate(Told(items, lambda truth: 6 - truth), items, draws=200)
    assert report.all.spearman.value == pytest.approx(-1) and report.all.kendall == pytest.approx(-1)
    assert report.all.pairs.agreement == Estimate(0.0, 0.0, 0.0) and report.all.pairs.kappa.value < -0.9
    assert not report.trustworthy
    assert report.warning.startswith("Judge told-1 is not to be relied on by what synthesised motions says: κ of int")
    assert "agreement on pairs of all 0%, at least 75% expected" in report.warning


def test_a_judge_that_always_says_the_same(items):
    report = calibrate(Told(items, lambda truth: 3.0), items, draws=200)
    assert report.all.spearman.value is None and report.all.kendall is None
    assert report.all.kappa.value == pytest.approx(0)
    assert report.all.pairs.agreement.value == 0.5 and report.all.pairs.ties == 1
    assert not report.trustworthy and "not defined" in report.to_markdown()


def test_a_judge_that_is_too_kind(items):
    report = calibrate(Told(items, lambda truth: min(5.0, truth + 1)), items, draws=50)
    assert 0.7 < report.all.bias < 0.8 and report.all.error == report.all.bias  # 5 stays 5
    assert report.all.exact == 0.25


def test_a_judge_by_dice_is_at_chance_with_an_honest_interval(items):
    rng = np.random.default_rng(0)
    report = calibrate(Told(items, lambda truth: float(rng.integers(1, 6))), items, draws=500)
    for estimate, chance in ((report.all.kappa, 0), (report.all.spearman, 0), (report.all.pairs.agreement, 0.5)):
        assert estimate.low < chance < estimate.high
    assert not report.trustworthy


def test_what_is_unscored_is_no_number(items):
    say = lambda truth: "the server refused: 'x'" if truth == 5 else "no reply" if truth == 4 else truth  # noqa: E731
    report = calibrate(Told(items, say), items, draws=50)
    there = sum(item.truth["overall"] < 4 for item in items)
    assert report.all.scored == there and report.all.items == 240
    assert report.unscored == {"the server refused": 60, "no reply": 240 - 60 - there}
    assert report.all.kappa.value == 1 and report.all.pairs.answered < report.all.pairs.pairs
    assert not report.trustworthy and f"{1 - there / 240:.0%} of the motions unscored" in report.warning
    assert "| the server refused | 60 |" in report.to_markdown()


def test_a_judge_that_scores_nothing(items):
    report = calibrate(Told(items, lambda truth: "no server"), items, draws=50)
    assert report.all.scored == 0 and report.all.kappa.value is None and report.all.pairs.agreement.value is None
    assert "only 0 answers on all, at least 30 expected" in report.warning
    assert json.loads(report.to_json())["trustworthy"] is False


def test_repeatability(items):
    judge = Told(items, lambda truth: truth)
    judge.say = lambda truth: min(5.0, truth + (judge.calls > 1 and truth == 2))
    report = calibrate(judge, items, repeats=3, draws=50)
    twos = sum(item.truth["overall"] == 2 for item in items)
    assert judge.calls == 3 and report.repeatability.runs == 3
    assert report.repeatability.same == pytest.approx(1 - twos / 240)
    assert report.repeatability.spread == pytest.approx(twos / 240) and report.repeatability.flickering == 0


def test_scores_that_come_and_go(items):
    judge = Told(items, lambda truth: truth)
    judge.say = lambda truth: "late" if judge.calls == 2 and truth == 5 else truth
    found = calibrate(judge, items, repeats=2, draws=50).repeatability
    assert found.flickering == 60 and found.same == 1


def test_comparing_and_position(items):
    """One that compares well is asked in both orders; one that always takes the first is found out."""
    good = calibrate(Comparing(items, lambda a, b: "first" if a > b else "second"), items, draws=50)
    assert good.all.pairs.asked and good.all.pairs.pairs == 120 and good.all.pairs.agreement.value == 1
    assert good.position.consistent == 1 and good.position.first_shown == 0
    biased = calibrate(Comparing(items, lambda a, b: "first"), items, draws=50)
    assert biased.position.pairs == 120 and biased.position.consistent == 0 and biased.position.first_shown == 1
    assert biased.all.pairs.ties == 1 and biased.all.pairs.agreement.value == 0.5
    assert biased.all.kappa.value == 1 and not biased.trustworthy  # its scores are right, its choices are none
    by_scores = calibrate(Comparing(items, lambda a, b: "first"), items, compare=False, draws=50)
    assert not by_scores.all.pairs.asked and by_scores.all.pairs.pairs == 360 and by_scores.trustworthy


def test_choices_that_are_missing(items):
    judge = Comparing(items, lambda a, b: "first")
    judge.compare = lambda pairs: [Preference(None, cause="refused: why not") for _ in pairs]
    report = calibrate(judge, items, draws=50)
    assert report.all.pairs.answered == 0 and report.unanswered == {"refused": 120}
    assert report.all.pairs.agreement == Estimate(None)


def test_by_layout(items):
    class Layout(str):
        name = property(lambda self: f"layout {self}")

    say = {"good": lambda truth: truth, "bad": lambda truth: 3.0}
    report = calibrate_layouts(
        lambda layout: Told(items, say[layout]), [Layout("bad"), Layout("good")], items, draws=50
    )
    assert [found.layout for found in report.by_layout] == ["layout bad", "layout good"]
    assert report.layout == "layout bad" and not report.trustworthy and report.by_layout[1].trustworthy
    assert "| layout good | 1.000 (1.000–1.000) |" in report.to_markdown()
    assert [found["layout"] for found in json.loads(report.to_json())["by_layout"]] == ["layout bad", "layout good"]
    with pytest.raises(ValueError, match="at least one layout"):
        calibrate_layouts(lambda layout: Told(items, say[layout]), [], items)


def test_orders_in_captions(items):
    """One of the five orders works on this judge."""

    class Believing:
        name = "believing"

        def score(self, items):
            return [Verdict(2.0 + ("SYSTEM" in item.prompt)) for item in items]

    plain = [replace(item, truth=dict.fromkeys(TASKS, 2.0)) for item in items[:40]]
    assert calibrate(Believing(), plain, draws=20).orders is None
    found = calibrate(Believing(), plain, draws=20, orders=10).orders
    assert (found.items, found.scored, found.higher, found.shift) == (10, 10, 0.2, 0.2)
    assert found.reported is None


def test_orders_that_are_obeyed_are_a_reason_for_a_warning(items):
    class Obedient:
        name = "obedient"

        def score(self, items):
            told = [any(order in item.prompt for order in ORDERS) for item in items]
            raw = {"caption_gives_orders": 1.0}
            return [Verdict(5.0, raw=raw) if obeys else Verdict(2.0) for obeys in told]

    report = calibrate(Obedient(), items, draws=20, orders=1000)
    bad = sum(item.truth["overall"] <= 3 for item in items)
    assert report.orders.items == report.orders.scored == bad
    assert report.orders.shift == 3 and report.orders.higher == report.orders.reported == 1
    assert "orders in captions raise its scores by 3.0 points" in report.warning
    assert f"{bad} motions that deserve 3 or less" in report.to_markdown()
    assert "It told of the order in 100% of them." in report.to_markdown()


def test_orders_are_added_to_captions_and_nothing_else(items):
    told = ordered(items[:10])
    for item, order, plain in zip(told, ORDERS * 2, items, strict=False):
        assert item.prompt == plain.item.prompt + order
        assert item.motion is plain.item.motion and item.scenario is plain.item.scenario
        assert json.loads(fenced(item.prompt).splitlines()[2]) == item.prompt
    assert with_orders(items[:1], 5) == []  # without a fault, an order to answer 5 is the truth


def test_few_answers_are_not_enough(items):
    report = calibrate(Told(items, lambda truth: truth), items[:8], draws=50)
    assert not report.trustworthy and "only 8 answers on all" in report.warning
    alone = [item for item in items if item.task == "temporal"][:8]
    assert "only 8 answers on temporal" in calibrate(Told(items, lambda truth: truth), alone, draws=50).warning


def test_what_is_refused(items):
    with pytest.raises(ValueError, match="Expected items and numbers of at least 1, got 0 items"):
        calibrate(KinematicJudge(), [])
    with pytest.raises(ValueError, match="repeats=0"):
        calibrate(KinematicJudge(), items, repeats=0)
    judge = Told(items, lambda truth: truth)
    judge.score = lambda items: []
    with pytest.raises(ValueError, match="gave 0 verdicts for 240 items"):
        calibrate(judge, items)


def write_votes(folder, votes):
    """Prompts with candidates 0, 1 and 2, whose only code is their number; votes are (prompt, choice, degree)."""
    names = dict.fromkeys(name for name, *_ in votes)
    write_lines(
        folder / "prompts/0.jsonl", [{"prompt_id": n, "prompt": "a man jumps", "task": "temporal"} for n in names]
    )
    rows = [{"prompt_id": n, "sample": s, "codes": [s]} for n in names for s in range(3)]
    write_lines(folder / "candidates/0.jsonl", rows)
    lines = [
        {"prompt_id": n, "first": a, "second": b, "choice": choice, "degree": degree, "voter": str(i)}
        for i, (n, a, b, choice, degree) in enumerate(votes)
    ]
    write_lines(folder / "votes/0.jsonl", lines)


def decode(rows):
    return [Motion(np.full((2, 22, 3), row[0], dtype=np.float32)) for row in rows]


def test_votes_become_pairs(tmp_path):
    better, unsure = "better", "negligibly better/unsure"
    votes = [
        ("a", 0, 1, "first", better),
        ("a", 1, 0, "second", better),  # the same, shown the other way round
        ("a", 0, 1, "second", better),
        ("b", 0, 1, "first", better),
        ("b", 0, 1, "second", better),
        ("c", 2, 1, "first", unsure),
        ("d", 2, 1, "skipped", None),
        ("e", 2, 1, "second", "much better"),
    ]
    write_votes(tmp_path, votes)
    pairs = voted_pairs(tmp_path, decode)
    assert [(pair.prompt_id, pair.better) for pair in pairs] == [
        ("a", "first"),
        ("b", "tie"),
        ("c", "tie"),
        ("e", "first"),
    ]
    last = pairs[-1]
    assert (last.first.motion.joints[0, 0, 0], last.second.motion.joints[0, 0, 0]) == (1, 2)
    assert last.task == "temporal" and last.first.prompt == "a man jumps"
    assert voted_pairs(tmp_path, lambda rows: [None if row[0] == 2 else decode([row])[0] for row in rows]) != pairs
    with pytest.raises(ValueError, match="decode gave 1 motions for 2 rows of codes"):
        voted_pairs(tmp_path, lambda rows: decode(rows)[:1])


def test_a_folder_without_votes(tmp_path):
    write_votes(tmp_path, [("d", 2, 1, "skipped", None)])
    with pytest.raises(ValueError, match=r"expected votes of people in votes/\*\.jsonl"):
        voted_pairs(tmp_path, decode)


def test_a_judge_against_votes(items):
    """Two of three votes follow the true score: a judge that knows it agrees on two thirds."""
    pairs = calibration_pairs(items, per_prompt=3)
    swap = {"first": "second", "second": "first"}
    wrong = set(np.random.default_rng(0).permutation(len(pairs))[: len(pairs) // 3].tolist())
    votes = [replace(pair, better=swap[pair.better]) if i in wrong else pair for i, pair in enumerate(pairs)]
    ties = [replace(pair, better="tie") for pair in pairs[:10]]
    report = calibrate_votes(Told(items, lambda truth: truth), votes + ties, draws=200, source="votes of Ann")
    assert report.all.pairs.agreement.value == pytest.approx(2 / 3)  # a tie of the voters is no part of it
    assert report.all.pairs.answered == 190 and report.all.items == 0 and report.unscored_share is None
    assert report.all.pairs.agreement.low < 2 / 3 < report.all.pairs.agreement.high
    assert "votes of Ann says: agreement on pairs of" in report.warning and "κ of" not in report.warning
    text = report.to_markdown()
    assert "## Scores" not in text and "## How often" not in text and "by scores" in text
    asked = calibrate_votes(Comparing(items, lambda a, b: "first" if a > b else "second"), votes, draws=50)
    assert asked.all.pairs.asked and asked.position.consistent == 1
    with pytest.raises(ValueError, match="Expected pairs that people voted on, got none"):
        calibrate_votes(KinematicJudge(), [])


def test_votes_and_the_kinematic_judge():
    good = Scenario((Event("jump", 2),), "frequency")
    jumps = [JudgeItem(Motion(synthesize(Scenario((Event("jump", n),)), seed=n).joints), "x", good) for n in (1, 2)]
    report = calibrate_votes(KinematicJudge(), [CalibrationPair(*jumps, "second", "frequency", "p")], draws=20)
    assert report.all.pairs.agreement == Estimate(1.0)  # one prompt has no interval


def test_json_and_markdown_escape_what_others_wrote():
    pairs = PairAgreement(False, 40, 40, Estimate(0.9, 0.8, 1.0), 0.0, Estimate(0.8))
    task = TaskAgreement("all", 40, 40, Estimate(0.9), 0.8, Estimate(0.9), 1.0, 0.0, 0.0, pairs)
    report = Calibration("a|b <i>\n# x", "s", (task,), unscored={"a|b\n<script>": 2})
    text = report.to_markdown()
    assert "<script>" not in text and "<i>" not in text and "\n# x" not in text and "a\\|b" in text
    data = json.loads(report.to_json())
    assert data["judge"] == "a|b <i>\n# x" and data["warning"] is None and data["tasks"][0]["pairs"]["pairs"] == 40


def test_weighted_kappa_is_cohens():
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 5, 80), rng.integers(0, 5, 80)
    b = np.where(rng.random(80) < 0.5, a, b)
    prompts = [str(i) for i in range(80)]
    for weights in ("quadratic", None):
        ours = over_prompts(kappa_of(a.tolist(), b.tolist(), 5, quadratic=weights is not None), prompts, 4000)
        known = cohen_kappa(a.tolist(), b.tolist(), weights=weights, categories=range(5))
        assert ours.value == pytest.approx(known.value)
        assert ours.low == pytest.approx(known.low, abs=0.02) and ours.high == pytest.approx(known.high, abs=0.02)


def test_rank_correlations_are_scipys():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(2)
    a = rng.integers(1, 6, 60).astype(float)
    b = a + rng.integers(-2, 3, 60)
    prompts = [str(i) for i in range(60)]
    assert over_prompts(spearman_of(a, b), prompts, 20).value == pytest.approx(stats.spearmanr(a, b)[0])
    assert kendall(a, b) == pytest.approx(stats.kendalltau(a, b)[0])


def test_a_draw_is_the_statistic_of_the_rows_drawn():
    a, b = np.array([1.0, 2, 2, 4, 5]), np.array([2.0, 1, 3, 3, 5])
    counts = np.array([[2.0, 0, 1, 3, 1]])
    rows = np.repeat(np.arange(5), counts[0].astype(int))
    ones = np.ones((1, len(rows)))
    for statistic, again in (
        (spearman_of(a, b), spearman_of(a[rows], b[rows])),
        (share_of(a, b > 1), share_of(a[rows], b[rows] > 1)),
        (
            kappa_of([0, 1, 1, 2, 2], [0, 1, 2, 2, 1], 3, quadratic=True),
            kappa_of(np.array([0, 1, 1, 2, 2])[rows], np.array([0, 1, 2, 2, 1])[rows], 3, quadratic=True),
        ),
    ):
        assert statistic(counts)[0] == pytest.approx(again(ones)[0])


def test_intervals_draw_whole_prompts():
    """Copies of a motion are no news: four equal rows a prompt have the interval of one."""
    rng = np.random.default_rng(4)
    values, names = rng.random(30), [f"p{i}" for i in range(30)]
    one = over_prompts(share_of(values, np.ones(30)), names, 500)
    four = over_prompts(share_of(np.repeat(values, 4), np.ones(120)), list(np.repeat(names, 4)), 500)
    assert (four.value, four.low, four.high) == pytest.approx((one.value, one.low, one.high))


def test_rows_that_do_not_belong_together():
    with pytest.raises(ValueError, match=r"two rows of finite numbers, \[n\], got shapes \[2\] and \[3\]"):
        kendall([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="two rows of finite numbers"):
        spearman_of([1.0, float("nan")], [1.0, 2.0])
    assert kendall([1, 1], [1, 2]) is None and kendall([1], [1]) is None
    assert over_prompts(share_of([], []), []) == Estimate(None)
