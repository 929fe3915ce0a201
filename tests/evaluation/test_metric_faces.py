"""Metrics for `evaluate`: loaded offline from their folders, filled row by row, combined, and given nonsense."""

import ast
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("evaluate")

import evaluate

import atom_hf.evaluation
import atom_hf.evaluation.metrics as metrics
from atom_hf.evaluation import (
    batch_free_r_precision,
    cohen_kappa,
    frechet_distance,
    kernel_distance,
    krippendorff_alpha,
    matching_distance,
    multimodality,
    physical_plausibility,
    precision_recall,
    r_precision,
)
from atom_hf.evaluation.distances import frechet_statistics
from atom_hf.evaluation.diversity import diversity
from atom_hf.evaluation.metrics import metric_path
from atom_hf.evaluation.metrics.card import read_card
from atom_hf.evaluation.metrics.columns import TAKEN, MotionColumn
from atom_hf.evaluation.retrieval import batches
from atom_hf.events import Event, Scenario
from atom_hf.motion import Motion
from atom_hf.rewards import KinematicJudge, Verdict
from atom_hf.rewards.metric import GPT4VReward

FOLDER = Path(metrics.__file__).parent
NAMES = sorted(script.parent.name for script in FOLDER.glob("*/motion_*.py"))


@pytest.fixture
def load(tmp_path_factory):
    """Loads a metric that keeps its tables in a folder of its own: after an error, evaluate waits for an old lock."""
    return lambda name, **options: evaluate.load(
        metric_path(name), cache_dir=str(tmp_path_factory.mktemp("tables")), **options
    )


@pytest.fixture(scope="module")
def space() -> SimpleNamespace:
    """Embeddings of 64 motions in 4 dimensions, of their texts, of real motions, and of 5 samples for 6 texts."""
    rng = np.random.default_rng(0)
    generated = rng.normal(size=(64, 4))
    return SimpleNamespace(
        generated=generated,
        texts=generated + rng.normal(size=(64, 4)) * 0.3,
        real=rng.normal(size=(64, 4)) + 0.5,
        samples=rng.normal(size=(6, 5, 4)),
    )


class Length:
    """A judge that likes long motions, and a reward model that likes long codes."""

    name = "length-1"

    def score(self, *args):
        if len(args) == 2:  # prompts, codes
            return np.array([len(codes) for codes in args[1]], dtype=np.float32)
        return [Verdict(min(5.0, len(item.motion) / 10), raw={"length": len(item.motion) / 100}) for item in args[0]]


# What is there


def test_every_metric_has_its_folder_with_script_and_card():
    assert len(NAMES) == 11
    for name in NAMES:
        folder = Path(metric_path(name))
        assert sorted(path.name for path in folder.iterdir() if path.name != "__pycache__") == [
            "README.md", f"{name}.py"
        ]  # fmt: skip


def test_unknown_metric():
    with pytest.raises(
        ValueError, match=r"metric among motion_agreement, .*, got 'motion_fit'. Did you mean 'motion_fi"
    ):
        metric_path("motion_fit")
    with pytest.raises(ValueError, match=r"got '\.\.'"):
        metric_path("..")


@pytest.mark.parametrize("name", NAMES)
def test_loaded_metric_shows_its_card(name, load):
    metric = load(name)
    card = read_card(name)
    assert metric.name == name  # the prefix in combinations
    assert isinstance(metric, evaluate.Metric)
    assert metric.description == card.description and "How it misleads" in card.description
    assert re.search(
        "lower is better|higher is better|better only while|best close to", card.description, re.IGNORECASE
    )
    assert metric.citation.startswith("@") and metric.citation.endswith("}")
    assert metric.inputs_description in metric.compute.__doc__
    assert len(card.description) < 2000


def test_card_without_a_section(tmp_path, monkeypatch):
    (tmp_path / "motion_x").mkdir()
    (tmp_path / "motion_x" / "README.md").write_text("# X\n\n## Inputs\n\nthis\n", encoding="utf-8")
    monkeypatch.setattr(metrics, "_FOLDER", tmp_path)
    with pytest.raises(ValueError, match="Expected the sections How it misleads, Inputs, Output, Citation in"):
        read_card("motion_x")


@pytest.mark.parametrize("name", NAMES)
def test_example_of_the_card_runs_and_gives_what_it_says(name, load, space, walk, monkeypatch, tmp_path):
    """The code of each card as it stands; every number that comes back is named in its section Output."""
    monkeypatch.setattr(evaluate.config, "HF_METRICS_CACHE", tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", (FOLDER / name / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    enough = np.random.default_rng(1).normal(size=(300, 4))  # Diversity draws 300 pairs
    given = {
        "generated": enough if name == "motion_diversity" else space.generated,
        "texts": space.texts,
        "real": space.real,
        "samples": np.repeat(space.samples, 2, axis=1),
        "joints": [walk, walk[:30]],
        "prompts": ["a person walks forward", "a person walks"],
        "codes": [[1, 2, 3], [4, 5]],
        "KinematicJudge": KinematicJudge,
        "reward_model": Length(),
    }
    *lines, last = code.strip().split("\n")
    scope = {"evaluate": evaluate, "metric_path": metric_path, **given}
    exec("\n".join(lines), scope)
    found = eval(last, scope)
    json.dumps(found)  # `evaluate.save` writes it
    output = (FOLDER / name / "README.md").read_text(encoding="utf-8").partition("## Output")[2]
    for key in found:
        stem = re.sub("_(low|high)$", "", key)
        is_task = name == "motion_event_scores" and stem in ("integrity", "temporal", "frequency", "overall", "score")
        assert f"`{key}`" in output or f"`{stem}`" in output or is_task or key == "R@2", key


def test_page_of_the_numbers(load, space, monkeypatch, tmp_path):
    """README.md of the evaluation: its example runs, and the functions it names are there."""
    monkeypatch.setattr(evaluate.config, "HF_METRICS_CACHE", tmp_path)
    page = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    scope: dict[str, object] = {}
    *lines, last = code.strip().split("\n")
    exec("\n".join(lines), scope)
    assert set(eval(last, scope)) == set(eval(last.partition("# ")[2]))
    named = {name for pair in re.findall(r"\(`(\w+)`(?:, `(\w+)`)?\)", page) for name in pair if name}
    assert {"frechet_distance", "cohen_kappa", "fleiss_kappa", "compare_systems"} <= named
    assert [name for name in named if not hasattr(atom_hf.evaluation, name)] == []


# Numbers are those of the functions


def test_retrieval(load, space):
    metric = load("motion_retrieval")
    found = metric.compute(predictions=space.generated, texts=space.texts)
    assert [found[f"R@{k}"] for k in (1, 2, 3)] == pytest.approx(batch_free_r_precision(space.texts, space.generated))
    assert found["MM-Dist"] == pytest.approx(matching_distance(space.texts, space.generated))
    shuffled = metric.compute(predictions=space.generated, texts=space.texts, batch_size=20, top_k=1, seed=3)
    assert shuffled["R@1"] == pytest.approx(r_precision(space.texts, space.generated, 20, 1, 3)[0])
    order = batches(64, 20, 3)
    assert len(order) == 60  # the incomplete batch is dropped from both numbers
    assert shuffled["MM-Dist"] == pytest.approx(matching_distance(space.texts, space.generated, order))
    assert set(shuffled) == {"R@1", "MM-Dist"}


def test_distances_and_diversity(load, space):
    generated, real = space.generated, space.real
    fid = load("motion_fid").compute(predictions=generated, references=real)
    assert fid == {"FID": pytest.approx(frechet_distance(frechet_statistics(real), frechet_statistics(generated)))}
    kid = load("motion_kid").compute(predictions=generated, references=real, subsets=7, subset_size=9, seed=2)
    value, error = kernel_distance(real, generated, 7, 9, 2)
    assert kid == {"KID": pytest.approx(value), "KID_standard_error": pytest.approx(error)}
    shares = load("motion_precision_recall").compute(predictions=generated, references=real, neighbours=2)
    assert shares == precision_recall(real, generated, 2)._asdict()
    assert shares["precision"] != shares["recall"]  # so that their order counts
    found = load("motion_diversity").compute(predictions=generated, times=50, seed=4)
    assert found == {"Diversity": pytest.approx(diversity(generated, 50, 4))}
    samples = load("motion_multimodality").compute(samples=space.samples, pairs=4, seed=5)
    assert samples == {"MModality": pytest.approx(multimodality(space.samples, 4, 5))}


def test_torch_tensors_and_tables_in_memory(load, space):
    torch = pytest.importorskip("torch")
    found = load("motion_fid", keep_in_memory=True).compute(
        predictions=torch.tensor(space.generated), references=torch.tensor(space.real)
    )
    assert found == load("motion_fid").compute(predictions=space.generated, references=space.real)


def test_plausibility_of_joints_and_files(load, walk, tmp_path):
    metric = load("motion_plausibility")
    expected = physical_plausibility(walk.astype(np.float64), 30.0)
    broken = walk.copy()
    broken[3, 2] = np.nan
    found = metric.compute(predictions=[walk, broken, None, walk], fps=30.0)
    assert found["valid_share"] == 0.5 and found["clips"] == 2
    assert found["jerk"] == pytest.approx(expected.jerk)
    assert found["skating_ratio"] == pytest.approx(expected.skating_ratio)

    np.save(tmp_path / "walk.npy", walk)
    Motion(walk, fps=30.0).save(tmp_path / "walk.bvh")
    paths = [str(tmp_path / "walk.npy"), str(tmp_path / "walk.bvh")]
    from_files = metric.compute(predictions=paths, fps=30.0)
    assert metric.compute(predictions=["", paths[0]])["valid_share"] == 0.5
    assert from_files["clips"] == 2 and from_files["jerk"] == pytest.approx(expected.jerk, rel=0.05)
    assert from_files["floating"] == pytest.approx(expected.floating, rel=0.05)
    with pytest.raises(ValueError, match=r"gone\.npy"):
        load("motion_plausibility").compute(predictions=[str(tmp_path / "gone.npy")])
    with pytest.raises(ValueError, match=r"None of 2 motions is valid \(not finite, nothing\); nothing can be"):
        load("motion_plausibility").compute(predictions=[None, broken])


def test_event_scores_of_any_judge(load, walk):
    metric = load("motion_event_scores")
    broken = walk.copy()
    broken[0, 0] = np.inf
    prompts = ["a", "a", "b", "b", "b"]
    found = metric.compute(predictions=[walk, walk[:20], walk[:10], None, broken], prompts=prompts, judge=Length())
    assert found["length"] == pytest.approx(((0.4 + 0.2) / 2 + 0.1) / 2)  # each prompt counts once
    assert found["score"] == pytest.approx((3 + 1) / 2)
    assert found["length_low"] <= found["length"] <= found["length_high"]
    assert found["unscored_share"] == pytest.approx(2 / 5) and found["judge"] == "length-1"
    assert sum(found["causes"].values()) == 2 and found["causes"]["nothing was generated"] == 1
    assert any(cause.startswith("The motion is broken: ") for cause in found["causes"])


def test_event_scores_with_scenarios(load, walk):
    metric = load("motion_event_scores")
    walks = Scenario((Event("walk"),), task="temporal")
    jumps = Scenario((Event("jump", count=2),), task="frequency")
    options = {"prompts": ["does it", "does that"], "judge": KinematicJudge()}
    right = metric.compute(predictions=[walk, walk], scenarios=[walks.to_json(), walks], **options)
    wrong = metric.compute(predictions=[walk, walk], scenarios=[jumps, jumps], **options)
    assert right["integrity"] == 1.0 and wrong["integrity"] == 0.0
    own = metric.compute(predictions=[walk, walk], scenarios=[walks, jumps], own_task_only=True, **options)
    assert own["temporal"] == 1.0 and own["frequency"] == 0.0 and "integrity" not in own
    with pytest.raises(ValueError, match="Expected a scenario, or None, for each of 2 motions, got 1"):
        load("motion_event_scores").compute(predictions=[walk, walk], scenarios=[walks], **options)


def test_event_scores_need_a_judge_that_answers(load, walk):
    with pytest.raises(TypeError, match=r"Expected judge=…, such as KinematicJudge\(\), got NoneType"):
        load("motion_event_scores").compute(predictions=[walk], prompts=["a"])
    silent = SimpleNamespace(score=lambda items: [])
    with pytest.raises(ValueError, match="The judge gave 0 verdicts for 1 motions; expected one each"):
        load("motion_event_scores").compute(predictions=[walk], prompts=["a"], judge=silent)


def test_win_rate(load):
    metric = load("motion_win_rate")
    found = metric.compute(predictions=["unscored", "win", "win", "win", "loss", "tie", None])
    assert found["win_rate"] == 0.75 and found["ties_as_half"] == 0.7
    assert found["win_rate_low"] < 0.75 < found["win_rate_high"] and found["p"] == pytest.approx(0.625)
    assert [found[key] for key in ("wins", "ties", "losses", "unscored")] == [3, 1, 1, 2]
    undecided = metric.compute(predictions=["tie"])
    assert undecided["win_rate"] is None and undecided["win_rate_low"] is None
    with pytest.raises(ValueError, match="Expected outcomes 'win', 'tie', 'loss' or None, got 'won'"):
        load("motion_win_rate").compute(predictions=["won"])


def test_agreement_of_numbers_and_of_words(load):
    metric = load("motion_agreement")
    judge, person = [5, 4, 2, 2, 1, 3], [5, 5, 2, 1, 1, 2]
    found = metric.compute(predictions=judge, references=person, weights="quadratic", level="ordinal")
    assert found["kappa"] == pytest.approx(cohen_kappa(judge, person, weights="quadratic").value)
    pairs = list(zip(judge, person, strict=True))
    assert found["alpha"] == pytest.approx(krippendorff_alpha(pairs, level="ordinal").value)
    assert found["items"] == 6 and found["observed"] == 0.5 and found["cause"] is None
    words = metric.compute(predictions=["bad", "good", "good"], references=["bad", "good", "bad"])
    assert words["kappa"] == pytest.approx(0.4)  # 2/3 observed, 4/9 by chance
    assert metric.compute(predictions=[1, 2, 2, None], references=[1, 2, 1, 1])["items"] == 3
    with pytest.raises(ValueError, match=r"Expected ratings among \['good', 'fine'\], got 'bad'"):
        load("motion_agreement").compute(predictions=["bad"], references=["good"], categories=["good", "fine"])


def test_reward_model(load):
    metric = load("motion_reward_model")
    found = metric.compute(predictions=[[1, 2], [3], [4, 5, 6]], prompts=["a", "a", "b"], model=Length())
    assert found["rewards"] == [2.0, 1.0, 3.0] and found["reward"] == (1.5 + 3) / 2
    assert found["reward_low"] == 1.5 and found["reward_high"] == 3.0
    with pytest.raises(TypeError, match=r"Expected model=… with score\(prompts, codes\).*got NoneType"):
        load("motion_reward_model").compute(predictions=[[1]], prompts=["a"])
    short = SimpleNamespace(score=lambda prompts, codes: [1.0])
    with pytest.raises(ValueError, match="The model gave 1 rewards for 2 motions; expected one each"):
        load("motion_reward_model").compute(predictions=[[1], [2]], prompts=["a", "b"], model=short)


def test_reward_model_of_the_package(load):
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from atom_hf.assets import DEFAULT_MODEL
    from atom_hf.models import MotionGPTForPreference, MotionGPTForReward

    torch.manual_seed(0)
    model = MotionGPTForReward.from_policy(MotionGPTForPreference.from_pretrained(DEFAULT_MODEL))
    prompts, codes = ["a person walks", "a person jumps"], [[1, 2, 3], [4, 5]]
    found = load("motion_reward_model").compute(predictions=codes, prompts=prompts, model=model)
    assert found["rewards"] == pytest.approx(model.score(prompts, codes).tolist())


# How `evaluate` is used


def test_rows_and_batches_add_up(load, space, walk):
    metric = load("motion_fid")
    whole = metric.compute(predictions=space.generated, references=space.real)
    for start in range(0, 60, 20):
        part = slice(start, start + 20)
        metric.add_batch(predictions=space.generated[part], references=space.real[part])
    for i in range(60, 64):
        metric.add(prediction=space.generated[i], reference=space.real[i].tolist())
    assert metric.compute() == whole
    retrieval = load("motion_retrieval")
    retrieval.add_batch(predictions=space.generated[:40], texts=space.texts[:40])
    for i in range(40, 64):
        retrieval.add(prediction=space.generated[i], texts=space.texts[i])
    assert retrieval.compute() == retrieval.compute(predictions=space.generated, texts=space.texts)
    plausibility = load("motion_plausibility")
    plausibility.add(prediction=walk)
    plausibility.add_batch(predictions=[walk[:20]])
    assert plausibility.compute()["clips"] == 2


NAMES_OF_SPACE = ["motion_retrieval", "motion_fid", "motion_kid", "motion_precision_recall", "motion_diversity",
    "motion_multimodality"]  # fmt: skip


def test_combination_takes_everything_at_once(load, space):
    """Each metric takes its columns and options out of what all of them are given."""
    panel = evaluate.combine([load(name) for name in NAMES_OF_SPACE])
    columns = {"predictions": space.generated, "references": space.real, "texts": space.texts}
    at_once = panel.compute(**columns, samples=space.samples, times=40, pairs=4, seed=1)
    assert list(at_once) == ["R@1", "R@2", "R@3", "MM-Dist", "FID", "KID", "KID_standard_error", "precision", "recall",
        "Diversity", "MModality"]  # fmt: skip
    assert at_once["FID"] == load("motion_fid").compute(predictions=space.generated, references=space.real)["FID"]
    panel = evaluate.combine([load(name) for name in NAMES_OF_SPACE[:5]])
    for part in (slice(0, 30), slice(30, 64)):
        panel.add_batch(**{name: column[part] for name, column in columns.items()})
    in_parts = panel.compute(times=40, seed=1)
    assert in_parts == {name: value for name, value in at_once.items() if name != "MModality"}


def test_combination_of_what_looks_at_joints(load, walk):
    both = evaluate.combine([metric_path("motion_plausibility"), metric_path("motion_event_scores")])
    both.evaluation_modules = [load("motion_plausibility"), load("motion_event_scores")]  # with the test's cache
    found = both.compute(predictions=[walk, walk], prompts=["a", "b"], judge=Length(), fps=25.0)
    assert found["clips"] == 2 and found["length"] == 0.4


def test_metric_works_on_after_an_error(load, space):
    metric = load("motion_fid")
    bad = space.generated.copy()
    bad[5, 1] = np.nan
    with pytest.raises(ValueError, match=r"finite generated embeddings, but 1 of 64 clips .*: index 5"):
        metric.compute(predictions=bad, references=space.real)
    assert metric.compute(predictions=space.generated, references=space.real)["FID"] > 0


def test_result_is_saved(load, space, tmp_path):
    found = load("motion_fid").compute(predictions=space.generated, references=space.real)
    evaluate.save(tmp_path / "result.json", **found)
    assert json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["FID"] == found["FID"]


# Nonsense


def test_embeddings_that_do_not_fit(load, space):
    ragged = [row[: 3 + i % 2].tolist() for i, row in enumerate(space.generated)]
    with pytest.raises(ValueError, match="generated embeddings of one evaluator, all of one size, got sizes 3, 4"):
        load("motion_fid").compute(predictions=ragged, references=space.real)
    with pytest.raises(ValueError, match=r"of one evaluator, but their shapes are \[4\] and \[3\]"):
        load("motion_fid").compute(predictions=space.generated[:, :3], references=space.real)
    holes = [None if i == 7 else row for i, row in enumerate(space.generated.tolist())]
    with pytest.raises(ValueError, match="Expected generated embeddings for every row, but 1 lack them, first row 7"):
        load("motion_fid").compute(predictions=holes, references=space.real)
    with pytest.raises(ValueError, match="Mismatch in the number of predictions"):
        load("motion_fid").compute(predictions=space.generated[:5], references=space.real)
    uneven = [rows[: 4 + i % 2].tolist() for i, rows in enumerate(space.samples)]
    with pytest.raises(ValueError, match=r"embeddings of samples .* as many samples for each text, got sizes 4, 5"):
        load("motion_multimodality").compute(samples=uneven)
    with pytest.raises(ValueError, match=r"R-precision needs at least one batch of 32 clips, got 20"):
        load("motion_retrieval").compute(predictions=space.generated[:20], texts=space.texts[:20])


def test_motions_that_are_none(load, walk):
    uneven = walk.tolist()
    uneven[2] = uneven[2][:5]
    for wrong, message in (
        (walk, r"joints \[T, 22, 3\], but number 0 has shape \[22, 3\]. A single clip goes into a list"),
        ([None, 1.0], r"number 1 has shape \[\]"),
        ([walk, walk[:, :21]], r"number 1 has shape \[40, 21, 3\]"),
        ([uneven], "frames of number 0 differ in what they hold"),
        ([], "Expected predictions with at least one motion, got none"),
        ([walk, "walk.bvh"], "don't match the expected format"),
    ):
        with pytest.raises(ValueError, match=message):
            load("motion_plausibility").compute(predictions=wrong)


def test_hooks_that_are_overridden_exist(load, walk):
    for hook in ("_infer_feature_from_batch", "_infer_feature_from_example"):
        assert hook in vars(MotionColumn)
        parameters = list(inspect.signature(getattr(evaluate.EvaluationModule, hook)).parameters)
        assert parameters == list(inspect.signature(getattr(MotionColumn, hook)).parameters)
    metric = load("motion_plausibility")
    metric.add(prediction=None)  # of no form, which is no reason to fail
    metric.add_batch(predictions=[walk, None])
    assert metric.compute()["valid_share"] == pytest.approx(1 / 3)


def test_options_that_no_metric_has(load, space):
    with pytest.raises(TypeError, match=r"No metric takes neighbors; what there is: .*neighbours"):
        load("motion_precision_recall").compute(
            predictions=space.generated, references=space.real, neighbors=3
        )  # fmt: skip


def test_list_of_what_metrics_take_is_complete(load):
    taken = {"references", "predictions"}
    for metric in (*map(load, NAMES), GPT4VReward()):
        parameters = inspect.signature(metric._compute).parameters
        assert "others" in parameters
        taken |= set(parameters) - {"others"}
    assert taken == TAKEN


# What `evaluate` demands of scripts, and what others may expect of imports


@pytest.mark.parametrize("name", NAMES)
def test_scripts_can_be_read_by_evaluate(name):
    """Its parser reads imports line by line: one module a line, none of them relative, one metric class a script."""
    source = (FOLDER / name / f"{name}.py").read_text(encoding="utf-8")
    tree = ast.parse(source)
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Import) or len(node.names) == 1
        assert not isinstance(node, ast.ImportFrom) or node.level == 0
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    assert sum("evaluate.Metric" in map(ast.unparse, node.bases) for node in classes) == 1


def test_import_of_evaluation_loads_no_metric():
    code = (
        "import sys, atom_hf.evaluation, atom_hf.evaluation.metrics as m; m.metric_path('motion_fid');"
        "print(*[name for name in ('evaluate', 'datasets') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
