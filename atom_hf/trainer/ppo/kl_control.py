"""How much a nat of divergence from the reference costs in PPO: the same always, or as much as keeps a target.

control = AdaptiveKL(0.05, target=6.0, horizon=10_000)
control.update(kl=9.0, completions=32); control.value  →  0.050032
"""

_MOST = 0.2  # an error counts at most this much


class FixedKL:
    """The published way: a coefficient that stays.

    Args:
        value (`float`): what a nat costs; at least 0.

    Raises:
        ValueError: if it is below 0.
    """

    def __init__(self, value: float) -> None:
        if not value >= 0:
            raise ValueError(f"Expected a KL coefficient of at least 0, got {value}.")
        self.value = value

    def update(self, kl: float, completions: int) -> None:
        """Nothing changes.

        Args:
            kl (`float`): mean over completions of the sum over tokens, nats.
            completions (`int`): how many there were.
        """


class AdaptiveKL(FixedKL):
    """A coefficient that grows where the divergence is above its target (Ziegler et al. 2019, section 2.2).

    Args:
        value (`float`): the first coefficient; above 0.
        target (`float`, *optional*, defaults to 6): wanted divergence of a completion, nats.
        horizon (`int`, *optional*, defaults to 10000): completions in which an error of its full size doubles it.

    Raises:
        ValueError: if a number is not above 0.
    """

    def __init__(self, value: float, target: float = 6.0, horizon: int = 10_000) -> None:
        if not (value > 0 and target > 0 and horizon > 0):
            raise ValueError(
                f"Expected a KL coefficient, target and horizon above 0, got {value}, {target} and {horizon}."
            )
        super().__init__(value)
        self.target = target
        self.horizon = horizon

    def update(self, kl: float, completions: int) -> None:
        """Move the coefficient.

        Args:
            kl (`float`): mean over completions of the sum over tokens, nats.
            completions (`int`): how many there were.
        """
        error = min(max(kl / self.target - 1, -_MOST), _MOST)
        self.value *= 1 + error * completions / self.horizon
