"""What a monitor measures on motions that a policy wrote for a fixed set of prompts: a number for each name.

lengths_and_variety(motions, samples=2)  →  {"valid_share": 1.0, "mean_seconds": 4.2, "unique_share": 0.99, …}
event_means(judge, samples)              →  {"events_integrity": 0.7, "events_overall": 0.5, "events_unscored": 0.0}
policy_numbers(scores, reference)        →  {"sample_entropy": 1.9, "sample_kl": 0.04, "sample_kl_sequence": 0.8}
"""

import logging
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ...evaluation import (
    diversity,
    exact_kl,
    kl_estimate,
    multimodality,
    summarize_scores,
    token_entropy,
    unique_share,
    valid_share,
)
from ...evaluation.diversity import DIVERSITY_TIMES
from ...models.motion_coding import batches
from ...motion import Motion
from ...motion.motion import FRAMES_PER_CODE

KL_ESTIMATORS = ("exact", "k3", "k1")
_DRAWS = 10  # of a bootstrap whose interval nobody reads

_log = logging.getLogger(__name__)


class Sample(NamedTuple):
    """A motion that a policy wrote, as judges take it.

    Args:
        motion ([`Motion`]): joints `[T, 22, 3]` in metres.
        prompt (`str`): what it was written for.
        scenario ([`Scenario`], *optional*): the same as data.
    """

    motion: Motion
    prompt: str
    scenario: Any = None


class TokenScores(NamedTuple):
    """How likely a model finds each code and each end, in the distribution that motions are drawn from.

    Args:
        log_probs (`Tensor`): `[N, num_codes + 1]`, float32 on the CPU, nats: codes, and the end, by its token or
            `</s>`.
        chosen (`Tensor`): `[N]`, column of the token that was written.
        counts (`list[int]`): tokens of each motion; they add up to N.
    """

    log_probs: Tensor
    chosen: Tensor
    counts: list[int]


def written_codes(motion: Motion) -> list[int]:
    """Codes that the model wrote.

    Args:
        motion ([`Motion`]): of `generate_motion`, where code 0 alone stands for nothing.

    Returns:
        `list[int]`: possibly empty.
    """
    codes = [] if motion.codes is None else motion.codes.tolist()
    return [] if codes == [0] else codes


def lengths_and_variety(motions: Sequence[Motion], samples: int, embedder: Any = None) -> dict[str, float]:
    """How many outputs are motions, how long they are, and how much they differ.

    Args:
        motions (`Sequence[Motion]`): `samples` of each prompt, one prompt after the other.
        samples (`int`): motions a prompt.
        embedder ([`Embedder`], *optional*): for Diversity and MModality.

    Returns:
        `dict[str, float]`: `valid_share`, `mean_seconds`, `mean_codes`, `unique_share`, and with an embedder
            `diversity` (two motions or more) and `multimodality` (two a prompt or more; over all pairs of a prompt, so
            that a motion never meets itself, as it may in the published protocol).
    """
    codes = [written_codes(motion) for motion in motions]
    clips = [motion.joints if row else None for motion, row in zip(motions, codes, strict=True)]
    seconds = [0.0 if clip is None else motion.duration for motion, clip in zip(motions, clips, strict=True)]
    found = {
        "valid_share": valid_share(clips).share,
        "mean_seconds": float(np.mean(seconds)),
        "mean_codes": float(np.mean([len(row) for row in codes])),
        "unique_share": unique_share(codes),
    }
    if embedder is not None and len(motions) > 1:
        embeddings = embedder.embed_motion(motions)
        found["diversity"] = diversity(embeddings, min(DIVERSITY_TIMES, len(motions)))
        if samples > 1:
            every_pair = np.triu_indices(samples, 1)
            grouped = embeddings.reshape(len(motions) // samples, samples, -1)
            found["multimodality"] = multimodality(grouped, draws=(every_pair[0], every_pair[1]))
    return found


def event_means(judge: Any, samples: Sequence[Sample]) -> dict[str, float]:
    """What a judge says, as means in which every prompt counts the same.

    Args:
        judge (`Any`): has `score(items)`.
        samples (`Sequence[Sample]`): its items.

    Returns:
        `dict[str, float]`: `events_overall` from 0 to 1, `events_` and each raw score of the judge, and
            `events_unscored`, the share without a score. Where nothing could be judged `events_overall` is NaN, which
            never counts as better.

    Raises:
        ValueError: if there is not one verdict a sample.
    """
    verdicts = list(judge.score(list(samples)))
    if len(verdicts) != len(samples):
        raise ValueError(f"The judge gave {len(verdicts)} verdicts for {len(samples)} motions; expected one each.")
    unscored = [verdict for verdict in verdicts if verdict.score is None]
    found = {"events_unscored": len(unscored) / len(verdicts)}
    if len(unscored) == len(verdicts):
        _log.warning("The judge could score none of %d motions: %s", len(verdicts), unscored[0].cause)
        return {"events_overall": math.nan, **found}
    raws = [None if verdict.score is None else {**verdict.raw, "score": verdict.score} for verdict in verdicts]
    tasks = summarize_scores(raws, [sample.prompt for sample in samples], draws=_DRAWS).tasks
    means = {f"events_{task}": score.value for task, score in tasks.items() if task != "score"}
    return {"events_overall": (tasks["score"].value - 1) / 4, **means, **found}


@torch.no_grad()
def token_scores(
    model: Any, prompts: Sequence[str], codes: Sequence[Sequence[int]], max_codes: int, batch_size: int = 32
) -> TokenScores:
    """Score motions with the distribution over codes and ends that they are drawn from, at temperature 1.

    Args:
        model ([`MotionGPTForPreference`]): in evaluation mode.
        prompts (`Sequence[str]`): of each motion.
        codes (`Sequence[Sequence[int]]`): what was written, possibly nothing.
        max_codes (`int`): where sampling stopped; a motion as long as that has no end.
        batch_size (`int`, *optional*, defaults to 32): motions at once.

    Returns:
        [`TokenScores`]: motions in order.
    """
    config, processor = model.config, model.processor
    first, end = config.motion_token_start, config.motion_end_id
    ids = [*range(first, first + config.num_codes), end, model.config.eos_token_id]
    weight = model.lm_head.weight[torch.tensor(ids, device=model.device)]
    asked = [processor.prompt_ids(prompt) for prompt in prompts]
    targets = [[*row, config.num_codes] if len(row) < max_codes else list(row) for row in codes]
    found: list[Tensor] = [torch.empty(0)] * len(targets)
    for part in batches([a + b for a, b in zip(asked, targets, strict=True)], batch_size):
        # A column scores the token behind it: those of the start and of all but the last token are needed.
        rows = [asked[i] + [config.motion_start_id] + [ids[token] for token in targets[i]] for i in part]
        tensors = [torch.tensor(row) for row in rows]
        batch = nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=config.pad_token_id)
        mask = nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in tensors], batch_first=True)
        hidden = model.causal_hidden_states(batch.to(model.device), mask.to(model.device))
        for row, i in zip(hidden, part, strict=True):
            start = len(asked[i])
            logits = row[start : start + len(targets[i])] @ weight.t()
            log_probs = logits.float().log_softmax(-1)
            ended = log_probs[:, -2:].logsumexp(-1, keepdim=True)  # whichever of the two ended it, none is kept
            found[i] = torch.cat([log_probs[:, :-2], ended], 1).cpu()
    chosen = torch.tensor([token for row in targets for token in row], dtype=torch.long)
    return TokenScores(torch.cat(found), chosen, [len(row) for row in targets])


def policy_numbers(
    scores: TokenScores, reference: TokenScores | None = None, kl_estimator: str = "exact"
) -> dict[str, float]:
    """How much a policy leaves open, and how far it is from its reference, along what it wrote.

    Args:
        scores ([`TokenScores`]): the policy's.
        reference ([`TokenScores`], *optional*): the reference's of the same motions.
        kl_estimator (`str`, *optional*, defaults to `"exact"`): sums over all codes at each place, without the noise
            of `"k3"` and `"k1"`, which look at the drawn ones, and are right where temperature 1 without `top_k` drew.

    Returns:
        `dict[str, float]`: `sample_entropy`, `sample_kl` and `sample_kl_sequence`, nats: a token, and a motion.
    """
    found = {"sample_entropy": token_entropy(scores.log_probs)}
    if reference is None:
        return found
    if kl_estimator == "exact":
        per_token = exact_kl(scores.log_probs, reference.log_probs)
    else:
        drawn = [side.log_probs.gather(1, scores.chosen[:, None])[:, 0] for side in (scores, reference)]
        per_token = kl_estimate(*drawn, estimator="k1" if kl_estimator == "k1" else "k3").per_token
    return {**found, "sample_kl": per_token, "sample_kl_sequence": per_token * len(scores.chosen) / len(scores.counts)}


def longest(max_frames: int) -> int:
    """Codes of the longest motion.

    Args:
        max_frames (`int`): at 20 fps.

    Returns:
        `int`: codes.
    """
    return max_frames // FRAMES_PER_CODE
