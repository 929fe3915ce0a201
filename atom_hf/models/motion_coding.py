"""Motions to codes and back, in batches, with the VQ-VAE that a language model carries."""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..motion import Motion
from ..motion.motion import FRAMES_PER_CODE

_log = logging.getLogger(__name__)


class MotionCoding:
    """Methods of [`MotionGPTForPreference`] that need its VQ-VAE alone."""

    @torch.no_grad()
    def encode_motion(self: Any, motions: Sequence[Motion], *, batch_size: int = 32) -> list[np.ndarray]:
        """Codes of motions.

        Args:
            motions (`Sequence[Motion]`): at least 4 frames of features each, or 5 of joints `[T, 22, 3]` in metres,
                at 20 fps.
            batch_size (`int`, *optional*, defaults to 32): motions at once.

        Returns:
            `list[np.ndarray]`: `[T // 4]` codes each, int64.

        Raises:
            TypeError: if something is no [`Motion`].
            ValueError: if a motion is too short, or the checkpoint has no VQ-VAE.
        """
        vqvae = self._require_vqvae()
        features = []
        for motion in motions:
            if not isinstance(motion, Motion):
                raise TypeError(f"Expected motions, got {type(motion).__name__}; Motion(joints) makes one.")
            features.append(torch.from_numpy(np.asarray(motion.to_features(), dtype=np.float32)))
            if len(features[-1]) < FRAMES_PER_CODE:
                raise ValueError(
                    f"Motion {len(features) - 1} has {len(features[-1])} frames of features at 20 fps, and a code "
                    f"needs {FRAMES_PER_CODE}; joints give one frame less than they are."
                )
        codes: list[np.ndarray] = [np.zeros(0, np.int64)] * len(features)
        for part in batches(features, batch_size):
            lengths = torch.tensor([len(features[i]) for i in part], device=vqvae.device)
            batch = torch.nn.utils.rnn.pad_sequence([features[i] for i in part], batch_first=True)
            found = vqvae.encode(vqvae.normalize(batch.to(vqvae.device)), lengths)
            for row, i in enumerate(part):
                codes[i] = found[row, : len(features[i]) // FRAMES_PER_CODE].cpu().numpy()
        return codes

    def decode_completions(self: Any, completion_ids: Sequence[Sequence[int]]) -> list[Motion | None]:
        """Motions of what the model wrote, as reward functions get it.

        Args:
            completion_ids (`Sequence[Sequence[int]]`): token ids of each completion; `</s>` and padding may follow.

        Returns:
            `list[Motion | None]`: joints `[T, 22, 3]` in metres at 20 fps; None where there is no whole motion.

        Raises:
            ValueError: if the checkpoint has no VQ-VAE.
        """
        parsed = [self.processor.decode_codes(ids) for ids in completion_ids]
        whole = [i for i, found in enumerate(parsed) if found.complete]
        motions: list[Motion | None] = [None] * len(parsed)
        for i, motion in zip(whole, self.decode_motion([parsed[i].codes for i in whole]), strict=True):
            motions[i] = motion
        return motions

    @torch.no_grad()
    def decode_motion(
        self: Any, codes: Sequence[Any], texts: Sequence[str] | None = None, *, batch_size: int = 32
    ) -> list[Motion]:
        """Motions of codes, decoded in batches.

        Args:
            codes (`Sequence`): rows of integers from 0 to `num_codes - 1`, of any length; an empty row becomes the
                single code 0, as in MotionGPT.
            texts (`Sequence[str]`, *optional*): what each motion shows.
            batch_size (`int`, *optional*, defaults to 32): motions at once.

        Returns:
            `list[Motion]`: 4 frames a code at 20 fps, joints `[T, 22, 3]` in metres, with features, codes and text.

        Raises:
            ValueError: if codes are not one row of integers within the codebook, the number of texts is another one,
                or the checkpoint has no VQ-VAE.
        """
        vqvae = self._require_vqvae()
        rows = [torch.from_numpy(_check_codes(row, vqvae.config.num_codes)) for row in codes]
        if texts is not None and len(texts) != len(rows):
            raise ValueError(f"Expected a text for each of {len(rows)} motions, got {len(texts)} texts.")
        empty = sum(len(row) == 0 for row in rows)
        if empty:
            _log.warning("%d of %d motions have no codes; they stand still for 4 frames.", empty, len(rows))
        rows = [row if len(row) else torch.zeros(1, dtype=torch.long) for row in rows]
        motions: list[Motion | None] = [None] * len(rows)
        for part in batches(rows, batch_size):
            batch = torch.nn.utils.rnn.pad_sequence([rows[i] for i in part], batch_first=True, padding_value=-1)
            features = vqvae.denormalize(vqvae.decode(batch.to(vqvae.device))).cpu().numpy()
            for row, i in enumerate(part):
                frames = len(rows[i]) * vqvae.config.frames_per_code
                text = None if texts is None else texts[i]
                motions[i] = Motion.from_features(features[row, :frames].copy(), rows[i].numpy(), text)
        return [motion for motion in motions if motion is not None]

    def _require_vqvae(self: Any) -> Any:
        if self.vqvae is None:
            raise ValueError(
                "This checkpoint has no VQ-VAE, so it writes motion tokens but no motion. Convert it together with "
                "the VQ-VAE that it was trained with: atom-hf convert-checkpoint --vqvae."
            )
        return self.vqvae


def _check_codes(row: Any, num_codes: int) -> np.ndarray:
    """Codes of one motion as int64; nothing is rounded, and padding is none of them."""
    codes = np.asarray(row.cpu() if isinstance(row, Tensor) else row)
    if codes.ndim != 1 or (codes.size and codes.dtype.kind not in "iu"):
        raise ValueError(f"Expected codes of a motion as one row of integers, got {codes.dtype} {list(codes.shape)}.")
    outside = codes[(codes < 0) | (codes >= num_codes)]
    if outside.size:
        raise ValueError(f"Expected codes from 0 to {num_codes - 1}, got {outside[:5].tolist()}.")
    return codes.astype(np.int64)


def batches(rows: Sequence[Any], batch_size: int) -> Iterable[list[int]]:
    """Indices of rows, similar lengths together, the longest first: what needs most memory fails first.

    Args:
        rows (`Sequence`): of different lengths.
        batch_size (`int`): rows at once.

    Returns:
        `Iterable[list[int]]`: indices of each batch.

    Raises:
        ValueError: if the batch size is below 1.
    """
    if batch_size < 1:
        raise ValueError(f"Expected batch_size of at least 1, got {batch_size}.")
    order = sorted(range(len(rows)), key=lambda i: -len(rows[i]))
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
