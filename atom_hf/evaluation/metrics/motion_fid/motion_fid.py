"""FID of motions as an `evaluate` metric; README.md beside this file says what it means."""

from typing import Any

import datasets
import evaluate

from atom_hf.evaluation import frechet_distance
from atom_hf.evaluation.distances import frechet_statistics
from atom_hf.evaluation.metrics.card import read_card
from atom_hf.evaluation.metrics.columns import EMBEDDING, check_others, embeddings


class MotionFID(evaluate.Metric):
    """Distance of a set of motions from real ones, each seen as a Gaussian."""

    def _info(self) -> evaluate.MetricInfo:
        columns = datasets.Features(predictions=EMBEDDING, references=EMBEDDING)
        return evaluate.MetricInfo(features=columns, **read_card("motion_fid")._asdict())

    def _compute(
        self, *, predictions: list[list[float]], references: list[list[float]], **others: Any
    ) -> dict[str, float]:
        check_others(others)
        real = frechet_statistics(embeddings(references, "real embeddings"))
        generated = frechet_statistics(embeddings(predictions, "generated embeddings"))
        return {"FID": frechet_distance(real, generated)}
