"""Blind comparisons of two systems, A against B: wins, ties, losses, and whether that could be chance.

win_rate(["win", "win", "tie", "loss", None])   →  WinRate(wins=2, ties=1, losses=1, unscored=1)
compare_pairwise(judge_pair, motions_a, motions_b).win_rate.rate     # asked in both orders

An outcome is `"win"`, `"tie"` or `"loss"` of A, or None where nobody could say.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from .blinding import Answer, Outcome, blind_pairs, outcome_of
from .proportion import sign_test, wilson_interval


@dataclass(frozen=True)
class WinRate:
    """How often A won against B.

    `rate`, its interval and `p` speak of the pairs that were decided. With many ties they can mislead: 3 wins, no loss
    and 97 ties are a rate of 1. They take pairs for independent: several votes on one pair, or several samples of one
    prompt, are not, and the interval is too narrow then; bring them to one outcome a prompt first.

    Args:
        wins (`int`): of A.
        ties (`int`): neither is better.
        losses (`int`): of A.
        unscored (`int`, *optional*, defaults to 0): nobody could say; no part of any rate.
        confidence (`float`, *optional*, defaults to 0.95): of the interval.

    Raises:
        ValueError: if a count is negative or the confidence is not between 0 and 1.
    """

    wins: int
    ties: int
    losses: int
    unscored: int = 0
    confidence: float = 0.95

    def __post_init__(self) -> None:
        counts = (self.wins, self.ties, self.losses, self.unscored)
        if min(counts) < 0 or not 0 < self.confidence < 1:
            raise ValueError(
                f"Expected counts from 0 and a confidence between 0 and 1, got {counts}, {self.confidence}."
            )

    @property
    def judged(self) -> int:
        """Wins, ties and losses."""
        return self.wins + self.ties + self.losses

    @property
    def rate(self) -> float | None:
        """Wins among wins and losses, 0 to 1, 0.5 where A and B are equal; None where nothing was decided."""
        decided = self.wins + self.losses
        return self.wins / decided if decided else None

    @property
    def score(self) -> float | None:
        """Wins and half of the ties among all that was judged, 0 to 1; None where nothing was judged."""
        return (self.wins + self.ties / 2) / self.judged if self.judged else None

    @property
    def shares(self) -> tuple[float, float, float] | None:
        """Wins, ties and losses among all that was judged; published win rates are usually the first of these."""
        counts = (self.wins, self.ties, self.losses)
        return tuple(n / self.judged for n in counts) if self.judged else None  # type: ignore[return-value]

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's interval of the rate; None where nothing was decided."""
        decided = self.wins + self.losses
        return wilson_interval(self.wins, decided, self.confidence) if decided else None

    @property
    def p(self) -> float:
        """Two-sided p of the exact sign test, ties left out: how often equal systems would differ as much."""
        return sign_test(self.wins, self.losses)


class PositionBias(NamedTuple):
    """Whether a judge prefers what it sees first.

    Args:
        first (`int`): answers for the motion shown first.
        second (`int`): answers for the motion shown second.
        ties (`int`): answers for neither.
        inconsistent (`int`, *optional*): pairs whose two answers contradict each other; None where each pair was asked
            once.
    """

    first: int
    second: int
    ties: int
    inconsistent: int | None

    @property
    def rate(self) -> float | None:
        """Share of the first among decided answers, 0 to 1; 0.5 is no bias, None where nothing was decided.

        Asked in both orders, whichever motion is better cancels out. Asked once, chance sides make it noisy.
        """
        decided = self.first + self.second
        return self.first / decided if decided else None

    @property
    def p(self) -> float:
        """Two-sided p of the sign test of first against second; too large where answers of one pair are consistent."""
        return sign_test(self.first, self.second)


class PairwiseComparison(NamedTuple):
    """What a judge of pairs said.

    Args:
        outcomes (`list[Outcome]`): of A, one for each pair, in order.
        win_rate ([`WinRate`]): their counts.
        position ([`PositionBias`]): whether the side decided.
    """

    outcomes: list[Outcome]
    win_rate: WinRate
    position: PositionBias


def win_rate(outcomes: Sequence[Outcome], confidence: float = 0.95) -> WinRate:
    """Count outcomes.

    Args:
        outcomes (`Sequence[Outcome]`): `"win"`, `"tie"` or `"loss"` of A; None is unscored.
        confidence (`float`, *optional*, defaults to 0.95): of the interval.

    Returns:
        [`WinRate`]: counts, rate, interval and p.

    Raises:
        ValueError: if an outcome is something else.
    """
    for outcome in outcomes:
        if outcome not in ("win", "tie", "loss", None):
            raise ValueError(f"Expected outcomes 'win', 'tie', 'loss' or None, got {outcome!r}.")
    counts = [sum(outcome == kind for outcome in outcomes) for kind in ("win", "tie", "loss", None)]
    return WinRate(counts[0], counts[1], counts[2], counts[3], confidence)


def compare_pairwise(
    judge_pair: Callable[[Any, Any], Answer],
    items_a: Sequence[Any],
    items_b: Sequence[Any],
    *,
    both_orders: bool = True,
    seed: int = 0,
    confidence: float = 0.95,
) -> PairwiseComparison:
    """Have a judge compare the motions of two systems, pair by pair, without telling it which is whose.

    Vision judges prefer a side more than they admit: ask in both orders, and what they say twice counts. Answers that
    contradict each other are a tie; a pair is unscored if either answer is missing. Many inconsistent pairs mean that
    the judge cannot tell these systems apart, whatever its rate is.

    Args:
        judge_pair (`Callable`): gets the motion (or item) shown first and the one shown second, and returns `"first"`,
            `"second"`, `"tie"`, or None where it cannot judge.
        items_a (`Sequence`): of system A, one for each prompt.
        items_b (`Sequence`): of system B, in the same order.
        both_orders (`bool`, *optional*, defaults to `True`): ask twice; otherwise once, with sides drawn by `seed`.
        seed (`int`, *optional*, defaults to 0): of the sides and of which order comes first.
        confidence (`float`, *optional*, defaults to 0.95): of the interval.

    Returns:
        [`PairwiseComparison`]: outcomes of A, win rate and position bias.

    Raises:
        ValueError: if the numbers of items differ or the judge answers something else.
    """
    if len(items_a) != len(items_b):
        raise ValueError(f"Expected an item of both systems for each pair, got {len(items_a)} and {len(items_b)}.")
    outcomes: list[Outcome] = []
    answers: list[Answer] = []
    inconsistent = 0
    for a, b, a_first in zip(items_a, items_b, blind_pairs(len(items_a), seed), strict=True):
        found: list[Outcome] = []
        for first in (a_first, not a_first) if both_orders else (a_first,):
            answer = judge_pair(a, b) if first else judge_pair(b, a)
            found.append(outcome_of(answer, first))
            answers.append(answer)
        if None in found:
            outcomes.append(None)
        elif len(set(found)) == 1:
            outcomes.append(found[0])
        else:
            inconsistent += 1
            outcomes.append("tie")
    counts = [sum(answer == kind for answer in answers) for kind in ("first", "second", "tie")]
    bias = PositionBias(counts[0], counts[1], counts[2], inconsistent if both_orders else None)
    return PairwiseComparison(outcomes, win_rate(outcomes, confidence), bias)


def outcomes_from_scores(
    scores_a: Sequence[float | None], scores_b: Sequence[float | None], tie_margin: float = 0.0
) -> list[Outcome]:
    """Outcomes of A from scores that a judge gave each motion by itself.

    The margin decides much: judges with few different scores tie often, and with a margin of 0 noise of the last digit
    decides. Set it before looking at the result.

    Args:
        scores_a (`Sequence[float]`): of A, None where unscored.
        scores_b (`Sequence[float]`): of B, in the same order and unit.
        tie_margin (`float`, *optional*, defaults to 0.0): a difference up to this is a tie, in the unit of the scores.

    Returns:
        `list[Outcome]`: None where either score is missing.

    Raises:
        ValueError: if the numbers differ, a score is NaN or the margin is negative.
    """
    if len(scores_a) != len(scores_b):
        raise ValueError(f"Expected a score of both systems for each pair, got {len(scores_a)} and {len(scores_b)}.")
    if not tie_margin >= 0:
        raise ValueError(f"Expected a tie_margin of at least 0, got {tie_margin}.")
    outcomes: list[Outcome] = []
    for index, (a, b) in enumerate(zip(scores_a, scores_b, strict=True)):
        if a is None or b is None:
            outcomes.append(None)
        elif a != a or b != b:
            raise ValueError(f"Pair {index} has a score that is NaN; a motion without a score has None.")
        else:
            outcomes.append("tie" if abs(a - b) <= tie_margin else "win" if a > b else "loss")
    return outcomes


def win_rate_table(
    outcomes_by_temperature: Mapping[float, Sequence[Outcome]], confidence: float = 0.95
) -> dict[float, WinRate]:
    """Win rates over sampling temperatures, as InstructMotion and AToM draw them.

    Args:
        outcomes_by_temperature (`Mapping[float, Sequence[Outcome]]`): outcomes of A at each temperature.
        confidence (`float`, *optional*, defaults to 0.95): of each interval by itself; the more temperatures are
            looked at, the more likely one of them misses.

    Returns:
        `dict[float, WinRate]`: from the lowest temperature to the highest.

    Raises:
        ValueError: if an outcome is unknown.
    """
    return {t: win_rate(outcomes_by_temperature[t], confidence) for t in sorted(outcomes_by_temperature)}


def win_rate_markdown(table: Mapping[float, WinRate]) -> str:
    """A table of win rates as Markdown, shares of judged pairs in per cent.

    Args:
        table (`Mapping[float, WinRate]`): of [`win_rate_table`].

    Returns:
        `str`: one line a temperature.
    """
    lines = ["| temperature | win % | tie % | loss % | wins of decided | p | judged | unscored |", "|---" * 8 + "|"]
    for temperature, row in table.items():
        shares = ["–"] * 3 if row.shares is None else [f"{100 * share:.1f}" for share in row.shares]
        rate = "–"
        if row.rate is not None and row.interval is not None:
            low, high = row.interval
            rate = f"{row.rate:.2f} [{low:.2f}, {high:.2f}]"
        numbers = [f"{temperature:g}", *shares, rate, f"{row.p:.3g}", str(row.judged), str(row.unscored)]
        lines.append("| " + " | ".join(numbers) + " |")
    return "\n".join(lines)
