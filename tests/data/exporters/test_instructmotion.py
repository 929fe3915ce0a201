"""InstructMotion's layout: what is written reads back the same, and its own code finds what it looks for."""

import json

import numpy as np
import pytest

from atom_hf.data.exporters import write_instructmotion
from atom_hf.data.exporters.instructmotion import label_of
from atom_hf.data.importers import read_atom, read_instructmotion
from atom_hf.data.importers.faults import prompt_id_of
from atom_hf.data.schema import pair_row, prompt_of


def row(number=0, degree="better", votes=None, judge="human", rejected=(8,), scores=(None, None), **changes):
    prompt = f"a man jumps {number} times"
    choice = "skipped" if degree == "skipped" else "chosen"
    said = [{"voter": "voter-0123456789ab", "choice": choice, "degree": degree}] if votes is None else votes
    values = {
        "id": f"instructmotion/{number}",
        "prompt_id": prompt_id_of(prompt),
        "prompt": prompt,
        "task": "overall",
        "chosen": {"codes": (5, 7), "model": "a", "seed": 3, "score": scores[0]},
        "rejected": {"codes": rejected, "model": "b", "score": scores[1]},
        "degree": degree,
        "judge": judge,
        "votes": said,
    }
    return pair_row(**values | changes)


def lines(folder):
    return [json.loads(line) for line in (folder / "preference_labels.jsonl").read_text().splitlines()]


def features(codes):
    return [np.full((4 * len(motion), 263), motion[0], np.float64) for motion in codes]


def test_round_trip(tmp_path):
    rows = [
        row(0, "much better"),
        row(1, "negligibly better/unsure"),
        row(2, "skipped"),
        row(3, "skipped", rejected=(5, 7)),
        row(4, votes=[{"voter": "", "choice": "rejected", "degree": "much better"}, *row()["votes"]]),
        *(row(number, rejected=(number,)) for number in range(5, 20)),
        row(20, judge="kinematic-1", rules_version="rules-2", votes=[], scores=(4.5, 3.0)),  # stays a machine's
        row(21, rules_version="arena-1"),
    ]
    assert write_instructmotion(tmp_path / "out", rows) == 22
    assert list(read_instructmotion(tmp_path / "out")) == rows


def test_what_the_original_code_reads(tmp_path):
    write_instructmotion(tmp_path, [row(number, "much better") for number in range(20)])
    firsts = set()
    for record in lines(tmp_path):
        chosen = record["chosen"][-1]
        path = record[chosen["choice"]]["features"]
        array = np.load(tmp_path / f"{path[:-4]}_token.npy".replace("features", "tokens"))
        assert (array.shape, array.dtype, array.tolist()) == ((1, 2), np.int64, [[5, 7]])
        assert chosen["degree of preference"] == "Much better" and set(chosen) == {
            "choice",
            "degree of preference",
            "user",
        }
        firsts.add(chosen["choice"])
    assert firsts == {"sample_1", "sample_2"}  # the side tells nothing
    assert len(list((tmp_path / "tokens").iterdir())) == 2  # each motion once
    assert not (tmp_path / "features").exists()


def test_the_last_vote_is_the_verdict():
    """Where most people said another thing than the last one, and where nobody voted."""
    mixed = [{"voter": "x", "choice": choice, "degree": "better"} for choice in ("chosen", "rejected")]
    record = label_of(row(votes=mixed))
    assert len(record["chosen"]) == 3 and record[record["chosen"][-1]["choice"]]["from"] == "a"
    assert record["chosen"][-1]["user"] == ""
    (verdict,) = label_of(row(votes=[], judge="kinematic-1"))["chosen"]
    assert (verdict["user"], verdict["degree of preference"]) == ("kinematic-1", "Better")


def test_a_judges_rows_go_through_the_layout_of_atom(tmp_path):
    rows = [
        row(i, judge="k", votes=[], task=task, scores=(4.5, 3.0), id=f"atom/{task}/{i}", rules_version="rules-2")
        for i, task in enumerate(["integrity", "frequency"])
    ]
    write_instructmotion(tmp_path, rows)
    read = list(read_atom(tmp_path, judge="another"))
    for before, after in zip(rows, read, strict=True):
        assert {**before, "id": ""} == {**after, "id": ""}


def test_features(tmp_path):
    seen = []

    def decode(codes):
        seen.append(len(codes))
        return features(codes)

    write_instructmotion(tmp_path, [row(i, rejected=(i + 10,)) for i in range(4)], decode=decode, batch_size=2)
    assert seen == [2, 2, 1]
    for record in lines(tmp_path):
        for name in ("sample_1", "sample_2"):
            array = np.load(tmp_path / record[name]["features"])
            codes = np.load(
                tmp_path / record[name]["features"].replace("features/", "tokens/").replace(".", "_token.")
            )
            assert array.shape == (4 * codes.shape[1], 263) and array.dtype == np.float32
            assert array[0, 0] == codes[0, 0]


def test_nothing_is_left_of_a_failure(tmp_path):
    def rows():
        yield row(0)
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_instructmotion(tmp_path / "out", rows())
    with pytest.raises(ValueError, match="at least one row"):
        write_instructmotion(tmp_path / "out", [])
    assert not list(tmp_path.iterdir())


def test_folders_in_use_are_refused(tmp_path):
    (tmp_path / "mine.txt").touch()
    with pytest.raises(FileExistsError, match="a new or an empty folder, but it holds files"):
        write_instructmotion(tmp_path, [row()])
    with pytest.raises(FileExistsError, match="but it is a file"):
        write_instructmotion(tmp_path / "mine.txt", [row()])
    (tmp_path / "empty").mkdir()
    assert write_instructmotion(tmp_path / "empty", [row()]) == 1
    assert prompt_of(next(read_instructmotion(tmp_path / "empty"))) == "a man jumps 0 times"
