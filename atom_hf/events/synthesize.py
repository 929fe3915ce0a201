"""From a scenario to a motion that shows it, with the true segments: procedural, fast, different with every seed.

synthesis = synthesize(Scenario((Event("walk"), Event("jump", count=2))), seed=0)
synthesis.joints        # [T, 22, 3] metres at 20 fps
synthesis.segments      # (Segment(event=0, action="walk", start=6, end=68, …), …): one per repetition
"""

from typing import NamedTuple

import numpy as np

from .primitives import FPS, PRIMITIVES, Body, Stage, begin_low
from .scenario import Event, Scenario, check_scenario

MAX_FRAMES = 196  # what text-to-motion models are trained on, 9.8 seconds
MIN_FRAMES = 40
_FASTEST = 1.6  # beyond that an action is no longer done as a person does it
_LEAD = (0.2, 0.6)  # seconds before the first and after the last action

_ON_FOOT = ("walk", "run", "step")
_STOP = 0.85  # seconds of standing that tell two of them apart

SEATED_ACTIONS = ("punch", "wave", "raise_arm", "clap", "throw", "bow")  # nobody has to stand up for them

# Postures from which an action can be done; everything else is done standing.
_NOT_LYING = ("stand", "seat", "floor")
_POSTURES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys((*SEATED_ACTIONS, "lie_down"), _NOT_LYING),
    "stand_up": ("seat", "floor", "lie"),
}


class Segment(NamedTuple):
    """One repetition of an action in a clip.

    Args:
        event (`int`): index into the scenario's events; -1 for a change of posture that no event asked for but that
            had to happen, such as standing up between `sit_down` and `walk`.
        action (`str`): name of the action.
        start (`int`): first frame.
        end (`int`): frame after the last one.
        side (`str` or `None`): side of the body, where the action has one; as done, also where none was asked for.
        direction (`str` or `None`): direction, in the same way.
    """

    event: int
    action: str
    start: int
    end: int
    side: str | None
    direction: str | None


class Synthesis(NamedTuple):
    """A motion and what happens in it.

    Args:
        joints (`np.ndarray`): positions `[T, 22, 3]`, float32, metres, Y up, 20 fps; the person stands on y = 0 and
            faces +Z in the first frame.
        segments (`tuple[Segment, ...]`): one per repetition, in order of time.
    """

    joints: np.ndarray
    segments: tuple[Segment, ...]


def synthesize(scenario: Scenario, seed: int = 0, *, max_frames: int = MAX_FRAMES) -> Synthesis:
    """Make a motion that shows a scenario.

    Tempo, amplitude, habits and proportions of the body follow the seed; so do sides and directions that the scenario
    leaves open. Where everything does not fit, pauses are shortened and movements sped up, within reason.

    Args:
        scenario ([`Scenario`]): what is to happen.
        seed (`int`, *optional*, defaults to 0): the same seed gives the same motion.
        max_frames (`int`, *optional*, defaults to 196): longest clip, at 20 fps.

    Returns:
        [`Synthesis`]: joints and segments; at least 40 frames.

    Raises:
        TypeError: if the scenario is none.
        ValueError: if the scenario does not fit into `max_frames`, with the number of frames that it needs.
    """
    check_scenario(scenario)
    needed, pace, pause = 0, 1.0, 1.0
    for _ in range(6):
        stage = _play(scenario, seed, pace, pause)
        needed = int(np.ceil(stage.now * FPS))
        if needed <= max_frames:
            frames = min(max(needed, MIN_FRAMES), max_frames)
            return Synthesis(stage.joints(frames), _segments(stage, frames))
        if pause > 0.3:
            pause = 0.25
        elif pace >= _FASTEST:
            break
        else:
            pace = min(pace * max(1.04, 1.02 * needed / max_frames), _FASTEST)
    raise ValueError(
        f"The scenario does not fit: {len(scenario.events)} event(s) need {needed} frames even when done fast, "
        f"expected at most {max_frames}. Take events or repetitions away, or raise max_frames."
    )


def _play(scenario: Scenario, seed: int, pace: float, pause: float) -> Stage:
    """All events on a stage, one after the other."""
    rng = np.random.default_rng(seed)
    stage = Stage(Body.sample(rng), rng, pace, pause)
    if scenario.events[0].action == "stand_up":
        begin_low(stage)
        stage.restart()
    stage.wait(stage.between(*_LEAD))
    stage.now = max(stage.now, 0.15)
    for index, event in enumerate(scenario.events):
        if index:
            stage.wait(stage.between(0.1, 0.35))
            if event.action in _ON_FOOT and scenario.events[index - 1].action in _ON_FOOT:
                stage.now += _STOP
        if stage.posture not in _POSTURES.get(event.action, ("stand",)):
            between = "sit_down" if event.action == "stand_up" else "stand_up"
            _perform(stage, -1, Event(between))
        _perform(stage, index, event)
    stage.wait(stage.between(*_LEAD))
    stage.now += 0.2
    return stage


def _perform(stage: Stage, index: int, event: Event) -> None:
    stage.event, stage.action = index, event.action
    PRIMITIVES[event.action](stage, event)


def _segments(stage: Stage, frames: int) -> tuple[Segment, ...]:
    segments = []
    for mark in stage.marks:
        start = min(max(round(mark.start * FPS), 0), frames - 1)
        end = min(max(round(mark.end * FPS), start + 1), frames)
        segments.append(Segment(mark.event, mark.action, start, end, mark.side, mark.direction))
    return tuple(segments)
