"""Who wins: outcomes of two systems from the votes, handed to `atom_hf.evaluation`, so that the numbers are its own.

compare(store, settings, "base", "aligned").win_rate      →  WinRate(wins=21, ties=4, losses=11, unscored=1)
"""

from collections import Counter, defaultdict
from itertools import combinations
from typing import NamedTuple

from ..evaluation.blinding import Outcome
from ..evaluation.win_rate import PositionBias, WinRate, win_rate
from .counted import CountedVote, counted_votes
from .errors import ArenaError
from .quality import flagged
from .settings import Settings
from .store import Store


class Comparison(NamedTuple):
    """System A against system B.

    Args:
        a (`str`): a system.
        b (`str`): another one.
        outcomes (`list[Outcome]`): of A, one a prompt, by prompt_id: what most votes on it say, a tie where as many
            say either, None where all skipped it.
        win_rate ([`WinRate`]): of these outcomes; prompts are independent of each other.
        votes ([`WinRate`]): every vote by itself. Votes on one prompt are not independent: its interval is too narrow.
        position ([`PositionBias`]): whether the side decided.
    """

    a: str
    b: str
    outcomes: list[Outcome]
    win_rate: WinRate
    votes: WinRate
    position: PositionBias


class Standing(NamedTuple):
    """One line of the table of all couples.

    Args:
        a (`str`): a system.
        b (`str`): another one.
        win_rate ([`WinRate`]): of A, one outcome a prompt.
        votes (`int`): that count.
    """

    a: str
    b: str
    win_rate: WinRate
    votes: int


def systems(store: Store) -> list[str]:
    """All systems whose motions are in the store.

    Args:
        store ([`Store`]): the store.

    Returns:
        `list[str]`: sorted.
    """
    return [name for (name,) in store.read("SELECT DISTINCT system FROM motions ORDER BY system")]


def compare(store: Store, settings: Settings, a: str, b: str, *, without_flagged: bool = False) -> Comparison:
    """How often system A won against system B, by first answers on pairs that are no checks.

    Args:
        store ([`Store`]): the store.
        settings ([`Settings`]): with the thresholds of quality.
        a (`str`): a system.
        b (`str`): another one.
        without_flagged (`bool`, *optional*, defaults to `False`): leave out labellers below the thresholds.

    Returns:
        [`Comparison`]: without outcomes if nobody has voted yet.

    Raises:
        ArenaError: if a system is unknown, or both are the same.
    """
    known = systems(store)
    for name in (a, b):
        if name not in known:
            raise ArenaError(f"Expected a system, one of {', '.join(known) or 'none yet'}, got {name!r}.")
    if a == b:
        raise ArenaError(f"Expected two systems, got {a!r} twice; a system does not win against itself.")
    left_out = flagged(store, settings) if without_flagged else ()
    votes = [vote for vote in counted_votes(store, ("normal",), left_out) if set(vote.systems) == {a, b}]
    return _compare(a, b, votes)


def standings(store: Store, settings: Settings, *, without_flagged: bool = False) -> list[Standing]:
    """All couples of systems that were compared.

    Args:
        store ([`Store`]): the store.
        settings ([`Settings`]): with the thresholds of quality.
        without_flagged (`bool`, *optional*, defaults to `False`): leave out labellers below the thresholds.

    Returns:
        `list[Standing]`: by name.
    """
    left_out = flagged(store, settings) if without_flagged else ()
    couples: dict[tuple[str, ...], list[CountedVote]] = defaultdict(list)
    for vote in counted_votes(store, ("normal",), left_out):
        couples[tuple(sorted(vote.systems))].append(vote)
    return [
        Standing(a, b, _compare(a, b, couples[a, b]).win_rate, len(couples[a, b]))
        for a, b in combinations(systems(store), 2)
        if (a, b) in couples
    ]


def _compare(a: str, b: str, votes: list[CountedVote]) -> Comparison:
    by_prompt: dict[str, list[Outcome]] = defaultdict(list)
    for vote in votes:
        by_prompt[vote.prompt_id].append(_outcome(vote, a))
    outcomes = [_majority(by_prompt[prompt]) for prompt in sorted(by_prompt)]
    sides = Counter(vote.first for vote in votes if vote.choice != "skipped")
    return Comparison(
        a,
        b,
        outcomes,
        win_rate(outcomes),
        win_rate([outcome for given in by_prompt.values() for outcome in given]),
        PositionBias(sides[True], sides[False], sides[None], None),
    )


def _outcome(vote: CountedVote, a: str) -> Outcome:
    if vote.choice == "skipped":
        return None
    if vote.choice == "tie":
        return "tie"
    return "win" if vote.systems[vote.choice == "two"] == a else "loss"


def _majority(outcomes: list[Outcome]) -> Outcome:
    said: Counter[str] = Counter(outcome for outcome in outcomes if outcome is not None)
    if not said:
        return None
    if said["win"] == said["loss"]:
        return "tie"
    if said["tie"] >= max(said["win"], said["loss"]):
        return "tie"
    return "win" if said["win"] > said["loss"] else "loss"
