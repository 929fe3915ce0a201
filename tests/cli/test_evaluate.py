"""`atom-hf evaluate`, as a user types it."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from atom_hf.cli import main
from atom_hf.evaluation.comparison import grammar_cases, synthesised_system
from atom_hf.evaluation.report import clips
from tests.models.evaluator_parts import IDENTITY, tiny_evaluator
from tests.models.tiny_checkpoint import tiny_checkpoint

FEW = ["--prompts", 33, "--samples", 2, "--replications", 2]
SHORT = "max_frames=24,temperature="


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> Path:
    """A folder with a model, an evaluator, and motions of somebody else for the first 33 prompts of the grammar."""
    root = tmp_path_factory.mktemp("evaluate")
    tiny_checkpoint(root / "model")
    evaluator = tiny_evaluator(unit_length=True)
    evaluator.set_stats(IDENTITY)
    evaluator.save_pretrained(root / "evaluator")
    (root / "theirs").mkdir()
    lines = ["name,caption"]
    for clip in synthesised_system(grammar_cases(33)).clips:
        np.save(root / "theirs" / f"{clip.case.id}.npy", clip.motion.joints)
        lines.append(f'{clip.case.id},"{clip.prompt}"')
    (root / "theirs" / "captions.csv").write_text("\n".join(lines), encoding="utf-8")
    return root


@pytest.fixture
def no_pictures(monkeypatch):
    nothing = lambda groups, budget: clips.Reel(["" for _ in groups], "", "", [])  # noqa: E731
    monkeypatch.setattr("atom_hf.evaluation.report.page.viewers", nothing)


def evaluate(*words: object) -> int:
    return main(["evaluate", *map(str, words)])


def only_line(error: str) -> str:
    *_, line = error.strip().splitlines()
    assert line.startswith("atom-hf evaluate: ")
    return line


def test_two_temperatures_a_folder_and_real_motion(places, tmp_path, capsys, no_pictures):
    out = tmp_path / "report"
    model = places / "model"
    words = [f"base={model}@{SHORT}0.5", f"hot={model}@{SHORT}1.5", f"theirs={places / 'theirs'}", "real=synthesised"]
    assert evaluate(*words, "--evaluator", places / "evaluator", "--out", out, *FEW) == 0
    printed = capsys.readouterr().out
    for name in ("real (synthesised)", "base", "hot", "theirs"):
        assert f"\n{name} " in printed
    assert "of the evaluator evaluator, which is not that of published numbers" in printed
    assert "Not comparable with published numbers." in printed and "no full rank" not in printed
    record = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert [each["name"] for each in record["systems"]] == ["real (synthesised)", "base", "hot", "theirs"]
    assert [each["clips"] for each in record["systems"]] == [33, 66, 66, 33]
    assert set(record["systems"][1]["evaluator"]) == {
        "R@1", "R@2", "R@3", "MM-Dist", "MModality", "FID", "Diversity", "KID", "precision", "recall"
    }  # fmt: skip
    assert record["systems"][1]["made_with"]["temperature"] == 0.5 and record["made_with"]["judge"] == "kinematic-1"
    assert record["systems"][0]["made_with"]["kind"] == "synthesised"
    # what somebody else made is what real motion is, and beats a model with random weights
    assert record["systems"][3]["data_sha256"] != record["systems"][1]["data_sha256"]
    assert record["systems"][3]["events"] == record["systems"][0]["events"]
    pairs = {(each["system"], each["against"]): each for each in record["pairwise"]}
    assert pairs["theirs", "real (synthesised)"]["ties"] == 33 and pairs["theirs", "base"]["rate"] > 0.8
    for file in out.iterdir():  # where things lay is nobody's business
        assert str(places) not in file.read_text(encoding="utf-8")


def test_motions_side_by_side(places, tmp_path):
    model, out = places / "model", tmp_path / "r"
    words = [f"a={model}@max_frames=12", f"b={model}@max_frames=12,temperature=2", "real=none"]
    assert evaluate(*words, "--evaluator", "none", "--prompts", 3, "--samples", 1, "--out", out) == 0
    html = (out / "report.html").read_text(encoding="utf-8")
    assert html.count("<div data-atom-viewer>") == 3 and html.count('"events":[{"name"') == 6


def test_the_same_seed_gives_the_same_report(places, tmp_path, no_pictures):
    words = [f"{places / 'model'}@{SHORT}1", "--evaluator", places / "evaluator", *FEW]
    for name in "ab":
        assert evaluate(*words, "--seed", 3, "--out", tmp_path / name) == 0
    for file in ("metrics.json", "report.md", "tables.tex", "report.html"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    a = (tmp_path / "a" / "metrics.json").read_text()
    assert (
        json.loads(a)["systems"][0]["name"] == "real (synthesised)"
    )  # synthesised, since the prompts are the grammar's


def test_without_an_evaluator_and_real_motion(places, tmp_path, capsys, no_pictures):
    assert evaluate(places / "theirs", "real=none", "--evaluator", "none", "--out", tmp_path / "r") == 0
    printed = capsys.readouterr().out
    assert "Without an evaluator there are no R-precision" in printed and "FID ↓" not in printed
    (only,) = json.loads((tmp_path / "r" / "metrics.json").read_text())["systems"]
    assert only["name"] == "theirs" and only["evaluator"] == {} and only["events"]["overall"]["value"] > 0.9


def test_prompts_of_real_motion_and_of_a_file(places, tmp_path, no_pictures):
    base, words = f"base={places / 'model'}@{SHORT}1", ["--samples", 1, "--evaluator", "none"]
    assert evaluate(f"real={places / 'theirs'}", base, *words, "--out", tmp_path / "a") == 0
    record = json.loads((tmp_path / "a" / "metrics.json").read_text())
    assert record["made_with"]["prompts_from"] == "captions of the real motion"
    assert [each["prompts"] for each in record["systems"]] == [33, 33]
    (tmp_path / "prompts.txt").write_text("a person jumps <script>alert(1)</script>\nsomething else\n")
    assert evaluate(base, *words, "--prompts_file", tmp_path / "prompts.txt", "--out", tmp_path / "b") == 0
    record = json.loads((tmp_path / "b" / "metrics.json").read_text())
    assert [each["name"] for each in record["systems"]] == ["base"]  # nothing can be synthesised for such prompts
    assert record["systems"][0]["unscored"]["count"] == 2
    assert "<script>alert" not in (tmp_path / "b" / "report.html").read_text()


def test_regenerated_motions_move_every_metric(places, tmp_path, no_pictures):
    words = [f"{places / 'model'}@{SHORT}1.5", "--evaluator", places / "evaluator", *FEW, "--regenerate"]
    assert evaluate(*words, "--batch_free", "--out", tmp_path / "r") == 0
    record = json.loads((tmp_path / "r" / "metrics.json").read_text())
    first, second = record["systems"][1]["evaluator"]["FID"]["values"]
    assert first != second and record["made_with"]["protocol"]["batch_free"] is True


def test_a_report_is_not_mixed_up_with_something_else(places, tmp_path, capsys, no_pictures):
    words = [places / "theirs", "real=none", "--evaluator", "none", "--out", tmp_path]
    (tmp_path / "mine.txt").write_text("keep")
    assert evaluate(*words) == 1
    assert "is not empty; choose another folder, or pass --overwrite" in only_line(capsys.readouterr().err)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    assert evaluate(*words, "--overwrite") == 0 and (tmp_path / "mine.txt").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{theirs}", "x={theirs}", "x={model}"], "Two systems are named 'x'"),
        (["{theirs}@temperature=1"], "the option temperature is not for a folder of motions"),
        (["{model}@fps=30"], "the option fps is not for a model"),
        (["./nowhere"], "./nowhere: there is no such folder"),
        (
            ["{theirs}", "x=generatd/"],
            "generatd/: there is no such folder; expected a folder of motions, a checkpoint",
        ),
        (["my/name=default"], "my/name=default: there is no such folder; expected a folder of motions, a checkpoint"),
        (["my/name=default"], "In name=what, the name holds no '/'."),
        (["{theirs}/captions.csv"], "expected a folder of motions or a checkpoint folder, but it is a file"),
        (["{theirs}", "real={model}"], "expected a folder of real motion, synthesised or none"),
        (["{theirs}", "--samples", "0"], "Expected --samples of at least 1, got 0"),
        (["{theirs}", "--seed", "-1"], "Expected --seed of at least 0"),
        (["{theirs}", "--fps", "0"], "Expected --fps from 1 to 1000, got 0"),
        (["{theirs}", "--prompts", "5", "--prompts-file", "x.txt"], "both say what models are asked for"),
        (["{theirs}", "--regenerate"], "all systems are folders of motions; leave it out"),
        (["{model}", "--prompts-file", "{theirs}/gone.txt", "--evaluator", "none"], "there is no such file"),
        (["{theirs}", "--evaluator", "{theirs}"], "model.safetensors"),
        (
            ["{model}@max_frames=8", "--prompts", "12", "--samples", "1", "--evaluator", "{evaluator}"],
            "real (synthesised): an evaluator's measures need at least 32 clips (a text chooses from that many), got",
        ),
    ],
)
def test_what_is_refused(places, tmp_path, capsys, words, message):
    names = {name: places / name for name in ("theirs", "model", "evaluator")}
    assert evaluate(*(word.format(**names) for word in words), "--out", tmp_path / "r") == 1
    assert message in only_line(capsys.readouterr().err)
    assert not (tmp_path / "r").exists()


def test_the_package_has_an_evaluator_that_tells_motions_apart(places, tmp_path, no_pictures):
    shuffled = tmp_path / "shuffled"
    shuffled.mkdir()
    for i in range(33):
        (shuffled / f"{i:02d}.npy").write_bytes((places / "theirs" / f"{(i + 7) % 33:02d}.npy").read_bytes())
    (shuffled / "captions.csv").write_text((places / "theirs" / "captions.csv").read_text(encoding="utf-8"))
    assert (
        evaluate(f"right={places / 'theirs'}", f"wrong={shuffled}", "--replications", 1, "--out", tmp_path / "r") == 0
    )
    record = json.loads((tmp_path / "r" / "metrics.json").read_text())
    assert record["made_with"]["evaluator"]["name"] == "atom_hf/evaluator_tiny"
    right, wrong = (each["evaluator"] for each in record["systems"][1:])
    assert right["R@3"]["mean"] > 0.8 > 0.4 > wrong["R@3"]["mean"]
    assert right["FID"]["mean"] == pytest.approx(wrong["FID"]["mean"], abs=1e-6)  # the same motions, after all


@pytest.mark.parametrize("file", [True, False])
def test_captions_are_never_those_of_other_prompts(places, tmp_path, capsys, no_pictures, file):
    nocap = tmp_path / "nocap"
    nocap.mkdir()
    for i in range(4):
        (nocap / f"{i:03d}.npy").write_bytes((places / "theirs" / f"{i:02d}.npy").read_bytes())
    words = [f"x={nocap}", "real=none", "--evaluator", "none", "--out", tmp_path / "r"]
    if not file:  # the 200 prompts of the grammar are called 000 to 199, too
        assert evaluate(*words) == 1
        assert "4 of 4 motions have no caption: 000.npy, 001.npy" in only_line(capsys.readouterr().err)
        assert evaluate(*words, "--prompts", 150) == 1
        return
    (tmp_path / "prompts.txt").write_text("\n".join(f"a person jumps, number {i}" for i in range(101)))
    assert evaluate(*words, "--prompts-file", tmp_path / "prompts.txt") == 0
    assert "x: 4 captions taken by name from prompts.txt." in capsys.readouterr().out


@pytest.mark.parametrize("out", ["theirs", "theirs/report", "", "model"])
def test_a_report_never_lies_among_motions(places, tmp_path, capsys, out):
    before = sorted(places.rglob("*"))
    words = [places / "theirs", f"m={places / 'model'}", "--evaluator", "none", "--overwrite"]
    assert evaluate(*words, "--out", places / out) == 1
    assert "the report would be mixed up with the system" in only_line(capsys.readouterr().err)
    assert sorted(places.rglob("*")) == before


def test_without_systems_or_a_folder(capsys):
    for words in ([], ["x"]):
        with pytest.raises(SystemExit):
            evaluate(*words)
    assert "--out" in capsys.readouterr().err
