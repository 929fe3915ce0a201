"""Reward of a learned reward model as an `evaluate` metric; README.md beside this file says what it means."""

from typing import Any

import datasets
import evaluate

from atom_hf.evaluation import bootstrap_mean
from atom_hf.evaluation.metrics.card import read_card
from atom_hf.evaluation.metrics.columns import check_others


class MotionRewardModel(evaluate.Metric):
    """What a learned reward model says of motions."""

    def _info(self) -> evaluate.MetricInfo:
        codes, prompt = datasets.List(datasets.Value("int64")), datasets.Value("string")
        columns = datasets.Features(predictions=codes, prompts=prompt)
        return evaluate.MetricInfo(features=columns, **read_card("motion_reward_model")._asdict())

    def _compute(
        self,
        *,
        predictions: list[list[int]],
        prompts: list[str],
        model: Any = None,
        confidence: float = 0.95,
        **others: Any,
    ) -> dict[str, Any]:
        check_others(others)
        if not callable(getattr(model, "score", None)):
            raise TypeError(
                "Expected model=… with score(prompts, codes), such as MotionGPTForReward.from_pretrained(…), got "
                f"{type(model).__name__}."
            )
        rewards = [float(reward) for reward in model.score(prompts, predictions)]
        if len(rewards) != len(prompts):
            raise ValueError(f"The model gave {len(rewards)} rewards for {len(prompts)} motions; expected one each.")
        mean = bootstrap_mean(rewards, prompts, confidence=confidence)
        return {"reward": mean.value, "reward_low": mean.low, "reward_high": mean.high, "rewards": rewards}
