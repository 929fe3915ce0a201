"""What is wrong with a row of preference data: its prompt, its motions, their form."""

from typing import Any

import pytest

pytest.importorskip("trl")

from atom_hf.trainer.row_faults import completion_fault, content, motion_fault, pair_fault, prompt_fault
from tests.models.trl_parts import NUM_CODES
from tests.trainer.conftest import message

WHOLE = "<motion_id_16><motion_id_3><motion_id_17>"
USER, MOTION = message("user", "a man"), message("assistant", WHOLE)
OTHER = message("assistant", "<motion_id_16><motion_id_4><motion_id_17>")


def test_text_of_a_message():
    assert content(USER) == "a man" and content([]) == ""
    assert content(message("user", [{"type": "text", "text": "a "}, {"type": "text", "text": "man"}])) == "a man"
    assert content(message("user", [{"type": "motion", "text": None}])) == ""


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ({"prompt": USER, "chosen": MOTION, "rejected": OTHER}, None),
        ({"prompt": USER, "chosen": MOTION, "rejected": MOTION}, "chosen and rejected are the same motion"),
        ({"prompt": [*USER, *USER], "chosen": MOTION, "rejected": OTHER}, "prompt: expected one message with role"),
        ({"prompt": [], "chosen": MOTION, "rejected": OTHER}, "prompt: expected one message with role"),
        (
            {"prompt": None, "chosen": MOTION, "rejected": OTHER},
            "prompt: expected text or a conversation, got NoneTyp",
        ),
        ({"prompt": 5, "chosen": MOTION, "rejected": OTHER}, "prompt: expected text or a conversation, got int 5"),
        ({"prompt": MOTION, "chosen": MOTION, "rejected": OTHER}, "prompt: expected one message of the user, got"),
        ({"prompt": message("user", " "), "chosen": MOTION, "rejected": OTHER}, "the prompt is empty"),
        ({"prompt": USER, "chosen": USER, "rejected": OTHER}, "chosen: expected one message of the assistant, got"),
        ({"prompt": USER, "chosen": message("user", WHOLE), "rejected": OTHER}, "chosen: expected one message of the"),
        ({"prompt": USER, "chosen": MOTION, "rejected": []}, "rejected: expected one message with role and content"),
        (
            {"prompt": USER, "chosen": [3, 4], "rejected": OTHER},
            "chosen: expected text or a conversation, got list [3",
        ),
        ({"prompt": USER, "chosen": MOTION, "rejected": [*MOTION, *OTHER]}, "rejected: expected one message with"),
        (
            {"prompt": USER, "chosen": message("assistant", None), "rejected": OTHER},
            "chosen: expected text as content, got NoneType None",
        ),
        (
            {"prompt": USER, "chosen": MOTION, "rejected": message("assistant", "<motion_id_19>")},
            "rejected: <motion_id_19> is no token of a model with 16 codes",
        ),
    ],
)
def test_faults_of_a_pair(row: dict[str, Any], fault: str | None):
    found = pair_fault(row, NUM_CODES)
    assert found is None if fault is None else found is not None and fault in found


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (WHOLE, None),
        ("he runs", "expected motion text such as <motion_id_16><motion_id_7>…<motion_id_17>, got 'he runs'"),
        ("", "expected motion text"),
        (
            "The motion is <motion_id_5> which is lovely",
            "not a whole motion: .* got 'The motion is   which is lovely'",
        ),
        (f"{WHOLE} and more", "nothing around or between them, got 'and more' beside them"),
        (f" {WHOLE}", "nothing around or between them"),
        (f"{WHOLE}\n", "nothing around or between them"),
        (f"{WHOLE}</s>", "got '</s>' beside them"),
        (WHOLE.replace("><", "> <"), "nothing around or between them"),
        (WHOLE.replace("_3>", "_03>"), "nothing around or between them"),
        ("<motion_id_3>", "expected <motion_id_16> first and <motion_id_17> last, got '<motion_id_3>'"),
        ("<motion_id_16><motion_id_3>", "<motion_id_17> last"),
        ("<motion_id_3><motion_id_17>", "<motion_id_16> first"),
        ("<motion_id_16><motion_id_17>", "expected codes between <motion_id_16> and <motion_id_17>, got none"),
        (WHOLE + WHOLE, "expected codes from 0 to 15 between <motion_id_16> and <motion_id_17>, got <motion_id_17>"),
        ("<motion_id_16><motion_id_3><motion_id_16><motion_id_3><motion_id_17>", "got <motion_id_16>"),
        ("<motion_id_16><motion_id_18><motion_id_17>", "got <motion_id_18>"),  # the mask
    ],
)
def test_a_completion_is_one_whole_motion(text: str, fault: str | None):
    found = motion_fault(text, NUM_CODES)
    if fault is None:
        assert found is None and completion_fault(message("assistant", text), NUM_CODES) is None
    else:
        with pytest.raises(ValueError, match=fault):
            raise ValueError(found)


def test_a_completion_in_parts():
    parts = [{"type": "text", "text": WHOLE[:14]}, {"type": "text", "text": WHOLE[14:]}]
    assert completion_fault(message("assistant", parts), NUM_CODES) is None  # type: ignore[arg-type]
    parts.append({"type": "text"})
    assert "expected text as content" in str(completion_fault(message("assistant", parts), NUM_CODES))  # type: ignore[arg-type]


def test_a_prompt_alone():
    assert prompt_fault(USER) is None
    assert prompt_fault("a man") == "prompt: expected text or a conversation, got str a man."
