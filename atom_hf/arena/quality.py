"""How good votes are: against known answers, against the same labeller's repeats, and against other people.

quality_of(store, settings, labeller)   →  LabellerQuality(gold=Share(9, 10, …), repeats=Share(7, 8, …), …)
agreement(store, settings).choice       →  Agreement(value=0.61, low=0.52, high=0.70, …), Krippendorff's α
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import NamedTuple

from ..data.degrees import DEGREES, UNSURE
from ..evaluation.agreement import Agreement, cohen_kappa, krippendorff_alpha
from ..evaluation.proportion import wilson_interval
from ..evaluation.win_rate import PositionBias
from .answers import is_right
from .counted import CountedVote, counted_votes
from .settings import Settings
from .store import Store

_DRAWS = 2000  # of the bootstrap; it runs while people look on
_MOST_COUPLES = 50
_ONE_SIDED = 0.001  # p of the sign test
_STRENGTH = {degree: len(DEGREES) - 1 - place for place, degree in enumerate(DEGREES[:-1])}  # 4 is much better


class Share(NamedTuple):
    """How many of how many.

    Args:
        hits (`int`): those that are so.
        total (`int`): all.
        low (`float`, *optional*): lower end of Wilson's 95 % interval; None of nothing.
        high (`float`, *optional*): upper end.
    """

    hits: int
    total: int
    low: float | None
    high: float | None

    @property
    def rate(self) -> float | None:
        """From 0 to 1; None of nothing."""
        return self.hits / self.total if self.total else None


class LabellerQuality(NamedTuple):
    """The votes of one labeller.

    Args:
        labeller (`str`): pseudonym.
        votes (`int`): all that count, without the training round.
        gold ([`Share`]): answers to gold questions that were right.
        repeats ([`Share`]): repeats that were answered as before.
        others ([`Share`]): decided votes that agree with what most others say.
        kappa ([`Agreement`], *optional*): Cohen's κ with the majority of the others; None below two shared pairs.
        position ([`PositionBias`]): whether the side decides.
        skipped ([`Share`]): votes that skip.
        seconds (`float`, *optional*): median time of a vote.
        flags (`tuple[str, ...]`): what is below the thresholds of the settings, in words.
    """

    labeller: str
    votes: int
    gold: Share
    repeats: Share
    others: Share
    kappa: Agreement | None
    position: PositionBias
    skipped: Share
    seconds: float | None
    flags: tuple[str, ...]


class Agreements(NamedTuple):
    """How far labellers agree.

    Args:
        choice ([`Agreement`], *optional*): Krippendorff's α of the choices (one, two or tie), without repeats and
            checks; None where no pair has two votes.
        degree ([`Agreement`], *optional*): ordinal α from "much better" for one to "much better" for the other motion.
        couples (`list[tuple[str, str, Agreement]]`): Cohen's κ of two labellers, those who share most pairs first.
        pairs (`int`): pairs with at least one vote.
        votes (`int`): votes on them.
        labellers (`int`): who gave them.
    """

    choice: Agreement | None
    degree: Agreement | None
    couples: list[tuple[str, str, Agreement]]
    pairs: int
    votes: int
    labellers: int


def quality_of(store: Store, settings: Settings, labeller: str) -> LabellerQuality:
    """How good the votes of one labeller are.

    Args:
        store ([`Store`]): the store.
        settings ([`Settings`]): with the thresholds.
        labeller (`str`): pseudonym.

    Returns:
        [`LabellerQuality`]: without votes if there are none that count.
    """
    votes = counted_votes(store, ("normal", "repeat", "gold"))
    return _quality(labeller, [vote for vote in votes if vote.labeller == labeller], _by_pair(votes), settings)


def all_qualities(store: Store, settings: Settings) -> list[LabellerQuality]:
    """How good the votes of all labellers are.

    Args:
        store ([`Store`]): the store.
        settings ([`Settings`]): with the thresholds.

    Returns:
        `list[LabellerQuality]`: by number of votes, most first.
    """
    votes = counted_votes(store, ("normal", "repeat", "gold"))
    pairs = _by_pair(votes)
    own: dict[str, list[CountedVote]] = defaultdict(list)
    for vote in votes:
        own[vote.labeller].append(vote)
    found = [_quality(labeller, given, pairs, settings) for labeller, given in own.items()]
    return sorted(found, key=lambda quality: -quality.votes)


def flagged(store: Store, settings: Settings) -> set[str]:
    """Labellers below the thresholds of the settings.

    Args:
        store ([`Store`]): the store.
        settings ([`Settings`]): with the thresholds.

    Returns:
        `set[str]`: pseudonyms.
    """
    own: dict[str, list[CountedVote]] = defaultdict(list)
    for vote in counted_votes(store, ("normal", "repeat", "gold")):
        own[vote.labeller].append(vote)
    return {
        labeller
        for labeller, votes in own.items()
        if _flags(_gold(votes), _repeats(votes), _position(votes, None), settings)
    }


def agreement(store: Store) -> Agreements:
    """How far labellers agree on pairs that are no checks, by their first answers.

    Args:
        store ([`Store`]): the store.

    Returns:
        [`Agreements`]: with bootstrap intervals over pairs.
    """
    pairs = _by_pair(counted_votes(store, ("normal",)))
    raters = {labeller for given in pairs.values() for labeller in given}
    decided = [{who: vote for who, vote in given.items() if vote.choice != "skipped"} for given in pairs.values()]
    choices = [[vote.choice for vote in given.values()] for given in decided]
    degrees = [[signed(vote) for vote in given.values()] for given in decided]
    return Agreements(
        _alpha(choices, len(raters), ordinal=False),
        _alpha(degrees, len(raters), ordinal=True),
        _couples(decided),
        len(pairs),
        sum(map(len, pairs.values())),
        len(raters),
    )


def signed(vote: CountedVote) -> int:
    """A vote as a number.

    Args:
        vote ([`CountedVote`]): not skipped.

    Returns:
        `int`: 4 where motion one is much better, 1 where it is negligibly so, 0 for a tie, below 0 for motion two.
    """
    if vote.choice == "tie":
        return 0
    return _STRENGTH[vote.degree or UNSURE] * (1 if vote.choice == "one" else -1)


def _by_pair(votes: Iterable[CountedVote]) -> dict[int, dict[str, CountedVote]]:
    """First answers on normal pairs, by pair and labeller."""
    pairs: dict[int, dict[str, CountedVote]] = defaultdict(dict)
    for vote in votes:
        if vote.kind == "normal":
            pairs[vote.pair][vote.labeller] = vote
    return pairs


def _quality(
    labeller: str,
    votes: Sequence[CountedVote],
    pairs: Mapping[int, Mapping[str, CountedVote]],
    settings: Settings,
) -> LabellerQuality:
    gold, repeats = _gold(votes), _repeats(votes)
    mine, theirs = [], []
    for vote in votes:
        most = _majority([v.choice for who, v in pairs.get(vote.pair, {}).items() if who != labeller])
        if vote.kind == "normal" and vote.choice != "skipped" and most is not None:
            mine.append(vote.choice)
            theirs.append(most)
    agree = sum(a == b for a, b in zip(mine, theirs, strict=True))
    position = _position(votes, repeats.total - repeats.hits if repeats.total else None)
    times = [vote.seconds for vote in votes if vote.seconds is not None]
    return LabellerQuality(
        labeller,
        len(votes),
        gold,
        repeats,
        _share(agree, len(mine)),
        cohen_kappa(mine, theirs, draws=_DRAWS) if len(mine) > 1 else None,
        position,
        _share(sum(vote.choice == "skipped" for vote in votes), len(votes)),
        median(times) if times else None,
        _flags(gold, repeats, position, settings),
    )


def _gold(votes: Iterable[CountedVote]) -> Share:
    given = [vote for vote in votes if vote.kind == "gold" and vote.choice != "skipped"]
    return _share(sum(is_right(vote.choice, vote.degree, vote.expected) for vote in given), len(given))


def _repeats(votes: Iterable[CountedVote]) -> Share:
    """Repeats of this labeller's votes; a step from a tie to a negligible preference is none."""
    votes = list(votes)
    first = {vote.pair: vote for vote in votes if vote.kind == "normal"}
    given = [(first[vote.pair], vote) for vote in votes if vote.kind == "repeat" and vote.pair in first]
    given = [(a, b) for a, b in given if "skipped" not in (a.choice, b.choice)]
    same = sum(a.choice == b.choice or max(abs(signed(a)), abs(signed(b))) <= 1 for a, b in given)
    return _share(same, len(given))


def _position(votes: Iterable[CountedVote], inconsistent: int | None) -> PositionBias:
    sides = Counter(vote.first for vote in votes if vote.kind == "normal" and vote.choice != "skipped")
    return PositionBias(sides[True], sides[False], sides[None], inconsistent)


def _flags(gold: Share, repeats: Share, position: PositionBias, settings: Settings) -> tuple[str, ...]:
    found = []
    if gold.total >= settings.min_checks and gold.hits < settings.min_gold * gold.total:
        found.append(f"{gold.hits} of {gold.total} gold questions right, expected {settings.min_gold:.0%}")
    if repeats.total >= settings.min_checks and repeats.hits < settings.min_consistent * repeats.total:
        found.append(f"{repeats.hits} of {repeats.total} repeats as before, expected {settings.min_consistent:.0%}")
    if position.p < _ONE_SIDED:  # a coin draws the sides, so nobody comes to this by chance
        side, most = max(("first", position.first), ("second", position.second), key=lambda item: item[1])
        found.append(f"the {side} motion chosen in {most} of {position.first + position.second} votes")
    return tuple(found)


def _majority(choices: Iterable[str]) -> str | None:
    """What most say; None if nobody says anything, or several answers come first."""
    ranked = Counter(choice for choice in choices if choice != "skipped").most_common(2)
    if not ranked or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]


def _share(count: int, total: int) -> Share:
    return Share(count, total, *(wilson_interval(count, total) if total else (None, None)))


def _alpha(rows: Sequence[Sequence[str | int]], raters: int, *, ordinal: bool) -> Agreement | None:
    rows = [row for row in rows if len(row) > 1]
    if not rows:
        return None
    # Who gave a rating plays no part in α, so rows need not have a column for everybody.
    width = max(map(len, rows))
    filled = [[*row, *[None] * (width - len(row))] for row in rows]
    order = range(-4, 5) if ordinal else None
    found = krippendorff_alpha(
        filled, level="ordinal" if ordinal else "nominal", categories=order and list(order), draws=_DRAWS
    )
    return replace(found, raters=raters)


def _couples(decided: Sequence[Mapping[str, CountedVote]]) -> list[tuple[str, str, Agreement]]:
    shared: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for given in decided:
        names = sorted(given)
        if len(names) > 20:  # of 50 people who all saw everything there are 1,225 couples; the first ones will do
            names = names[:20]
        for i, a in enumerate(names):
            for b in names[i + 1 :]:
                shared[a, b].append((given[a].choice, given[b].choice))
    most = sorted(shared.items(), key=lambda item: (-len(item[1]), item[0]))[:_MOST_COUPLES]
    found = []
    for (a, b), choices in most:
        if len(choices) > 1:
            found.append((a, b, cohen_kappa(*zip(*choices, strict=True), draws=_DRAWS)))
    return found
