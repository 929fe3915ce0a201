"""Systems measured in the same way, and against each other."""

import dataclasses
import json

import numpy as np
import pytest

from atom_hf.evaluation import Protocol, evaluate_protocol
from atom_hf.evaluation.bootstrap import bootstrap_mean
from atom_hf.evaluation.comparison import (
    Case,
    LeftOut,
    System,
    SystemClip,
    compare,
    grammar_cases,
    overview,
    sampled_system,
    synthesised_system,
)
from atom_hf.evaluation.comparison.tables import validity_table
from atom_hf.evaluation.comparison.validity import validity
from atom_hf.evaluation.embeddings import Embeddings
from atom_hf.evaluation.proportion import wilson_interval
from atom_hf.motion import Motion
from atom_hf.rewards import KinematicJudge
from tests.evaluation.comparison.parts import AverageEmbedder, LengthJudge, system, walk_of

LENGTHS = [2.0 + i / 20 for i in range(33)]


@pytest.fixture(scope="module")
def three():
    real = system("real", [4.0] * 33)
    base, longer = system("base", LENGTHS), system("longer", [length + 0.5 for length in LENGTHS])
    return compare(
        [base, longer], real=real, judge=LengthJudge(), embedder=AverageEmbedder(), replications=3, progress=False
    )


def test_scores_tests_and_wins(three):
    real, base, _ = three.results
    assert [result.reference for result in three.results] == [True, False, False]
    np.testing.assert_allclose(base.events["overall"].value, np.mean([int(x * 20) for x in LENGTHS]) / 200, atol=1e-9)
    assert real.events["overall"][:3] == pytest.approx((0.4, 0.4, 0.4))
    first, second = three.tests
    assert (first.system, first.against, second.system, second.against) == ("real", "base", "longer", "base")
    assert second.paired.delta == pytest.approx(0.05) and second.paired.p < 0.001 and second.paired.prompts == 33
    pairs = {(pair.system, pair.against): pair.win_rate for pair in three.pairwise}
    assert set(pairs) == {("base", "real"), ("longer", "real"), ("longer", "base")}
    assert pairs["longer", "base"].wins == 33 and pairs["longer", "base"].rate == 1.0
    # clips of 2.5 to 4.1 s against 4 s: from 3.85 s on the scores differ by less than the margin
    assert (pairs["longer", "real"].wins, pairs["longer", "real"].ties, pairs["longer", "real"].losses) == (0, 6, 27)


def test_the_evaluator_is_asked_as_the_protocol_says(three):
    embedder = AverageEmbedder()
    sets = [result.system for result in three.results]
    found = [
        Embeddings(
            embedder.embed_motion([clip.motion for clip in each.firsts]),
            embedder.embed_text([clip.prompt for clip in each.firsts]),
        )
        for each in sets
    ]
    protocol = Protocol(replications=3, diversity_times=33, embedding="packed")
    expected = evaluate_protocol(found[0], {"base": found[1], "longer": found[2]}, protocol, evaluator=embedder)
    for result, row in zip(three.results, expected.rows, strict=True):
        assert result.metrics == row.metrics
    assert (
        three.results[0].metrics["FID"].mean == pytest.approx(0, abs=1e-9)
        and three.results[1].metrics["FID"].mean > 1e-6
    )
    assert three.results[0].kernel is None and three.results[1].kernel is not None
    assert three.made_with["protocol"]["diversity_times"] == 33


def test_numbers_are_labelled_and_never_comparable(three):
    assert not three.comparable
    assert "of the evaluator average, which is not that of published numbers" in three.notes[0]
    assert "never set them beside published ones" in three.notes[0]
    assert not any("no full rank" in note for note in three.notes)  # 33 motions in 12 dimensions
    record = json.loads(three.to_json())
    assert record["schema"] == "atom_hf/comparison/1" and record["comparable_with_published"] is False
    made = record["made_with"]
    assert made["evaluator"]["name"] == "average" and made["evaluator"]["fingerprint"] == "f" * 64
    assert made["evaluator"]["replication_seeds"] == [0, 1, 2] and made["judge"] == "length-1"
    assert made["prompts"]["count"] == 33 and len(made["prompts"]["sha256"]) == 64
    assert [len(each["data_sha256"]) for each in record["systems"]] == [64] * 3
    assert record["systems"][1]["evaluator"]["R@1"]["values"] == list(three.results[1].metrics["R@1"].values)
    assert record["tests"][1]["mean"] - record["tests"][1]["mean_against"] == pytest.approx(
        record["tests"][1]["delta"]
    )
    assert set(record["pairwise"][0]) >= {"wins", "ties", "losses", "unscored", "rate", "low", "high", "p"}
    assert "Not comparable with published numbers" in overview(three).markdown()


def test_the_original_evaluator_is_not_comparable_either(three):
    embedder = AverageEmbedder()
    embedder.name = "t2m"
    embedder.embed_motion = lambda motions: np.random.default_rng(0).normal(size=(len(motions), 512))
    embedder.embed_text = lambda texts: np.random.default_rng(1).normal(size=(len(texts), 512))
    found = compare(
        [three.results[1].system], real=three.results[0].system, embedder=embedder, replications=1, progress=False
    )
    assert not found.comparable and "t2m, but not by the protocol of published numbers" in found.notes[0]
    assert sum("no full rank" in note for note in found.notes) == 2  # of 33 motions in 512 dimensions, said once each


def test_several_samples_give_multimodality():
    real, base = system("real", [2.0] * 32), system("base", [2.0] * 96, samples=3)
    found = compare([base], real=real, judge=LengthJudge(), embedder=AverageEmbedder(), replications=2, progress=False)
    assert found.made_with["protocol"]["mm_samples"] == 3 and found.made_with["protocol"]["mm_texts"] == 32
    assert found.results[1].metrics["MModality"].mean > 0 and "MModality" not in found.results[0].metrics
    assert found.results[1].events["overall"].items == 96 and found.results[1].events["overall"].prompts == 32


class FakeModel:
    """Makes bodies that drift; none for "nothing"."""

    def generate_motion(self, prompts, num_return_sequences=1, seed=0, temperature=1.0):
        found = []
        for i, prompt in enumerate(prompts):
            for k in range(num_return_sequences):
                motion = walk_of(2 * temperature, 1000 * seed + 10 * i + k)
                codes = np.zeros(0 if prompt == "nothing" else 10, np.int64)
                found.append(dataclasses.replace(motion, codes=codes, text=prompt))
        return found


def test_models_are_sampled_and_made_anew():
    cases = [Case(f"{i:02d}", f"prompt {i}") for i in range(33)] + [Case("33", "nothing")]
    made = sampled_system("base", FakeModel(), cases, samples=2, seed=5, temperature=1.5, made_with={"what": "fake"})
    assert [(clip.case.id, clip.sample) for clip in made.clips[:3]] == [("00", 0), ("00", 1), ("01", 0)]
    assert len(made.clips[0].motion) == 60 and made.made_with["seed"] == 5
    assert [item.id for item in made.left_out] == ["33 sample 0", "33 sample 1"]
    real = system("real", [2.0] * 33)
    options = {"embedder": AverageEmbedder(), "replications": 3, "progress": False}
    fixed = compare([made], real=real, **options)
    anew = compare([made], real=real, regenerate=True, **options)
    assert len(set(fixed.results[1].metrics["FID"].values)) == 1
    assert len(set(anew.results[1].metrics["FID"].values)) == 3
    assert fixed.results[1].valid.share.value == pytest.approx(66 / 68)
    assert fixed.results[1].valid.causes == {"nothing": 2}


class FlakyModel(FakeModel):
    """Gives one frame, no code or a diverged body for some prompts, others with every seed."""

    def generate_motion(self, prompts, num_return_sequences=1, seed=0, temperature=1.0):
        found = super().generate_motion(prompts, num_return_sequences, seed, temperature)
        if seed == 0:
            found[4] = dataclasses.replace(found[4], codes=np.zeros(0, np.int64))
            found[5] = Motion(found[5].joints[:1])
        if seed == 1:
            found[6] = Motion(found[6].joints * np.float32(1e6))
        return found


def test_motions_made_anew_are_left_out_as_sampled_ones_are():
    cases = [Case(f"{i:02d}", f"prompt {i}") for i in range(36)]
    made = sampled_system("base", FlakyModel(), cases)
    causes = ["nothing", "too short"]
    assert [(item.id, item.cause, item.prompt) for item in made.left_out] == [
        (f"{i:02d} sample 0", cause, f"prompt {i}") for i, cause in zip((4, 5), causes, strict=True)
    ]
    options = {"embedder": AverageEmbedder(), "regenerate": True, "progress": False}
    found = compare([made], real=system("real", [2.0] * 36), replications=3, **options)
    assert found.made_with["regenerated_left_out"] == {"base": [2, 1, 0]}
    note = "base: of 34 motions made anew in each replication, 2, 1, 0 were none, and are in no measure."
    assert note in found.notes and found.made_with["protocol"]["diversity_times"] == 32
    few = sampled_system("few", FlakyModel(), cases[:33], seed=7)
    with pytest.raises(
        ValueError, match=r"few, made anew with seed 0: .* at least 32 clips, got 31 of 33; .*'04', noth"
    ):
        compare([few], real=system("real", [2.0] * 33), replications=1, **options)


def test_a_motion_that_cannot_be_embedded_is_named():
    class Picky(AverageEmbedder):
        def embed_motion(self, motions):
            if any(len(motion) == 100 for motion in motions):
                raise ValueError("Expected other frames.")
            return super().embed_motion(motions)

    real, base = system("real", [2.0] * 32), system("base", [2.0] * 7 + [5.0] + [2.0] * 24)
    options = {"embedder": Picky(), "replications": 1, "progress": False}
    with pytest.raises(ValueError, match=r"base: '007' cannot be embedded\. Expected other frames."):
        compare([base], real=real, **options)
    again = dataclasses.replace(real, name="again", generate=lambda seed: [clip.motion for clip in base.clips])
    with pytest.raises(ValueError, match="again, made anew with seed 3: '007' cannot be embedded"):
        compare([again], real=real, regenerate=True, seed=3, **options)
    short = dataclasses.replace(real, name="short", generate=lambda seed: [])
    with pytest.raises(ValueError, match="short, made anew with seed 0: expected 32 motions, one a case, got 0"):
        compare([short], real=real, regenerate=True, **options)


def several(good: int, bad: int, samples: int = 4) -> System:
    """So many prompts with valid motions only, and so many with one valid and the rest left out."""
    prompts = [f"p{i}" for i in range(good + bad)]
    made = system("several", [1.0] * (samples * len(prompts)), prompts, samples)
    kept = [clip for clip in made.clips if clip.sample == 0 or int(clip.prompt[1:]) < good]
    gone = [clip for clip in made.clips if clip not in kept]
    left_out = [LeftOut(f"{clip.case.id} sample {clip.sample}", "nothing", "-", clip.prompt) for clip in gone]
    return System("several", kept, left_out)


def test_the_valid_share_knows_which_outputs_answer_one_prompt():
    share = validity(several(15, 5)).share
    assert share.value == pytest.approx(65 / 80)
    assert share == bootstrap_mean([1.0] * 15 + [0.25] * 5)
    low, high = wilson_interval(65, 80)
    assert share.high - share.low > 1.6 * (high - low) / 1.25
    whole = validity(several(20, 0)).share  # nothing varies, and still 20 prompts are no proof
    assert whole == (1.0, *wilson_interval(20, 20)) and validity(several(20, 0, 1)).share == whole
    table = validity_table(compare([several(15, 5)], progress=False))
    assert "bootstrap over prompts" in table.notes[0]


def test_what_is_no_motion_counts_in_the_valid_share_only():
    left_out = [LeftOut("x", "cannot be read", "x.npy: broken"), LeftOut("y", "too short", "3 frames")]
    base = dataclasses.replace(system("base", [2.0, 3.0]), left_out=left_out)
    fast = walk_of(2).joints.copy()
    fast[10:, :, 0] += 5.0
    base = dataclasses.replace(base, clips=[*base.clips, SystemClip(Case("fast", "p"), Motion(fast))])
    found = compare([base], judge=LengthJudge(), progress=False)
    (result,) = found.results
    assert result.valid.outputs == 5 and result.valid.share.value == 0.4
    assert result.valid.causes == {"too fast": 1, "cannot be read": 1, "too short": 1}
    assert result.events["overall"].items == 3
    assert "base: 1 of 5 outputs are in no mean, cannot be read: x." in found.notes
    assert any("in 1 clip a joint is faster than 25 m/s: invalid, but in all means" in note for note in found.notes)
    (row,) = json.loads(found.to_json())["systems"]
    assert row["left_out"][0] == {"id": "x", "cause": "cannot be read", "reason": "x.npy: broken"}


def test_unscored_motions_are_counted_with_their_cause():
    base, other = (system(name, [2.0, 4.0, 3.0], ["a", "unknown b", "c"]) for name in ("base", "other"))
    found = compare([base, other], judge=LengthJudge(), progress=False)
    assert found.results[0].unscored == {"not understood": 1} and found.results[0].events["overall"].items == 2
    assert found.pairwise[0].win_rate.unscored == 1 and found.pairwise[0].win_rate.ties == 2
    assert "base: the judge left 1 of 3 motions unscored; mostly: not understood" in found.notes
    nothing = compare([system("base", [2.0], ["unknown"])], judge=LengthJudge(), progress=False)
    assert nothing.results[0].events == {} and nothing.tests == [] and nothing.results[0].unscored


def test_other_prompts_are_said_and_only_common_ones_paired():
    base, other = system("base", [2.0, 3.0], ["a", "b"]), system("other", [4.0, 3.0, 2.0], ["b", "c", "d"])
    found = compare([base, other, system("stranger", [2.0], ["z"])], judge=LengthJudge(), progress=False)
    assert any(note.startswith("other and base have 1 prompt in common, of 3 and 2") for note in found.notes)
    (test,) = found.tests
    assert (test.system, test.paired.prompts, test.paired.delta) == ("other", 1, pytest.approx(0.1))
    assert [(pair.system, pair.against) for pair in found.pairwise] == [("other", "base")]


def test_a_floor_somewhere_else_is_said():
    base = system("base", [2.0, 2.0])
    lifted = [clip._replace(motion=Motion(clip.motion.joints + np.float32([0, 0.9, 0]))) for clip in base.clips]
    found = compare([dataclasses.replace(base, clips=lifted)], progress=False)
    assert any("its floor seems to be at y = 0.8" in note or "y = 0.9" in note for note in found.notes)
    assert not any("floor seems" in note for note in compare([base], progress=False).notes)


def test_synthesised_motions_show_what_they_should():
    cases = grammar_cases(8)
    real = synthesised_system(cases)
    found = compare([real], judge=KinematicJudge(), progress=False)
    assert found.results[0].events["integrity"].value > 0.9
    with pytest.raises(ValueError, match=r"1 of 2 prompts are not in the words of the grammar.*'gibberish'"):
        synthesised_system([cases[0], Case("x", "gibberish")])


def test_missing_parts_are_said():
    base = system("base", [2.0] * 32)
    assert "Without an evaluator there are no R-precision" in compare([base], progress=False).notes[-1]
    without = compare([base], embedder=AverageEmbedder(), progress=False)
    assert without.protocol is None and "give real=…" in without.notes[-1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: compare([]), "at least one system to evaluate"),
        (lambda: compare([system("a", [2.0]), system("a", [2.0])]), "Two systems are named 'a'"),
        (
            lambda: compare([system("a", [2.0] * 31)], real=system("real", [2.0] * 32), embedder=AverageEmbedder()),
            "a: an evaluator's measures need at least 32 clips .*, got 31. .*--evaluator none",
        ),
        (lambda: System(" ", []), "Expected a name for each system"),
        (lambda: System("a", [], [LeftOut("x", "c", "r")]), "a: none of 1 outputs is a motion. The first fault: r"),
        (lambda: System("a", [SystemClip(Case("x", "p"), walk_of(1))] * 2), "a: sample 0 of 'x' is there twice"),
        (
            lambda: System("a", [SystemClip(Case("x", "p"), Motion(walk_of(1).joints * np.float32(1e4)))]),
            "a: 'x' has coordinates up to .* m, and nobody is further off than 1 km",
        ),
        (
            lambda: System("a", [SystemClip(Case("x", "p"), walk_of(1).resample(30))]),
            "a: expected motions at 20 fps, got 30; resample them first",
        ),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_judge_that_loses_a_verdict():
    class Lazy(LengthJudge):
        def score(self, items):
            return super().score(items)[1:]

    with pytest.raises(ValueError, match="gave 1 verdicts for 2 motions"):
        compare([system("a", [2.0, 2.0])], judge=Lazy(), progress=False)
