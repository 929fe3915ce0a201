"""Align a text-to-motion model in rounds: sample, judge, pair, train, and again with what was learnt.

    accelerate launch examples/online_dpo.py
    accelerate launch examples/online_dpo.py --rounds 4 --reference base --output_dir outputs/online_base
    accelerate launch examples/online_dpo.py --config examples/configs/online_dpo_motiongpt.yaml

Without arguments the tiny model of the package writes motions for prompts of the grammar, the kinematic judge scores
them, and MotionPrefer's rule makes pairs of them, offline, in minutes on two cores. Pairs that the policy wrote itself
say what it still gets wrong. Each round leaves its pairs and its model in OUTPUT_DIR/round-<n>; a stopped run goes on
with --resume_from_checkpoint last, from the last round that was finished.
"""

import copy
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import cpu_threads  # noqa: F401 (before torch)
import torch
from alignment import AlignConfig, held_out, load_model, monitor, parse, run
from alignment_report import finish
from datasets import Dataset
from dpo import TINY as OFFLINE

from atom_hf import GrammarPromptWriter, JudgeItem, KinematicJudge, MotionGPTForPreference
from atom_hf.data import PairReport, PairRule
from atom_hf.data.annotation_records import Annotated, Candidate
from atom_hf.data.pairs import pairs_from_scores
from atom_hf.data.schema import features
from atom_hf.trainer import MotionDPOConfig, MotionDPOTrainer

# What suits the tiny model; each round is a short training.
TINY = OFFLINE | {"output_dir": "outputs/online_dpo", "max_steps": 60, "warmup_steps": 10, "save_strategy": "no"}


@dataclass
class RoundsConfig(AlignConfig):
    """As every alignment, and what a round is."""

    rounds: int = field(default=2, metadata={"help": "times that the policy writes its own pairs"})
    prompts: int = field(default=300, metadata={"help": "prompts of the grammar a round"})
    candidates: int = field(default=6, metadata={"help": "motions a prompt"})
    sampling_temperature: float = field(default=1.0, metadata={"help": "of these motions"})
    reference: Literal["previous", "base"] = field(
        default="previous",
        metadata={"help": "what a round may not move far from: the policy it began as, or the base"},
    )
    pair_gap: float = field(default=0.5, metadata={"help": "smallest difference of the two scores of a pair"})

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("rounds", "prompts"):
            if getattr(self, name) < 1:
                raise ValueError(f"Expected --{name} of at least 1, got {getattr(self, name)}.")
        if self.candidates < 2:
            raise ValueError(f"Expected --candidates of at least 2, got {self.candidates}: a pair has two motions.")
        PairRule(min_gap=self.pair_gap)  # it checks its number


def write_pairs(policy: MotionGPTForPreference, script: RoundsConfig, seed: int) -> Dataset:
    """Pairs of motions that a policy writes now, judged."""
    written = GrammarPromptWriter(seed=seed, split="train").write(script.prompts)
    motions = policy.generate_motion(
        [prompt.text for prompt in written],
        num_return_sequences=script.candidates,
        temperature=script.sampling_temperature,
        seed=seed,
    )
    owners = [prompt for prompt in written for _ in range(script.candidates)]
    items = [JudgeItem(motion, prompt.text, prompt.scenario) for motion, prompt in zip(motions, owners, strict=True)]
    verdicts = KinematicJudge().score(items)
    report, rule, rows = PairReport(), PairRule(min_gap=script.pair_gap), []
    for i, prompt in enumerate(written):
        mine = range(i * script.candidates, (i + 1) * script.candidates)
        candidates = {
            k: Candidate(
                k,
                tuple(motions[j].codes.tolist()),
                score=verdicts[j].score,
                judge=verdicts[j].judge,
                model="policy",
                seed=seed,
            )
            for k, j in enumerate(mine)
        }
        task, scenario = prompt.scenario.task or "overall", prompt.scenario.to_json()
        asked = Annotated(f"r{seed}-{i:05d}", prompt.text, task, scenario, "train", candidates)
        rows += pairs_from_scores(asked, rule, report, policy.config.num_codes)
    print(report)
    if not rows:
        raise ValueError("The policy's motions make no pair; lower --pair_gap, or raise --candidates.")
    return Dataset.from_list(rows, features=features())


def main() -> None:
    script, args = parse(RoundsConfig, MotionDPOConfig, __doc__, **TINY)
    out, policy, trainer = Path(args.output_dir), load_model(script).to(args.device), None
    logs: list[dict[str, Any]] = []
    for number in range(script.rounds):
        folder = out / f"round-{number}"
        if (folder / "log.json").exists():  # written last: this round was finished before
            policy = MotionGPTForPreference.from_pretrained(folder / "model", dtype=torch.float32).to(args.device)
            logs += json.loads((folder / "log.json").read_text())
            continue
        if any((folder / "training").glob("*")):
            raise FileExistsError(f"{folder} was begun and not finished; remove it, and the run goes on with it.")
        settings = copy.copy(args)
        settings.output_dir, settings.resume_from_checkpoint = str(folder / "training"), None
        pairs = write_pairs(policy, script, seed=1000 * (args.seed + 1) + number)
        if args.process_index == 0:
            folder.mkdir(parents=True, exist_ok=True)
            pairs.to_parquet(folder / "pairs.parquet")
        trainer = MotionDPOTrainer(
            policy,
            load_model(script) if script.reference == "base" and number else None,
            settings,
            train_dataset=pairs,
            callbacks=monitor(script),
        )
        trainer.train()
        policy = trainer.model.merge_and_unload() if args.use_peft else trainer.accelerator.unwrap_model(trainer.model)
        before = logs[-1]["step"] if logs else 0
        logs += [log | {"step": before + log["step"]} for log in trainer.state.log_history]
        if trainer.is_world_process_zero():
            policy.eval().save_pretrained(folder / "model")
            (folder / "log.json").write_text(json.dumps(logs[-len(trainer.state.log_history) :], indent=1))
        trainer.accelerator.wait_for_everyone()
    if trainer is None:  # all rounds are there; the report may not be
        if (out / "metrics.json").exists() or (not held_out(script) and (out / "model").exists()):
            raise ValueError(
                f"All {script.rounds} rounds of {out} are done; raise --rounds, or choose another folder."
            )
        args.precompute_ref_log_probs = False
        pairs = Dataset.from_parquet(str(out / f"round-{script.rounds - 1}" / "pairs.parquet"))
        trainer = MotionDPOTrainer(copy.deepcopy(policy), None, args, train_dataset=pairs)  # for what a report says
        trainer.state.global_step = args.max_steps
    finish(trainer, script, aligned=policy.eval(), logs=logs, folder=out)


if __name__ == "__main__":
    run(main)
