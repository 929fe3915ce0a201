"""A trained tiny evaluator → the folder that ships: half precision, measured.

    python examples/export_evaluator.py outputs/evaluator atom_hf/assets/evaluator_tiny --mocap "mocap/*.bvh"

Every number for the card is measured here, on the exported weights, and written to metrics.json: retrieval of held-out
clips, of the same after the motion tokenizer, and of generated motions; how distances of texts to generated motions
agree with the kinematic judge; and how often a motion with one fault lies farther from the text than the right one.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from corpus import CorpusConfig, read_corpus
from half_precision import save_half

from atom_hf import (
    DEFAULT_MODEL,
    GrammarPromptWriter,
    JudgeItem,
    KinematicJudge,
    Motion,
    MotionGPTForPreference,
    TextMotionEvaluator,
    synthesize,
    with_fault,
)
from atom_hf.evaluation import matching_distance, r_precision
from atom_hf.events.faults import fault_kinds

SEED = 3  # of the prompts; no other step uses it


def retrieval(evaluator: TextMotionEvaluator, texts: list[str], motions: list[Any]) -> dict[str, float]:
    """R-precision in batches of 32 and the mean distance of pairs."""
    text, motion = (np.asarray(x) for x in (evaluator.embed_text(texts), evaluator.embed_motion(motions)))
    top = r_precision(text, motion)
    return {f"top_{k}": float(value) for k, value in enumerate(top, 1)} | {
        "mm_dist": float(matching_distance(text, motion))
    }


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's: Pearson's of ranks, ties sharing theirs."""
    ranks = [np.unique(x, return_inverse=True, return_counts=True)[1:] for x in (a, b)]
    middle = [(np.cumsum(counts) - (counts - 1) / 2)[inverse] for inverse, counts in ranks]
    return float(np.corrcoef(*middle)[0, 1])


def fault_sensitivity(evaluator: TextMotionEvaluator, count: int) -> dict[str, dict[str, float]]:
    """By kind of fault, how often the right motion is nearer to the text than the faulty one."""
    nearer: dict[str, list[bool]] = {}
    for i, prompt in enumerate(GrammarPromptWriter(seed=SEED, split="test").write(count)):
        for kind in fault_kinds(prompt.scenario):
            try:
                right = synthesize(prompt.scenario, seed=i).joints
                wrong = synthesize(with_fault(prompt.scenario, kind, seed=i).scenario, seed=i).joints
            except ValueError:  # does not fit into 9.8 seconds
                continue
            text = evaluator.embed_text([prompt.text])
            motions = evaluator.embed_motion([Motion(right).to_features(), Motion(wrong).to_features()])
            distances = (motions - text).norm(dim=-1)
            nearer.setdefault(kind, []).append(bool(distances[0] < distances[1]))
    return {kind: {"right_is_nearer": float(np.mean(won)), "cases": len(won)} for kind, won in nearer.items()}


def measure(folder: Path, mocap: list[str]) -> dict[str, Any]:
    """Everything that stands on the card."""
    evaluator = TextMotionEvaluator.from_pretrained(folder).eval()
    model = MotionGPTForPreference.from_pretrained(DEFAULT_MODEL).eval()
    clips = [c for c in read_corpus(CorpusConfig(synthesised=8000, mocap=mocap, caption_noise=0)) if c.held_out]
    made, real = ([c for c in clips if c.captions and c.real == kind] for kind in (False, True))
    rebuilt = model.decode_motion(model.encode_motion([Motion.from_features(c.features) for c in made]))
    prompts = GrammarPromptWriter(seed=SEED, split="test").write(320)
    texts = [prompt.text for prompt in prompts]
    generated = model.generate_motion(texts, seed=SEED)
    items = [JudgeItem(motion, p.text, p.scenario) for motion, p in zip(generated, prompts, strict=True)]
    scores = np.array([verdict.raw["overall"] for verdict in KinematicJudge().score(items)])
    distances = (evaluator.embed_text(texts) - evaluator.embed_motion(generated)).norm(dim=-1).numpy()
    return {
        "parameters": evaluator.num_parameters(),
        "megabytes": (folder / "model.safetensors").stat().st_size / 1e6,
        "retrieval": {
            "synthesised": retrieval(evaluator, [c.captions[0] for c in made], [c.features for c in made]),
            "rebuilt": retrieval(evaluator, [c.captions[0] for c in made], rebuilt),
            "generated": retrieval(evaluator, texts, generated),
        }
        | ({"real": retrieval(evaluator, [c.captions[0] for c in real], [c.features for c in real])} if real else {}),
        "spearman_with_judge": -rank_correlation(distances, scores),
        "faults": fault_sensitivity(evaluator, 150),
        "clips": {"synthesised": len(made), "real": len(real), "generated": len(generated)},
    }


def main() -> None:
    """Save, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trained", help="folder that examples/train_evaluator.py wrote")
    parser.add_argument("folder", type=Path, help="folder to write")
    parser.add_argument("--mocap", nargs="*", default=[], help="real clips, as in training")
    options = parser.parse_args()
    save_half(TextMotionEvaluator.from_pretrained(options.trained), options.folder)
    metrics = measure(options.folder, options.mocap)
    (options.folder / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    print(json.dumps(metrics, indent=2))


if __name__ == "__main__":
    main()
