"""One page for all tests of the folder, on the models of the package, and motions that need no model."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytest.importorskip("gradio")
pytest.importorskip("peft")
pytest.importorskip("torch")

from atom_hf.apps.text_to_motion.app import launch_options, make_app
from atom_hf.apps.text_to_motion.request import Request
from atom_hf.apps.text_to_motion.settings import PageSettings
from atom_hf.apps.text_to_motion.studio import Generation, Studio
from atom_hf.apps.text_to_motion.systems import Recipe, Sources
from atom_hf.events import Scenario, synthesize
from atom_hf.motion import Motion


class Page(NamedTuple):
    """A page that is being served."""

    url: str
    votes: Path


@pytest.fixture(scope="session")
def studio() -> Studio:
    return Studio(Sources())


@pytest.fixture(scope="session")
def page(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    votes = tmp_path_factory.mktemp("page") / "votes"
    app = make_app(PageSettings(votes=votes), studio)
    _, url, _ = app.launch(prevent_thread_lock=True, quiet=True, **launch_options())
    yield Page(url, votes)
    app.close(verbose=False)


class Puppet:
    """Plays what a prompt asks for, or one and the same motion; a model for tests."""

    def __init__(self, text: str | None = None) -> None:
        self.text = text
        self.asked: list[dict[str, Any]] = []

    def generate_motion(self, prompt: str, **options: Any) -> list[Motion]:
        self.asked.append({"prompt": prompt, **options})
        scenario = Scenario.parse(self.text or prompt)
        return [
            Motion(synthesize(scenario, seed=options["seed"] + i).joints, text=prompt)
            for i in range(options["num_return_sequences"])
        ]


GOOD, BAD = Recipe("aligned", "good"), Recipe("base", "bad")


@pytest.fixture
def puppets() -> Studio:
    """Base and aligned: the base model waves whatever it is asked for."""
    studio = Studio(Sources(model="good", base_model="bad"), lambda recipe: models[recipe.model])
    models = {"good": Puppet(), "bad": Puppet("a person waves")}
    return studio


@pytest.fixture
def generation(puppets: Studio) -> Generation:
    return puppets.generate(Request.read("a person jumps twice", 2, 3, 0.7, 9.8))
