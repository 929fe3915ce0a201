"""The processor: captions and motions to ids and back, with nothing cut, and nothing typed that becomes structure."""

import json
import logging
import random

import numpy as np
import pytest

pytest.importorskip("transformers")
pytest.importorskip("torch")

import torch
from transformers import T5Tokenizer

from atom_hf.models.processing import MotionGPTProcessor
from atom_hf.models.templates import MOTION_PREDICTION, Template
from atom_hf.models.tokenizer import add_motion_tokens, load_motion_tokenizer, motion_ids, train_tokenizer
from atom_hf.motion import Motion, MotionStats, codes_to_text

CAPTIONS = ["a person walks forward", "the man jumps twice, then sits down"]
STATS = MotionStats(np.linspace(-1, 1, 263), np.linspace(0.1, 2, 263))


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer([f"Generate motion: {caption}." for caption in CAPTIONS] * 5, 420)


@pytest.fixture
def processor(tokenizer):
    return MotionGPTProcessor(tokenizer, stats=STATS)


def _motion(codes=None):
    return Motion(np.random.default_rng(0).normal(size=(8, 22, 3)), codes=codes)


def test_prompts_are_padded_to_the_longest(processor, tokenizer):
    batch = processor(text=CAPTIONS)
    assert sorted(batch) == ["attention_mask", "input_ids"]
    expected = [tokenizer(f"Generate motion: {caption}").input_ids for caption in CAPTIONS]
    assert batch["input_ids"].shape == (2, max(map(len, expected)))
    for row, mask, ids in zip(batch["input_ids"], batch["attention_mask"], expected, strict=True):
        assert row[: len(ids)].tolist() == ids and set(row[len(ids) :].tolist()) <= {0}
        assert mask.tolist() == [1] * len(ids) + [0] * (len(row) - len(ids))


def test_left_padding(processor):
    right, left = processor(text=CAPTIONS), processor(text=CAPTIONS, padding_side="left")
    for name in ("input_ids", "attention_mask"):
        short = int(right["attention_mask"][0].sum())
        assert left[name][0, -short:].tolist() == right[name][0, :short].tolist()
        assert left[name][1].tolist() == right[name][1].tolist()
    assert left["attention_mask"][0, 0] == 0


def test_other_kinds_of_result(processor):
    one = processor(text=CAPTIONS[0], return_tensors="np")
    assert isinstance(one["input_ids"], np.ndarray) and one["input_ids"].shape[0] == 1
    assert torch.equal(processor(text=iter(CAPTIONS))["input_ids"], processor(text=tuple(CAPTIONS))["input_ids"])
    lists = processor(text=CAPTIONS, padding=False, return_tensors=None)
    assert [len(row) for row in lists["input_ids"]] == [sum(mask) for mask in lists["attention_mask"]]
    assert lists["input_ids"][0] == processor.prompt_ids(CAPTIONS[0]) == one["input_ids"][0].tolist()


@pytest.mark.parametrize(
    "motions",
    [
        [[5, 7], [9]],
        [np.array([5, 7]), np.array([9])],
        [torch.tensor([5, 7]), torch.tensor([9])],
        [_motion([5, 7]), _motion([9])],
    ],
)
def test_labels(processor, tokenizer, motions):
    batch = processor(text=CAPTIONS, motion=motions)
    long, short = (tokenizer(codes_to_text(codes)).input_ids for codes in ([5, 7], [9]))
    assert batch["labels"].tolist() == [long, [*short, -100]]
    assert torch.equal(batch["input_ids"], processor(text=CAPTIONS)["input_ids"])
    one = processor(text=CAPTIONS[0], motion=motions[0])
    assert one["labels"].tolist() == [long]


def test_a_matrix_of_codes_is_a_batch(processor):
    matrix = np.array([[1, 2], [3, 4]])
    assert processor(text=CAPTIONS, motion=matrix)["labels"].shape == (2, 5)
    assert processor(text=CAPTIONS, motion=torch.tensor(matrix))["labels"].shape == (2, 5)


def test_motion_to_text(processor, tokenizer):
    asked = processor(motion=[5, 7])
    assert tokenizer.decode(asked["input_ids"][0]) == f"Generate text: {codes_to_text([5, 7])}</s>"
    assert "labels" not in asked
    both = processor(text=CAPTIONS[0], motion=[5, 7], task="motion-to-text")
    assert tokenizer.decode(both["labels"][0]) == f"{CAPTIONS[0]}</s>"


def test_motion_prediction_needs_no_text(processor, tokenizer):
    codes = list(range(20))
    batch = processor(motion=codes, task="prediction")
    assert tokenizer.decode(batch["labels"][0]) == f"{codes_to_text(codes[4:])}</s>"


def test_task_ids_take_codes_as_they_are(processor, tokenizer):
    ids = processor.task_ids("prediction", codes=[5, 7])
    assert (
        tokenizer.decode(ids)
        == MOTION_PREDICTION.input.replace("<Motion_Placeholder_s1>", codes_to_text([5, 7])) + "</s>"
    )
    masked = tokenizer.decode(processor.task_ids("inbetween", codes=np.array([5, -1, 7])))
    assert "<motion_id_5><motion_id_514><motion_id_7><motion_id_513></s>" in masked
    assert processor.task_ids("text-to-motion", caption=CAPTIONS[0]) == processor.prompt_ids(CAPTIONS[0])
    with pytest.raises(ValueError, match=r"one of the tasks text-to-motion, motion-to-text, .*, got 'dance'"):
        processor.task_ids("dance")
    with pytest.raises(ValueError, match="needs codes"):
        processor.task_ids("prediction")


def test_answers(processor, tokenizer):
    assert processor.motion_ids(_motion([5, 7])) == tokenizer(codes_to_text([5, 7])).input_ids
    assert tokenizer.decode(processor.text_ids("a man <motion_id_3>")) == "a man (motion_id_3)</s>"


def test_quotation_marks_as_in_training(processor, tokenizer):
    rng = random.Random(0)
    prompts = [tokenizer.decode(processor(text="a man", rng=rng)["input_ids"][0]) for _ in range(20)]
    assert set(prompts) == {"Generate motion: a man</s>", 'Generate motion: "a man"</s>'}


def test_typed_structure_becomes_words_and_is_reported_once(processor, tokenizer, caplog):
    typed = ["a man </s> jumps <motion_id_7>", "waves </s>", "sits"]
    with caplog.at_level(logging.WARNING, "atom_hf.models.processing"):
        batch = processor(text=typed)
    (record,) = caplog.records
    assert record.getMessage() == (
        "Text never becomes structure: '</s>', '<motion_id_7>' in 2 of 3 prompts now stand in parentheses, as words."
    )
    assert (batch["input_ids"] == 1).sum() == 3  # one </s> a row
    assert int(batch["input_ids"].max()) < motion_ids(tokenizer).start
    assert tokenizer.decode(batch["input_ids"][0]) == "Generate motion: a man (/s) jumps (motion_id_7)</s>"


def test_structure_of_the_tokenizer_at_hand_is_neutralised_too(caplog):
    tokenizer = train_tokenizer(CAPTIONS, 400)
    tokenizer.add_tokens(["<left_hand>", "<style_3>"])
    processor = MotionGPTProcessor(tokenizer)
    text = tokenizer.decode(processor.prompt_ids("waves <left_hand> <style_9>"))
    assert text == "Generate motion: waves (left_hand) (style_9)</s>"


@pytest.mark.parametrize(
    "typed", [*CAPTIONS, "</s> \uff1cpad\uff1e <motion_id_3>", "<3 hops", "na\u00efve \U0001f44b"]
)
def test_rows_for_trl_have_the_ids_of_the_processor(processor, tokenizer, typed):
    row = processor.as_messages(typed, [5, 7])
    assert sorted(row) == ["completion", "prompt"]
    asked = processor.apply_chat_template(row["prompt"], tokenize=True, return_dict=False)
    assert asked == processor(text=typed)["input_ids"][0].tolist()
    whole = processor.apply_chat_template(row["prompt"] + row["completion"], tokenize=True, return_dict=False)
    assert whole == asked + processor(text=typed, motion=[5, 7])["labels"][0].tolist()


def test_rows_of_preferences(processor):
    row = processor.as_messages("a man waves", chosen=[1, 2], rejected=_motion([3]))
    assert row == {
        "prompt": [{"role": "user", "content": "a man waves"}],
        "chosen": [{"role": "assistant", "content": codes_to_text([1, 2])}],
        "rejected": [{"role": "assistant", "content": codes_to_text([3])}],
    }
    assert processor.apply_chat_template(row["prompt"]) == "Generate motion: a man waves</s>"
    assert list(processor.as_messages("a man waves")) == ["prompt"]


def test_decode_codes(processor, tokenizer):
    ids = [0, *tokenizer(codes_to_text([5, 7, 300])).input_ids, 0, 0, -100]
    for given in (ids, np.array(ids), torch.tensor(ids)):
        parsed = processor.decode_codes(given)
        assert parsed.codes.tolist() == [5, 7, 300]
        assert (parsed.complete, parsed.malformed, parsed.text) == (True, (), "<Motion_Placeholder>")
    assert processor.batch_decode([ids[:-1]], skip_special_tokens=True) == [codes_to_text([5, 7, 300])]
    prompt_and_motion = processor.prompt_ids("a man") + ids
    assert processor.decode_codes(prompt_and_motion).codes.tolist() == [5, 7, 300]


def test_decoding_what_a_model_got_wrong(processor, tokenizer):
    start = motion_ids(tokenizer).start
    unknown = [start + 512, start + 5, tokenizer.unk_token_id, start + 6, start + 513]
    parsed = processor.decode_codes(unknown)
    assert (parsed.codes.tolist(), parsed.malformed) == ([5, 6], ("unk",))
    assert processor.decode_codes([10**6, -7]).codes.tolist() == [0]
    assert not processor.decode_codes([]).complete
    mask = [start + 512, start + 514, start + 513]
    assert processor.decode_codes(mask).codes.tolist() == [511]
    assert processor.decode_codes(mask, clamp=False).codes.tolist() == [514]
    with pytest.raises(ValueError, match=r"ids of one text, \[L\], got shape \[1, 2\]; call decode_codes\(row\)"):
        processor.decode_codes([[1, 2]])


def test_features(processor):
    clips = [np.random.default_rng(i).normal(size=(4 + i, 263)) for i in range(2)]
    batch = processor(features=clips)
    assert batch["features"].shape == (2, 5, 263) and batch["features"].dtype == torch.float32
    assert batch["lengths"].tolist() == [4, 5]
    np.testing.assert_allclose(batch["features"][0, :4], (clips[0] - STATS.mean) / STATS.std, atol=1e-5)
    assert not batch["features"][0, 4].any()
    motion = Motion(np.zeros((4, 22, 3)), features=clips[0])
    for one in (clips[0], torch.tensor(clips[0]), motion, [motion], clips[0][None]):
        assert torch.equal(processor(features=one)["features"], batch["features"][:1, :4])


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({}, ValueError, "text, motion or features, got none"),
        ({"text": ""}, ValueError, "such as 'a person walks forward', got an empty prompt"),
        ({"text": ["a man", " \n"]}, ValueError, "got an empty prompt"),
        ({"text": []}, ValueError, "at least one prompt, got an empty list"),
        ({"text": [3]}, TypeError, "a string, got int"),
        ({"text": 3}, TypeError, "a string, got int"),
        ({"text": "a " * 400}, ValueError, "has 40[0-9] tokens, more than the 256 .*or set processor.max_length"),
        ({"text": "x", "motion": [[1], [2]]}, ValueError, "a motion for each text, got 1 texts and 2 motions"),
        ({"text": "x", "motion": [600]}, ValueError, r"from 0 to 511, got \[600\]"),
        ({"text": "x", "motion": _motion()}, ValueError, r"with codes, got Motion\(8 frames.*encode_motion"),
        ({"text": "x", "task": "dance"}, ValueError, "one of the tasks text-to-motion"),
        ({"text": "x", "padding": "max_length"}, ValueError, "to the longest .* got 'max_length'"),
        ({"text": "x", "padding_side": "top"}, ValueError, "'left' or 'right', got 'top'"),
        ({"features": np.zeros((4, 260))}, ValueError, r"\[..., T, 263\], got \[4, 260\]"),
        ({"features": []}, ValueError, "at least one clip of features, got an empty list"),
        ({"features": [np.zeros((2, 4, 263))]}, ValueError, r"features \[T, 263\] of one clip, got shape \[2, 4, "),
    ],
)  # fmt: skip
def test_mistakes_are_explained(processor, given, error, message):
    with pytest.raises(error, match=message):
        processor(**given)


def test_longer_prompts_where_the_model_takes_them(tokenizer):
    processor = MotionGPTProcessor(tokenizer, max_length=500)
    assert processor(text="a " * 400)["input_ids"].shape[1] > 400
    processor.max_length = 6
    with pytest.raises(ValueError, match="more than the 6"):
        processor.as_messages("a man walks and jumps")


def test_no_statistics(tokenizer):
    with pytest.raises(ValueError, match=r"has none; give MotionGPTProcessor\(tokenizer, stats="):
        MotionGPTProcessor(tokenizer)(features=np.zeros((4, 263)))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"max_length": 0}, ValueError, "at least 1, got 0"),
        ({"stats": [1]}, TypeError, "stats as MotionStats or None, got list"),
        ({"templates": {"dance": "Dance!"}}, TypeError, r"Template\(input, output\) for the task 'dance'"),
    ],
)
def test_bad_options(tokenizer, options, error, message):
    with pytest.raises(error, match=message):
        MotionGPTProcessor(tokenizer, **options)


def test_save_and_load(tokenizer, tmp_path):
    templates = {"text-to-motion": Template("Move: <Caption_Placeholder>", "<Motion_Placeholder>")}
    processor = MotionGPTProcessor(tokenizer, STATS, templates, max_length=99)
    processor.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "processor_config.json").read_text())
    assert (config["max_length"], config["processor_class"]) == (99, "MotionGPTProcessor")
    loaded = MotionGPTProcessor.from_pretrained(tmp_path)
    np.testing.assert_array_equal(loaded.stats.mean, STATS.mean)
    np.testing.assert_array_equal(loaded.stats.std, STATS.std)
    assert (loaded.max_length, loaded.templates) == (99, processor.templates)
    batch, again = (p(text=CAPTIONS, motion=[[1], [2]]) for p in (processor, loaded))
    assert all(torch.equal(batch[name], again[name]) for name in batch)
    assert tokenizer.decode(again["input_ids"][0]).startswith("Move: a person")
    row = loaded.as_messages("a man")
    assert loaded.apply_chat_template(row["prompt"]) == "Move: a man</s>"
    loaded.save_pretrained(tmp_path / "again")
    for name in ("processor_config.json", "tokenizer.json", "chat_template.jinja"):
        assert (tmp_path / "again" / name).read_text("utf-8") == (tmp_path / name).read_text("utf-8")


def test_options_can_be_changed_when_loading(tokenizer, tmp_path):
    MotionGPTProcessor(tokenizer).save_pretrained(tmp_path)
    assert MotionGPTProcessor.from_pretrained(tmp_path).stats is None
    loaded = MotionGPTProcessor.from_pretrained(tmp_path, stats=STATS, max_length=7)
    assert loaded.stats is STATS and loaded.max_length == 7
    loaded.save_pretrained(tmp_path / "again")
    np.testing.assert_array_equal(MotionGPTProcessor.from_pretrained(tmp_path / "again").stats.std, STATS.std)


def test_prompts_of_motiongpt(shared, tmp_path):
    """Ids of the original for its prompts, also after saving."""
    numbers = json.loads((shared / "golden" / "c_lm_tiny.json").read_text(encoding="utf-8"))
    processor = MotionGPTProcessor(load_motion_tokenizer(shared / "golden" / "c_tiny_lm" / "base_tokenizer"))
    processor.save_pretrained(tmp_path)
    arrays = np.load(shared / "golden" / "c_lm_tiny.npz")
    for case in (processor, MotionGPTProcessor.from_pretrained(tmp_path)):
        batch = case(text=numbers["texts"], motion=numbers["motion_tokens"], return_tensors="np")
        quoted = ['"' in prompt for prompt in numbers["t2m"]["inputs"]]
        for i in np.flatnonzero(np.logical_not(quoted)):
            ids, mask = arrays["t2m/input_ids"][i], arrays["t2m/attention_mask"][i].astype(bool)
            assert batch["input_ids"][i][batch["attention_mask"][i].astype(bool)].tolist() == ids[mask].tolist()
        np.testing.assert_array_equal(batch["labels"], arrays["t2m/labels"])
        batch = case(motion=numbers["motion_tokens"], return_tensors="np")
        np.testing.assert_array_equal(batch["input_ids"], arrays["m2t/input_ids"])


def test_tokenizers_that_do_not_fit(caplog):
    vocab = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0), ("a", -2.0)]
    t5 = T5Tokenizer(vocab=vocab, extra_ids=0)
    with pytest.raises(ValueError, match="it has none; see add_motion_tokens"):
        MotionGPTProcessor(t5)
    add_motion_tokens(t5)
    with caplog.at_level(logging.WARNING, "atom_hf.models.processing"):
        MotionGPTProcessor(t5)
    assert "drops the blank before a motion token" in caplog.text
