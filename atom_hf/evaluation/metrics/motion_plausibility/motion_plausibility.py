"""Physical plausibility of motions as an `evaluate` metric; README.md beside this file says what it means."""

from dataclasses import asdict
from typing import Any

import datasets
import evaluate

from atom_hf.evaluation import mean_physics, physical_plausibility, valid_share
from atom_hf.evaluation.metrics.card import read_card
from atom_hf.evaluation.metrics.columns import MOTION_FORMS, MotionColumn, check_others, clips


class MotionPlausibility(MotionColumn, evaluate.Metric):
    """Whether bodies could move like that."""

    def _info(self) -> evaluate.MetricInfo:
        columns = [datasets.Features(predictions=form) for form in MOTION_FORMS]
        return evaluate.MetricInfo(features=columns, **read_card("motion_plausibility")._asdict())

    def _compute(
        self, *, predictions: list[Any], fps: float = 20.0, floor: float | None = 0.0, **others: Any
    ) -> dict[str, float | None]:
        check_others(others)
        motions = clips(predictions, fps)
        outcomes = [valid_share([clip.joints], clip.fps) for clip in motions]
        valid = [clip for clip, outcome in zip(motions, outcomes, strict=True) if outcome.valid[0]]
        if not valid:
            causes = sorted({cause for outcome in outcomes for cause in outcome.causes})
            raise ValueError(
                f"None of {len(motions)} motions is valid ({', '.join(causes)}); nothing can be measured."
            )
        physics = mean_physics([physical_plausibility(clip.joints, clip.fps, floor) for clip in valid])
        return asdict(physics) | {"valid_share": len(valid) / len(motions)}
