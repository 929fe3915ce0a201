"""The page that a folder of checkpoints is found with: what was trained, from what, and how it is loaded.

training_card("MotionDPOTrainer", "dpo", base="motiongpt_tiny", adapter=True)
"""

from huggingface_hub import ModelCardData

_ADAPTER = """from peft import PeftModel

from atom_hf import MotionGPTForPreference

base = MotionGPTForPreference.from_pretrained("{base}")
model = PeftModel.from_pretrained(base, "{name}").merge_and_unload()
model.generate_motion(["a person jumps twice"], seed=0)"""
_WHOLE = """from atom_hf import MotionGPTForPreference

model = MotionGPTForPreference.from_pretrained("{name}")
model.generate_motion(["a person jumps twice"], seed=0)"""


def training_card(trainer: str, name: str, *, base: str, adapter: bool, dataset: str | None = None) -> str:
    """A card for what a trainer saves.

    Args:
        trainer (`str`): class of the trainer.
        name (`str`): of the folder or repository.
        base (`str`): checkpoint that the training began with; empty for a model that was made in memory.
        adapter (`bool`): whether an adapter was trained.
        dataset (`str`, *optional*): what it was trained on.

    Returns:
        `str`: Markdown with the Hub's YAML header.
    """
    data = ModelCardData(
        library_name="peft" if adapter else "atom_hf",
        base_model=base or None,
        pipeline_tag="other",
        tags=["text-to-motion", "human-motion", "motiongpt", "atom_hf", "trl"],
        datasets=None if dataset is None else [dataset],
    )
    what = "A LoRA adapter" if adapter else "Weights"
    began = f"`{base}`" if base else "a model that was made in memory"
    how = (_ADAPTER if adapter else _WHOLE).format(base=base or "BASE", name=name)
    return (
        f"---\n{data.to_yaml()}\n---\n\n# {name}\n\n{what} that `{trainer}` of atom_hf trained from {began}"
        f"{'' if dataset is None else f', on {dataset}'}. Checkpoints of the training lie in `checkpoint-<step>`.\n\n"
        f"```python\n{how}\n```\n\n"
        "What it was trained on, what was measured, and under which licence it may be used, its author has to add.\n"
    )
