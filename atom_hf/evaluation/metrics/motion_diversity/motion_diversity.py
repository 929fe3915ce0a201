"""Diversity of motions as an `evaluate` metric; README.md beside this file says what it means."""

from typing import Any

import datasets
import evaluate

from atom_hf.evaluation import diversity
from atom_hf.evaluation.diversity import DIVERSITY_TIMES
from atom_hf.evaluation.metrics.card import read_card
from atom_hf.evaluation.metrics.columns import EMBEDDING, check_others, embeddings


class MotionDiversity(evaluate.Metric):
    """How different the motions of a set are from each other."""

    def _info(self) -> evaluate.MetricInfo:
        columns = datasets.Features(predictions=EMBEDDING)
        return evaluate.MetricInfo(features=columns, **read_card("motion_diversity")._asdict())

    def _compute(
        self,
        *,
        predictions: list[list[float]],
        times: int = DIVERSITY_TIMES,
        seed: int = 0,
        **others: Any,
    ) -> dict[str, float]:
        check_others(others)
        return {"Diversity": diversity(embeddings(predictions, "motion embeddings"), times, seed)}
