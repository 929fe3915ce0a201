"""How a body does each action: one function an action, which keys the channels of a stage."""

from collections.abc import Callable

from ..scenario import Event
from .arms import clap, punch, raise_arm, throw, wave
from .body import Body
from .jumps import hop, jump
from .legs import kick, squat
from .locomotion import step, turn, walk
from .postures import begin_low, bow, lie_down, sit_down, stand_up
from .running import run
from .stage import FPS, GRAVITY, Mark, Stage

PRIMITIVES: dict[str, Callable[[Stage, Event], None]] = {
    "walk": walk,
    "run": run,
    "step": step,
    "jump": jump,
    "hop": hop,
    "turn": turn,
    "kick": kick,
    "punch": punch,
    "wave": wave,
    "raise_arm": raise_arm,
    "clap": clap,
    "squat": squat,
    "bow": bow,
    "sit_down": sit_down,
    "stand_up": stand_up,
    "lie_down": lie_down,
    "throw": throw,
}

__all__ = ["FPS", "GRAVITY", "PRIMITIVES", "Body", "Mark", "Stage", "begin_low"]
