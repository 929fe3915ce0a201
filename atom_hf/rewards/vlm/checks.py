"""Whether the settings of a judge can be meant, said before anything is drawn, written or asked.

check_settings("gpt-4o", votes=1.5, …)   →  ValueError: Expected numbers of at least 1 (whole ones) for votes, …
"""

import math
from numbers import Integral, Real
from typing import Any


def check_settings(
    model: Any, *, temperature: Any, votes: Any, max_tokens: Any, concurrency: Any, deadline: Any
) -> None:
    """See that the settings of a judge are of their kinds and in range.

    Args:
        model (`Any`): its name.
        temperature (`Any`): unitless, or None.
        votes (`Any`): how often each item is asked for.
        max_tokens (`Any`): the longest reply.
        concurrency (`Any`): requests at once.
        deadline (`Any`): seconds.

    Raises:
        TypeError: if the model's name is no text.
        ValueError: if it is blank, or a number is none or out of range.
    """
    if not isinstance(model, str):
        raise TypeError(f'Expected the model\'s name as text, such as "gpt-4o", got {model!r:.80}.')
    if not model.strip():
        raise ValueError(f'Expected the model\'s name at the endpoint, got {model!r}; try "gpt-4o".')
    whole = all(_is_number(number, Integral) and number >= 1 for number in (votes, max_tokens, concurrency))
    if not (whole and _is_number(deadline) and 0 < deadline < math.inf):
        raise ValueError(
            "Expected numbers of at least 1 (whole ones) for votes, max_tokens and concurrency, and seconds above 0 "
            f"for the deadline, got {votes=}, {max_tokens=}, {concurrency=}, {deadline=}."
        )
    if temperature is not None and not (_is_number(temperature) and 0 <= temperature < math.inf):
        raise ValueError(
            f"The temperature is a number from 0 on, or None for the server's own, got {temperature!r:.80}."
        )
    if votes > 1 and temperature == 0:
        raise ValueError(
            f"{votes} votes at temperature 0 are {votes} times the same reply, each of them paid for: set a "
            "temperature such as 0.7, or leave votes at 1."
        )


def check_limit(name: str, number: Any) -> None:
    """See that a limit is a number above zero, or None.

    Args:
        name (`str`): of the setting.
        number (`Any`): its value.

    Raises:
        ValueError: if it is not.
    """
    if number is not None and not (_is_number(number) and number > 0):
        raise ValueError(f"{name} is above zero, got {number!r:.80}.")


def _is_number(value: Any, kind: type = Real) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)
