"""What a checkpoint of PPO holds beside weights, optimiser and schedule: the rollout that each process is in.

checkpoint-50/{model.safetensors, value_model/, ppo_state_0.pt, ppo_state_1.pt, …}
"""

from pathlib import Path
from typing import Any

import torch

from .rollout import RolloutBuffer


class PPOCheckpoints:
    """Mixed in before `Trainer`: policy and value model are saved apart, and a run goes on inside its rollout.

    Overrides of `Trainer`: `_save`, `_save_rng_state`, `_load_from_checkpoint`, `_load_best_model`.
    """

    _buffer: RolloutBuffer | None

    def _save(self: Any, output_dir: str | None = None, state_dict: Any = None) -> None:
        if not self.args.should_save:
            return
        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        self.accelerator.unwrap_model(self.model).save_pretrained(folder)
        self.processing_class.save_pretrained(folder)
        torch.save(self.args, folder / "training_args.bin")

    def _save_rng_state(self: Any, output_dir: str) -> None:
        """What each process needs to go on: generators, and the rollout that it is in."""
        super()._save_rng_state(output_dir)  # type: ignore[misc]
        state = {"moments": self.moments.state_dict(), "kl_coef": self.kl_control.value}
        if self._buffer is not None and not self._buffer.done:
            state["buffer"] = self._buffer.state_dict()
        torch.save(state, Path(output_dir) / f"ppo_state_{self.args.process_index}.pt")

    def _load_from_checkpoint(self: Any, resume_from_checkpoint: str, model: Any = None) -> None:
        pair = self.accelerator.unwrap_model(self.model if model is None else model)
        pair.load_weights(resume_from_checkpoint)
        path = Path(resume_from_checkpoint) / f"ppo_state_{self.args.process_index}.pt"
        if not path.is_file():
            raise FileNotFoundError(
                f"{path} is missing: the checkpoint was written with another number of processes, or with "
                "save_only_model. Resume with as many as before, or start anew with it as model."
            )
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.moments.load_state_dict(state["moments"])
        self.kl_control.value = state["kl_coef"]
        self._buffer = None
        if "buffer" in state:
            self._buffer = RolloutBuffer.from_state(state["buffer"], self.args.device)

    def _load_best_model(self: Any) -> None:
        self.accelerator.unwrap_model(self.model).load_weights(self.state.best_model_checkpoint)
