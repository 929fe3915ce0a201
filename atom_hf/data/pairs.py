"""Pairs of motions from scores or from votes, and an account of those that were left out.

report = PairReport()
rows = [row for prompt in read_annotations(folder) for row in pairs_from_scores(prompt, PairRule(), report)]
print(report)   →   612 pairs of 200 prompts; left out: 1203 of equal scores, 87 with a winner of at most 3 …
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from numbers import Integral, Real
from typing import Any

from ..motion.codes import NUM_CODES
from .annotation_records import Annotated, Candidate, Vote
from .degrees import SKIPPED, TOLERANCE, UNSURE, degree_of_gap
from .schema import CHOICES, HUMAN, pair_row

MAJORITY = (
    "the majority decides, and the degree is the median of those that the majority gave; most people skipping makes a "
    "skipped pair, a draw an unsure one"
)


@dataclass(frozen=True)
class PairRule:
    """Which two motions of a prompt make a pair, as AToM has it: the winner is good, and clearly better.

    Args:
        min_gap (`float`, *optional*, defaults to 0.5): smallest difference of the scores, which go from 1 to 5.
        min_score (`float`, *optional*, defaults to 3.0): the winner's score is above it.
        max_pairs (`int`, *optional*, defaults to 4): most pairs of a prompt: each motion as rarely as possible, then
            the largest gaps first.

    Raises:
        TypeError: if one of them is no number.
        ValueError: if a number is out of range.
    """

    min_gap: float = 0.5
    min_score: float = 3.0
    max_pairs: int = 4

    def __post_init__(self) -> None:
        for name, kind in (("min_gap", Real), ("min_score", Real), ("max_pairs", Integral)):
            if not isinstance(value := getattr(self, name), kind) or isinstance(value, bool):
                words = "a number" if kind is Real else "an integer"
                raise TypeError(f"{name} is {words}, got {value!r}, a {type(value).__name__}.")
        if not 0 < self.min_gap <= 4:
            raise ValueError(f"min_gap is above 0 and at most 4, as scores go from 1 to 5, got {self.min_gap}.")
        if not 0 <= self.min_score < 5:
            raise ValueError(f"min_score is from 0 to below 5, as a winner's score is above it, got {self.min_score}.")
        if self.max_pairs < 1:
            raise ValueError(f"max_pairs is at least 1, got {self.max_pairs}.")


@dataclass
class PairReport:
    """How many pairs were made, and how many left out for which cause.

    Args:
        prompts (`int`): prompts that were looked at.
        paired (`int`): prompts with at least one pair.
        pairs (`int`): pairs that were made, skipped ones included.
        degrees (`Counter[str]`): pairs by degree of preference.
        left_out (`Counter[str]`): couples of motions that made no pair, by cause.
        unscored (`Counter[str]`): motions without a score, by cause.
        verdicts (`set[str]`): how several opinions on a pair became one, such as `MAJORITY`; the card says it.
    """

    prompts: int = 0
    paired: int = 0
    pairs: int = 0
    degrees: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    unscored: Counter[str] = field(default_factory=Counter)
    verdicts: set[str] = field(default_factory=set)

    def add(self, other: "PairReport") -> None:
        """Count what another report counted.

        Args:
            other ([`PairReport`]): of other prompts.
        """
        self.prompts += other.prompts
        self.paired += other.paired
        self.pairs += other.pairs
        self.degrees += other.degrees
        self.left_out += other.left_out
        self.unscored += other.unscored
        self.verdicts |= other.verdicts

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data, for JSON.

        Returns:
            `dict[str, Any]`: the fields.
        """
        fields: dict[str, Any] = {}
        for name, value in vars(self).items():
            fields[name] = dict(value) if isinstance(value, Counter) else value
        return fields | {"verdicts": sorted(self.verdicts)}

    def __str__(self) -> str:
        lines = [f"{self.pairs} pairs of {self.paired} of {self.prompts} prompts"]
        for title, counts in (("", self.degrees), ("left out: ", self.left_out), ("unscored: ", self.unscored)):
            lines += [f"  {title}{count} {cause}" for cause, count in counts.most_common()]
        return "\n".join(lines)


def pairs_from_scores(
    prompt: Annotated, rule: PairRule, report: PairReport, num_codes: int = NUM_CODES
) -> list[dict[str, Any]]:
    """Pairs of one prompt from the scores of its candidates.

    Args:
        prompt ([`Annotated`]): with candidates.
        rule ([`PairRule`]): what makes a pair.
        report ([`PairReport`]): counts what is made and left out.
        num_codes (`int`, *optional*, defaults to 512): size of the codebook.

    Returns:
        `list[dict]`: rows of the dataset, the largest gap first.
    """
    report.prompts += 1
    scored = []
    for candidate in prompt.candidates.values():
        if candidate.score is None:
            report.unscored[candidate.cause or "no verdict"] += 1
        else:
            scored.append(candidate)
    possible = []
    for first, second in combinations(sorted(scored, key=lambda candidate: candidate.sample), 2):
        better, worse = (first, second) if _score(first) >= _score(second) else (second, first)
        if cause := _why_not(better, worse, rule):
            report.left_out[cause] += 1
        else:
            possible.append((better, worse))
    rows = []
    for better, worse in _spread(possible, rule.max_pairs):
        rows.append(
            _row(
                prompt,
                better,
                worse,
                degree=degree_of_gap(_score(better) - _score(worse)),
                judge=better.judge,
                rules_version=better.rules_version,
                num_codes=num_codes,
            )
        )
    if more := len(possible) - len(rows):
        report.left_out[f"above {rule.max_pairs} a prompt"] += more
    _count(rows, report)
    return rows


def pairs_from_votes(prompt: Annotated, report: PairReport, num_codes: int = NUM_CODES) -> list[dict[str, Any]]:
    """Pairs of one prompt from people's votes: the majority decides; where a person voted twice, the last vote counts.

    The degree is the median of those that the majority gave, the weaker one of two. A couple on which most people skip
    stays in the data, marked as skipped. A draw counts as negligibly better, for the motion that was voted for first.
    The rows have no scores: what a judge gave the same motions is its own opinion, in rows of its own.

    Args:
        prompt ([`Annotated`]): with candidates and votes.
        report ([`PairReport`]): counts what is made and left out.
        num_codes (`int`, *optional*, defaults to 512): size of the codebook.

    Returns:
        `list[dict]`: rows of the dataset, in the order of the first votes.
    """
    report.prompts += 1
    couples: dict[frozenset[int], list[Vote]] = {}
    for vote in prompt.votes:
        couples.setdefault(frozenset((vote.first, vote.second)), []).append(vote)
    rows = []
    for votes in couples.values():
        winner, loser, degree = majority(votes)
        chosen, rejected = (replace(prompt.candidates[sample], score=None) for sample in (winner, loser))
        if chosen.codes == rejected.codes and degree != SKIPPED:
            report.left_out["of two motions that are the same"] += 1
            continue
        names: dict[int | None, str] = {winner: CHOICES[0], loser: CHOICES[1]}
        rows.append(
            _row(
                prompt,
                chosen,
                rejected,
                id=f"{prompt.prompt_id}/{winner}-{loser}/{HUMAN}",  # a judge may have compared the same two
                degree=degree,
                judge=HUMAN,
                votes=[
                    {"voter": vote.voter, "choice": names.get(_voted_for(vote), SKIPPED), "degree": vote.degree}
                    for vote in votes
                ],
                num_codes=num_codes,
            )
        )
    _count(rows, report)
    if rows:
        report.verdicts.add(MAJORITY)
    return rows


def _row(prompt: Annotated, chosen: Candidate, rejected: Candidate, **values: Any) -> dict[str, Any]:
    return pair_row(
        prompt_id=prompt.prompt_id,
        prompt=prompt.prompt,
        task=prompt.task,
        scenario=prompt.scenario,
        chosen=chosen.as_motion(),
        rejected=rejected.as_motion(),
        **values,
    )


def majority(votes: Sequence[Vote]) -> tuple[int, int, str]:
    """What most people say about two motions.

    Args:
        votes (`Sequence[Vote]`): on the same two motions, in the order in which they came.

    Returns:
        `tuple[int, int, str]`: samples of winner and loser, and the degree of preference; `"skipped"` if more people
            skipped than voted for either motion.
    """
    by_voter: dict[str | int, Vote] = {}
    for i, vote in enumerate(votes):
        voter = vote.voter or i  # nobody's name: every vote counts
        by_voter.pop(voter, None)  # so that the votes that count stay in the order in which they came
        by_voter[voter] = vote
    last = by_voter.values()
    count = Counter(map(_voted_for, last))
    voted = [sample for vote in last if (sample := _voted_for(vote)) is not None]
    in_order = dict.fromkeys([*voted, votes[0].first, votes[0].second])
    winner, loser = sorted(in_order, key=lambda sample: -count[sample])  # stable: of a draw, the one voted for first
    if count[None] > count[winner]:
        return winner, loser, SKIPPED
    if count[winner] == count[loser]:
        return winner, loser, UNSURE
    order = ("much better", "better", "slightly better", UNSURE)
    given = sorted(order.index(vote.degree) for vote in last if _voted_for(vote) == winner)
    return winner, loser, order[given[len(given) // 2]]


def _voted_for(vote: Vote) -> int | None:
    """The sample, or None for a vote that skips."""
    return None if vote.degree == SKIPPED else {"first": vote.first, "second": vote.second}.get(vote.choice)


def _score(candidate: Candidate) -> float:
    assert candidate.score is not None
    return candidate.score


def _why_not(better: Candidate, worse: Candidate, rule: PairRule) -> str | None:
    if better.codes == worse.codes:
        return "of two motions that are the same"
    if _score(better) == _score(worse):
        return "of equal scores"
    if (better.judge, better.rules_version) != (worse.judge, worse.rules_version):
        return "judged by two judges, or by two versions of the rules"
    if _score(better) - _score(worse) < rule.min_gap - TOLERANCE:
        return f"with a gap below {rule.min_gap:g}"
    if _score(better) <= rule.min_score:
        return f"with a winner of at most {rule.min_score:g}"
    return None


def _spread(possible: Sequence[tuple[Candidate, Candidate]], most: int) -> Iterator[tuple[Candidate, Candidate]]:
    """Pairs of motions that were used as rarely as possible, the largest gap first; always the same."""
    used: Counter[int] = Counter()
    left = list(possible)
    for _ in range(min(most, len(left))):
        best = min(left, key=lambda pair: (sum(used[c.sample] for c in pair), _score(pair[1]) - _score(pair[0])))
        left.remove(best)
        used.update(candidate.sample for candidate in best)
        yield best


def _count(rows: Sequence[Mapping[str, Any]], report: PairReport) -> None:
    report.paired += bool(rows)
    report.pairs += len(rows)
    report.degrees.update(row["degree"] for row in rows)
