"""A reward model, trained on preferences, in the shape that TRL's online trainers call.

reward = ModelReward(MotionGPTForReward.from_pretrained("outputs/reward_model"))
MotionGRPOTrainer(model, [reward, JudgeReward(…)], MotionGRPOConfig(…, reward_weights=[0.5, 1.0]), …)
"""

import math
from collections.abc import Sequence
from typing import Any

from .reward_funcs import prompt_text


class ModelReward:
    """A [`MotionGPTForReward`] as a reward function: `scale * (score - shift)`.

    Scores have no scale of their own; with the mean of scores as shift and one over their deviation as scale they mix
    with judges, whose rewards are from 0 to 1. A completion that is no whole motion gets None, as from judges, and
    `causes` says so until the next call.

    Args:
        reward_model ([`MotionGPTForReward`]): on the device where it is to run.
        name (`str`, *optional*, defaults to `"reward_model"`): name in TRL's logs.
        scale (`float`, *optional*, defaults to 1.0): scores are multiplied by it.
        shift (`float`, *optional*, defaults to 0.0): taken from scores before.
        batch_size (`int`, *optional*, defaults to 32): motions at once.
        processor ([`MotionGPTProcessor`], *optional*): of the policy, where its tokens have other ids than the reward
            model's own.

    Raises:
        TypeError: if it is another kind of model.
        ValueError: if a number is out of range, or the processor has another number of codes.
    """

    def __init__(
        self,
        reward_model: Any,
        name: str | None = None,
        *,
        scale: float = 1.0,
        shift: float = 0.0,
        batch_size: int = 32,
        processor: Any = None,
    ) -> None:
        if not (callable(getattr(reward_model, "score", None)) and hasattr(reward_model, "row_ids")):
            raise TypeError(f"Expected a MotionGPTForReward, got {type(reward_model).__name__}.")
        if not (math.isfinite(scale) and math.isfinite(shift)) or scale == 0 or batch_size < 1:
            raise ValueError(
                "Expected a finite scale other than 0, a finite shift and a batch_size of at least 1, got "
                f"{scale}, {shift} and {batch_size}."
            )
        self.processor = reward_model.processor if processor is None else processor
        mine, theirs = reward_model.config.num_codes, self.processor.num_codes
        if mine != theirs:
            raise ValueError(
                f"The reward model knows {mine} motion codes, and the processor {theirs}; a reward model goes with "
                "policies of the same codebook."
            )
        self.reward_model, self.scale, self.shift, self.batch_size = reward_model, scale, shift, batch_size
        self.causes: list[str | None] = []
        self.__name__ = name or "reward_model"  # TRL logs rewards under the function's name

    def __call__(
        self,
        prompts: Sequence[Any],
        completions: Sequence[Any],
        completion_ids: Sequence[Sequence[int]],
        **columns: Any,
    ) -> list[float | None]:
        """Rewards of completions.

        Args:
            prompts (`Sequence`): one prompt for each completion, text or conversation.
            completions (`Sequence`): the completions as text or conversations; not used, since ids say more.
            completion_ids (`Sequence[Sequence[int]]`): token ids of each completion.
            columns (`Any`): the dataset's other columns; not used.

        Returns:
            `list[float | None]`: the higher the better; None for what is no whole motion.

        Raises:
            ValueError: if there are not as many prompts as completions, or a prompt is empty or too long.
        """
        if len(prompts) != len(completion_ids):
            raise ValueError(f"Expected a prompt for each of {len(completion_ids)} completions, got {len(prompts)}.")
        parsed = [self.processor.decode_codes(ids) for ids in completion_ids]
        self.causes = [None if found.complete else "no whole motion" for found in parsed]
        whole = [i for i, found in enumerate(parsed) if found.complete]
        rewards: list[float | None] = [None] * len(parsed)
        if whole:
            texts, codes = [prompt_text(prompts[i]) for i in whole], [parsed[i].codes for i in whole]
            scores = self.reward_model.score(texts, codes, batch_size=self.batch_size)
            for i, score in zip(whole, scores.tolist(), strict=True):
                rewards[i] = self.scale * (score - self.shift)
        return rewards
