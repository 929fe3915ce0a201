"""KID of motions as an `evaluate` metric; README.md beside this file says what it means."""

from typing import Any

import datasets
import evaluate

from atom_hf.evaluation import kernel_distance
from atom_hf.evaluation.metrics.card import read_card
from atom_hf.evaluation.metrics.columns import EMBEDDING, check_others, embeddings


class MotionKID(evaluate.Metric):
    """Distance of a set of motions from real ones, without the bias of small sets."""

    def _info(self) -> evaluate.MetricInfo:
        columns = datasets.Features(predictions=EMBEDDING, references=EMBEDDING)
        return evaluate.MetricInfo(features=columns, **read_card("motion_kid")._asdict())

    def _compute(
        self,
        *,
        predictions: list[list[float]],
        references: list[list[float]],
        subsets: int = 100,
        subset_size: int = 1000,
        seed: int = 0,
        **others: Any,
    ) -> dict[str, float]:
        check_others(others)
        real, generated = embeddings(references, "real embeddings"), embeddings(predictions, "generated embeddings")
        found = kernel_distance(real, generated, subsets, subset_size, seed)
        return {"KID": found.value, "KID_standard_error": found.standard_error}
