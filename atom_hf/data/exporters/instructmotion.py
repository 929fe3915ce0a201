"""Rows as a folder in the layout of InstructMotion, which its code and AToM's read; `importers.instructmotion` too.

preference_labels.jsonl    a line for each pair
tokens/m9864…_token.npy    codes (1, T), int64, of each motion that differs
features/m9864….npy        features [T, 263], where `decode` is given
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...motion.formats.whole_folder import refuse_used, whole_folder
from ..degrees import SKIPPED
from ..importers.labels import LABELS
from ..json_lines import write_lines
from ..schema import HUMAN, prompt_of
from .motions import Decode, FeatureWriter, motion_name, row_motion, save_array

_PREFIX = "instructmotion/"  # of ids that were read from this layout


def write_instructmotion(
    folder: str | Path, rows: Iterable[Mapping[str, Any]], *, decode: Decode | None = None, batch_size: int = 32
) -> int:
    """Write rows in InstructMotion's layout: the whole folder, or nothing.

    What the layout has no place for stands beside its own fields, where its readers pass it over: task, judge, version
    of the rules, and scores. Names of prompts and scenarios are left out. Which motion comes first is drawn by the
    id. The last vote is the verdict in this layout, so where a row's is another, or there is none, one of the judge
    follows.

    Args:
        folder (`str` or `Path`): new or empty.
        rows (`Iterable[Mapping]`): of the dataset; skipped pairs too.
        decode (`Callable`, *optional*): takes lists of codes and gives features `[T, 263]` of each, 20 fps, not
            normalised. Without it there are no features, only their names.
        batch_size (`int`, *optional*, defaults to 32): motions that are decoded at once.

    Returns:
        `int`: pairs that were written.

    Raises:
        FileExistsError: if the folder is not empty.
        ValueError: if there are no rows, or `decode` gives something else than features.
    """
    count = 0
    with whole_folder(Path(folder), refuse_used) as unfinished:
        writer = FeatureWriter(unfinished / "features", decode, batch_size) if decode else None

        def labels() -> Iterator[dict[str, Any]]:
            nonlocal count
            for count, row in enumerate(rows, 1):  # noqa: B007
                for side in ("chosen", "rejected"):
                    _write_tokens(unfinished, row_motion(row, side))
                    if writer:
                        writer.add(row_motion(row, side))
                yield label_of(row)

        write_lines(unfinished / LABELS, labels())
        if writer:
            writer.flush()
        if not count:
            raise ValueError("Expected at least one row, got none.")
    return count


def label_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as a line of labels.

    Args:
        row (`Mapping`): of the dataset.

    Returns:
        `dict[str, Any]`: id, prompt, two samples, votes, task, judge, and where it is known the version of its rules.
    """
    second = row["degree"] != SKIPPED and hashlib.sha256(row["id"].encode()).digest()[0] % 2
    sides = ("rejected", "chosen") if second else ("chosen", "rejected")
    names = {side: f"sample_{number}" for number, side in enumerate(sides, 1)} | {SKIPPED: SKIPPED}
    votes = [
        {"choice": names[vote["choice"]], "degree of preference": spelled(vote["degree"]), "user": vote["voter"]}
        for vote in row["votes"]
    ]
    choice = SKIPPED if row["degree"] == SKIPPED else names["chosen"]
    verdict = {"choice": choice, "degree of preference": spelled(row["degree"])}
    if not votes or votes[-1] != {**verdict, "user": votes[-1]["user"]}:
        votes.append({**verdict, "user": "" if row["judge"] == HUMAN else row["judge"]})
    return {
        "id": str(row["id"]).removeprefix(_PREFIX),
        "prompt": prompt_of(row),
        "task": row["task"],
        "judge": row["judge"],
        **({"rules_version": row["rules_version"]} if row["rules_version"] else {}),
        **{names[side]: _sample(row, side) for side in sides},
        "chosen": votes,
    }


def spelled(degree: str) -> str:
    """A degree of preference as InstructMotion spells it.

    Args:
        degree (`str`): one of `DEGREES`.

    Returns:
        `str`: such as `"Much better"`; `"skipped"` stays.
    """
    return degree if degree == SKIPPED else degree.capitalize()


def _sample(row: Mapping[str, Any], side: str) -> dict[str, Any]:
    sample = {"features": f"features/{motion_name(row_motion(row, side))}.npy", "from": row[f"{side}_model"]}
    known = {name: row[f"{side}_{name}"] for name in ("seed", "score")}
    return sample | {name: value for name, value in known.items() if value is not None}


def _write_tokens(folder: Path, codes: list[int]) -> None:
    path = folder / "tokens" / f"{motion_name(codes)}_token.npy"
    if not path.exists():
        save_array(path, np.array([codes], dtype=np.int64))
