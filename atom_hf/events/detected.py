"""What a detector reports: one repetition of an action, when and how sure.

DetectedEvent("jump", 31, 44, direction="forward", confidence=0.9)
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class DetectedEvent:
    """One repetition of an action, seen in a motion.

    Args:
        action (`str`): a name of the table of actions.
        start (`int`): first frame, at the clip's frame rate.
        end (`int`): the frame after the last one.
        side (`str`, *optional*): `"left"`, `"right"` or `"both"`, where the action has a side.
        direction (`str`, *optional*): where to, where the action has a direction.
        confidence (`float`, *optional*, defaults to 1.0): from 0.5, just over the threshold, to 1, far over it; no
            probability.
        steps (`int`, *optional*, defaults to 1): steps of a walk or run.
    """

    action: str
    start: int
    end: int
    side: str | None = None
    direction: str | None = None
    confidence: float = 1.0
    steps: int = 1

    def overlap(self, start: int, end: int) -> float:
        """Share of this event's frames that lie in [start, end).

        Args:
            start (`int`): first frame.
            end (`int`): the frame after the last one.

        Returns:
            `float`: from 0 to 1.
        """
        return max(0, min(self.end, end) - max(self.start, start)) / max(1, self.end - self.start)
