"""Pairs for diffusion models: each motion decoded once, in batches, and a folder that is whole or can be finished."""

import json

import numpy as np
import pytest
import torch

from atom_hf.data.exporters import write_features
from atom_hf.data.exporters.motions import motion_name
from atom_hf.data.pairs import PairReport
from atom_hf.data.schema import pair_row
from atom_hf.motion import read_captions


def row(number, chosen, rejected, prompt="a man waves", degree="better"):
    return pair_row(
        id=str(number),
        prompt_id=prompt,
        prompt=prompt,
        task="overall",
        chosen={"codes": chosen, "score": 4.0},
        rejected={"codes": rejected, "score": 3.0},
        degree=degree,
        judge="k",
    )


ROWS = [
    row(0, [1, 2], [3]),
    row(1, [3], [4, 4]),
    row(2, [1, 2], [4, 4], "a man #1 jumps"),
    row(3, [9], [8], degree="skipped"),
]


class Decoder:
    """4 frames a code, all of the value of the first code; counts its batches."""

    def __init__(self, fail_after=None):
        self.batches, self.fail_after = [], fail_after

    def __call__(self, codes):
        if len(self.batches) == self.fail_after:
            raise RuntimeError("out of memory")
        self.batches.append(codes)
        return [torch.full((4 * len(motion), 263), float(motion[0])) for motion in codes]


def names(path):
    return path.read_text().split()


def test_what_is_written(tmp_path):
    decoder, report = Decoder(), PairReport()
    assert write_features(tmp_path, ROWS, decoder, batch_size=2, report=report) == 3
    assert decoder.batches == [[[1, 2], [3]], [[4, 4]]]  # each motion once
    pairs = [json.loads(line) for line in (tmp_path / "pairs.jsonl").read_text().splitlines()]
    assert [pair["id"] for pair in pairs] == ["0", "1", "2"]
    assert pairs[0] == {
        "prompt": "a man waves",
        "chosen": f"new_joint_vecs/{motion_name([1, 2])}.npy",
        "rejected": f"new_joint_vecs/{motion_name([3])}.npy",
        "id": "0",
        "prompt_id": "a man waves",
        "task": "overall",
        "degree": "better",
        "margin": 2.0,
        "chosen_score": 4.0,
        "rejected_score": 3.0,
        "judge": "k",
    }
    array = np.load(tmp_path / pairs[0]["chosen"])
    assert (array.shape, array.dtype, array[0, 0]) == ((8, 263), np.float32, 1.0)
    assert names(tmp_path / "all.txt") == [motion_name(codes) for codes in ([1, 2], [3], [4, 4])]
    assert names(tmp_path / "chosen.txt") == [motion_name([1, 2])]  # [3] was rejected, too
    assert (report.pairs, report.left_out, report.degrees) == (3, {"that people skipped": 1}, {"better": 3})


def test_texts_are_humanml3ds(tmp_path):
    write_features(tmp_path, ROWS, Decoder())
    captions = read_captions(tmp_path / "texts" / f"{motion_name([1, 2])}.txt")
    assert [caption.text for caption in captions] == ["a man waves", "a man 1 jumps"]
    assert captions[0].tokens == ("a/OTHER", "man/OTHER", "waves/OTHER") and captions[0].end == 0.0
    assert len(read_captions(tmp_path / "texts" / f"{motion_name([3])}.txt")) == 1


def test_skipped_pairs_on_demand(tmp_path):
    assert write_features(tmp_path, ROWS, Decoder(), skipped=True) == 4
    assert motion_name([9]) in names(tmp_path / "all.txt")
    assert motion_name([9]) not in names(tmp_path / "chosen.txt")


def test_a_stopped_run_goes_on(tmp_path):
    with pytest.raises(RuntimeError, match="out of memory"):
        write_features(tmp_path / "a", ROWS, Decoder(fail_after=1), batch_size=1)
    assert not (tmp_path / "a" / "pairs.jsonl").exists()
    with pytest.raises(FileExistsError, match="holds files"):
        write_features(tmp_path / "a", ROWS, Decoder())
    (tmp_path / "a" / ".pairs-xyz.jsonl").touch()  # what a killed run leaves
    decoder = Decoder()
    write_features(tmp_path / "a", ROWS, decoder, resume=True)
    assert decoder.batches == [[[3], [4, 4]]]
    write_features(tmp_path / "b", ROWS, Decoder())
    a, b = (
        {str(path.relative_to(tmp_path / part)): path.read_bytes() for path in (tmp_path / part).rglob("*.*")}
        for part in "ab"
    )
    assert a == b
    with pytest.raises(FileExistsError, match=r"left unfinished, but it has pairs\.jsonl"):
        write_features(tmp_path / "a", ROWS, decoder, resume=True)


@pytest.mark.parametrize(
    ("decode", "message"),
    [
        (lambda codes: [np.zeros((4, 263))], "features of 2 motions from decode, got 1"),
        (lambda codes: [np.zeros((4, 22, 3))] * 2, r"\[T, 263\] of motion m.* got float64 of shape \(4, 22, 3\)"),
        (lambda codes: [np.zeros((4, 263), int)] * 2, "got int64"),
        (lambda codes: [np.full((4, 263), np.nan)] * 2, "finite features"),
    ],
)  # fmt: skip
def test_decoders_that_give_something_else(tmp_path, decode, message):
    with pytest.raises(ValueError, match=message):
        write_features(tmp_path, ROWS[:1], decode)
    assert not list(tmp_path.glob("new_joint_vecs/*")) and not (tmp_path / "pairs.jsonl").exists()


def test_no_pairs(tmp_path):
    with pytest.raises(ValueError, match=r"at least one pair, got none; left out: .*people skipped"):
        write_features(tmp_path, ROWS[3:], Decoder())
    with pytest.raises(ValueError, match="got batch_size=0"):
        write_features(tmp_path / "b", ROWS, Decoder(), batch_size=0)


def test_names_of_motions():
    assert motion_name([1, 2]) == motion_name(np.array([1, 2])) != motion_name([1, 2, 0])
    assert motion_name([5, 7, 300]) == "m9864e8346ce3b043"
