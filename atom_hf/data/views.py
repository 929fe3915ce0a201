"""The dataset as other trainings want it: without skipped pairs, motion by motion for KTO, or ranked lists.

preferred(dataset)    pairs that somebody preferred one motion of
unpaired(dataset)     {"prompt": […], "completion": [{"role": "assistant", …}], "label": True}
listwise(dataset)     {"prompt_id": …, "task": …, "prompt": […], "completions": [[{…}], …], "scores": [5.0, 3.5, 1.0]}
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from ..motion.codes import NUM_CODES
from .annotation_records import Annotated
from .degrees import SKIPPED
from .pairs import PairReport
from .schema import motion_message
from .uniqueness import Unique

Rows = Iterable[Mapping[str, Any]]
_SIDES = ("chosen", "rejected")
_START = re.compile(r"<motion_id_(\d+)>")


def preferred(dataset: Any) -> Any:
    """The pairs that somebody preferred one motion of; those that people skipped are left out.

    Args:
        dataset (`Dataset`, `IterableDataset`, dictionary of them, or iterable of rows): with the column `degree`.

    Returns:
        The same kind; an iterator for rows.
    """
    if hasattr(dataset, "filter"):
        return dataset.filter(is_preferred, input_columns=["degree"])
    return (row for row in dataset if is_preferred(row["degree"]))


def is_preferred(degree: str) -> bool:
    """Whether a degree of preference prefers one motion.

    Args:
        degree (`str`): one of `DEGREES`.

    Returns:
        `bool`: False for `"skipped"`.
    """
    return degree != SKIPPED


def unpaired(dataset: Any) -> Any:
    """Motions with a label, good or bad, as KTO is trained with; see `unpaired_rows`.

    Args:
        dataset (`Dataset`, `IterableDataset`, dictionary of them, or rows that can be read twice): of the dataset.

    Returns:
        The same kind; an iterator for rows.

    Raises:
        ValueError: if nothing is left of a `Dataset`; the message says why.
    """
    return _derived(dataset, unpaired_rows, _unpaired_features)


def unpaired_rows(rows: Rows, report: PairReport | None = None) -> Iterator[dict[str, Any]]:
    """Each motion of a prompt once, with a label.

    A motion stands in several pairs, and may win one and lose the other. So the margins of the pairs that it won count
    for it, those of the pairs that it lost against it. Above zero it is good, below zero bad; at zero nobody knows,
    and it is left out: so are motions that were only in pairs that people were unsure of, or skipped.

    The rows are read twice; what is kept is a number for each motion.

    Args:
        rows (`Iterable[Mapping]`): of the dataset; a list or a `Dataset`, no iterator.
        report ([`PairReport`], *optional*): counts prompts, and motions that are left out, by cause.

    Yields:
        `dict[str, Any]`: `prompt` and `completion` as conversations, `label` (`bool`).

    Raises:
        TypeError: if the rows are an iterator, which can be read only once.
    """
    if iter(rows) is rows:
        raise TypeError("Expected rows that can be read twice, such as a list or a Dataset, got an iterator.")
    report = PairReport() if report is None else report
    sums: dict[tuple[str, bytes], float] = defaultdict(float)
    for row in _narrow(rows):
        for side, sign in zip(_SIDES, (1, -1), strict=True):
            sums[_key(row, side)] += sign * row["margin"] * is_preferred(row["degree"])
    report.prompts += len({prompt_id for prompt_id, _ in sums})
    given = Unique()
    seen = Unique()
    for row in rows:
        for side in _SIDES:
            key = _key(row, side)
            if not seen.is_new(f"{key[0]} {key[1].hex()}"):
                continue
            if not sums[key]:
                report.left_out["of a motion that is neither good nor bad"] += 1
                continue
            report.paired += given.is_new(row["prompt_id"])
            yield {"prompt": row["prompt"], "completion": row[side], "label": sums[key] > 0}


def listwise(dataset: Any, num_codes: int = NUM_CODES) -> Any:
    """All motions of a prompt with their scores, the best first; see `listwise_rows`.

    Args:
        dataset (`Dataset`, `IterableDataset`, dictionary of them, rows, or [`Annotated`] prompts): with scores.
        num_codes (`int`, *optional*, defaults to 512): size of the codebook of [`Annotated`] prompts; pairs say it.

    Returns:
        The same kind; an iterator for rows and for annotations.

    Raises:
        ValueError: if nothing is left of a `Dataset`; the message says why.
    """
    return _derived(dataset, partial(listwise_rows, num_codes=num_codes), _listwise_features)


def listwise_rows(
    rows: Iterable[Mapping[str, Any] | Annotated], report: PairReport | None = None, num_codes: int = NUM_CODES
) -> Iterator[dict[str, Any]]:
    """Lists of motions that one judge scored for one prompt, the best first; each motion once.

    Annotations are read one by one. Of pairs, all motions are kept in memory, 4 bytes a code, since the pairs of a
    prompt may stand anywhere. Motions without a score (those that people only compared), and lists of a single motion
    are left out. Where a motion has several scores, their mean counts.

    Args:
        rows (`Iterable[Mapping]` or `Iterable[Annotated]`): pairs of the dataset, or prompts with candidates.
        report ([`PairReport`], *optional*): counts prompts, and what is left out, by cause.
        num_codes (`int`, *optional*, defaults to 512): size of the codebook of [`Annotated`] prompts; pairs say it in
            their messages.

    Yields:
        `dict[str, Any]`: `prompt_id`, `task`, `prompt` (a conversation), `completions` (conversations), `scores`.
    """
    report = PairReport() if report is None else report
    groups: dict[tuple[str, ...], _Group] = {}
    for row in rows:
        if isinstance(row, Annotated):
            yield from _annotated(row, report, num_codes)
            continue
        key = (row["prompt_id"], row["task"], row["judge"], row["rules_version"])
        group = groups.setdefault(key, _Group(key[0], key[1], row["prompt"]))
        for side in _SIDES:
            if row[f"{side}_score"] is None:
                report.unscored["only compared"] += 1
            else:
                group.add(row[f"{side}_codes"], row[f"{side}_score"], _codebook_of(row[side]))
    for group in groups.values():
        yield from group.ranked(report)


class _Group:
    """Motions of one prompt that one judge scored."""

    def __init__(self, prompt_id: str, task: str, prompt: Any) -> None:
        self.prompt_id, self.task, self.prompt = prompt_id, task, prompt
        self._scores: dict[tuple[int, bytes], list[float]] = {}  # by size of the codebook, and codes

    def add(self, codes: Iterable[int], score: float, num_codes: int) -> None:
        self._scores.setdefault((num_codes, _packed(codes)), []).append(score)

    def ranked(self, report: PairReport) -> Iterator[dict[str, Any]]:
        report.prompts += 1
        if len(self._scores) < 2:
            report.left_out["with fewer than two scored motions"] += 1
            return
        report.paired += 1
        means = {motion: sum(scores) / len(scores) for motion, scores in self._scores.items()}
        best_first = sorted(means, key=lambda motion: -means[motion])  # stable: equal ones as they came
        yield {
            "prompt_id": self.prompt_id,
            "task": self.task,
            "prompt": self.prompt,
            "completions": [motion_message(np.frombuffer(codes, "<i4").tolist(), size) for size, codes in best_first],
            "scores": [means[motion] for motion in best_first],
        }


def _annotated(prompt: Annotated, report: PairReport, num_codes: int) -> Iterator[dict[str, Any]]:
    groups: dict[tuple[str, str], _Group] = {}
    message = [{"role": "user", "content": prompt.prompt}]
    for candidate in prompt.candidates.values():
        if candidate.score is None:
            report.unscored[candidate.cause or "no verdict"] += 1
            continue
        judge = (candidate.judge, candidate.rules_version)
        group = groups.setdefault(judge, _Group(prompt.prompt_id, prompt.task, message))
        group.add(candidate.codes, candidate.score, num_codes)
    for group in groups.values():
        yield from group.ranked(report)


def _codebook_of(message: Any) -> int:
    """Size of the codebook that a motion's message was written for: its first token has the number after all codes."""
    match = _START.match(message[0]["content"])
    if match is None:
        raise ValueError(f"Expected motion text, which begins with a token such as <motion_id_512>, got {message}.")
    return int(match[1])


def _key(row: Mapping[str, Any], side: str) -> tuple[str, bytes]:
    return row["prompt_id"], _packed(row[f"{side}_codes"])


def _narrow(rows: Rows) -> Rows:
    """Without the columns that a count does not need."""
    select = getattr(rows, "select_columns", None)
    return select(["prompt_id", "chosen_codes", "rejected_codes", "margin", "degree"]) if select else rows


def _packed(codes: Iterable[int]) -> bytes:
    return np.asarray(codes, "<i4").tobytes()


def _derived(dataset: Any, make: Callable[..., Iterator[dict[str, Any]]], features: Callable[[], Any]) -> Any:
    """What `make` gives for the rows of a dataset, as a dataset of the same kind."""
    if isinstance(dataset, Mapping):
        split_up: Any = type(dataset)
        return split_up({name: _derived(part, make, features) for name, part in dataset.items()})
    if not hasattr(dataset, "column_names"):
        return make(dataset)
    split = {} if dataset.split is None else {"split": dataset.split}
    try:
        return type(dataset).from_generator(make, features=features(), gen_kwargs={"rows": dataset}, **split)
    except ValueError as error:  # so datasets says that there were no rows
        report = PairReport()
        if next(make(dataset, report=report), None) is not None:
            raise
        why = [f"{count:,} {cause}" for cause, count in report.left_out.items()]
        why += [f"{count:,} motions without a score, {cause}" for cause, count in report.unscored.items()]
        of = f"{len(dataset):,} pairs{f' of {dataset.split}' if split else ''}"
        raise ValueError(
            f"Expected something to be left of {of}, but nothing is; left out: {', '.join(why) or 'nothing'}. Take "
            "another configuration or split of the dataset."
        ) from error


def _unpaired_features() -> Any:
    from datasets import Features, Value

    from .schema import features

    ours = features()
    return Features({"prompt": ours["prompt"], "completion": ours["chosen"], "label": Value("bool")})


def _listwise_features() -> Any:
    from datasets import Features, List, Value

    from .schema import features

    ours = features()
    return Features(
        {
            "prompt_id": ours["prompt_id"],
            "task": ours["task"],
            "prompt": ours["prompt"],
            "completions": List(ours["chosen"]),
            "scores": List(Value("float32")),
        }
    )
