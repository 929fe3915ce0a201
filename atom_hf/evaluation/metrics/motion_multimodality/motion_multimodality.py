"""MModality of motions as an `evaluate` metric; README.md beside this file says what it means."""

from typing import Any

import datasets
import evaluate

from atom_hf.evaluation import multimodality
from atom_hf.evaluation.diversity import PAIRS
from atom_hf.evaluation.metrics.card import read_card
from atom_hf.evaluation.metrics.columns import SAMPLES, check_others, embeddings


class MotionMultimodality(evaluate.Metric):
    """How different motions for the same text are from each other."""

    def _info(self) -> evaluate.MetricInfo:
        columns = datasets.Features(samples=SAMPLES)
        return evaluate.MetricInfo(features=columns, **read_card("motion_multimodality")._asdict())

    def _compute(
        self, *, samples: list[list[list[float]]], pairs: int = PAIRS, seed: int = 0, **others: Any
    ) -> dict[str, float]:
        check_others(others)
        return {"MModality": multimodality(embeddings(samples, "embeddings of samples", 3), pairs, seed)}
