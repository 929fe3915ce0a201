"""Verdicts on many motions at once, each by its own task; and runs of a judge that ended before they were done.

verdicts = annotate(KinematicJudge, [Asked("a man jumps twice", "frequency", scenario)], [motion])
verdict_record(verdicts[0])   →  {"score": 5.0, "reason": "2 of 2 jumps; …", "judge": "kinematic-1", …}
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ..events import Scenario
from ..motion import Motion
from .judge import Judge, JudgeItem, Verdict

MakeJudge = Callable[[str | None], Any]
_NO_ANSWER = ("no reply in ", "rejected: ")  # of one motion bad luck, of all motions a fault of server or settings
_ALL = 4  # motions, from which on "all" says something


class JudgeStopped(ValueError):
    """A judge's run ended before its work was done: no money, no key, no server. What was answered is in its store.

    Args:
        cause (`str`): why.
        advice (`str`, *optional*): what to do.
    """

    def __init__(self, cause: str, advice: str = "") -> None:
        super().__init__(" ".join(filter(None, (f"The judge stopped: {cause.rstrip('.')}.", advice))))
        self.cause = cause


class Asked(NamedTuple):
    """What a motion was made for.

    Args:
        prompt (`str`): what the person is to do.
        task (`str`): `"integrity"`, `"temporal"`, `"frequency"` or `"overall"`.
        scenario ([`Scenario`], *optional*): the prompt as data.
    """

    prompt: str
    task: str = "overall"
    scenario: Scenario | None = None


class Decoded(Sequence[Motion]):
    """Motions of codes, a piece of them in memory at a time.

    Args:
        pieces (`Sequence[Sequence[Sequence[int]]]`): codes of motions, in pieces that are decoded together.
        decode (`Callable`): codes of several motions to motions.
    """

    def __init__(
        self, pieces: Sequence[Sequence[Sequence[int]]], decode: Callable[[Sequence[Sequence[int]]], Sequence[Motion]]
    ) -> None:
        self._pieces, self._decode = pieces, decode
        self._places = [(piece, i) for piece, codes in enumerate(pieces) for i in range(len(codes))]
        self._here: tuple[int, Sequence[Motion]] = (-1, ())

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, i: Any) -> Any:
        if isinstance(i, slice):
            return [self[j] for j in range(*i.indices(len(self)))]
        piece, place = self._places[i]
        if self._here[0] != piece:
            self._here = (piece, self._decode(self._pieces[piece]))
        return self._here[1][place]


class Motions(Sequence[JudgeItem]):
    """Items that are put together when they are read, so that motions need not be in memory all at once.

    Args:
        asked (`Sequence[Asked]`): what each was made for.
        motions (`Sequence[Motion]`): the motions; any sequence.
        places (`Sequence[int]`): which of them.
        pictures (`bool`): whether they are for a judge of pictures, which has no use for events.
    """

    def __init__(
        self, asked: Sequence[Asked], motions: Sequence[Motion], places: Sequence[int], pictures: bool
    ) -> None:
        self._asked, self._motions, self._places, self._pictures = asked, motions, places, pictures

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, i: Any) -> Any:
        if isinstance(i, slice):
            return [self[j] for j in range(*i.indices(len(self)))]
        place = self._places[i]
        prompt, task, scenario = self._asked[place]
        if task != "overall" and scenario is not None:
            scenario = replace(scenario, task=task)
        elif self._pictures:
            scenario = None  # without one it is judged overall
        return JudgeItem(self._motions[place], prompt, scenario)


def by_task(
    asked: Sequence[Asked], motions: Sequence[Motion], pictures: bool
) -> Iterator[tuple[str | None, Sequence[int], Motions]]:
    """Items in as few groups as their tasks allow; scenarios tell their tasks themselves.

    Args:
        asked (`Sequence[Asked]`): what each was made for.
        motions (`Sequence[Motion]`): the motions.
        pictures (`bool`): whether the judge looks at pictures.

    Yields:
        `tuple[str | None, Sequence[int], Motions]`: task for the judge, None where items say it; places; items.
    """
    groups: dict[str | None, list[int]] = {}
    for i, (_, task, scenario) in enumerate(asked):
        tells = pictures if task == "overall" else scenario is not None
        groups.setdefault(None if tells else task, []).append(i)
    for task_of_judge, places in groups.items():
        yield task_of_judge, places, Motions(asked, motions, places, pictures)


def annotate(
    make: MakeJudge, asked: Sequence[Asked], motions: Sequence[Motion], *, pictures: bool = False
) -> list[Verdict]:
    """Judge motions, each by the task of what was asked for.

    Args:
        make (`Callable`): gives the judge of a task, or of None, where every item says its own.
        asked (`Sequence[Asked]`): what each was made for.
        motions (`Sequence[Motion]`): the motions; any sequence, read as it goes along.
        pictures (`bool`, *optional*, defaults to `False`): whether the judge looks at pictures.

    Returns:
        `list[Verdict]`: one for each motion, in order.

    Raises:
        ValueError: if there are more or fewer motions than were asked for.
        JudgeStopped: if the judge's run ended before all were asked for.
    """
    if len(asked) != len(motions):
        raise ValueError(f"Expected a motion for each of {len(asked)} prompts, got {len(motions)}.")
    found: dict[int, Verdict] = {}
    for task, places, items in by_task(asked, motions, pictures):
        judge = make(task)
        verdicts = judge.score(items)
        if cause := stop_of(judge, verdicts):
            raise JudgeStopped(cause)
        found.update(zip(places, verdicts, strict=True))
    return [found[i] for i in range(len(asked))]


def estimate_words(make: MakeJudge, asked: Sequence[Asked], motions: Sequence[Motion]) -> str:
    """What a vision judge will cost, in words.

    Args:
        make (`Callable`): as `annotate` takes it.
        asked (`Sequence[Asked]`): what each was made for.
        motions (`Sequence[Motion]`): the motions.

    Returns:
        `str`: requests, tokens and dollars; of several groups one after the other.
    """
    said = [make(task).estimate(items).explanation for task, _, items in by_task(asked, motions, pictures=True)]
    return "; and ".join(said) or "nothing is left to ask"


class OrStop:
    """A judge that raises where its run ended, instead of leaving motions unscored; for rewards in training.

    Args:
        make (`Callable`): gives the judge, at the first use: it may write into a folder that has to be empty before.
        name (`str`): which judge.
    """

    def __init__(self, make: Callable[[], Judge], name: str) -> None:
        self._make, self.name = make, name
        self._judge: Judge | None = None

    def score(self, items: Sequence[JudgeItem]) -> list[Verdict]:
        """Judge motions.

        Args:
            items (`Sequence[JudgeItem]`): motions with their prompts.

        Returns:
            `list[Verdict]`: one for each item, in order.

        Raises:
            JudgeStopped: if the judge's run ended before all were asked for.
        """
        self._judge = self._judge or self._make()
        verdicts = self._judge.score(items)
        if cause := stop_of(self._judge, verdicts):
            raise JudgeStopped(cause)
        return verdicts


def stop_of(judge: Any, verdicts: Sequence[Verdict]) -> str | None:
    """Why a judge's run ended before its work was done.

    Args:
        judge ([`Judge`]): whose run it was; a vision judge says so itself, as `stopped`.
        verdicts (`Sequence[Verdict]`): all of the run.

    Returns:
        `str` or `None`: a cause that is no fault of a motion: budget, account, key; or that no motion at all got an
            answer. None if the run was whole.
    """
    if stopped := getattr(judge, "stopped", None):
        return str(stopped)
    causes = [verdict.cause for verdict in verdicts if verdict.cause]
    if len(causes) == len(verdicts) >= _ALL and all(cause.startswith(_NO_ANSWER) for cause in causes):
        return f"not one of {len(verdicts)} motions got an answer; {causes[0]}"
    return None


def verdict_record(verdict: Verdict) -> dict[str, Any]:
    """A verdict as it stands in `verdicts/*.jsonl` of raw annotations, but for whose it is.

    Args:
        verdict ([`Verdict`]): with a score or a cause.

    Returns:
        `dict[str, Any]`: score, reason, cause, raw numbers, judge, version of the rules, and the raw reply where there
            is one.
    """
    judge, _, rules = verdict.judge.rpartition(", ")
    record = {
        "score": verdict.score,
        "reason": verdict.reason,
        "cause": verdict.cause,
        "raw": dict(verdict.raw),
        "judge": judge or verdict.judge,
        "rules_version": rules,
    }
    return record | ({"reply": verdict.reply} if verdict.reply else {})
