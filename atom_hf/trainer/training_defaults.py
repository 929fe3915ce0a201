"""Fields that all configs of the trainers share: where a run takes place, and the adapter that is trained.

MotionDPOConfig("outputs/dpo").lora()  →  LoraConfig(r=8, lora_alpha=16, lora_dropout=0.05, target_modules={"q", "v"})
"""

from dataclasses import dataclass, field
from typing import Any

import torch


@dataclass
class TrainingDefaults:
    """Mixed in before TRL's config, so that its defaults come first.

    On a machine without an accelerator a run says so, which two processes need to find each other, and keeps float32.
    Activations of motion models are small, so nothing is computed twice to save them.

    Args:
        use_cpu (`bool`, *optional*): by default where there is no accelerator.
        gradient_checkpointing (`bool`, *optional*): recompute activations; off by default, since it is
            slower by half.
        bf16 (`bool`, *optional*): by default on an accelerator that has it, never on a CPU.
        dataloader_pin_memory (`bool`, *optional*): by default where there is an accelerator.
        logging_nan_inf_filter (`bool`, *optional*, defaults to `False`): a loss that is no number stops the run, and
            is not hidden.
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

    def __post_init__(self) -> None:
        if self.bf16 is None:
            half = not self.use_cpu and torch.cuda.is_available() and torch.cuda.is_bf16_supported()
            self.bf16 = half and not getattr(self, "fp16", False)
        super().__post_init__()  # type: ignore[misc]


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
