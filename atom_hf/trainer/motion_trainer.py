"""What all trainers of motion models add to TRL's and transformers': safety, and noise that arrives.

class MotionDPOTrainer(MotionTrainer, DPOTrainer): …
"""

import logging
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import broadcast_object_list
from peft import PeftModel

from ..models import MotionGPTForPreference
from ..models.hub import public_name
from .compact_scoring import score_compactly
from .complete_checkpoint import checkpoint_fault, has_optimizer
from .neftune import EncoderNoise
from .policy import base_of
from .training_card import training_card

_log = logging.getLogger(__name__)


class MotionTrainer:
    """Mixed in before a trainer. Overrides `train`, `training_step`, `_get_grad_norm`, `save_model`, `evaluate`,
    `log`, `create_model_card` and `_issue_warnings_after_load`.

    - `train` refuses to write into a folder that is not empty, unless it goes on from a checkpoint. The last one is
      the last complete one: a run that was killed may have left half of another, or a file was lost.
    - `training_step` stops at a loss that is no number and `_get_grad_norm` at gradients that are none, before
      anything is learnt from them; `save_model` and the end of `train` at weights that are none, before they are
      written.
    - NEFTune's noise is put where a T5 reads its embeddings.
    - Callbacks that have a method `connect` get the trainer, so that they can log.
    - Means of logits are left out of the log: a head that writes motion alone gives all other tokens −10,000.
    - Weights that are tied to others are not missed in a checkpoint, which holds them once.
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
            FloatingPointError: if the loss, the norm of its gradients or a trained weight is no finite number.
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
                output = super().train(resume_from_checkpoint, *args, **kwargs)  # type: ignore[misc]
        finally:
            self.neftune_noise_alpha = alpha
        self._check_weights()
        return output

    def save_model(self: Any, *args: Any, **kwargs: Any) -> None:
        """As in transformers.

        Raises:
            FloatingPointError: if a trained weight is not finite; nothing is written.
        """
        self._check_weights()
        super().save_model(*args, **kwargs)  # type: ignore[misc]

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

    @contextmanager
    def _sampling(self: Any) -> Iterator[None]:
        """Where motions are drawn: a model whose probabilities are no numbers is named as that."""
        try:
            yield
        except RuntimeError as error:
            if "probability tensor contains" not in str(error):
                raise
            raise FloatingPointError(
                f"After step {self.state.global_step} the model's probabilities are no numbers. {_advice(self.args)}"
            ) from error

    def _checkpoint(self: Any, named: Any) -> str:
        """The checkpoint to go on from, the same in all processes: that of the first one, which looks at the files."""
        found: list[tuple[str | None, dict[str, str]]] = [(None, {})]
        if self.is_world_process_zero():
            found = [_whole(self._saved(), self._files_to_go_on()) if named is True else _whole([Path(named)])]
        broadcast_object_list(found)
        chosen, faults = found[0]
        if chosen is not None:
            for name, fault in faults.items():
                _log.warning("%s is passed over for %s: %s.", name, Path(chosen).name, fault)
            if not has_optimizer(Path(chosen)) and not self.args.save_only_model:
                _log.warning(
                    "%s was written with save_only_model: the optimizer begins anew, and random numbers differ.",
                    chosen,
                )
            return chosen
        folder = Path(self.args.output_dir)
        if named is not True:
            raise ValueError(
                f"{named} is no complete checkpoint: {faults[Path(named).name]}. Name another, or "
                "train(resume_from_checkpoint=True) for the last complete one."
            )
        each = "; ".join(f"{name}: {fault}" for name, fault in faults.items())
        some = f"only {', '.join(reversed(faults))}, which cannot be gone on from ({each})" if faults else "none"
        raise ValueError(
            f"Expected a checkpoint to go on from in {folder}, found {some}. Remove the folder or choose another "
            "output_dir, and train from the start."
        )

    def _saved(self: Any) -> list[Path]:
        """Checkpoints of `output_dir`, the last one first."""
        found = [path for path in Path(self.args.output_dir).glob("checkpoint-*") if path.is_dir()]
        numbered = [path for path in found if re.fullmatch(r"checkpoint-\d+", path.name)]
        return sorted(numbered, key=lambda path: int(path.name.split("-")[1]), reverse=True)

    def _files_to_go_on(self) -> list[str]:
        """What a checkpoint holds beside transformers' own files."""
        return []

    def _check_weights(self: Any) -> None:
        for name, weight in self.model.named_parameters():
            part = weight.detach().to_local() if hasattr(weight, "to_local") else weight.detach()  # of FSDP: its own
            if weight.requires_grad and not bool(torch.isfinite(part).all()):
                raise FloatingPointError(
                    f"The weights are no finite numbers after step {self.state.global_step} ({name}), so nothing is "
                    f"saved. {_advice(self.args)}"
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
                f"The loss of step {self.state.global_step + 1} is {float(loss)}. {_advice(self.args)}"
            )
        return loss

    def _get_grad_norm(self: Any, *args: Any, **kwargs: Any) -> Any:
        """As in transformers, which asks for it before the optimizer's step.

        In half precision of 16 bits an infinite norm is ordinary: its scaler leaves such a step out.
        """
        norm = super()._get_grad_norm(*args, **kwargs)  # type: ignore[misc]
        scaled = self.accelerator.mixed_precision == "fp16"
        if norm is not None and not scaled and not math.isfinite(float(norm)):
            step = self.state.global_step + 1
            raise FloatingPointError(
                f"The gradients of step {step} have a norm of {float(norm)}. {_advice(self.args)}"
            )
        return norm

    def _issue_warnings_after_load(self: Any, load_result: Any) -> None:
        tied = getattr(self.model, "all_tied_weights_keys", None) or {}
        missing = [name for name in load_result.missing_keys if name not in tied]
        super()._issue_warnings_after_load(load_result._replace(missing_keys=missing))  # type: ignore[misc]


def _whole(checkpoints: list[Path], needed: Sequence[str] = ()) -> tuple[str | None, dict[str, str]]:
    """The first of some that is whole, and what is wrong with those before it."""
    faults: dict[str, str] = {}
    for path in checkpoints:
        if (fault := checkpoint_fault(path, needed)) is None:
            return str(path), faults
        faults[path.name] = fault
    return None, faults


def _advice(args: Any) -> str:
    return (
        f"Lower learning_rate (now {args.learning_rate:g}) or max_grad_norm (now {args.max_grad_norm:g}), train in "
        "float32, or look for log-probabilities of -inf: a motion that the policy excludes."
    )
