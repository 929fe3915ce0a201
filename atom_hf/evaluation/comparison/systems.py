"""What is compared: systems with their motions, what they were asked for, and what of their output is no motion.

System("hot", clips, made_with={"model": "default", "temperature": 1.2})
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from ...events import Scenario, synthesize
from ...motion import Motion
from ...motion.layout import FPS
from ..fingerprint import fingerprint_arrays
from .cases import Case, check_cases, named
from .faults import fault_of


class SystemClip(NamedTuple):
    """One motion of a system. Judges take it as it is.

    Args:
        case ([`Case`]): what was asked for.
        motion ([`Motion`]): what came, joints `[T, 22, 3]` in metres at 20 fps.
        sample (`int`, *optional*, defaults to 0): number of the motion among those for the same case.
    """

    case: Case
    motion: Motion
    sample: int = 0

    @property
    def prompt(self) -> str:
        """The case's prompt."""
        return self.case.prompt

    @property
    def scenario(self) -> Scenario | None:
        """The case's scenario."""
        return self.case.scenario


class LeftOut(NamedTuple):
    """Output that is no motion: it counts in the share of valid ones, and in no other mean.

    Args:
        id (`str`): name of the clip.
        cause (`str`): the kind of fault, such as `"cannot be read"`.
        reason (`str`): the fault itself.
        prompt (`str`, *optional*): what was asked for, where it is known: outputs for the same prompt resemble each
            other, and the interval of the valid share has to know.
    """

    id: str
    cause: str
    reason: str
    prompt: str = ""


@dataclass(frozen=True)
class System:
    """A system with its motions.

    Args:
        name (`str`): for tables.
        clips (`Sequence[SystemClip]`): its motions.
        left_out (`Sequence[LeftOut]`, *optional*): the rest of its output.
        made_with (`Mapping[str, Any]`, *optional*): what they come from, for the record; values that JSON knows.
        notes (`Sequence[str]`, *optional*): what readers of its numbers have to know.
        generate (`Callable[[int], Sequence[Motion | None]]`, *optional*): from a seed, one new motion for each case
            of `firsts`, where the system can make them anew; None, or a motion without codes, for no answer.

    Raises:
        ValueError: if it has no name or no motions, a clip is there twice, a caption is empty, a rate is not 20 fps,
            or coordinates are beyond 1 km.
    """

    name: str
    clips: Sequence[SystemClip]
    left_out: Sequence[LeftOut] = ()
    made_with: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()
    generate: Callable[[int], Sequence[Motion | None]] | None = None

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("Expected a name for each system, got an empty one.")
        if not self.clips:
            reasons = f" The first fault: {self.left_out[0].reason}" if self.left_out else ""
            raise ValueError(f"{self.name}: none of {len(self.left_out)} outputs is a motion.{reasons}")
        check_cases((clip.case for clip in self.firsts), self.name)
        twice = [c for c, n in Counter((clip.case.id, clip.sample) for clip in self.clips).items() if n > 1]
        if twice:
            raise ValueError(f"{self.name}: sample {twice[0][1]} of {twice[0][0]!r} is there twice.")
        rates = sorted({clip.motion.fps for clip in self.clips} - {FPS})
        if rates:
            raise ValueError(f"{self.name}: expected motions at {FPS:g} fps, got {rates[0]:g}; resample them first.")
        for clip in self.clips:
            fault = fault_of(clip.motion)
            if fault is not None and "plausible" in fault.cause:
                raise ValueError(f"{self.name}: {clip.case.id!r} has {fault.reason} Hand it in as LeftOut.")

    @cached_property
    def firsts(self) -> list[SystemClip]:
        """One motion a case, in order: the first of its samples."""
        found: dict[str, SystemClip] = {}
        for clip in self.clips:
            if clip.case.id not in found or clip.sample < found[clip.case.id].sample:
                found[clip.case.id] = clip
        return list(found.values())

    @cached_property
    def samples(self) -> int:
        """Most motions of one case."""
        return max(Counter(clip.case.id for clip in self.clips).values())

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of motions, ids and prompts."""
        texts = [f"{clip.case.id} {clip.sample} {clip.prompt}" for clip in self.clips]
        return fingerprint_arrays([*(clip.motion.joints for clip in self.clips), *texts])


def synthesised_system(cases: Sequence[Case], name: str = "real", seed: int = 0) -> System:
    """Motions that are known to show what was asked for: synthesised from the scenarios.

    In the world of the embedded model they take the place of real motion, which it has never seen.

    Args:
        cases (`Sequence[Case]`): what is asked for.
        name (`str`, *optional*, defaults to `"real"`): of the system.
        seed (`int`, *optional*, defaults to 0): of tempo, habits and bodies.

    Returns:
        [`System`]: a motion for each case.

    Raises:
        ValueError: if a case has no scenario; they are named.
    """
    unknown = [f"{case.prompt[:60]!r}" for case in cases if case.scenario is None]
    if unknown:
        raise ValueError(
            f"{len(unknown)} of {len(cases)} prompts are not in the words of the grammar, so no motion can be "
            f"synthesised for them: {named(unknown, 3)}. Give a folder of real motion instead, or no real motion."
        )
    clips = []
    for i, case in enumerate(cases):
        assert case.scenario is not None
        motion = Motion(synthesize(case.scenario, seed * len(cases) + i).joints, FPS, text=case.prompt)
        clips.append(SystemClip(case, motion))
    made_with = {"kind": "synthesised", "what": "motions synthesised from the prompts' scenarios", "seed": seed}
    return System(name, clips, made_with=made_with)


def sampled_system(
    name: str,
    model: Any,
    cases: Sequence[Case],
    *,
    samples: int = 1,
    seed: int = 0,
    made_with: Mapping[str, Any] | None = None,
    **sampling: Any,
) -> System:
    """Motions that a text-to-motion model makes for prompts.

    Args:
        name (`str`): of the system.
        model (`Any`): with `generate_motion(prompts, num_return_sequences, seed=…)`, as [`MotionGPTForPreference`].
        cases (`Sequence[Case]`): what is asked for.
        samples (`int`, *optional*, defaults to 1): motions for each case.
        seed (`int`, *optional*, defaults to 0): of sampling.
        made_with (`Mapping[str, Any]`, *optional*): for the record.
        sampling (`Any`): further arguments of `generate_motion`, such as `temperature`.

    Returns:
        [`System`]: its motions; output without codes, and what no measure can take, is left out.
    """
    prompts = [case.prompt for case in cases]
    motions = model.generate_motion(prompts, num_return_sequences=samples, seed=seed, **sampling)
    clips, left_out = [], []
    for place, motion in enumerate(motions):
        case, sample = cases[place // samples], place % samples
        fault = fault_of(motion)
        if fault is not None:
            left_out.append(LeftOut(f"{case.id} sample {sample}", *fault, case.prompt))
        else:
            clips.append(SystemClip(case, motion, sample))
    answered = {clip.case.id for clip in clips}
    asked = [case.prompt for case in cases if case.id in answered]

    def generate(another: int) -> Sequence[Motion | None]:
        return list(model.generate_motion(asked, seed=another, **sampling))

    record = {"kind": "model", **(made_with or {}), "samples": samples, "seed": seed}
    return System(name, clips, left_out, record, generate=generate)
