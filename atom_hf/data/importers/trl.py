"""Preference datasets in TRL's forms, whose answers are motion text, as rows of the dataset.

{"prompt": "Generate motion: a man waves", "chosen": "<motion_id_512><motion_id_5>…<motion_id_513>", "rejected": "…"}
{"prompt": [{"role": "user", "content": "a man waves"}], "chosen": [{"role": "assistant", "content": "…"}], …}
{"chosen": [{"role": "user", …}, {"role": "assistant", …}], "rejected": […]}     the prompt is what both begin with
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...motion import text_to_codes
from ...motion.codes import NUM_CODES, PLACEHOLDER, motion_token
from ..degrees import MARGINS, SKIPPED, degree_of_gap, read_degree
from ..faults import OnFault
from ..pairs import PairReport
from ..schema import pair_row
from .faults import RowFault, RowMaker, prompt_id_of, seed_of, text_of

_ASKED = re.compile(r"\s*generate motion\s*:\s*", re.IGNORECASE)
_NO_PROMPT = "without a usable prompt"
_MALFORMED = "with malformed motion text"


def read_trl(
    rows: Iterable[Mapping[str, Any]],
    *,
    name: str = "trl",
    report: PairReport | None = None,
    on_fault: str | OnFault = "raise",
    num_codes: int = NUM_CODES,
    task: str = "overall",
    degree: str = "better",
    judge: str = "unknown",
    model: str = "",
) -> Iterator[dict[str, Any]]:
    """Rows of a preference dataset in one of TRL's forms, one at a time.

    Columns of ours that a row has (id, prompt_id, task, degree, scores, judge, models, seeds, votes …) are kept. Where
    it has no degree, its margin tells it (3, 2, 1 or 0), else the gap of its scores, else `degree`. What a system
    message says is not kept.

    Args:
        rows (`Iterable[Mapping]`): a `datasets.Dataset`, an `IterableDataset` or any rows with `prompt`, `chosen` and
            `rejected`, as text or as conversations; without `prompt` if the other two begin with it. "Generate
            motion:" in front of a prompt and quotation marks around it are taken off.
        name (`str`, *optional*, defaults to `"trl"`): of the data, for ids and messages.
        report ([`PairReport`], *optional*): counts what is read and left out.
        on_fault (`str` or `Callable`, *optional*, defaults to `"raise"`): `"skip"` leaves out rows that cannot be
            used; so does a function, which gets each fault as an [`AnnotationError`].
        num_codes (`int`, *optional*, defaults to 512): size of the codebook.
        task (`str`, *optional*, defaults to `"overall"`): what was judged.
        degree (`str`, *optional*, defaults to `"better"`): degree of preference.
        judge (`str`, *optional*, defaults to `"unknown"`): who judged.
        model (`str`, *optional*): who made the motions.

    Returns:
        `Iterator[dict]`: rows of the dataset.

    Raises:
        AnnotationError: unless faults are skipped, at the first row that cannot be used, such as one with malformed
            motion text.
        TypeError: if `rows` is a dictionary of splits.
        ValueError: if `on_fault` or `degree` is unknown.
    """
    if isinstance(rows, Mapping):
        raise TypeError(f"Expected the rows of one split, got several: {', '.join(map(str, rows))}; choose one.")
    given = {"task": task, "judge": judge, "model": model, "degree": read_degree(degree)}
    return _read(rows, name, given, num_codes, RowMaker(report, on_fault))


def _read(
    rows: Iterable[Mapping[str, Any]], name: str, given: Mapping[str, str], num_codes: int, maker: RowMaker
) -> Iterator[dict[str, Any]]:
    numbered = ((number, (number, row)) for number, row in enumerate(rows, 1))
    yield from maker.rows(name, numbered, lambda pair: _row(pair[0], pair[1], name, given, num_codes))
    maker.close()


def _row(number: int, row: Any, name: str, given: Mapping[str, str], num_codes: int) -> dict[str, Any]:
    if not isinstance(row, Mapping) or not {"chosen", "rejected"} <= set(row):
        has = ", ".join(map(str, row)) if isinstance(row, Mapping) else repr(row)[:60]
        raise RowFault("without two answers", f"expected the columns chosen and rejected, got {has}.")
    asked, chosen, rejected = _parts(row, num_codes)
    prompt = _ASKED.sub("", text_of(asked, "prompt"), count=1).strip()
    if len(prompt) > 2 and prompt[0] == prompt[-1] == '"':
        prompt = prompt[1:-1]
    prompt = text_of(prompt, "prompt")
    motions = {}
    for side, text in (("chosen", chosen), ("rejected", rejected)):
        motions[side] = {
            "codes": _codes(text, side, num_codes),
            "score": row.get(f"{side}_score"),
            "model": row.get(f"{side}_model") or given["model"],
            "seed": seed_of(row.get(f"{side}_seed")),
        }
    degree = _degree(row, given["degree"])
    if motions["chosen"]["codes"] == motions["rejected"]["codes"] and degree != SKIPPED:
        raise RowFault("of two motions that are the same", "expected two motions that differ, got one twice.")
    return pair_row(
        id=str(row["id"]) if row.get("id") is not None else f"{name}/{number}",
        prompt_id=row.get("prompt_id") or prompt_id_of(prompt),
        prompt=prompt,
        task=row.get("task") or given["task"],
        chosen=motions["chosen"],
        rejected=motions["rejected"],
        degree=degree,
        judge=row.get("judge") or given["judge"],
        rules_version=row.get("rules_version") or "",
        scenario=row.get("scenario"),
        votes=row.get("votes") or (),
        num_codes=num_codes,
    )


def _parts(row: Mapping[str, Any], num_codes: int) -> tuple[str, str, str]:
    """Prompt and answers as text."""
    sides = row["chosen"], row["rejected"]
    if row.get("prompt") is not None:
        return _said(row["prompt"], "user"), _said(sides[0], "assistant"), _said(sides[1], "assistant")
    if all(isinstance(side, str) for side in sides):
        start = motion_token(num_codes)
        (first, _, chosen), (second, _, rejected) = (side.partition(start) for side in sides)
        if first.strip() != second.strip():
            raise RowFault(_NO_PROMPT, f"expected two answers to one prompt, got {first[:60]!r} and {second[:60]!r}.")
        return first, start + chosen, start + rejected
    asked = [[message for message in _messages(side) if message["role"] != "assistant"] for side in sides]
    if asked[0] != asked[1]:
        raise RowFault(_NO_PROMPT, f"expected two answers to one prompt, got {str(asked)[:120]}.")
    return _said(asked[0], "user"), *(_said(_messages(side)[-1:], "assistant") for side in sides)  # type: ignore[return-value]


def _messages(value: Any) -> list[Mapping[str, Any]]:
    fine = isinstance(value, list) and all(isinstance(item, Mapping) and "role" in item for item in value)
    if not fine:
        raise RowFault("with a broken conversation", f"expected text or messages, got {str(value)[:60]!r}.")
    return list(value)


def _said(value: Any, role: str) -> str:
    """What one side says, in text or in the only message of its role."""
    if isinstance(value, str):
        return value
    messages = [message for message in _messages(value) if message["role"] == role]
    if len(messages) != 1:
        raise RowFault(
            "with a conversation of several turns", f"expected one message of the {role}, got {len(messages)}."
        )
    content = messages[0].get("content")
    if isinstance(content, list):  # parts, as multimodal data has them
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, Mapping))
    return text_of(content, "message")


def _codes(text: str, side: str, num_codes: int) -> list[int]:
    parsed = text_to_codes(text, num_codes, clamp=False)
    around = parsed.text.replace("</s>", "").replace("<pad>", "").strip()
    if not parsed.complete or parsed.malformed or around != PLACEHOLDER:
        wrong = f"; not understood: {', '.join(parsed.malformed[:3])[:60]!r}" if parsed.malformed else ""
        raise RowFault(
            _MALFORMED,
            f"{side}: expected motion text, {motion_token(num_codes)}…{motion_token(num_codes + 1)}, and nothing "
            f"around it, got {text[:60]!r}{wrong}.",
        )
    codes: list[int] = parsed.codes.tolist()
    if outside := [code for code in codes if not 0 <= code < num_codes]:
        raise RowFault(
            "with codes out of range", f"{side}: expected codes from 0 to {num_codes - 1}, got {outside[:3]}."
        )
    return codes


def _degree(row: Mapping[str, Any], default: str) -> str:
    if row.get("degree") is not None:
        try:
            return read_degree(row["degree"])
        except ValueError as error:
            raise RowFault("with an unknown degree", str(error)) from error
    if row.get("margin") is not None:
        for degree, margin in MARGINS.items():
            if row["margin"] == margin:
                return degree
        margins = ", ".join(f"{margin:g}" for margin in sorted(set(MARGINS.values())))
        raise RowFault(
            "with an unknown margin",
            f"expected a margin, one of {margins}, got {row['margin']!r}; drop the column, or add a degree.",
        )
    better, worse = row.get("chosen_score"), row.get("rejected_score")
    if isinstance(better, int | float) and isinstance(worse, int | float) and better >= worse:
        return degree_of_gap(better - worse)
    return default
