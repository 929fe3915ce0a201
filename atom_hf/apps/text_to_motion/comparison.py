"""Two models side by side: which is A and which is B is drawn on the server for every take, and told after a vote.

comparison = Comparison.of(generation)            sides are drawn
comparison.clips(1)                               the second take: clips labelled A and B, or one
comparison.told(1).label("A", 1)                  "A · aligned"; the other takes are as blind as before
"""

import secrets
from dataclasses import dataclass, replace

from ...evaluation.event_track import asked_events, seen_events
from ...render.viewer import ViewerClip
from .studio import Generation, Take
from .systems import Recipe

SIDES = ("A", "B")
_RANDOM = secrets.SystemRandom()


@dataclass(frozen=True, eq=False)
class Comparison:
    """A generation as one visitor sees it.

    Args:
        generation ([`Generation`]): what was made.
        orders (`tuple[tuple[int, ...], ...]`): for each take, which system stands on which side.
        open (`frozenset[int]`, *optional*): takes whose names are shown.
    """

    generation: Generation
    orders: tuple[tuple[int, ...], ...]
    open: frozenset[int] = frozenset()

    @classmethod
    def of(cls, generation: Generation) -> "Comparison":
        """Draw sides.

        Args:
            generation ([`Generation`]): of one system or two.

        Returns:
            [`Comparison`]: blind where there are two.
        """
        systems = range(len(generation.systems))
        takes = range(generation.request.samples)
        orders = tuple(tuple(_RANDOM.sample(systems, len(systems))) for _ in takes)
        return cls(generation, orders, frozenset(takes) if len(systems) == 1 else frozenset())

    @property
    def sides(self) -> tuple[str, ...]:
        """`("A", "B")`, or `("A",)` with one model."""
        return SIDES[: len(self.generation.systems)]

    def told(self, number: int) -> "Comparison":
        """The same, with the names of a take.

        Args:
            number (`int`): of the take, from 0.
        """
        return replace(self, open=self.open | {number})

    def system(self, side: str, number: int) -> Recipe:
        """The model that made a motion.

        Args:
            side (`str`): of `sides`.
            number (`int`): of the take, from 0.
        """
        return self.generation.systems[self._system(side, number)]

    def take(self, side: str, number: int) -> Take:
        """A motion.

        Args:
            side (`str`): of `sides`.
            number (`int`): of the take, from 0.
        """
        return self.generation.takes[self._system(side, number)][number]

    def label(self, side: str, number: int) -> str:
        """What stands above a motion.

        Args:
            side (`str`): of `sides`.
            number (`int`): of the take, from 0.

        Returns:
            `str`: `"A"`, with names `"A · aligned"`; nothing where there is one model.
        """
        if len(self.sides) == 1:
            return ""
        return f"{side} · {self.system(side, number).role}" if number in self.open else side

    def clips(self, number: int) -> list[ViewerClip]:
        """What the viewer shows of a take.

        Args:
            number (`int`): from 0.

        Returns:
            `list[ViewerClip]`: with what was asked for and what was seen.
        """
        clips = []
        for side in self.sides:
            take = self.take(side, number)
            events = [
                *asked_events(self.generation.scenario, take.motion.duration),
                *seen_events(take.events, take.motion.fps),
            ]
            clips.append(ViewerClip(take.motion, self.label(side, number), tuple(events)))
        return clips

    def _system(self, side: str, number: int) -> int:
        return self.orders[number][self.sides.index(side)]
