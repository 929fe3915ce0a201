"""A model that knows its processor: loaded from the same checkpoint when first used, and saved with the model."""

from pathlib import Path
from typing import Any

from .hub import WithCard
from .processing import MotionGPTProcessor

_HUB_OPTIONS = ("cache_dir", "force_download", "local_files_only", "token", "revision")


class CarriesProcessor(WithCard):
    """Mixed into models, before transformers' class."""

    _processor: Any = None
    _hub_options: Any = None

    @property
    def processor(self: Any) -> MotionGPTProcessor:
        """Tokenizer, templates and statistics of the checkpoint; loaded when first used, or set.

        Raises:
            ValueError: if the model was made in memory, or its checkpoint holds no tokenizer.
        """
        if self._processor is None:
            source = self.config._name_or_path
            if not source:
                raise ValueError(
                    "This model was made in memory and has no tokenizer: set model.processor = "
                    "MotionGPTProcessor(tokenizer), or load a checkpoint with from_pretrained."
                )
            try:
                self._processor = MotionGPTProcessor.from_pretrained(source, **(self._hub_options or {}))
            except (OSError, ImportError, ValueError) as error:  # which of them depends on transformers' version
                raise ValueError(
                    f"{source} holds a model without its tokenizer: save a processor there "
                    "(processor.save_pretrained), or set model.processor = MotionGPTProcessor(tokenizer)."
                ) from error
        return self._processor

    @processor.setter
    def processor(self: Any, processor: MotionGPTProcessor | None) -> None:
        self._processor = processor

    @classmethod
    def from_pretrained(cls: Any, pretrained_model_name_or_path: Any, *args: Any, **kwargs: Any) -> Any:
        """As in transformers; the processor is loaded from the same place when it is first used.

        Args:
            pretrained_model_name_or_path (`str` or `Path`): folder or Hub repository.

        Returns:
            The model, in evaluation mode.

        Raises:
            OSError: if there is no such checkpoint, or no network.
        """
        if pretrained_model_name_or_path is not None:
            kwargs.setdefault("use_safetensors", True)  # pickles are read by `convert`, which runs nothing in them
        model = super().from_pretrained(pretrained_model_name_or_path, *args, **kwargs)  # type: ignore[misc]
        loaded = model[0] if isinstance(model, tuple) else model
        loaded._hub_options = {name: kwargs[name] for name in _HUB_OPTIONS if kwargs.get(name) is not None}
        return model

    def _save_beside(self: Any, folder: Path) -> None:
        super()._save_beside(folder)
        try:
            processor = self.processor
        except ValueError:  # made in memory: there is none
            return
        processor.save_pretrained(folder)
