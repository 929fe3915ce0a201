"""What a viewer shows: one clip or some, each with what was asked for and what was seen in it.

ViewerClip(motion, "aligned", (ViewerEvent("jump", 1.2, 2.0), ViewerEvent("jump", 1.3, 1.9, row="seen")))
"""

import math
from dataclasses import dataclass
from typing import Any

from ...motion import Motion
from ..scene import check_motion

ROWS = ("asked", "seen")


@dataclass(frozen=True)
class ViewerEvent:
    """Something that happens in a clip, as a bar below the time line and a line of text.

    Args:
        name (`str`): what happens, such as "jump".
        start (`float`): when it begins, seconds.
        end (`float`): when it is over, seconds.
        row (`str`, *optional*, defaults to `"asked"`): "asked" (it stands in the prompt) or "seen" (a detector found
            it).
        side (`str`, *optional*): side of the body, as text.

    Raises:
        TypeError: if the name is no text.
        ValueError: if a time is not finite or negative, the end lies before the start, or the row is unknown.
    """

    name: str
    start: float
    end: float
    row: str = "asked"
    side: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not (self.side is None or isinstance(self.side, str)):
            raise TypeError(f"Name and side of an event are text, got {self.name!r} and {self.side!r}.")
        if not (math.isfinite(self.start) and math.isfinite(self.end) and 0 <= self.start <= self.end):
            raise ValueError(
                f"Expected 0 <= start <= end in seconds for event {self.name!r}, got {self.start} and {self.end}."
            )
        if self.row not in ROWS:
            raise ValueError(f"Expected a row from {', '.join(ROWS)} for event {self.name!r}, got {self.row!r}.")

    def record(self) -> dict[str, Any]:
        """The event as the browser reads it.

        Returns:
            `dict`: what JSON can hold.
        """
        start, end = round(float(self.start), 4), round(float(self.end), 4)
        return {"name": self.name, "start": start, "end": end, "row": self.row, "side": self.side}


@dataclass(frozen=True, eq=False)
class ViewerClip:
    """A motion in a viewer.

    Args:
        motion ([`Motion`]): what to show, of any length and frame rate.
        label (`str`, *optional*, defaults to `""`): written above it.
        events (`tuple[ViewerEvent]`, *optional*): what was asked for and what was seen.
        mesh (`bytes`, *optional*): a binary glTF file (GLB) with a skinned body and one animation that begins with the
            motion, in the motion's own metres and without a floor; it is drawn instead of capsules. What
            [`~render.glb.glb_bytes`] gives with `floor=False` is one.

    Raises:
        TypeError: if something is of another kind.
        ValueError: if the mesh is no GLB.
    """

    motion: Motion
    label: str = ""
    events: tuple[ViewerEvent, ...] = ()
    mesh: bytes | None = None

    def __post_init__(self) -> None:
        check_motion(self.motion)
        if not isinstance(self.label, str):
            raise TypeError(f"The label of a clip is text, got {self.label!r}.")
        object.__setattr__(self, "events", tuple(self.events))
        for event in self.events:
            if not isinstance(event, ViewerEvent):
                raise TypeError(
                    f"Expected ViewerEvent(name, start, end) among the events, got {type(event).__name__}."
                )
        if self.mesh is not None and not isinstance(self.mesh, bytes):
            raise TypeError(f"Expected a GLB file as bytes, got {type(self.mesh).__name__}.")
        if self.mesh is not None and self.mesh[:4] != b"glTF":
            raise ValueError(f"Expected a GLB file, which begins with b'glTF', got {self.mesh[:4]!r}.")
