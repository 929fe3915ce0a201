"""The page that a saved model is found with on the Hub: what it is, how to use it, and what its author has to add.

Only what the configuration says is filled in. A number that nobody measured does not stand on a card.
"""

from pathlib import Path
from typing import Any

from huggingface_hub import ModelCardData

_USE = {
    "MotionGPTForPreference": """from atom_hf import MotionGPTForPreference

model = MotionGPTForPreference.from_pretrained("{name}")
motion = model.generate_motion(["a person walks forward, then jumps twice"], seed=0)[0]
motion.save("motion.bvh")""",
    "MotionGPTForReward": """from atom_hf import MotionGPTForReward

reward = MotionGPTForReward.from_pretrained("{name}")
reward.score(["a person jumps twice"], [codes])  # the higher the better""",
    "TextMotionEvaluator": """from atom_hf import TextMotionEvaluator

evaluator = TextMotionEvaluator.from_pretrained("{name}")
texts = evaluator.embed_text(["a person jumps twice"])  # [B, D]
motions = evaluator.embed_motion([motion])  # [B, D]; near their texts where they fit""",
    "MotionVQVAE": """from atom_hf import MotionVQVAE

vqvae = MotionVQVAE.from_pretrained("{name}")
codes = vqvae.encode(vqvae.normalize(features))  # [B, T // 4]""",
}
_WHAT = {
    "MotionGPTForPreference": "A text-to-motion language model with its motion tokenizer",
    "MotionGPTForReward": "A reward model for text-to-motion: one number for a prompt with a motion",
    "MotionGPTForValue": "A value model for reinforcement learning of text-to-motion",
    "TextMotionEvaluator": "A text-motion evaluator: texts and motions in one space",
    "MotionVQVAE": "A motion tokenizer: HumanML3D features to codes and back",
}


def model_card(model: Any, name: str) -> str:
    """A card for a model, from what its class and its configuration say.

    Args:
        model: a model of this package.
        name (`str`): what it is called, such as the name of its folder or repository.

    Returns:
        `str`: Markdown with the Hub's YAML header.
    """
    kind = type(model).__name__
    config = model.config
    data = ModelCardData(
        library_name="atom_hf",
        pipeline_tag="other",
        tags=["text-to-motion", "human-motion", "motiongpt", "atom_hf"],
    )
    rows = {
        "class": f"`atom_hf.{kind}`",
        "parameters": f"{sum(p.numel() for p in model.parameters()) / 1e6:.1f} M",
    }
    codes = getattr(config, "num_codes", None)
    if codes:
        rows["motion codes"] = f"{codes}, 4 frames each at 20 fps"
    if hasattr(config, "d_model"):
        layers = f"{config.num_layers} + {config.num_decoder_layers} layers"
        rows["transformer"] = f"T5, width {config.d_model}, {layers}, {config.vocab_size} tokens"
        rows["writes"] = "motion only" if config.motion_only else "motion and text"
    if kind == "TextMotionEvaluator":
        told = {name: value for name, value in model.describe().items() if name not in ("evaluator", "protocol")}
        rows |= {name.replace("_", " "): str(value) for name, value in told.items()}
        if not config.original:
            rows["numbers made with it"] = "not comparable with published ones"
    table = "\n".join(f"| {key} | {value} |" for key, value in rows.items())
    use = f"\n## Use\n\n```python\n{_USE[kind].format(name=name)}\n```\n" if kind in _USE else ""
    return f"""---
{data.to_yaml()}
---

# {name}

{_WHAT.get(kind, "A model of atom_hf")}, saved with `atom_hf`.

| | |
|---|---|
{table}
{use}
## Training data, metrics and limits

Not stated by whoever saved this model. Please add on what it was trained, what was measured and how, and the terms of
the data it was made from.
"""


def write_model_card(model: Any, folder: str | Path) -> None:
    """Put a card into a folder that has none.

    Args:
        model: a model of this package.
        folder (`str` or `Path`): where the model was saved.
    """
    path = Path(folder) / "README.md"
    if not path.exists():
        path.write_text(model_card(model, Path(folder).resolve().name), encoding="utf-8")
