"""Models that make takes of a request: loaded once, when they are first needed, and used by one visitor at a time.

studio = Studio(Sources.of_environment())
generation = studio.generate(Request.read("a person jumps twice", 4, 0, 0.7, 9.8))
generation.takes[0][2].verdict.score          third motion of the base model
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ...events import DetectedEvent, Scenario, detect_events
from ...motion import Motion
from ...rewards import JudgeItem, KinematicJudge, Verdict
from .asked import read_scenario
from .request import Request, RequestError
from .systems import LoadError, Recipe, Sources, load

_LOG = logging.getLogger(__name__)
Say = Callable[[float, str], None]  # share of the work that is done, and what is done now


@dataclass(frozen=True, eq=False)
class Take:
    """One motion, and what the judge saw in it.

    Args:
        motion ([`Motion`]): joints `[T, 22, 3]` in metres at 20 fps.
        events (`tuple[DetectedEvent, ...]`): what happens in it.
        verdict ([`Verdict`]): how well it fits the prompt; unscored where the prompt is not understood.
    """

    motion: Motion
    events: tuple[DetectedEvent, ...]
    verdict: Verdict


@dataclass(frozen=True, eq=False)
class Generation:
    """What came of a request.

    Args:
        request ([`Request`]): what was asked for.
        systems (`tuple[Recipe, ...]`): one model, or base and aligned.
        takes (`tuple[tuple[Take, ...], ...]`): of each model.
        scenario ([`Scenario`], *optional*): events of the prompt, where it is understood.
        problem (`str`): why it is not; empty otherwise.
        seconds (`float`): how long it took, without loading.
    """

    request: Request
    systems: tuple[Recipe, ...]
    takes: tuple[tuple[Take, ...], ...]
    scenario: Scenario | None
    problem: str
    seconds: float


class Studio:
    """The models of a page.

    Args:
        sources ([`Sources`], *optional*): which; those of the environment by default.
        loader (`Callable`, *optional*): makes a model of a [`Recipe`].
    """

    def __init__(self, sources: Sources | None = None, loader: Callable[[Recipe], Any] = load) -> None:
        self.recipes = (sources or Sources.of_environment()).recipes()
        self._loader = loader
        self._models: dict[Recipe, Any] = {}
        self._lock = threading.Lock()  # of loading and of the models: two visitors at once would only slow each other

    @property
    def loaded(self) -> bool:
        """Whether all models are in memory."""
        return len(self._models) == len(self.recipes)

    def load(self, say: Say | None = None) -> None:
        """Load the models, if they are not. After a failure the next call tries again.

        Args:
            say (`Callable`, *optional*): told what is being done.

        Raises:
            LoadError: if one cannot be loaded.
        """
        with self._lock:
            self._load(say)

    def generate(
        self, request: Request, say: Say | None = None, systems: Sequence[Recipe] | None = None
    ) -> Generation:
        """Make motions for a request.

        Args:
            request ([`Request`]): checked.
            say (`Callable`, *optional*): told what is being done.
            systems (`Sequence[Recipe]`, *optional*): some of the models; all by default.

        Returns:
            [`Generation`]: the same for the same request.

        Raises:
            LoadError: if a model cannot be loaded.
            RequestError: if the prompt is too long for a model.
        """
        systems = self.recipes if systems is None else tuple(systems)
        with self._lock:
            self._load(say)
            start = time.perf_counter()
            motions = []
            for done, recipe in enumerate(systems):
                if say:
                    say(0.4 + 0.6 * done / len(systems), "Making motions…")
                motions.append(self._sample(recipe, request))
            spent = time.perf_counter() - start
        start = time.perf_counter()
        asked = read_scenario(request.prompt)
        takes = tuple(tuple(_judged(motion, request.prompt, asked.scenario) for motion in each) for each in motions)
        spent += time.perf_counter() - start
        return Generation(request, tuple(systems), takes, asked.scenario, asked.problem, spent)

    def _load(self, say: Say | None) -> None:
        for done, recipe in enumerate(self.recipes):
            if recipe not in self._models:
                if say:
                    say(0.4 * done / len(self.recipes), "Loading the model: only the first visitor waits for that…")
                try:
                    self._models[recipe] = self._loader(recipe)
                except LoadError as error:
                    _LOG.error("%s", error, exc_info=error.__cause__)
                    raise

    def _sample(self, recipe: Recipe, request: Request) -> list[Motion]:
        try:
            motions: list[Motion] = self._models[recipe].generate_motion(
                request.prompt,
                num_return_sequences=request.samples,
                temperature=request.temperature,
                seed=request.seed,
                max_frames=request.max_frames,
            )
        except ValueError as error:  # such as more tokens than the model reads
            raise RequestError(f"The model cannot take this prompt: {error}") from error
        return motions


def _judged(motion: Motion, prompt: str, scenario: Scenario | None) -> Take:
    verdict = KinematicJudge("overall").score([JudgeItem(motion, prompt, scenario)])[0]
    try:
        events = tuple(detect_events(motion.joints, motion.fps))
    except ValueError:  # too short to hold any; the verdict says so
        events = ()
    return Take(motion, events, verdict)
