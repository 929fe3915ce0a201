"""Train a text-motion evaluator: texts and motions in one space, each text near its motion.

    accelerate launch examples/train_evaluator.py --mocap "mocap/*.bvh" --output_dir outputs/evaluator
    accelerate launch examples/train_evaluator.py --corpus HumanML3D --embedding_size 512 --motion_hidden_size 1024

The defaults train a tiny one on synthesised motion and on the real clips that are given. Captions are right here:
noise is for generators. Stopped runs go on where their last checkpoint is.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from corpus import Clip, CorpusConfig, read_corpus
from progress import ON_CPU, go_on, learning_rate, save_checkpoint
from trl import TrlParser

from atom_hf import MotionStats, TextMotionEvaluator, TextMotionEvaluatorConfig, learn_words
from atom_hf.evaluation import r_precision


@dataclass
class EvaluatorConfig:
    """Sizes and optimisation."""

    output_dir: str = field(
        default="outputs/evaluator", metadata={"help": "checkpoints, and the evaluator at the end"}
    )
    embedding_size: int = field(default=128, metadata={"help": "width of embeddings; T2M has 512"})
    movement_size: int = field(default=128, metadata={"help": "channels of the convolutions; T2M has 512"})
    motion_hidden_size: int = field(default=192, metadata={"help": "width of the motion GRU; T2M has 1024"})
    text_hidden_size: int = field(default=128, metadata={"help": "width of the text GRU; T2M has 512"})
    word_size: int = field(default=64, metadata={"help": "width of word vectors; T2M has 300"})
    vocab_size: int = field(default=1000, metadata={"help": "words with vectors of their own"})
    jitter: float = field(
        default=0.1, metadata={"help": "deviation of noise on normalised features, so that decoded motion is readable"}
    )
    real_share: float = field(default=0.15, metadata={"help": "share of real clips in a batch, where there are both"})
    batch_size: int = field(default=64, metadata={"help": "pairs of a step, each the counter-example of all others"})
    learning_rate: float = field(default=2e-3, metadata={"help": "after warm-up, before a cosine to a twentieth"})
    warmup_steps: int = field(default=100, metadata={"help": "steps of linear warm-up"})
    max_steps: int = field(default=3000, metadata={"help": "steps of the optimiser"})
    eval_steps: int = field(default=500, metadata={"help": "steps between validations and checkpoints"})
    seed: int = field(default=0, metadata={"help": "of the weights and of the order of clips"})


def new_evaluator(config: EvaluatorConfig, train: list[Clip]) -> TextMotionEvaluator:
    """Untrained, with the vocabulary and the statistics of the training clips."""
    words = learn_words((caption for clip in train for caption in clip.captions), config.vocab_size)
    model = TextMotionEvaluator(
        TextMotionEvaluatorConfig(
            movement_hidden_size=config.movement_size,
            movement_size=config.movement_size,
            motion_hidden_size=config.motion_hidden_size,
            text_hidden_size=config.text_hidden_size,
            embedding_size=config.embedding_size,
            word_size=config.word_size,
            text_input="words",
            words=words,
            hash_buckets=64,
            max_words=40,
            unit_length=True,
        )
    )
    model.set_stats(MotionStats.compute(clip.features for clip in train))
    return model


def batch_of(clips: list[Clip], config: EvaluatorConfig, step: int) -> tuple[list[str], list[np.ndarray]]:
    """Captions and features of one step, the same in every process."""
    rng = np.random.default_rng((config.seed, step))
    real = np.array([clip.real for clip in clips])
    share = config.real_share if 0 < real.mean() < 1 else real.mean()
    weight = np.where(real, share / max(real.sum(), 1), (1 - share) / max((~real).sum(), 1))
    drawn = [clips[i] for i in rng.choice(len(clips), config.batch_size, p=weight / weight.sum())]
    return [clip.captions[rng.integers(len(clip.captions))] for clip in drawn], [clip.features for clip in drawn]


@torch.no_grad()
def evaluate(model: TextMotionEvaluator, clips: list[Clip]) -> dict[str, float]:
    """R-precision of held-out clips in batches of 32."""
    model.eval()
    metrics = {}
    for kind, part in (("synthesised", [c for c in clips if not c.real]), ("real", [c for c in clips if c.real])):
        if len(part) >= 32:
            texts = model.embed_text([clip.captions[0] for clip in part])
            motions = model.embed_motion([clip.features for clip in part])
            precision = r_precision(texts.cpu().numpy(), motions.cpu().numpy())
            metrics |= {f"{kind}_top_{k}": float(value) for k, value in enumerate(precision, 1)}
    model.train()
    return metrics


def main(config: EvaluatorConfig, corpus: CorpusConfig) -> None:
    """Train, validate, save."""
    accelerator = Accelerator(cpu=ON_CPU)
    set_seed(config.seed)
    out = Path(config.output_dir)
    clips = [clip for clip in read_corpus(replace(corpus, caption_noise=0.0)) if clip.captions]
    train = [clip for clip in clips if not clip.held_out]
    held_out = [clip for clip in clips if clip.held_out]
    accelerator.print(f"{len(train)} clips to train on, {len(held_out)} held out")

    model = new_evaluator(config, train)
    optimizer = torch.optim.AdamW(model.parameters(), config.learning_rate, weight_decay=0.01)
    model, optimizer = accelerator.prepare(model.train(), optimizer)
    evaluator: TextMotionEvaluator = accelerator.unwrap_model(model)
    begin = go_on(accelerator, out)

    # In several processes each compares its own part of the batch; give more pairs a step there.
    part = slice(accelerator.process_index, None, accelerator.num_processes)
    for step in range(begin + 1, config.max_steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, config.learning_rate, config.warmup_steps, config.max_steps)
        texts, motions = batch_of(train, config, step)
        batch = {
            name: value.to(accelerator.device) for name, value in evaluator.collate(texts[part], motions[part]).items()
        }
        batch["features"] = batch["features"] + config.jitter * evaluator.std * torch.randn_like(batch["features"])
        loss = model(**batch).loss
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if not torch.isfinite(loss):
            raise RuntimeError(f"The loss is {loss.item()} at step {step}; lower --learning_rate.")
        if step % 50 == 0:
            accelerator.print(f"step {step}: loss {loss.item():.4f}")
        if step % config.eval_steps == 0 or step == config.max_steps:
            save_checkpoint(accelerator, out, step, evaluator, lambda: evaluate(evaluator, held_out))
    accelerator.end_training()


if __name__ == "__main__":
    main(*TrlParser((EvaluatorConfig, CorpusConfig)).parse_args_and_config())
