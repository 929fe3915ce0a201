"""R-precision and MM-Dist as an `evaluate` metric; README.md beside this file says what they mean."""

from typing import Any

import datasets
import evaluate

from atom_hf.evaluation import batch_free_r_precision, matching_distance, r_precision
from atom_hf.evaluation.metrics.card import read_card
from atom_hf.evaluation.metrics.columns import EMBEDDING, check_others, embeddings
from atom_hf.evaluation.retrieval import batches


class MotionRetrieval(evaluate.Metric):
    """Whether motions fit their texts."""

    def _info(self) -> evaluate.MetricInfo:
        columns = datasets.Features(predictions=EMBEDDING, texts=EMBEDDING)
        return evaluate.MetricInfo(features=columns, **read_card("motion_retrieval")._asdict())

    def _compute(
        self,
        *,
        predictions: list[list[float]],
        texts: list[list[float]],
        batch_size: int = 32,
        top_k: int = 3,
        seed: int | None = None,
        **others: Any,
    ) -> dict[str, float]:
        check_others(others)
        motion, text = embeddings(predictions, "motion embeddings"), embeddings(texts, "text embeddings")
        if seed is None:
            shares, order = batch_free_r_precision(text, motion, batch_size, top_k), None
        else:
            order = batches(len(motion), batch_size, seed)
            shares = r_precision(text, motion, batch_size, top_k, seed)
        found = {f"R@{k}": share for k, share in enumerate(shares, 1)}
        return {**found, "MM-Dist": matching_distance(text, motion, order)}
