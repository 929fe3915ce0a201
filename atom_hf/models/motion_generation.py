"""What a MotionGPT does with texts and motions: text → motion, motion → text, prediction, in-betweening.

model.generate_motion(["a person jumps twice"], num_return_sequences=4, seed=0)   →  4 × Motion
model.motion_to_text([motion])                                                    →  ["a person jumps twice"]
model.predict_motion([beginning])                                                 →  [Motion], the beginning going on
"""

import secrets
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from ..motion import Motion
from ..motion.motion import FRAMES_PER_CODE
from .motion_coding import MotionCoding, batches
from .prefix_lm import unique_rows
from .sampling import Sampling, noise_generator, sample_codes

_TOGETHER = 8  # prompts that a CPU encodes at once
_LONG_LIST = 64  # rows from which a progress bar is shown


class MotionGeneration(MotionCoding):
    """Methods of [`MotionGPTForPreference`] that need its tokenizer and its VQ-VAE."""

    def generate_motion(
        self: Any,
        prompts: str | Sequence[str],
        num_return_sequences: int = 1,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int | None = None,
        batch_size: int = 32,
        max_frames: int = 196,
    ) -> list[Motion]:
        """Motions for texts.

        Prompts of similar length share a batch, and codes are decoded in batches. The same seed gives the same motions
        whatever the batch size, up to rounding ties; a prompt that stands in the list twice gives two motions.

        Args:
            prompts (`str` or `Sequence[str]`): what the person does.
            num_return_sequences (`int`, *optional*, defaults to 1): motions a prompt.
            temperature (`float`, *optional*): divides the logits; 0 takes the likeliest code. By default what the
                checkpoint's `generation_config` says, else 1.
            top_k (`int`, *optional*): draw among the k likeliest codes, 0 for all. By default the checkpoint's, or 50.
            top_p (`float`, *optional*): draw among the likeliest codes that have this probability. By default the
                checkpoint's, or 1.
            seed (`int`, *optional*): of the noise; another one each time by default.
            batch_size (`int`, *optional*, defaults to 32): motions at once.
            max_frames (`int`, *optional*, defaults to 196): longest motion, at 20 fps.

        Returns:
            `list[Motion]`: `num_return_sequences` for each prompt, in order, with joints `[T, 22, 3]` in metres,
                features, codes, and the prompt as text. Where the model wrote no code the motion is that of the single
                code 0.

        Raises:
            TypeError: if a prompt is no string.
            ValueError: if a prompt is empty or too long, a number is out of range, or the checkpoint has no VQ-VAE.
        """
        texts = [prompts] if isinstance(prompts, str) else list(prompts)
        rows = [self.processor.prompt_ids(text) for text in texts]
        codes = self._sample_rows(
            rows, texts, num_return_sequences, self._sampling(temperature, top_k, top_p), seed, batch_size, max_frames
        )
        spoken = [text for text in texts for _ in range(num_return_sequences)]
        return self.decode_motion(codes, texts=spoken, batch_size=batch_size)

    def predict_motion(
        self: Any,
        beginnings: Sequence[Motion],
        *,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int | None = None,
        batch_size: int = 32,
        max_frames: int = 196,
    ) -> list[Motion]:
        """How motions go on.

        Args:
            beginnings (`Sequence[Motion]`): first frames, as in `encode_motion`.
            temperature (`float`, *optional*): as in `generate_motion`.
            top_k (`int`, *optional*): as in `generate_motion`.
            top_p (`float`, *optional*): as in `generate_motion`.
            seed (`int`, *optional*): as in `generate_motion`.
            batch_size (`int`, *optional*, defaults to 32): motions at once.
            max_frames (`int`, *optional*, defaults to 196): longest result with its beginning, at 20 fps.

        Returns:
            `list[Motion]`: each with its beginning's codes first, decoded together, so that there is no seam.

        Raises:
            TypeError: if something is no [`Motion`].
            ValueError: if a motion is too short, or the checkpoint has no VQ-VAE.
        """
        begun = self.encode_motion(beginnings, batch_size=batch_size)
        rows = [self.processor.task_ids("prediction", codes=codes) for codes in begun]
        keys = [f"prediction {codes.tolist()}" for codes in begun]
        sampling = self._sampling(temperature, top_k, top_p)
        written = self._sample_rows(rows, keys, 1, sampling, seed, batch_size, max_frames)
        longest = max_frames // FRAMES_PER_CODE
        # A model that adds nothing gives an empty list, which numpy would take for floats.
        more = [np.asarray(codes, dtype=np.int64) for codes in written]
        joined = [np.concatenate(pair)[:longest] for pair in zip(begun, more, strict=True)]
        return self.decode_motion(joined, batch_size=batch_size)

    def fill_motion(
        self: Any,
        motions: Sequence[Motion],
        start: float = 0.25,
        end: float = 0.75,
        *,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int | None = None,
        batch_size: int = 32,
    ) -> list[Motion]:
        """Motions with their middle made anew (in-betweening).

        Args:
            motions (`Sequence[Motion]`): as in `encode_motion`; the model does not see the codes between `start` and
                `end`.
            start (`float`, *optional*, defaults to 0.25): where the gap begins, as a share of the motion.
            end (`float`, *optional*, defaults to 0.75): where it ends.
            temperature (`float`, *optional*): as in `generate_motion`.
            top_k (`int`, *optional*): as in `generate_motion`.
            top_p (`float`, *optional*): as in `generate_motion`.
            seed (`int`, *optional*): as in `generate_motion`.
            batch_size (`int`, *optional*, defaults to 32): motions at once.

        Returns:
            `list[Motion]`: of the same lengths; codes outside of the gap are the given ones. Where the model stops
                early its last code is held.

        Raises:
            TypeError: if something is no [`Motion`].
            ValueError: if a motion is too short, the gap is none, or the checkpoint has no VQ-VAE.
        """
        if not 0 <= start < end <= 1:
            raise ValueError(f"A gap goes from 0 <= start to end <= 1 with start < end, got {start} and {end}.")
        given = self.encode_motion(motions, batch_size=batch_size)
        gaps = [(int(len(codes) * start), int(np.ceil(len(codes) * end))) for codes in given]
        masked = []
        for codes, (first, last) in zip(given, gaps, strict=True):
            masked.append(np.where((np.arange(len(codes)) >= first) & (np.arange(len(codes)) < last), -1, codes))
        rows = [self.processor.task_ids("inbetween", codes=codes) for codes in masked]
        keys = [f"inbetween {codes.tolist()}" for codes in masked]
        longest = max((len(codes) for codes in given), default=1) * FRAMES_PER_CODE
        written = self._sample_rows(
            rows, keys, 1, self._sampling(temperature, top_k, top_p), seed, batch_size, longest
        )
        filled = []
        for codes, (first, last), new in zip(given, gaps, written, strict=True):
            before, behind = codes[:first], codes[last:]
            middle = np.asarray(new, dtype=np.int64)[first:last]
            known = np.concatenate([before, middle, behind[:1], [0]])  # what may be held where the model stopped early
            held = np.full(last - first - len(middle), known[max(first + len(middle) - 1, 0)])
            filled.append(np.concatenate([before, middle, held, behind]))
        return self.decode_motion(filled, batch_size=batch_size)

    @torch.no_grad()
    def motion_to_text(
        self: Any, motions: Sequence[Motion], *, max_new_tokens: int = 40, batch_size: int = 32
    ) -> list[str]:
        """Captions of motions, by greedy decoding.

        Args:
            motions (`Sequence[Motion]`): as in `encode_motion`.
            max_new_tokens (`int`, *optional*, defaults to 40): longest caption, in tokens.
            batch_size (`int`, *optional*, defaults to 32): motions at once.

        Returns:
            `list[str]`: one caption a motion.

        Raises:
            TypeError: if something is no [`Motion`].
            ValueError: if a motion is too short, or the checkpoint has no VQ-VAE.
        """
        rows = [
            self.processor.task_ids("motion-to-text", codes=codes)
            for codes in self.encode_motion(motions, batch_size=batch_size)
        ]
        captions = [""] * len(rows)
        motion_only, training = self.config.motion_only, self.training
        try:
            self.restrict_to_motion(False)
            self.eval()
            for part in batches(rows, batch_size):
                ids, mask = self._pad([rows[i] for i in part])
                written = self.generate(
                    ids,
                    attention_mask=mask,
                    return_prompt=False,
                    max_new_tokens=max_new_tokens,
                    do_sample=False,
                    suppress_tokens=list(self.config.motion_token_range),
                )
                for i, text in zip(part, self.processor.batch_decode(written, skip_special_tokens=True), strict=True):
                    captions[i] = text.strip()
        finally:
            self.restrict_to_motion(motion_only)
            self.train(training)
        return captions

    def _sampling(self: Any, temperature: float | None, top_k: int | None, top_p: float | None) -> Sampling:
        """What was asked for, else what the checkpoint's generation_config says, else MotionGPT's way."""
        asked = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
        config = self.generation_config
        settings: dict[str, Any] = {
            name: getattr(config, name, None) if value is None else value for name, value in asked.items()
        }
        return Sampling(**{name: value for name, value in settings.items() if value is not None})

    @torch.no_grad()
    def _sample_rows(
        self: Any,
        rows: list[list[int]],
        keys: Sequence[str],
        samples: int,
        sampling: Sampling,
        seed: int | None,
        batch_size: int,
        max_frames: int,
    ) -> list[list[int]]:
        """Codes for prompts given as ids, `samples` each; prompts of similar length together, each encoded once."""
        if samples < 1 or max_frames < FRAMES_PER_CODE:
            raise ValueError(
                f"Expected num_return_sequences of at least 1 and max_frames of at least {FRAMES_PER_CODE}, got "
                f"{samples} and {max_frames}."
            )
        seed = secrets.randbits(63) if seed is None else seed
        seen: Counter[str] = Counter()
        work: list[tuple[int, str, int]] = []  # row of the prompt, key and number of the sample
        for i, key in enumerate(keys):
            work += [(i, key, seen[key] * samples + n) for n in range(samples)]
            seen[key] += 1
        written: list[list[int]] = [[] for _ in work]
        training = self.training
        self.eval()
        try:
            # A prompt has up to twice as many codes as words come in; batches are made by the prompts' lengths alone.
            with tqdm(total=len(work), unit="motion", disable=None if len(work) > _LONG_LIST else True) as bar:
                for part in batches([rows[i] for i, _, _ in work], batch_size):
                    ids, mask = self._pad([rows[work[j][0]] for j in part])
                    generators = [noise_generator(seed, work[j][1], work[j][2]) for j in part]
                    states = self._encode_by_length(ids, mask)
                    found = sample_codes(self, states, mask, sampling, generators, max_frames // FRAMES_PER_CODE)
                    for j, codes in zip(part, found, strict=True):
                        written[j] = codes
                    bar.update(len(part))
        finally:
            self.train(training)
        return written

    def _encode_by_length(self: Any, ids: Tensor, mask: Tensor) -> Tensor:
        """Encoder states `[B, P, d_model]`; on a CPU a few prompts at a time, to save padding."""
        if ids.device.type != "cpu" or len(ids) <= _TOGETHER:
            return self._encode_once(ids, mask)
        first, kind = unique_rows(ids, mask) or (torch.arange(len(ids)), torch.arange(len(ids)))
        first, order = first.sort()  # as the batch is sorted: by length
        kind = order.argsort()[kind]
        states = torch.zeros(len(first), ids.shape[1], self.config.d_model, dtype=self.dtype)
        for part in torch.arange(len(first)).split(_TOGETHER):
            width = int(mask[first[part]].sum(1).max())
            prompts, seen = ids[first[part], :width], mask[first[part], :width]
            states[part, :width] = self.encoder(input_ids=prompts, attention_mask=seen)[0]
        return states[kind]

    def _pad(self: Any, rows: list[list[int]]) -> tuple[Tensor, Tensor]:
        """Ids of prompts, padded on the right to the longest, with their mask."""
        tensors = [torch.tensor(row) for row in rows]
        ids = torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=self.config.pad_token_id)
        lengths = torch.tensor([len(row) for row in rows])
        mask = (torch.arange(ids.shape[1]) < lengths[:, None]).long()
        return ids.to(self.device), mask.to(self.device)
