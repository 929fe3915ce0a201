"""The end of every alignment example: model, adapter, card and report of base against aligned.

finish(trainer, script)
→ OUTPUT_DIR/{report.html, metrics.json, comparison.json, report.md, model/, adapter/}
"""

import json
import time
from pathlib import Path
from typing import Any

from alignment import AlignConfig, held_out, load_evaluator, load_model
from peft import PeftModel

from atom_hf import DEFAULT_DATASET, DEFAULT_MODEL, KinematicJudge, MotionGPTForPreference
from atom_hf.evaluation.comparison import (
    alignment_metrics,
    alignment_summary,
    compare,
    sampled_system,
    synthesised_system,
    verdict,
    write_alignment,
)
from atom_hf.evaluation.report import training_charts
from atom_hf.models.hub import public_name
from atom_hf.trainer.monitoring.measures import longest, policy_numbers, token_scores, written_codes
from atom_hf.trainer.training_card import training_card


def save(model: Any, folder: Path, trainer: str) -> MotionGPTForPreference:
    """The aligned model in model/ and its adapter, if it has one, in adapter/."""
    if isinstance(model, PeftModel):
        adapter = folder / "adapter"
        model.save_pretrained(adapter)
        base = public_name(model.get_base_model().config._name_or_path)
        card = training_card(trainer, f"{folder.resolve().name}/adapter", base=base, adapter=True)
        (adapter / "README.md").write_text(card, encoding="utf-8")  # peft's own is a form, and names folders
        model = model.merge_and_unload()
    model = model.eval()
    model.save_pretrained(folder / "model")
    return model


def finish(
    trainer: Any, script: AlignConfig, *, aligned: Any = None, logs: Any = None, folder: Path | None = None
) -> dict[str, Any] | None:
    """Save, evaluate base and aligned model on held-out prompts, write the report, and say what improved.

    By default model and logs are the trainer's; a script that trains several times hands in its own.
    """
    trainer.accelerator.wait_for_everyone()
    if not trainer.is_world_process_zero():
        return None
    folder = Path(trainer.args.output_dir) if folder is None else folder
    if aligned is None:  # PPO's model is policy and value model
        aligned = getattr(trainer, "policy", None) or trainer.accelerator.unwrap_model(trainer.model)
    aligned = save(aligned, folder, type(trainer).__name__)
    logs = trainer.state.log_history if logs is None else logs
    if not (cases := held_out(script)):
        print(f"model → {folder / 'model'}")
        return None
    started = time.perf_counter()
    base = load_model(script).to(aligned.device).eval()
    sampling = {} if script.test_temperature is None else {"temperature": script.test_temperature}
    systems = []
    for name, model in (("base", base), ("aligned", aligned)):
        print(
            f"{name}: {len(cases)} held-out prompts, {script.samples} motion{'s' * (script.samples > 1)} each",
            flush=True,
        )
        what = {"what": script.model if name == "base" and script.model != DEFAULT_MODEL else f"the {name} model"}
        systems.append(
            sampled_system(
                name, model, cases, samples=script.samples, seed=script.test_seed, made_with=what, **sampling
            )
        )
    known = all(case.scenario is not None for case in cases)
    comparison = compare(
        systems,
        real=synthesised_system(cases, "real (synthesised)") if known else None,
        judge=KinematicJudge(),
        embedder=load_evaluator(script),
        seed=script.test_seed,
    )
    firsts = systems[1].firsts
    asked, written = [clip.prompt for clip in firsts], [written_codes(clip.motion) for clip in firsts]
    numbers = policy_numbers(*(token_scores(model, asked, written, longest(196)) for model in (aligned, base)))
    trained = sum(log.get("train_runtime", 0.0) for log in logs)
    metrics = alignment_metrics(
        comparison,
        kl={"per_token": numbers["sample_kl"], "per_sequence": numbers["sample_kl_sequence"]},
        seconds={"training": trained, "evaluation": time.perf_counter() - started},
        training=settings(trainer, script),
    )
    title = f"{type(trainer).__name__.removeprefix('Motion').removesuffix('Trainer')} alignment"
    write_alignment(comparison, folder, metrics, charts=training_charts(logs), title=title, overwrite=True)
    write_card(folder, metrics, title)
    print("\n".join(["", verdict(metrics), *alignment_summary(metrics), "", f"report → {folder / 'report.html'}"]))
    return metrics


def settings(trainer: Any, script: AlignConfig) -> dict[str, Any]:
    """Settings of the training that readers of its numbers ask for."""
    names = (
        "loss_type",
        "loss_weights",
        "beta",
        "learning_rate",
        "per_device_train_batch_size",
        "gradient_accumulation_steps",
    )
    names += ("use_peft", "lora_r", "lora_target_modules", "degree_use", "train_share", "seed")
    found = {name: getattr(trainer.args, name) for name in names if hasattr(trainer.args, name)}
    found |= {"steps": trainer.state.global_step, "processes": trainer.accelerator.num_processes}
    found["model"] = "the tiny model of atom_hf" if script.model == DEFAULT_MODEL else public_name(script.model)
    if not hasattr(script, "prompts"):  # online training writes its own pairs
        found["dataset"] = (
            "the small dataset of atom_hf" if script.dataset == DEFAULT_DATASET else public_name(script.dataset)
        )
    return found


def write_card(folder: Path, metrics: dict[str, Any], title: str) -> None:
    """What was done and measured, on the cards of the saved model and of its adapter."""
    said = json.dumps(metrics["training"], ensure_ascii=False, indent=1)
    lines = ["", f"## {title}", "", verdict(metrics), "", "```", *alignment_summary(metrics), "```", ""]
    lines += [f"> {note}\n>" for note in metrics["notes"]] + ["", "Settings:", "", "```json", said, "```", ""]
    for card in sorted(folder.glob("*/README.md")):
        if card.parent.name in ("adapter", "model"):
            card.write_text(card.read_text(encoding="utf-8").rstrip("\n") + "\n" + "\n".join(lines), encoding="utf-8")
