"""Proximal policy optimisation of motion models, with a value model of its own.

reward = MotionGPTForReward.from_pretrained("outputs/reward_model")
trainer = MotionPPOTrainer("OpenMotionLab/MotionGPT-base", reward, MotionPPOConfig("ppo"), train_dataset=prompts)
trainer.train()
"""

from typing import Any

import torch
from accelerate.utils import set_seed
from datasets import IterableDataset
from peft import PeftModel
from torch import Tensor
from transformers import Trainer, TrainerCallback
from transformers.integrations import is_deepspeed_zero3_enabled

from ..models import MotionGPTForValue
from .motion_trainer import MotionTrainer
from .online_trainer import prepare_prompts
from .policy import base_of, load_policy
from .ppo.checkpoints import PPOCheckpoints
from .ppo.draw import Drawer, Drawn
from .ppo.mean_log import MeanLog
from .ppo.models import ppo_models
from .ppo.objectives import gae, kl_penalty, policy_loss, token_rewards, value_loss
from .ppo.policy_and_value import VALUE_FOLDER, PolicyAndValue
from .ppo.rollout import PromptSampler, RolloutBuffer
from .ppo.running_moments import RunningMoments
from .ppo.scores import Scorer
from .ppo_config import MotionPPOConfig
from .reward_functions import without_verdict


class MotionPPOTrainer(MotionTrainer, PPOCheckpoints, Trainer):
    """PPO on transformers' own loop: what an optimiser step is, and who counts, clips, saves and resumes, stays its.

    The dataloader gives each batch of prompts as often as a rollout of it is to be gone through in parts. When the
    first of these batches comes, motions are drawn and scored into a buffer; each batch then trains on the buffer's
    next part. So one `training_step` is one part, gradients are accumulated and synchronised as ever, and a loss is
    the mean over the tokens of its whole mini-batch, on however many devices. Checkpoints may fall anywhere: they keep
    the buffer of each process, and a stopped run goes on as if it had not been stopped.

    Policy and value model are one module, [`PolicyAndValue`], as `model`; callbacks are given the policy alone. Saved
    is the policy (or its adapter) as an ordinary checkpoint, and the value model in `value_model/` below it.

    NEFTune's noise is added where the policy learns, to what its encoder reads. Drawing, scoring, reference and value
    model do without, so that the ratio of probabilities is not exactly 1 at first. A completion that nobody could
    score is left out of all losses, and of what scores and advantages are scaled by.

    DDP and DeepSpeed ZeRO 1 and 2; not FSDP and ZeRO 3, whose weights are nowhere whole to draw motions with.

    Overrides of `Trainer`: `get_train_dataloader`, `_get_train_sampler`, `create_optimizer`, `_prepare_inputs`,
    `compute_loss`, `prediction_step`, `evaluation_loop`, `log`, and those of [`PPOCheckpoints`]; of [`MotionTrainer`]
    `_connect_callbacks` and `_files_to_go_on`.

    Args:
        model ([`MotionGPTForPreference`], `PeftModel` or `str`): what is trained; by name also original checkpoints.
        reward_funcs ([`MotionGPTForReward`], `Callable`, `str` or list of them): scores completions. A name is that of
            a reward model. Functions are called as by TRL, with `prompts`, `completions`, `completion_ids`, the
            dataset's columns and `trainer_state`, and give a number or None each; `args` holds their weights.
        args ([`MotionPPOConfig`], *optional*): settings.
        value_model ([`MotionGPTForValue`] or `str`, *optional*): by default it begins as the first reward model, or
            as the policy where there is none, with a head of its own.
        ref_model ([`MotionGPTForPreference`], *optional*): by default the model as it is now: without its adapter, or
            an exact copy.
        train_dataset (`Dataset`): `prompt`, as text or conversation; reward functions get all other columns.
        eval_dataset (`Dataset` or dictionary of them, *optional*): of the same form.
        processing_class (`PreTrainedTokenizerBase`, *optional*): the model's own by default.
        peft_config (`PeftConfig`, *optional*): by default the LoRA of `args`.
        kwargs (`Any`): all else of `Trainer`, such as `callbacks`.

    Raises:
        TypeError: if a model or a reward function is of another kind.
        ValueError: if prompts or rewards cannot be used, or models do not fit together; while it trains, if a whole
            rollout has no score.
    """

    def __init__(
        self,
        model: Any,
        reward_funcs: Any = None,
        args: MotionPPOConfig | None = None,
        *,
        value_model: Any = None,
        ref_model: Any = None,
        train_dataset: Any = None,
        eval_dataset: Any = None,
        processing_class: Any = None,
        peft_config: Any = None,
        **kwargs: Any,
    ) -> None:
        args = MotionPPOConfig("motion_ppo") if args is None else args
        set_seed(args.seed)
        given: Any = args.model_init_kwargs or {}
        model = load_policy(model, **{"dtype": torch.float32, **given})
        base, tokenizer = base_of(model), processing_class or base_of(model).processor.tokenizer
        self.scorer = Scorer(reward_funcs, args.reward_weights, base.processor)
        datasets = _checked_prompts(train_dataset, eval_dataset, tokenizer, base.processor.max_length)
        if peft_config is not None and isinstance(model, PeftModel):
            raise ValueError(
                "The model has an adapter already: merge it (merge_and_unload), or leave peft_config out."
            )
        policy, self.ref_model, value = ppo_models(
            model,
            ref_model=ref_model,
            value_model=value_model,
            rewards=self.scorer.models,
            lora=peft_config or args.lora(),
        )
        pair = PolicyAndValue(policy, value, args.temperature)
        if args.disable_dropout:
            pair.disable_dropout()
        self.moments, self.kl_control = RunningMoments(), args.kl_control()
        self._buffer: RolloutBuffer | None = None
        self._means = MeanLog(self._total)
        kwargs.setdefault("data_collator", list)
        super().__init__(
            model=pair,
            args=args,
            train_dataset=datasets[0],
            eval_dataset=datasets[1],
            processing_class=tokenizer,
            **kwargs,
        )
        if self.is_fsdp_enabled or is_deepspeed_zero3_enabled() or args.n_gpu > 1:
            raise ValueError(
                "PPO draws motions with the whole policy on each device: use DDP (accelerate launch, one process a "
                "device) or DeepSpeed ZeRO 1 or 2, not FSDP, ZeRO 3 or one process for several devices."
            )
        set_seed(args.seed, device_specific=True)  # every process draws its own motions
        for frozen in (*self.scorer.models, *([] if self.ref_model is None else [self.ref_model])):
            frozen.to(args.device)
        self.drawer = Drawer(pair, self.ref_model, self.scorer, tokenizer, args)
        self.callback_handler.callbacks.insert(0, _PolicyForCallbacks(self))

    @property
    def policy(self) -> Any:
        """What is trained: a [`MotionGPTForPreference`], or a `PeftModel` of one."""
        return self.accelerator.unwrap_model(self.model).policy

    @property
    def value_model(self) -> MotionGPTForValue:
        """What expects rewards."""
        value: MotionGPTForValue = self.accelerator.unwrap_model(self.model).value
        return value

    # Prompts and optimiser -------------------------------------------------------------------------------------------

    def get_train_dataloader(self: Any) -> Any:
        """Batches of prompts, a rollout's for each device, repeated.

        Returns:
            `DataLoader`: of lists of rows.
        """
        return self._get_dataloader(
            self.train_dataset,
            "Training",
            batch_size=self.args.rollout_size,
            sampler_fn=self._get_train_sampler,
            is_training=True,
        )

    def _get_train_sampler(self: Any, train_dataset: Any = None) -> PromptSampler:
        args, rows = self.args, self.train_dataset if train_dataset is None else train_dataset
        return PromptSampler(
            len(rows),
            args.rollout_size * args.world_size,
            args.steps_per_rollout * args.gradient_accumulation_steps,
            args.seed if args.data_seed is None else args.data_seed,
            lambda rollouts: self.state.global_step // (rollouts * args.steps_per_rollout),
        )

    def create_optimizer(self: Any, *args: Any, **kwargs: Any) -> Any:
        """As in transformers; the value model has a learning rate of its own.

        Returns:
            `torch.optim.Optimizer`: with groups of the policy, and of the value model.
        """
        made, given = self.optimizer is None, self.args.value_learning_rate
        optimizer = super().create_optimizer(*args, **kwargs)
        if made and given is not None:
            value = {id(parameter) for parameter in self.value_model.parameters()}
            for group in list(optimizer.param_groups):
                own = [parameter for parameter in group["params"] if id(parameter) in value]
                group["params"] = [parameter for parameter in group["params"] if id(parameter) not in value]
                optimizer.param_groups.append({**group, "params": own, "lr": given})
            optimizer.param_groups[:] = [group for group in optimizer.param_groups if group["params"]]
        return optimizer

    # Training --------------------------------------------------------------------------------------------------------

    def _prepare_inputs(self: Any, inputs: list[dict[str, Any]]) -> dict[str, Tensor]:
        """The next part of the rollout; where it is used up, a new one from these prompts."""
        if self._buffer is None or self._buffer.done:
            with self.compute_loss_context_manager():
                self._buffer = self._roll_out(inputs)
        return self._buffer.next()

    def compute_loss(self: Any, model: Any, inputs: dict[str, Tensor], return_outputs: bool = False, **_: Any) -> Any:
        """Clipped losses of policy and value model.

        Args:
            model (`nn.Module`): [`PolicyAndValue`], or what distributes it.
            inputs (`dict[str, Tensor]`): a part of a rollout.
            return_outputs (`bool`, *optional*, defaults to `False`): also return what the models said.

        Returns:
            `Tensor`: scalar; or a tuple with the models' outputs.
        """
        part, args, mask = inputs, self.args, inputs["mask"]
        scored = model(part["input_ids"], part["attention_mask"], part["completion_mask"])
        policy = policy_loss(
            scored.logps, part["logps"], part["advantages"], mask, cliprange=args.cliprange, count=part["count"]
        )
        value = value_loss(
            scored.values, part["values"], part["returns"], mask, cliprange=args.cliprange_value, count=part["count"]
        )
        tokens = mask.sum()
        means = {
            "policy/approxkl": policy.approxkl,
            "policy/clipfrac": policy.clipfrac,
            "policy/entropy": (scored.entropy * mask).sum() / tokens.clamp(min=1),
            "val/clipfrac": value.clipfrac,
            "val/error": value.error,
            "val/ratio": policy.ratio,
        }
        sums = {name: mean * tokens for name, mean in means.items()}
        sums |= {
            "loss/policy": policy.loss.detach() * part["count"],
            "loss/value": value.loss.detach() * part["count"],
        }
        self._means.add("train", {name: (total, tokens) for name, total in sums.items()})
        loss = policy.loss + args.vf_coef * value.loss
        return (loss, scored) if return_outputs else loss

    @torch.no_grad()
    def _roll_out(self: Any, rows: list[dict[str, Any]]) -> RolloutBuffer:
        """Draw and score motions, and estimate what each of their tokens was worth."""
        args = self.args
        drawn, kl = self._drawn("train", rows)
        score, mask = self._scaled(drawn), drawn.completion_mask * ~drawn.scores.total.isnan()[:, None]
        rewards = token_rewards(score.nan_to_num(), kl, mask, kl_coef=self.kl_control.value)
        options = {"gamma": args.gamma, "lam": args.lam, "whiten_rewards": args.whiten_rewards}
        estimate = gae(drawn.values, rewards, mask, total=self._total, **options)
        count = len(kl) * args.world_size
        self.kl_control.update(float(self._total(kl.sum())) / count, count)
        kept = ("input_ids", "attention_mask", "completion_mask", "logps", "values")
        tensors = {name: getattr(drawn, name) for name in kept} | estimate._asdict() | {"mask": mask}
        parts = args.gradient_accumulation_steps
        return RolloutBuffer(tensors, args.num_ppo_epochs, args.num_mini_batches, parts, self._total, args.world_size)

    def _drawn(self: Any, mode: str, rows: list[dict[str, Any]]) -> tuple[Drawn, Tensor]:
        with self._sampling():
            drawn = self.drawer(rows, trainer_state=self.state)
        kl = kl_penalty(drawn.logps, drawn.ref_logps, self.args.kl_penalty)
        self._means.add(mode, drawn.sums(kl, self.kl_control.value, self.scorer.names))
        return drawn, kl

    def _scaled(self: Any, drawn: Drawn) -> Tensor:
        """Scores as they are learnt from; NaN stays."""
        args, score = self.args, drawn.scores.total
        everyone = self.accelerator.gather(score)
        if bool(everyone.isnan().all()):
            raise ValueError(
                f"None of the {len(everyone)} completions of a rollout has a score, so there is nothing to learn: "
                f"{without_verdict(self.scorer.functions, len(score), drawn.whole)} Begin with a better model, look "
                f"at the rewards' columns, or raise max_completion_length (now {args.max_completion_length})."
            )
        self.moments.update(everyone[~everyone.isnan()])
        if args.scale_scores:
            score = self.moments.scaled(score, shift=args.norm_scores)
        if args.score_clip is not None:
            score = score.clamp(-args.score_clip, args.score_clip)
        if args.missing_eos_penalty is not None:
            score = torch.where(drawn.ended, score, score - args.missing_eos_penalty)
        return score

    # Evaluation and logs ---------------------------------------------------------------------------------------------

    def prediction_step(self: Any, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> tuple[None, None, None]:
        """Draw and score motions; there is no loss.

        Returns:
            `tuple`: of nothing; the metrics are those of `evaluation_loop`.
        """
        with self.compute_loss_context_manager():
            self._drawn("eval", inputs)
        return None, None, None

    def evaluation_loop(self: Any, *args: Any, metric_key_prefix: str = "eval", **kwargs: Any) -> Any:
        """As in transformers, with the metrics of the rollouts; the same noise each time, and training's untouched.

        Returns:
            `EvalLoopOutput`: metrics such as `eval_objective/scores`.
        """
        self._means.pop("eval")
        device = self.args.device
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(self.args.seed + self.args.process_index)
            output = super().evaluation_loop(*args, metric_key_prefix=metric_key_prefix, **kwargs)
        output.metrics.update({f"{metric_key_prefix}_{k}": v for k, v in self._means.pop("eval").items()})
        return output

    def log(self: Any, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """As in transformers, with means since the last log.

        Args:
            logs (`dict[str, float]`): what is logged.
        """
        if "loss" in logs:
            logs.update(self._means.pop("train"))
        super().log(logs, *args, **kwargs)

    def _total(self: Any, tensor: Tensor) -> Tensor:
        summed: Tensor = self.accelerator.reduce(tensor, reduction="sum")
        return summed

    def _files_to_go_on(self: Any) -> list[str]:
        return [f"ppo_state_{i}.pt" for i in range(self.args.world_size)] + [f"{VALUE_FOLDER}/config.json"]

    def _connect_callbacks(self: Any) -> None:
        self.callback_handler.model = self.policy
        super()._connect_callbacks()


class _PolicyForCallbacks(TrainerCallback):
    """Callbacks get the policy as `model`, not the module that it is trained in."""

    def __init__(self, trainer: MotionPPOTrainer) -> None:
        self.trainer = trainer

    def on_train_begin(self, *args: Any, **kwargs: Any) -> None:
        self.trainer.callback_handler.model = self.trainer.policy


def _checked_prompts(train: Any, held_out: Any, tokenizer: Any, longest: int) -> tuple[Any, Any]:
    if train is None or isinstance(train, IterableDataset):
        raise ValueError(
            f"Expected train_dataset, a Dataset with a column prompt, got {type(train).__name__}; a rollout takes "
            "its prompts several times, which a stream does not give."
        )
    train = prepare_prompts(train, "train", tokenizer, longest)
    if isinstance(held_out, dict):
        held_out = {name: prepare_prompts(rows, name, tokenizer, longest) for name, rows in held_out.items()}
    elif held_out is not None:
        held_out = prepare_prompts(held_out, "eval", tokenizer, longest)
    return train, held_out
