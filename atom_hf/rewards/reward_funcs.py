"""Rewards in the shape that TRL's online trainers call: prompts and completions in, a number or None each out.

reward = JudgeReward(KinematicJudge(), decode=model.decode_completions)
GRPOTrainer(model, reward_funcs=[reward], …)
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..events import Scenario
from ..motion import Motion
from .judge import HIGHEST, LOWEST, Judge, JudgeItem, Verdict

Decode = Callable[[Sequence[Sequence[int]]], Sequence[Motion | None]]


class JudgeReward:
    """A judge as a reward function for GRPO, RLOO and online DPO: 0 for the lowest score, 1 for the highest.

    A completion that is no motion, or that the judge cannot judge, gets None, which TRL leaves out of the mean: a
    number would teach the model something nobody said.

    Args:
        judge ([`Judge`]): who judges.
        decode (`Callable`): token ids of completions, a list each, to motions; None where there is no motion in them.
        name (`str`, *optional*): name in TRL's logs, defaults to the judge's.
    """

    def __init__(self, judge: Judge, decode: Decode, name: str | None = None) -> None:
        self.judge = judge
        self.decode = decode
        self.__name__ = name or f"{judge.name}_reward"  # TRL logs rewards under the function's name

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
            columns (`Any`): the dataset's other columns; `scenario`, in JSON, is used where it is there.

        Returns:
            `list[float | None]`: from 0 to 1, unitless; None for what could not be judged.

        Raises:
            ValueError: if `decode` gives another number of motions than there are completions, or a scenario is
                broken.
        """
        motions = list(self.decode(completion_ids))
        if len(motions) != len(prompts):
            raise ValueError(f"decode gave {len(motions)} motions for {len(prompts)} completions; expected one each.")
        scenarios = columns.get("scenario") or [None] * len(prompts)
        items = [
            JudgeItem(motion, prompt_text(prompt), None if scenario is None else Scenario.from_json(scenario))
            for motion, prompt, scenario in zip(motions, prompts, scenarios, strict=True)
            if motion is not None
        ]
        verdicts = iter(self.judge.score(items))
        return [None if motion is None else _reward(next(verdicts)) for motion in motions]


def prompt_text(prompt: Any) -> str:
    """The text of a prompt in either of TRL's forms.

    Args:
        prompt (`str` or `list[dict]`): plain text, or a conversation whose last user message counts.

    Returns:
        `str`: the text.

    Raises:
        TypeError: if it is neither.
    """
    if isinstance(prompt, str):
        return prompt
    if isinstance(prompt, Sequence):
        for message in reversed(prompt):
            if isinstance(message, Mapping) and message.get("role") == "user" and isinstance(message["content"], str):
                return message["content"]
    raise TypeError(f"Expected a prompt as text or as a conversation with a user's message, got {str(prompt)[:80]!r}.")


def _reward(verdict: Verdict) -> float | None:
    return None if verdict.score is None else (verdict.score - LOWEST) / (HIGHEST - LOWEST)
