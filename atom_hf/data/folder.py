"""The dataset as a folder of Parquet that `datasets.load_dataset` reads from a disk and from the Hub alike.

motionprefer/
  README.md                                   the card, whose YAML says which files make which configuration
  data/temporal/train-00000-of-00002.parquet  data/<part>/<split>-<number>-of-<count>.parquet
  data/human/test-00000-of-00001.parquet      …

write_motionprefer(rows_of("annotations"), "motionprefer")   →  98 rows in 7 files
load_dataset("motionprefer", "temporal", split="test", streaming=True)
"""

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..motion.codes import NUM_CODES
from ..motion.formats.whole_folder import whole_folder
from .card import CardFacts, dataset_card
from .made_from import digest_of
from .pairs import PairReport, PairRule
from .parts import PARTS, part_of
from .places import RunLock, check_place
from .schema import faults, prompt_of
from .splits import SPLITS
from .stopped_runs import clear_stopped_runs
from .summary import WriteSummary
from .tables import arrow_schema, table_of
from .uniqueness import OneSplit, Unique

_GROUP = 1_000  # rows; the Hub's viewer reads a group at a time
_FILE = 20_000  # rows
_MARK = b"motionprefer"  # in the files' metadata: the size of the codebook, and by which we know our own
_KEPT = (".git", ".gitattributes", ".cache")  # what goes over into a folder that replaces another
_BESIDE = ("README.md", "data", *_KEPT)  # what may be in a folder that is replaced


def write_motionprefer(
    rows: Iterable[tuple[str, Mapping[str, Any]]],
    folder: str | Path,
    *,
    num_codes: int = NUM_CODES,
    facts: CardFacts | None = None,
    overwrite: bool = False,
    rows_per_group: int = _GROUP,
    rows_per_file: int = _FILE,
) -> WriteSummary:
    """Write a dataset, whole or not at all; memory does not grow with it, but for a few hashes a row.

    Args:
        rows (`Iterable[tuple[str, Mapping]]`): split and row, such as those of `rows_of`.
        folder (`str` or `Path`): where; it must not hold anything.
        num_codes (`int`, *optional*, defaults to 512): size of the codebook.
        facts ([`CardFacts`], *optional*): what the card says besides what the rows tell.
        overwrite (`bool`, *optional*, defaults to `False`): replace a folder that was written by this function.
        rows_per_group (`int`, *optional*, defaults to 1000): rows of a row group; so many are in memory for each part
            and split.
        rows_per_file (`int`, *optional*, defaults to 20000): most rows of a file.

    Returns:
        [`WriteSummary`]: what was written.

    Raises:
        FileExistsError: if the folder holds something, and `overwrite` is off or it is no dataset of ours.
        OSError: if nothing can be written there, or another run is writing to it.
        ValueError: if there are no rows, a row has a fault, two have one id, or a prompt is in both splits. The folder
            is as it was then.
    """
    folder = Path(folder).resolve()
    if min(rows_per_group, rows_per_file) < 1:
        raise ValueError(f"A row group and a file have at least one row, got {rows_per_group} and {rows_per_file}.")
    check_place(folder)
    check = partial(_check_target, overwrite=overwrite)
    report, rule = (facts.report, facts.rule) if facts else (None, None)
    with RunLock(folder.with_name(f".{folder.name}.lock"), of=folder).alone() as locked:
        if locked:
            clear_stopped_runs(folder, ("README.md", "data"), keep=_KEPT)
        with whole_folder(folder, check, keep=_KEPT) as unfinished:
            summary = _write_rows(rows, unfinished, num_codes, min(rows_per_group, rows_per_file), rows_per_file)
            if not summary.rows:
                raise ValueError(_nothing(report, rule))
            summary.folder = folder
            card = dataset_card(facts, summary=summary, num_codes=num_codes)
            (unfinished / "README.md").write_text(card, encoding="utf-8")
    return summary


def push_motionprefer(
    folder: str | Path,
    repo_id: str,
    *,
    private: bool | None = None,
    token: bool | str | None = None,
    revision: str | None = None,
    create_pr: bool = False,
    commit_message: str = "Upload MotionPrefer",
) -> str:
    """Upload a folder to a dataset repository of the Hub, after a look for faults; files of an older upload go.

    Args:
        folder (`str` or `Path`): from `write_motionprefer`.
        repo_id (`str`): such as `"me/motionprefer"`; made if it is not there.
        private (`bool`, *optional*): who may see a new repository.
        token (`str`, *optional*): access token; the stored one without it.
        revision (`str`, *optional*): branch; made if it is not there.
        create_pr (`bool`, *optional*, defaults to `False`): open a pull request instead.
        commit_message (`str`, *optional*, defaults to `"Upload MotionPrefer"`): what changed.

    Returns:
        `str`: address of the commit or of the pull request.

    Raises:
        ValueError: if the folder has faults; nothing is uploaded then.
        OSError: if there is no folder, no network, or no right to write.
    """
    from huggingface_hub import HfApi

    from .validate import MOTIONPREFER, validate_folder

    folder = Path(folder)
    validation = validate_folder(folder, num_codes=num_codes_of(folder))
    if validation.kind != MOTIONPREFER or not validation.ok:
        raise ValueError(
            f"Expected a folder of MotionPrefer without faults, nothing was uploaded. {validation.report(limit=10)}"
        )
    api = HfApi(token=token)
    repo_id = api.create_repo(repo_id, repo_type="dataset", private=private, exist_ok=True).repo_id
    if revision is not None and not revision.startswith("refs/pr"):
        api.create_branch(repo_id, repo_type="dataset", branch=revision, exist_ok=True)
    commit = api.upload_folder(
        repo_id=repo_id,
        repo_type="dataset",
        folder_path=folder,
        allow_patterns=["README.md", "data/**"],
        delete_patterns=["data/**"],  # files with another -of-N would be read beside ours
        commit_message=commit_message,
        revision=revision,
        create_pr=create_pr,
    )
    return str(commit.pr_url if create_pr and commit.pr_url else commit.commit_url)


def num_codes_of(folder: str | Path) -> int:
    """Size of the codebook that a folder was written for.

    Args:
        folder (`str` or `Path`): from `write_motionprefer`.

    Returns:
        `int`: 512 where the files do not say.
    """
    for path in sorted(Path(folder).glob("data/*/*.parquet")):
        try:
            stored = (pq.read_metadata(path).metadata or {}).get(_MARK)
        except (OSError, pa.ArrowException):  # broken; that is for `validate_folder` to say
            continue
        return int(stored) if stored and stored.isdigit() else NUM_CODES
    return NUM_CODES


def _write_rows(
    rows: Iterable[tuple[str, Mapping[str, Any]]], folder: Path, num_codes: int, group: int, most: int
) -> WriteSummary:
    summary = WriteSummary(folder)
    ids, prompts, one_split = Unique(), Unique(), OneSplit()
    shards: dict[tuple[str, str], _Shards] = {}
    try:
        for number, item in enumerate(rows, 1):
            if not isinstance(item, tuple) or len(item) != 2 or not isinstance(item[1], Mapping):
                raise TypeError(
                    f"Row {number}: expected a split and a row, as rows_of has them, got {str(item)[:80]}."
                )
            split, row = item
            if split not in SPLITS:
                raise ValueError(f"Row {number}: expected a split, one of {', '.join(SPLITS)}, got {split!r}.")
            if found := faults(row, num_codes):
                raise ValueError(f"Row {number}, id {str(row.get('id'))[:80]!r}: {'; '.join(found)}.")
            if not ids.is_new(row["id"]):
                raise ValueError(f"Row {number}: the id {row['id']!r} stands in an earlier row too; ids are unique.")
            if fault := one_split.fault(row["prompt_id"], prompt_of(row), split):
                raise ValueError(f"Row {number}, id {row['id']!r}: {fault}")
            summary.prompts += prompts.is_new(row["prompt_id"])
            summary.add(split, row)
            key = (part_of(row), split)
            if key not in shards:
                shards[key] = _Shards(folder / "data" / key[0], split, num_codes, group, most)
            shards[key].add(row)
        for part in shards.values():
            part.finish()
    finally:
        for part in shards.values():
            part.close()
    files = list(folder.glob("data/*/*.parquet"))
    summary.files, summary.num_bytes = len(files), sum(path.stat().st_size for path in files)
    summary.digests = {part: digest_of(folder.glob(f"data/{part}/*"), folder) for part in summary.counts}
    return summary


def _nothing(report: PairReport | None, rule: PairRule | None) -> str:
    """What to say of a dataset without rows, with what became of those that there might have been."""
    text = "Expected at least one pair, got none; a dataset without rows cannot be loaded."
    if report is not None:
        text += f"\n{report}"
    if rule is not None:
        text += (
            f"\nMore pairs come from a smaller min_gap (it is {rule.min_gap:g}), a smaller min_score (it is "
            f"{rule.min_score:g}), or more motions of each prompt."
        )
    return text


class _Shards:
    """The files of one part and split."""

    def __init__(self, folder: Path, split: str, num_codes: int, group: int, most: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.split, self.num_codes, self.group, self.most = folder, split, num_codes, group, most
        self.waiting: list[Mapping[str, Any]] = []
        self.files: list[Path] = []
        self.writer: pq.ParquetWriter | None = None
        self.in_file = 0

    def add(self, row: Mapping[str, Any]) -> None:
        self.waiting.append(row)
        if len(self.waiting) == self.group or self.in_file + len(self.waiting) == self.most:
            self.flush()

    def flush(self) -> None:
        if not self.waiting:
            return
        if self.writer is None:
            self.files.append(self.folder / f"{self.split}-{len(self.files):05d}.parquet")
            self.writer = pq.ParquetWriter(
                self.files[-1], arrow_schema(), compression="zstd", write_page_index=True,
                use_content_defined_chunking=True,  # of another version of the data, the Hub stores what differs
            )  # fmt: skip
        self.writer.write_table(table_of(self.waiting), row_group_size=self.group)
        self.in_file += len(self.waiting)
        self.waiting = []
        if self.in_file == self.most:
            self.close()

    def finish(self) -> None:
        self.flush()
        self.close()
        for number, path in enumerate(self.files):
            path.rename(self.folder / f"{self.split}-{number:05d}-of-{len(self.files):05d}.parquet")

    def close(self) -> None:
        if self.writer is not None:
            writer, self.writer, self.in_file = self.writer, None, 0
            writer.add_key_value_metadata({_MARK: str(self.num_codes).encode()})
            writer.close()


def _check_target(folder: Path, overwrite: bool) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise FileExistsError(f"{folder}: expected a folder, but it is a file; choose another name.")
    names = sorted(path.name for path in folder.iterdir())
    if not names:
        return
    if not overwrite:
        raise FileExistsError(
            f"{folder}: expected an empty folder; pass overwrite=True to replace a MotionPrefer in it."
        )
    others = [name for name in names if name not in _BESIDE]
    others += [
        path.relative_to(folder).as_posix()
        for path in sorted((folder / "data").rglob("*"))
        if path.is_file() and not (path.suffix == ".parquet" and path.parent.name in PARTS)
    ]
    ours = any(_MARK in (_metadata(path) or {}) for path in folder.glob("data/*/*.parquet"))
    if not ours and not any(folder.glob("data/*/*")):  # somebody has deleted the data: the card is left to tell
        ours = _is_our_card(folder / "README.md")
    if others or not ours:
        why = f"it holds {', '.join(others[:5])}" if others else "no file in it says so"
        raise FileExistsError(f"{folder}: only a MotionPrefer is replaced, and {why}; choose another folder.")


def _is_our_card(path: Path) -> bool:
    try:
        header = path.read_text(encoding="utf-8").split("\n---\n")[0]
    except (OSError, UnicodeDecodeError):
        return False
    return header.startswith("---\n") and "\n- motionprefer\n" in header and "\n- atom_hf\n" in header


def _metadata(path: Path) -> dict[bytes, bytes] | None:
    try:
        return pq.read_metadata(path).metadata
    except (OSError, pa.ArrowException):
        return None
