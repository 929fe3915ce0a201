"""`pipeline("text-to-motion")`: by folder and by instance, with generate_motion's options and nothing else."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from transformers import pipeline
from transformers.pipelines import PIPELINE_REGISTRY

from atom_hf.models import MotionGPTForPreference, TextToMotionPipeline
from atom_hf.models.pipeline import register_pipeline
from atom_hf.motion import Motion
from tests.models.tiny_checkpoint import CAPTIONS, tiny_checkpoint

OPTIONS: dict[str, Any] = {"seed": 3, "max_frames": 24, "temperature": 1.5}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("pipeline") / "model")


@pytest.fixture(scope="module")
def model(folder) -> MotionGPTForPreference:
    return MotionGPTForPreference.from_pretrained(folder)


@pytest.fixture(scope="module")
def pipe(folder) -> TextToMotionPipeline:
    return pipeline("text-to-motion", model=str(folder), device="cpu")


def codes(motions: list[Motion]) -> list[list[int]]:
    return [motion.codes.tolist() for motion in motions]


def test_a_text_gives_a_motion(pipe, model):
    assert isinstance(pipe, TextToMotionPipeline) and isinstance(pipe.model, MotionGPTForPreference)
    found = pipe(CAPTIONS[0], **OPTIONS)
    assert isinstance(found, Motion) and found.text == CAPTIONS[0]
    assert found.codes.tolist() == model.generate_motion(CAPTIONS[0], **OPTIONS)[0].codes.tolist()


def test_texts_give_motions_in_order(pipe, model):
    found = pipe(CAPTIONS, **OPTIONS)
    assert isinstance(found, list) and [motion.text for motion in found] == CAPTIONS
    assert codes(found) == codes(model.generate_motion(CAPTIONS, **OPTIONS))
    assert codes(pipe(tuple(CAPTIONS), **OPTIONS, batch_size=1)) == codes(found)
    assert [isinstance(pipe(texts, **OPTIONS), list) for texts in (CAPTIONS[:1], [])] == [True, True]


def test_samples_of_a_text_are_a_list(pipe, model):
    found = pipe(CAPTIONS[0], num_return_sequences=3, **OPTIONS)
    assert (
        codes(found) == codes(model.generate_motion(CAPTIONS[0], 3, **OPTIONS))
        and len(set(map(tuple, codes(found)))) > 1
    )
    assert len(pipe(CAPTIONS[:2], num_return_sequences=2, **OPTIONS)) == 4


def test_by_instance_with_options_of_its_own(model):
    pipe = pipeline("text-to-motion", model=model, **OPTIONS)
    assert pipe.model is model
    expected = model.generate_motion(CAPTIONS[0], **OPTIONS)[0].codes.tolist()
    assert pipe(CAPTIONS[0]).codes.tolist() == expected
    other = model.generate_motion(CAPTIONS[0], **OPTIONS | {"seed": 4})[0].codes.tolist()
    assert pipe(CAPTIONS[0], seed=4).codes.tolist() == other != expected  # the call's come first
    given = pipeline("text-to-motion", model=model, tokenizer=model.processor.tokenizer)
    for pipe in (given, TextToMotionPipeline(model=model)):
        assert pipe(CAPTIONS[0], **OPTIONS).codes.tolist() == expected


@pytest.mark.parametrize(
    ("options", "changed"),
    [({"seed": 4}, True), ({"top_k": 1}, True), ({"top_p": 1e-6}, True), ({"temperature": 0}, True), ({}, False)],
)
def test_options_reach_the_model(pipe, options, changed):
    found, plain = (codes(pipe(CAPTIONS, **OPTIONS | more)) for more in (options, {}))
    assert (found != plain) == changed
    assert max(map(len, found)) <= 6


def test_a_pipeline_can_be_saved(pipe, tmp_path):
    pipe.save_pretrained(tmp_path)
    again = pipeline("text-to-motion", model=str(tmp_path), device="cpu")
    assert codes(again(CAPTIONS, **OPTIONS)) == codes(pipe(CAPTIONS, **OPTIONS))


def test_without_a_seed_motions_differ(pipe):
    one, other = (codes(pipe(CAPTIONS, max_frames=40, temperature=2.0, top_k=0)) for _ in range(2))
    assert one != other


@pytest.mark.parametrize(
    ("inputs", "options", "error", "message"),
    [
        ("a man", {"steps": 3}, TypeError, "no option steps; there are num_return_sequences, temperature, top_k"),
        ("a man", {"max_length": 3, "do_sample": True}, TypeError, "no option do_sample, max_length"),
        ("", {}, ValueError, "got an empty prompt"),
        (["a man", 3], {}, TypeError, "a string, got int"),
        ("a " * 400, {}, ValueError, "more than the 256"),
        ("a man", {"temperature": -1}, ValueError, "temperature is 0"),
        ("a man", {"num_return_sequences": 0}, ValueError, "num_return_sequences of at least 1"),
    ],
)
def test_mistakes_are_explained(pipe, inputs, options, error, message):
    with pytest.raises(error, match=message):
        pipe(inputs, **options)


def test_registering_twice_does_no_harm():
    before = PIPELINE_REGISTRY.get_supported_tasks()
    register_pipeline()
    assert PIPELINE_REGISTRY.get_supported_tasks() == before and before.count("text-to-motion") == 1
    _, task, _ = PIPELINE_REGISTRY.check_task("text-to-motion")
    assert task["impl"] is TextToMotionPipeline
