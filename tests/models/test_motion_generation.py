"""Texts and motions through a MotionGPT: seeded motions whatever the batch, prediction, in-betweening, captions."""

import logging

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from atom_hf import DEFAULT_MODEL, MotionGPTForPreference
from atom_hf.models import sampling
from atom_hf.motion import Motion
from tests.models.tiny_models import END, EOS, START, TEXT, tiny_motiongpt

MASK = END + 1
TEXTS = ["walk", "jump up", "a man runs and runs", "sit", "turn left", "kick the ball", "wave"]


class FakeProcessor:
    """Letters are tokens; a task begins with a number of its own."""

    def prompt_ids(self, text: str) -> list[int]:
        return [5 + ord(letter) % 34 for letter in text] + [EOS]

    def task_ids(self, task: str, codes=None, caption=None, frames=None) -> list[int]:
        number = {"prediction": 2, "inbetween": 3, "motion-to-text": 4}[task]
        return [number, START, *(MASK if code < 0 else TEXT + code for code in codes), EOS]

    def batch_decode(self, ids, skip_special_tokens: bool) -> list[str]:
        assert skip_special_tokens
        return [" " + " ".join(str(i) for i in row.tolist() if i > EOS) + " " for row in ids]


@pytest.fixture(scope="module")
def model():
    model = tiny_motiongpt()
    model.processor = FakeProcessor()
    return model


@pytest.fixture(scope="module")
def motions(walk) -> list[Motion]:
    return [Motion(walk[: 5 + 4 * i].copy()) for i in (7, 0, 3, 8)]


def codes_of(motions: list[Motion]) -> list[list[int]]:
    return [motion.codes.tolist() for motion in motions]


def written(model, texts, **options) -> list[list[int]]:
    return codes_of(model.generate_motion(texts, **{"seed": 5, "max_frames": 40, "temperature": 1.5, **options}))


# Text to motion ------------------------------------------------------------------------------------------------------


def test_motions_are_complete(model):
    found = model.generate_motion(TEXTS, seed=0, max_frames=40)
    assert [motion.text for motion in found] == TEXTS
    for motion in found:
        n = len(motion.codes)
        assert 1 <= n <= 10 and motion.fps == 20 and motion.joints.shape == (4 * n, 22, 3)
        assert motion.features.shape == (4 * n, 263)
        alone = model.vqvae.denormalize(model.vqvae.decode(torch.from_numpy(motion.codes)))
        np.testing.assert_allclose(motion.features, alone.detach().numpy(), rtol=0, atol=1e-5)


def test_one_text_needs_no_list(model):
    assert written(model, "walk") == written(model, ["walk"]) and len(written(model, "walk")) == 1
    assert model.generate_motion([]) == []


def test_a_seed_gives_the_same_motions_in_any_batch_and_order(model):
    expected = written(model, TEXTS)
    assert len({tuple(row) for row in expected}) == len(TEXTS) and len({len(row) for row in expected}) > 1
    for batch_size in (1, 3, 32):
        assert written(model, TEXTS, batch_size=batch_size) == expected
        order = [3, 0, 6, 2, 5, 1, 4]
        shuffled = written(model, [TEXTS[i] for i in order], batch_size=batch_size)
        assert shuffled == [expected[i] for i in order]
    assert [written(model, text)[0] for text in TEXTS] == expected
    assert written(model, TEXTS, seed=6) != expected


def test_without_a_seed_motions_differ(model):
    assert written(model, TEXTS, seed=None) != written(model, TEXTS, seed=None)


def test_samples_of_a_prompt_stand_together_and_do_not_depend_on_their_number(model):
    two, four = (written(model, TEXTS[:3], num_return_sequences=n, batch_size=5) for n in (2, 4))
    assert len(two) == 6 and len(four) == 12
    for i in range(3):
        assert two[2 * i : 2 * i + 2] == four[4 * i : 4 * i + 2]
        assert len({tuple(row) for row in four[4 * i : 4 * i + 4]}) == 4
    texts = [motion.text for motion in model.generate_motion(TEXTS[:3], num_return_sequences=2, max_frames=8)]
    assert texts == [text for text in TEXTS[:3] for _ in range(2)]


def test_a_prompt_that_stands_twice_gives_two_motions(model):
    found = written(model, ["walk", "sit", "walk", "walk"])
    assert len({tuple(row) for row in found}) == 4
    assert found[:2] == written(model, ["walk", "sit"])
    assert [found[0], found[2]] == written(model, ["walk"], num_return_sequences=2)


def test_each_prompt_is_encoded_once(model):
    counts: list[int] = []
    hook = model.encoder.register_forward_pre_hook(
        lambda _, args, kwargs: counts.append(len(kwargs["input_ids"])), with_kwargs=True
    )
    written(model, TEXTS[:3], num_return_sequences=8)
    hook.remove()
    assert counts == [3]


def test_greedy_has_no_chance_in_it(model):
    expected = written(model, TEXTS, temperature=0)
    for options in ({"seed": 6}, {"seed": None}, {"temperature": 1.5, "top_k": 1}, {"batch_size": 2}):
        assert written(model, TEXTS, **{"temperature": 0, **options}) == expected
    assert written(model, ["walk", "walk"], temperature=0) == [expected[0]] * 2


def test_taking_finished_rows_out_changes_nothing(model, monkeypatch):
    results = []
    for keep in (0.0, 1.0):
        monkeypatch.setattr(sampling, "_KEEP", keep)
        results.append(written(model, TEXTS * 3, max_frames=80))
    assert results[0] == results[1]


def test_longest_motion(model):
    for frames, codes in ((4, 1), (19, 4), (24, 6)):
        rows = written(model, TEXTS, max_frames=frames, temperature=0)
        assert max(map(len, rows)) == codes


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"num_return_sequences": 0}, "num_return_sequences of at least 1 and max_frames of at least 4, got 0 and 40"),
        ({"max_frames": 3}, "got 1 and 3"),
        ({"batch_size": 0}, "batch_size of at least 1, got 0"),
        ({"temperature": -1}, "temperature is 0"),
        ({"top_k": -1}, "top_k is 0"),
        ({"top_p": 0}, "top_p is above 0"),
    ],
)
def test_refuses_numbers(model, options, text):
    with pytest.raises(ValueError, match=text):
        written(model, TEXTS, **options)


def test_a_motion_without_codes_stands_still(model, monkeypatch, caplog):
    monkeypatch.setattr("atom_hf.models.motion_generation.sample_codes", lambda *_: [[3, 4], [], [5]])
    with caplog.at_level(logging.WARNING):
        found = model.generate_motion(["aaa", "bb", "c"])
    assert codes_of(found) == [[3, 4], [0], [5]] and len(found[1]) == 4
    assert caplog.messages == ["1 of 3 motions have no codes; they stand still for 4 frames."]


@pytest.mark.parametrize("training", [True, False])
def test_training_goes_on_as_before(model, monkeypatch, training):
    model.train(training)
    seen = []
    hook = model.decoder.register_forward_pre_hook(lambda *_: seen.append(model.training))
    written(model, TEXTS)
    assert model.training == model.decoder.training == training and not model.vqvae.training and set(seen) == {False}

    def fail(*_):
        raise RuntimeError("out of memory")

    monkeypatch.setattr("atom_hf.models.motion_generation.sample_codes", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        written(model, TEXTS)
    assert model.training == training
    hook.remove()
    model.eval()


def test_a_checkpoint_without_vqvae_says_so(motions):
    model = tiny_motiongpt(vqvae_config=None)
    model.processor = FakeProcessor()
    for call in (
        lambda: model.generate_motion("walk", max_frames=8),
        lambda: model.encode_motion(motions),
        lambda: model.decode_motion([[1]]),
        lambda: model.motion_to_text(motions),
    ):
        with pytest.raises(ValueError, match=r"has no VQ-VAE.* convert-checkpoint --vqvae"):
            call()


# Codes ---------------------------------------------------------------------------------------------------------------


def test_motions_to_codes(model, motions):
    found = model.encode_motion(motions, batch_size=3)
    assert [len(codes) for codes in found] == [8, 1, 4, 9]  # T joints give T - 1 frames of features
    for motion, codes in zip(motions, found, strict=True):
        features = torch.from_numpy(motion.to_features().astype(np.float32))
        assert codes.dtype == np.int64
        assert codes.tolist() == model.vqvae.encode(model.vqvae.normalize(features)).tolist()
    assert model.encode_motion([]) == []


def test_codes_to_motions(model):
    rows = [[3], list(range(16)), np.array([7, 7, 2]), torch.tensor([1, 0])]
    found = model.decode_motion(rows, texts=["a", "b", "c", "d"], batch_size=2)
    assert codes_of(found) == [[int(code) for code in row] for row in rows]
    assert [motion.text for motion in found] == ["a", "b", "c", "d"]
    for row, motion in zip(rows, found, strict=True):
        alone = model.decode_motion([row])[0]
        assert alone.text is None and len(motion) == 4 * len(row)
        np.testing.assert_allclose(motion.features, alone.features, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("codes", "texts", "text"),
    [
        ([[1, 16]], None, r"codes from 0 to 15, got \[16\]"),
        ([[1, 2], [3, -1]], None, r"codes from 0 to 15, got \[-1\]"),
        ([[1.5]], None, r"one row of integers, got float64 \[1\]"),
        ([[[1]]], None, r"one row of integers, got int64 \[1, 1\]"),
        ([[1], [2]], ["a"], "a text for each of 2 motions, got 1 texts"),
    ],
)
def test_refuses_codes(model, codes, texts, text):
    with pytest.raises(ValueError, match=text):
        model.decode_motion(codes, texts)


def test_refuses_motions(model, walk):
    with pytest.raises(TypeError, match=r"Expected motions, got ndarray; Motion\(joints\) makes one"):
        model.encode_motion([walk])
    with pytest.raises(ValueError, match="Motion 1 has 3 frames of features at 20 fps, and a code needs 4"):
        model.encode_motion([Motion(walk), Motion(walk[:4])])


# Motion to motion and to text ----------------------------------------------------------------------------------------


def test_a_beginning_goes_on(model, motions):
    begun = [codes.tolist() for codes in model.encode_motion(motions)]
    options = {"seed": 1, "max_frames": 48, "temperature": 1.5}
    found = model.predict_motion(motions, **options)
    for beginning, motion in zip(begun, found, strict=True):
        assert motion.codes[: len(beginning)].tolist() == beginning and len(motion.codes) <= 12
    assert any(len(motion.codes) > len(beginning) for beginning, motion in zip(begun, found, strict=True))
    alone = [model.predict_motion([motion], **options)[0] for motion in motions]
    assert codes_of(alone) == codes_of(found) == codes_of(model.predict_motion(motions, batch_size=1, **options))
    assert model.predict_motion([]) == []


def test_a_model_that_adds_nothing_leaves_the_beginning(model, motions, monkeypatch):
    monkeypatch.setattr("atom_hf.models.motion_generation.sample_codes", lambda *_: [[], [3], [], []])
    begun = model.encode_motion(motions)
    found = model.predict_motion(motions, max_frames=28)
    longest = max(range(4), key=lambda i: len(begun[i]))
    assert sorted(len(motion.codes) for motion in found) == sorted([7, 7, 4, 1]) and len(begun[longest]) == 9
    assert all(
        motion.codes.tolist() == codes[:7].tolist()
        for motion, codes in zip(found, begun, strict=True)
        if len(codes) < 8
    )


def test_a_gap_is_filled(model, motions, monkeypatch):
    given = [codes.tolist() for codes in model.encode_motion(motions)]
    asked = []
    task_ids = model.processor.task_ids
    monkeypatch.setattr(
        model.processor, "task_ids", lambda *a, **k: asked.append(k["codes"].tolist()) or task_ids(*a, **k)
    )
    found = model.fill_motion(motions, seed=1, temperature=1.5)
    gaps = [(2, 6), (0, 1), (1, 3), (2, 7)]
    for codes, (first, last), masked, motion in zip(given, gaps, asked, found, strict=True):
        assert masked == codes[:first] + [-1] * (last - first) + codes[last:]
        new = motion.codes.tolist()
        assert len(new) == len(codes) and new[:first] == codes[:first] and new[last:] == codes[last:]
    assert codes_of(found) == codes_of(model.fill_motion(motions, seed=1, temperature=1.5, batch_size=1))
    assert model.fill_motion([]) == []


def test_a_gap_gets_what_the_model_wrote_at_its_place_and_never_what_was_there(model, motions, monkeypatch):
    given = model.encode_motion(motions[:1])[0].tolist()
    for wrote, expected in (
        (list(range(8, 16)), [10, 11, 12, 13]),
        ([8, 9, 10], [10, 10, 10, 10]),
        ([8], [given[1]] * 4),
        ([], [given[1]] * 4),
    ):
        monkeypatch.setattr("atom_hf.models.motion_generation.sample_codes", lambda *_, wrote=wrote: [wrote])
        codes = model.fill_motion(motions[:1])[0].codes.tolist()
        assert codes == given[:2] + expected + given[6:]
    assert model.fill_motion(motions[:1], 0, 0.5)[0].codes.tolist() == [given[4]] * 4 + given[4:]
    assert model.fill_motion(motions[:1], 0, 1)[0].codes.tolist() == [0] * 8


@pytest.mark.parametrize(("start", "end"), [(0.5, 0.5), (0.8, 0.2), (-0.1, 0.5), (0.5, 1.1)])
def test_refuses_gaps(model, motions, start, end):
    with pytest.raises(ValueError, match=f"0 <= start to end <= 1 with start < end, got {start} and {end}"):
        model.fill_motion(motions, start, end)


@pytest.mark.parametrize("motion_only", [False, True])
def test_motions_are_put_into_words(model, motions, motion_only):
    expected = model.motion_to_text(motions, max_new_tokens=6)
    assert len(expected) == 4 and len(set(expected)) > 1  # the tiny model has nothing to say of some
    assert all(caption == caption.strip() for caption in expected)
    assert all(int(token) < TEXT for caption in expected for token in caption.split())  # words, never motion
    rows = [model.processor.task_ids("motion-to-text", codes=codes) for codes in model.encode_motion(motions)]
    for row, caption in zip(rows, expected, strict=True):
        ids = model.generate(
            torch.tensor([row]), return_prompt=False, max_new_tokens=6, do_sample=False,
            suppress_tokens=list(range(TEXT, TEXT + 19)),
        )  # fmt: skip
        assert model.processor.batch_decode(ids, skip_special_tokens=True)[0].strip() == caption
    model.train()
    model.restrict_to_motion(motion_only)
    try:
        assert model.motion_to_text(motions, max_new_tokens=6, batch_size=3) == expected
        assert (
            model.config.motion_only == motion_only and ("bias" in dict(model.lm_head.named_buffers())) == motion_only
        )
        assert model.training
    finally:
        model.restrict_to_motion(False)
        model.eval()
    assert model.motion_to_text([]) == []


def test_the_checkpoint_says_how_to_sample() -> None:
    model = tiny_motiongpt()
    assert model._sampling(None, None, None) == sampling.Sampling(1.0, 50, 1.0)
    model.generation_config.temperature, model.generation_config.top_k = 0.7, 20
    assert model._sampling(None, None, None) == sampling.Sampling(0.7, 20, 1.0)
    assert model._sampling(0, None, 0.9) == sampling.Sampling(0, 20, 0.9)


# A decoder that is deeper than the encoder ---------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{"do_sample": False}, {"num_beams": 2}, {"cache_implementation": "static"}])
def test_generate_of_a_decoder_that_is_deeper_than_the_encoder(options):
    """transformers makes the cache; that of the embedded model has a layer more than its encoder."""
    model = MotionGPTForPreference.from_pretrained(DEFAULT_MODEL).eval()
    assert model.config.num_decoder_layers > model.config.num_layers
    ids = torch.tensor([model.processor.prompt_ids("a person jumps twice")])
    caches = []

    def seen(module, given, named, output) -> None:
        caches.append(named["past_key_values"])

    hook = model.decoder.register_forward_hook(seen, with_kwargs=True)
    written = model.generate(ids, max_new_tokens=30, return_prompt=False, **{"do_sample": False, **options})
    hook.remove()
    assert {len(cache.self_attention_cache.layers) for cache in caches} == {model.config.num_decoder_layers}
    beams = {"num_beams": options.get("num_beams", 1)}
    slow = model.generate(ids, max_new_tokens=30, return_prompt=False, do_sample=False, use_cache=False, **beams)
    assert written.tolist() == slow.tolist() and written.shape[1] > 5
