"""Motions from recorded clips: the same interface as `synthesize`, fed by motion capture.

bank = ClipBank([BankClip(joints, "walk", direction="forward"), BankClip(jumps, "jump", repetitions=((4, 30),))])
bank.synthesize(Scenario((Event("walk"), Event("jump", count=2))), seed=0)
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ..motion import Motion, mirror_joints, to_floor, to_uniform_skeleton
from .actions import ACTIONS
from .clip_blend import aligned, bridge
from .scenario import Event, Scenario, check_scenario
from .synthesize import MAX_FRAMES, SEATED_ACTIONS, Segment, Synthesis, synthesize

_BLEND = 8  # frames between two clips
_FASTEST = 1.6
_SHORTEST_BOUT = 30  # frames
_MIRRORED = {"left": "right", "right": "left"}
_LOW = ("sit_down", "lie_down")
_BOUTS = ("walk", "run")  # a part of them is still the action


class BankClip(NamedTuple):
    """A recorded clip that shows one action.

    Args:
        joints (`np.ndarray`): positions `[T, 22, 3]`, metres, Y up, 20 fps; any body, place and heading.
        action (`str`): a name of the table of actions.
        side (`str`, *optional*): side of the body, where the action has one.
        direction (`str`, *optional*): direction, where the action has one.
        repetitions (`tuple[tuple[int, int], ...]`, *optional*): frames `[start, end)` of each repetition, in order; by
            default the whole clip is one.
    """

    joints: np.ndarray
    action: str
    side: str | None = None
    direction: str | None = None
    repetitions: tuple[tuple[int, int], ...] = ()


class _Piece(NamedTuple):
    """Frames that are going to be part of a motion, with the repetitions in them."""

    joints: np.ndarray
    segments: tuple[Segment, ...]
    is_bout: bool


class ClipBank:
    """Clips by action, from which scenarios are put together.

    Clips are brought to HumanML3D's skeleton, cut, turned to where the motion has come to, and joined by a few frames
    in which bone directions pass over smoothly and feet step; a clip of one side also serves the other, mirrored.

    Args:
        clips (`Iterable[BankClip]`): the clips; plain tuples in the order of [`BankClip`] are taken too.
        fill (`bool`, *optional*, defaults to `False`): take the procedural primitives for what no clip shows.

    Raises:
        ValueError: if there is no clip and nothing to fill with, or a clip does not fit the table of actions.
    """

    def __init__(self, clips: Iterable[BankClip], *, fill: bool = False) -> None:
        self.fill = fill
        self._clips: list[BankClip] = []
        for index, given in enumerate(clips):
            clip = BankClip(*given)
            try:
                Event(clip.action, 1, clip.side, clip.direction)
                joints = to_floor(to_uniform_skeleton(np.asarray(clip.joints, dtype=np.float64)))
                if joints.ndim != 3 or len(joints) < 2:
                    raise ValueError(f"expected joints [T, 22, 3] of at least 2 frames, got {list(joints.shape)}.")
                repetitions = clip.repetitions or ((0, len(joints)),)
                for start, end in repetitions:
                    if not 0 <= start < end <= len(joints):
                        raise ValueError(
                            f"expected repetitions with 0 <= start < end <= {len(joints)}, got ({start}, {end})."
                        )
            except (TypeError, ValueError) as error:
                raise type(error)(f"Clip {index} of the bank ({clip.action}): {error}") from None
            self._clips.append(clip._replace(joints=joints, repetitions=tuple(repetitions)))
        if not self._clips and not fill:
            raise ValueError("A bank needs at least one clip, got none; fill=True takes procedural motion instead.")

    @property
    def actions(self) -> tuple[str, ...]:
        """Actions of which there are clips, in the order of the table."""
        there = {clip.action for clip in self._clips}
        return tuple(action for action in ACTIONS if action in there)

    def can(self, event: Event) -> bool:
        """Whether there are clips for an event, mirrored ones included.

        Args:
            event ([`Event`]): action, side and direction; its count does not matter.

        Returns:
            `bool`: True if a clip shows it.
        """
        return bool(self._choices(event))

    def synthesize(self, scenario: Scenario, seed: int = 0, *, max_frames: int = MAX_FRAMES) -> Synthesis:
        """Make a motion that shows a scenario.

        Args:
            scenario ([`Scenario`]): what is to happen.
            seed (`int`, *optional*, defaults to 0): picks clips, their parts, and sides that are left open.
            max_frames (`int`, *optional*, defaults to 196): longest motion, at 20 fps.

        Returns:
            [`Synthesis`]: joints with HumanML3D's bone lengths, and the segments.

        Raises:
            TypeError: if the scenario is none.
            ValueError: if the bank has no clip of an event, or of standing up where that has to come between (and does
                not fill), or the scenario does not fit into `max_frames`.
        """
        check_scenario(scenario)
        rng = np.random.default_rng(seed)
        pieces: list[_Piece] = []
        made_up: list[tuple[int, Event]] = []  # neighbours without clips, which the primitives do in one go
        for index, event in self._plan(scenario):
            choices = self._choices(event)
            if not choices and not self.fill:
                raise ValueError(
                    f"The bank has no clip of {_words(event)}; it has "
                    f"{', '.join(sorted(map(_words, self._events())))}. Add one, or make the bank with fill=True."
                )
            if not choices:
                made_up.append((index, event))
                continue
            if made_up:
                pieces.append(_procedural(made_up, int(rng.integers(2**31))))
                made_up = []
            pieces.append(self._cut(choices[rng.integers(len(choices))], index, event, rng))
        if made_up:
            pieces.append(_procedural(made_up, int(rng.integers(2**31))))
        return _join(_fit(pieces, max_frames, rng), max_frames)

    def _plan(self, scenario: Scenario) -> list[tuple[int, Event]]:
        """Events with their index, and the changes of posture (-1) without which a clip would not follow another."""
        plan: list[tuple[int, Event]] = []
        low = before = False  # is the body low, and did the primitives make the event before?
        for index, event in enumerate(scenario.events):
            made_up = self.fill and not self.can(event)
            if plan and not (before and made_up):  # the primitives mind postures themselves
                if low and event.action not in ("stand_up", "lie_down"):
                    plan.append((-1, Event("stand_up")))
                    low = False
                elif not low and event.action == "stand_up":
                    plan.append((-1, Event("sit_down")))
            plan.append((index, event))
            low = event.action in _LOW or (low and made_up and event.action in SEATED_ACTIONS)
            before = made_up
        return plan

    def _events(self) -> set[Event]:
        return {Event(clip.action, 1, clip.side, clip.direction) for clip in self._clips}

    def _choices(self, event: Event) -> list[tuple[BankClip, bool]]:
        """Clips that show an event, and whether they have to be mirrored."""
        choices = []
        for clip in self._clips:
            if clip.action != event.action:
                continue
            for mirrored in (False, True):
                side, direction = (_mirror(x) if mirrored else x for x in (clip.side, clip.direction))
                fits = event.side in (None, side) and event.direction in (None, direction)
                if fits and (not mirrored or (side, direction) != (clip.side, clip.direction)):
                    choices.append((clip, mirrored))
        return choices

    def _cut(self, choice: tuple[BankClip, bool], index: int, event: Event, rng: np.random.Generator) -> _Piece:
        """As many repetitions as an event asks for; a clip with fewer is played again."""
        clip, mirrored = choice
        joints = np.asarray(mirror_joints(clip.joints)) if mirrored else clip.joints
        side, direction = (_mirror(x) if mirrored else x for x in (clip.side, clip.direction))
        parts: list[np.ndarray] = []
        segments: list[Segment] = []
        frames = 0
        missing = event.count
        while missing:
            count = min(missing, len(clip.repetitions))
            first = int(rng.integers(len(clip.repetitions) - count + 1))
            chosen = clip.repetitions[first : first + count]
            part = joints[chosen[0][0] : chosen[-1][1]]
            if parts:
                gap, part = bridge(parts[-1], part, _BLEND)
                parts.append(gap)
                frames += len(gap)
            shift = frames - chosen[0][0]
            segments += [
                Segment(index, event.action, start + shift, end + shift, side, direction) for start, end in chosen
            ]
            parts.append(part)
            frames += len(part)
            missing -= count
        return _Piece(np.concatenate(parts), tuple(segments), event.action in _BOUTS)


def _mirror(side: str | None) -> str | None:
    return None if side is None else _MIRRORED.get(side, side)


def _words(event: Event) -> str:
    return " ".join(word for word in (event.action, event.side, event.direction) if word)


def _procedural(events: list[tuple[int, Event]], seed: int) -> _Piece:
    """A piece made by the primitives, from the first to the last frame of its repetitions."""
    made = synthesize(Scenario(tuple(event for _, event in events)), seed, max_frames=50 * MAX_FRAMES)
    joints = np.asarray(to_floor(to_uniform_skeleton(made.joints.astype(np.float64))))
    start, end = made.segments[0].start, min(made.segments[-1].end + 4, len(joints))
    indices = [index for index, _ in events]
    segments = tuple(
        s._replace(event=-1 if s.event < 0 else indices[s.event], start=s.start - start, end=s.end - start)
        for s in made.segments
    )
    return _Piece(joints[start:end], segments, False)


def _fit(pieces: list[_Piece], max_frames: int, rng: np.random.Generator) -> list[_Piece]:
    """Shorten pieces until they fit: first bouts are cut, the longest first, then everything is sped up."""
    room = max_frames - _BLEND * (len(pieces) - 1)
    needed = sum(len(piece.joints) for piece in pieces)
    for i in sorted(range(len(pieces)), key=lambda i: -len(pieces[i].joints)):
        piece = pieces[i]
        if piece.is_bout and needed > room:
            frames = len(piece.joints)
            keep = min(max(_SHORTEST_BOUT, frames - (needed - room)), frames)
            start = int(rng.integers(frames - keep + 1))
            needed -= frames - keep
            segments = tuple(s._replace(start=0, end=keep) for s in piece.segments)
            pieces[i] = piece._replace(joints=piece.joints[start : start + keep], segments=segments)
    if needed <= room:
        return pieces
    factor = 1.02 * needed / max(room, 1)
    if factor > _FASTEST:
        raise ValueError(
            f"The scenario does not fit: its clips have {needed + max_frames - room} frames, expected at most "
            f"{max_frames} (or up to {_FASTEST} times as many, sped up). Take events or repetitions away, or raise "
            "max_frames."
        )
    return [_faster(piece, factor) for piece in pieces]


def _faster(piece: _Piece, factor: float) -> _Piece:
    joints = np.asarray(Motion(piece.joints, fps=20.0 * factor).resample(20.0).joints)
    frames = len(joints)
    segments = []
    for segment in piece.segments:
        start = min(int(segment.start / factor), frames - 1)
        end = min(max(round(segment.end / factor), start + 1), frames)
        segments.append(segment._replace(start=start, end=end))
    return piece._replace(joints=joints, segments=tuple(segments))


def _join(pieces: list[_Piece], max_frames: int) -> Synthesis:
    """Pieces one after the other, starting at the origin facing +Z."""
    parts = [aligned(pieces[0].joints)]
    segments = list(pieces[0].segments)
    for piece in pieces[1:]:
        gap, part = bridge(parts[-1], piece.joints, _BLEND)
        shift = sum(map(len, parts)) + len(gap)
        segments += [s._replace(start=s.start + shift, end=s.end + shift) for s in piece.segments]
        parts += [gap, part]
    joints = np.concatenate(parts)
    assert len(joints) <= max_frames
    return Synthesis(joints.astype(np.float32), tuple(segments))
