"""The page's endpoints for programs: `/generate` gives motions as numbers, `/export` one of them as a file.

client = gradio_client.Client("me/text-to-motion")
client.predict("a person jumps twice", samples=2, api_name="/generate")["takes"][0]["score"]
client.predict("a person jumps twice", format="bvh", sample=1, api_name="/export")      the second of them, as a file
"""

import secrets
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

import gradio as gr
import numpy as np

from ...motion import JOINT_NAMES
from .downloads import Downloads, read_format
from .request import HIGHEST_SEED, LONGEST_SECONDS, Request, RequestError
from .settings import PageSettings
from .studio import Studio, Take
from .systems import LoadError, Recipe

_Result = TypeVar("_Result")
_MOST_DECIMALS = 4  # of joints: 0.1 mm
_RECENT: deque[Downloads] = deque(maxlen=16)  # gradio copies a file after it was returned; older folders are removed


def new_seed() -> int:
    """A seed that nobody chose.

    Returns:
        `int`: below 2³².
    """
    return secrets.randbelow(HIGHEST_SEED + 1)


def add(studio: Studio, settings: PageSettings) -> None:
    """Add the endpoints to the page that is being built.

    Args:
        studio ([`Studio`]): makes the motions.
        settings ([`PageSettings`]): caps.
    """

    def generate(
        prompt: str,
        samples: int = 1,
        seed: int | None = None,
        temperature: float = 0.7,
        seconds: float = LONGEST_SECONDS,
        joints: bool = True,
    ) -> dict:
        return _or_error(lambda: generated(studio, settings, prompt, samples, seed, temperature, seconds, joints))

    def export(
        prompt: str,
        format: str = "bvh",
        sample: int = 0,
        system: str = "",
        seed: int = 0,
        temperature: float = 0.7,
        seconds: float = LONGEST_SECONDS,
        lock_feet: bool = False,
    ) -> gr.FileData:
        return _or_error(
            lambda: exported(studio, settings, prompt, format, sample, system, seed, temperature, seconds, lock_feet)
        )

    options: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "models"}
    gr.api(generate, api_name="generate", api_description=_GENERATE, **options)
    gr.api(export, api_name="export", api_description=_EXPORT, **options)


_GENERATE = "Motions for a sentence, with the judge's verdict on each; see the card of this Space."
_EXPORT = "One motion of the same request as a file: bvh, glb, mp4, gif, npy, npz, and fbx where there is Blender."


def generated(
    studio: Studio,
    settings: PageSettings,
    prompt: Any,
    samples: Any,
    seed: Any,
    temperature: Any,
    seconds: Any,
    joints: Any = True,
) -> dict[str, Any]:
    """What `/generate` answers.

    Args:
        studio ([`Studio`]): makes the motions.
        settings ([`PageSettings`]): caps.
        prompt, samples, seed, temperature, seconds: as in [`Request`]; a new seed without one.
        joints (`bool`, *optional*, defaults to `True`): whether positions come along.

    Returns:
        `dict`: `prompt`, `seed`, `fps`, `joint_names`, `scenario` (or None), `seconds` that it took, and `takes`, each
            with `system`, `model`, `sample`, `frames`, `fps`, `score` (1 to 5, or None), `reason`, `raw`, `events` and
            `joints` `[T, 22, 3]` in metres.

    Raises:
        RequestError: if something is wrong with the request.
        LoadError: if a model cannot be loaded.
    """
    request = Request.read(prompt, samples, new_seed() if seed is None else seed, temperature, seconds, settings.caps)
    generation = studio.generate(request)
    takes = [
        _plain(recipe, number, take, bool(joints))
        for recipe, made in zip(generation.systems, generation.takes, strict=True)
        for number, take in enumerate(made)
    ]
    scenario = generation.scenario
    return {
        "prompt": request.prompt,
        "seed": request.seed,
        "fps": takes[0]["fps"],
        "joint_names": list(JOINT_NAMES),
        "scenario": None if scenario is None else scenario.to_json(),
        "seconds": round(generation.seconds, 3),
        "takes": takes,
    }


def exported(
    studio: Studio,
    settings: PageSettings,
    prompt: Any,
    format: Any,
    sample: Any,
    system: Any,
    seed: Any,
    temperature: Any,
    seconds: Any,
    lock_feet: Any,
) -> dict[str, Any]:
    """What `/export` answers: the motion that `/generate` gives as number `sample` for the same seed.

    Args:
        studio ([`Studio`]): makes the motions.
        settings ([`PageSettings`]): caps.
        prompt, seed, temperature, seconds: as in [`Request`].
        format (`str`): such as `"bvh"`.
        sample (`int`): from 0.
        system (`str`): `"base"`, `"aligned"` or `"model"`; the last model of the page where it is empty.
        lock_feet (`bool`): keep standing feet from sliding.

    Returns:
        `dict`: the file, as gradio's clients fetch it.

    Raises:
        RequestError: if something is wrong with the request.
        LoadError: if a model cannot be loaded.
    """
    suffix = read_format(format)
    if isinstance(sample, bool) or not isinstance(sample, int) or not 0 <= sample < settings.caps.samples:
        raise RequestError(f"Expected a sample from 0 to {settings.caps.samples - 1}, got {ascii(sample)[:40]}.")
    recipe = _recipe(studio, system)
    request = Request.read(prompt, sample + 1, seed, temperature, seconds, settings.caps)
    motion = studio.generate(request, systems=[recipe]).takes[0][sample].motion
    folder = Downloads()
    _RECENT.append(folder)
    path = folder.write(motion, suffix, request.prompt, f"{recipe.role}-", sample, bool(lock_feet))
    return {"path": str(path), "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}


def _recipe(studio: Studio, system: Any) -> Recipe:
    if system in ("", None):
        return studio.recipes[-1]
    for recipe in studio.recipes:
        if recipe.role == system:
            return recipe
    roles = " or ".join(recipe.role for recipe in studio.recipes)
    raise RequestError(f"Expected the system {roles}, got {ascii(system)[:40]}.")


def _plain(recipe: Recipe, number: int, take: Take, joints: bool) -> dict[str, Any]:
    motion, verdict = take.motion, take.verdict
    record: dict[str, Any] = {
        "system": recipe.role,
        "model": recipe.name,
        "sample": number,
        "frames": len(motion),
        "fps": float(motion.fps),
        "score": None if verdict.score is None else round(verdict.score, 4),
        "reason": verdict.reason or verdict.cause or "",
        "raw": {name: round(value, 4) for name, value in verdict.raw.items()},
        "events": [
            {
                "action": event.action,
                "start": round(event.start / motion.fps, 3),
                "end": round(event.end / motion.fps, 3),
                "side": event.side,
                "direction": event.direction,
            }
            for event in take.events
        ],
    }
    if joints:
        record["joints"] = np.round(motion.joints.astype(np.float64), _MOST_DECIMALS).tolist()
    return record


def _or_error(work: Callable[[], _Result]) -> _Result:
    try:
        return work()
    except (RequestError, LoadError) as error:
        raise gr.Error(str(error), print_exception=False) from error
