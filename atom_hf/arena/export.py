"""The votes as files: as they are, as MotionPrefer (configuration human), and in InstructMotion's layout.

export_votes(store, settings, "votes")                               votes/<arena>.jsonl, .parquet and a card
export_votes(store, settings, "prefer", format="motionprefer", encode=model.encode_motion)
export_votes(store, settings, "labels", format="instructmotion", encode=model.encode_motion)

Names are keyed hashes. Votes of the training round and on gold questions are in the first one alone, where `kind` says
what they are, and so are repeats. In the others a tie is a vote with the degree "negligibly better/unsure" for the
motion that was shown first, which a coin decided before the vote. Files of raw votes are named after the store, so
that those of a store that was begun anew stand beside the older ones, in a folder or on the Hub, and replace none.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..data.annotation_records import Annotated, Candidate, Vote
from ..data.card import CardFacts
from ..data.degrees import SKIPPED, UNSURE
from ..data.escaping import markdown_text
from ..data.exporters import write_instructmotion
from ..data.json_lines import write_lines
from ..data.pairs import MAJORITY, PairReport, pairs_from_votes
from ..data.splits import split_of_prompt
from ..motion import Motion
from ..motion.codes import NUM_CODES
from ..motion.formats.whole_folder import refuse_used, whole_folder
from ..motion.layout import FPS
from .answers import QUESTIONS
from .clips import unpack
from .counted import CountedVote, counted_votes
from .errors import ArenaError
from .quality import flagged
from .settings import Settings
from .store import Store
from .voting import when

Encode = Callable[[list[Motion]], Sequence[Any]]
FORMATS = ("votes", "motionprefer", "instructmotion")
TIES = f"a tie is a vote of {UNSURE!r} for the motion that a coin had put first"
_ASKED = tuple(sorted({question.name for asked in QUESTIONS.values() for question in asked}))


class Exported(NamedTuple):
    """What was written.

    Args:
        folder (`Path`): where.
        votes (`int`): votes in it.
        rows (`int`): pairs in it; of raw votes, the same as `votes`.
        left_out (`tuple[str, ...]`): labellers below the thresholds whose votes are left out.
        report ([`PairReport`], *optional*): how votes became pairs.
    """

    folder: Path
    votes: int
    rows: int
    left_out: tuple[str, ...]
    report: PairReport | None


def export_votes(
    store: Store,
    settings: Settings,
    folder: str | Path,
    *,
    format: str = "votes",
    encode: Encode | None = None,
    num_codes: int = NUM_CODES,
    without_flagged: bool = False,
    test_share: float = 0.1,
    overwrite: bool = False,
) -> Exported:
    """Write the votes that count: the whole folder, or nothing.

    Args:
        store ([`Store`]): the store.
        settings ([`Settings`]): of the campaign.
        folder (`str` or `Path`): new or empty.
        format (`str`, *optional*, defaults to `"votes"`): one of `FORMATS`.
        encode (`Callable`, *optional*): takes motions and gives codes of each, such as `model.encode_motion`; needed
            for pairs whose motions came without codes. Those that came with codes keep them.
        num_codes (`int`, *optional*, defaults to 512): size of the codebook.
        without_flagged (`bool`, *optional*, defaults to `False`): leave out labellers below the thresholds.
        test_share (`float`, *optional*, defaults to 0.1): share of the prompts that MotionPrefer holds out.
        overwrite (`bool`, *optional*, defaults to `False`): replace a MotionPrefer in the folder.

    Returns:
        [`Exported`]: what was written.

    Raises:
        ArenaError: if the format is unknown, there are no votes, or motions have no codes and `encode` is missing.
        FileExistsError: if the folder holds something.
    """
    if format not in FORMATS:
        raise ArenaError(f"Expected a format, one of {', '.join(FORMATS)}, got {format!r}.")
    left_out = tuple(sorted(flagged(store, settings))) if without_flagged else ()
    folder = Path(folder)
    if format == "votes":
        votes = counted_votes(store, without=left_out)
        _write_votes(store, settings, folder, votes)
        return Exported(folder, len(votes), len(votes), left_out, None)
    votes = counted_votes(store, ("normal",), left_out)
    if not votes:
        raise ArenaError(
            "Expected at least one vote to export, got none; gold questions and repeats are none of them."
        )
    report = PairReport()
    motions = _Motions(store, votes, encode)
    rows = [row for prompt in _annotated(store, votes, motions) for row in pairs_from_votes(prompt, report, num_codes)]
    if format == "instructmotion":
        write_instructmotion(folder, rows, decode=motions.features)
    else:
        from ..data.folder import write_motionprefer

        facts = CardFacts(
            license=settings.license,
            judge="people, who compared two motions without knowing who made them",
            report=report,
            votes=f"{MAJORITY}; {TIES}",
        )
        parts = ((split_of_prompt(row["prompt"][0]["content"], test_share), row) for row in rows)
        write_motionprefer(parts, folder, num_codes=num_codes, facts=facts, overwrite=overwrite)
    return Exported(folder, len(votes), len(rows), left_out, report)


def vote_record(
    vote: CountedVote, prompt: str, task: str, samples: Sequence[int], seeds: Sequence[Any]
) -> dict[str, Any]:
    """A vote as a line of the export.

    Args:
        vote ([`CountedVote`]): a vote.
        prompt (`str`): what the person does.
        task (`str`): what was judged.
        samples (`Sequence[int]`): numbers of motions one and two among those of the prompt.
        seeds (`Sequence[int]`): of motions one and two, None where unknown.

    Returns:
        `dict[str, Any]`: plain values.
    """
    said = json.loads(vote.questions)
    better = {"one": 0, "two": 1}.get(vote.choice)
    return {
        "vote": vote.number,
        "pair": vote.pair,
        "prompt_id": vote.prompt_id,
        "prompt": prompt,
        "task": task,
        "kind": vote.kind,
        "labeller": vote.labeller,
        "sample_one": samples[0],
        "sample_two": samples[1],
        "system_one": vote.systems[0],
        "system_two": vote.systems[1],
        "seed_one": seeds[0],
        "seed_two": seeds[1],
        "shown_first": "one" if vote.one_first else "two",
        "choice": vote.choice,
        "better_system": None if better is None else vote.systems[better],
        "degree": vote.degree,
        "reason": vote.reason,
        **{f"question_{name}": said.get(name) for name in _ASKED},
        "note": vote.note,
        "expected": vote.expected,
        "seconds": vote.seconds,
        "at": when(vote.at),
    }


def _write_votes(store: Store, settings: Settings, folder: Path, votes: Sequence[CountedVote]) -> None:
    about = {
        row[0]: row[1:]
        for row in store.read(
            "SELECT pairs.id, prompts.prompt, task, a.sample, b.sample, a.seed, b.seed FROM pairs "
            "JOIN prompts ON prompts.id = pairs.prompt_id "
            "JOIN motions AS a ON a.id = one JOIN motions AS b ON b.id = two"
        )
    }
    ((arena,),) = store.read("SELECT id FROM identity")
    records = []
    for vote in votes:
        prompt, task, sample_one, sample_two, seed_one, seed_two = about[vote.pair]
        records.append(
            {"arena": arena} | vote_record(vote, prompt, task, (sample_one, sample_two), (seed_one, seed_two))
        )
    with whole_folder(folder, refuse_used) as unfinished:
        write_lines(unfinished / "votes" / f"{arena}.jsonl", records)
        table = "votes/*.jsonl"
        if records and _write_parquet(unfinished / "votes" / f"{arena}.parquet", records):
            table = "votes/*.parquet"
        (unfinished / "README.md").write_text(_card(settings, table, votes), encoding="utf-8")


def _write_parquet(path: Path, records: list[dict[str, Any]]) -> bool:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:  # comes with `datasets`; the lines hold the same
        return False
    kinds = {"vote": pa.int64(), "pair": pa.int64(), "seconds": pa.float64()}
    kinds |= {name: pa.int64() for name in records[0] if name.startswith(("sample_", "seed_"))}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in records[0]])
    pq.write_table(pa.Table.from_pylist(records, schema), path)
    return True


def _card(settings: Settings, table: str, votes: Sequence[CountedVote]) -> str:
    labellers = len({vote.labeller for vote in votes})
    return (
        f"---\nlicense: {json.dumps(settings.license)}\nconfigs:\n- config_name: default\n  data_files: {table}\n---\n"
        f"\n# Votes\n\n{markdown_text(settings.title)}\n\n{len(votes):,} votes of {labellers:,} people, who compared "
        "two motions without knowing who made them. Names are keyed hashes. `kind` says which votes are of the "
        "training round, on gold questions, or repeats with sides swapped; only `normal` ones are preferences to "
        "learn from.\n\n"
        f"What labellers agreed to: {markdown_text(settings.consent)}\n"
    )


class _Motions:
    """Motions that were voted on, with their codes."""

    def __init__(self, store: Store, votes: Sequence[CountedVote], encode: Encode | None) -> None:
        self._store = store
        wanted = {vote.pair for vote in votes}
        self.of_pair: dict[int, tuple[int, int]] = {}
        for pair, one, two in store.read("SELECT id, one, two FROM pairs WHERE kind = 'normal'"):
            if pair in wanted:
                self.of_pair[pair] = (one, two)
        used = {motion for couple in self.of_pair.values() for motion in couple}
        self.candidates: dict[int, Candidate] = {}
        without = []
        for number, sample, system, seed, codes in store.read("SELECT id, sample, system, seed, codes FROM motions"):
            if number not in used:
                continue
            if codes is None:
                without.append((number, sample, system, seed))
            else:
                self._add(number, np.frombuffer(codes, "<i4").tolist(), sample, system, seed)
        if without and encode is None:
            raise ArenaError(
                f"{len(without)} of {len(used)} motions have no codes, which this format is made of. Pass encode, "
                "such as the encode_motion of a model; or export the votes themselves, format='votes'."
            )
        if without and encode is not None:
            found = encode([self._motion(number) for number, *_ in without])
            for (number, sample, system, seed), row in zip(without, found, strict=True):
                self._add(number, [int(code) for code in row], sample, system, seed)
        self._of_codes = {candidate.codes: number for number, candidate in self.candidates.items()}

    def _add(self, number: int, codes: list[int], sample: int, system: str, seed: int | None) -> None:
        self.candidates[number] = Candidate(sample, tuple(codes), system, seed)

    def _motion(self, number: int) -> Motion:
        (row,) = self._store.read("SELECT frames, joints FROM motions WHERE id = ?", (number,))
        return Motion(unpack(*row), FPS)

    def features(self, codes: list[list[int]]) -> list[np.ndarray]:
        """Features `[T, 263]` of the motions that were shown, not of what their codes decode to."""
        return [self._motion(self._of_codes[tuple(row)]).to_features() for row in codes]


def _annotated(store: Store, votes: Sequence[CountedVote], motions: _Motions) -> Iterator[Annotated]:
    """Prompts with candidates and votes, in the order of the first votes."""
    given: dict[str, list[CountedVote]] = {}
    for vote in votes:
        given.setdefault(vote.prompt_id, []).append(vote)
    about = {row[0]: row[1:] for row in store.read("SELECT id, prompt, task, scenario FROM prompts")}
    for name, of_prompt in given.items():
        prompt = Annotated(name, *about[name])
        for vote in of_prompt:
            one, two = (motions.candidates[number] for number in motions.of_pair[vote.pair])
            prompt.candidates |= {one.sample: one, two.sample: two}
            prompt.votes.append(_vote(vote, one.sample, two.sample))
        yield prompt


def _vote(vote: CountedVote, one: int, two: int) -> Vote:
    first, second = (one, two) if vote.one_first else (two, one)
    if vote.choice == SKIPPED:
        return Vote(first, second, SKIPPED, SKIPPED, vote.labeller)
    side = "first" if vote.first is not False else "second"  # of a tie, the motion that the coin put first
    return Vote(first, second, side, vote.degree or UNSURE, vote.labeller)
