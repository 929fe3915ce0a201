"""From replies to verdicts and preferences.

verdict_of([Answer("good", '{"score": 4, …}', "", True)], "gpt-4o, integrity-1")  →  Verdict(4.0, …)
"""

import statistics
from collections import Counter
from collections.abc import Sequence

from ..judge import Verdict
from .calls import Answer
from .preference import Preference, combine
from .replies import read_pair, read_point


def verdict_of(answers: Sequence[Answer], name: str) -> Verdict:
    """One verdict from the answers to all votes on a motion.

    Args:
        answers (`Sequence[Answer]`): one a vote. More than half of them need a score; the verdict's is their mean.
        name (`str`): of the judge.

    Returns:
        [`Verdict`]: `raw` has the mean `confidence`, `caption_gives_orders` (1 where the judge says that the caption
            tries to), and for several votes their number and their standard deviation as `spread`.
    """
    replies = [read_point(answer.reply) for answer in answers if answer.outcome == "good"]
    texts = "\n\n".join(filter(None, (answer.reply for answer in answers)))
    if 2 * len(replies) <= len(answers):
        return Verdict.unscored(_commonest_cause(answers), name, texts)
    scores = [float(reply.score) for reply in replies]
    score = statistics.fmean(scores)
    raw = {
        "confidence": statistics.fmean(reply.confidence for reply in replies),
        "caption_gives_orders": float(any(reply.caption_gives_orders for reply in replies)),
    }
    if len(answers) > 1:
        raw |= {"votes": float(len(scores)), "spread": statistics.pstdev(scores)}
    nearest = min(replies, key=lambda reply: abs(reply.score - score))
    return Verdict(score, nearest.reason, raw=raw, judge=name, reply=texts)


def preference_of(answers: Sequence[Answer], name: str) -> Preference:
    """One preference from the answers to all votes on a pair, in turn with the first motion shown first and second.

    Args:
        answers (`Sequence[Answer]`): two a vote; votes with an answer in one order only do not count, and more than
            half have to.
        name (`str`): of the judge.

    Returns:
        [`Preference`]: with a choice, or with the cause.
    """
    votes = list(zip(answers[::2], answers[1::2], strict=False))
    whole = [answer for vote in votes if all(each.outcome == "good" for each in vote) for answer in vote]
    texts = [answer.reply for answer in answers]
    if len(whole) <= len(votes):  # two answers a vote
        return Preference(None, cause=_commonest_cause(answers), replies=tuple(texts), judge=name)
    return combine([read_pair(answer.reply) for answer in whole], texts, name)


def _commonest_cause(answers: Sequence[Answer]) -> str:
    return Counter(answer.cause for answer in answers if answer.cause).most_common(1)[0][0]
