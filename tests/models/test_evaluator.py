"""The text-motion evaluator: embeddings in order and by protocol, training, saving, and what it says of bad input."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from transformers import AutoModel

from atom_hf.models.checkpoint_error import CheckpointError
from atom_hf.models.evaluator import TextMotionEvaluator
from atom_hf.models.evaluator_config import TextMotionEvaluatorConfig
from atom_hf.models.evaluator_text import learn_words
from atom_hf.motion import Motion, MotionStats
from tests.models.evaluator_parts import SIZES, WORDS, some_features, tiny_evaluator

TEXTS = ["a man walks", "a woman hops on her left leg", "A man jumps!"]


@pytest.fixture(scope="module")
def evaluator():
    return tiny_evaluator()


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-6)


# Motions -------------------------------------------------------------------------------------------------------------


def test_packed_gives_the_order_of_the_motions(evaluator):
    clips = some_features((40, 8, 196, 23, 120, 230, 4))
    found = evaluator.embed_motion(clips, batch_size=3)
    assert found.shape == (7, 8) and found.dtype == torch.float32
    close(found, torch.cat([evaluator.embed_motion([clip]) for clip in clips]))
    close(found, evaluator.embed_motion(clips, batch_size=100))
    assert torch.pdist(found).min() > 1e-4


def test_padded_depends_on_the_batch_and_follows_its_order(evaluator):
    clips = some_features()
    found = evaluator.embed_motion(clips, protocol="padded", batch_size=2)
    parts = [evaluator.embed_motion(clips[i : i + 2], protocol="padded") for i in (0, 2, 4)]
    close(found, torch.cat(parts))
    alone = torch.cat([evaluator.embed_motion([clip], protocol="padded") for clip in clips])
    differs = (found - alone).abs().amax(1) > 1e-4
    assert differs.tolist() == [False, True, False, True, False]  # the shorter of each batch


def test_kinds_of_motions(evaluator):
    clips = some_features((40, 24))
    expected = evaluator.embed_motion(clips)
    padded = np.full((2, 50, 263), np.nan, np.float32)  # what is behind a clip's end is never looked at
    padded[0, :40], padded[1, :24] = clips
    close(evaluator.embed_motion(padded, [40, 24]), expected)
    close(evaluator.embed_motion(torch.from_numpy(padded), torch.tensor([40, 24])), expected)
    close(evaluator.embed_motion([torch.from_numpy(clip).double() for clip in clips]), expected)
    motion = Motion.from_features(clips[0])
    close(evaluator.embed_motion((motion, clips[1])), expected)


def test_a_motion_without_features(evaluator, walk):
    motion = Motion(walk)
    close(evaluator.embed_motion([motion]), evaluator.embed_motion([motion.to_features()]))


def test_frames_behind_the_last_group_of_four_are_left_out(evaluator):
    (clip,) = some_features((43,))
    for protocol in ("packed", "padded"):
        close(
            evaluator.embed_motion([clip], protocol=protocol), evaluator.embed_motion([clip[:40]], protocol=protocol)
        )


def test_contacts_are_not_read(evaluator):
    (clip,) = some_features((40,))
    other, moved = clip.copy(), clip.copy()
    other[:, 259:] += 1
    moved[:, 258] += 1
    assert torch.equal(evaluator.embed_motion([other]), evaluator.embed_motion([clip]))
    assert not torch.allclose(evaluator.embed_motion([moved]), evaluator.embed_motion([clip]), atol=1e-4)


def test_statistics_of_its_own():
    evaluator, plain = tiny_evaluator(), tiny_evaluator()
    stats = MotionStats(np.full(263, 0.5), np.full(263, 2.0))
    evaluator.set_stats(stats)
    np.testing.assert_allclose(evaluator.stats.mean, stats.mean)
    (clip,) = some_features((40,))
    close(evaluator.embed_motion([clip * 2 + 0.5]), plain.embed_motion([clip]))
    close(evaluator.normalize(torch.from_numpy(clip * 2 + 0.5)), torch.from_numpy(clip))


def test_training_mode_is_kept_and_does_not_disturb():
    evaluator = tiny_evaluator().train()
    (clip,) = some_features((40,))
    assert torch.equal(evaluator.embed_motion([clip]), evaluator.embed_motion([clip])) and evaluator.training
    with pytest.raises(ValueError, match="empty list"):
        evaluator.embed_motion([])
    evaluator.embed_text(TEXTS)
    assert evaluator.training


@pytest.mark.parametrize(
    ("motions", "error", "text"),
    [
        ([], ValueError, "Expected at least one motion, got an empty list"),
        (np.zeros((0, 8, 263), np.float32), ValueError, "at least one motion"),
        ([np.zeros((8, 251), np.float32)], ValueError, r"Motion 0: .*got \[8, 251\]. 251 is KIT-ML's"),
        (
            [np.zeros((8, 263), np.float32), np.zeros((3, 263))],
            ValueError,
            r"motion 1 .* at least 4 frames, got .*\[3,",
        ),
        ([np.zeros((8, 263), np.int64)], TypeError, "Motion 0: "),
        ([[1, 2]], TypeError, "Expected motion 0 as a Motion or features"),
        (["walk"], TypeError, "Expected motion 0 as a Motion or features"),
        ("walk", TypeError, "Expected motion 0 as a Motion or features"),
        ({"features": 1}, TypeError, r"Expected a list of motions or features \[B, T, 263\], got dict"),
        (np.zeros((8, 263), np.float32), ValueError, r"Expected padded features \[B, T, 263\], got shape \[8, 263\]"),
    ],
)
def test_what_is_no_motion(evaluator, motions, error, text):
    with pytest.raises(error, match=text):
        evaluator.embed_motion(motions)


def test_a_single_motion(evaluator, walk):
    with pytest.raises(TypeError, match=r"got a single one; put it into \[ \]"):
        evaluator.embed_motion(Motion(walk))


def test_numbers_that_are_none(evaluator):
    clips = some_features((40, 24))
    clips[1][7, 3] = np.nan
    with pytest.raises(ValueError, match="Motion 1: Features must be finite, but frame 7, dimension 3 holds NaN"):
        evaluator.embed_motion(clips)
    with pytest.raises(ValueError, match="Motion 1: Features must be finite"):
        evaluator.collate(TEXTS[:2], clips)


def test_lengths_that_do_not_fit(evaluator):
    features = np.stack(some_features((16, 16)))
    with pytest.raises(ValueError, match=r"Expected 2 lengths from 0 to 16 frames, got \[16, 17\]"):
        evaluator.embed_motion(features, [16, 17])
    with pytest.raises(ValueError, match=r"motion 1 .* at least 4 frames"):
        evaluator.embed_motion(features, [16, 3])
    with pytest.raises(ValueError, match="lengths belong to padded features"):
        evaluator.embed_motion(list(features), [16, 16])


def test_options_that_do_not_exist(evaluator):
    clips = some_features((16,))
    with pytest.raises(ValueError, match=r"Expected protocol .*MotionGPT.*, got 'unpacked'"):
        evaluator.embed_motion(clips, protocol="unpacked")
    with pytest.raises(ValueError, match="batch_size of at least 1, got 0"):
        evaluator.embed_motion(clips, batch_size=0)
    with pytest.raises(ValueError, match="batch_size of at least 1, got -1"):
        evaluator.embed_text(TEXTS, batch_size=-1)


# Texts ---------------------------------------------------------------------------------------------------------------


def test_texts_in_order_whatever_the_batch(evaluator):
    texts = [*TEXTS, "a man walks " * 9, "backflip"]
    found = evaluator.embed_text(texts, batch_size=2)
    assert found.shape == (5, 8)
    close(found, torch.cat([evaluator.embed_text([text]) for text in texts]))
    assert torch.pdist(found).min() > 1e-3
    with pytest.raises(ValueError, match="Text 1 is empty"):
        evaluator.embed_text(["a man", " \n"])


def test_the_tagger_can_be_the_models_own():
    evaluator = tiny_evaluator(text_input="words+pos", hash_buckets=0)
    expected = evaluator.embed_text([("a/DET", "man/NOUN")])
    close(evaluator.embed_text(["a man"], tagger=lambda text: ("a/DET", "man/NOUN")), expected)
    evaluator.tagger = lambda text: tuple(f"{word}/NOUN" for word in text.split())
    close(evaluator.embed_text(["a man"]), evaluator.embed_text([("a/NOUN", "man/NOUN")]))
    assert not torch.allclose(evaluator.embed_text(["a man"]), expected, atol=1e-3)


def test_embeddings_of_length_one():
    evaluator = tiny_evaluator(unit_length=True)
    for found in (evaluator.embed_text(TEXTS), evaluator.embed_motion(some_features())):
        close(found.norm(dim=1), torch.ones(len(found)))


# Training ------------------------------------------------------------------------------------------------------------


def test_collate_gives_what_forward_embeds(evaluator):
    clips = some_features((40, 23, 120))
    batch = evaluator.collate(TEXTS, clips)
    assert {name: list(value.shape) for name, value in batch.items()} == {
        "features": [3, 120, 263], "lengths": [3], "word_ids": [3, 22], "pos_ids": [3, 22], "text_lengths": [3],
    }  # fmt: skip
    assert batch["lengths"].tolist() == [40, 20, 120]
    output = evaluator(**batch)
    close(output.motion_embeds, evaluator.embed_motion(clips))
    close(output.text_embeds, evaluator.embed_text(TEXTS))
    assert list(output.keys()) == ["loss", "text_embeds", "motion_embeds"]  # trainers take output["loss"]
    assert output.loss.ndim == 0 and evaluator(**batch, return_loss=False).loss is None
    only = evaluator(features=batch["features"], lengths=batch["lengths"])
    assert only.loss is None and only.text_embeds is None


@pytest.mark.parametrize("loss", ["infonce", "margin"])
def test_it_learns(loss):
    """Eight clips that differ in one place, with texts of which two are the same."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    clips = [rng.normal(size=(24, 263)).astype(np.float32) * 0.1 for _ in range(8)]
    for i, clip in enumerate(clips):
        clip[:, 10 * i : 10 * i + 10] += 2
    texts = [f"a man does number {i}" for i in range(7)] + ["a man does number 6"]
    options = {"loss": loss, "margin": 2.0, "unit_length": loss == "infonce", "dropout": 0.0}
    evaluator = tiny_evaluator(words=learn_words(texts), hash_buckets=0, **options).train()
    batch = evaluator.collate(texts, clips)
    before = {name: value.clone() for name, value in evaluator.named_parameters()}
    optimizer = torch.optim.AdamW(evaluator.parameters(), lr=3e-3)
    losses = []
    for _ in range(80):
        optimizer.zero_grad()
        loss_value = evaluator(**batch).loss
        loss_value.backward()
        optimizer.step()
        losses.append(loss_value.item())
    assert losses[-1] < 0.3 * losses[0]
    assert all(not torch.equal(value, before[name]) for name, value in evaluator.named_parameters())
    text, motion = evaluator.embed_text(texts[:7]), evaluator.embed_motion(clips[:7])
    assert torch.cdist(text, motion).argmin(1).tolist() == list(range(7))


def test_given_word_vectors_are_never_trained():
    assert "word_vectors" in dict(tiny_evaluator().named_parameters())
    given = tiny_evaluator(text_input="words+pos", hash_buckets=0)
    assert "word_vectors" in dict(given.named_buffers())


def test_a_trained_one_is_the_original_no_more():
    evaluator = tiny_evaluator(original=True)
    batch = evaluator.collate(TEXTS, some_features((8, 8, 8)))
    evaluator(**batch)
    assert evaluator.describe()["weights"] == "original"
    evaluator.train()
    evaluator(**batch)
    assert evaluator.describe() == {
        "evaluator": "TextMotionEvaluator", "weights": "not the published evaluator", "protocol": "packed",
        "text_input": "words", "embedding_size": 8,
    }  # fmt: skip
    with pytest.raises(ValueError, match='Expected protocol "packed"'):
        evaluator.describe("other")


def test_gradients_have_no_nan_from_behind_the_end():
    evaluator = tiny_evaluator().train()
    batch = evaluator.collate(TEXTS, some_features((8, 16, 12)))
    batch["features"][0, 8:] = torch.nan
    evaluator(**batch).loss.backward()
    assert all(value.grad.isfinite().all() for value in evaluator.parameters())


def test_batches_that_do_not_fit(evaluator):
    with pytest.raises(ValueError, match="a motion for each text, got 3 texts and 2 motions"):
        evaluator.collate(TEXTS, some_features((8, 8)))
    with pytest.raises(ValueError, match="Expected features, word_ids, or both, got neither"):
        evaluator()
    with pytest.raises(ValueError, match=r"Expected features \[B, T, 263\], B >= 1, got shape \[2, 8, 259\]"):
        evaluator(features=torch.zeros(2, 8, 259))
    with pytest.raises(ValueError, match="A clip needs at least 4 frames, got 2"):
        evaluator(features=torch.zeros(2, 8, 263), lengths=torch.tensor([8, 2]))
    batch = evaluator.collate(TEXTS, some_features((8, 8, 8)))
    with pytest.raises(ValueError, match="a motion for each text, got 3 texts and 2 motions"):
        evaluator(**{**batch, "features": batch["features"][:2], "lengths": batch["lengths"][:2]})
    with_pos = tiny_evaluator(text_input="words+pos", hash_buckets=0)
    with pytest.raises(ValueError, match="Expected pos_ids beside word_ids"):
        with_pos(word_ids=batch["word_ids"])


# Saving and loading --------------------------------------------------------------------------------------------------


def test_saved_and_loaded(tmp_path, evaluator):
    evaluator.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text("utf-8"))["words"] == WORDS
    assert "TextMotionEvaluator" in (tmp_path / "README.md").read_text("utf-8")
    assert "not comparable with published ones" in (tmp_path / "README.md").read_text("utf-8")
    for kind in (TextMotionEvaluator, AutoModel):
        found = kind.from_pretrained(tmp_path)
        assert type(found) is TextMotionEvaluator and not found.training
        weights = found.state_dict()
        assert weights.keys() == evaluator.state_dict().keys()
        assert all(torch.equal(value, weights[name]) for name, value in evaluator.state_dict().items())
        close(found.embed_text(TEXTS), evaluator.embed_text(TEXTS))


def test_computes_in_float32_whatever_is_asked_for(tmp_path, evaluator):
    evaluator.save_pretrained(tmp_path)
    found = TextMotionEvaluator.from_pretrained(tmp_path, dtype=torch.bfloat16)
    assert {value.dtype for value in found.state_dict().values()} == {torch.float32}
    with torch.autocast("cpu", torch.bfloat16):
        close(found.embed_text(TEXTS), evaluator.embed_text(TEXTS))
        close(found.embed_motion(some_features()), evaluator.embed_motion(some_features()))


def test_damaged_weights(tmp_path, evaluator):
    evaluator.save_pretrained(tmp_path)
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="no whole safetensors file"):
        TextMotionEvaluator.from_pretrained(tmp_path)


def test_pickles_are_not_looked_at(tmp_path, evaluator):
    evaluator.save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(evaluator.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(OSError, match="safetensors"):
        TextMotionEvaluator.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"motion_hidden_size": 0}, "motion_hidden_size of a text-motion evaluator is at least 1, got 0"),
        ({"text_input": "letters"}, r"Expected text_input as one of words\+pos, words, got 'letters'"),
        ({"loss": "l2"}, "Expected loss as one of infonce, margin, got 'l2'"),
        ({"dropout": 1.0}, "dropout is from 0 to below 1, got 1.0"),
        ({"hash_buckets": -1, "text_input": "words", "words": WORDS}, "hash_buckets of 0 or more"),
        ({"hash_buckets": 3, "words": WORDS}, r"only with text_input 'words' .* got 3 with 'words\+pos'"),
        ({"hash_buckets": 3, "text_input": "words"}, "only with text_input 'words' and words"),
        ({"words": ["a", "eos"]}, "A vocabulary holds sos, eos, unk beside its words; sos, unk is missing"),
        ({"words": [*WORDS, "man"]}, "each word once, but 'man' is there again"),
    ],
)
def test_configurations_that_do_not_exist(options, text):
    with pytest.raises(ValueError, match=text):
        TextMotionEvaluatorConfig(**options)


def test_a_tiny_one_is_tiny():
    config = TextMotionEvaluatorConfig(
        movement_hidden_size=96, movement_size=96, motion_hidden_size=96, text_hidden_size=64, embedding_size=64,
        word_size=48, text_input="words", words=WORDS, hash_buckets=64,
    )  # fmt: skip
    assert TextMotionEvaluator(config).num_parameters() * 4 < 2e6
    assert TextMotionEvaluatorConfig(**SIZES).num_word_vectors == 0
