"""How fast is a step of DPO? One table: a straightforward trainer against ours, at the size of T5-base, with LoRA.

    OMP_NUM_THREADS=2 python benchmarks/dpo.py [--steps 2] [--pairs 8]

Random weights, flan-T5-base's sizes, MotionGPT's vocabulary of 32,615 tokens. Prompts have 5 to 25 tokens, motions
10 to 52 codes. The straightforward trainer pads prompts and motions to 128 tokens each, and runs policy and reference
over chosen and over rejected motions: four passes, all tokens of the vocabulary scored at each place. Both use one
model, adapter, IPO loss and AdamW; before anything is timed, their losses and gradients are held against each other.
A step is forward, backward and optimiser; ours is a run of `MotionDPOTrainer.train`, all overhead included. Times are
processor time, all threads together, one run each: below 4 minutes, most of which the straightforward trainer takes.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))  # run from anywhere
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TQDM_DISABLE", "1")
os.environ.setdefault("ACCELERATE_USE_CPU", "1")

import numpy as np
import torch
from datasets import Dataset, disable_progress_bars
from torch import Tensor

from atom_hf import DEFAULT_MODEL, MotionGPTConfig, MotionGPTForPreference, MotionGPTProcessor
from atom_hf.motion import codes_to_text
from atom_hf.trainer import MotionDPOConfig, MotionDPOTrainer

PADDED = 128
BETA = 0.1


def base_model() -> MotionGPTForPreference:
    """MotionGPT's language model at its real size with random weights, behind the embedded model's tokenizer."""
    torch.manual_seed(0)
    processor = MotionGPTProcessor.from_pretrained(DEFAULT_MODEL)
    config = MotionGPTConfig(
        vocab_size=32_615,
        motion_token_start=processor.tokenizer.convert_tokens_to_ids("<motion_id_0>"),
        d_model=768,
        d_kv=64,
        d_ff=2048,
        num_layers=12,
        num_heads=12,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
    )
    model = MotionGPTForPreference(config)
    with torch.no_grad():
        model.lm_head.weight.mul_(0.05)  # logits of about 1
    model.processor = processor
    return model


def made_up_pairs(count: int, tokenizer: Any) -> Dataset:
    """Prompts of 5 to 25 tokens of which all lengths occur, and motions of 10 to 52 codes."""
    rng = np.random.default_rng(0)
    words = sorted(token[1:] for token in tokenizer.get_vocab() if token.startswith("▁") and token[1:].isalpha())
    template = len(tokenizer("Generate motion: ").input_ids)

    def motion() -> list[dict[str, str]]:
        return [{"role": "assistant", "content": codes_to_text(rng.integers(512, size=rng.integers(10, 53)))}]

    rows = []
    for length in rng.permutation(np.linspace(max(5, template + 1), 25, count).round().astype(int)):
        text = "Generate motion: " + " ".join(rng.choice(words, length - template))
        rows.append({"prompt": [{"role": "user", "content": text}], "chosen": motion(), "rejected": motion()})
    return Dataset.from_list(rows)


def trainer_of(model: Any, pairs: Dataset, folder: Path, precompute: bool, steps: int) -> MotionDPOTrainer:
    """Ours, at most of its defaults."""
    args = MotionDPOConfig(
        str(folder / f"precompute_{precompute}"),
        beta=BETA,
        max_steps=steps,
        per_device_train_batch_size=len(pairs) // steps,
        precompute_ref_log_probs=precompute,
        learning_rate=1e-5,
        warmup_steps=0,
        max_grad_norm=0,
        report_to="none",
        save_strategy="no",
        logging_steps=1000,
        disable_tqdm=True,
        use_cpu=True,
    )
    return MotionDPOTrainer(model, args=args, train_dataset=pairs)


class Straightforward:
    """A trainer as one writes it first."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.optimizer = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad], lr=1e-5)

    def padded(self, rows: list[list[int]], filler: int) -> Tensor:
        """Ids `[B, 128]`."""
        ids = torch.full((len(rows), PADDED), filler)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = torch.tensor(row)
        return ids

    def means(self, prompts: Tensor, labels: Tensor) -> Tensor:
        """Mean log-probability of a motion's tokens, `[B]`."""
        logits = self.model(input_ids=prompts, attention_mask=(prompts != 0).long(), labels=labels).logits
        logps = logits.log_softmax(-1).gather(-1, labels.clamp(min=0)[..., None])[..., 0]
        scored = labels != -100
        return (logps * scored).sum(1) / scored.sum(1)

    def loss(self, rows: Dataset) -> Tensor:
        """IPO: four passes."""
        prompts = self.padded(rows["prompt_ids"], 0)
        ratios = []
        for side in ("chosen_ids", "rejected_ids"):
            labels = self.padded(rows[side], -100)
            with torch.no_grad(), self.model.disable_adapter():
                reference = self.means(prompts, labels)
            ratios.append(self.means(prompts, labels) - reference)
        return ((ratios[0] - ratios[1] - 1 / (2 * BETA)) ** 2).mean()

    def step(self, rows: Dataset) -> None:
        """Forward, backward, optimiser."""
        self.loss(rows).backward()
        self.optimizer.step()
        self.optimizer.zero_grad()


def seconds(function: Callable[[], object]) -> float:
    """Processor time."""
    start = time.process_time()
    function()
    return time.process_time() - start


def check(trainer: MotionDPOTrainer, plain: Straightforward, rows: Dataset) -> None:
    """Raise where losses or gradients of the two differ; of an adapter that is no longer what it began as."""
    weights = {name: weight for name, weight in trainer.model.named_parameters() if weight.requires_grad}
    begun = {name: weight.detach().clone() for name, weight in weights.items()}
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, weight in weights.items():
            weight.add_(0.05 * torch.randn(weight.shape, generator=generator) * ("lora_B" in name))
    columns = [column for column in rows.column_names if column.endswith(("_ids", "_logps"))]
    batch = trainer.data_collator(rows.select_columns(columns).to_list())
    found = []
    for loss in (plain.loss(rows), trainer._compute_loss(trainer.model, batch, False)):
        loss.backward()
        gradients = torch.cat([weight.grad.flatten() for weight in weights.values()])
        found.append((loss.item(), gradients))
        trainer.model.zero_grad()
    with torch.no_grad():
        for name, weight in weights.items():
            weight.copy_(begun[name])
    (theirs, slow), (ours, fast) = found
    if abs(theirs - 1 / (2 * BETA) ** 2) < 1e-3:
        raise SystemExit(f"The adapter changes nothing: a loss of {theirs}.")
    apart = float((slow - fast).norm() / slow.norm())
    if abs(theirs - ours) > 1e-4 or apart > 1e-3:
        raise SystemExit(f"Losses {theirs} and {ours}, gradients {apart:.1e} apart; their times say nothing.")
    print(f"losses: straightforward {theirs:.5f}, ours {ours:.5f}; gradients differ by {apart:.0e} of their size\n")


def main() -> None:
    """Compare, measure, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2, help="of each way")
    parser.add_argument("--pairs", type=int, default=8, help="of a step")
    options = parser.parse_args()
    disable_progress_bars()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", torch.get_num_threads())))
    model = base_model()
    pairs = made_up_pairs(options.steps * options.pairs, model.processor.tokenizer)
    with tempfile.TemporaryDirectory() as folder:
        pairs.save_to_disk(f"{folder}/pairs")
        pairs = Dataset.load_from_disk(f"{folder}/pairs")  # where what is precomputed is kept as well
        trainer = trainer_of(model, pairs, Path(folder), True, options.steps)
        rows = trainer.train_dataset
        parts = [rows.shard(options.steps, i, contiguous=True) for i in range(options.steps)]
        plain = Straightforward(trainer.model)
        check(trainer, plain, parts[0])
        whole = trainer.data_collator(parts[0].select_columns(["prompt_ids", "chosen_ids", "rejected_ids"]).to_list())
        once = seconds(lambda: trainer.compute_ref_log_probs(trainer.model, whole)) / options.pairs
        slow = seconds(lambda: [plain.step(part) for part in parts]) / options.steps
        kept = seconds(trainer.train) / options.steps
        other = trainer_of(trainer.model.unload(), pairs, Path(folder), False, options.steps)
        anew = seconds(other.train) / options.steps
    print(
        f"T5-base with random weights, LoRA of rank 8 on q and v, {options.pairs} pairs a step, "
        f"{torch.get_num_threads()} threads, torch {torch.__version__}\n"
    )
    print("| trainer | seconds a step | pairs a second | times as fast |")
    print("|---|---|---|---|")
    ways = {
        f"straightforward: padded to {PADDED} + {PADDED}, four passes": slow,
        "MotionDPOTrainer, reference precomputed": kept,
        "MotionDPOTrainer, reference in each step": anew,
    }
    for name, value in ways.items():
        print(f"| {name} | {value:.2f} | {options.pairs / value:.2f} | {slow / value:.2f} |")
    print(f"\nprecomputing costs {once:.2f} s a pair, once: {once * options.pairs / kept:.2f} of a step for its pairs")


if __name__ == "__main__":
    main()
