"""Precision and recall of motions as an `evaluate` metric; README.md beside this file says what they mean."""

from typing import Any

import datasets
import evaluate

from atom_hf.evaluation import precision_recall
from atom_hf.evaluation.metrics.card import read_card
from atom_hf.evaluation.metrics.columns import EMBEDDING, check_others, embeddings


class MotionPrecisionRecall(evaluate.Metric):
    """Quality and coverage of a set of motions, as two numbers."""

    def _info(self) -> evaluate.MetricInfo:
        columns = datasets.Features(predictions=EMBEDDING, references=EMBEDDING)
        return evaluate.MetricInfo(features=columns, **read_card("motion_precision_recall")._asdict())

    def _compute(
        self, *, predictions: list[list[float]], references: list[list[float]], neighbours: int = 3, **others: Any
    ) -> dict[str, float]:
        check_others(others)
        real, generated = embeddings(references, "real embeddings"), embeddings(predictions, "generated embeddings")
        return precision_recall(real, generated, neighbours)._asdict()
