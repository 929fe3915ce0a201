"""Mean and standard deviation of motion features that a model was trained on, kept among its buffers."""

from typing import Any

import torch
from torch import Tensor

from ..motion import MotionStats


class WithFeatureStats:
    """For models with buffers `mean` and `std`, `[263]` each; identity until `set_stats`."""

    def normalize(self: Any, features: Tensor) -> Tensor:
        """Features as the networks see them.

        Args:
            features (`Tensor`): `[..., 263]`, metres and radians.

        Returns:
            `Tensor`: `[..., 263]`, unitless.
        """
        return (features - self.mean) / self.std

    def set_stats(self: Any, stats: MotionStats) -> None:
        """Give the model the statistics of the features that it is trained on.

        Args:
            stats ([`MotionStats`]): mean and standard deviation, `[263]` each.
        """
        self.mean.copy_(torch.from_numpy(stats.mean))
        self.std.copy_(torch.from_numpy(stats.std))

    @property
    def stats(self: Any) -> MotionStats:
        """The statistics saved with the model."""
        return MotionStats(self.mean.cpu().numpy(), self.std.cpu().numpy())
