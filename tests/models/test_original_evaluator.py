"""The published evaluator: the golden numbers, the files it comes in, and what is said of others."""

import json
import re

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from atom_hf.models.checkpoint_files import CheckpointError
from atom_hf.models.evaluator import TextMotionEvaluator
from atom_hf.models.evaluator_config import TextMotionEvaluatorConfig
from atom_hf.models.glove_files import WordVectors
from atom_hf.models.original_evaluator import evaluator_from_original
from atom_hf.models.parts_of_speech import POS_TAGS
from tests.models.evaluator_parts import GOLDEN, IDENTITY, PARTS, golden_weights, save_finest, save_glove
from tests.models.original_files import original_names

META = json.loads((GOLDEN / "d_evaluator_meta.json").read_text("utf-8"))
NAMES_IN_MOTIONGPT = dict(zip(PARTS, ("t2m_moveencoder", "t2m_textencoder", "t2m_motionencoder"), strict=True))


@pytest.fixture(scope="module")
def finest(tmp_path_factory):
    return save_finest(tmp_path_factory.mktemp("t2m") / "finest.tar")


@pytest.fixture(scope="module")
def glove(tmp_path_factory):
    return save_glove(tmp_path_factory.mktemp("glove"))


@pytest.fixture(scope="module")
def evaluator(finest, glove):
    return TextMotionEvaluator.from_pretrained(finest, glove=glove, stats=IDENTITY)


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN / "d_evaluator.npz") as data:
        return {name: torch.from_numpy(data[name]) for name in data.files}


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-5)


def in_motiongpt(weights: dict[str, torch.Tensor], metric: str = "TM2TMetrics") -> dict[str, torch.Tensor]:
    return {
        f"metrics.{metric}.{NAMES_IN_MOTIONGPT[part]}.{rest}": value
        for name, value in weights.items()
        for part, _, rest in [name.partition(".")]
    }


# Agreement with the original -----------------------------------------------------------------------------------------


def test_movements_as_the_original(evaluator, golden):
    with torch.no_grad():
        close(evaluator.movement_encoder(golden["motions"][..., :259]), golden["small/movement"])


@pytest.mark.parametrize(("protocol", "name"), [("packed", "packed"), ("padded", "unpacked")])
def test_motions_as_the_original(evaluator, golden, protocol, name):
    found = evaluator.embed_motion(golden["motions"], golden["m_lens"], protocol=protocol)
    close(found, golden[f"small/motion_emb_{name}"])


def test_packed_does_not_depend_on_the_batch(evaluator, golden):
    """Not even on its padding: alone and cut, every clip is embedded as in the original's batch."""
    clips = [clip[:length] for clip, length in zip(golden["motions"], golden["m_lens"].tolist(), strict=True)]
    for size in (1, 4):
        close(evaluator.embed_motion(clips, batch_size=size), golden["small/motion_emb_packed"])
    plain = golden["small/motion_emb_single_unpadded"]
    assert (plain - golden["small/motion_emb_packed"]).abs().max() > 1e-3
    close(evaluator.embed_motion(clips, protocol="padded", batch_size=1), plain)


def test_texts_as_the_original(evaluator, golden):
    with torch.no_grad():
        found = evaluator.text_encoder.embed(golden["word_embs"], golden["pos_onehot"], golden["cap_lens"])
    close(found, golden["small/text_emb"])


@pytest.mark.parametrize("case", META["tokens"], ids=lambda case: case["token"])
def test_words_and_parts_of_speech_as_the_original(evaluator, case):
    word, tag = case["token"].split("/")
    assert evaluator.reader().numbers(word, tag) == (case["vec_index"], case["pos_index"])
    vectors = torch.from_numpy(np.load(GOLDEN / "d_glove_vectors.npy"))
    assert torch.equal(evaluator.word_vectors[case["vec_index"]], vectors[case["vec_index"]])


def test_words_of_special_classes():
    """In the vocabulary, they have their class whatever the tag says."""
    words = [word for group in META["vip"].values() for word in group]
    table = WordVectors(["sos", "eos", "unk", *dict.fromkeys(words)], np.zeros((3 + len(set(words)), 300), "f4"))
    reader = evaluator_from_original(golden_weights(), glove=table, stats=IDENTITY).reader()
    assert list(POS_TAGS) == META["pos_order"]
    for group, members in META["vip"].items():
        for word in members:
            assert POS_TAGS[reader.numbers(word, "NOUN")[1]] == group


def test_a_caption_from_tokens_to_embedding(evaluator):
    """By the original's parts, put together by hand."""
    tokens = ("a/DET", "person/NOUN", "walk/VERB", "up/ADP", "zebra/NOUN")
    table = np.load(GOLDEN / "d_glove_vectors.npy")
    rows, parts = [0, 3, 4, 5, 11, 2, 1], [14, 2, 1, 12, 9, 14, 14]
    vectors = torch.zeros(1, 22, 300) + torch.from_numpy(table[2])
    vectors[0, :7] = torch.from_numpy(table[rows])
    pos = torch.zeros(1, 22, 15)
    pos[0, range(22), [*parts, *[14] * 15]] = 1
    with torch.no_grad():
        expected = evaluator.text_encoder.embed(vectors, pos, torch.tensor([7]))
    close(evaluator.embed_text([tokens]), expected)


@pytest.mark.parametrize("size", ["small", "full"])
def test_names_and_shapes_are_the_original_ones(size):
    dims = META[size]["dims"]
    config = TextMotionEvaluatorConfig(
        movement_hidden_size=dims["mh"],
        movement_size=dims["mo"],
        motion_hidden_size=dims["h_m"],
        text_hidden_size=dims["h_t"],
        embedding_size=dims["out"],
    )
    assert size == "small" or config == TextMotionEvaluatorConfig()
    with torch.device("meta"):
        found = {name: list(value.shape) for name, value in TextMotionEvaluator(config).state_dict().items()}
    expected = {f"{part}.{name}": shape for part, rows in META[size]["keys"].items() for name, shape in rows}
    assert expected == {name: shape for name, shape in found.items() if name.startswith(PARTS)}
    if size == "full":
        there = {n: list(s) for n, s in original_names().items() if n.startswith("metrics.TM2TMetrics.")}
        meta = {name: torch.empty(shape, device="meta") for name, shape in expected.items()}
        assert there == {name: list(value.shape) for name, value in in_motiongpt(meta).items()}


# The files -----------------------------------------------------------------------------------------------------------


def test_everything_comes_from_one_folder_afterwards(evaluator, tmp_path):
    evaluator.save_pretrained(tmp_path / "evaluator")
    files = {path.name for path in (tmp_path / "evaluator").iterdir()}
    assert files == {"config.json", "model.safetensors", "README.md"}
    found = TextMotionEvaluator.from_pretrained(tmp_path / "evaluator")
    assert found.config.words == evaluator.config.words
    tokens = [("a/DET", "person/NOUN"), ("walk/VERB", "forward/ADV", "slowly/ADV")]
    close(found.embed_text(tokens), evaluator.embed_text(tokens))
    weights = found.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in evaluator.state_dict().items())


def test_out_of_motiongpts_checkpoint(golden, tmp_path):
    weights = in_motiongpt(golden_weights())
    weights |= {"lm.language_model.shared.weight": torch.zeros(4, 2), "metrics.MMMetrics.count": torch.zeros(())}
    weights |= in_motiongpt({name: value + 1 for name, value in golden_weights().items()}, "MMMetrics")
    torch.save({"state_dict": weights}, tmp_path / "motiongpt_s3_h3d.tar")
    for source in (weights, tmp_path / "motiongpt_s3_h3d.tar", tmp_path):
        found = evaluator_from_original(source, stats=IDENTITY)
        close(found.embed_motion(golden["motions"], golden["m_lens"]), golden["small/motion_emb_packed"])
    close(
        evaluator_from_original(in_motiongpt(golden_weights(), "M2TMetrics"), stats=IDENTITY).embed_motion(
            golden["motions"], golden["m_lens"]
        ),
        golden["small/motion_emb_packed"],
    )


def test_without_word_vectors_only_motion_is_embedded(finest, golden):
    found = TextMotionEvaluator.from_pretrained(finest, stats=IDENTITY)
    close(found.embed_motion(golden["motions"], golden["m_lens"]), golden["small/motion_emb_packed"])
    with pytest.raises(
        ValueError, match=r"no word vectors, so it embeds motion only\. Convert its checkpoint with glove"
    ):
        found.embed_text([("a/DET", "person/NOUN")])
    assert found.word_vectors is None


def test_statistics_are_used_and_looked_for(golden, tmp_path):
    rng = np.random.default_rng(0)
    mean, std = rng.normal(size=263), rng.uniform(0.5, 2, 263)
    (tmp_path / "model").mkdir()
    (tmp_path / "meta").mkdir()
    finest = save_finest(tmp_path / "model" / "finest.tar")
    raw = golden["motions"] * torch.from_numpy(std).float() + torch.from_numpy(mean).float()
    with pytest.raises(ValueError, match="needs the mean and deviation that it was trained with"):
        TextMotionEvaluator.from_pretrained(finest)
    for folder, names in (("meta", ("mean.npy", "std.npy")), ("model", ("mean_eval.npy", "std_eval.npy"))):
        for name, value in zip(names, (mean, std), strict=True):
            np.save(tmp_path / folder / name, value)
        for options in ({}, {"stats": tmp_path / folder}):
            found = TextMotionEvaluator.from_pretrained(finest, **options)
            close(found.embed_motion(raw, golden["m_lens"]), golden["small/motion_emb_packed"])
            np.testing.assert_allclose(found.stats.std, std, rtol=1e-6)
        for name in names:
            (tmp_path / folder / name).unlink()


def test_options_of_the_configuration(finest, glove):
    found = TextMotionEvaluator.from_pretrained(finest, stats=IDENTITY, glove=glove, loss="margin", margin=4.0)
    assert found.config.loss == "margin" and found.config.margin == 4 and found.logit_scale is None
    assert found.describe("padded")["protocol"] == "padded"


def test_only_the_published_sizes_are_called_original(evaluator):
    weights = {
        f"{part}.{name}": torch.zeros(shape) for part, rows in META["full"]["keys"].items() for name, shape in rows
    }
    found = evaluator_from_original(weights, stats=IDENTITY)
    assert found.describe()["weights"] == "original"
    assert found.embed_motion([np.zeros((8, 263), np.float32)]).shape == (1, 512)
    assert evaluator.describe()["weights"] == "not the published evaluator"


def test_what_was_given_stays_as_it_is():
    weights = golden_weights()
    model = evaluator_from_original(weights, stats=IDENTITY)
    with torch.no_grad():
        model.motion_encoder.hidden.zero_()
    assert weights["motion_encoder.hidden"].any()


# What is refused -----------------------------------------------------------------------------------------------------


def test_weights_that_do_not_fit_are_listed(tmp_path):
    weights = golden_weights()
    del weights["text_encoder.gru.bias_hh_l0"]
    weights["motion_encoder.more"] = torch.zeros(2)
    weights["movement_encoder.out_net.bias"] = torch.zeros(3)
    path = save_finest(tmp_path / "finest.tar", weights)
    text = (
        "finest.tar: Expected the 42 weights of text-to-motion's evaluator, but 1 missing: "
        "text_encoder.gru.bias_hh_l0; 1 unexpected: motion_encoder.more; 1 of another shape: "
        "movement_encoder.out_net.bias [3] instead of [20]"
    )
    with pytest.raises(CheckpointError, match=re.escape(text)):
        evaluator_from_original(path, stats=IDENTITY)


def test_other_checkpoints(tmp_path):
    path = tmp_path / "other.pt"
    torch.save({"a": torch.zeros(2)}, path)
    with pytest.raises(CheckpointError, match="1 that tells its size is missing: movement_encoder"):
        evaluator_from_original(path, stats=IDENTITY)
    weights = golden_weights()
    weights["movement_encoder.main.0.weight"] = torch.zeros(32, 247, 4)
    with pytest.raises(ValueError, match="HumanML3D's 259 features without contacts, got one of 247; KIT-ML's"):
        evaluator_from_original(weights, stats=IDENTITY)
    weights["movement_encoder.main.0.weight"] = torch.zeros(32, 259, 4, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"floating point, but movement_encoder.main.0.weight is torch.int64"):
        evaluator_from_original(weights, stats=IDENTITY)
    with pytest.raises(CheckpointError, match="there is no such file"):
        evaluator_from_original(tmp_path / "gone.tar", stats=IDENTITY)
    with pytest.raises(ValueError, match="Expected an original checkpoint"):
        evaluator_from_original("somebody/else")


def test_nothing_in_a_file_runs(tmp_path):
    class Hostile:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    path = tmp_path / "finest.tar"
    weights = {part: {"x": Hostile()} for part in PARTS}
    torch.save(weights, path)
    with pytest.raises(CheckpointError):
        TextMotionEvaluator.from_pretrained(path, stats=IDENTITY)
    assert not (tmp_path / "ran").exists()


def test_word_vectors_of_another_width(finest):
    table = WordVectors(["sos", "eos", "unk"], np.zeros((3, 50), np.float32))
    with pytest.raises(ValueError, match=r"word vectors of 300 numbers, as the text encoder reads them, got 50"):
        evaluator_from_original(finest, glove=table, stats=IDENTITY)


def test_glove_is_for_originals(evaluator, glove, tmp_path):
    evaluator.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="glove and stats belong to an original checkpoint"):
        TextMotionEvaluator.from_pretrained(tmp_path, glove=glove, stats=IDENTITY)
