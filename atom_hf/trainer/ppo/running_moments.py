"""Mean and deviation of all scores so far, by which PPO scales those of a batch.

moments = RunningMoments()
moments.update(scores); scores / moments.std
"""

from typing import Any

from torch import Tensor


class RunningMoments:
    """Moments of a stream of numbers, batch by batch (Chan et al. 1979)."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = 0.0
        self.var = 1.0  # of the population
        self.std = 1.0  # of a sample

    def update(self, values: Tensor) -> None:
        """Take a batch in.

        Args:
            values (`Tensor`): `[n]`, of all processes; an empty one changes nothing.
        """
        count = values.numel()
        if not count:
            return
        values = values.double()
        mean = float(values.mean())
        squares = float(((values - mean) ** 2).sum())
        before, total = self.var * self.count, self.count + count
        delta = mean - self.mean
        self.var = (squares + before + delta**2 * self.count * count / total) / total
        self.mean += delta * count / total
        self.count = total
        # A single number has no deviation; neither have equal ones, which are left as they are.
        self.std = (self.var * total / (total - 1)) ** 0.5 if total > 1 and self.var > 0 else 1.0

    def scaled(self, values: Tensor, *, shift: bool = False, clip: float | None = None) -> Tensor:
        """Values by the deviation of all so far.

        Args:
            values (`Tensor`): any shape.
            shift (`bool`, *optional*, defaults to `False`): subtract the mean as well.
            clip (`float`, *optional*): bring results into ±clip.

        Returns:
            `Tensor`: of the same shape.
        """
        result = (values - self.mean if shift else values) / (self.std + 1e-8)
        return result if clip is None else result.clamp(-clip, clip)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps.

        Returns:
            `dict[str, Any]`: plain numbers.
        """
        return dict(vars(self))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint.

        Args:
            state (`dict[str, Any]`): of `state_dict`.
        """
        vars(self).update(state)
