"""Make a preference dataset: prompts → candidates → (sheets) → verdicts → pairs → Parquet and card.

    accelerate launch examples/build_motionprefer.py --output_dir outputs/motionprefer
    accelerate launch --config_file examples/accelerate_configs/cpu_2.yaml examples/build_motionprefer.py
    accelerate launch --multi_gpu examples/build_motionprefer.py --model OpenMotionLab/MotionGPT-base --prompts 5276
    python examples/build_motionprefer.py --prompts_file prompts.txt --candidates 8 --sheets

Without arguments: the model in the package, prompts of the grammar, the kinematic judge, minutes on two cores. Work is
cut into pieces of a few prompts. A piece is written whole and never done twice: stop the command at any moment, start
it again, with more processes or fewer, and the result is the same. Votes that are added to the annotations since, or
verdicts that are deleted and made anew, go into the dataset when the command runs again.

    OUTPUT_DIR/annotations/{prompts,candidates,verdicts}/00000.jsonl …   what was asked, made, and said of it
    OUTPUT_DIR/sheets/p00000-0.jpg …                                     with --sheets: what a vision judge looks at
    OUTPUT_DIR/dataset/                                                  for load_dataset("OUTPUT_DIR/dataset")
"""

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from accelerate import Accelerator
from progress import ON_CPU
from prompts import PromptConfig, settings_of, write_prompts
from trl import TrlParser

from atom_hf import (
    DEFAULT_MODEL,
    JudgeItem,
    KinematicJudge,
    Motion,
    MotionGPTForPreference,
    Scenario,
    render_sheet,
)
from atom_hf.data import PairReport, PairRule
from atom_hf.data.annotations import Annotated, Candidate, read_annotations
from atom_hf.data.build import rows_of
from atom_hf.data.card import CardFacts
from atom_hf.data.folder import write_motionprefer
from atom_hf.data.made_from import MadeFrom
from atom_hf.data.stage import AnnotationStage

Record = dict[str, Any]


@dataclass
class BuildConfig:
    """Who answers, who judges, and what makes a pair."""

    output_dir: str = field(default="outputs/motionprefer", metadata={"help": "annotations and dataset"})
    model: str = field(default=DEFAULT_MODEL, metadata={"help": "checkpoint that makes the candidates"})
    candidates: int = field(default=6, metadata={"help": "motions a prompt; AToM has 6 to 10"})
    temperature: float | None = field(default=None, metadata={"help": "of sampling; the checkpoint's by default"})
    judge: str = field(default="kinematic", metadata={"help": "who judges: kinematic"})
    sheets: bool = field(default=False, metadata={"help": "draw the picture of each candidate"})
    min_gap: float = field(default=0.5, metadata={"help": "smallest difference of the two scores of a pair"})
    min_score: float = field(default=3.0, metadata={"help": "the better score is above it"})
    max_pairs: int = field(default=4, metadata={"help": "most pairs of a prompt"})
    piece: int = field(default=20, metadata={"help": "prompts that are worked on at once"})
    seed: int = field(default=0, metadata={"help": "of the motions"})


def write_dataset(config: BuildConfig, asked: PromptConfig, annotations: Path, folder: Path, num_codes: int) -> None:
    """Pairs → Parquet and card, unless they are there already; and what came of it, for people."""
    rule = PairRule(config.min_gap, config.min_score, config.max_pairs)
    made_from = MadeFrom(folder, annotations, {"rule": asdict(rule)})
    if made_from.is_current():
        print(f"{folder} is there already, made of the same annotations with the same settings.")
        return
    report = PairReport()
    facts = CardFacts(
        license="apache-2.0" if config.model == DEFAULT_MODEL else "unknown",
        prompts=f"of a file, {Path(asked.prompts_file).name}" if asked.prompts_file else OF_THE_GRAMMAR,
        models=f"{config.candidates} motions a prompt by {Path(config.model).name}, seed {config.seed}, temperature "
        + ("of the checkpoint" if config.temperature is None else f"{config.temperature:g}"),
        judge=OF_THE_JUDGE,
        calibration=NOT_CALIBRATED,
        rule=rule,
        report=report,
    )
    rows = rows_of(annotations, rule, num_codes=num_codes, report=report)
    summary = write_motionprefer(rows, folder, num_codes=num_codes, facts=facts, overwrite=True)
    made_from.write()
    print(f"\n{report}\n\n{summary}\n\nLook at it: atom-hf data stats {folder}")


OF_THE_GRAMMAR = "sentences of the package's grammar, with their scenarios; the test split holds out combinations"
OF_THE_JUDGE = "the kinematic judge: events found in the joints, compared with those asked for; no picture, no person"
NOT_CALIBRATED = (
    "not compared with people; on synthesised motion with known events its detector has a macro F1 of 0.999, on "
    "labelled motion capture 0.94 to 0.97 (benchmarks/detection.py)"
)
NOT_OF_CANDIDATES = ("output_dir", "judge", "sheets", "min_gap", "min_score", "max_pairs")


def main(config: BuildConfig, asked: PromptConfig) -> None:
    """Run all steps."""
    accelerator = Accelerator(cpu=ON_CPU)
    if config.judge != "kinematic":
        raise ValueError(f"The judge of this version is 'kinematic', got {config.judge!r}.")
    if config.candidates < 2:
        raise ValueError(f"A pair is made of two motions of a prompt, got --candidates {config.candidates}.")
    PairRule(config.min_gap, config.min_score, config.max_pairs)  # it checks its numbers
    model = MotionGPTForPreference.from_pretrained(config.model).to(accelerator.device).eval()
    out, judges = Path(config.output_dir), {True: KinematicJudge("overall"), False: KinematicJudge()}
    stage = AnnotationStage(out / "annotations", accelerator.process_index, accelerator.num_processes)
    settings = {n: value for n, value in (asdict(config) | settings_of(asked)).items() if n not in NOT_OF_CANDIDATES}
    if config.model == DEFAULT_MODEL:  # it lies elsewhere on every machine
        settings["model"] = Path(DEFAULT_MODEL).name
    if accelerator.is_main_process:
        stage.begin(settings, lambda: write_prompts(asked), settings.pop("piece"))
    accelerator.wait_for_everyone()

    def candidates(name: str) -> Iterator[Record]:
        prompts = stage.prompts(name)
        motions = model.generate_motion(
            [prompt["prompt"] for prompt in prompts],
            num_return_sequences=config.candidates,
            temperature=config.temperature,
            seed=config.seed,
        )
        made_by = {"model": Path(config.model).name, "seed": config.seed}
        for i, motion in enumerate(motions):
            owner, sample = prompts[i // config.candidates], i % config.candidates
            yield {"prompt_id": owner["prompt_id"], "sample": sample, "codes": motion.codes.tolist()} | made_by

    def shown(name: str) -> Iterator[tuple[Annotated, Candidate, Motion]]:
        prompts = list(read_annotations(stage.folder, [name], model.config.num_codes))
        pairs = [(prompt, candidate) for prompt in prompts for candidate in prompt.candidates.values()]
        motions = model.decode_motion([np.array(candidate.codes) for _, candidate in pairs])
        return ((*pair, motion) for pair, motion in zip(pairs, motions, strict=True))

    def sheets(name: str) -> Iterator[Record]:
        for prompt, candidate, motion in shown(name):
            path = out / "sheets" / f"{prompt.prompt_id}-{candidate.sample}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            render_sheet(motion, caption=prompt.prompt).save(path)
            yield {"prompt_id": prompt.prompt_id, "sample": candidate.sample, "sheet": f"sheets/{path.name}"}

    def verdicts(name: str) -> Iterator[Record]:
        made = list(shown(name))
        items = [
            JudgeItem(motion, prompt.prompt, None if prompt.scenario is None else Scenario.from_json(prompt.scenario))
            for prompt, _, motion in made
        ]
        for (prompt, candidate, _), item in zip(made, items, strict=True):
            (verdict,) = judges[prompt.task == "overall"].score([item])
            yield {"prompt_id": prompt.prompt_id, "sample": candidate.sample, "score": verdict.score} | {
                "reason": verdict.reason,
                "cause": verdict.cause,
                "raw": dict(verdict.raw),
                "judge": verdict.judge,
                "rules_version": verdict.judge,
            }

    for part, work in (("candidates", candidates), ("sheets", sheets), ("verdicts", verdicts)):
        if part != "sheets" or config.sheets:
            stage.run(part, work)
            accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        write_dataset(config, asked, stage.folder, out / "dataset", model.config.num_codes)
    accelerator.wait_for_everyone()
    accelerator.end_training()


if __name__ == "__main__":
    try:
        main(*TrlParser((BuildConfig, PromptConfig)).parse_args_and_config())
    except (ValueError, OSError) as error:  # what users can mend; anything else is a bug and keeps its traceback
        sys.exit(f"build_motionprefer: {error}")
