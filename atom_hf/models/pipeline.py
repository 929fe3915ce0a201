"""`pipeline("text-to-motion")`: texts in, motions out, as every pipeline of transformers.

import atom_hf.models
pipe = pipeline("text-to-motion", model=atom_hf.DEFAULT_MODEL)
pipe("a person jumps twice")                                  →  Motion
pipe(["a person waves", "a person sits down"], seed=0)        →  [Motion, Motion]
"""

import os
from collections.abc import Sequence
from typing import Any

from transformers import AutoModelForSeq2SeqLM, Pipeline
from transformers.pipelines import PIPELINE_REGISTRY

from ..motion import Motion

_OPTIONS = ("num_return_sequences", "temperature", "top_k", "top_p", "seed", "batch_size", "max_frames")


class TextToMotionPipeline(Pipeline):
    """Motions for texts; `pipeline("text-to-motion", model=...)` makes it of a model, its folder or its repository."""

    _load_tokenizer = False  # the model carries its own, with its templates
    _load_processor = False
    _load_image_processor = False
    _load_feature_extractor = False

    def __call__(self, inputs: str | Sequence[str], **kwargs: Any) -> Motion | list[Motion]:
        """Motions for texts; see [`MotionGPTForPreference.generate_motion`] for what can be set.

        Args:
            inputs (`str` or `Sequence[str]`): what the person does.
            **kwargs (*optional*): `num_return_sequences`, `temperature`, `top_k`, `top_p`, `seed`, `batch_size`,
                `max_frames` (frames at 20 fps).

        Returns:
            `Motion` or `list[Motion]`: one for a single text with one sample, else a list in order; joints
                `[T, 22, 3]` in metres.

        Raises:
            TypeError: if an input is no string, or an option is unknown.
            ValueError: if a prompt is empty or too long, or an option is out of range.
        """
        unknown = sorted(set(kwargs) - set(_OPTIONS))
        if unknown:
            raise TypeError(f"text-to-motion has no option {', '.join(unknown)}; there are {', '.join(_OPTIONS)}.")
        single = isinstance(inputs, str)
        options = {**self._forward_params, **kwargs}
        motions = self.forward({"texts": [inputs] if single else list(inputs)}, **options)
        return motions[0] if single and len(motions) == 1 else motions

    def _sanitize_parameters(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        return {}, {name: kwargs[name] for name in _OPTIONS if name in kwargs}, {}

    def save_pretrained(self, save_directory: str | os.PathLike[str], **kwargs: Any) -> None:
        """Save the model with what it needs; transformers' own version copies source files that import other ones.

        Args:
            save_directory (`str` or `Path`): folder, for `pipeline("text-to-motion", model=folder)`.
            **kwargs (*optional*): as in the model's `save_pretrained`.
        """
        self.model.save_pretrained(save_directory, **kwargs)

    def preprocess(self, input_: str, **_: Any) -> dict[str, Any]:
        """A text as the model takes it.

        Args:
            input_ (`str`): what the person does.

        Returns:
            `dict`: with `texts`.
        """
        return {"texts": [input_]}

    def _forward(self, input_tensors: dict[str, Any], **options: Any) -> list[Motion]:
        # The model sorts, pads and seeds by itself, so that results do not depend on how texts are grouped.
        return list(self.model.generate_motion(input_tensors["texts"], **options))

    def forward(self, model_inputs: dict[str, Any], **options: Any) -> list[Motion]:
        """The model's motions.

        Args:
            model_inputs (`dict`): with `texts`.
            **options (*optional*): as in `__call__`.

        Returns:
            `list[Motion]`: joints `[T, 22, 3]` in metres at 20 fps.
        """
        with self.device_placement():
            return self._forward(model_inputs, **options)

    def postprocess(self, model_outputs: list[Motion], **_: Any) -> list[Motion]:
        """Nothing is left to do.

        Args:
            model_outputs (`list[Motion]`): motions at 20 fps.

        Returns:
            `list[Motion]`: the same.
        """
        return model_outputs


def register_pipeline() -> None:
    """Make `pipeline("text-to-motion")` known to transformers; twice does no harm."""
    if "text-to-motion" not in PIPELINE_REGISTRY.get_supported_tasks():
        PIPELINE_REGISTRY.register_pipeline(
            "text-to-motion", pipeline_class=TextToMotionPipeline, pt_model=AutoModelForSeq2SeqLM, type="text"
        )
