"""Motions for a batch of prompts, with all that PPO has to know of them, and the numbers that are logged of it.

drawn = Drawer(pair, reference, scorer, tokenizer, args)(rows, trainer_state=state)
drawn.logps, drawn.ref_logps, drawn.values, drawn.scores.total
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ...models.rows import pad
from ..policy import base_of
from ..ppo_config import MotionPPOConfig
from .policy_and_value import PolicyAndValue, token_logps
from .rollout import sample_tokens, written_mask
from .scores import Scorer, Scores


class Drawn(NamedTuple):
    """A batch of motions as they were drawn.

    Args:
        input_ids (`Tensor`): `[R, P + C]`, prompts padded on the left, then completions.
        attention_mask (`Tensor`): `[R, P + C]`.
        completion_mask (`Tensor`): `[R, C]`, 0 behind `</s>`.
        logps (`Tensor`): `[R, C]`, of the policy, nats; like the next three 0 where nothing was written.
        entropy (`Tensor`): `[R, C]`, of its choices, nats.
        values (`Tensor`): `[R, C]`, rewards that were to be expected.
        ref_logps (`Tensor`): `[R, C]`, of the reference, nats.
        ended (`Tensor`): `[R]`, bool, whether there is a `</s>`.
        scores ([`Scores`]): on the same device; NaN where nobody gave a number.
        whole (`int`): how many hold a whole motion.
    """

    input_ids: Tensor
    attention_mask: Tensor
    completion_mask: Tensor
    logps: Tensor
    entropy: Tensor
    values: Tensor
    ref_logps: Tensor
    ended: Tensor
    scores: Scores
    whole: int

    def sums(self, kl: Tensor, kl_coef: float, names: Sequence[str]) -> dict[str, tuple[Tensor, Tensor]]:
        """What is logged: sums, and of how many numbers they are.

        Args:
            kl (`Tensor`): `[R, C]`, penalty of each token, nats.
            kl_coef (`float`): what it costs.
            names (`Sequence[str]`): of the reward functions.

        Returns:
            `dict[str, tuple[Tensor, Tensor]]`: in TRL's words.
        """
        total, each = self.scores
        rows, tokens, valid = kl.new_tensor(len(kl)), self.completion_mask.sum(), (~total.isnan()).sum()
        paid = kl_coef * kl.sum(1)
        sums = {
            "objective/kl": (kl.sum(), rows),
            "objective/kl_coef": (kl_coef * rows, rows),
            "objective/entropy": (self.entropy.sum(), tokens),
            "objective/scores": (total.nansum(), valid),
            "objective/non_score_reward": (-paid.sum(), rows),
            "objective/rlhf_reward": ((total - paid).nansum(), valid),
            "reward": (total.nansum(), valid),
            "completions/mean_length": (tokens, rows),
            "completions/clipped_ratio": ((~self.ended).sum(), rows),
            "completions/valid_share": (valid, rows),
        }
        for name, column in zip(names, each.T, strict=True):
            sums[f"rewards/{name}/mean"] = (column.nansum(), (~column.isnan()).sum())
        return sums


class Drawer:
    """Draws motions with a policy, and has them scored.

    Args:
        pair ([`PolicyAndValue`]): as it is trained.
        reference ([`MotionGPTForPreference`], *optional*): None where it is the policy without its adapter.
        scorer ([`Scorer`]): gives scores.
        tokenizer (`PreTrainedTokenizerBase`): with the model's chat template.
        args ([`MotionPPOConfig`]): says how motions are drawn, and how many rows are scored at once.
    """

    def __init__(
        self, pair: PolicyAndValue, reference: Any, scorer: Scorer, tokenizer: Any, args: MotionPPOConfig
    ) -> None:
        self.pair, self.reference, self.scorer, self.tokenizer, self.args = pair, reference, scorer, tokenizer, args

    @torch.no_grad()
    def __call__(self, rows: Sequence[dict[str, Any]], **more: Any) -> Drawn:
        """Draw a motion for each row.

        Args:
            rows (`Sequence[dict]`): with `prompt`, a conversation, and columns for reward functions.
            more (`Any`): further arguments of the reward functions.

        Returns:
            [`Drawn`]: drawn and scored in evaluation mode.
        """
        training = self.pair.training
        self.pair.eval()
        try:
            return self._draw(rows, more)
        finally:
            self.pair.train(training)

    def _draw(self, rows: Sequence[dict[str, Any]], more: dict[str, Any]) -> Drawn:
        base, args = base_of(self.pair.policy), self.args
        texts = self.tokenizer.apply_chat_template([row["prompt"] for row in rows], tokenize=False)
        prompts = self.tokenizer(texts, add_special_tokens=False).input_ids
        ids = torch.tensor(pad(prompts, base.config.pad_token_id, "left"), device=base.device)
        seen = torch.tensor(pad([[1] * len(row) for row in prompts], 0, "left"), device=base.device)
        written = sample_tokens(
            self.pair.policy, ids, seen, most=args.max_completion_length, temperature=args.temperature
        )
        mask = written_mask(written, base._eos)
        completions = [row[:length] for row, length in zip(written.tolist(), mask.sum(1).tolist(), strict=True)]
        said = self.tokenizer.batch_decode(completions, skip_special_tokens=True)
        scores = self.scorer(rows, said, completions, **more)
        inputs = (torch.cat([ids, written], 1), torch.cat([seen, mask], 1), mask)
        found: list[list[Tensor]] = []
        for part in zip(*(tensor.split(args.per_device_train_batch_size) for tensor in inputs), strict=True):
            found.append([*self.pair(*part), self._reference_logps(*part)])
        logps, entropy, values, ref_logps = (torch.cat(column) for column in zip(*found, strict=True))
        return Drawn(
            *inputs,
            logps,
            entropy,
            values,
            ref_logps,
            ended=((written == base._eos) & (mask == 1)).any(1),
            scores=Scores(*(tensor.to(base.device) for tensor in scores)),
            whole=sum(base.processor.decode_codes(row).complete for row in completions),
        )

    def _reference_logps(self, ids: Tensor, mask: Tensor, completion_mask: Tensor) -> Tensor:
        if self.reference is not None:
            return token_logps(self.reference, ids, mask, completion_mask, self.args.temperature)[0]
        with self.pair.policy.disable_adapter():
            return token_logps(self.pair.policy, ids, mask, completion_mask, self.args.temperature)[0]
