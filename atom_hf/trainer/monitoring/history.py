"""What a monitor has measured so far, and whether a reward rises at the expense of variety.

history = MonitorHistory(("events_overall",), "diversity")
history.add(50, {"events_overall": 0.6, "diversity": 3.1})   →  {…, "drift_warning": 0.0}
history.lines  →  [{"step": 0, "events_overall": 0.4, "diversity": 5.2, "drift_warning": 0.0, "reward": 0.4}, …]
"""

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

from ...evaluation import drift_warning

PREFIX = "eval_"
_ALWAYS = "eval_valid_share"  # the key by which lines of a monitor are known in a log

_log = logging.getLogger(__name__)


class MonitorHistory:
    """Measurements in order of their steps.

    Args:
        rewards (`Sequence[str]`): what must not rise alone; the first of them that is known counts.
        variety (`str`): what must not fall alone.
        max_drop (`float`, *optional*, defaults to 0.2): share of variety that may be lost.
        window (`int`, *optional*, defaults to 1): measurements that are averaged.

    Raises:
        ValueError: if a number is out of range.
    """

    def __init__(self, rewards: Sequence[str], variety: str, max_drop: float = 0.2, window: int = 1) -> None:
        if not 0 < max_drop < 1 or window < 1:
            raise ValueError(f"Expected max_drop between 0 and 1 and window of at least 1, got {max_drop}, {window}.")
        self.rewards, self.variety, self.max_drop, self.window = tuple(rewards), variety, max_drop, window
        self.lines: list[dict[str, float]] = []
        self._logged: dict[str, float] = {}

    def remember(self, logs: Mapping[str, Any]) -> None:
        """Keep the last reward that a trainer logged.

        Args:
            logs (`Mapping[str, Any]`): a line of its log.
        """
        self._logged.update({name: float(logs[name]) for name in self.rewards if name in logs})

    def restore(self, log_history: Sequence[Mapping[str, Any]]) -> None:
        """Take up what a log tells, instead of what is here; once a step, as it was measured first.

        Args:
            log_history (`Sequence[Mapping[str, Any]]`): `state.log_history`.
        """
        self.lines, self._logged = [], {}
        for line in log_history:
            if _ALWAYS not in line:
                self.remember(line)
            elif not self.lines or line["step"] > self.lines[-1]["step"]:
                found = {name.removeprefix(PREFIX): line[name] for name in line if name.startswith(PREFIX)}
                self.lines.append(self._line(line["step"], found))

    def add(self, step: int, found: Mapping[str, float]) -> None:
        """Keep a measurement.

        Args:
            step (`int`): of the training.
            found (`Mapping[str, float]`): numbers by name.
        """
        self.lines.append(self._line(step, found))

    def drifts(self, step: int, found: Mapping[str, float]) -> float:
        """Whether reward is up and variety down since the first measurement; said aloud when it begins.

        Args:
            step (`int`): of the training.
            found (`Mapping[str, float]`): the newest measurement, which is not kept.

        Returns:
            `float`: 1 or 0.

        Raises:
            ValueError: if variety was not measured.
        """
        if self.variety not in found:
            raise ValueError(f"Expected variety among {', '.join(sorted(found))}, got {self.variety!r}.")
        lines = [*self.lines, self._line(step, found)]
        base = lines[0].get(self.variety, 0.0)
        both = [line for line in lines if math.isfinite(line.get("reward", math.nan)) and self.variety in line]
        if not both or not base > 0:
            return 0.0
        warning = drift_warning(
            [line["reward"] for line in both],
            [line[self.variety] for line in both],
            base_diversity=base,
            max_drop=self.max_drop,
            window=self.window,
        )
        if warning is not None and not (self.lines and self.lines[-1].get("drift_warning")):
            _log.warning("Step %d, %s against %s: %s", step, self._reward(found)[0], self.variety, warning.message)
        return float(warning is not None)

    def _reward(self, found: Mapping[str, float]) -> tuple[str, float | None]:
        known = {**self._logged, **found}
        name = next((name for name in self.rewards if name in known), "")
        return name, known.get(name)

    def _line(self, step: int, found: Mapping[str, float]) -> dict[str, float]:
        _, reward = self._reward(found)
        return {"step": step, **found} | ({} if reward is None else {"reward": float(reward)})
