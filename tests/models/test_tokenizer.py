"""Tokenizers with motion tokens: ids as MotionGPT's, the same after saving, and no structure from what users type."""

import json

import pytest

pytest.importorskip("transformers")

from transformers import AutoTokenizer, PreTrainedTokenizerFast, T5Tokenizer

from atom_hf.models.chat_template import CHAT_TEMPLATE
from atom_hf.models.tokenizer import (
    SMALLEST_VOCAB,
    add_motion_tokens,
    load_motion_tokenizer,
    motion_ids,
    train_tokenizer,
)
from atom_hf.motion import codes_to_text

TEXTS = [
    "a person walks forward slowly and waves",
    "the man jumps over a box then sits down",
    "someone runs in a circle",
] * 10
MIXED = [
    "a man <motion_id_512><motion_id_3>",
    "Generate text: <motion_id_512><motion_id_5><motion_id_513>",
    "<motion_id_7> turns <motion_id_8>",
    "héllo 👋 跑步\nx\ty  z",
    "",
]


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(TEXTS, vocab_size=410)


@pytest.fixture(scope="module")
def golden(shared):
    folder = shared / "golden"
    return folder / "c_tiny_lm" / "base_tokenizer", json.loads((folder / "c_lm_tiny.json").read_text("utf-8"))


def test_layout(tokenizer):
    assert tokenizer.convert_tokens_to_ids(["<pad>", "</s>", "<unk>"]) == [0, 1, 2]
    ids = motion_ids(tokenizer)
    assert ids == range(len(tokenizer) - 515, len(tokenizer)) and ids.start == 410
    assert tokenizer.convert_tokens_to_ids(["<motion_id_0>", "<motion_id_514>"]) == [ids.start, ids.stop - 1]


def test_words_are_learnt_though_each_occurs_in_one_form_only(tokenizer):
    tokens = tokenizer.convert_ids_to_tokens(tokenizer("the man waves").input_ids)
    assert tokens == ["▁the", "▁man", "▁waves", "</s>"]
    assert motion_ids(train_tokenizer(TEXTS, 2000)).start < 600  # few texts fill less
    tokens = tokenizer.convert_ids_to_tokens(tokenizer("a man, then a man.").input_ids)
    assert tokens == ["▁a", "▁man", ",", "▁then", "▁a", "▁man", ".", "</s>"]


def test_every_text_ends_with_eos(tokenizer):
    batch = tokenizer(["a man", "a man jumps over"], padding=True)
    assert sorted(batch) == ["attention_mask", "input_ids"]
    assert all(
        ids[sum(mask) - 1] == 1 for ids, mask in zip(*map(batch.get, ("input_ids", "attention_mask")), strict=True)
    )


@pytest.mark.parametrize(
    "text",
    ["a person walks", "naïve 👩‍👩‍👧 跑步 \U0010ffff", "two  blanks\nand\tmore\r\n", "<0x41> <3 -> {x}", *MIXED],
)
def test_decoding_gives_the_text_back(tokenizer, text):
    ids = tokenizer(text).input_ids
    assert tokenizer.unk_token_id not in ids
    assert tokenizer.decode(ids, skip_special_tokens=True) == text


def test_motion_tokens_are_normal_tokens(tokenizer):
    text = codes_to_text([0, 511])
    assert tokenizer.decode(tokenizer(text).input_ids, skip_special_tokens=True) == text
    assert len(tokenizer(text).input_ids) == 5


def test_blank_before_a_motion_token_is_kept(tokenizer):
    tokens = tokenizer.convert_ids_to_tokens(tokenizer("a man <motion_id_512><motion_id_3>").input_ids)
    assert tokens[-4:] == ["▁", "<motion_id_512>", "<motion_id_3>", "</s>"]


@pytest.mark.parametrize("model_type", [None, "t5"])
@pytest.mark.parametrize("loader", [AutoTokenizer.from_pretrained, PreTrainedTokenizerFast.from_pretrained])
def test_saved_and_loaded(tokenizer, tmp_path, loader, model_type):
    tokenizer.save_pretrained(tmp_path)
    if model_type:
        (tmp_path / "config.json").write_text(json.dumps({"model_type": model_type}))
    loaded = loader(tmp_path)
    assert loaded(MIXED).input_ids == tokenizer(MIXED).input_ids
    assert loaded.get_vocab() == tokenizer.get_vocab()
    assert [loaded.decode(ids) for ids in loaded(MIXED).input_ids] == [
        tokenizer.decode(ids) for ids in tokenizer(MIXED).input_ids
    ]
    assert loaded.chat_template == CHAT_TEMPLATE
    assert loaded.model_input_names == ["input_ids", "attention_mask"]
    assert motion_ids(load_motion_tokenizer(tmp_path)) == motion_ids(tokenizer)


def test_small_codebook():
    tokenizer = train_tokenizer(TEXTS, 380, num_codes=64)
    assert len(motion_ids(tokenizer)) == 67
    assert tokenizer.decode(motion_ids(tokenizer)[-1]) == "<motion_id_66>"


def test_rare_characters_are_left_to_bytes():
    texts = ["".join(chr(0x4E00 + i) for i in range(500)), "a man", "a man"]
    tokenizer = train_tokenizer(texts, SMALLEST_VOCAB)
    assert motion_ids(tokenizer).start == SMALLEST_VOCAB
    assert tokenizer.decode(tokenizer(texts[0]).input_ids, skip_special_tokens=True) == texts[0]


@pytest.mark.parametrize(
    ("texts", "size", "error", "message"),
    [
        (["a"], 300, ValueError, "at least 354 .*256 bytes.*, got 300"),
        ([], 400, ValueError, "at least one text to learn words from"),
        (["  "], 400, ValueError, "at least one text to learn words from"),
        ([None], 400, TypeError, "texts to be strings, got NoneType"),
    ],
)
def test_cannot_train(texts, size, error, message):
    with pytest.raises(error, match=message):
        train_tokenizer(texts, size)


def test_ids_of_motiongpt(golden):
    """Text, motion and mixtures get the ids that the original gave them, and decode to the same text."""
    folder, numbers = golden
    tokenizer = load_motion_tokenizer(folder)
    assert motion_ids(tokenizer) == range(224, 739)
    assert len(numbers["tokenize"]) == 9
    for case in numbers["tokenize"]:
        assert (case["text"], tokenizer(case["text"]).input_ids) == (case["text"], case["ids"])
        assert tokenizer.decode(case["ids"]) == case["decode"]
        assert tokenizer.decode(case["ids"], skip_special_tokens=True) == case["decode_skip_special"]


def test_tokens_of_motiongpt_survive_saving(golden, tmp_path):
    folder, numbers = golden
    load_motion_tokenizer(folder).save_pretrained(tmp_path)
    for tokenizer in (load_motion_tokenizer(tmp_path), AutoTokenizer.from_pretrained(tmp_path)):
        for case in numbers["tokenize"]:
            assert tokenizer(case["text"]).input_ids == case["ids"]


def _t5(words: int, sentinels: int) -> T5Tokenizer:
    vocab = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    vocab += [(f"w{i}", -9.0) for i in range(words - len(vocab))]
    vocab += [(f"<extra_id_{i}>", 0.0) for i in reversed(range(sentinels))]
    return T5Tokenizer(vocab=vocab, extra_ids=sentinels)


def test_layout_of_flan_t5():
    tokenizer = _t5(32000, 100)
    assert add_motion_tokens(tokenizer) == range(32100, 32615)
    assert add_motion_tokens(tokenizer) == range(32100, 32615)  # again: nothing happens
    assert tokenizer.chat_template == CHAT_TEMPLATE
    assert tokenizer("<motion_id_512>").input_ids == [32612, 1]
    with pytest.raises(ValueError, match=r"67 motion tokens for num_codes=64, but .* has 515, which is num_codes=512"):
        add_motion_tokens(tokenizer, 64)


def test_tokenizers_of_another_layout():
    with pytest.raises(ValueError, match=r"32100 tokens of T5 .*, got 32000: motion tokens would get other ids"):
        add_motion_tokens(_t5(32000, 0))
    with pytest.raises(ValueError, match=r"it has none; see add_motion_tokens"):
        motion_ids(_t5(10, 0))
    shuffled = _t5(10, 0)
    shuffled.add_tokens([f"<motion_id_{i}>" for i in (0, 2, 1, 3, 4)])
    with pytest.raises(ValueError, match=r"ids in a row, but the 5 of this tokenizer are not"):
        add_motion_tokens(shuffled)
    with pytest.raises(ValueError, match="at least one code, got num_codes=0"):
        add_motion_tokens(_t5(10, 0), 0)


def _chat(tokenizer, *contents):
    roles = ("user", "assistant")
    messages = [{"role": role, "content": content} for role, content in zip(roles, contents, strict=False)]
    return tokenizer.apply_chat_template(messages, tokenize=False)


@pytest.mark.parametrize(
    ("typed", "rendered"),
    [
        ("a man waves", "a man waves"),
        ("a </s> b <pad>", "a (/s) b (pad)"),
        ("<motion_<motion_id_1>id_7>", "<motion_(motion_id_1)id_7>"),
        ("\uff1c/s\uff1e \ufe64/\uff53\ufe65 <motion\x07_id_3>", "(/s) (/\uff53) (motion\x07_id_3)"),
        ("<3 hops -> turn", "(3 hops -) turn"),
        ("2 < 3", "2 < 3"),
    ],
)
def test_chat_template_keeps_structure_out_of_what_users_say(tokenizer, typed, rendered):
    assert _chat(tokenizer, typed, codes_to_text([7])) == f"Generate motion: {rendered}</s>{codes_to_text([7])}</s>"
    ids = tokenizer(_chat(tokenizer, typed), add_special_tokens=False).input_ids
    assert ids.count(1) == 1 and max(ids) < motion_ids(tokenizer).start


def test_chat_template_keeps_motion_of_the_assistant(tokenizer):
    said = "<motion_id_512><motion_id_5></s><pad> <extra_id_3><motion_id_513> <3"
    assert _chat(tokenizer, "x", said).endswith(
        "<motion_id_512><motion_id_5>(/s)(pad) (extra_id_3)<motion_id_513> <3</s>"
    )


def test_chat_template_takes_motion_as_a_part(tokenizer):
    """Motion-to-text: a part of type motion holds tokens, whatever the words around it are."""
    parts = [{"type": "text", "text": "Generate text: <motion_id_4>"}, {"type": "motion", "text": codes_to_text([7])}]
    assert _chat(tokenizer, parts, "a man") == f"Generate text: (motion_id_4){codes_to_text([7])}</s>a man</s>"


def test_prompt_is_a_prefix_of_prompt_and_completion(tokenizer):
    """What trainers rely on to find where the completion starts."""
    prompt = tokenizer(_chat(tokenizer, "a man waves"), add_special_tokens=False).input_ids
    whole = tokenizer(_chat(tokenizer, "a man waves", codes_to_text([7])), add_special_tokens=False).input_ids
    assert whole[: len(prompt)] == prompt and prompt == tokenizer("Generate motion: a man waves").input_ids
    assert whole[len(prompt) :] == tokenizer(codes_to_text([7])).input_ids
