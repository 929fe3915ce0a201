"""Fields that all configs of the trainers share: where a run takes place, and the adapter that is trained.

MotionDPOConfig("outputs/dpo").lora()  →  LoraConfig(r=8, lora_alpha=16, lora_dropout=0.05, target_modules={"q", "v"})
"""

import math
from dataclasses import dataclass, field, fields
from typing import Any

import torch

from .output_folder import check_output_folder


@dataclass
class TrainingDefaults:
    """Mixed in before TRL's config, so that its defaults come first.

    On a machine without an accelerator a run says so, which two processes need to find each other, and keeps float32.
    Activations of motion models are small, so nothing is computed twice to save them.

    Numbers have to be finite (but for `max_grad_norm`, where infinity clips nothing), a run takes at least a step, and
    `output_dir` can be written to: said here, before anything is loaded.

    Args:
        use_cpu (`bool`, *optional*): by default where there is no accelerator.
        gradient_checkpointing (`bool`, *optional*): recompute activations; off by default, since it is
            slower by half.
        bf16 (`bool`, *optional*): by default on an accelerator that has it, never on a CPU.
        dataloader_pin_memory (`bool`, *optional*): by default where there is an accelerator.
        logging_nan_inf_filter (`bool`, *optional*, defaults to `False`): a loss that is no number stops the run, and
            is not hidden.

    Raises:
        OSError: if nothing can be written into `output_dir`.
        ValueError: if a number is not finite, or there is nothing to train.
    """

    use_cpu: bool = field(
        default_factory=lambda: not torch.accelerator.is_available(),
        metadata={"help": "Train on the CPU. By default where there is no accelerator."},
    )
    gradient_checkpointing: bool | None = field(  # None is off, too, without transformers' warning about the name
        default=None, metadata={"help": "Recompute activations to save memory; a step takes half as long again."}
    )
    bf16: bool | None = field(
        default=None, metadata={"help": "Mixed precision. By default on accelerators that have it, never on a CPU."}
    )
    dataloader_pin_memory: bool = field(
        default_factory=torch.accelerator.is_available, metadata={"help": "Pin batches in memory for an accelerator."}
    )
    logging_nan_inf_filter: bool = field(default=False, metadata={"help": "Leave a NaN loss out of the log."})

    def __post_init__(self: Any) -> None:
        check_finite(self)
        steps, epochs = self.max_steps, self.num_train_epochs
        if steps == 0 or (steps < 0 and not epochs > 0):
            said = "max_steps=0" if steps == 0 else f"num_train_epochs={epochs:g}"
            raise ValueError(
                f"{said} leaves nothing to train. Give a number of steps, or max_steps=-1 for num_train_epochs above "
                "0; an evaluation alone is trainer.evaluate(), without trainer.train()."
            )
        if self.output_dir is not None:
            check_output_folder(self.output_dir)
        if self.bf16 is None:
            half = not self.use_cpu and torch.cuda.is_available() and torch.cuda.is_bf16_supported()
            self.bf16 = half and not getattr(self, "fp16", False)
        super().__post_init__()  # type: ignore[misc]


def check_finite(args: Any) -> None:
    """Raise where a setting is no finite number; as a loss it would be blamed on something else.

    Args:
        args (`TrainingArguments`): settings, alone or in lists.

    Raises:
        ValueError: if one is NaN or infinite; it says which.
    """
    for each in fields(args):
        value = getattr(args, each.name)
        for number in value if isinstance(value, list | tuple) else [value]:
            endless = each.name == "max_grad_norm" and number == math.inf
            if isinstance(number, float) and not math.isfinite(number) and not endless:
                raise ValueError(f"Expected a finite {each.name}, got {number}.")


@dataclass
class LoraDefaults(TrainingDefaults):
    """The adapter that both papers train: LoRA of rank 8 on the queries and values of all attention.

    Args:
        use_peft (`bool`, *optional*, defaults to `True`): train an adapter; otherwise all weights but the VQ-VAE's.
        lora_r (`int`, *optional*, defaults to 8): rank.
        lora_alpha (`int`, *optional*, defaults to 16): scale; updates count `lora_alpha / lora_r`.
        lora_dropout (`float`, *optional*, defaults to 0.05): of the adapter's input while training.
        lora_target_modules (`list[str]`, *optional*, defaults to `["q", "v"]`): names of linear layers.
    """

    use_peft: bool = field(default=True, metadata={"help": "Train a LoRA adapter; otherwise all weights."})
    lora_r: int = field(default=8, metadata={"help": "Rank of the adapter."})
    lora_alpha: int = field(default=16, metadata={"help": "Scale of the adapter: its updates count alpha / r."})
    lora_dropout: float = field(default=0.05, metadata={"help": "Dropout of the adapter's input."})
    lora_target_modules: list[str] = field(
        default_factory=lambda: ["q", "v"], metadata={"help": "Linear layers that get an adapter."}
    )

    def lora(self) -> Any:
        """The adapter's configuration.

        Returns:
            `LoraConfig` or `None`: None without `use_peft`.

        Raises:
            ValueError: if rank, scale or dropout are out of range.
        """
        if not self.use_peft:
            return None
        if self.lora_r < 1 or self.lora_alpha < 1 or not 0 <= self.lora_dropout < 1:
            raise ValueError(
                "Expected lora_r and lora_alpha of at least 1 and lora_dropout from 0 to below 1, got "
                f"{self.lora_r}, {self.lora_alpha} and {self.lora_dropout}."
            )
        from peft import LoraConfig

        return LoraConfig(
            r=self.lora_r,
            lora_alpha=self.lora_alpha,
            lora_dropout=self.lora_dropout,
            target_modules=list(self.lora_target_modules),
        )
