"""What the alignment examples share: flags, pairs that are wanted, prompts, a monitor, and where a run goes on."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("trl")
pytest.importorskip("peft")

import torch
from alignment import (
    AlignConfig,
    held_out,
    load_evaluator,
    load_model,
    load_pairs,
    monitor,
    parse,
    prompt_rows,
    run,
    swapped,
    train,
)

from atom_hf import Scenario
from atom_hf.trainer.dpo_config import MotionDPOConfig

DOC = "Align a model, briefly.\n\n    accelerate launch examples/it.py\n"


def given(monkeypatch: pytest.MonkeyPatch, *words: object, **defaults: Any) -> Any:
    """Script and arguments of a command line."""
    monkeypatch.setattr(sys, "argv", ["it.py", *map(str, words)])
    return parse(AlignConfig, MotionDPOConfig, DOC, **{"report_to": "none", **defaults})


# Flags ---------------------------------------------------------------------------------------------------------------


def test_defaults_flags_and_yaml(on_cpu, monkeypatch, tmp_path):
    """A flag counts before the YAML, the YAML before the script's defaults, these before the trainer's."""
    config = tmp_path / "config.yaml"
    config.write_text("beta: 0.7\nsamples: 3\nlora_target_modules: [q]\nloss_type: [hinge]\n", encoding="utf-8")
    defaults = {"output_dir": str(tmp_path / "out"), "beta": 1.0, "max_steps": 150}
    script, args = given(monkeypatch, "--config", config, "--samples", 5, "--seed", 3, **defaults)
    assert (script.samples, script.test_prompts, script.shuffle_labels) == (5, 300, False)
    assert (args.beta, args.max_steps, args.loss_type, args.lora_target_modules) == (0.7, 150, ["hinge"], ["q"])
    assert args.output_dir == str(tmp_path / "out") and args.learning_rate == 1e-3
    assert not (tmp_path / "out").exists()
    first = torch.rand(1)
    given(monkeypatch, "--seed", 3, **defaults)
    assert torch.rand(1) == first  # adapters begin alike


def test_help_says_what_the_script_does(monkeypatch, capsys):
    with pytest.raises(SystemExit) as stop:
        given(monkeypatch, "--help")
    text = capsys.readouterr().out
    assert stop.value.code == 0 and "Align a model, briefly." in text and "--shuffle_labels" in text


def test_wrong_flags(monkeypatch, tmp_path, capsys):
    out = {"output_dir": str(tmp_path / "out")}
    with pytest.raises(ValueError, match="--tset_prompts"):
        given(monkeypatch, "--tset_prompts", 32, **out)
    with pytest.raises(SystemExit):
        given(monkeypatch, "--samples", "many", **out)
    assert "invalid int value: 'many'" in capsys.readouterr().err
    (tmp_path / "wrong.yaml").write_text("betta: 0.7\n", encoding="utf-8")
    with pytest.raises(ValueError, match="betta"):
        given(monkeypatch, "--config", tmp_path / "wrong.yaml", **out)


def test_an_output_folder_that_holds_something_is_refused(on_cpu, monkeypatch, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    given(monkeypatch, "--output_dir", out)  # empty
    (out / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"is there already\. .* go on with its last checkpoint: --resume_from"):
        given(monkeypatch, "--output_dir", out)
    _, args = given(monkeypatch, "--output_dir", out, "--resume_from_checkpoint", "last")
    assert args.resume_from_checkpoint == "last" and [path.name for path in out.iterdir()] == ["notes.txt"]
    for where in (out / "notes.txt", out / "notes.txt" / "run"):
        with pytest.raises(NotADirectoryError, match=r"notes.txt is no folder"):
            given(monkeypatch, "--output_dir", where)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"samples": 0}, "Expected --samples of at least 1, got 0"),
        ({"test_prompts": -1}, "Expected --test_prompts of at least 0, got -1"),
        ({"monitor_prompts": -1}, "Expected --monitor_prompts of at least 0"),
        ({"monitor_steps": 0}, "Expected --monitor_steps of at least 1"),
        ({"test_prompts": 31}, "needs at least 32 held-out prompts, .* got 31. Give more, .* --evaluator none"),
        ({"test_prompts_file": "absent.txt"}, "absent.txt"),
    ],
)
def test_what_would_stop_the_evaluation_is_said_before_the_training(values, message):
    with pytest.raises((ValueError, OSError), match=message):
        AlignConfig(**values)


def test_held_out_prompts(tmp_path):
    assert held_out(AlignConfig(test_prompts=0)) == []
    cases = held_out(AlignConfig(test_prompts=8, evaluator="none"))
    assert len(cases) == 8 and all(case.scenario is not None for case in cases)
    assert held_out(AlignConfig(test_prompts=8, evaluator="none", test_seed=6)) != cases
    file = tmp_path / "mine.txt"
    file.write_text("a person jumps twice\nsomeone dreams of electric sheep\n", encoding="utf-8")
    mine = held_out(AlignConfig(test_prompts_file=str(file)))  # without all scenarios the evaluator is not asked
    assert [case.prompt for case in mine] == ["a person jumps twice", "someone dreams of electric sheep"]
    assert [case.scenario is None for case in mine] == [False, True]


def test_run_says_in_a_line_what_users_can_mend(monkeypatch):
    def fails() -> None:
        raise ValueError("Expected more.")

    def bug() -> None:
        raise KeyError("bug")

    monkeypatch.setattr(sys, "argv", ["examples/dpo.py"])
    with pytest.raises(SystemExit) as stop:
        run(fails)
    assert stop.value.code == "dpo: Expected more."
    with pytest.raises(KeyError, match="bug"):
        run(bug)


# Pairs ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pairs() -> Any:
    return load_pairs(AlignConfig())


def test_pairs_that_somebody_preferred_one_of(pairs):
    assert set(pairs) == {"train", "test"} and len(pairs["train"]) > 2000
    for split in pairs.values():
        assert {"prompt", "chosen", "rejected", "degree", "chosen_score"} <= set(split.column_names)
        assert "skipped" not in split.unique("degree")


def test_pairs_are_chosen_by_score_and_gap(pairs):
    kept = load_pairs(AlignConfig(min_score=4.0, min_gap=1.0))
    winners, losers = kept["train"]["chosen_score"], kept["train"]["rejected_score"]
    assert min(winners) > 4 and min(a - b for a, b in zip(winners, losers, strict=True)) >= 1 - 1e-5
    rows = zip(pairs["train"]["chosen_score"], pairs["train"]["rejected_score"], strict=True)
    assert len(kept["train"]) == sum(a > 4 and a - b >= 1 - 1e-6 for a, b in rows) > 100
    assert len(kept["test"]) == len(pairs["test"])  # what is tested stays the same
    with pytest.raises(ValueError, match="No pair is left; lower --min_score or --min_gap"):
        load_pairs(AlignConfig(min_score=5.0))


def test_shuffled_labels_turn_whole_pairs(pairs):
    kept, turned = pairs["train"], load_pairs(AlignConfig(shuffle_labels=True))
    sides = [name.removeprefix("chosen") for name in kept.column_names if name.startswith("chosen")]
    assert {"", "_codes", "_score"} <= set(sides) and turned["train"].column_names == kept.column_names
    others = [name for name in kept.column_names if not name.startswith(("chosen", "rejected"))]
    count = 0
    for before, after in zip(kept.select(range(300)), turned["train"].select(range(300)), strict=True):
        assert all(before[name] == after[name] for name in others)
        flipped = before["chosen_codes"] != after["chosen_codes"]
        count += flipped
        for side in sides:
            there = ("rejected", "chosen") if flipped else ("chosen", "rejected")
            assert (after[f"chosen{side}"], after[f"rejected{side}"]) == tuple(
                before[f"{name}{side}"] for name in there
            )
    assert 110 < count < 190  # of 300, by chance
    again = load_pairs(AlignConfig(shuffle_labels=True))["train"]
    assert again["chosen_codes"][:300] == turned["train"]["chosen_codes"][:300]  # the same in every process and run
    assert turned["test"]["chosen_codes"][:20] == pairs["test"]["chosen_codes"][:20]


def test_swapped():
    row = {"prompt": "p", "chosen": 1, "rejected": 2, "chosen_score": 4.0, "rejected_score": 2.0, "margin": 2.0}
    other = swapped(row)
    assert other == {**row, "chosen": 2, "rejected": 1, "chosen_score": 2.0, "rejected_score": 4.0}
    assert swapped(other) == row and list(other) == list(row)


# Prompts, evaluator, monitor -----------------------------------------------------------------------------------------


def test_prompts_for_online_training():
    rows = prompt_rows(6)
    assert rows.column_names == ["prompt", "scenario"] and len(rows) == 6
    (message,) = rows[0]["prompt"]
    assert message["role"] == "user" and Scenario.from_json(rows[0]["scenario"]).task is not None
    texts = [row["prompt"][0]["content"] for row in rows]
    assert [row["prompt"][0]["content"] for row in prompt_rows(6)] == texts
    assert not {row["prompt"][0]["content"] for row in prompt_rows(6, seed=1)} & set(texts)
    held = {case.prompt for case in held_out(AlignConfig(test_prompts=40))}
    assert not held & {row["prompt"][0]["content"] for row in prompt_rows(200)}


def test_evaluator():
    assert load_evaluator(AlignConfig(evaluator="none")) is None
    embedder = load_evaluator(AlignConfig())
    assert embedder.name == "atom_hf/evaluator_tiny" and embedder.embedding_protocol == "packed"


def test_monitor_and_its_absence():
    assert monitor(AlignConfig(monitor_prompts=0)) == []
    (found,) = monitor(AlignConfig(monitor_prompts=4, monitor_steps=7, evaluator="none"))
    assert (len(found.prompts), found.every_steps, found.embedder) == (4, 7, None)
    held = {case.prompt for case in held_out(AlignConfig())}
    assert not held & {prompt.text for prompt in found.prompts}  # nothing of the test is looked at while training


def test_the_model_is_float32_and_has_its_processor():
    model = load_model(AlignConfig())
    assert model.dtype == torch.float32 and model.processor is not None


# Going on ------------------------------------------------------------------------------------------------------------


def trainer(out: Path, named: str | None) -> Any:
    """Remembers what it is told to go on from."""
    told: list[Any] = []
    args = SimpleNamespace(output_dir=str(out), resume_from_checkpoint=named)
    return SimpleNamespace(
        args=args, told=told, train=lambda resume_from_checkpoint: told.append(resume_from_checkpoint)
    )


def test_training_goes_on_from_a_checkpoint(tmp_path):
    for named, expected in ((None, None), ("last", True), ("True", True), ("elsewhere/checkpoint-4",) * 2):
        found = trainer(tmp_path, named)
        train(found)
        assert found.told == [expected]
