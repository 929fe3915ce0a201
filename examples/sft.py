"""Teach a MotionGPT to write motion: supervised training on texts and the codes of their motions.

    accelerate launch examples/sft.py --vqvae outputs/vqvae --mocap "mocap/*.bvh" --output_dir outputs/sft
    accelerate launch examples/sft.py --model OpenMotionLab/MotionGPT-base --corpus HumanML3D --output_dir outputs/sft
    accelerate launch examples/sft.py --config examples/configs/tiny_sft.yaml

Without --model a tiny T5 is made, with a tokenizer of its own. The trainer is transformers' own; stopped runs go on.
While it trains, motions for prompts with held-out combinations are generated, and the kinematic judge says what they
show.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
import torch
from accelerate.utils import broadcast_object_list
from corpus import Clip, CorpusConfig, read_corpus
from progress import ON_CPU, last_checkpoint
from torch import Tensor
from transformers import DataCollatorForSeq2Seq, EvalPrediction, Seq2SeqTrainer, Seq2SeqTrainingArguments, set_seed
from trl import TrlParser

from atom_hf import (
    GrammarPromptWriter,
    JudgeItem,
    KinematicJudge,
    Motion,
    MotionGPTConfig,
    MotionGPTForPreference,
    MotionGPTProcessor,
    MotionVQVAE,
    train_tokenizer,
)
from atom_hf.models.templates import TASKS, fill


@dataclass
class ModelConfig:
    """What is trained."""

    model: str | None = field(default=None, metadata={"help": "checkpoint to go on from; by default a tiny new one"})
    vqvae: str = field(default="outputs/vqvae", metadata={"help": "motion tokenizer of a new model"})
    vocab_size: int = field(default=1000, metadata={"help": "text tokens of a new model"})
    d_model: int = field(default=192, metadata={"help": "width of a new model"})
    d_ff: int = field(default=384, metadata={"help": "inner width of a new model"})
    num_layers: int = field(default=3, metadata={"help": "layers of a new model's encoder"})
    num_decoder_layers: int = field(default=4, metadata={"help": "layers of a new model's decoder"})
    dropout: float = field(default=0.1, metadata={"help": "while training; the saved model has none"})
    other_tasks: float = field(
        default=0.2, metadata={"help": "rows of motion-to-text, prediction, in-betweening a clip"}
    )
    judged_prompts: int = field(default=96, metadata={"help": "held-out prompts a validation; 0 for none"})


def new_model(config: ModelConfig, captions: list[str]) -> MotionGPTForPreference:
    """A T5 from scratch around a trained motion tokenizer."""
    vqvae = MotionVQVAE.from_pretrained(config.vqvae)
    asked = [fill(template.input, caption, []) for caption in captions for template in TASKS.values()]
    tokenizer = train_tokenizer(asked, config.vocab_size, vqvae.config.num_codes)
    model = MotionGPTForPreference(
        MotionGPTConfig(
            vocab_size=len(tokenizer),
            d_model=config.d_model,
            d_kv=config.d_model // 6,
            num_heads=6,
            d_ff=config.d_ff,
            num_layers=config.num_layers,
            num_decoder_layers=config.num_decoder_layers,
            feed_forward_proj="gated-gelu",
            num_codes=vqvae.config.num_codes,
            vqvae_config=vqvae.config,
        )
    )
    model.vqvae.load_state_dict(vqvae.state_dict())
    model.processor = MotionGPTProcessor(tokenizer, stats=vqvae.stats)
    return model


def rows_of(clips: list[Clip], model: MotionGPTForPreference, other_tasks: float) -> list[dict[str, list[int]]]:
    """Training rows: every caption with its codes, and for some clips another task."""
    processor, random = model.processor, Random(0)
    motions = [Motion.from_features(clip.features) for clip in clips]
    rows = []
    for clip, codes in zip(clips, model.encode_motion(motions), strict=True):
        for caption in clip.captions:
            rows.append({"input_ids": processor.prompt_ids(caption), "labels": processor.motion_ids(codes)})
        if random.random() < other_tasks and len(codes) > 8:
            task = random.choice(("motion-to-text", "prediction", "inbetween"))
            if task == "motion-to-text" and clip.captions:
                target = processor.text_ids(random.choice(clip.captions))
                rows.append({"input_ids": processor.task_ids(task, codes=codes), "labels": target})
            elif task == "prediction":
                cut = max(2, len(codes) // 5)
                rows.append(
                    {
                        "input_ids": processor.task_ids(task, codes=codes[:cut]),
                        "labels": processor.motion_ids(codes[cut:]),
                    }
                )
            elif task == "inbetween":
                masked = codes.copy()
                masked[len(codes) // 4 : -(-3 * len(codes) // 4)] = -1
                rows.append(
                    {"input_ids": processor.task_ids(task, codes=masked), "labels": processor.motion_ids(codes)}
                )
    return rows


def event_scores(model: MotionGPTForPreference, count: int, seed: int = 1) -> dict[str, float]:
    """What the kinematic judge sees in motions for held-out prompts, from 0 (nothing asked for) to 1 (all of it)."""
    prompts = GrammarPromptWriter(seed=seed, split="test").write(count)
    motions = model.generate_motion([prompt.text for prompt in prompts], seed=seed)
    items = [JudgeItem(motion, prompt.text, prompt.scenario) for motion, prompt in zip(motions, prompts, strict=True)]
    raw = [verdict.raw for verdict in KinematicJudge().score(items) if verdict.score is not None]
    return {name: float(np.mean([scores[name] for scores in raw])) for name in raw[0]} if raw else {}


class EventTrainer(Seq2SeqTrainer):
    """Adds event scores of generated motions to every validation."""

    judged_prompts = 0

    def evaluate(self, *args: Any, metric_key_prefix: str = "eval", **kwargs: Any) -> dict[str, float]:
        """As in transformers, and the kinematic judge's scores."""
        metrics = super().evaluate(*args, metric_key_prefix=metric_key_prefix, **kwargs)
        if self.judged_prompts:
            scores: list[dict[str, float]] = [{}]
            if self.is_world_process_zero():
                scores = [event_scores(self.accelerator.unwrap_model(self.model), self.judged_prompts)]
            broadcast_object_list(scores)  # all processes choose the same best checkpoint
            scored = {f"{metric_key_prefix}_events_{name}": round(value, 4) for name, value in scores[0].items()}
            metrics.update(scored)
            self.log(scored)
        return metrics


def token_accuracy(prediction: EvalPrediction) -> dict[str, float]:
    """Share of right tokens, given all tokens before."""
    scored = prediction.label_ids != -100
    return {"token_accuracy": float((prediction.predictions == prediction.label_ids)[scored].mean())}


def likeliest(logits: Tensor | tuple[Tensor, ...], labels: Tensor) -> Tensor:
    """The token with the highest logit, which is all that the accuracy needs."""
    return (logits[0] if isinstance(logits, tuple) else logits).argmax(-1)


def main(config: ModelConfig, corpus: CorpusConfig, args: Seq2SeqTrainingArguments) -> None:
    """Train, validate, save."""
    set_seed(args.seed)
    clips = read_corpus(corpus)
    captions = [caption for clip in clips if not clip.held_out for caption in clip.captions]
    if config.model is None:
        model = new_model(config, captions)
    else:
        model = MotionGPTForPreference.from_pretrained(config.model, dtype=torch.float32)
    train = rows_of([clip for clip in clips if not clip.held_out], model, config.other_tasks)
    held_out = rows_of([clip for clip in clips if clip.held_out], model, 0.0)
    print(f"{len(train)} rows to train on, {len(held_out)} held out, {model.num_parameters() / 1e6:.1f} M parameters")

    for module in (model.encoder, model.decoder):
        for layer in module.modules():
            if isinstance(layer, torch.nn.Dropout):
                layer.p = config.dropout
    trainer = EventTrainer(
        model=model,
        args=args,
        train_dataset=train,
        eval_dataset=held_out,
        data_collator=DataCollatorForSeq2Seq(model.processor.tokenizer, model=model),
        processing_class=model.processor.tokenizer,
        compute_metrics=token_accuracy,
        preprocess_logits_for_metrics=likeliest,
    )
    trainer.judged_prompts = config.judged_prompts
    trainer.train(resume_from_checkpoint=last_checkpoint(args.output_dir, "trainer_state.json"))
    trainer.save_model(args.output_dir)


if __name__ == "__main__":
    parser = TrlParser((ModelConfig, CorpusConfig, Seq2SeqTrainingArguments))
    parser.set_defaults(use_cpu=ON_CPU)
    main(*parser.parse_args_and_config())
