"""Pairs for diffusion models, which know no codes: each motion as HumanML3D features, and who beat whom.

new_joint_vecs/m9864….npy  features [T, 263], float32, 20 fps, not normalised; each motion once
texts/m9864….txt           the prompts of the motion, in HumanML3D's form
pairs.jsonl                {"prompt": "a man waves", "chosen": "new_joint_vecs/m9864….npy", "rejected": …, …}
all.txt, chosen.txt        names of all motions, and of those that were chosen and never rejected
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...motion.formats.files import replacing
from ...motion.formats.humanml3d import Caption, caption_line
from ...motion.formats.whole_folder import refuse_used
from ..degrees import SKIPPED
from ..pairs import PairReport
from ..schema import prompt_of
from ..uniqueness import Unique
from .motions import Decode, FeatureWriter, row_motion

PAIRS = "pairs.jsonl"
MOTIONS = "new_joint_vecs"
_COLUMNS = ("id", "prompt_id", "task", "degree", "margin", "chosen_score", "rejected_score", "judge")


def write_features(
    folder: str | Path,
    rows: Iterable[Mapping[str, Any]],
    decode: Decode,
    *,
    batch_size: int = 32,
    resume: bool = False,
    skipped: bool = False,
    report: PairReport | None = None,
) -> int:
    """Write pairs with the features of their motions. What is kept in memory is a batch, and names.

    A text says what was asked for, also where the motion does something else: train on the texts of `chosen.txt`.

    Args:
        folder (`str` or `Path`): new or empty, unless `resume` is set.
        rows (`Iterable[Mapping]`): of the dataset.
        decode (`Callable`): takes lists of codes and gives features `[T, 263]` of each, 20 fps, not normalised, such
            as the decoder of a VQ-VAE.
        batch_size (`int`, *optional*, defaults to 32): motions that are decoded at once.
        resume (`bool`, *optional*, defaults to `False`): go on where a run with the same `decode` was stopped; motions
            that are there are not decoded again. `pairs.jsonl` is written last, so with it a folder is finished.
        skipped (`bool`, *optional*, defaults to `False`): whether to write pairs that people skipped, too.
        report ([`PairReport`], *optional*): counts what is written and left out.

    Returns:
        `int`: pairs that were written.

    Raises:
        FileExistsError: if the folder is in use, or finished.
        ValueError: if there are no pairs, or `decode` gives something else than features.
    """
    folder = Path(folder)
    if not resume:
        refuse_used(folder)
    elif (folder / PAIRS).exists():
        raise FileExistsError(f"{folder}: expected a folder that was left unfinished, but it has {PAIRS}.")
    for leftover in folder.glob(f".{Path(PAIRS).stem}-*"):
        leftover.unlink()  # of the run that was stopped
    report = PairReport() if report is None else report
    motions, texts, count = FeatureWriter(folder / MOTIONS, decode, batch_size), _Texts(folder / "texts"), 0
    names: dict[str, None] = {}  # in the order of the rows
    won: set[str] = set()
    lost: set[str] = set()
    with replacing(folder / PAIRS) as unfinished, unfinished.open("w", encoding="utf-8") as file:
        for row in rows:
            if row["degree"] == SKIPPED and not skipped:
                report.left_out["that people skipped"] += 1
                continue
            count += 1
            prompt, pair = prompt_of(row), {}
            for side, of in (("chosen", won), ("rejected", lost)):
                name = motions.add(row_motion(row, side))
                texts.add(name, prompt)
                names[name] = None
                if row["degree"] != SKIPPED:
                    of.add(name)
                pair[side] = f"{MOTIONS}/{name}.npy"
            file.write(_line(row, prompt, pair))
            report.pairs += 1
            report.degrees[row["degree"]] += 1
        motions.flush()
        if not count:
            raise ValueError(f"Expected at least one pair, got none; left out: {dict(report.left_out) or 'none'}.")
        _write_names(folder / "all.txt", names)
        _write_names(folder / "chosen.txt", [name for name in names if name in won and name not in lost])
    return count


def _line(row: Mapping[str, Any], prompt: str, pair: Mapping[str, str]) -> str:
    record = {"prompt": prompt, **pair, **{name: row[name] for name in _COLUMNS}}
    return json.dumps(record, ensure_ascii=False) + "\n"


def _write_names(path: Path, names: Iterable[str]) -> None:
    with replacing(path) as unfinished:
        unfinished.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


@dataclass
class _Texts:
    """Texts of motions: a line for each prompt that a motion was made for."""

    folder: Path
    said: Unique = field(default_factory=Unique)
    begun: Unique = field(default_factory=Unique)

    def add(self, name: str, prompt: str) -> None:
        if not self.said.is_new(f"{name} {prompt}"):
            return
        path = self.folder / f"{name}.txt"
        before = "" if self.begun.is_new(name) else path.read_text(encoding="utf-8")
        with replacing(path) as unfinished:
            unfinished.write_text(f"{before}{caption_line(Caption(prompt))}\n", encoding="utf-8")
