"""Motion codes as text: agreement with MotionGPT's parser in its corner cases, and no exception ever."""

import json
from pathlib import Path

import numpy as np
import pytest

from atom_hf.motion import codes_to_text, text_to_codes
from atom_hf.motion.codes import motion_token

GOLDEN = Path(__file__).parent.parent / "golden"


def test_writes_what_motiongpt_writes():
    assert codes_to_text([5, 7, 300]) == "<motion_id_512><motion_id_5><motion_id_7><motion_id_300><motion_id_513>"
    assert codes_to_text(np.array([], dtype=int)) == "<motion_id_512><motion_id_513>"
    assert codes_to_text([3], num_codes=64) == "<motion_id_64><motion_id_3><motion_id_65>"


def test_round_trip():
    codes = np.random.default_rng(0).integers(0, 512, 49)
    parsed = text_to_codes(codes_to_text(codes))
    np.testing.assert_array_equal(parsed.codes, codes)
    assert parsed.complete and not parsed.malformed and parsed.text == "<Motion_Placeholder>"


def test_agrees_with_motiongpt():
    """Its `motion_string_to_token` on 19 corner cases; where it raises, the rest is read."""
    cases = json.loads((GOLDEN / "motion_text.json").read_text(encoding="utf-8"))
    assert len(cases) == 19
    for name, case in cases.items():
        parsed = text_to_codes(case["string"], clamp=False)
        if "error" in case:
            assert (name, parsed.codes.tolist(), parsed.malformed) == ("unk_inside", [6, 7], ("unk",))
        else:
            assert (name, parsed.codes.tolist()) == (name, case["tokens"])
            assert (name, parsed.text) == (name, case["cleaned"])


def test_special_codes_are_clamped_for_decoding():
    text = motion_token(512) + motion_token(1) + motion_token(514) + motion_token(513)
    assert text_to_codes(text).codes.tolist() == [1, 511]
    assert text_to_codes(text, clamp=False).codes.tolist() == [1, 514]


@pytest.mark.parametrize(
    ("body", "codes", "malformed"),
    [
        ("<motion_id_512> <motion_id_5> <motion_id_513>", [0], (" <motion_id_5> ",)),
        ("<motion_id_5><motion_id_7>", [0], ("<motion_id_5>", "<motion_id_7>")),
        ("<motion_id_512>hello<motion_id_5><motion_id_6><motion_id_513>", [6], ("hello<motion_id_5",)),
        ("<motion_id_512><motion_id_6><motion_id_5> bye<motion_id_513>", [6], ("motion_id_5> bye",)),
        ("<motion_id_512><motion_id_6><unk><pad><motion_id_513>", [6], ("unk", "pad")),
        ("<motion_id_512><motion_id_99999999999999999999><motion_id_513>", [0], ("motion_id_99999999999999999999",)),
        ("<motion_id_512><motion_id_-3><motion_id_²><motion_id_513>", [0], ("motion_id_-3", "motion_id_²")),
    ],
)  # fmt: skip
def test_says_what_was_malformed(body, codes, malformed):
    parsed = text_to_codes(body)
    assert (parsed.codes.tolist(), parsed.malformed) == (codes, malformed)


def test_never_raises_on_a_models_output():
    rng = np.random.default_rng(1)
    pieces = [
        "<motion_id_512>",
        "<motion_id_513>",
        "<motion_id_5>",
        "<unk>",
        "><",
        "<",
        ">",
        "_",
        " ",
        "x",
        "</s>",
        "²",
        "\x00",
    ]
    for _ in range(3000):
        text = "".join(rng.choice(pieces, rng.integers(0, 9)))
        parsed = text_to_codes(text)
        assert len(parsed.codes) >= 1 and parsed.codes.min() >= 0 and parsed.codes.max() < 512
        assert parsed.complete or parsed.codes.tolist() == [0]


@pytest.mark.parametrize(
    ("codes", "error", "text"),
    [
        ([1, 512], ValueError, r"from 0 to 511, got \[512\]"),
        ([-1], ValueError, r"got \[-1\]"),
        ([[1, 2]], ValueError, r"shape \(n,\), got shape \(1, 2\)"),
        ([0.5], TypeError, "integer codes, got float64"),
    ],
)
def test_bad_codes(codes, error, text):
    with pytest.raises(error, match=text):
        codes_to_text(codes)
