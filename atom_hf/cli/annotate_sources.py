"""What `atom-hf annotate` judges: files of motions with their prompts, or candidates of raw annotations.

source = read_source(Path("generated/"), options)
source.rows[0]    →  {"name": "walk", "prompt": "a person walks", "task": "integrity"}
source.asked[0], source.motions[0]
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..events import Scenario
from ..motion import Motion
from .annotate_prompts import read_prompts
from .loading import without_loading_bar

if TYPE_CHECKING:
    from ..rewards.annotating import Asked

_TINY = "motiongpt_tiny"


@dataclass
class Source:
    """Motions to judge.

    Args:
        rows (`list[dict]`): which motion it is, a row each.
        asked (`list[Asked]`): what each was made for.
        motions (`Sequence[Motion]`): the motions; perhaps decoded when they are looked at.
        left_out (`list[dict]`, *optional*): rows of what is no motion, with the cause.
        annotations (`Path`, *optional*): the folder, if it is one of annotations.
        pieces (`list[str]`, *optional*): for each row the piece of the annotations that it is in.
    """

    rows: list[dict[str, Any]]
    asked: "list[Asked]"
    motions: Sequence[Motion]
    left_out: list[dict[str, Any]] = field(default_factory=list)
    annotations: Path | None = None
    pieces: list[str] = field(default_factory=list)

    def with_left_out(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """All rows, in order of their names where some are left out."""
        if not self.left_out:
            return records
        return sorted([*records, *self.left_out], key=lambda record: str(record["name"]))


def read_source(folder: Path, options: argparse.Namespace) -> Source:
    """Find out what a folder holds, and read it.

    Args:
        folder (`Path`): of motion files, or of annotations.
        options (`argparse.Namespace`): of `atom-hf annotate`.

    Returns:
        [`Source`]: what is to be judged.

    Raises:
        ValueError: if there is nothing to judge, prompts are missing, or an option does not fit.
    """
    if not folder.is_dir():
        what = "it is a file" if folder.exists() else "there is no such folder"
        raise ValueError(f"{folder}: expected a folder of motions or of annotations, but {what}.")
    annotations = (folder / "prompts").is_dir() and (folder / "candidates").is_dir()
    if annotations:
        for name in ("prompts", "fps", "split"):
            if getattr(options, name) is not None:
                raise ValueError(f"--{name} is for motion files, and {folder} holds annotations; leave it out.")
        return _annotated(folder, options)
    for path in options.out:
        if not path.suffix:
            raise ValueError(f"--out {path}: expected .jsonl or .parquet; a folder is for verdicts on annotations.")
    if options.decoder is not None:
        raise ValueError(f"--decoder is for annotations, which {folder} does not hold; leave it out.")
    return _files(folder, options)


def _files(folder: Path, options: argparse.Namespace) -> Source:
    from ..evaluation.comparison import Case, read_system
    from ..evaluation.comparison.cases import understood
    from ..motion.formats import READERS
    from ..rewards.annotating import Asked

    given: dict[str, tuple[str, str | None, Scenario | None]] = {}
    if options.prompts is not None:
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in READERS and path.is_file())
        given = read_prompts(
            options.prompts, [path.relative_to(folder).with_suffix("").as_posix() for path in paths], options.column
        )
    cases = {name: Case(name, prompt, scenario) for name, (prompt, _, scenario) in given.items()}
    source = options.prompts.name if options.prompts is not None else ""
    system = read_system(
        folder, fps=options.fps, split=options.split, cases=cases, cases_from=source, known=list(cases.values())
    )
    rows, asked, motions = [], [], []
    for clip in system.clips:
        name = clip.case.id
        if given and name not in given:
            raise ValueError(f"{options.prompts}: it says nothing of the motion {name!r}; it speaks for all of them.")
        prompt, task, scenario = given.get(name, (clip.prompt, None, clip.scenario))
        if "\ufffd" in prompt and name not in given:
            raise ValueError(
                f"{folder}: the caption of {name!r} is not in UTF-8, as {prompt[:60]!r} shows; perhaps in Latin-1 or "
                "Windows-1252. Save the file with the caption as UTF-8."
            )
        scenario = scenario or understood(prompt)
        task = options.task or task or (scenario.task if scenario is not None else "overall")
        rows.append({"name": name, "prompt": prompt, "task": task})
        asked.append(Asked(prompt, task, scenario))
        motions.append(clip.motion)
    left_out = [
        {"name": out.id, "prompt": out.prompt, "task": options.task or "overall", "score": None, "reason": ""}
        | {"cause": f"{out.cause}: {out.reason}", "raw": {}, "judge": "", "rules_version": ""}
        for out in system.left_out
    ]
    absent = sorted(set(given) - {row["name"] for row in [*rows, *left_out]})
    if absent:
        raise ValueError(f"{options.prompts}: there is no motion {absent[0]!r} in {folder} ({len(absent)} in all).")
    return Source(rows, asked, motions, left_out)


def _annotated(folder: Path, options: argparse.Namespace) -> Source:
    import torch

    from ..assets import DEFAULT_MODEL
    from ..data.annotations import pieces, read_annotations
    from ..models import MotionGPTForPreference
    from ..rewards.annotating import Asked, Decoded

    read = {name: list(read_annotations(folder, [name])) for name in pieces(folder)}
    made_by = {candidate.model for prompts in read.values() for p in prompts for candidate in p.candidates.values()}
    if options.decoder is None and (others := sorted(made_by - {_TINY})):
        raise ValueError(
            f"{folder} has motions of {others[0] or 'an unknown model'}, whose codes only its own VQ-VAE decodes; say "
            "which checkpoint that is with --decoder."
        )
    without_loading_bar()
    model = MotionGPTForPreference.from_pretrained(options.decoder or DEFAULT_MODEL, dtype=torch.float32).eval()
    rows, asked, codes, piece_of = [], [], [], []
    for name, prompts in read.items():
        codes.append([candidate.codes for p in prompts for candidate in p.candidates.values()])
        for prompt in prompts:
            task = options.task or prompt.task
            for sample in prompt.candidates:
                rows.append({"prompt_id": prompt.prompt_id, "sample": sample, "prompt": prompt.prompt, "task": task})
                asked.append(Asked(prompt.prompt, task, _known_events(prompt.scenario)))
                piece_of.append(name)
    return Source(rows, asked, Decoded(codes, model.decode_motion), annotations=folder, pieces=piece_of)


def _known_events(written: str | None) -> Scenario | None:
    """The events of a prompt; None where some are not of our table of actions."""
    try:
        return None if written is None else Scenario.from_json(written)
    except (ValueError, TypeError):
        return None
