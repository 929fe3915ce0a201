"""Win rate of one system against another as an `evaluate` metric; README.md beside this file says what it means."""

from typing import Any

import datasets
import evaluate

from atom_hf.evaluation import win_rate
from atom_hf.evaluation.metrics.card import read_card
from atom_hf.evaluation.metrics.columns import check_others

UNSCORED = "unscored"  # `evaluate` takes no None for a text in the first row


class MotionWinRate(evaluate.Metric):
    """How often a system won in blind comparisons."""

    def _info(self) -> evaluate.MetricInfo:
        columns = datasets.Features(predictions=datasets.Value("string"))
        return evaluate.MetricInfo(features=columns, **read_card("motion_win_rate")._asdict())

    def _compute(self, *, predictions: list[Any], confidence: float = 0.95, **others: Any) -> dict[str, float | None]:
        check_others(others)
        found = win_rate([None if outcome == UNSCORED else outcome for outcome in predictions], confidence)
        low, high = found.interval or (None, None)
        return {
            "win_rate": found.rate,
            "win_rate_low": low,
            "win_rate_high": high,
            "ties_as_half": found.score,
            "p": found.p,
            "wins": found.wins,
            "ties": found.ties,
            "losses": found.losses,
            "unscored": found.unscored,
        }
