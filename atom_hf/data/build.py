"""From a folder of labels to rows of the dataset: the one way that the builder and the Parquet writer both take.

rows_of("annotations")       →  ("train", {"id": "p00007/4-1", …}), ("test", {…}), …
shards_of("annotations")     →  {"train": [("integrity", "00000"), …], "test": […]}
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from ..motion.codes import NUM_CODES
from .annotation_records import Annotated
from .annotations import pieces, read_annotations, read_prompts
from .faults import AnnotationError
from .pairs import PairReport, PairRule, pairs_from_scores, pairs_from_votes
from .parts import PARTS, part_of
from .schema import HUMAN, prompt_of
from .splits import SPLITS, split_of_prompt
from .uniqueness import OneSplit
from .validate import ANNOTATIONS, ATOM, INSTRUCTMOTION, kind_of

SOURCES = {"annotations": ANNOTATIONS, "instructmotion": INSTRUCTMOTION, "atom": ATOM}
Row: TypeAlias = dict[str, Any]
Shard: TypeAlias = tuple[str, str | None]  # part, and piece of the annotations


def source_of(folder: str | Path) -> str:
    """What kind of labels a folder holds.

    Args:
        folder (`str` or `Path`): raw annotations, or the files of InstructMotion or AToM.

    Returns:
        `str`: one of `SOURCES`.

    Raises:
        FileNotFoundError: if there is no such folder.
        NotADirectoryError: if it is a file.
        ValueError: if it holds none of these; MotionPrefer's own Parquet needs no building.
    """
    kind = kind_of(folder)
    for source, name in SOURCES.items():
        if name == kind:
            return source
    raise ValueError(
        f"{folder}: expected labels to build from, but it is {kind} already; "
        f"use datasets.load_dataset({str(folder)!r})."
    )


def rows_of(
    folder: str | Path,
    rule: PairRule | None = None,
    *,
    source: str | None = None,
    test_share: float = 0.1,
    split_seed: int = 0,
    num_codes: int = NUM_CODES,
    names: Sequence[str] | None = None,
    parts: Sequence[str] = PARTS,
    splits: Sequence[str] = SPLITS,
    report: PairReport | None = None,
    import_options: Mapping[str, Any] | None = None,
) -> Iterator[tuple[str, Row]]:
    """Rows of the dataset with the split that each belongs to, one piece of the labels in memory at a time.

    Args:
        folder (`str` or `Path`): raw annotations, or the files of InstructMotion or AToM.
        rule ([`PairRule`], *optional*): which two scored motions make a pair.
        source (`str`, *optional*): one of `SOURCES`; found out by default.
        test_share (`float`, *optional*, defaults to 0.1): share of the prompts that are held out, where the labels do
            not say which.
        split_seed (`int`, *optional*, defaults to 0): another one holds out others.
        num_codes (`int`, *optional*, defaults to 512): size of the codebook.
        names (`Sequence[str]`, *optional*): pieces of the annotations, all by default.
        parts (`Sequence[str]`, *optional*): parts of the dataset that are wanted, all by default.
        splits (`Sequence[str]`, *optional*): splits that are wanted, both by default.
        report ([`PairReport`], *optional*): counts what is made and left out.
        import_options (`Mapping`, *optional*): for `read_instructmotion` or `read_atom`, such as
            `{"on_fault": "skip"}`.

    Yields:
        `tuple[str, dict]`: split, and a row without faults.

    Raises:
        AnnotationError: if the annotations are broken, or a prompt is in both splits.
        ValueError: if the source is unknown, or a row has a fault.
    """
    source = _known(source) if source else source_of(folder)
    if source != "annotations":
        for row in _imported(folder, source, report=report, num_codes=num_codes, **(import_options or {})):
            split = split_of_prompt(prompt_of(row), test_share, split_seed)
            if split in splits and part_of(row) in parts:
                yield split, row
        return
    guard = OneSplit()
    for prompt in read_annotations(folder, names, num_codes):
        split = prompt.split or split_of_prompt(prompt.prompt, test_share, split_seed)
        if fault := guard.fault(prompt.prompt_id, prompt.prompt, split):
            raise AnnotationError(folder, fault)
        if split in splits:
            for row in _rows_of_prompt(prompt, rule or PairRule(), parts, num_codes, report or PairReport()):
                yield split, row


def shards_of(
    folder: str | Path,
    rule: PairRule | None = None,
    *,
    source: str | None = None,
    parts: Sequence[str] = PARTS,
    **options: Any,
) -> dict[str, list[Shard]]:
    """What each split is made of, in the order of its rows: part by part, and within a part piece by piece.

    Only prompts are read in full; they are checked across all pieces, since a shard sees one piece alone.

    Args:
        folder (`str` or `Path`): as in `rows_of`.
        rule ([`PairRule`], *optional*): which two scored motions make a pair.
        source (`str`, *optional*): one of `SOURCES`; found out by default.
        parts (`Sequence[str]`, *optional*): parts of the dataset that are wanted, all by default.
        **options (*optional*): `test_share`, `split_seed`, `num_codes` and `import_options`, as in `rows_of`.

    Returns:
        `dict[str, list[tuple]]`: split to (part, piece), for splits with at least one row; piece is None where the
            labels have no pieces.

    Raises:
        AnnotationError: if prompts are broken, two have one id, or one is in both splits.
        ValueError: if the source is unknown.
    """
    source = _known(source) if source else source_of(folder)
    if source == "annotations":
        found = _shards_of_annotations(folder, options.get("test_share", 0.1), options.get("split_seed", 0))
    else:
        rows = rows_of(folder, source=source, **options)
        found = {(split, part_of(row), None) for split, row in rows}
    shards: dict[str, list[Shard]] = {}
    for split in SPLITS:
        wanted = sorted(
            ((part, piece) for of, part, piece in found if of == split and part in parts),
            key=lambda shard: (PARTS.index(shard[0]), shard[1] or ""),
        )
        chosen: dict[str, Any] = {"source": source, "splits": (split,), **options}
        if any(next(rows_of_shard(folder, rule, shard, **chosen), None) for shard in wanted):
            shards[split] = wanted
    return shards


def rows_of_shard(
    folder: str | Path, rule: PairRule | None, shard: Shard, **options: Any
) -> Iterator[tuple[str, Row]]:
    """Rows of one shard.

    Args:
        folder (`str` or `Path`): as in `rows_of`.
        rule ([`PairRule`], *optional*): which two scored motions make a pair.
        shard (`tuple`): part and piece, from `shards_of`.
        **options (*optional*): as in `rows_of`.

    Yields:
        `tuple[str, dict]`: split and row.
    """
    part, piece = shard
    names = None if piece is None else (piece,)
    yield from rows_of(folder, rule, parts=(part,), names=names, report=PairReport(), **options)


def _known(source: str) -> str:
    if source not in SOURCES:
        raise ValueError(f"source is one of {', '.join(SOURCES)}, or None to find out, got {source!r}.")
    return source


def _rows_of_prompt(
    prompt: Annotated, rule: PairRule, parts: Sequence[str], num_codes: int, report: PairReport
) -> list[Row]:
    rows: list[Row] = []
    counts = PairReport()
    judged = any(candidate.judged for candidate in prompt.candidates.values())
    if prompt.task in parts and (judged or not prompt.votes):
        rows += pairs_from_scores(prompt, rule, counts, num_codes)
    if HUMAN in parts and prompt.votes:
        rows += pairs_from_votes(prompt, counts, num_codes)
    counts.prompts, counts.paired = 1, bool(rows)  # one prompt, whoever compared its motions
    report.add(counts)
    return rows


def _shards_of_annotations(folder: str | Path, test_share: float, seed: int) -> set[tuple[str, str, str | None]]:
    """(split, part, piece) that may have rows, after a look at every prompt."""
    found: set[tuple[str, str, str | None]] = set()
    guard, seen = OneSplit(), dict[str, str]()
    for name in pieces(folder):
        path = Path(folder) / "prompts" / f"{name}.jsonl"
        voted = (Path(folder) / "votes" / path.name).exists()
        for row, prompt in read_prompts(folder, name):
            if prompt.prompt_id in seen:
                where = seen[prompt.prompt_id]
                raise AnnotationError(path, f"the id {prompt.prompt_id!r} stands in {where} too.", row)
            seen[prompt.prompt_id] = f"{path.name}, row {row}"
            split = prompt.split or split_of_prompt(prompt.prompt, test_share, seed)
            if fault := guard.fault(prompt.prompt_id, prompt.prompt, split):
                raise AnnotationError(folder, fault)
            found.add((split, prompt.task, name))
            if voted:
                found.add((split, HUMAN, name))
    return found


def _imported(folder: str | Path, source: str, **options: Any) -> Iterator[Row]:
    from .importers import read_atom, read_instructmotion

    yield from (read_instructmotion if source == "instructmotion" else read_atom)(folder, **options)
