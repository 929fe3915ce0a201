"""What a dataset's card says of its judge's calibration."""

import json

import pytest

from atom_hf.rewards import KinematicJudge
from atom_hf.rewards.calibration import calibrate
from atom_hf.rewards.calibration_items import calibration_items
from atom_hf.rewards.calibration_words import calibration_words


@pytest.fixture(scope="module")
def report():
    return calibrate(KinematicJudge(), calibration_items(32, 0), source="32 synthesised motions").to_json()


@pytest.fixture
def write(report, tmp_path):
    def written(**changes):
        path = tmp_path / "c.json"
        path.write_text(json.dumps(json.loads(report) | changes), encoding="utf-8")
        return path

    return written


def test_figures(write):
    words = calibration_words(write(), "kinematic-1")
    assert words == (
        "of kinematic-1: Cohen's κ 1.00 (1.00–1.00), rank correlation 1.00 (1.00–1.00), the better of two motions "
        "found in 1.00 (1.00–1.00) of the pairs, 32 of 32 motions scored, on 32 synthesised motions"
    )


def test_a_warning_comes_first(write):
    words = calibration_words(write(warning="Judge m, x-1 is not to be relied on.", judge="m, x-1"), "m")
    assert words.startswith("Judge m, x-1 is not to be relied on. Measured: Cohen's κ 1.00")


def test_the_layout_that_the_judge_sees(write, report):
    other = json.loads(report) | {"layout": "strip, 6 frames", "warning": "Not with strips."}
    path = write(judge="m, x-1", layout="sheet, 12 frames", by_layout=[other])
    assert calibration_words(path, "m", "strip, 6 frames").startswith("Not with strips. Measured: ")
    assert "other pictures" not in calibration_words(path, "m", "sheet, 12 frames")
    assert calibration_words(path, "m", "views, 5 frames").endswith(
        "; measured with other pictures than the judge saw here (sheet, 12 frames; here views, 5 frames)"
    )


def test_what_is_none(write, tmp_path):
    with pytest.raises(ValueError, match="is a calibration of kinematic-1, but the judge is gpt-4o; calibrate that"):
        calibration_words(write(), "gpt-4o")
    with pytest.raises(ValueError, match="is a calibration of gpt-4o-mini, x-1, but the judge is gpt-4o;"):
        calibration_words(write(judge="gpt-4o-mini, x-1"), "gpt-4o")
    with pytest.raises(FileNotFoundError, match=r"none.json: expected a calibration, but there is no such file"):
        calibration_words(tmp_path / "none.json", "gpt-4o")
    for content in ("", "[]", "{}", '{"judge": "x"}'):
        (tmp_path / "bad.json").write_text(content)
        with pytest.raises(ValueError, match=r"bad.json: expected JSON that `atom-hf judge calibrate"):
            calibration_words(tmp_path / "bad.json", "gpt-4o")
