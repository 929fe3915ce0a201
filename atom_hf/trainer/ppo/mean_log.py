"""Means of what was measured since the last log, over all devices, right also where batches differ in size.

log = MeanLog(total)
log.add("train", {"objective/kl": (kl.sum(), rows)})
log.pop("train")   →  {"objective/kl": 0.31}
"""

from collections import defaultdict
from collections.abc import Callable, Mapping

import torch
from torch import Tensor


class MeanLog:
    """Sums and counts by name.

    Args:
        total (`Callable`): sums a tensor over processes.
    """

    def __init__(self, total: Callable[[Tensor], Tensor]) -> None:
        self.total = total
        self._kept: dict[str, dict[str, list[float]]] = defaultdict(dict)

    def add(self, mode: str, sums: Mapping[str, tuple[Tensor, Tensor]]) -> None:
        """Take measurements in; all processes have to, with the same names.

        Args:
            mode (`str`): such as `"train"`.
            sums (`Mapping[str, tuple[Tensor, Tensor]]`): for each name the sum of numbers here, and how many.
        """
        here = torch.stack([torch.stack([value.detach().float(), count.float()]) for value, count in sums.values()])
        for name, (value, count) in zip(sums, self.total(here).tolist(), strict=True):
            before = self._kept[mode].get(name, [0.0, 0.0])
            self._kept[mode][name] = [before[0] + value, before[1] + count]

    def pop(self, mode: str) -> dict[str, float]:
        """Means, and begin anew.

        Args:
            mode (`str`): such as `"train"`.

        Returns:
            `dict[str, float]`: by name; without those of which there was no number.
        """
        return {name: value / count for name, (value, count) in self._kept.pop(mode, {}).items() if count}
