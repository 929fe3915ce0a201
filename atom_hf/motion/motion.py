"""`Motion`: one clip of human motion, with the views of it that models use.

motion = load_motion("walk.bvh")        # joints [T, 22, 3] in metres, Y up, at the file's frame rate
features = motion.to_features()         # HumanML3D features [T-1, 263] at 20 fps
Motion.from_features(features).save("back.bvh")
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .checks import check_features, check_fps, check_joints
from .features import features_to_joints, joints_to_features
from .layout import FEATURE_DIM, FPS
from .mirror import mirror_features, mirror_joints, mirror_text
from .resample import resample_joints

FRAMES_PER_CODE = 4  # MotionGPT's VQ-VAE halves the frame rate twice


@dataclass(eq=False)
class Motion:
    """A clip of human motion: 22 joints over time, and optionally its features, codes and text.

    Args:
        joints (`np.ndarray`): positions `[T, 22, 3]` in metres, Y up, T >= 1; order of `JOINT_NAMES`. Torch tensors
            and lists are taken too; kept as float32, or float64 if given so.
        fps (`float`, *optional*, defaults to 20.0): frames per second.
        features (`np.ndarray`, *optional*): HumanML3D features `[T, 263]` or `[T-1, 263]` that belong to the joints,
            at 20 fps.
        codes (`np.ndarray`, *optional*): motion tokens `[n]`, integers, 4 frames each.
        text (`str`, *optional*): what the person does.

    Raises:
        TypeError: if something is of another kind.
        ValueError: if a shape is wrong, a value is not finite (frame and joint are named), or fps is not above zero.
    """

    joints: np.ndarray
    fps: float = FPS
    features: np.ndarray | None = None
    codes: np.ndarray | None = None
    text: str | None = None

    def __post_init__(self) -> None:
        self.joints = _as_floats(self.joints)
        check_joints(self.joints)
        if self.joints.ndim != 3:
            raise ValueError(f"A motion is one clip, joints [T, 22, 3], got shape {list(self.joints.shape)}.")
        self.fps = check_fps(self.fps)
        if self.features is not None:
            self.features = _as_floats(self.features)
            check_features(self.features)
            if self.features.ndim != 2 or not 0 <= len(self) - len(self.features) <= 1:
                raise ValueError(
                    f"Features of a motion of {len(self)} frames have shape [{len(self)}, {FEATURE_DIM}] or one frame "
                    f"less, got {list(self.features.shape)}."
                )
        if self.codes is not None:
            codes = np.asarray(self.codes)
            if codes.ndim != 1 or (codes.size and codes.dtype.kind not in "iu"):
                raise ValueError(
                    f"Codes are one row of integers, [n], got {codes.dtype} of shape {list(codes.shape)}."
                )
            self.codes = codes.astype(np.int64)
        if self.text is not None and not isinstance(self.text, str):
            raise TypeError(f"Text of a motion is a string or None, got {type(self.text).__name__}.")

    @classmethod
    def from_features(cls, features: Any, codes: Any = None, text: str | None = None) -> "Motion":
        """The motion that HumanML3D features describe.

        Args:
            features (`Array`): not normalised, `[T, 263]`, numpy or torch; metres and radians at 20 fps.
            codes (`Array`, *optional*): motion tokens `[n]` it was decoded from, 4 frames each.
            text (`str`, *optional*): what the person does.

        Returns:
            [`Motion`]: T frames at 20 fps that keep the features.

        Raises:
            TypeError: if the features are no floating-point array.
            ValueError: if the shape is another one or a value is not finite.
        """
        features = _as_floats(features)
        check_features(features)
        if features.ndim != 2:
            raise ValueError(f"A motion is one clip, features [T, {FEATURE_DIM}], got shape {list(features.shape)}.")
        return cls(features_to_joints(features), FPS, features, codes, text)

    def __len__(self) -> int:
        return len(self.joints)

    @property
    def duration(self) -> float:
        """Length in seconds: frames divided by fps."""
        return len(self) / self.fps

    def __getitem__(self, index: slice) -> "Motion":
        """Frames `start:stop` as a motion of its own; features are cut with them, codes where the cut falls between
        codes.

        Args:
            index (`slice`): frames, with step 1; negative numbers count from the end.

        Raises:
            TypeError: if the index is no slice (`motion.joints[i]` is a single pose).
            ValueError: if the step is not 1 or no frame is left.
        """
        if not isinstance(index, slice):
            raise TypeError(
                f"A motion is cut with motion[start:stop], got an index of type {type(index).__name__}; "
                "a single pose is motion.joints[i]."
            )
        start, stop, step = index.indices(len(self))
        if step != 1 or stop <= start:
            raise ValueError(
                f"Expected start < stop within {len(self)} frames and step 1, got {_slice_text(index)}; "
                "motion.resample(fps) changes the frame rate."
            )
        codes = self.codes
        if codes is not None:
            aligned = start % FRAMES_PER_CODE == 0 and (stop % FRAMES_PER_CODE == 0 or stop == len(self))
            codes = codes[start // FRAMES_PER_CODE : -(-stop // FRAMES_PER_CODE)] if aligned else None
        features = None if self.features is None else self.features[start:stop]
        if features is not None and len(features) == 0:
            features = None
        return replace(self, joints=self.joints[start:stop], features=features, codes=codes)

    def allclose(self, other: "Motion", atol: float = 1e-4) -> bool:
        """Whether two motions are the same up to a tolerance, in joints, frame rate, codes and text.

        Args:
            other ([`Motion`]): the other motion.
            atol (`float`, *optional*, defaults to 1e-4): largest distance of two coordinates, metres.

        Returns:
            `bool`: also False where numbers of frames differ.
        """
        return (
            self.joints.shape == other.joints.shape
            and abs(self.fps - other.fps) < 1e-3
            and self.text == other.text
            and (self.codes is None) == (other.codes is None)
            and (self.codes is None or other.codes is None or np.array_equal(self.codes, other.codes))
            and bool(np.allclose(self.joints, other.joints, rtol=0, atol=atol))
        )

    def __eq__(self, other: object) -> bool:
        """`allclose` with its default tolerance of 0.1 mm."""
        return self.allclose(other) if isinstance(other, Motion) else NotImplemented

    def __repr__(self) -> str:
        extra = "" if self.features is None else ", features"
        extra += "" if self.codes is None else f", {len(self.codes)} codes"
        extra += "" if self.text is None else f", {self.text!r}"
        return f"Motion({len(self)} frames at {self.fps:g} fps, {self.duration:.2f} s{extra})"

    def resample(self, fps: float) -> "Motion":
        """The motion at another frame rate, with bone lengths kept; features and codes are left behind if the rate
        changes.

        Args:
            fps (`float`): frames per second.

        Returns:
            [`Motion`]: a new motion.

        Raises:
            TypeError: if fps is no number.
            ValueError: if it is not above zero.
        """
        if check_fps(fps) == self.fps:
            return self
        return Motion(resample_joints(self.joints, self.fps, fps), fps, text=self.text)

    def mirror(self) -> "Motion":
        """The motion with left and right exchanged, in joints, features and text; codes are left behind.

        Returns:
            [`Motion`]: a new motion.
        """
        return replace(
            self,
            joints=mirror_joints(self.joints),
            features=None if self.features is None else mirror_features(self.features),
            codes=None,
            text=None if self.text is None else mirror_text(self.text),
        )

    def to_features(self, retarget: bool = True) -> np.ndarray:
        """HumanML3D features, at 20 fps: those the motion carries, otherwise computed from the joints.

        Args:
            retarget (`bool`, *optional*, defaults to `True`): bring the body to HumanML3D's uniform skeleton, as
                models expect.

        Returns:
            `np.ndarray`: `[T, 263]` if carried, `[T-1, 263]` if computed (T after resampling); metres and radians.

        Raises:
            ValueError: if there are fewer than 2 frames at 20 fps, or a bone has no length.
        """
        if self.features is not None:
            return self.features
        return joints_to_features(self.resample(FPS).joints, retarget=retarget)

    def save(self, path: str | Path) -> None:
        """Write a file; its suffix says the format.

        Args:
            path (`str` or `Path`): `.bvh` (for animation programs), `.npz` (AMASS's SMPL layout), `.npy` (joints
                `[T, 22, 3]`, metres; for features write `np.save(path, motion.to_features())`), or what
                [`export_motion`] writes: `.glb`, `.html`, `.mp4`, `.gif` and others. Appears whole or not at all.

        Raises:
            ValueError: if the suffix is another one.
            ImportError: if the format needs the extra `render`, and it is not installed.
        """
        from .formats import WRITERS, save_motion

        if Path(path).suffix.lower() in WRITERS:
            return save_motion(self, path)
        from ..render.export import export_motion

        export_motion(self, path)

    def _repr_html_(self) -> str | None:
        """The motion in a notebook, to play, step and turn; as text where Pillow is not installed."""
        try:
            from ..render.viewer import ViewerClip, viewer_iframe
        except ImportError:
            return None
        return viewer_iframe(ViewerClip(self), prompt=self.text or "")


def _slice_text(index: slice) -> str:
    parts = [index.start, index.stop, *([] if index.step is None else [index.step])]
    return "[" + ":".join("" if part is None else str(part) for part in parts) + "]"


def _as_floats(values: Any) -> np.ndarray:
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = values.float() if values.dtype.itemsize < 4 else values  # numpy has no bfloat16
    array = np.asarray(values)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"Expected numbers, got an array of {array.dtype}.")
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float32)
