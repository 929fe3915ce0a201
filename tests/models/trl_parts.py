"""What the tests of the TRL contract share: a tiny checkpoint, rows, every trainer, and T5 computed by hand.

checkpoint(folder)  →  trainer("dpo", folder, …)  →  first_step(trainer)  →  loss and gradients
native(model)       →  log_probs(t5, prompt, completion)                  →  the same loss, written out
"""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
import trl
from datasets import Dataset
from torch import Tensor
from transformers import AutoTokenizer, T5Config, T5ForConditionalGeneration, TrainerCallback

from atom_hf.models.motiongpt import MotionGPTForPreference
from atom_hf.models.motiongpt_config import MotionGPTConfig
from atom_hf.models.tokenizer import train_tokenizer
from atom_hf.models.vqvae_config import MotionVQVAEConfig
from atom_hf.motion import codes_to_text

NUM_CODES = 16
GOOD, BAD = 3, 9  # codes that chosen and rejected motions are made of
CAPTIONS = ["a person walks forward slowly and waves", "the man jumps", "someone runs in a circle", "she sits down"]
SIZES: dict[str, Any] = {
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 64,
    "num_layers": 2,
    "num_decoder_layers": 1,
    "num_heads": 4,
}
BETA = {"dpo": 0.5, "kto": 0.5, "grpo": 0.2, "rloo": 0.2, "online_dpo": 0.5, "cpo": 0.5, "orpo": 0.5}


def checkpoint(folder: Path, *, untied: bool = False, motion_only: bool = False, dropout: float = 0.0) -> Path:
    """Save a random model with its tokenizer, and a VQ-VAE in which every number is another one."""
    tokenizer = train_tokenizer(CAPTIONS * 5, vocab_size=380, num_codes=NUM_CODES)
    torch.manual_seed(0)
    config = MotionGPTConfig(
        vocab_size=len(tokenizer),
        num_codes=NUM_CODES,
        vqvae_config=MotionVQVAEConfig(num_codes=NUM_CODES, code_dim=16, width=16),
        motion_only=motion_only,
        dropout_rate=dropout,
        **({"tie_word_embeddings": False} if untied else {}),
        **SIZES,
    )
    model = MotionGPTForPreference(config)
    assert model.vqvae is not None
    for tensor in model.vqvae.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(torch.rand_like(tensor) + 0.5)
    if untied:
        model.lm_head.weight.data *= 0.3  # T5's own start gives an untied head logits that saturate
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def load(folder: Path, *, moved: float = 0.0) -> MotionGPTForPreference:
    """The checkpoint, with language weights moved at random: a policy that its own reference differs from."""
    model = MotionGPTForPreference.from_pretrained(folder)
    noise = torch.Generator().manual_seed(7)
    for name, weight in model.named_parameters():
        if not name.startswith("vqvae."):
            weight.data += moved * torch.randn(weight.shape, generator=noise)
    return model


def tokenizer_of(folder: Path) -> Any:
    return AutoTokenizer.from_pretrained(folder)


# Rows ----------------------------------------------------------------------------------------------------------------


class Row(NamedTuple):
    prompt: str
    chosen: str
    rejected: str


ROWS = [
    Row(
        f"Generate motion: {caption}",
        codes_to_text([GOOD] * (2 + i), NUM_CODES),
        codes_to_text([BAD] * (5 - i), NUM_CODES),
    )
    for i, caption in enumerate(CAPTIONS)
]


def dataset(kind: str, *, plain: bool = False) -> Dataset:
    """Rows of one trainer, conversational or as plain strings."""

    def says(role: str, text: str) -> Any:
        return text if plain else [{"role": role, "content": text}]

    rows: list[dict[str, Any]] = []
    for row in ROWS:
        prompt = says("user", row.prompt)
        chosen, rejected = says("assistant", row.chosen), says("assistant", row.rejected)
        if kind in ("dpo", "cpo", "orpo"):
            rows.append({"prompt": prompt, "chosen": chosen, "rejected": rejected})
        elif kind == "kto":
            rows.append({"prompt": prompt, "completion": chosen, "label": True})
            rows.append({"prompt": prompt, "completion": rejected, "label": False})
        elif kind == "sft":
            rows.append({"prompt": prompt, "completion": chosen})
        else:
            rows.append({"prompt": prompt})
    return Dataset.from_list(rows)


# Trainers ------------------------------------------------------------------------------------------------------------


class Rewards:
    """Share of even ids in each completion; remembers what it was asked."""

    __name__ = "share_of_even_ids"

    def __init__(self) -> None:
        self.calls: list[tuple[list[Any], list[list[int]]]] = []

    def __call__(self, prompts: list[Any], completion_ids: list[list[int]], **_: Any) -> list[float]:
        self.calls.append((prompts, completion_ids))
        return [self.score(ids) for ids in completion_ids]

    @staticmethod
    def score(ids: list[int]) -> float:
        return sum(token % 2 == 0 for token in ids) / max(1, len(ids))


_EXPERIMENTAL = {"online_dpo": "OnlineDPO", "cpo": "CPO", "orpo": "ORPO"}  # may vanish from any release of TRL
_NOT_ARGUMENTS = ("ref_model", "peft_config", "reward_funcs", "processing_class")


def trainer(kind: str, folder: Path, model: Any = None, *, rows: Dataset | None = None, **changes: Any) -> Any:
    """An unmodified trainer of TRL; without `model`, a policy that the reference on disk differs from."""
    module, name = trl, kind.upper()
    if kind in _EXPERIMENTAL:
        module = pytest.importorskip(f"trl.experimental.{kind}", exc_type=ImportError)
        name = _EXPERIMENTAL[kind]
    online = kind in ("grpo", "rloo")
    arguments: dict[str, Any] = {
        "output_dir": str(folder / f"out_{kind}"),
        "max_steps": 3,
        "per_device_train_batch_size": 8 if online or kind == "kto" else 4,
        "learning_rate": 2e-2 if online else 1e-2,
        "lr_scheduler_type": "constant",
        "max_grad_norm": 0.0,
        "logging_steps": 1,
        "report_to": "none",
        "use_cpu": True,
        "bf16": False,
        "save_strategy": "no",
        "gradient_checkpointing": False,
        "disable_tqdm": True,
        "seed": 1,
    }
    if kind in BETA:
        arguments["beta"] = BETA[kind]
    extra: dict[str, Any] = {"processing_class": tokenizer_of(folder)}
    if online:
        arguments |= {"num_generations": 4, "max_completion_length": 6}
        extra["reward_funcs"] = Rewards()
    for key, value in changes.items():
        (extra if key in _NOT_ARGUMENTS else arguments)[key] = value
    return getattr(module, f"{name}Trainer")(
        model=load(folder, moved=0.1) if model is None else model,
        args=getattr(module, f"{name}Config")(**arguments),
        train_dataset=dataset(kind) if rows is None else rows,
        **extra,
    )


class _Gradients(TrainerCallback):
    """Gradients as they stand before the first step of the optimizer."""

    def __init__(self) -> None:
        self.found: dict[str, Tensor] = {}

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        if not self.found:
            self.found = {k: p.grad.clone() for k, p in model.named_parameters() if p.grad is not None}


class Trained(NamedTuple):
    gradients: dict[str, Tensor]  # of the first step
    log: list[dict[str, float]]  # one entry a step


def train(trainer: Any) -> Trained:
    """Run the trainer, and see that the motion tokenizer is what it was."""
    vqvae = next(module for name, module in trainer.model.named_modules() if name.endswith("vqvae"))
    before = {name: tensor.clone() for name, tensor in vqvae.state_dict().items()}
    gradients = _Gradients()
    trainer.add_callback(gradients)
    trainer.train()
    assert len(before) > 20 and before.keys() == vqvae.state_dict().keys()
    assert all(torch.equal(tensor, before[name]) for name, tensor in vqvae.state_dict().items())
    assert not vqvae.training and not any("vqvae" in name for name in gradients.found)
    return Trained(gradients.found, [entry for entry in trainer.state.log_history if "loss" in entry])


# The same by hand ----------------------------------------------------------------------------------------------------


def native(model: MotionGPTForPreference) -> T5ForConditionalGeneration:
    """A plain T5 with the model's weights, which knows nothing of this package."""
    own = model.config
    config = T5Config(vocab_size=own.vocab_size, dropout_rate=0.0, decoder_start_token_id=0, **SIZES)
    config.scale_decoder_outputs = not own.untied_lm_head
    t5 = T5ForConditionalGeneration(config).eval()
    if own.untied_lm_head:
        t5.lm_head.weight = torch.nn.Parameter(t5.lm_head.weight.detach().clone())
    t5.load_state_dict({k: v for k, v in model.state_dict().items() if not k.startswith("vqvae.")})
    t5.motion_bias = torch.zeros(own.vocab_size)
    if own.motion_only:
        t5.motion_bias -= 1e4
        t5.motion_bias[[*range(own.vocab_size - NUM_CODES - 3, own.vocab_size), 1]] = 0
    return t5


def log_probs(t5: T5ForConditionalGeneration, prompt: list[int], completion: list[int]) -> Tensor:
    """Of each token of a completion [C], from a batch of one without padding."""
    labels = torch.tensor([completion])
    logits = t5(input_ids=torch.tensor([prompt]), labels=labels).logits + t5.motion_bias
    return logits.log_softmax(-1)[0].gather(-1, labels[0, :, None])[:, 0]


def same_gradients(found: dict[str, Tensor], t5: T5ForConditionalGeneration, loss: Tensor) -> None:
    """Every weight's gradient is that of `loss` in plain T5, to one part in ten thousand."""
    t5.zero_grad()
    loss.backward()
    names = {name for name, weight in t5.named_parameters() if weight.grad is not None}
    assert found.keys() == names and len(names) > 20
    whole = torch.cat([p.grad.flatten() for p in t5.parameters() if p.grad is not None]).norm()
    assert whole > 1e-3
    for name, weight in t5.named_parameters():
        assert (found[name] - weight.grad).norm() <= 1e-4 * weight.grad.norm() + 1e-6 * whole, name
