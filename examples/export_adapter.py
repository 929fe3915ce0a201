"""The adapter of an alignment → the folder that ships: half precision, with a card that says what was measured.

    accelerate launch examples/dpo.py --output_dir outputs/dpo
    python examples/export_adapter.py outputs/dpo atom_hf/assets/motiongpt_tiny_aligned

The event scores are measured once more, on the exported weights and the same held-out prompts.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file

from atom_hf import DEFAULT_MODEL, KinematicJudge, MotionGPTForPreference
from atom_hf.evaluation import ModelEmbedder
from atom_hf.evaluation.comparison import (
    alignment_metrics,
    alignment_summary,
    compare,
    grammar_cases,
    sampled_system,
    synthesised_system,
)

SEED = 5  # of prompts and of sampling, as in the main job
CARD = """---
library_name: peft
base_model: atom_hf/motiongpt_tiny
license: apache-2.0
pipeline_tag: other
tags:
- text-to-motion
- human-motion
- motiongpt
- atom_hf
- trl
---

# motiongpt_tiny_aligned

The main job's adapter for the tiny model of `atom_hf`: {what}, {steps} steps, seed {seed}.
It learnt from preferences of the kinematic judge alone, on motions of the tiny model. **Numbers made with it are
numbers of a tiny model** and never stand beside published ones.

```python
from peft import PeftModel

from atom_hf import DEFAULT_ADAPTER, DEFAULT_MODEL, MotionGPTForPreference

base = MotionGPTForPreference.from_pretrained(DEFAULT_MODEL)
model = PeftModel.from_pretrained(base, DEFAULT_ADAPTER).merge_and_unload()
motion = model.generate_motion(["a person jumps twice"], seed=0)[0]
```

By `accelerate launch examples/dpo.py{flags}` and `examples/export_adapter.py`. Measured on the half-precision weights
of this folder, on {prompts} held-out prompts with {samples} motions each:

```
{summary}
```

Settings:

```json
{settings}
```
"""


def main(source: Path, target: Path, prompts: int, samples: int) -> None:
    metrics = json.loads((source / "metrics.json").read_text(encoding="utf-8"))
    target.mkdir(parents=True)
    weights = load_file(source / "adapter" / "adapter_model.safetensors")
    save_file({name: weight.half() for name, weight in weights.items()}, target / "adapter_model.safetensors")
    config = json.loads((source / "adapter" / "adapter_config.json").read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = "atom_hf/motiongpt_tiny"  # not a folder of this machine
    (target / "adapter_config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    training = metrics["training"]
    card = CARD.format(
        what=" and ".join(loss.upper() for loss in training["loss_type"]) + " with LoRA",
        steps=training["steps"],
        seed=training["seed"],
        flags="" if training["seed"] == 42 else f" --seed {training['seed']}",
        prompts=prompts,
        samples=samples,
        summary="\n".join(measured(target, metrics, prompts, samples)),
        settings=json.dumps(training, ensure_ascii=False, indent=1),
    )
    (target / "README.md").write_text(card, encoding="utf-8")


def measured(adapter: Path, metrics: dict[str, Any], prompts: int, samples: int) -> list[str]:
    """Base and adapted model, compared as the main job does it."""
    models: dict[str, Any] = {
        name: MotionGPTForPreference.from_pretrained(DEFAULT_MODEL, dtype=torch.float32)
        for name in ("base", "aligned")
    }
    models["aligned"] = PeftModel.from_pretrained(models["aligned"], adapter).merge_and_unload()
    cases = grammar_cases(prompts, SEED)
    systems = [sampled_system(name, model.eval(), cases, samples=samples, seed=SEED) for name, model in models.items()]
    comparison = compare(
        systems,
        real=synthesised_system(cases, "real (synthesised)"),
        judge=KinematicJudge(),
        embedder=ModelEmbedder.from_pretrained(),
        seed=SEED,
    )
    again = alignment_metrics(comparison, kl=metrics["kl"], seconds=metrics["seconds"], training=metrics["training"])
    return alignment_summary(again)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="output folder of the alignment")
    parser.add_argument("target", type=Path, help="folder to write; must not be there yet")
    parser.add_argument("--prompts", type=int, default=300, help="held-out prompts to measure on")
    parser.add_argument("--samples", type=int, default=2, help="motions for each prompt")
    options = parser.parse_args()
    main(options.source, options.target, options.prompts, options.samples)
