"""What a comparison of systems finds, as data and as JSON.

metrics.json, in short; every number that could not be measured is null, and every interval is of 95 %:

    {"schema": "atom_hf/comparison/1",
     "comparable_with_published": false,
     "made_with": {"evaluator": {"name", "fingerprint", "embedding"} or null, "judge", "seed", "protocol",
                   "prompts": {"count", "sha256"}, …},
     "notes": ["what every reader has to know", …],
     "systems": [{"name", "reference": whether it is real motion, "made_with", "data_sha256",
                  "clips", "prompts", "samples",
                  "valid": {"value", "low", "high", "outputs", "causes": {"too fast": 2}},
                  "left_out": [{"id", "cause", "reason"}],
                  "evaluator": {"R@1": {"mean", "interval_95", "values"}, …, "KID": {"value", "standard_error"},
                                "precision": {"value"}, "recall": {"value"}},
                  "events": {"integrity": {"value", "low", "high", "items", "prompts"}, …},
                  "unscored": {"count", "causes"},
                  "physics": {"skating_ratio": {"value", "low", "high"}, …},
                  "notes"}],
     "tests": [{"system", "against", "task", "delta", "low", "high", "p", "mean", "mean_against", "prompts",
                "left_out"}],
     "pairwise": [{"system", "against", "wins", "ties", "losses", "unscored", "rate", "low", "high", "p"}]}

`rate` is wins among wins and losses, with Wilson's interval; `p` of tests is a sign-flip test over prompts, and that
of pairs an exact sign test.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..bootstrap import Interval
from ..distances import KernelDistance, PrecisionRecall
from ..event_scores import PairedComparison, TaskScore
from ..protocol_result import MetricSummary, ProtocolResult
from ..win_rate import WinRate
from .systems import LeftOut, System

SCHEMA = "atom_hf/comparison/1"
TASKS = ("integrity", "temporal", "frequency", "overall")


class Judged(NamedTuple):
    """What a judge said of one motion.

    Args:
        raw (`Mapping[str, float]`, *optional*): scores by task; None where the motion is unscored.
        reason (`str`): why, for people to read; the cause where it is unscored.
    """

    raw: Mapping[str, float] | None
    reason: str


class Validity(NamedTuple):
    """How much of the output of a system is motion.

    Args:
        share ([`Interval`]): of valid outputs, 0 to 1; higher is better. Wilson's interval, but where several outputs
            answer one prompt the mean over prompts with an interval over prompts.
        outputs (`int`): all of them.
        causes (`Mapping[str, int]`): how often each cause made one invalid.
    """

    share: Interval
    outputs: int
    causes: Mapping[str, int]


@dataclass(frozen=True)
class SystemResult:
    """What was found for one system.

    Args:
        system ([`System`]): the system with its motions.
        reference (`bool`): whether it is the real motion.
        valid ([`Validity`]): how much of its output is motion.
        physics (`Mapping[str, Interval]`): fields of [`Physics`] to means over prompts; see there for units.
        judged (`Sequence[Judged]`): one for each clip; empty without a judge.
        events (`Mapping[str, TaskScore]`): mean scores by task; empty where nothing could be scored.
        unscored (`Mapping[str, int]`): causes of missing scores.
        metrics (`Mapping[str, MetricSummary]`): of the protocol, unitless; empty without an evaluator.
        kernel ([`KernelDistance`], *optional*): KID.
        spread ([`PrecisionRecall`], *optional*): precision and recall.
    """

    system: System
    reference: bool
    valid: Validity
    physics: Mapping[str, Interval]
    judged: Sequence[Judged] = ()
    events: Mapping[str, TaskScore] = field(default_factory=dict)
    unscored: Mapping[str, int] = field(default_factory=dict)
    metrics: Mapping[str, MetricSummary] = field(default_factory=dict)
    kernel: KernelDistance | None = None
    spread: PrecisionRecall | None = None

    @property
    def name(self) -> str:
        """The system's name."""
        return self.system.name


class Test(NamedTuple):
    """A system against another one, on the prompts that both have scores for.

    Args:
        system (`str`): whose gain `paired.delta` is.
        against (`str`): the other one.
        task (`str`): of the scores.
        paired ([`PairedComparison`]): difference, interval, p.
    """

    system: str
    against: str
    task: str
    paired: PairedComparison


class Pairwise(NamedTuple):
    """Blind comparison of two systems, prompt by prompt.

    Args:
        system (`str`): whose wins are counted.
        against (`str`): the other one.
        win_rate ([`WinRate`]): wins, ties, losses.
        score ([`Interval`], *optional*): wins and half of the ties, with a bootstrap interval over prompts.
    """

    system: str
    against: str
    win_rate: WinRate
    score: Interval | None


@dataclass(frozen=True)
class Comparison:
    """Several systems, measured in the same way.

    Args:
        results (`Sequence[SystemResult]`): the real motion first, if there is any, then the systems in their order.
        made_with (`Mapping[str, Any]`): evaluator, judge, seeds, protocol, prompts.
        notes (`Sequence[str]`): what every reader has to know.
        protocol ([`ProtocolResult`], *optional*): all replications.
        tests (`Sequence[Test]`): paired tests against the first system.
        pairwise (`Sequence[Pairwise]`): every system against those before it.
    """

    results: Sequence[SystemResult]
    made_with: Mapping[str, Any]
    notes: Sequence[str]
    protocol: ProtocolResult | None = None
    tests: Sequence[Test] = ()
    pairwise: Sequence[Pairwise] = ()

    @property
    def comparable(self) -> bool:
        """Whether the evaluator's numbers may stand beside published ones."""
        return self.protocol is not None and self.protocol.comparable

    def to_json(self) -> str:
        """Everything, in the schema that stands at the top of this module.

        Returns:
            `str`: JSON.
        """
        content = {
            "schema": SCHEMA,
            "comparable_with_published": self.comparable,
            "made_with": self.made_with,
            "notes": list(self.notes),
            "systems": [_system(result) for result in self.results],
            "tests": [_test(test) for test in self.tests],
            "pairwise": [_pairwise(pair) for pair in self.pairwise],
        }
        return json.dumps(without_nan(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _system(result: SystemResult) -> dict[str, Any]:
    system = result.system
    evaluator: dict[str, Any] = {
        name: {"mean": metric.mean, "interval_95": metric.interval, "values": list(metric.values)}
        for name, metric in result.metrics.items()
    }
    if result.kernel is not None:
        evaluator["KID"] = result.kernel._asdict()
    if result.spread is not None:
        evaluator |= {name: {"value": value} for name, value in result.spread._asdict().items()}
    valid = result.valid
    return {
        "name": system.name,
        "reference": result.reference,
        "made_with": dict(system.made_with),
        "data_sha256": system.fingerprint,
        "clips": len(system.clips),
        "prompts": len(system.firsts),
        "samples": system.samples,
        "valid": {**valid.share._asdict(), "outputs": valid.outputs, "causes": dict(valid.causes)},
        "left_out": [{"id": item.id, "cause": item.cause, "reason": item.reason} for item in system.left_out],
        "evaluator": evaluator,
        "events": {task: score._asdict() for task, score in result.events.items()},
        "unscored": {"count": sum(result.unscored.values()), "causes": dict(result.unscored)},
        "physics": {name: interval._asdict() for name, interval in result.physics.items()},
        "notes": list(system.notes),
    }


def _test(test: Test) -> dict[str, Any]:
    found = test.paired._asdict()
    found["mean_against"], found["mean"] = found.pop("mean_a"), found.pop("mean_b")
    return {"system": test.system, "against": test.against, "task": test.task, **found}


def _pairwise(pair: Pairwise) -> dict[str, Any]:
    rate = pair.win_rate
    low, high = rate.interval or (None, None)
    return {
        "system": pair.system,
        "against": pair.against,
        "wins": rate.wins,
        "ties": rate.ties,
        "losses": rate.losses,
        "unscored": rate.unscored,
        "rate": rate.rate,
        "low": low,
        "high": high,
        "p": rate.p,
    }


def without_nan(content: Any) -> Any:
    """JSON has no NaN: what is not known is null.

    Args:
        content (`Any`): dictionaries, lists and plain values.

    Returns:
        `Any`: the same with None for numbers that are not finite.
    """
    if isinstance(content, Mapping):
        return {key: without_nan(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [without_nan(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def left_out_of(results: Sequence[SystemResult]) -> list[tuple[str, LeftOut]]:
    """Outputs that no mean counts.

    Args:
        results (`Sequence[SystemResult]`): of the comparison.

    Returns:
        `list[tuple[str, LeftOut]]`: with the name of the system.
    """
    return [(result.name, item) for result in results for item in result.system.left_out]
