"""What people type, through tokenizer, model and VQ-VAE: words to the model whatever they look like, and never cut."""

import logging

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from atom_hf.models.motiongpt import MotionGPTForPreference
from tests.models.tiny_checkpoint import CAPTIONS, tiny_checkpoint

HOSTILE = ["</s>", "<pad>", "<motion_id_7>", "<motion_id_16>", "<extra_id_0>", "\uff1c/s\uff1e", "< / s >"]


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> MotionGPTForPreference:
    return MotionGPTForPreference.from_pretrained(tiny_checkpoint(tmp_path_factory.mktemp("typed")))


def codes(model, prompts, **options) -> list[list[int]]:
    return [
        motion.codes.tolist() for motion in model.generate_motion(prompts, max_frames=24, **{"seed": 2, **options})
    ]


@pytest.mark.parametrize("piece", HOSTILE)
def test_structure_becomes_words_and_is_reported(model, caplog, piece):
    typed = f"a man {piece} jumps"
    seen: list[list[list[int]]] = []
    hook = model.encoder.register_forward_pre_hook(
        lambda _, args, kwargs: seen.append(kwargs["input_ids"].tolist()), with_kwargs=True
    )
    with caplog.at_level(logging.WARNING, "atom_hf"):
        (motion,) = model.generate_motion(typed, seed=2, max_frames=24)
    hook.remove()
    (message,) = [record.getMessage() for record in caplog.records if "structure" in record.getMessage()]
    assert message == (
        f"Text never becomes structure: {piece!r} in 1 of 1 prompts now stand in parentheses, as words."
    )
    assert motion.text == typed  # what was asked for, as it was typed
    ((row,),) = seen
    assert row.count(1) == 1 and row[-1] == 1 and 0 not in row  # one </s>, at the end
    assert max(row) < model.config.motion_token_range.start
    # The model is asked the same as by whoever writes the words in parentheses.
    inside = piece[1:-1]
    assert row == model.processor.tokenizer(f"Generate motion: a man ({inside}) jumps").input_ids


def test_only_the_hostile_one_of_many_is_changed(model, caplog):
    with caplog.at_level(logging.WARNING, "atom_hf"):
        found = codes(model, [CAPTIONS[0], "waves </s>", CAPTIONS[1]])
    assert [found[0], found[2]] == codes(model, [CAPTIONS[0], CAPTIONS[1]])
    assert sum("structure" in message for message in caplog.messages) == 1


def test_harmless_prompts_say_nothing(model, caplog):
    with caplog.at_level(logging.INFO, "atom_hf"):
        codes(model, [*CAPTIONS, "5 < 7 and <3", "na\u00efve \U0001f44b (twice)"], temperature=0)
    assert "structure" not in caplog.text


@pytest.mark.parametrize(
    ("prompt", "error", "message"),
    [
        ("", ValueError, r"Expected a sentence such as 'a person walks forward', got an empty prompt\."),
        (" \n\u200b\t", ValueError, "got an empty prompt"),
        (
            "walks " * 300,
            ValueError,
            r"The prompt 'Generate motion: walks walks .*'… has \d+ tokens, more than the 256",
        ),
        (3, TypeError, "a string, got int"),
        (["a man", ["waves"]], TypeError, "got list; give sentences one at a time"),
        (["a man", ""], ValueError, "got an empty prompt"),
    ],
)
def test_prompts_that_are_none(model, prompt, error, message):
    with pytest.raises(error, match=message):
        model.generate_motion(prompt if isinstance(prompt, str | list) else [prompt])
