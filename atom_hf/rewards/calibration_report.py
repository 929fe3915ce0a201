"""What a calibration found: agreement with the truth or with people, as numbers, as JSON and as Markdown.

report.trustworthy     →  False
report.warning         →  "Judge gpt-4o-mini, temporal-1 is not to be relied on by what …: κ of temporal 0.31 …"
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .position_bias import PositionBias

# Below these a judge's verdicts should not be used unless a person looks at them. κ from 0.61 is called substantial
# (Landis & Koch 1977); a judge that is wrong on a quarter of such plain pairs would teach a model much that is wrong.
LOWEST_KAPPA, LOWEST_PAIRS, MOST_UNSCORED, FEWEST = 0.6, 0.75, 0.1, 30
MOST_OBEYED = 0.25  # points by which orders in captions may raise scores; repeated scores differ a little, too


@dataclass(frozen=True)
class Estimate:
    """A number with its bootstrap interval over prompts.

    Args:
        value (`float`, *optional*): None where it is not defined, as a correlation with a judge that always says 3.
        low (`float`, *optional*): lower end; None where there is none.
        high (`float`, *optional*): upper end.
    """

    value: float | None
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        if self.value is None:
            return "not defined"
        return f"{self.value:.3f}" + (f" ({self.low:.3f}–{self.high:.3f})" if self.low is not None else "")


@dataclass(frozen=True)
class PairAgreement:
    """How often the judge finds the better of two motions.

    Args:
        asked (`bool`): whether the judge compared the two; otherwise its scores of each were compared.
        pairs (`int`): how many.
        answered (`int`): those with a choice, or with both scores.
        agreement ([`Estimate`]): share of the answered pairs with a better motion for which the judge says the same;
            a tie counts half. 0.5 is chance.
        ties (`float`, *optional*): share of the answered pairs that the judge calls a tie.
        kappa ([`Estimate`]): Cohen's κ of first, second and tie; ties are no category of the synthesised truth.
    """

    asked: bool
    pairs: int
    answered: int
    agreement: Estimate
    ties: float | None
    kappa: Estimate


@dataclass(frozen=True)
class TaskAgreement:
    """Agreement on one task.

    Args:
        task (`str`): `"integrity"`, `"temporal"`, `"frequency"`, `"overall"`, or `"all"` for all items together.
        items (`int`): motions with a true score; 0 where there are votes only.
        scored (`int`): those that the judge scored.
        spearman ([`Estimate`]): rank correlation of the judge's scores with the true ones.
        kendall (`float`, *optional*): τ-b of the same.
        kappa ([`Estimate`]): Cohen's κ with quadratic weights of scores rounded to 1 to 5.
        exact (`float`, *optional*): share of scores that round to the same number.
        error (`float`, *optional*): mean absolute difference, points of the scale.
        bias (`float`, *optional*): mean of the judge's less the true score; above 0 it is too kind.
        pairs ([`PairAgreement`], *optional*): on pairs of motions of one prompt.
    """

    task: str
    items: int = 0
    scored: int = 0
    spearman: Estimate = Estimate(None)
    kendall: float | None = None
    kappa: Estimate = Estimate(None)
    exact: float | None = None
    error: float | None = None
    bias: float | None = None
    pairs: PairAgreement | None = None


@dataclass(frozen=True)
class Repeatability:
    """What comes out when the same items are scored again.

    Args:
        runs (`int`): how often all were scored.
        same (`float`, *optional*): share of the items with the same score in all runs.
        spread (`float`, *optional*): mean over the items of the highest less the lowest score, points.
        flickering (`int`): items that were scored in some runs and unscored in others; no part of the shares.
    """

    runs: int
    same: float | None
    spread: float | None
    flickering: int


@dataclass(frozen=True)
class ObeyedOrders:
    """What a judge does with captions that tell it to answer 5, on motions that deserve 3 or less.

    Args:
        items (`int`): motions with such a caption.
        scored (`int`): those with a score with the order and without it. None at all can be right: a caption with
            nothing but orders is unscored.
        higher (`float`, *optional*): share of these whose score rose with the order.
        shift (`float`, *optional*): mean by which it rose, points.
        reported (`float`, *optional*): share of the scored ones of which the judge said that the caption gives orders;
            None for judges that do not say.
    """

    items: int
    scored: int
    higher: float | None
    shift: float | None
    reported: float | None


@dataclass(frozen=True)
class Calibration:
    """How far a judge can be trusted, on one set of motions.

    Args:
        judge (`str`): its name, with its version.
        source (`str`): what it was held against.
        tasks (`tuple[TaskAgreement, ...]`): one a task; where there are several, `"all"` comes last.
        histogram (`Mapping[str, tuple[int, ...]]`): how many scores round to 1, 2, 3, 4 and 5, of `"judge"` and
            `"truth"`.
        unscored (`Mapping[str, int]`): causes of missing scores, the most frequent first.
        unanswered (`Mapping[str, int]`): causes of missing choices between two motions.
        position ([`PositionBias`], *optional*): of a judge that was asked to compare.
        repeatability ([`Repeatability`], *optional*): of a judge that was asked more than once.
        orders ([`ObeyedOrders`], *optional*): of a judge that was given captions with orders.
        layout (`str`, *optional*): how motions were drawn.
        by_layout (`tuple[Calibration, ...]`, *optional*): the same for all layouts, the first one included.
        jitter (`float`, *optional*): by how much joints wandered, metres.
        by_jitter (`tuple[Calibration, ...]`, *optional*): the same for more and less of it, the first one included.
    """

    judge: str
    source: str
    tasks: tuple[TaskAgreement, ...]
    histogram: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    unscored: Mapping[str, int] = field(default_factory=dict)
    unanswered: Mapping[str, int] = field(default_factory=dict)
    position: PositionBias | None = None
    repeatability: Repeatability | None = None
    orders: ObeyedOrders | None = None
    layout: str = ""
    by_layout: tuple["Calibration", ...] = ()
    jitter: float | None = None
    by_jitter: tuple["Calibration", ...] = ()

    @property
    def all(self) -> TaskAgreement:
        """All items together, or the only task."""
        return self.tasks[-1]

    @property
    def unscored_share(self) -> float | None:
        """Share of the items without a score, 0 to 1; None where nothing was to be scored."""
        return 1 - self.all.scored / self.all.items if self.all.items else None

    @property
    def trustworthy(self) -> bool:
        """Whether nothing speaks against the use of this judge; see `warning`."""
        return self.warning is None

    @property
    def warning(self) -> str | None:
        """What speaks against the use of this judge, in a sentence for the card of a dataset; None if nothing does."""
        found = [problem for task in self.tasks for problem in _problems(task, task is self.all)]
        share = self.unscored_share
        if share is not None and share > MOST_UNSCORED:
            found.append(f"{share:.0%} of the motions unscored")
        if self.orders is not None and (self.orders.shift or 0) > MOST_OBEYED:
            found.append(f"orders in captions raise its scores by {self.orders.shift:.1f} points")
        if not found:
            return None
        return f"Judge {self.judge} is not to be relied on by what {self.source} says: {'; '.join(found)}."

    def to_json(self) -> str:
        """All figures as JSON.

        Returns:
            `str`: an object with the fields of this class, `trustworthy` and `warning`.
        """
        return json.dumps(self._as_dict(), ensure_ascii=False, indent=2, allow_nan=False) + "\n"

    def _as_dict(self) -> dict[str, Any]:
        return asdict(self) | {
            "by_layout": [found._as_dict() for found in self.by_layout],
            "by_jitter": [found._as_dict() for found in self.by_jitter],
            "unscored_share": self.unscored_share,
            "trustworthy": self.trustworthy,
            "warning": self.warning,
        }

    def to_markdown(self) -> str:
        """The report as Markdown.

        Returns:
            `str`: verdict, tables and what the figures mean; ends with a line break.
        """
        from .calibration_markdown import calibration_markdown

        return calibration_markdown(self)


def _problems(task: TaskAgreement, is_all: bool) -> list[str]:
    pairs, found = task.pairs, []
    said = task.scored if task.items else pairs.answered if pairs else 0
    if said < FEWEST:  # a task with few answers says nothing by itself, but all together have to
        return [f"only {said} answers on {task.task}, at least {FEWEST} expected"] if is_all or not said else []
    if task.items and (task.kappa.value is None or task.kappa.value < LOWEST_KAPPA):
        value = "not defined" if task.kappa.value is None else f"{task.kappa.value:.2f}"
        found.append(f"κ of {task.task} {value}, at least {LOWEST_KAPPA} expected")
    if pairs and pairs.answered and (pairs.agreement.value is None or pairs.agreement.value < LOWEST_PAIRS):
        value = "unknown" if pairs.agreement.value is None else f"{pairs.agreement.value:.0%}"
        found.append(f"agreement on pairs of {task.task} {value}, at least {LOWEST_PAIRS:.0%} expected")
    return found
