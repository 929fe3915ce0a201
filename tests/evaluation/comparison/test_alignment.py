"""What an alignment changed: metrics.json as its module documents it, lines for a terminal, and the page."""

import dataclasses
import json
import re
from typing import Any

import pytest

from atom_hf.evaluation.comparison import (
    LeftOut,
    alignment_metrics,
    alignment_summary,
    compare,
    verdict,
    write_alignment,
)
from atom_hf.evaluation.comparison.page import comparison_page
from atom_hf.evaluation.report import clips, line_chart, training_charts
from atom_hf.render.viewer import viewer_script
from tests.evaluation.comparison.parts import AverageEmbedder, LengthJudge, system

PROMPTS = ["an unknown word", *(f"prompt {i}" for i in range(32))]
LENGTHS = [2.0 + i / 40 for i in range(66)]  # two motions a prompt
CHANGE = {"base", "aligned", "delta"}


def pair(*, gains: list[float], judge: Any = None, embedder: Any = None) -> Any:
    """A base, and an aligned model whose motions are longer by so much."""
    count = 17 if embedder is None else 33  # prompts; an evaluator needs more
    shorter = LENGTHS[: 2 * count]
    longer = [length + gains[i % len(gains)] for i, length in enumerate(shorter)]
    sets = [system(name, lengths, PROMPTS, 2) for name, lengths in (("base", shorter), ("aligned", longer))]
    real = system("real", [4.0] * count, PROMPTS)
    options = {"judge": judge, "embedder": embedder, "replications": 5, "progress": False}
    return compare(sets, real=real, **options)


@pytest.fixture(scope="module")
def rise() -> Any:
    return pair(gains=[0.5], judge=LengthJudge(), embedder=AverageEmbedder())


@pytest.fixture(scope="module")
def metrics(rise: Any) -> dict[str, Any]:
    return alignment_metrics(
        rise, kl={"per_token": 0.25, "per_sequence": float("inf")}, seconds={"training": 2.5}, training={"beta": 1.0}
    )


@pytest.fixture
def viewers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Viewers that cost nothing."""
    monkeypatch.setattr(clips, "_block", lambda *_: "<div data-atom-viewer></div>")


def strictly(text: str) -> Any:
    """JSON without NaN and infinity, which many readers refuse."""
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


# metrics.json --------------------------------------------------------------------------------------------------------


def test_the_schema_is_as_documented(rise, metrics):
    assert list(metrics) == [
        "schema", "comparable_with_published", "notes", "events", "wins", "valid", "evaluator", "variety", "physics",
        "kl", "seconds", "training", "overall_by_prompt", "made_with",
    ]  # fmt: skip
    assert metrics["schema"] == "atom_hf/alignment/1" and metrics["comparable_with_published"] is False
    assert metrics["notes"] == list(rise.notes) and metrics["made_with"]["judge"] == "length-1"
    found = metrics["events"]["overall"]
    assert set(found) == CHANGE | {"interval", "p"} and list(metrics["events"]) == ["overall"]  # all that it judges
    low, high = found["interval"]
    assert low <= found["delta"] <= high and found["delta"] == pytest.approx(0.05) and found["p"] < 0.001
    assert found["aligned"] - found["base"] == pytest.approx(found["delta"])
    assert set(metrics["wins"]) == {"wins", "ties", "losses", "rate", "interval", "p"}
    assert (metrics["wins"]["wins"], metrics["wins"]["ties"], metrics["wins"]["losses"]) == (32, 0, 0)
    low, high = metrics["wins"]["interval"]
    assert 0 < low < metrics["wins"]["rate"] == 1.0 == high
    assert set(metrics["valid"]) == CHANGE
    assert set(metrics["evaluator"]) >= {"R@1", "R@2", "R@3", "FID", "MM-Dist", "Diversity", "MModality"}
    assert all(set(each) == CHANGE | {"base_interval", "aligned_interval"} for each in metrics["evaluator"].values())
    assert set(metrics["physics"]) >= {"skating_ratio", "jerk"}
    assert all(set(each) == CHANGE for each in metrics["physics"].values())
    assert metrics["kl"] == {"per_token": 0.25, "per_sequence": None}  # infinity is no JSON
    assert metrics["seconds"] == {"training": 2.5} and metrics["training"] == {"beta": 1.0}


def test_variety_is_a_share_of_the_base(metrics):
    for name in ("Diversity", "MModality"):
        found = metrics["evaluator"][name]
        assert found["base"] > 0 and metrics["variety"][name] == pytest.approx(found["aligned"] / found["base"])
    assert set(metrics["variety"]) == {"Diversity", "MModality"}


def test_scores_by_prompt_are_means_over_its_motions(metrics):
    by_prompt = metrics["overall_by_prompt"]
    assert by_prompt["prompts"] == PROMPTS
    assert by_prompt["base"][0] is None and by_prompt["aligned"][0] is None  # the judge does not know the word
    frames = [(int(LENGTHS[2 * i] * 20), int(LENGTHS[2 * i + 1] * 20)) for i in range(1, 33)]
    assert by_prompt["base"][1:] == pytest.approx([(a + b) / 400 for a, b in frames])
    known = by_prompt["base"][1:]
    assert metrics["events"]["overall"]["base"] == pytest.approx(sum(known) / len(known))


def test_it_is_written_as_strict_json(rise, metrics, tmp_path, viewers):
    files = write_alignment(rise, tmp_path / "new", metrics)
    assert [path.name for path in files] == ["metrics.json", "comparison.json", "report.md", "report.html"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(path.name for path in files)
    read = strictly(files[0].read_text(encoding="utf-8"))
    assert read["overall_by_prompt"]["base"][0] is None
    assert alignment_summary(read) == alignment_summary(metrics) and verdict(read) == verdict(metrics)
    assert strictly(files[1].read_text(encoding="utf-8"))["schema"] == "atom_hf/comparison/1"
    for note in rise.notes:
        assert note.split(":")[0] in files[2].read_text(encoding="utf-8")


def test_exactly_two_systems(rise):
    (alone,) = rise.results[1:2]
    only = dataclasses.replace(rise, results=[rise.results[0], alone], tests=[], pairwise=[])
    with pytest.raises(ValueError, match="Expected a base and an aligned system, got 1: base"):
        alignment_metrics(only)


def test_motions_that_are_none_are_counted():
    base, aligned = (system(name, [2.0, 3.0, 4.0]) for name in ("base", "aligned"))
    aligned = dataclasses.replace(aligned, left_out=[LeftOut("003 sample 0", "nothing", "no code", "prompt 3")])
    found = alignment_metrics(compare([base, aligned], judge=LengthJudge(), progress=False))
    assert found["valid"] == {"base": 1.0, "aligned": 0.75, "delta": -0.25}
    assert "valid 100.0 → 75.0 %" in alignment_summary(found)[-1]


# Lines and verdict ---------------------------------------------------------------------------------------------------


def test_a_rise(metrics):
    assert re.fullmatch(r"The mean event score rose from 0\.28\d to 0\.33\d \(p < 0\.001\)\.", verdict(metrics))
    first, second, last = alignment_summary(metrics)
    assert re.fullmatch(r"   overall  0\.28\d → 0\.33\d   \+0\.050 \[\+0\.0\d+, \+0\.0\d+\]   p < 0\.001", first)
    assert second == "prompts won 32, tied 0, lost 0"
    assert last.startswith("R@3 ") and "FID " in last and "Diversity " in last and "% of the base's" in last
    assert last.endswith("valid 100.0 → 100.0 % · KL 0.250 nats a token")


def test_a_fall():
    found = alignment_metrics(pair(gains=[-0.5], judge=LengthJudge()))
    assert "The mean event score FELL from 0.24" in verdict(found)
    first, second, _ = alignment_summary(found)
    assert "-0.050 [-0.0" in first and second == "prompts won 0, tied 0, lost 16"


def test_no_change():
    found = alignment_metrics(pair(gains=[0.5, 0.5, -0.5, -0.5], judge=LengthJudge()))
    assert found["events"]["overall"]["p"] > 0.05
    assert verdict(found).endswith("no more than chance could explain.")
    low, high = found["events"]["overall"]["interval"]
    assert low < 0 < high and "won 8, tied 0, lost 8" in alignment_summary(found)[1]


def test_the_same_model_twice():
    """Nothing is decided, so there is no rate, and its interval is null."""
    found = alignment_metrics(pair(gains=[0.0], judge=LengthJudge(), embedder=AverageEmbedder()))
    assert found["events"]["overall"]["p"] == 1.0 and found["events"]["overall"]["delta"] == 0
    assert (found["wins"]["ties"], found["wins"]["rate"], found["wins"]["interval"]) == (32, None, None)
    assert found["variety"] == {"Diversity": pytest.approx(1.0), "MModality": pytest.approx(1.0)}
    assert not any("won" in line for line in alignment_summary(found)) and "chance" in verdict(found)


def test_without_a_judge(tmp_path, viewers):
    found = pair(gains=[0.5], embedder=AverageEmbedder())
    metrics = alignment_metrics(found)
    assert metrics["events"] == {} and metrics["wins"] is None and metrics["kl"] is None and metrics["seconds"] == {}
    assert set(metrics["overall_by_prompt"]["base"]) == {None}
    assert verdict(metrics) == "No judge scored both models, so there is no verdict."
    (line,) = alignment_summary(metrics)
    assert "R@3" in line and "KL" not in line
    page = write_alignment(found, tmp_path / "r", metrics)[-1].read_text(encoding="utf-8")
    assert "there is no verdict" in page and "Without scores of a judge" in page


def test_without_an_evaluator():
    metrics = alignment_metrics(pair(gains=[0.5], judge=LengthJudge()))
    assert metrics["evaluator"] == metrics["variety"] == {}
    assert alignment_summary(metrics)[-1] == "valid 100.0 → 100.0 %"


def test_a_single_prompt_has_no_interval():
    sets = [system(name, [length]) for name, length in (("base", 2.0), ("aligned", 3.0))]
    found = alignment_metrics(compare(sets, judge=LengthJudge(), progress=False))
    assert found["events"]["overall"]["interval"] == [None, None]
    assert alignment_summary(found)[0] == "   overall  0.200 → 0.300   +0.100   p 1.000"
    assert "no more than chance could explain" in verdict(found)


# The page ------------------------------------------------------------------------------------------------------------

LOG = [{"step": step, "loss": 1 / step, "rewards/margins": step / 10} for step in (1, 2, 3)]


def test_the_page_opens_offline_and_holds_curves_and_clips(rise, metrics, tmp_path, viewers):
    path = write_alignment(rise, tmp_path / "r", metrics, charts=training_charts(LOG), title="DPO alignment")[-1]
    markup = path.read_text(encoding="utf-8").replace(viewer_script(), "")  # which has tests of its own
    assert set(re.findall(r"(?:https?:)?//[\w.]+[^\s\"'<]*", markup.replace("// ", ""))) == {
        "http://www.w3.org/2000/svg"
    }
    links = re.findall(r"\b(?:src|href|poster|action|srcset)=\"([^\"]*)\"", markup)
    assert links and all(link.startswith(("data:", "#part-")) for link in links)
    assert "DPO alignment: real, base, aligned" in markup and "Training: beta 1.0." in markup
    assert "The mean event score rose from" in markup and markup.count("<div data-atom-viewer>") > 3
    headings = re.findall(r"<h2[^>]*>([^<]+)", markup)
    assert headings.index("Wins and losses") < headings.index("Training") < headings.index("Evaluator")
    for words in ("aligned against base: largest gains", "Implicit rewards", ">Loss<"):
        assert words in markup


def test_the_page_of_a_plain_comparison_has_neither_lead_nor_curves(rise, viewers):
    plain = comparison_page(rise).html()
    more = comparison_page(rise, "Mine", lead="First of all.", training=[line_chart("Loss", {"a": ([1, 2], [3, 4])})])
    assert "Training" not in re.findall(r"<h2[^>]*>([^<]+)", plain) and "Evaluation: real, base, aligned" in plain
    html = more.html()
    assert html.index("Mine: real, base, aligned") < html.index("First of all.") < html.index("Overview</h2>")
    assert html.count("<svg") == plain.count("<svg") + 1


def test_a_folder_that_is_not_empty_is_left_alone(rise, metrics, tmp_path, viewers):
    (tmp_path / "checkpoint").mkdir()
    with pytest.raises(FileExistsError, match="is not empty"):
        write_alignment(rise, tmp_path, metrics)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]
    write_alignment(rise, tmp_path, metrics, overwrite=True)
    assert (tmp_path / "checkpoint").is_dir() and (tmp_path / "metrics.json").is_file()


def test_nothing_is_written_on_failure(rise, metrics, tmp_path, monkeypatch):
    def broken(*_: Any) -> None:
        raise RuntimeError("drawing broke")

    monkeypatch.setattr(clips, "_block", broken)
    with pytest.raises(RuntimeError, match="drawing broke"):
        write_alignment(rise, tmp_path / "r", metrics)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))
    with pytest.raises(ValueError, match="not JSON compliant"):  # NaN of a caller's own
        write_alignment(rise, tmp_path / "r", {**metrics, "kl": {"per_token": float("nan")}})
    assert not any(path.is_file() for path in tmp_path.rglob("*"))
