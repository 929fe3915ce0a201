"""REINFORCE leave-one-out on motion models.

trainer = MotionRLOOTrainer(model, reward, MotionRLOOConfig("outputs/rloo"), train_dataset=prompts)
trainer.train()
"""

from trl import RLOOTrainer
from trl.trainer import rloo_trainer

from .online_trainer import OnlineTrainer
from .rloo_config import MotionRLOOConfig


class MotionRLOOTrainer(OnlineTrainer, RLOOTrainer):
    """TRL's `RLOOTrainer` for motion models.

    Overrides of `RLOOTrainer`: those of [`OnlineTrainer`] and [`MotionTrainer`].

    A reward of None counts as 0 in the sum over functions, and a completion that all of them gave None is left out of
    its group; a group of equal rewards teaches nothing but its divergence. That is TRL's way.

    Args:
        model ([`MotionGPTForPreference`], `PeftModel` or `str`): what is trained; by name also original checkpoints.
        reward_funcs (`Callable` or list of them): each gives a number or None for every completion; `args` holds their
            weights.
        args ([`MotionRLOOConfig`], *optional*): settings.
        train_dataset (`Dataset` or `IterableDataset`): `prompt`, as text or conversation; reward functions get all
            other columns.
        eval_dataset (`Dataset` or dictionary of them, *optional*): of the same form.
        processing_class (`PreTrainedTokenizerBase`, *optional*): the model's own by default.
        peft_config (`PeftConfig`, *optional*): by default the LoRA of `args`.
        kwargs (`Any`): all else of `RLOOTrainer`, such as `callbacks`.

    Raises:
        TypeError: if a model or a reward function is of another kind.
        ValueError: if prompts cannot be used, there is no reward function, or weights do not fit; while it trains, if
            rewards are no numbers, or a whole batch has none.
    """

    _name = "MotionRLOO"
    _config_class = MotionRLOOConfig
    _trl = rloo_trainer
