"""Results of an evaluation: a row a system, the real motions first, with intervals, and where every number comes from.

| | R@1 ↑ | … | FID ↓ |
| real motion | 0.494 ± 0.003 | … | 0.002 ± 0.000 |
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .published import METRICS, PUBLISHED
from .report.markup import latex_text, markdown_text

_DIRECTIONS = {"R@1": "↑", "R@2": "↑", "R@3": "↑", "MM-Dist": "↓", "MModality": "↑", "FID": "↓", "Diversity": "→"}


@dataclass(frozen=True)
class MetricSummary:
    """A metric over replications.

    Args:
        values (`tuple[float, ...]`): of each replication, in order, unitless.
    """

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean of the replications."""
        return float(np.mean(self.values))

    @property
    def interval(self) -> float:
        """Half of the 95 % interval of the mean, 1.96 · std / √n, as published; std divides by n."""
        return 1.96 * float(np.std(self.values)) / math.sqrt(len(self.values))


@dataclass(frozen=True)
class ProtocolRow:
    """What was found for a system.

    Args:
        name (`str`): of the system.
        metrics (`dict[str, MetricSummary]`): metric to values; MModality only where there were several samples a text.
        regenerated (`bool`): whether motions were made anew in each replication. Otherwise the interval holds only the
            noise of shuffling and draws, none of generation.
        fingerprint (`str`): SHA-256 of the data, or what its maker gave.
        excluded (`tuple[str, ...]`, *optional*): clips left out in some replication, as their embeddings are not
            finite.
    """

    name: str
    metrics: dict[str, MetricSummary]
    regenerated: bool
    fingerprint: str
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProtocolResult:
    """What `evaluate_protocol` finds.

    Args:
        rows (`tuple[ProtocolRow, ...]`): the real motions first, then the systems in their order.
        protocol (`dict[str, Any]`): the fields of the `Protocol`.
        evaluator (`dict[str, str]`): `name` and `fingerprint`.
        data (`str`): name of the test set.
        seeds (`tuple[int, ...]`): of the replications that are in every row.
        reference (`str`): SHA-256 of the real embeddings that FID compares with, or what their maker gave.
        statistics (`str`): SHA-256 of their mean and covariance, whose last digits depend on the machine.
        comparable (`bool`): whether these numbers may stand beside published ones.
        drift (`tuple[str, ...]`, *optional*): how the row of real motions differs from the published one.
    """

    rows: tuple[ProtocolRow, ...]
    protocol: dict[str, Any]
    evaluator: dict[str, str]
    data: str
    seeds: tuple[int, ...]
    reference: str
    statistics: str
    comparable: bool
    drift: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether all replications of the protocol are in."""
        return len(self.seeds) >= self.protocol["replications"]

    def row(self, name: str) -> ProtocolRow:
        """The row of a system.

        Args:
            name (`str`): of the system.

        Returns:
            [`ProtocolRow`]: its metrics.

        Raises:
            KeyError: if there is none of this name; the message lists those there are.
        """
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(f"No row {name!r}; there are {', '.join(repr(row.name) for row in self.rows)}.")

    def caption(self) -> str:
        """What the numbers were made with, in a few sentences; every table carries it.

        Returns:
            `str`: evaluator, data, protocol, and warnings.
        """
        p, count = self.protocol, len(self.seeds)
        batches = f"pools of {p['batch_size']} without batches" if p["batch_free"] else f"batches of {p['batch_size']}"
        hashes = f"{self.evaluator['fingerprint'][:12] or 'not given'}, reference {self.reference[:12]}"
        seeds = f", seeds {self.seeds[0]} to {self.seeds[-1]}" if count else ""
        text = (
            f"Evaluator {self.evaluator['name']} ({hashes}), data {self.data}, {count} replications{seeds}, "
            f"{batches}, embedded as {p['embedding']}; means ± 95 % intervals."
        )
        if not self.complete:
            text += f" Incomplete: {count} of {p['replications']} replications."
        if self.drift:
            text += f" The row of real motions drifted from the published one: {', '.join(self.drift)}."
        if not self.comparable:
            text += " Not comparable with published numbers."
        fixed = [row.name for row in self.rows if not row.regenerated]
        if fixed:
            text += f" Intervals hold shuffling and draws only, for the same motions: {', '.join(fixed)}."
        for row in self.rows:
            if row.excluded:
                text += (
                    f" Left out of {row.name}, not finite: {len(row.excluded)} clips ({', '.join(row.excluded[:5])})."
                )
        return text

    def to_markdown(self, published: Sequence[str] = ()) -> str:
        """The table as Markdown.

        Args:
            published (`Sequence[str]`, *optional*): rows of published numbers to set below ours, such as
                `"MotionGPT"`.

        Returns:
            `str`: table and caption.

        Raises:
            ValueError: if published rows are wanted, but the numbers are not comparable.
        """
        head = [markdown_text(name) for name in self._head()]
        lines = [head, ["---"] * len(head), *self._cells(published, "{:.3f} ± {:.3f}", "{:.3f}", markdown_text)]
        table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        return f"{table}\n\n{markdown_text(self.caption())}\n"

    def to_latex(self, published: Sequence[str] = ()) -> str:
        """The table as LaTeX, without packages.

        Args:
            published (`Sequence[str]`, *optional*): rows of published numbers to set below ours.

        Returns:
            `str`: a `tabular`, with the caption as a comment before it.

        Raises:
            ValueError: if published rows are wanted, but the numbers are not comparable.
        """
        head = [latex_text(name) for name in self._head()]
        cells = self._cells(published, "${:.3f}^{{\\pm{:.3f}}}$", "${:.3f}$", latex_text)
        body = [" & ".join(line) + r" \\" for line in (head, *cells)]
        lines = [rf"\begin{{tabular}}{{l{'c' * len(METRICS)}}}", r"\hline", body[0], r"\hline", *body[1:], r"\hline"]
        comment = " ".join(self.caption().split())  # a line break would end the comment
        return "\n".join([f"% {comment}", *lines, r"\end{tabular}", ""])

    def to_json(self) -> str:
        """Everything: each replication's values, means, intervals, seeds, hashes.

        Returns:
            `str`: JSON.
        """
        content = asdict(self)
        for row, plain in zip(self.rows, content["rows"], strict=True):
            plain["metrics"] = {
                name: {"mean": metric.mean, "interval_95": metric.interval, "values": list(metric.values)}
                for name, metric in row.metrics.items()
            }
        return json.dumps(content | {"complete": self.complete, "caption": self.caption()}, indent=1, allow_nan=False)

    def _head(self) -> list[str]:
        return [self.evaluator["name"], *(f"{metric} {_DIRECTIONS[metric]}" for metric in METRICS)]

    def _cells(self, published: Sequence[str], pair: str, single: str, escape: Any) -> list[list[str]]:
        unknown = [name for name in published if name not in PUBLISHED]
        if unknown:
            raise ValueError(f"No published row {unknown[0]!r}; there are {', '.join(PUBLISHED)}.")
        if published and not self.comparable:
            raise ValueError(
                f"Numbers of the evaluator {self.evaluator['name']!r} on {self.data!r} under this protocol are never "
                "set beside published ones: those need the evaluator 't2m', its embedding protocol 'padded', the "
                "data 'humanml3d-test', Protocol.published() with all replications, and no clip left out."
            )
        lines = []
        for row in self.rows:
            found = (row.metrics.get(metric) for metric in METRICS)
            lines.append([escape(row.name), *("–" if m is None else pair.format(m.mean, m.interval) for m in found)])
        for name in published:
            numbers = (PUBLISHED[name].get(metric) for metric in METRICS)
            lines.append([escape(f"{name} (published)"), *("–" if x is None else single.format(x) for x in numbers)])
        return lines
