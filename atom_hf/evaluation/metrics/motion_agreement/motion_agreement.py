"""Agreement of a judge with a person as an `evaluate` metric; README.md beside this file says what it means."""

from collections.abc import Sequence
from typing import Any, Literal

import datasets
import evaluate

from atom_hf.evaluation import cohen_kappa, krippendorff_alpha
from atom_hf.evaluation.agreement import Level
from atom_hf.evaluation.metrics.card import read_card
from atom_hf.evaluation.metrics.columns import check_others


class MotionAgreement(evaluate.Metric):
    """How far two raters agree beyond chance."""

    def _info(self) -> evaluate.MetricInfo:
        kinds = (datasets.Value("string"), datasets.Value("float64"))
        columns = [datasets.Features(predictions=kind, references=kind) for kind in kinds]
        return evaluate.MetricInfo(features=columns, **read_card("motion_agreement")._asdict())

    def _compute(
        self,
        *,
        predictions: list[Any],
        references: list[Any],
        weights: Literal["linear", "quadratic"] | None = None,
        level: Level = "nominal",
        categories: Sequence[Any] | None = None,
        confidence: float = 0.95,
        **others: Any,
    ) -> dict[str, Any]:
        check_others(others)
        ordered: dict[str, Any] = {"categories": categories, "confidence": confidence}
        kappa = cohen_kappa(predictions, references, weights=weights, **ordered)
        alpha = krippendorff_alpha(list(zip(predictions, references, strict=True)), level=level, **ordered)
        return {
            "kappa": kappa.value,
            "kappa_low": kappa.low,
            "kappa_high": kappa.high,
            "alpha": alpha.value,
            "alpha_low": alpha.low,
            "alpha_high": alpha.high,
            "observed": kappa.observed,
            "items": kappa.items,
            "cause": kappa.cause or alpha.cause,
        }
