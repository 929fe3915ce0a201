"""What a completion is worth in PPO: a reward model's score, or what reward functions give.

scorer = Scorer([reward_model, judge_reward], weights=[1.0, 0.5], processor=policy.processor)
scorer(rows, completions, completion_ids).total     →  tensor [B], NaN where nobody gave a number
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ...models import MotionGPTForReward
from ..reward_functions import CheckedAsyncReward, checked_rewards
from ..row_faults import content


class Scores(NamedTuple):
    """Scores of completions.

    Args:
        total (`Tensor`): `[B]`, weighted sum over functions; NaN where none of them gave a number.
        each (`Tensor`): `[B, functions]`, NaN for None.
    """

    total: Tensor
    each: Tensor


class RewardModelScore:
    """A reward model as a reward function: it reads prompt, separator and motion, with its own attention mask.

    A completion that holds no whole motion gets None.

    Args:
        model ([`MotionGPTForReward`]): frozen and put into evaluation mode.
        processor ([`MotionGPTProcessor`]): of the policy.
    """

    __name__ = "reward_model"

    def __init__(self, model: MotionGPTForReward, processor: Any) -> None:
        if model.config.num_codes != processor.num_codes:
            raise ValueError(
                f"The reward model knows {model.config.num_codes} motion codes, and the policy writes "
                f"{processor.num_codes}; they need the same codebook."
            )
        self.reward_model = model.requires_grad_(False).eval()
        self.processor = processor
        words = processor.templates["text-to-motion"].input
        self._before, _, self._after = words.partition("<Caption_Placeholder>")

    def __call__(
        self, prompts: Sequence[Any], completions: Sequence[Any], completion_ids: Sequence[Any], **columns: Any
    ) -> list[float | None]:
        """Scores of completions.

        Args:
            prompts (`Sequence`): conversations.
            completions (`Sequence`): not used, since ids say more.
            completion_ids (`Sequence[Sequence[int]]`): token ids of each completion.
            columns (`Any`): not used.

        Returns:
            `list[float | None]`: the higher the better; None for what is no whole motion.
        """
        parsed = [self.processor.decode_codes(ids) for ids in completion_ids]
        whole = [i for i, found in enumerate(parsed) if found.complete]
        scores: list[float | None] = [None] * len(parsed)
        if whole:
            captions, codes = [self._caption(prompts[i]) for i in whole], [parsed[i].codes for i in whole]
            for i, score in zip(whole, self.reward_model.score(captions, codes).tolist(), strict=True):
                scores[i] = score
        return scores

    def _caption(self, prompt: Any) -> str:
        """The reward model asks in the template's words itself, which a prompt may bring along."""
        text = content(prompt)
        if text.startswith(self._before) and text.endswith(self._after):
            return text[len(self._before) : len(text) - len(self._after)]
        return text


class Scorer:
    """Reward functions and models, asked as TRL asks them.

    Args:
        functions (`Callable`, [`MotionGPTForReward`], `str`, or a list of them): a name is that of a reward model.
        weights (`Sequence[float]`, *optional*): 1 each by default.
        processor ([`MotionGPTProcessor`]): of the policy.

    Raises:
        TypeError: if something is neither, or a coroutine.
        ValueError: if there is none, names or weights do not fit, or a reward model has another codebook.
    """

    def __init__(self, functions: Any, weights: Sequence[float] | None, processor: Any) -> None:
        given = list(functions) if isinstance(functions, list | tuple) else [] if functions is None else [functions]
        given = [_with_model(function, processor) for function in given]
        self.functions = checked_rewards(given, weights)
        for function in self.functions:
            if isinstance(function, CheckedAsyncReward | nn.Module):
                raise TypeError(
                    f"Expected reward functions that give numbers at once, or a MotionGPTForReward, got "
                    f"{type(getattr(function, 'function', function)).__name__}."
                )
        self.weights = torch.tensor(list(weights or [1.0] * len(self.functions)))
        models = [getattr(function, "reward_model", None) for function in given]
        self.models: list[MotionGPTForReward] = [m for m in models if isinstance(m, MotionGPTForReward)]

    @property
    def names(self) -> list[str]:
        """Names of the functions, as they are logged."""
        return [function.__name__ for function in self.functions]

    def __call__(
        self, rows: Sequence[dict[str, Any]], completions: Sequence[str], completion_ids: list[list[int]], **more: Any
    ) -> Scores:
        """Scores of completions.

        Args:
            rows (`Sequence[dict]`): of the dataset, one for each completion; functions get the columns.
            completions (`Sequence[str]`): as text.
            completion_ids (`list[list[int]]`): token ids, with `</s>` where it was written.
            more (`Any`): further arguments of the functions, such as `trainer_state`.

        Returns:
            [`Scores`]: on the CPU.
        """
        columns = {name: [row[name] for row in rows] for name in rows[0] if name != "prompt"}
        asked: dict[str, Any] = {
            "prompts": [row["prompt"] for row in rows],
            "completions": [[{"role": "assistant", "content": text}] for text in completions],
            "completion_ids": completion_ids,
        }
        given = [function(**asked, **columns, **more) for function in self.functions]
        each = torch.tensor([[float("nan") if value is None else value for value in row] for row in given]).T
        total = (each * self.weights).nansum(1)
        return Scores(total.masked_fill(each.isnan().all(1), float("nan")), each)


def _with_model(function: Any, processor: Any) -> Any:
    if isinstance(function, str):
        function = MotionGPTForReward.from_pretrained(function)
    return RewardModelScore(function, processor) if isinstance(function, MotionGPTForReward) else function
