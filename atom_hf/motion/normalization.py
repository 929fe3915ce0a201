"""Mean and standard deviation of features, which every checkpoint has to carry: models see normalised features only.

stats = MotionStats.load("HumanML3D")          # the folder with Mean.npy and Std.npy
x = stats.normalize(features)                  # [T, 263], unitless
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .arrays import Array, constant
from .checks import check_features
from .formats.files import MotionFormatError, read_npy, replacing
from .layout import CONTACTS, FEATURE_DIM, POSITIONS, ROOT_HEIGHT, ROOT_VELOCITY, ROTATIONS, VELOCITIES, YAW_RATE

_GROUPS = (YAW_RATE, ROOT_VELOCITY, ROOT_HEIGHT, POSITIONS, ROTATIONS, VELOCITIES, CONTACTS)
_FILES = (("Mean.npy", "Std.npy"), ("mean.npy", "std.npy"))  # HumanML3D's names, MotionGPT's names


@dataclass(frozen=True, eq=False, repr=False)
class MotionStats:
    """Mean and standard deviation of HumanML3D features.

    MotionGPT's and HumanML3D's files differ (MotionGPT divides the deviations of root and contacts), so a checkpoint
    works with its own only.

    Args:
        mean (`np.ndarray`): `[263]`, in the units of the features (metres, radians).
        std (`np.ndarray`): `[263]`, same units, all above zero.

    Raises:
        ValueError: if a shape is another one, a value is not finite, or a deviation is not above zero.
    """

    mean: np.ndarray
    std: np.ndarray

    def __post_init__(self) -> None:
        for name in ("mean", "std"):
            value = np.asarray(getattr(self, name), dtype=np.float64)
            if value.shape != (FEATURE_DIM,) or not np.isfinite(value).all():
                raise ValueError(f"Expected {name} as {FEATURE_DIM} finite numbers, got shape {value.shape}.")
            object.__setattr__(self, name, value)
        if not (self.std > 0).all():
            raise ValueError(
                f"Expected deviations above zero, but dimension {int(np.argmin(self.std))} has {self.std.min()}."
            )

    def __repr__(self) -> str:
        return f"MotionStats({FEATURE_DIM} dimensions, std from {self.std.min():.2g} to {self.std.max():.2g})"

    def normalize(self, features: Array) -> Array:
        """Subtract the mean and divide by the deviation.

        Args:
            features (`Array`): `[..., 263]`, numpy or torch, metres and radians.

        Returns:
            `Array`: `[..., 263]`, unitless, dtype and device of the input.
        """
        mean, std = self._like(features)
        return (features - mean) / std

    def denormalize(self, features: Array) -> Array:
        """Undo `normalize`.

        Args:
            features (`Array`): normalised, `[..., 263]`, unitless, numpy or torch.

        Returns:
            `Array`: `[..., 263]` in metres and radians, dtype and device of the input.
        """
        mean, std = self._like(features)
        return features * std + mean

    def _like(self, features: Array) -> tuple[Array, Array]:
        if features.shape[-1] != FEATURE_DIM:
            raise ValueError(f"Expected features [..., {FEATURE_DIM}], got shape {list(features.shape)}.")
        return constant(self.mean, features), constant(self.std, features)

    @classmethod
    def compute(cls, corpus: Iterable[Array], root_and_contact_bias: float = 1.0) -> "MotionStats":
        """Statistics of a corpus, in one pass, with HumanML3D's convention.

        Deviations are averaged within each kind of feature (yaw rate, root velocity, height, positions, rotations,
        velocities, contacts), so that relations between joints survive normalisation.

        Args:
            corpus (`Iterable[Array]`): features of clips, each `[T_i, 263]`, metres and radians.
            root_and_contact_bias (`float`, *optional*, defaults to 1.0): number by which the deviations of root and
                contacts are divided, which gives them more weight in a loss; MotionGPT's files have 25 or so.

        Returns:
            [`MotionStats`]: the statistics.

        Raises:
            TypeError: if a clip is no floating-point array.
            ValueError: if the corpus is empty, a clip has another shape or holds NaN, or a kind of feature never
                changes.
        """
        count, mean, square = 0, np.zeros(FEATURE_DIM), np.zeros(FEATURE_DIM)
        for clip in corpus:
            check_features(clip)
            values = np.asarray(clip, dtype=np.float64).reshape(-1, FEATURE_DIM)
            shift = values.mean(0) - mean  # Chan et al. 1983: merge mean and sum of squares of two sets
            total = count + len(values)
            square += ((values - values.mean(0)) ** 2).sum(0) + shift**2 * count * len(values) / total
            mean += shift * len(values) / total
            count = total
        if count == 0:
            raise ValueError("Expected at least one clip of features, got an empty corpus.")
        deviation = np.sqrt(square / count)
        std = np.empty(FEATURE_DIM)
        for group in _GROUPS:
            std[group] = deviation[group].mean()
        for group in (YAW_RATE, ROOT_VELOCITY, ROOT_HEIGHT, CONTACTS):
            std[group] /= root_and_contact_bias
        return cls(mean, std)

    @classmethod
    def load(cls, folder: str | Path) -> "MotionStats":
        """Read the statistics in a folder: HumanML3D's `Mean.npy` and `Std.npy` or MotionGPT's `mean.npy` and
        `std.npy`.

        Args:
            folder (`str` or `Path`): where the two files are.

        Returns:
            [`MotionStats`]: the statistics, 263 numbers each, metres and radians.

        Raises:
            MotionFormatError: if they are absent or no statistics.
        """
        folder = Path(folder)
        for mean, std in _FILES:
            if (folder / mean).is_file() and (folder / std).is_file():
                try:
                    return cls(read_npy(folder / mean), read_npy(folder / std))
                except MotionFormatError:
                    raise
                except (TypeError, ValueError) as error:
                    raise MotionFormatError(
                        folder / mean, f"not the statistics of HumanML3D features. {error}"
                    ) from error
        raise MotionFormatError(
            folder, "expected Mean.npy and Std.npy (HumanML3D) or mean.npy and std.npy (MotionGPT) in this folder."
        )

    def save(self, folder: str | Path) -> None:
        """Write `Mean.npy` and `Std.npy`, the names of HumanML3D.

        Args:
            folder (`str` or `Path`): made if absent.
        """
        for name, value in zip(_FILES[0], (self.mean, self.std), strict=True):
            with replacing(Path(folder) / name) as temporary:
                np.save(temporary, value)
