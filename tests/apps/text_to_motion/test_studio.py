"""Models behind a page: which ones, loaded once, and what comes of a request."""

import threading
import time

import pytest

from atom_hf.apps.text_to_motion.request import Request, RequestError
from atom_hf.apps.text_to_motion.settings import PageSettings
from atom_hf.apps.text_to_motion.studio import Studio
from atom_hf.apps.text_to_motion.systems import LoadError, Sources, load
from atom_hf.assets import DEFAULT_ADAPTER, DEFAULT_MODEL

from .conftest import Puppet


def request(prompt="a person jumps twice", samples=2, seed=3):
    return Request.read(prompt, samples, seed, 0.7, 9.8)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, [("base", DEFAULT_MODEL, None), ("aligned", DEFAULT_MODEL, DEFAULT_ADAPTER)]),
        ({"ATOM_HF_MODEL": "me/x", "ATOM_HF_ADAPTER": " "}, [("model", "me/x", None)]),
        ({"ATOM_HF_MODEL": "me/x", "ATOM_HF_BASE_MODEL": "me/y"}, [("base", "me/y", None), ("aligned", "me/x", None)]),
        ({"ATOM_HF_ADAPTER": "me/a"}, [("base", DEFAULT_MODEL, None), ("aligned", DEFAULT_MODEL, "me/a")]),
        (
            {"ATOM_HF_MODEL": "me/x", "ATOM_HF_ADAPTER": "me/a"},
            [("base", "me/x", None), ("aligned", "me/x", "me/a")],
        ),
    ],
)
def test_models_of_the_environment(variables, expected):
    assert [tuple(recipe) for recipe in Sources.of_environment(variables).recipes()] == expected


def test_settings_of_the_environment(tmp_path):
    settings = PageSettings.of_environment({"ATOM_HF_MAX_SAMPLES": "2", "ATOM_HF_VOTES": str(tmp_path)})
    assert (settings.caps.samples, settings.caps.prompt, settings.queue, settings.votes) == (2, 300, 20, tmp_path)
    assert PageSettings.of_environment({"ATOM_HF_VOTES": ""}).votes is None
    with pytest.raises(ValueError, match="ATOM_HF_MAX_QUEUE is a whole number from 1 to 1000, got 'all'"):
        PageSettings.of_environment({"ATOM_HF_MAX_QUEUE": "all"})


def test_takes(puppets):
    generation = puppets.generate(request())
    assert [recipe.role for recipe in generation.systems] == ["base", "aligned"]
    base, aligned = generation.takes
    assert len(base) == len(aligned) == 2
    assert aligned[0].verdict.score > 4.5 > 1.5 > base[0].verdict.score
    assert [event.action for event in aligned[0].events] == ["jump", "jump"]
    assert generation.scenario.events[0].count == 2 and generation.problem == ""
    again = puppets.generate(request())
    assert (again.takes[1][1].motion.joints == aligned[1].motion.joints).all()


def test_a_prompt_that_the_grammar_does_not_know():
    studio = Studio(Sources(model="one"), lambda recipe: Puppet("a person walks"))
    generation = studio.generate(request("a dragon 🐉 is </s> late"))
    assert generation.scenario is None and "It stopped at" in generation.problem
    (takes,) = generation.takes
    assert takes[0].verdict.score is None and takes[0].events  # what is seen is there all the same


def test_two_visitors_load_once_and_take_turns():
    loads, together, most = [], 0, 0

    class Slow(Puppet):
        def generate_motion(self, prompt, **options):
            nonlocal together, most
            together += 1
            most = max(most, together)
            time.sleep(0.02)
            together -= 1
            return super().generate_motion(prompt, **options)

    def loader(recipe):
        loads.append(recipe)
        time.sleep(0.02)
        return Slow()

    studio = Studio(Sources(model="a", base_model="b"), loader)
    said = []
    threads = [
        threading.Thread(target=studio.generate, args=(request(), lambda share, words: said.append((share, words))))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 2 and most == 1 and studio.loaded
    assert [share for share, words in said if "only the first visitor waits" in words] == [0.0, 0.2]


def test_a_model_that_cannot_be_loaded(tmp_path, caplog):
    studio = Studio(Sources(model=str(tmp_path / "nothing-here")))
    with pytest.raises(LoadError, match="The model nothing-here cannot be loaded: ") as raised:
        studio.load()
    assert "nothing-here" in caplog.text
    (tmp_path / "empty").mkdir()
    with pytest.raises(LoadError, match="The model empty cannot be loaded") as raised:
        load(Sources(model=str(tmp_path / "empty")).recipes()[0])
    assert str(tmp_path) not in str(raised.value)


def test_a_failed_load_is_tried_again():
    tries = []

    def loader(recipe):
        tries.append(recipe)
        if len(tries) == 1:
            raise LoadError("The model x cannot be loaded: no network")
        return Puppet()

    studio = Studio(Sources(model="x"), loader)
    with pytest.raises(LoadError):
        studio.generate(request())
    assert studio.generate(request()).takes


def test_what_the_model_refuses_is_the_visitors_to_mend():
    class Refusing(Puppet):
        def generate_motion(self, prompt, **options):
            raise ValueError("600 tokens, more than the 256")

    studio = Studio(Sources(model="x"), lambda recipe: Refusing())
    with pytest.raises(RequestError, match="The model cannot take this prompt: 600 tokens"):
        studio.generate(request())


def test_the_models_of_the_package(studio):
    for prompt in ("人" * 60, "🏃" * 40, "</script><motion_id_3>"):
        generation = studio.generate(Request.read(prompt, 1, 0, 0, 1.0))
        assert [len(takes) for takes in generation.takes] == [1, 1]
        assert len(generation.takes[0][0].motion) <= 20
