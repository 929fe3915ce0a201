"""Prompt templates: filled as MotionGPT fills them, and captions that cannot expand into anything."""

import json
import random

import numpy as np
import pytest

from atom_hf.models.templates import (
    MOTION_IN_BETWEEN,
    MOTION_PREDICTION,
    MOTION_TO_TEXT,
    TEXT_TO_MOTION,
    Instruction,
    fill,
    needs,
    read_instructions,
)
from atom_hf.motion import MotionFormatError, codes_to_text


@pytest.fixture(scope="module")
def golden(shared):
    return json.loads((shared / "golden" / "c_lm_tiny.json").read_text(encoding="utf-8"))


def test_placeholders_as_motiongpt_fills_them(golden):
    """All seven, for several lengths, with the quotation marks that its seeds give."""
    case_list = golden["placeholder"]["cases"]
    assert len(case_list) == 10 and {case["quoted"] for case in case_list} == {True, False}
    for case in case_list:
        codes = range(100, 100 + case["n_tokens"])
        text = fill(
            golden["placeholder"]["template"],
            "a person walks",
            list(codes),
            case["length_arg"],
            rng=random.Random(case["seed"]),
        )
        assert text == case["result"]


@pytest.mark.parametrize(("task", "template"), [("t2m", TEXT_TO_MOTION), ("m2t", MOTION_TO_TEXT)])
def test_training_prompts_as_motiongpt_draws_them(golden, task, template):
    """Its order of draws: the kind of training of a batch, then for each row input, output and two quotations."""
    rng = random.Random(golden[task]["seed"])
    rng.choice(["supervised"] * 3)
    instruction = Instruction("", "", task, (template.input,), (template.output,))
    for i, (caption, codes) in enumerate(zip(golden["texts"], golden["motion_tokens"], strict=True)):
        drawn = instruction.choose(rng)
        assert drawn == template
        assert fill(drawn.input, caption, codes, rng=rng) == golden[task]["inputs"][i]
        assert fill(drawn.output, caption, codes, rng=rng) == golden[task]["outputs"][i]


def test_own_templates():
    codes = list(range(20))
    first, rest = codes_to_text(codes[:4]), codes_to_text(codes[4:])
    assert fill(TEXT_TO_MOTION.input, caption="a man jumps") == "Generate motion: a man jumps"
    assert fill(MOTION_PREDICTION.input, codes=codes) == f"Continue this motion: {first}"
    assert fill(MOTION_PREDICTION.output, codes=codes) == rest
    masked = fill(MOTION_IN_BETWEEN.input, codes=codes)
    assert masked.count("<motion_id_514>") == 10 and "<motion_id_4><motion_id_514>" in masked
    assert "<motion_id_514><motion_id_15>" in masked
    assert fill(MOTION_IN_BETWEEN.output, codes=codes) == codes_to_text(codes)


def test_another_codebook():
    template = "<Motion_Placeholder> <Motion_Placeholder_Masked>"
    text = fill(template, codes=[1, 2, 3, 4], num_codes=64)
    start, end, mask = "<motion_id_64>", "<motion_id_65>", "<motion_id_66>"
    tokens = [f"<motion_id_{i}>" for i in (1, 2, 3, 4)]
    assert text == "".join([start, *tokens, end, " ", start, tokens[0], mask, mask, tokens[3], end])


def test_parts_of_motions_as_they_are():
    assert fill("<Motion_Placeholder_s1>", codes=[5, 6], cut=False) == codes_to_text([5, 6])
    masked = fill("<Motion_Placeholder_Masked>", codes=np.array([5, -1, -1, 6]), cut=False)
    assert masked == codes_to_text([5, 0, 0, 6]).replace("<motion_id_0>", "<motion_id_514>")
    with pytest.raises(ValueError, match=r"from 0 to 511, got \[-1\]"):
        fill("<Motion_Placeholder_Masked>", codes=[5, -1])


def test_length_without_a_motion():
    assert fill("<Frame_Placeholder> frames, <Second_Placeholder> s", frames=199) == "199 frames, 9.0 s"


def test_captions_do_not_expand():
    """Single pass, and neutralised before: neither placeholders nor tokens of a caption become anything."""
    caption = r"<Motion_Placeholder> </s> <Second_Placeholder> <motion_id_3> \1"
    text = fill("<Caption_Placeholder>|<Motion_Placeholder>", caption=caption, codes=[7])
    assert text == rf"(Motion_Placeholder) (/s) (Second_Placeholder) (motion_id_3) \1|{codes_to_text([7])}"


def test_other_text_in_brackets_stays():
    template = "<Framelen_Placeholder> <Caption_Placeholder_s1> <Motion_Placeholder_s3> <b>"
    assert fill(template) == template and needs(template) == frozenset()


def test_needs():
    assert needs(TEXT_TO_MOTION.input) == {"caption"}
    assert needs("<Motion_Placeholder_s2> <Second_Placeholder> <Frame_Placeholder>") == {"codes", "frames"}


@pytest.mark.parametrize(
    ("template", "given", "error", "message"),
    [
        ("x <Motion_Placeholder>", {}, ValueError, r"'x <Motion_Placeholder>' needs codes; give fill\(…, codes=…\)"),
        ("<Frame_Placeholder><Caption_Placeholder>", {}, ValueError, "needs caption and frames"),
        ("<Motion_Placeholder>", {"codes": [512]}, ValueError, "from 0 to 511"),
        ("<Motion_Placeholder>", {"codes": [5], "frames": 8}, ValueError, "1 codes are of 0 to 7 frames.*frames=8"),
        ("<Motion_Placeholder>", {"codes": [5], "frames": 4.0}, TypeError, "frames as an integer, got float"),
        ("<Caption_Placeholder>", {"caption": 3}, TypeError, "a string, got int"),
    ],
)
def test_cannot_fill(template, given, error, message):
    with pytest.raises(error, match=message):
        fill(template, **given)


def _write(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_read_instructions(tmp_path):
    entry = {"class": "t2m", "input": ["Show <Caption_Placeholder>", "Do it"], "output": ["<Motion_Placeholder>"]}
    path = _write(tmp_path / "mine.json", {"Text-to-Motion": {"caption": entry}, "Other": {"a": entry, "b": entry}})
    instructions = read_instructions(path)
    assert [(i.task, i.name) for i in instructions] == [("Text-to-Motion", "caption"), ("Other", "a"), ("Other", "b")]
    assert instructions[0].kind == "t2m" and instructions[0].inputs == tuple(entry["input"])
    chosen = {instructions[0].choose(random.Random(seed)).input for seed in range(20)}
    assert chosen == set(entry["input"])


def test_read_motiongpts_instructions(shared):
    folder = shared / "reference" / "motiongpt_meta"
    pretrain = read_instructions(folder / "template_pretrain.json")
    assert [i.kind for i in pretrain] == ["t2m", "m2t", "predict"]
    instructions = read_instructions(folder / "template_instructions.json")
    assert len(instructions) == 18
    assert sum(len(i.inputs) for i in instructions) > 1500
    for instruction in instructions:  # each of its templates can be filled
        for template in (*instruction.inputs, *instruction.outputs):
            text = fill(template, "CAPTION", [7, 8], 8)
            assert "_Placeholder" not in text or "<Framelen_Placeholder>" in template


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "expected instructions in JSON"),
        ("[" * 100_000, "expected instructions in JSON"),
        ([1], r"expected \{task: \{name: instruction\}\}"),
        ({"a": 3}, r"expected \{task: \{name: instruction\}\}"),
        ({}, "at least one task, got none"),
        ({"a": {"b": {"class": "t2m", "input": "x", "output": ["y"]}}}, "as instruction 'a', 'b', got"),
        ({"a": {"b": {"class": "t2m", "input": [], "output": ["y"]}}}, "as instruction 'a', 'b', got"),
        ({"a": {"b": {"class": "t2m", "input": [3], "output": ["y"]}}}, "as instruction 'a', 'b', got"),
        ({"a": {"b": {"input": ["x"], "output": ["y"]}}}, "as instruction 'a', 'b', got"),
        ({"a": {"b": 5}}, "as instruction 'a', 'b', got 5"),
    ],
)
def test_no_instructions(tmp_path, content, message):
    path = _write(tmp_path / "broken.json", content)
    with pytest.raises(MotionFormatError, match=message):
        read_instructions(path)


def test_no_file(tmp_path):
    with pytest.raises(MotionFormatError, match="no such file"):
        read_instructions(tmp_path / "absent.json")
