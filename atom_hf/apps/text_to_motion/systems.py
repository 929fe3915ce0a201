"""Which models a page shows, and how they are loaded: base and aligned, or one alone.

Sources()                                        the tiny model of the package, and the adapter that aligns it
Sources(model="me/motiongpt-ipo")                this one alone
Sources(model="me/motiongpt-ipo", base_model="OpenMotionLab/MotionGPT-base")          two, side by side
Sources(model="OpenMotionLab/MotionGPT-base", adapter="me/ipo-lora")                  the model without and with it
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ...assets import DEFAULT_ADAPTER, DEFAULT_MODEL
from ...models.hub import public_name

MODEL, BASE_MODEL, ADAPTER = "ATOM_HF_MODEL", "ATOM_HF_BASE_MODEL", "ATOM_HF_ADAPTER"


class Recipe(NamedTuple):
    """One model of a page, not loaded yet.

    Args:
        role (`str`): `"base"`, `"aligned"`, or `"model"` where there is only one.
        model (`str`): a folder or a Hub repository.
        adapter (`str`, *optional*): of a LoRA adapter on top of it.
    """

    role: str
    model: str
    adapter: str | None = None

    @property
    def name(self) -> str:
        """What a page calls it: a repository as it is, a folder by its last name."""
        source = self.adapter or self.model
        return Path(source).name if Path(source).is_absolute() else public_name(source)


class LoadError(RuntimeError):
    """A model that cannot be loaded; the message is for the visitor, its cause for whoever runs the page."""


@dataclass(frozen=True)
class Sources:
    """Where models come from.

    Args:
        model (`str`, *optional*): the model to show; the package's tiny one without it.
        base_model (`str`, *optional*): one to compare with.
        adapter (`str`, *optional*): a LoRA adapter on top of the model, which is compared with the model alone.
    """

    model: str | None = None
    base_model: str | None = None
    adapter: str | None = None

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] | None = None) -> "Sources":
        """What `ATOM_HF_MODEL`, `ATOM_HF_BASE_MODEL` and `ATOM_HF_ADAPTER` say.

        Args:
            environment (`Mapping[str, str]`, *optional*): variables, those of the process by default.

        Returns:
            [`Sources`]: empty variables count as unset.
        """
        variables = os.environ if environment is None else environment
        return cls(*((variables.get(name) or "").strip() or None for name in (MODEL, BASE_MODEL, ADAPTER)))

    def recipes(self) -> tuple[Recipe, ...]:
        """The models in the order base, aligned.

        Returns:
            `tuple[Recipe, ...]`: one or two.
        """
        model, adapter = self.model, self.adapter
        if model is None and adapter is None and self.base_model is None and Path(DEFAULT_ADAPTER).is_dir():
            adapter = DEFAULT_ADAPTER
        model = model or DEFAULT_MODEL
        if adapter is None and self.base_model is None:
            return (Recipe("model", model),)
        return (Recipe("base", self.base_model or model), Recipe("aligned", model, adapter))


def load(recipe: Recipe) -> Any:
    """Load a model.

    Args:
        recipe ([`Recipe`]): which.

    Returns:
        [`MotionGPTForPreference`]: in evaluation mode, in single precision, with the adapter merged.

    Raises:
        LoadError: if it is not there, damaged, or of another kind.
    """
    import torch

    from ...models import MotionGPTForPreference

    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        model = MotionGPTForPreference.from_pretrained(recipe.model, dtype=torch.float32)
        if recipe.adapter is not None:
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, recipe.adapter).merge_and_unload()
        if model.vqvae is None:
            raise ValueError("the checkpoint has no VQ-VAE, which turns codes into motion")
    except Exception as error:  # safetensors, huggingface_hub and pickle each have their own kinds
        said = " ".join(str(error).split()) or type(error).__name__
        raise LoadError(f"The model {recipe.name} cannot be loaded: {_public(said, recipe)[:300]}") from error
    return model.to(device).eval()


def _public(said: str, recipe: Recipe) -> str:
    """A message without the folders of this machine."""
    for source in (recipe.model, recipe.adapter):
        if source and (place := Path(source)).is_absolute():
            said = said.replace(str(place.parent) + os.sep, "")
    return said
