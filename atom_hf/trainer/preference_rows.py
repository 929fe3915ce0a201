"""Preference data as the trainers take it: checked, in conversations, and as much of it as is wanted.

prepare_pairs(dataset, "train", degrees=["much better"], share=0.2)
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from datasets import Dataset, IterableDataset

from ..data.degrees import DEGREES, SKIPPED
from ..data.views import is_preferred
from ..models import MotionGPTConfig
from .row_faults import content, degree_fault, margin_fault, pair_fault

PAIR_COLUMNS = ("prompt", "chosen", "rejected")
_CHECKED = (*PAIR_COLUMNS, "completion", "label", "degree", "margin")


def check_columns(dataset: Any, columns: Sequence[str], name: str) -> None:
    """Raise where columns are missing.

    Args:
        dataset (`Dataset` or `IterableDataset`): rows.
        columns (`Sequence[str]`): what is needed.
        name (`str`): of the split, for the message.

    Raises:
        ValueError: if the dataset is empty, or a column is missing; it says what is there.
    """
    first = next(iter(dataset), None)
    if first is None:
        raise ValueError(f"The {name} dataset is empty.")
    missing = [column for column in columns if column not in first]
    if missing:
        raise ValueError(
            f"The {name} dataset lacks {', '.join(missing)}: expected {', '.join(columns)}, got {', '.join(first)}. "
            "MotionPrefer has them: load_dataset(atom_hf.DEFAULT_DATASET)."
        )


def prepare_pairs(
    dataset: Any, name: str, config: MotionGPTConfig, *, degrees: Sequence[str] | None = None, share: float = 1.0,
    seed: int = 0, margins: bool = False,
) -> Any:  # fmt: skip
    """Pairs to train on: those that somebody preferred one motion of, as conversations.

    All of them are checked, but for those that were skipped, so that a row's number is that of the dataset.

    Args:
        dataset (`Dataset` or `IterableDataset`): `prompt`, `chosen` and `rejected`, as texts or conversations; the
            column `degree` where there is one, which has to name one of `DEGREES` in every row.
        name (`str`): of the split, for messages.
        config ([`MotionGPTConfig`]): of the model; says how many codes there are.
        degrees (`Sequence[str]`, *optional*): degrees of preference to keep; all but skipped pairs by default.
        share (`float`, *optional*, defaults to 1): of the pairs, chosen by chance; a larger share holds a smaller one.
        seed (`int`, *optional*, defaults to 0): of that choice.
        margins (`bool`, *optional*, defaults to `False`): whether the column `margin` is used, where there is one.

    Returns:
        `Dataset` or `IterableDataset`: of the same kind.

    Raises:
        ValueError: if columns are missing, motions of a pair are equal or no whole motions, a degree or a margin is
            none, nothing is left, or an option is out of range.
    """
    check_columns(dataset, PAIR_COLUMNS, name)
    dataset = as_conversations(dataset, PAIR_COLUMNS)

    def fault(row: dict[str, Any]) -> str | None:
        if row.get("degree") == SKIPPED:
            return None
        found = degree_fault(row) or pair_fault(row, config.num_codes)
        return found or (margin_fault(row) if margins else None)

    dataset = checked(dataset, fault, name)
    dataset = of_degrees(dataset, degrees, name)
    return share_of(dataset, share, seed, name)


def as_conversations(dataset: Any, columns: Sequence[str]) -> Any:
    """Rows of plain strings as conversations, which is the form that closes prompt and completion once.

    Args:
        dataset (`Dataset` or `IterableDataset`): rows; `prompt` is the user's, every other column the assistant's.
        columns (`Sequence[str]`): which to turn.

    Returns:
        The dataset itself where it holds conversations. What is neither stays, for `conversation_fault` to name it.
    """
    first = next(iter(dataset))
    plain = [column for column in columns if first[column] is None or isinstance(first[column], str)]
    if not plain:
        return dataset

    def turn(row: dict[str, Any]) -> dict[str, Any]:
        return {
            column: [{"role": "user" if column == "prompt" else "assistant", "content": row[column]}]
            for column in plain
            if row[column] is None or isinstance(row[column], str)
        }

    return dataset.map(turn)


def of_degrees(dataset: Any, degrees: Sequence[str] | None, name: str) -> Any:
    """Pairs of some degrees of preference; never those that people skipped.

    Args:
        dataset (`Dataset` or `IterableDataset`): with the column `degree`, or without where `degrees` is None.
        degrees (`Sequence[str]`, *optional*): which; all but skipped by default.
        name (`str`): of the split, for messages.

    Returns:
        The same kind.

    Raises:
        ValueError: if a degree does not exist, or there is no such column, or nothing is left.
    """
    wanted = [degree for degree in DEGREES if degree != SKIPPED]
    unknown = [degree for degree in degrees or () if degree not in wanted]
    if unknown:
        raise ValueError(f"Expected degrees among {', '.join(map(repr, wanted))}, got {unknown[0]!r}.")
    if "degree" not in next(iter(dataset)):
        if degrees:
            raise ValueError(f"The {name} dataset has no column 'degree', so no degrees can be chosen.")
        return dataset
    keep = set(degrees) if degrees else None
    found = dataset.filter(
        lambda degree: is_preferred(degree) and (keep is None or degree in keep), input_columns=["degree"]
    )
    if next(iter(found), None) is None:
        raise ValueError(f"No pair of the {name} dataset is left with degrees {', '.join(degrees or wanted)}.")
    return found


def share_of(dataset: Any, share: float, seed: int, name: str) -> Any:
    """Some of the rows, chosen by chance; of one seed a larger share holds all of a smaller one.

    Args:
        dataset (`Dataset`): rows.
        share (`float`): above 0 and up to 1.
        seed (`int`): of the choice.
        name (`str`): of the split, for messages.

    Returns:
        `Dataset`: in the same order.

    Raises:
        ValueError: if the share is out of range, or the dataset is a stream.
    """
    if not 0 < share <= 1:
        raise ValueError(f"Expected a share of the pairs above 0 and up to 1, got {share}.")
    if share == 1:
        return dataset
    if not isinstance(dataset, Dataset):
        raise ValueError(f"A share of the {name} dataset needs its size, which a stream has not; load it whole.")
    chosen = np.random.default_rng(seed).permutation(len(dataset))[: max(1, round(share * len(dataset)))]
    return dataset.select(np.sort(chosen))


def checked(dataset: Any, fault: Callable[[dict[str, Any]], str | None], name: str) -> Any:
    """The dataset, if none of its rows has a fault; a stream is checked as it is read.

    Args:
        dataset (`Dataset` or `IterableDataset`): rows.
        fault (`Callable`): from a row, what is wrong with it, or None.
        name (`str`): of the split, for messages.

    Returns:
        The dataset.

    Raises:
        ValueError: if rows have faults; says how many, and shows the first, with its number.
    """
    if isinstance(dataset, IterableDataset):

        def check(row: dict[str, Any]) -> dict[str, Any]:
            if (found := fault(row)) is not None:
                raise ValueError(f"A row of the {name} dataset: {found}")
            return row

        return dataset.map(check)
    faults = [(i, found) for i, row in enumerate(_text_columns(dataset)) if (found := fault(row)) is not None]
    if faults:
        i, found = faults[0]
        raise ValueError(
            f"{len(faults)} of {len(dataset)} rows of the {name} dataset cannot be used; row {i}: {found}"
        )
    return dataset


def check_lengths(dataset: Any, columns: Iterable[str], longest_prompt: int, max_length: int | None, name: str) -> Any:
    """Raise where tokenised rows would be cut off without a word.

    Args:
        dataset (`Dataset`): tokenised, with `prompt_ids` and completions.
        columns (`Iterable[str]`): columns of ids of completions.
        longest_prompt (`int`): tokens that the model reads.
        max_length (`int`, *optional*): tokens of prompt and completion.
        name (`str`): of the split, for messages.

    Returns:
        The dataset.

    Raises:
        ValueError: if a prompt or a row is too long; says which, and what to do.
    """
    if isinstance(dataset, IterableDataset):
        return dataset
    prompts = np.asarray([len(ids) for ids in dataset["prompt_ids"]])
    if len(prompts) and prompts.max() > longest_prompt:
        i = int(prompts.argmax())
        raise ValueError(
            f"{int((prompts > longest_prompt).sum())} prompts of the {name} dataset are too long; row {i} has "
            f"{prompts[i]} tokens, and the model reads {longest_prompt}: {content(dataset[i]['prompt'])[:60]!r}…"
        )
    for column in columns if max_length is not None else ():
        lengths = prompts + np.asarray([len(ids) for ids in dataset[column]])
        if len(lengths) and lengths.max() > max_length:
            i = int(lengths.argmax())
            raise ValueError(
                f"Row {i} of the {name} dataset has {lengths[i]} tokens and would be cut off at "
                f"max_length={max_length}; raise max_length."
            )
    return dataset


def _text_columns(dataset: Any) -> Any:
    here = [column for column in _CHECKED if column in dataset.column_names]
    return dataset.select_columns(here)
