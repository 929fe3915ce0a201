"""How fast are motions generated? One table: the way of the original system against ours, at the size of T5-base.

    python benchmarks/generation.py [--prompts 32] [--codes 50] [--threads 2] [--repeat 3]

Random weights, flan-T5-base's sizes, MotionGPT's vocabulary of 32,615 tokens and its VQ-VAE of 19.4 M parameters.
"original" does what MotionGPT's code does: prompts padded to 256 tokens, all tokens scored at each step, codes
decoded clip by clip. Both ways write the same number of codes. Times are wall-clock, the ways taking turns; ratios are
those of the medians.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # run from anywhere
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TQDM_DISABLE", "1")

import numpy as np
import torch

from atom_hf import (
    DEFAULT_MODEL,
    GrammarPromptWriter,
    Motion,
    MotionGPTConfig,
    MotionGPTForPreference,
    MotionVQVAEConfig,
)

PADDED = 256


class Ids:
    """Stands for the processor: prompts as ids of plausible lengths, since random weights read no words."""

    def prompt_ids(self, text: str) -> list[int]:
        """An id for each three letters, and `</s>`."""
        return [100 + (ord(text[i]) * 31 + i) % 30_000 for i in range(0, len(text), 3)] + [1]


def base_model() -> MotionGPTForPreference:
    """MotionGPT at its real size, with random weights that never end a motion early."""
    torch.manual_seed(0)
    config = MotionGPTConfig(
        vocab_size=32_615,
        d_model=768,
        d_kv=64,
        d_ff=2048,
        num_layers=12,
        num_heads=12,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        vqvae_config=MotionVQVAEConfig(),
    )
    model = MotionGPTForPreference(config).eval()
    model.vqvae.quantizer.set(torch.randn_like(model.vqvae.quantizer.codebook))
    with torch.no_grad():
        model.lm_head.weight.mul_(0.05)  # logits of about 1; an ending's logit of 0 is never among the 50 likeliest
        for row in (config.motion_end_id, config.eos_token_id):
            model.lm_head.weight[row] = 0
    model.processor = Ids()
    return model


@torch.no_grad()
def original(model: MotionGPTForPreference, prompts: list[str], codes: int) -> list[Motion]:
    """As MotionGPT generates."""
    rows = [model.processor.prompt_ids(prompt) for prompt in prompts]
    ids = torch.zeros(len(rows), PADDED, dtype=torch.long)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
    written = model.generate(
        ids,
        attention_mask=(ids != 0).long(),
        return_prompt=False,
        do_sample=True,
        top_k=50,
        min_new_tokens=codes,
        max_new_tokens=codes,
    )[:, 1:]
    motions = []
    for row in written:
        clipped = (row - model.config.motion_token_start).clamp(0, model.config.num_codes - 1)
        features = model.vqvae.denormalize(model.vqvae.decode(clipped[None]))[0].numpy()
        motions.append(Motion.from_features(features, clipped.numpy()))
    return motions


def timed(ways: dict[str, Callable[[], list[Motion]]], repeat: int) -> dict[str, tuple[float, int]]:
    """Median seconds of each way, taking turns, and the codes that it wrote."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    written = {}
    for _ in range(repeat):
        for name, way in ways.items():
            start = time.perf_counter()
            motions = way()
            seconds[name].append(time.perf_counter() - start)
            written[name] = sum(len(motion.codes) for motion in motions if motion.codes is not None)
    return {name: (statistics.median(values), written[name]) for name, values in seconds.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=32)
    parser.add_argument("--codes", type=int, default=50, help="codes of each motion")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    prompts = [prompt.text for prompt in GrammarPromptWriter(seed=0).write(options.prompts)]
    frames = 4 * options.codes
    model = base_model()

    def ours(texts: list[str], samples: int = 1) -> list[Motion]:
        return model.generate_motion(texts, num_return_sequences=samples, seed=0, max_frames=frames, top_k=50)

    results = timed(
        {
            "original: padded to 256, decoded one by one": lambda: original(model, prompts, options.codes),
            "generate_motion": lambda: ours(prompts),
            "generate_motion, 4 samples of a quarter of the prompts": lambda: ours(prompts[: len(prompts) // 4], 4),
        },
        options.repeat,
    )
    slowest = next(iter(results.values()))
    print(
        f"T5-base with random weights, {options.prompts} motions of {options.codes} codes, {options.threads} threads"
    )
    print(f"{'':56}{'seconds':>9}{'codes':>8}{'codes/s':>9}{'times':>8}")
    for name, (seconds, codes) in results.items():
        ratio = (codes / seconds) / (slowest[1] / slowest[0])
        print(f"{name:56}{seconds:9.2f}{codes:8d}{codes / seconds:9.0f}{ratio:8.2f}")
    if Path(DEFAULT_MODEL).is_dir():
        tiny = MotionGPTForPreference.from_pretrained(DEFAULT_MODEL, dtype=torch.float32)
        texts = [prompt.text for prompt in GrammarPromptWriter(seed=1).write(64)]
        start = time.perf_counter()
        motions = tiny.generate_motion(texts, seed=0)
        length = np.mean([motion.duration for motion in motions])
        print(f"embedded model: 64 motions of {length:.1f} s on average in {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
