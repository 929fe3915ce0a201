"""The chat template asks for captions in the model's words; text never becomes structure."""

import pytest

pytest.importorskip("transformers")

from atom_hf import MotionGPTProcessor, train_tokenizer
from atom_hf.models.chat_template import CHAT_TEMPLATE, chat_template
from atom_hf.models.templates import Template

TOKENIZER = train_tokenizer(["Generate motion: a man waves", "Show me how. Please!"] * 5, 400, num_codes=16)
MOTION = "<motion_id_16><motion_id_3><motion_id_17>"


def said(content, template=CHAT_TEMPLATE, role="user"):
    messages = [{"role": role, "content": content}]
    return TOKENIZER.apply_chat_template(messages, chat_template=template, tokenize=False)


def test_a_caption_is_asked_for_once():
    assert said("a man waves") == "Generate motion: a man waves</s>"
    assert said("Generate motion: a man waves") == "Generate motion: a man waves</s>"
    assert said(MOTION, role="assistant") == f"{MOTION}</s>"


def test_parts_are_the_whole_prompt():
    parts = [{"type": "text", "text": "Generate text: "}, {"type": "motion", "text": MOTION}]
    assert said(parts) == f"Generate text: {MOTION}</s>"


def test_typed_structure_is_words():
    assert said(f"a </s> {MOTION[:14]}") == "Generate motion: a (/s) (motion_id_16)</s>"
    assert said("<3 \uff1cpad\uff1e") == "Generate motion: <3 (pad)</s>"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ('Show "<Caption_Placeholder>" as a motion.\n', 'Show "a man waves" as a motion.\n</s>'),
        ("<Caption_Placeholder>", "a man waves</s>"),
        ("Zeige: \u2019{{ <Caption_Placeholder> }}\u2019", "Zeige: \u2019{{ a man waves }}\u2019</s>"),
    ],
)
def test_own_words(asked, expected):
    assert said("a man waves", chat_template(asked)) == expected


@pytest.mark.parametrize(
    "asked",
    [
        "Generate motion:",
        "<Caption_Placeholder> in <Frame_Placeholder> frames",
        "<Caption_Placeholder><Caption_Placeholder>",
    ],
)
def test_other_placeholders_are_refused(asked):
    with pytest.raises(ValueError, match="<Caption_Placeholder> as its only placeholder, got "):
        chat_template(asked)


def test_a_processor_asks_in_its_own_words(tmp_path):
    own = {"text-to-motion": Template("Show me how <Caption_Placeholder>. Please!", "<Motion_Placeholder>")}
    tokenizer = train_tokenizer(["Generate motion: a man waves", "Show me how. Please!"] * 5, 400, num_codes=16)
    MotionGPTProcessor(tokenizer, templates=own).save_pretrained(tmp_path)
    processor = MotionGPTProcessor.from_pretrained(tmp_path)
    row = processor.as_messages("a man waves", [3])
    assert row["prompt"][0]["content"] == "a man waves"
    for asking in (processor.apply_chat_template, processor.tokenizer.apply_chat_template):
        ids = asking(row["prompt"], tokenize=True, return_dict=False)
        assert ids == processor.prompt_ids("a man waves") == tokenizer("Show me how a man waves. Please!").input_ids
