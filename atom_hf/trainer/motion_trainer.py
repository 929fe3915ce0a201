"""What all trainers of motion models add to TRL's and transformers': safety, and noise that arrives.

class MotionDPOTrainer(MotionTrainer, DPOTrainer): …
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import broadcast_object_list
from peft import PeftModel

from ..models import MotionGPTForPreference
from ..models.hub import public_name
from .compact_scoring import score_compactly
from .neftune import EncoderNoise
from .policy import base_of
from .training_card import training_card


class MotionTrainer:
    """Mixed in before a trainer. Overrides `train`, `training_step`, `evaluate`, `log` and
    `create_model_card`.

    - `train` refuses to write into a folder that is not empty, unless it goes on from a checkpoint. The last one is
      the last complete one: a run that was killed may have left half of another.
    - `training_step` stops at a loss that is no number, before anything is learnt from it.
    - NEFTune's noise is put where a T5 reads its embeddings.
    - Callbacks that have a method `connect` get the trainer, so that they can log.
    - Means of logits are left out of the log: a head that writes motion alone gives all other tokens −10,000.
    """

    _noise: EncoderNoise | None = None
    _has_trained = False

    def train(self: Any, resume_from_checkpoint: str | bool | None = None, *args: Any, **kwargs: Any) -> Any:
        """As in transformers.

        Args:
            resume_from_checkpoint (`str` or `bool`, *optional*): a checkpoint, or True for the last complete one of
                `output_dir`.

        Returns:
            `TrainOutput`: steps, loss and metrics.

        Raises:
            FileExistsError: if `output_dir` is not empty, and no checkpoint to go on from is named.
            FloatingPointError: if the loss is no number.
            ValueError: if there is no checkpoint, or it is not complete.
        """
        if resume_from_checkpoint:
            resume_from_checkpoint = self._checkpoint(resume_from_checkpoint)
        elif not self._has_trained:
            self._check_output_dir()
        self._has_trained = True
        self._connect_callbacks()
        self._score_compactly()
        alpha, self.neftune_noise_alpha = self.neftune_noise_alpha, None  # transformers' hook would reach nothing
        self._noise = None if alpha is None else EncoderNoise(alpha)
        try:
            with nullcontext() if self._noise is None else self._noise.on(self.model):
                return super().train(resume_from_checkpoint, *args, **kwargs)  # type: ignore[misc]
        finally:
            self.neftune_noise_alpha = alpha

    def evaluate(self: Any, *args: Any, **kwargs: Any) -> dict[str, float]:
        """As in transformers; callbacks may add to the metrics.

        Returns:
            `dict[str, float]`: metrics.
        """
        self._connect_callbacks()
        self._score_compactly()
        return super().evaluate(*args, **kwargs)  # type: ignore[misc]

    def log(self: Any, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """As in transformers.

        Args:
            logs (`dict[str, float]`): what is logged.
        """
        for metrics in getattr(self, "_metrics", {}).values():  # TRL adds them to the logs
            for name in [name for name in metrics if name.startswith("logits/")]:
                del metrics[name]
        super().log(logs, *args, **kwargs)  # type: ignore[misc]

    def create_model_card(
        self: Any, model_name: str | None = None, dataset_name: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """Write a card into `output_dir`; TRL's and transformers' own speak of chats with a language model.

        Args:
            model_name (`str`, *optional*): the folder's name by default.
            dataset_name (`str`, *optional*): what it was trained on.
        """
        if not self.is_world_process_zero():
            return
        folder, model = Path(self.args.output_dir), self.accelerator.unwrap_model(self.model)
        base = str(getattr(base_of(model).config, "_name_or_path", "") or "")
        text = training_card(
            type(self).__name__,
            model_name or folder.resolve().name,
            base=public_name(base),
            adapter=isinstance(model, PeftModel),
            dataset=dataset_name,
        )
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "README.md").write_text(text, encoding="utf-8")

    def _connect_callbacks(self: Any) -> None:
        for callback in self.callback_handler.callbacks:
            if hasattr(callback, "connect"):
                callback.connect(self)

    @contextmanager
    def _recorded(self, model: Any) -> Iterator[list[Any]]:
        """What a model answers, so that one pass serves two losses."""
        outputs: list[Any] = []
        hook = model.register_forward_hook(lambda *passed: outputs.append(passed[-1]))
        try:
            yield outputs
        finally:
            hook.remove()

    def _score_compactly(self: Any) -> None:
        """Of policy and reference, where TRL gave them its head; both are scored alike."""
        for model in (self.model, getattr(self, "ref_model", None)):
            base = base_of(self.accelerator.unwrap_model(model)) if model is not None else None
            if isinstance(base, MotionGPTForPreference) and "forward" in base.__dict__:
                score_compactly(base)

    def _without_noise(self) -> Any:
        """A reference is scored on the prompts as they are."""
        return nullcontext() if self._noise is None else self._noise.paused()

    def _checkpoint(self: Any, named: Any) -> str:
        """The checkpoint to go on from, the same in all processes."""
        folder = Path(self.args.output_dir)
        found = [path for path in folder.glob("checkpoint-*") if re.fullmatch(r"checkpoint-\d+", path.name)]
        found = [Path(named)] if named is not True else sorted(found, key=lambda path: int(path.name.split("-")[1]))
        chosen: list[str | None] = [None, *(str(path) for path in found if _is_complete(path))][-1:]
        broadcast_object_list(chosen)
        if chosen[0] is not None:
            return chosen[0]
        if named is not True:
            raise ValueError(
                f"{named} is no complete checkpoint: it has no trainer_state.json, which is written last. Name "
                "another, or train(resume_from_checkpoint=True) for the last complete one."
            )
        some = f"only {', '.join(path.name for path in found)}, half-written" if found else "none"
        raise ValueError(
            f"Expected a checkpoint to go on from in {folder}, found {some}. Remove the folder or choose another "
            "output_dir, and train from the start."
        )

    def _check_output_dir(self: Any) -> None:
        folder = Path(self.args.output_dir)
        found = [path.name for path in folder.iterdir()] if self.is_world_process_zero() and folder.is_dir() else []
        shared = [sorted(found)]
        broadcast_object_list(shared)  # all processes stop, or none
        if shared[0]:
            some = ", ".join(shared[0][:3]) + (", …" if len(shared[0]) > 3 else "")
            raise FileExistsError(
                f"{folder} is not empty ({some}). Choose another output_dir, remove it, or go on with what is in it: "
                "trainer.train(resume_from_checkpoint=True)."
            )

    def training_step(self: Any, *args: Any, **kwargs: Any) -> Any:
        """As in transformers.

        Returns:
            `Tensor`: the loss, a scalar.

        Raises:
            FloatingPointError: if it is not finite.
        """
        loss = super().training_step(*args, **kwargs)  # type: ignore[misc]
        if not bool(torch.isfinite(loss)):
            raise FloatingPointError(
                f"The loss of step {self.state.global_step + 1} is {float(loss)}. Lower learning_rate (now "
                f"{self.args.learning_rate:g}) or max_grad_norm (now {self.args.max_grad_norm:g}), train in float32, "
                "or look for log-probabilities of -inf: a motion that the policy excludes."
            )
        return loss


def _is_complete(checkpoint: Path) -> bool:
    """Whether a checkpoint was written to its end: the trainer's state comes last."""
    try:
        return "global_step" in json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
