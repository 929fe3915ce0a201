"""What was asked for and what is seen in a motion, as bars below the viewer's time line.

event_track(motion, Scenario.parse("a person jumps twice"))
→ (ViewerEvent("jump ×2", 0.0, 4.1), ViewerEvent("jump", 0.9, 1.6, "seen"), ViewerEvent("jump", 2.3, 3.0, "seen"))
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..events import ACTIONS, DetectedEvent, Event, Scenario, detect_events
from ..motion import Motion

if TYPE_CHECKING:
    from ..render.viewer import ViewerEvent


def event_track(motion: Motion, scenario: Scenario | None = None) -> "tuple[ViewerEvent, ...]":
    """Events of a viewer.

    Args:
        motion ([`Motion`]): the clip.
        scenario ([`Scenario`], *optional*): what was asked for.

    Returns:
        `tuple[ViewerEvent]`: those asked for, in order, then those that the detector sees; none of the latter in a
            clip that it cannot look at, such as one of a single frame. None at all without Pillow, which viewers need.
    """
    try:
        import atom_hf.render.viewer  # noqa: F401
    except ImportError:
        return ()
    try:
        seen = detect_events(motion.joints, motion.fps)
    except ValueError:
        seen = []
    return (*asked_events(scenario, motion.duration), *seen_events(seen, motion.fps))


def asked_events(scenario: Scenario | None, duration: float) -> "list[ViewerEvent]":
    """Bars of what was asked for.

    A sentence says an order and no times: its events share the clip in order, by how long each takes on average.

    Args:
        scenario ([`Scenario`], *optional*): none gives no bars.
        duration (`float`): of the clip, seconds.

    Returns:
        `list[ViewerEvent]`: in order, together as long as the clip.
    """
    from ..render.viewer import ViewerEvent

    if scenario is None:
        return []
    weights = [ACTIONS[event.action].seconds * event.count for event in scenario.events]
    share = duration / sum(weights)
    bars, start = [], 0.0
    for event, weight in zip(scenario.events, weights, strict=True):
        end = min(duration, start + weight * share)
        bars.append(ViewerEvent(event_name(event), start, end, "asked", event.side))
        start = end
    return bars


def seen_events(events: Iterable[DetectedEvent], fps: float) -> "list[ViewerEvent]":
    """Bars of what the detector saw.

    Args:
        events (`Iterable[DetectedEvent]`): of a clip.
        fps (`float`): its frame rate.

    Returns:
        `list[ViewerEvent]`: one for each of them, with the number of steps of a walk.
    """
    from ..render.viewer import ViewerEvent

    return [
        ViewerEvent(
            _words(event.action, event.direction, event.steps), event.start / fps, event.end / fps, "seen", event.side
        )
        for event in events
    ]


def event_name(event: Event) -> str:
    """An event in words.

    Args:
        event ([`Event`]): of a scenario.

    Returns:
        `str`: such as `"jump forward ×2"`; the side stands apart.
    """
    return _words(event.action, event.direction, event.count)


def scenario_of(text: str | None) -> Scenario | None:
    """What a caption asks for, where it is one that the grammar reads.

    Args:
        text (`str`, *optional*): the caption.

    Returns:
        [`Scenario`] or `None`: its events.
    """
    try:
        return None if not text else Scenario.parse(text)
    except ValueError:
        return None


def _words(action: str, direction: str | None, count: int) -> str:
    times = f"×{count}" if count > 1 else ""
    return " ".join(part for part in (action.replace("_", " "), direction, times) if part)
