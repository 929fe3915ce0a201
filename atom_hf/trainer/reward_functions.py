"""Reward functions of online trainers: named, weighted, and checked each time they answer.

checked_rewards([kinematic, learned], weights=[1.0, 0.5])   →  [CheckedReward, CheckedReward]

A reward function is called with `prompts`, `completions`, `completion_ids` and the columns of the dataset, and gives a
number, or None for no verdict, for each completion.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from torch import nn
from trl.trainer.utils import get_callable_name, is_async_callable

from ..models import MotionGPTForPreference, MotionGPTForReward
from .policy import base_of

# Rewards become float32, which tells sixteenths apart at a million and nothing below 1 at ten millions; and squares
# of what is much larger overflow where groups are scaled by their deviation.
LARGEST_REWARD = 1e6


class CheckedReward:
    """A reward function whose answers are numbers, as many as there are completions.

    None stays None, and numbers of arrays and tensors become plain floats. It goes by the function's own name.

    Args:
        function (`Callable`): the reward function.

    Raises:
        TypeError: when called, if the function gives something other than numbers and None.
        ValueError: when called, if there are not as many rewards as completions, or one is not finite or too large.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.__name__ = get_callable_name(function)

    def __call__(self, *args: Any, **kwargs: Any) -> list[float | None]:
        """Rewards of completions.

        Args:
            args (`Any`): of the function.
            kwargs (`Any`): of the function; `prompts` says how many rewards are expected.

        Returns:
            `list[float | None]`: one for each completion.
        """
        return checked_values(self.function(*args, **kwargs), len(kwargs["prompts"]), self.__name__)

    @property
    def causes(self) -> list[str]:
        """Why the last completions without a reward have none, where the function says so in `causes`."""
        return [str(cause) for cause in getattr(self.function, "causes", None) or () if cause is not None]


class CheckedAsyncReward(CheckedReward):
    """The same around a coroutine, which TRL awaits."""

    async def __call__(self, *args: Any, **kwargs: Any) -> list[float | None]:  # type: ignore[override]
        """Rewards of completions, as those of [`CheckedReward`]."""
        return checked_values(await self.function(*args, **kwargs), len(kwargs["prompts"]), self.__name__)


def checked_values(rewards: Any, count: int, name: str) -> list[float | None]:
    """What a reward function gave, as floats.

    Args:
        rewards (`Sequence`): numbers and None; an array or a tensor `[count]` as well.
        count (`int`): completions.
        name (`str`): of the function, for messages.

    Returns:
        `list[float | None]`: `[count]`.

    Raises:
        TypeError: if something is no number.
        ValueError: if there is another number of them, or one is not finite, or beyond ± a million.
    """
    if isinstance(rewards, str) or not hasattr(rewards, "__iter__"):
        raise TypeError(f"The reward function {name} gave {_shown(rewards)}; expected a list of {count} numbers.")
    given = rewards.tolist() if hasattr(rewards, "tolist") else list(rewards)
    if len(given) != count:
        raise ValueError(f"The reward function {name} gave {len(given)} rewards for {count} completions.")
    found: list[float | None] = []
    for i, reward in enumerate(given):
        if reward is None:
            found.append(None)
            continue
        try:
            number = float(reward) if hasattr(reward, "__float__") else None
        except (TypeError, ValueError):  # an array of several
            number = None
        except OverflowError:  # an integer of hundreds of digits
            number = math.inf
        wanted = "expected a finite number, or None where there is no verdict."
        if number is None:
            raise TypeError(f"The reward function {name} gave {_shown(reward)} for completion {i}; {wanted}")
        if not math.isfinite(number):
            raise ValueError(f"The reward function {name} gave {number} for completion {i}; {wanted}")
        if abs(number) > LARGEST_REWARD:
            raise ValueError(
                f"The reward function {name} gave {number:g} for completion {i}; expected rewards within "
                f"±{LARGEST_REWARD:g}, since groups of larger ones cannot be compared in float32. Scale or clip them."
            )
        found.append(number)
    return found


def checked_rewards(functions: Any, weights: Sequence[float] | None = None) -> list[Any]:
    """Reward functions that can be mixed.

    Args:
        functions (`Callable`, `nn.Module`, or a list of them): what gives rewards. A module is called by TRL, and not
            checked.
        weights (`Sequence[float]`, *optional*): how much each of them counts; 1 by default.

    Returns:
        `list`: the same, each function as a [`CheckedReward`].

    Raises:
        TypeError: if something is no reward function.
        ValueError: if there is none, two have one name, or weights do not fit.
    """
    given = list(functions) if isinstance(functions, list | tuple) else [] if functions is None else [functions]
    if not given:
        raise ValueError(
            "Expected at least one reward function, got none. JudgeReward(KinematicJudge(), "
            "decode=model.decode_completions) rewards the events that a prompt asks for."
        )
    checked = [_checked(function) for function in given]
    names = Counter(function.__name__ for function in checked if isinstance(function, CheckedReward))
    name, count = names.most_common(1)[0] if names else ("", 0)
    if count > 1:
        raise ValueError(
            f"{count} reward functions are called {name!r}, and logs would mix them up. Give each a name of its own, "
            "such as JudgeReward(…, name='temporal')."
        )
    check_weights(weights, len(checked))
    return checked


def check_weights(weights: Sequence[float] | None, count: int) -> None:
    """Raise where weights do not fit to reward functions.

    Args:
        weights (`Sequence[float]`, *optional*): one for each function; below 0 for a penalty.
        count (`int`): functions.

    Raises:
        ValueError: if there is another number of them, one is not finite or too large, or all are 0.
    """
    if weights is None:
        return
    if len(weights) != count:
        raise ValueError(
            f"Expected a weight for each of {count} reward functions, got {len(weights)}: "
            f"{', '.join(map(str, weights)) or 'none'}."
        )
    if not all(math.isfinite(weight) for weight in weights) or not any(weights):
        raise ValueError(f"Expected finite reward weights, not all of them 0, got {list(weights)}.")
    if any(abs(weight) > LARGEST_REWARD for weight in weights):
        raise ValueError(f"Expected reward weights within ±{LARGEST_REWARD:g}, got {list(weights)}.")


def without_verdict(functions: Sequence[Any], completions: int, whole: int) -> str:
    """Why a batch has no reward at all, in a sentence or two.

    Args:
        functions (`Sequence`): that were asked.
        completions (`int`): how many there were.
        whole (`int`): how many of them hold a whole motion.

    Returns:
        `str`: counts and the causes that functions gave.
    """
    said = []
    for function in functions:
        causes = Counter(function.causes if isinstance(function, CheckedReward) else ())
        if causes:
            cause, count = causes.most_common(1)[0]
            said.append(f"{function.__name__} says {count} times: {cause}")
    return "; ".join([f"{completions - whole} of {completions} hold no whole motion", *said]) + "."


def _checked(function: Any) -> Any:
    if isinstance(base_of(function), MotionGPTForReward | str):
        loaded = f"MotionGPTForReward.from_pretrained({function!r})" if isinstance(function, str) else "model"
        raise TypeError(
            "A reward model of motions reads codes in a form of its own, which TRL does not know. Hand it in as a "
            f"function: ModelReward({loaded})."
        )
    if isinstance(base_of(function), MotionGPTForPreference):
        raise TypeError(
            "Expected a MotionGPTForReward, or a function that gives rewards, got "
            f"{type(base_of(function)).__name__}, which writes motions. Train a reward model first: "
            "MotionRewardTrainer."
        )
    if isinstance(function, nn.Module | CheckedReward):
        return function
    if not callable(function):
        raise TypeError(f"Expected a reward function, got {_shown(function)}.")
    return CheckedAsyncReward(function) if is_async_callable(function) else CheckedReward(function)


def _shown(value: Any) -> str:
    return f"{type(value).__name__} {str(value)[:40]!r}"
