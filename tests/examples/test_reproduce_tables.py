"""Tables of ablations: rows that every trainer understands, that are not run twice, and what becomes of them."""

import importlib
import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")
pytest.importorskip("peft")

import reproduce_tables
from ablations import LAYOUTS, TABLES, Arm
from reproduce_tables import HERE, TablesConfig, flags_of, main, name_of
from trl import TrlParser

from atom_hf import KinematicJudge

ARMS = [arm for table in TABLES.values() for arm in table.arms]
SCRIPTS = {
    "dpo": ("DPOScript", "MotionDPOConfig"),
    "kto": ("AlignConfig", "MotionKTOConfig"),
    "ppo": ("PPOScript", "MotionPPOConfig"),
    "grpo": ("OnlineConfig", "MotionGRPOConfig"),
    "rloo": ("OnlineConfig", "MotionRLOOConfig"),
}


def settings_of(arm: Arm) -> tuple[Any, ...]:
    """All that makes a row, without its name."""
    return (arm.trainer, repr(sorted(arm.args.items())), arm.shuffled, arm.min_score, arm.min_gap, arm.temperature)


# Rows ----------------------------------------------------------------------------------------------------------------


def test_equal_rows_share_a_folder_and_others_do_not():
    for a, b in itertools.combinations(ARMS, 2):
        assert (name_of(a, 0) == name_of(b, 0)) == (settings_of(a) == settings_of(b)), (a, b)
    assert name_of(ARMS[0], 0) != name_of(ARMS[0], 1)
    assert all(name_of(arm, 3) == Path(name_of(arm, 3)).name for arm in ARMS)


def test_a_setting_that_is_off_makes_a_row_of_its_own():
    assert name_of(Arm("a"), 0) == name_of(Arm("another name"), 0) == "dpo_seed-0"
    assert name_of(Arm("a", args={"use_peft": False}), 0) == "dpo_use_peft-False_seed-0"
    assert name_of(Arm("a", temperature=0.0), 0) == "dpo_temperature-0.0_seed-0"


def test_names_say_what_differs():
    assert name_of(Arm("a", "kto", {"loss_type": ["ipo", "sft"]}, shuffled=True, min_gap=2.0), 1) == (
        "kto_loss_type-_ipo_sft_shuffled-True_min_gap-2.0_seed-1"
    )


def test_rows_of_a_table_differ():
    for name, table in TABLES.items():
        assert len({arm.name for arm in table.arms}) == len(table.arms) > 1, name
        assert len({settings_of(arm) for arm in table.arms}) == len(table.arms), name


# Flags ---------------------------------------------------------------------------------------------------------------


def read(trainer: str, flags: list[str], parsers: dict[str, Any]) -> Any:
    if trainer not in parsers:
        module = importlib.import_module(trainer)
        parsers[trainer] = TrlParser(tuple(getattr(module, name) for name in SCRIPTS[trainer]))
        parsers[trainer].set_defaults(**module.TINY)
    return parsers[trainer].parse_args_and_config(args=flags)


def test_each_example_understands_its_rows(on_cpu, tmp_path):
    """And gets what the table says, so that rows differ in what they are named by."""
    parsers: dict[str, Any] = {}
    config = TablesConfig(prompts=40, steps=7, samples=3)
    for arm in ARMS:
        assert (HERE / f"{arm.trainer}.py").is_file()
        script, args = read(arm.trainer, flags_of(arm, config, 2, tmp_path / "row"), parsers)
        for name, value in arm.args.items():
            assert getattr(args, name) == value, (arm, name)
        assert (args.seed, args.max_steps, args.output_dir) == (2, 7, str(tmp_path / "row"))
        assert (script.test_prompts, script.samples, script.monitor_prompts) == (40, 3, 0)
        gap = arm.min_gap or importlib.import_module(arm.trainer).TINY.get("min_gap", 0.0)
        assert (script.min_score, script.min_gap, script.shuffle_labels) == (arm.min_score, gap, arm.shuffled)
        assert script.test_temperature == arm.temperature and args.save_strategy == "no"
    assert set(parsers) == set(SCRIPTS)


def test_as_many_steps_as_the_example_takes(on_cpu, tmp_path):
    flags = flags_of(Arm("a"), TablesConfig(steps=0, dataset="mine"), 0, tmp_path)
    assert "--max_steps" not in flags and flags[flags.index("--dataset") + 1] == "mine"
    online = flags_of(Arm("a", "grpo"), TablesConfig(), 0, tmp_path)
    assert "--dataset" not in online and "--per_device_train_batch_size" not in online


def test_adapters_are_on_the_layers_that_their_rows_name(on_cpu, tmp_path):
    """The row that is named "as published" is of two layers, and the one without flags of all linear ones."""
    linear, published = TABLES["lora"].arms[:2]
    parsers: dict[str, Any] = {}
    modules = [
        read("dpo", flags_of(arm, TablesConfig(), 0, tmp_path), parsers)[1].lora_target_modules
        for arm in (published, linear)
    ]
    assert "q, v (as published)" in published.name and sorted(modules[0]) == ["q", "v"]
    from atom_hf import DEFAULT_MODEL, MotionGPTForPreference

    model = MotionGPTForPreference.from_pretrained(DEFAULT_MODEL)
    layers = {
        name.rpartition(".")[2]
        for name, module in model.named_modules()
        if type(module).__name__ == "Linear" and name.startswith(("encoder.", "decoder."))
    }
    assert "all linear" in linear.name and set(modules[1]) == layers


# Runs ----------------------------------------------------------------------------------------------------------------


def made(gain: float) -> str:
    """What an example leaves in metrics.json."""
    base = [i / 20 for i in range(12)]
    change = {"base": 0.3, "aligned": 0.3 + gain, "delta": gain}
    by_prompt = {"prompts": [f"p{i}" for i in range(12)], "base": base, "aligned": [each + gain for each in base]}
    return json.dumps(
        {
            "notes": ["Never beside published numbers."],
            "events": {"overall": change},
            "evaluator": {},
            "variety": {},
            "valid": {"base": 1.0, "aligned": 1.0},
            "kl": None,
            "seconds": {"training": 30.0, "evaluation": 30.0},
            "overall_by_prompt": by_prompt,
        }
    )


class Examples:
    """In place of subprocess: leaves what an example leaves, or fails for arms that hold a word."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.fails = "none of them"

    def run(self, command: list[str], stdout: Any, stderr: Any) -> Any:
        self.commands.append(command)
        folder = Path(command[command.index("--output_dir") + 1])
        if any(self.fails in word for word in command):
            folder.mkdir()
            stdout.write("ValueError: no\n")
            return subprocess.CompletedProcess(command, 1)
        folder.mkdir()
        (folder / "metrics.json").write_text(made(0.1 if "--test_temperature" not in command else 0.2))
        return subprocess.CompletedProcess(command, 0)


@pytest.fixture
def examples(monkeypatch: pytest.MonkeyPatch) -> Examples:
    stub = Examples()
    monkeypatch.setattr(reproduce_tables.subprocess, "run", stub.run)
    monkeypatch.setattr(sys, "argv", ["reproduce_tables.py", "--seeds", "2"])
    return stub


def test_tables_of_rows(examples, tmp_path, capsys):
    out = tmp_path / "out"
    main(TablesConfig(output_dir=str(out), tables=["controls", "loss"], seeds=2))
    # Rows that stand in both tables are run once a seed.
    assert len(examples.commands) == 2 * (4 + 7 - 2)
    for command in examples.commands:
        assert command[:2] == [sys.executable, str(HERE / "dpo.py")]
    text = (out / "tables.md").read_text(encoding="utf-8")
    assert text.startswith("`python examples/reproduce_tables.py --seeds 2`")
    assert "18 alignments, 18 minutes" in text and text.count("> Never beside published numbers.") == 1
    assert text.count("| IPO and SFT |") == 2 and "| SFT on the chosen motions |" in text and "over seeds, sd" in text
    assert text.index(TABLES["controls"].title) < text.index(TABLES["loss"].title)
    assert f"tables → {out / 'tables.md'}" in capsys.readouterr().out
    # Again, and nothing is run.
    main(TablesConfig(output_dir=str(out), tables=["controls"], seeds=2))
    assert len(examples.commands) == 18


def test_a_base_for_each_temperature(examples, tmp_path):
    main(TablesConfig(output_dir=str(tmp_path), tables=["temperature"], jobs=2))
    assert len(examples.commands) == 4
    text = (tmp_path / "tables.md").read_text(encoding="utf-8")
    assert text.count("| temperature ") == 4


def test_a_row_that_fails_names_its_log(examples, tmp_path):
    examples.fails = "hinge"
    config = TablesConfig(output_dir=str(tmp_path), tables=["loss"])
    with pytest.raises(
        RuntimeError, match=r"hinge stopped with code 1; see .*dpo_loss_type-_hinge_beta-0.1_seed-0.log"
    ):
        main(config)
    (log,) = tmp_path.glob("*hinge*.log")
    assert log.read_text() == "ValueError: no\n" and not (tmp_path / "tables.md").exists()
    # Once it is mended, what was finished is kept, and what was not is moved out of the way.
    before, examples.fails = len(examples.commands), "none of them"
    main(config)
    assert len(examples.commands) - before < 6 and (tmp_path / "tables.md").is_file()
    assert len(list(tmp_path.glob("stopped-*hinge*"))) == 1


def test_rows_of_other_settings_are_not_mixed_in(examples, tmp_path):
    main(TablesConfig(output_dir=str(tmp_path), tables=["beta"]))
    for changes in ({"steps": 150}, {"prompts": 300}, {"model": "OpenMotionLab/MotionGPT-base"}):
        with pytest.raises(
            ValueError, match=f"were made with --{next(iter(changes))} .*; choose another --output_dir"
        ):
            main(TablesConfig(output_dir=str(tmp_path), tables=["beta"], **changes))
    main(TablesConfig(output_dir=str(tmp_path), tables=["beta"], seeds=2, jobs=2))  # more of the same
    assert len(examples.commands) == 10


def test_errors_of_users(examples, tmp_path):
    with pytest.raises(ValueError, match=r"Expected tables among controls, .*, got 'losses'"):
        main(TablesConfig(output_dir=str(tmp_path), tables=["loss", "losses"]))
    with pytest.raises(ValueError, match="Expected at least one alignment, got none"):
        main(TablesConfig(output_dir=str(tmp_path), tables=["loss"], seeds=0))
    assert examples.commands == []


def test_layouts_of_a_vision_judge(examples, tmp_path, monkeypatch):
    """Each layout on the same motions; all judges share budget and store."""
    made = []

    class Eyes(KinematicJudge):
        def __init__(self, model: str, **options: Any) -> None:
            super().__init__()
            made.append((model, options))

    monkeypatch.setattr(reproduce_tables, "VLMJudge", Eyes)
    config = TablesConfig(output_dir=str(tmp_path), tables=["controls"], judge_model="eyes", judge_url="http://x/v1",
                          judge_budget=2.0, judge_items=12)  # fmt: skip
    main(config)
    assert [options["layout"] for _, options in made] == LAYOUTS and {model for model, _ in made} == {"eyes"}
    assert len({id(options["budget"]) for _, options in made}) == 1 == len({id(o["store"]) for _, o in made})
    assert made[0][1]["budget"].dollars == 2.0 and made[0][1]["base_url"] == "http://x/v1"
    text = (tmp_path / "layouts.md").read_text(encoding="utf-8")
    assert all(f"| {layout.name} |" in text for layout in LAYOUTS)
