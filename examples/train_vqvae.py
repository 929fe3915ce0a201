"""Train a motion VQ-VAE, the tokenizer of a motion language model.

    accelerate launch examples/train_vqvae.py --mocap "mocap/*.bvh" --output_dir outputs/vqvae
    accelerate launch examples/train_vqvae.py --corpus HumanML3D --width 512 --code_dim 512 --max_steps 300000
    accelerate launch examples/train_vqvae.py --config examples/configs/tiny_vqvae.yaml

The defaults train a tiny one on synthesised motion and on the real clips that are given. Stopped runs go on where
their last checkpoint is. A step sees the same clips however many processes and accumulated batches it is split into.
"""

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from corpus import Clip, CorpusConfig, read_corpus
from progress import ON_CPU, go_on, learning_rate, save_checkpoint
from trl import TrlParser

from atom_hf import MotionStats, MotionVQVAE, MotionVQVAEConfig, features_to_joints
from atom_hf.evaluation import joint_error
from atom_hf.motion.layout import FEATURE_DIM


@dataclass
class VQVAEConfig:
    """Model and optimisation."""

    output_dir: str = field(default="outputs/vqvae", metadata={"help": "checkpoints, and the model at the end"})
    init: str | None = field(default=None, metadata={"help": "trained model to go on from, instead of a new one"})
    decoder_only: bool = field(
        default=False, metadata={"help": "leave encoder and codebook alone, so that codes keep their meaning"}
    )
    width: int = field(default=160, metadata={"help": "channels of the convolutions; MotionGPT has 512"})
    code_dim: int = field(default=128, metadata={"help": "width of a code; MotionGPT has 512"})
    num_codes: int = field(default=512, metadata={"help": "entries of the codebook"})
    codebook_reset: float = field(
        default=0.1, metadata={"help": "entries chosen by fewer latents a step are replaced"}
    )
    root_weight: float = field(default=5.0, metadata={"help": "divides the deviation of root and contacts"})
    position_weight: float = field(
        default=3.0, metadata={"help": "weight of the loss on joint positions; MotionGPT has 0.5"}
    )
    joint_weight: float = field(
        default=0.0,
        metadata={"help": "weight of the distance of joints in metres, which drift of the heading adds to"},
    )
    real_share: float = field(
        default=0.5, metadata={"help": "share of real clips in a batch, where there are both kinds"}
    )
    window: int = field(default=64, metadata={"help": "frames of a training crop"})
    batch_size: int = field(default=64, metadata={"help": "crops a step, over processes and accumulated batches"})
    gradient_accumulation_steps: int = field(default=1, metadata={"help": "batches a step in each process"})
    learning_rate: float = field(default=4e-4, metadata={"help": "after warm-up, before a cosine to a twentieth"})
    warmup_steps: int = field(default=100, metadata={"help": "steps of linear warm-up"})
    max_steps: int = field(default=3000, metadata={"help": "steps of the optimiser"})
    eval_steps: int = field(default=500, metadata={"help": "steps between validations and checkpoints"})
    seed: int = field(default=0, metadata={"help": "of the weights and of the order of clips"})


def crops(clips: list[Clip], config: VQVAEConfig, step: int) -> tuple[np.ndarray, np.ndarray]:
    """The batch of one step, `[batch_size, window, 263]` with the frames of each; the same in every process."""
    rng = np.random.default_rng((config.seed, step))
    real = np.array([clip.real for clip in clips])
    share = config.real_share if 0 < real.mean() < 1 else real.mean()
    weight = np.where(real, share / max(real.sum(), 1), (1 - share) / max((~real).sum(), 1))
    frames = np.array([len(clip.features) for clip in clips])
    for kind in (real, ~real):  # a long clip is drawn more often, as it has more crops
        weight[kind] *= frames[kind] / max(frames[kind].mean() if kind.any() else 1, 1)
    batch = np.zeros((config.batch_size, config.window, FEATURE_DIM), dtype=np.float32)
    lengths = np.zeros(config.batch_size, dtype=np.int64)
    for row, i in enumerate(rng.choice(len(clips), config.batch_size, p=weight / weight.sum())):
        features = clips[i].features
        start = rng.integers(max(1, len(features) - config.window + 1))
        lengths[row] = min(len(features), config.window)
        batch[row, : lengths[row]] = features[start : start + config.window]
    return batch, lengths


def joint_loss(rebuilt: torch.Tensor, features: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Mean distance of joints in metres, with the pelvis at the origin, and a tenth of that in the world."""
    frames = rebuilt.shape[1]
    inside = torch.arange(frames, device=rebuilt.device) < (lengths // 4 * 4)[:, None]
    found, wanted = features_to_joints(rebuilt), features_to_joints(features[:, :frames])
    posed = (found - found[:, :, :1]) - (wanted - wanted[:, :, :1])
    return posed[:, :, 1:].norm(dim=-1)[inside].mean() + 0.1 * (found - wanted).norm(dim=-1)[inside].mean()


@torch.no_grad()
def evaluate(model: MotionVQVAE, clips: list[Clip]) -> dict[str, float]:
    """Reconstruction of held-out clips in millimetres, and how much of the codebook they use."""
    model.eval()
    used = torch.zeros(model.config.num_codes, device=model.device)
    errors: dict[str, list[tuple[float, float]]] = {"synthesised": [], "real": []}
    for clip in clips:
        features = clip.features[: len(clip.features) // 4 * 4]
        codes = model.encode(model.normalize(torch.from_numpy(features)[None].to(model.device)))
        used += torch.bincount(codes.flatten(), minlength=len(used))
        rebuilt = model.denormalize(model.decode(codes))[0].cpu().numpy()
        errors["real" if clip.real else "synthesised"].append(
            joint_error(features_to_joints(rebuilt), features_to_joints(features))
        )
    metrics = {"codes_used": float((used > 0).float().mean())}
    for kind, values in errors.items():
        if values:
            metrics[f"{kind}_mpjpe_mm"], metrics[f"{kind}_world_mpjpe_mm"] = np.mean(values, axis=0).tolist()
    model.train()
    return metrics


def main(config: VQVAEConfig, corpus: CorpusConfig) -> None:
    """Train, validate, save."""
    accelerator = Accelerator(cpu=ON_CPU, gradient_accumulation_steps=config.gradient_accumulation_steps)
    set_seed(config.seed)
    out = Path(config.output_dir)
    clips = read_corpus(corpus)
    train = [clip for clip in clips if not clip.held_out and len(clip.features) >= 4]
    held_out = [clip for clip in clips if clip.held_out and len(clip.features) >= 4]
    accelerator.print(f"{len(train)} clips to train on, {len(held_out)} held out")

    if config.init is not None:
        model = MotionVQVAE.from_pretrained(config.init)
        model.config.position_weight = config.position_weight
    else:
        model = MotionVQVAE(
            MotionVQVAEConfig(
                width=config.width,
                code_dim=config.code_dim,
                num_codes=config.num_codes,
                codebook_reset=config.codebook_reset,
                position_weight=config.position_weight,
            )
        )
        model.set_stats(MotionStats.compute((clip.features for clip in train), config.root_weight))
    if config.decoder_only:
        model.encoder.requires_grad_(False)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, config.learning_rate, betas=(0.9, 0.99), weight_decay=0.0)
    model, optimizer = accelerator.prepare(model.train(), optimizer)
    vqvae: MotionVQVAE = accelerator.unwrap_model(model)
    begin = go_on(accelerator, out)

    parts = accelerator.num_processes * config.gradient_accumulation_steps
    for step in range(begin + 1, config.max_steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, config.learning_rate, config.warmup_steps, config.max_steps)
        batch, lengths = map(torch.from_numpy, crops(train, config, step))
        for i in range(config.gradient_accumulation_steps):
            part = slice(i * accelerator.num_processes + accelerator.process_index, None, parts)
            with accelerator.accumulate(model):
                features, frames = batch[part].to(accelerator.device), lengths[part].to(accelerator.device)
                output = model(vqvae.normalize(features), frames)
                loss = output.loss
                if config.joint_weight:
                    rebuilt = vqvae.denormalize(output.reconstruction)
                    loss = loss + config.joint_weight * joint_loss(rebuilt, features, frames)
                accelerator.backward(loss)
                if accelerator.sync_gradients:
                    accelerator.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                optimizer.zero_grad()
        perplexity = vqvae.update_codebook() if not config.decoder_only else torch.tensor(float("nan"))
        if not math.isfinite(loss.item()):
            raise RuntimeError(f"The loss is {loss.item()} at step {step}; lower --learning_rate.")
        if step % 50 == 0:
            accelerator.print(f"step {step}: loss {loss.item():.4f}, perplexity {perplexity.item():.0f}")
        if step % config.eval_steps == 0 or step == config.max_steps:
            used = {"perplexity": perplexity.item()}
            save_checkpoint(accelerator, out, step, vqvae, lambda used=used: used | evaluate(vqvae, held_out))
    accelerator.end_training()


if __name__ == "__main__":
    main(*TrlParser((VQVAEConfig, CorpusConfig)).parse_args_and_config())
