"""Make a preference dataset: prompts → candidates → (sheets) → verdicts → pairs → Parquet and card.

    accelerate launch examples/build_motionprefer.py --output_dir outputs/motionprefer
    accelerate launch --config_file examples/accelerate_configs/cpu_2.yaml examples/build_motionprefer.py
    accelerate launch --multi_gpu examples/build_motionprefer.py --model OpenMotionLab/MotionGPT-base --prompts 5276
    python examples/build_motionprefer.py --prompts_file prompts.txt --candidates 8 --sheets
    python examples/build_motionprefer.py --judge vlm --judge_model gpt-4o --budget 20 --calibration gpt4o.json

Without arguments: the model in the package, prompts of the grammar, the kinematic judge, minutes on two cores. Work is
cut into pieces of a few prompts. A piece is written whole and never done twice: stop the command at any moment, start
it again, with more processes or fewer, and the result is the same. Votes that are added to the annotations since, or
verdicts that are deleted and made anew, go into the dataset when the command runs again. A vision judge says what it
will cost before it begins; where its budget ends, the command stops, and goes on with a larger one; see judges.py.

    OUTPUT_DIR/annotations/{prompts,candidates,verdicts}/00000.jsonl …   what was asked, made, and said of it
    OUTPUT_DIR/sheets/p00000-0.jpg …                                     with --sheets: what a vision judge looks at
    OUTPUT_DIR/judge/                                                    what a vision judge was asked and answered
    OUTPUT_DIR/dataset/                                                  for load_dataset("OUTPUT_DIR/dataset")
"""

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from accelerate import Accelerator
from accelerate.utils import InitProcessGroupKwargs, gather_object
from judges import JudgeConfig, Judges
from progress import ON_CPU
from prompts import PromptConfig, settings_of, write_prompts
from trl import TrlParser

from atom_hf import DEFAULT_MODEL, Motion, MotionGPTForPreference, Scenario, render_sheet
from atom_hf.data import PairReport, PairRule
from atom_hf.data.annotations import Annotated, Candidate, pieces, read_annotations
from atom_hf.data.build import rows_of
from atom_hf.data.card import CardFacts
from atom_hf.data.folder import write_motionprefer
from atom_hf.data.made_from import MadeFrom
from atom_hf.data.stage import AnnotationStage
from atom_hf.rewards.annotating import Asked, Decoded, JudgeStopped, annotate, estimate_words, verdict_record

Record = dict[str, Any]


@dataclass
class BuildConfig:
    """Who answers, and what makes a pair."""

    output_dir: str = field(default="outputs/motionprefer", metadata={"help": "annotations and dataset"})
    model: str = field(default=DEFAULT_MODEL, metadata={"help": "checkpoint that makes the candidates"})
    candidates: int = field(default=6, metadata={"help": "motions a prompt; AToM has 6 to 10"})
    temperature: float | None = field(default=None, metadata={"help": "of sampling; the checkpoint's by default"})
    sheets: bool = field(default=False, metadata={"help": "draw the picture of each candidate"})
    min_gap: float = field(default=0.5, metadata={"help": "smallest difference of the two scores of a pair"})
    min_score: float = field(default=3.0, metadata={"help": "the better score is above it"})
    max_pairs: int = field(default=4, metadata={"help": "most pairs of a prompt"})
    piece: int = field(default=20, metadata={"help": "prompts that are worked on at once"})
    seed: int = field(default=0, metadata={"help": "of the motions"})


def write_dataset(
    config: BuildConfig, asked: PromptConfig, judges: Judges, annotations: Path, folder: Path, num_codes: int
) -> None:
    """Pairs → Parquet and card, unless they are there already; and what came of it, for people."""
    rule = PairRule(config.min_gap, config.min_score, config.max_pairs)
    said = {"judge": judges.sentence(), "calibration": judges.calibration}
    made_from = MadeFrom(folder, annotations, {"rule": asdict(rule), **said})
    if made_from.is_current():
        print(f"{folder} is there already, made of the same annotations with the same settings.")
        return
    report = PairReport()
    facts = CardFacts(
        license="apache-2.0" if config.model == DEFAULT_MODEL else "unknown",
        prompts=f"of a file, {Path(asked.prompts_file).name}" if asked.prompts_file else OF_THE_GRAMMAR,
        models=f"{config.candidates} motions a prompt by {Path(config.model).name}, seed {config.seed}, temperature "
        + ("of the checkpoint" if config.temperature is None else f"{config.temperature:g}"),
        **said,
        rule=rule,
        report=report,
    )
    rows = rows_of(annotations, rule, num_codes=num_codes, report=report)
    summary = write_motionprefer(rows, folder, num_codes=num_codes, facts=facts, overwrite=True)
    made_from.write()
    print(f"\n{report}\n\n{summary}\n\nLook at it: atom-hf data stats {folder}")


OF_THE_GRAMMAR = "sentences of the package's grammar, with their scenarios; the test split holds out combinations"
GO_ON = "Run it again, with more --budget if that was it (processes share it): it goes on, and pays nothing twice."
NOT_OF_CANDIDATES = ("output_dir", "sheets", "min_gap", "min_score", "max_pairs")


def what_is_asked(prompt: Annotated) -> Asked:
    """A prompt as a judge gets it."""
    return Asked(prompt.prompt, prompt.task, None if prompt.scenario is None else Scenario.from_json(prompt.scenario))


def main(config: BuildConfig, asked: PromptConfig, judged_by: JudgeConfig | None = None) -> None:
    """Run all steps."""
    patient = InitProcessGroupKwargs(timeout=timedelta(days=2))  # one may wait long for another's judge
    accelerator = Accelerator(cpu=ON_CPU, kwargs_handlers=[patient])
    if config.candidates < 2:
        raise ValueError(f"A pair is made of two motions of a prompt, got --candidates {config.candidates}.")
    PairRule(config.min_gap, config.min_score, config.max_pairs)  # it checks its numbers
    out, processes = Path(config.output_dir), (accelerator.process_index, accelerator.num_processes)
    judges = Judges(judged_by or JudgeConfig(), out, *processes)
    model = MotionGPTForPreference.from_pretrained(config.model).to(accelerator.device).eval()
    stage = AnnotationStage(out / "annotations", *processes)
    settings = {n: value for n, value in (asdict(config) | settings_of(asked)).items() if n not in NOT_OF_CANDIDATES}
    if config.model == DEFAULT_MODEL:  # it lies elsewhere on every machine
        settings["model"] = Path(DEFAULT_MODEL).name
    if accelerator.is_main_process:
        stage.begin(settings, lambda: write_prompts(asked), settings.pop("piece"))
    accelerator.wait_for_everyone()

    def candidates(name: str) -> Iterator[Record]:
        prompts = stage.prompts(name)
        texts = [prompt["prompt"] for prompt in prompts]
        motions = model.generate_motion(
            texts, num_return_sequences=config.candidates, temperature=config.temperature, seed=config.seed
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
        motions = [motion for *_, motion in made]
        found = annotate(judges.make, [what_is_asked(p) for p, *_ in made], motions, pictures=judges.pictures)
        for (prompt, candidate, _), verdict in zip(made, found, strict=True):
            yield {"prompt_id": prompt.prompt_id, "sample": candidate.sample} | verdict_record(verdict)

    def begin_judging() -> None:
        names = pieces(stage.folder)
        left = [name for name in names if not (stage.folder / "verdicts" / f"{name}.jsonl").exists()]
        judges.begin(judged=len(left) < len(names))
        if judges.pictures and left:
            judges.gather()
            read = [list(read_annotations(stage.folder, [name], model.config.num_codes)) for name in left]
            made = [[(p, np.array(c.codes)) for p in prompts for c in p.candidates.values()] for prompts in read]
            motions = Decoded([[codes for _, codes in piece] for piece in made], model.decode_motion)
            all_asked = [what_is_asked(prompt) for piece in made for prompt, _ in piece]
            print(f"Before anything is asked: {estimate_words(judges.estimator, all_asked, motions)}.", flush=True)

    def judge_all() -> None:
        """A process whose share of the budget is used up lets the others finish."""
        stopped = ""
        if accelerator.is_main_process:
            begin_judging()
        accelerator.wait_for_everyone()
        if judges.pictures and stage.left("verdicts"):
            judges.open()
        accelerator.wait_for_everyone()  # what is left of the budget is divided before anybody spends of it
        try:
            stage.run("verdicts", verdicts)
        except JudgeStopped as stop:
            stopped = stop.cause
        judges.close()
        if causes := [cause for cause in gather_object([stopped]) if cause]:
            raise JudgeStopped(causes[0], GO_ON)

    for part, work in (("candidates", candidates), ("sheets", sheets)):
        if part != "sheets" or config.sheets:
            stage.run(part, work)
            accelerator.wait_for_everyone()
    judge_all()
    if accelerator.is_main_process:
        write_dataset(config, asked, judges, stage.folder, out / "dataset", model.config.num_codes)
    accelerator.wait_for_everyone()
    accelerator.end_training()


if __name__ == "__main__":
    try:
        main(*TrlParser((BuildConfig, PromptConfig, JudgeConfig)).parse_args_and_config())
    except (
        ValueError,
        OSError,
        ImportError,
    ) as error:  # what users can mend; others are bugs
        sys.exit(f"build_motionprefer: {error}")
