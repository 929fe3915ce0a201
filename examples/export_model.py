"""A trained tiny model → the folder that ships: half precision, motion only, measured.

    python examples/export_model.py outputs/sft atom_hf/assets/motiongpt_tiny --decoder outputs/vqvae_decoder \\
        --mocap "mocap/*.bvh"

Every number for the card is measured here, on the exported weights, and written to metrics.json: reconstruction of
held-out clips, what the kinematic judge sees in synthesised motion before and after the VQ-VAE, and in motions
generated for prompts that chose no checkpoint.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from corpus import CorpusConfig, read_corpus
from half_precision import save_half
from sft import event_scores
from train_vqvae import evaluate

from atom_hf import (
    GrammarPromptWriter,
    JudgeItem,
    KinematicJudge,
    Motion,
    MotionGPTForPreference,
    MotionVQVAE,
    synthesize,
)

CLIPS = 8000  # as in the configurations of the recipe
SEED = 2  # of the prompts; training chose its checkpoint with another one
TEMPERATURE = 0.7
TASKS = ("integrity", "temporal", "frequency", "overall")


def assemble(trained: str, decoder: str | None) -> MotionGPTForPreference:
    """The language model with the last decoder of its motion tokenizer, writing motion only."""
    model = MotionGPTForPreference.from_pretrained(trained, dtype=torch.float32)
    if decoder is not None:
        vqvae = MotionVQVAE.from_pretrained(decoder)
        same = torch.equal(vqvae.quantizer.codebook, model.vqvae.quantizer.codebook)
        if not same:
            raise ValueError(f"{decoder} has another codebook than {trained}: train it with --decoder_only.")
        model.vqvae.load_state_dict(vqvae.state_dict())
    model.vqvae.quantizer.set(model.vqvae.quantizer.codebook.clone(), count=100.0)  # fine-tuning begins gently
    model.restrict_to_motion()
    model.generation_config.update(do_sample=True, temperature=TEMPERATURE, top_k=50)
    return model


def through_vqvae(model: MotionGPTForPreference, count: int) -> dict[str, dict[str, float]]:
    """Event scores of synthesised held-out scenarios, as they are and rebuilt from their codes."""
    prompts = GrammarPromptWriter(seed=SEED, split="test").write(count)
    made = []
    for i, prompt in enumerate(prompts):
        try:
            made.append(
                (prompt, Motion.from_features(Motion(synthesize(prompt.scenario, seed=i).joints).to_features()))
            )
        except ValueError:  # does not fit into 9.8 seconds
            continue
    rebuilt = model.decode_motion(model.encode_motion([motion for _, motion in made]))
    return {
        "synthesised": _judge([(prompt, motion) for prompt, motion in made]),
        "rebuilt": _judge([(prompt, motion) for (prompt, _), motion in zip(made, rebuilt, strict=True)]),
    }


def _judge(pairs: list[tuple[Any, Motion]]) -> dict[str, float]:
    verdicts = KinematicJudge().score([JudgeItem(motion, prompt.text, prompt.scenario) for prompt, motion in pairs])
    raw = [verdict.raw for verdict in verdicts if verdict.score is not None]
    return {name: float(np.mean([scores[name] for scores in raw])) for name in TASKS}


def measure(folder: Path, mocap: list[str]) -> dict[str, Any]:
    """Everything that stands on the card."""
    model = MotionGPTForPreference.from_pretrained(folder).eval()
    clips = read_corpus(CorpusConfig(synthesised=CLIPS, mocap=mocap))
    held_out = [clip for clip in clips if clip.held_out and len(clip.features) >= 4]
    prompts = [prompt.text for prompt in GrammarPromptWriter(seed=SEED, split="test").write(64)]
    start = time.perf_counter()
    model.generate_motion(prompts, seed=0)
    seconds = time.perf_counter() - start
    return {
        "parameters": model.num_parameters(),
        "megabytes": (folder / "model.safetensors").stat().st_size / 1e6,
        "clips_held_out": {"synthesised": sum(not c.real for c in held_out), "real": sum(c.real for c in held_out)},
        "reconstruction": evaluate(model.vqvae, held_out),
        "events": {
            "held_out": event_scores(model, 300, SEED),
            "held_out_greedy": _greedy(model, 300),
            "new_texts": _new_texts(model, 300, {caption for clip in clips for caption in clip.captions}),
        },
        "detection": through_vqvae(model, 300),
        "seconds_for_64_motions": seconds,
    }


def _greedy(model: MotionGPTForPreference, count: int) -> dict[str, float]:
    prompts = GrammarPromptWriter(seed=SEED, split="test").write(count)
    motions = model.generate_motion([prompt.text for prompt in prompts], temperature=0)
    return _judge(list(zip(prompts, motions, strict=True)))


def _new_texts(model: MotionGPTForPreference, count: int, known: set[str]) -> dict[str, float]:
    """Prompts of combinations that were trained on, in words that were not."""
    written = GrammarPromptWriter(seed=SEED, split="train").write(4 * count)
    prompts = [prompt for prompt in written if prompt.text not in known][:count]
    motions = model.generate_motion([prompt.text for prompt in prompts], seed=SEED)
    return _judge(list(zip(prompts, motions, strict=True)))


def main() -> None:
    """Assemble, save, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trained", help="folder that examples/sft.py wrote")
    parser.add_argument("folder", type=Path, help="folder to write")
    parser.add_argument("--decoder", help="folder of a VQ-VAE trained with --decoder_only")
    parser.add_argument("--mocap", nargs="*", default=[], help="real clips, as in training")
    options = parser.parse_args()
    save_half(assemble(options.trained, options.decoder), options.folder)
    metrics = measure(options.folder, options.mocap)
    (options.folder / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    print(json.dumps(metrics, indent=2))


if __name__ == "__main__":
    main()
