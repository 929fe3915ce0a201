"""What a prompt asks for, and where the parser stopped if it does not understand it."""

from typing import NamedTuple

from ...events import Scenario
from ...motion.plain_text import neutralize


class Asked(NamedTuple):
    """What was understood of a prompt.

    Args:
        scenario ([`Scenario`], *optional*): its events; None where it is not understood.
        problem (`str`): why not; empty otherwise.
    """

    scenario: Scenario | None
    problem: str = ""


def read_scenario(prompt: str) -> Asked:
    """What a prompt asks for, if the parser understands it.

    Args:
        prompt (`str`): one line.

    Returns:
        [`Asked`]: never raises for a text.
    """
    try:
        return Asked(Scenario.parse(neutralize(prompt).text))
    except ValueError as error:
        stopped = getattr(error, "stopped_at", "")
        where = f" It stopped at “{stopped[:80]}”." if stopped else ""
        return Asked(None, f"The judge reads sentences of its own grammar only.{where}")
