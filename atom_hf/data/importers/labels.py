"""One line of labels in InstructMotion's layout as a row of the dataset, wherever the files lie.

{"id": 7, "prompt": "a man waves", "sample_1": {"features": "features/a.npy", "seed": 3},
 "sample_2": {"features": "features/b.npy", "seed": 9},
 "chosen": [{"choice": "sample_2", "degree of preference": "Much better", "user": "Ann"}]}

Labels that were exported by atom_hf have the task, the judge and its rules, and scores of the samples, too.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any, NamedTuple, Protocol

import numpy as np

from ..degrees import SKIPPED, read_degree
from ..schema import HUMAN, pair_row
from .faults import RowFault, RowMaker, prompt_id_of, seed_of, text_of

LABELS = "preference_labels.jsonl"
SAMPLES = ("sample_1", "sample_2")
LAST = "the last entry of chosen in the labels is the verdict, with its choice and its degree"
MAX_TOKEN_BYTES = 2**20  # a motion of ten seconds has 49 codes
MAX_LINE = 2**20
OUTSIDE = "with a path that leaves the folder"  # causes, as they are counted
MISSING = "with a token file that is not there"
BROKEN = "with a token file that is broken"
_HASHED = re.compile(r"voter-[0-9a-f]{12}")


class LabelFiles(Protocol):
    """A folder or an archive with labels and tokens."""

    where: str

    def open_labels(self) -> IO[bytes]:
        """The labels, as a stream of lines."""

    def read_tokens(self, places: Sequence[PurePosixPath]) -> np.ndarray:
        """The array at the first of some places that is there.

        Args:
            places (`Sequence[PurePosixPath]`): below the folder that holds the labels.

        Returns:
            `np.ndarray`: of any shape; codes.
        """


class Vote(NamedTuple):
    """An entry of `chosen`.

    Args:
        choice (`str`): `"sample_1"`, `"sample_2"` or `"skipped"`.
        degree (`str`): one of `DEGREES`.
        voter (`str`): hashed.
    """

    choice: str
    degree: str
    voter: str


@dataclass(frozen=True)
class LabelForm:
    """What labels of one file have in common.

    Args:
        prefix (`str`): of the ids.
        task (`str`, *optional*): what was judged, where a row does not say it; None if nobody knows.
        judge (`str`): who judged, where a row does not say it; the votes are kept where it was people.
        model (`str`): who made the motions, where a sample does not say it.
        num_codes (`int`): size of the codebook.
        degree (`str`, *optional*): of rows that have none.
    """

    prefix: str
    task: str | None
    judge: str
    model: str
    num_codes: int
    degree: str | None = None


def rows_of_labels(files: LabelFiles, form: LabelForm, maker: RowMaker) -> Iterator[dict[str, Any]]:
    """Rows of one file of labels.

    Args:
        files ([`LabelFiles`]): labels and tokens.
        form ([`LabelForm`]): what the labels have in common.
        maker ([`RowMaker`]): keeps the account.

    Yields:
        `dict[str, Any]`: rows of the dataset.

    Raises:
        AnnotationError: at the first fault, unless faults are skipped.
    """
    maker.report.verdicts.add(LAST)
    with closing(files.open_labels()) as stream:
        yield from maker.rows(files.where, _records(stream), lambda record: _row(record, files, form))


def _records(stream: IO[bytes]) -> Iterator[tuple[int, Any]]:
    row = 0
    while line := stream.readline(MAX_LINE + 1):
        row += 1
        if len(line) > MAX_LINE:
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_LINE)
            yield row, RowFault("in a line that is too long", f"expected a line of at most {MAX_LINE} bytes.")
        elif line.strip():
            yield row, _parse(line)


def _parse(line: bytes) -> Any:
    try:
        record = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        cut = "" if line.endswith(b"\n") else " The line has no end: the file is cut off; get it again."
        return RowFault("in a line that is no JSON", f"expected a JSON object, but {error}.{cut}")
    if not isinstance(record, dict):
        return RowFault("in a line that is no JSON", f"expected a JSON object, got {line[:60]!r}.")
    return record


def _row(record: Mapping[str, Any], files: LabelFiles, form: LabelForm) -> dict[str, Any]:
    name = record.get("id")
    name = text_of(str(name) if type(name) is int else name, "id")
    prompt = text_of(record.get("prompt"), "prompt")
    votes = _votes(record.get("chosen"), form.degree)
    task = record.get("task") or form.task
    if task is None:
        raise RowFault("without a task", "expected a folder or an archive that is named after its task; pass task=….")
    judge = form.judge if record.get("judge") is None else text_of(record["judge"], "judge")
    winner = SAMPLES[votes[-1].choice == SAMPLES[1]]  # of a pair that was skipped, the first
    loser = SAMPLES[winner == SAMPLES[0]]
    motions = {sample: _motion(record.get(sample), sample, files, form) for sample in SAMPLES}
    if judge == HUMAN:  # people compared; a score beside a motion is somebody else's
        motions = {sample: motion | {"score": None} for sample, motion in motions.items()}
    if motions[winner]["codes"] == motions[loser]["codes"] and votes[-1].degree != SKIPPED:
        raise RowFault("of two motions that are the same", f"pair {name!r}: expected two motions that differ.")
    choices = {winner: "chosen", loser: "rejected", SKIPPED: SKIPPED}
    said = [{"voter": vote.voter, "choice": choices[vote.choice], "degree": vote.degree} for vote in votes]
    return pair_row(
        id=f"{form.prefix}/{name}",
        prompt_id=prompt_id_of(prompt),
        prompt=prompt,
        task=task,
        chosen=motions[winner],
        rejected=motions[loser],
        degree=votes[-1].degree,
        judge=judge,
        rules_version=record.get("rules_version") or "",
        votes=said if judge == HUMAN else (),
        num_codes=form.num_codes,
    )


def _votes(given: Any, default: str | None) -> list[Vote]:
    if not isinstance(given, list) or not given or not all(isinstance(entry, dict) for entry in given):
        raise RowFault("without a vote", f"expected a list of votes in 'chosen', got {str(given)[:60]!r}.")
    votes = []
    for entry in given:
        choice, degree = entry.get("choice"), entry.get("degree of preference")
        if choice not in (*SAMPLES, SKIPPED):
            raise RowFault(
                "with an unknown choice", f"expected a choice, {', '.join(SAMPLES)} or {SKIPPED}, got {choice!r}."
            )
        try:
            degree = SKIPPED if choice == SKIPPED else read_degree(degree if degree not in (None, "null") else default)
        except ValueError as error:
            raise RowFault("with an unknown degree", str(error)) from error
        choice = SKIPPED if degree == SKIPPED else choice
        votes.append(Vote(choice, degree, _hashed(entry.get("user"))))
    return votes


def _hashed(user: Any) -> str:
    name = str(user or "").strip()
    if not name or _HASHED.fullmatch(name):  # exported by us, and hashed before
        return name
    return f"voter-{hashlib.sha256(name.encode(errors='replace')).hexdigest()[:12]}"


def _motion(sample: Any, name: str, files: LabelFiles, form: LabelForm) -> dict[str, Any]:
    if not isinstance(sample, dict):
        raise RowFault(
            "without two motions", f"expected {name!r} with a path in 'features', got {str(sample)[:60]!r}."
        )
    array = files.read_tokens(token_places(sample.get("features"), name))
    row = array[0] if array.ndim == 2 and len(array) == 1 else array
    if row.ndim != 1 or not len(row) or row.dtype.kind not in "iu":
        raise RowFault(
            "with a token file of another form",
            f"{name}: expected integer codes of shape (1, T) or (T,), got {array.dtype} of shape {array.shape}.",
        )
    codes = row.tolist()
    if outside := [code for code in codes if not 0 <= code < form.num_codes]:
        raise RowFault(
            "with codes out of range",
            f"{name}: expected codes from 0 to {form.num_codes - 1}, got {outside[:3]}; was another codebook used? "
            "Pass num_codes=….",
        )
    model = sample.get("from")
    model = model if isinstance(model, str) and model.strip() else form.model
    return {"codes": codes, "model": model, "seed": seed_of(sample.get("seed")), "score": sample.get("score")}


def token_places(features: Any, name: str) -> list[PurePosixPath]:
    """Where the codes of a motion may lie, from the path of its features.

    Args:
        features (`str`): such as `"…/features/x.npy"`, from any machine.
        name (`str`): of the sample, for messages.

    Returns:
        `list[PurePosixPath]`: inside the folder; the longest first, `tokens/x_token.npy` last.

    Raises:
        RowFault: if it is no path of features, or one that leads out of its folder.
    """
    text = features.replace("\\", "/") if isinstance(features, str) else ""
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise RowFault(OUTSIDE, f"{name}: expected a path inside the folder, got {text[:80]!r}.")
    good = text.endswith(".npy") and "features" in parts[:-1] and len(parts) < 40 and "\0" not in text
    if not good or max(map(len, parts)) > 200:
        raise RowFault(
            OUTSIDE if text.startswith("/") else "without a path of features",
            f"{name}: expected a path such as features/x.npy in 'features', got {str(features)[:80]!r}.",
        )
    last = len(parts) - 2 - parts[-2::-1].index("features")
    tail = ["tokens", *parts[last + 1 : -1], f"{parts[-1].removesuffix('.npy')}_token.npy"]
    places = []
    for start in range(last + 1):
        before = parts[start:last]
        moved = [part.replace("data2", "data3") for part in before]  # the authors' own tokens lie there
        places += [PurePosixPath(*head, *tail) for head in ([before, moved] if moved != before else [before])]
    return places


def not_there(places: Sequence[PurePosixPath]) -> str:
    """What to say of a motion without codes.

    Args:
        places (`Sequence[PurePosixPath]`): where they were looked for.

    Returns:
        `str`: the problem.
    """
    return f"expected codes at {places[-1]}, but there is no such file; unpack the tokens beside {LABELS}."
