"""What was asked for and what is seen in a motion, as bars below the viewer's time line.

event_track(motion, Scenario.parse("a person jumps twice"))
→ (ViewerEvent("jump × 2", 0.0, 4.1), ViewerEvent("jump", 0.9, 1.6, "seen"), ViewerEvent("jump", 2.3, 3.0, "seen"))
"""

from typing import TYPE_CHECKING

from ..events import Scenario, detect_events
from ..motion import Motion

if TYPE_CHECKING:
    from ..render.viewer import ViewerEvent


def event_track(motion: Motion, scenario: Scenario | None = None) -> "tuple[ViewerEvent, ...]":
    """Events of a viewer.

    Args:
        motion ([`Motion`]): the clip.
        scenario ([`Scenario`], *optional*): what was asked for. Prompts give an order and no times, so its events
            share the clip equally.

    Returns:
        `tuple[ViewerEvent]`: those asked for, in order, then those that the detector sees; none of the latter in a
            clip that it cannot look at, such as one of a single frame. None at all without Pillow, which viewers need.
    """
    try:
        from ..render.viewer import ViewerEvent
    except ImportError:
        return ()
    asked = [] if scenario is None else list(scenario.events)
    share = motion.duration / max(len(asked), 1)
    rows = [
        ViewerEvent(
            _words(event.action, event.direction, event.count), i * share, (i + 1) * share, "asked", event.side
        )
        for i, event in enumerate(asked)
    ]
    try:
        seen = detect_events(motion.joints, motion.fps)
    except ValueError:
        seen = []
    rows += [
        ViewerEvent(
            _words(event.action, event.direction, event.steps),
            event.start / motion.fps,
            event.end / motion.fps,
            "seen",
            event.side,
        )
        for event in seen
    ]
    return tuple(rows)


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
    """Such as "walk forward × 4"."""
    return " ".join(filter(None, (action, direction, f"× {count}" if count > 1 else "")))
