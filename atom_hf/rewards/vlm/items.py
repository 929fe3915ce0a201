"""What is to be judged, made into questions one by one and not before their turn.

with Items(items, settings, rules, task, layout, votes) as source:
    questions = await source.prepare(0)     # one a vote; for a pair two a vote, in both orders
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

from ...motion import Motion
from ..judge import JudgeItem
from .pictures import PictureLayout, draw
from .questions import Question, Settings, pair_question, point_question
from .rules import Rules


def task_of(item: JudgeItem, task: str | None) -> str:
    """By which task's rules an item is judged.

    Args:
        item ([`JudgeItem`]): what is judged.
        task (`str`, *optional*): of the judge.

    Returns:
        `str`: that of the judge; without it that of the item's scenario; without that `"overall"`.
    """
    return task or (item.scenario.task if item.scenario is not None else "overall")


def check_items(items: Any, pairs: bool | None) -> None:
    """See that what is to be judged is a sequence of the right things, as far as that is known without reading it.

    Args:
        items (`Any`): from a user.
        pairs (`bool`, *optional*): whether pairs are expected; either will do for None.

    Raises:
        TypeError: if it is no sequence, or a list that has something of the other kind.
    """
    expected = "pairs of JudgeItems, as compare([(first, second)])" if pairs else "JudgeItems, as score([item])"
    lists = hasattr(items, "__len__") and hasattr(items, "__getitem__")
    if not lists or isinstance(items, str | bytes | Mapping):
        raise TypeError(f"Expected a sequence of {expected}, got {type(items).__name__}.")
    for i, item in enumerate(items if isinstance(items, list | tuple) else ()):
        if pairs is True and isinstance(item, JudgeItem):
            raise TypeError(f"Expected a sequence of {expected}, got a single JudgeItem at {i}.")
        if pairs is False and isinstance(item, list | tuple) and any(isinstance(each, JudgeItem) for each in item):
            raise TypeError(f"Expected a sequence of {expected}, got a {type(item).__name__} at {i}.")


class Items:
    """Motions, or pairs of them, from any sequence; they are read and drawn in a thread of their own, one at a time.

    Args:
        items (`Sequence`): of [`JudgeItem`], or of pairs of them.
        settings ([`Settings`]): model and parameters.
        rules (`Mapping[str, Rules]`): of the tasks.
        task (`str`, *optional*): of the judge.
        layout ([`PictureLayout`]): of the pictures.
        votes (`int`): how often each is asked for.
        pairs (`bool`, *optional*): whether pairs are expected; either will do without it.
    """

    def __init__(
        self,
        items: Sequence[Any],
        settings: Settings,
        rules: Mapping[str, Rules],
        task: str | None,
        layout: PictureLayout,
        votes: int,
        pairs: bool | None = None,
    ) -> None:
        self.items, self.settings, self.rules, self.task = items, settings, rules, task
        self.layout, self.votes, self.pairs = layout, votes, pairs
        self._thread: ThreadPoolExecutor | None = None

    def __len__(self) -> int:
        return len(self.items)

    def __enter__(self) -> "Items":
        self._thread = ThreadPoolExecutor(1, "atom_hf-draw")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def prepare(self, i: int) -> list[Question]:
        """The questions of an item, drawn while the loop does other things.

        Args:
            i (`int`): which one.

        Returns:
            `list[Question]`: one a vote, or two a vote of a pair.

        Raises:
            Exception: whatever reading or drawing the item raises.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self.questions, i)

    def questions(self, i: int) -> list[Question]:
        """The questions of an item.

        Args:
            i (`int`): which one.

        Returns:
            `list[Question]`: one a vote, or two a vote of a pair.

        Raises:
            TypeError: if it is neither a [`JudgeItem`] nor a pair of them.
            ValueError: if a motion cannot be drawn, or the prompts of a pair differ.
        """
        first, second = self._pair(i)
        digest = self._digest(first, second)
        rules = self.rules[task_of(first, self.task)]
        drawn = draw(first.motion, self.layout)
        if second is None:
            return [
                point_question(self.settings, rules, first.prompt, drawn, vote=vote, item=digest)
                for vote in range(self.votes)
            ]
        other = draw(second.motion, self.layout)
        return [
            pair_question(self.settings, rules, first.prompt, *order, vote=vote, item=digest)
            for vote in range(self.votes)
            for order in ((drawn, other), (other, drawn))
        ]

    def digest(self, i: int) -> str:
        """What tells an item from others without drawing it.

        Args:
            i (`int`): which one.

        Returns:
            `str`: digest of motion, prompt, task, rules and settings.
        """
        return self._digest(*self._pair(i))

    def _pair(self, i: int) -> tuple[JudgeItem, JudgeItem | None]:
        item = self.items[i]
        single = isinstance(item, JudgeItem)
        pair = isinstance(item, Sequence) and len(item) == 2 and all(isinstance(each, JudgeItem) for each in item)
        if not ((single and not self.pairs) or (pair and self.pairs is not False)):
            expected = {None: "a JudgeItem, or a pair of them", True: "a pair of JudgeItems", False: "a JudgeItem"}
            raise TypeError(f"Expected {expected[self.pairs]}, got {type(item).__name__}.")
        for each in (item,) if single else item:
            if not isinstance(each.motion, Motion):
                kind = type(each.motion).__name__
                raise TypeError(f"Expected a Motion in a JudgeItem, got {kind}; make one: Motion(joints, fps=20).")
            if not isinstance(each.prompt, str):
                raise TypeError(f"Expected text as the prompt of a JudgeItem, got {type(each.prompt).__name__}.")
        if single:
            return item, None
        first, second = item
        if first.prompt != second.prompt:
            raise ValueError(f"Expected two motions for one prompt, got {first.prompt!r} and {second.prompt!r}.")
        return first, second

    def _digest(self, first: JudgeItem, second: JudgeItem | None) -> str:
        rules = self.rules[task_of(first, self.task)]
        settings = self.settings
        known = (rules.task, rules.version, first.prompt, settings.model, settings.layout, settings.to_json())
        digest = hashlib.sha256(repr(known).encode("utf-8", "surrogatepass"))
        for item in filter(None, (first, second)):
            joints = item.motion.joints
            digest.update(f"{item.motion.fps} {joints.shape} {joints.dtype}".encode())
            digest.update(joints.tobytes())
        return digest.hexdigest()
