"""InstructMotion's folders: the published layout, its last vote, and everything that may be wrong with a row."""

import json
import shutil
import types

import numpy as np
import pytest

from atom_hf.data.degrees import SKIPPED
from atom_hf.data.faults import AnnotationError
from atom_hf.data.importers import ImportReport, read_instructmotion
from atom_hf.data.importers.faults import MAX_MESSAGES, prompt_id_of
from atom_hf.data.importers.labels import LABELS, MAX_LINE, MAX_TOKEN_BYTES
from atom_hf.data.pairs import PairReport
from atom_hf.data.schema import faults

SCORED_9 = {"features": "features/0b.npy", "score": 9}


def vote(choice="sample_1", degree="Better", user="Ann"):
    return {"choice": choice, "degree of preference": degree, "user": user}


def label(number=0, **changes):
    return {
        "id": number,
        "prompt": f"a man jumps {number} times",
        "sample_1": {"features": f"/home/ann/preference_data/features/{number}a.npy", "seed": 3, "gif": "a.gif"},
        "sample_2": {"features": f"features/{number}b.npy", "seed": 9},
        "chosen": [vote()],
    } | changes


def tokens(folder, name, codes=(5, 7, 300)):
    (folder / "tokens").mkdir(parents=True, exist_ok=True)
    np.save(folder / "tokens" / f"{name}_token.npy", np.asarray(codes))


def write(folder, *labels):
    for record in labels:
        if "id" in record:
            tokens(folder, f"{record['id']}a", [[5, 7, 300]])
            tokens(folder, f"{record['id']}b", [[5, 8]])
    lines = [json.dumps(record) + "\n" for record in labels]
    (folder / "preference_labels.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def test_reads_the_published_layout(tmp_path):
    votes = [vote("sample_1", "Slightly better", "Ann"), vote("sample_2", "Much better", "Bob")]
    report = ImportReport()
    rows = list(read_instructmotion(write(tmp_path, label(7, chosen=votes)), report=report))
    assert [faults(row) for row in rows] == [[]]
    (row,) = rows
    assert (row["id"], row["task"], row["judge"]) == ("instructmotion/7", "overall", "human")
    assert (row["chosen_codes"], row["rejected_codes"]) == ([5, 8], [5, 7, 300])
    assert (row["degree"], row["margin"]) == ("much better", 3.0)  # the last vote is the verdict
    assert (row["chosen_seed"], row["rejected_seed"], row["chosen_model"]) == (9, 3, "MotionGPT")
    assert [(v["choice"], v["degree"]) for v in row["votes"]] == [
        ("rejected", "slightly better"),
        ("chosen", "much better"),
    ]
    assert (report.pairs, report.prompts, report.degrees["much better"], report.messages) == (1, 1, 1, [])


def test_names_of_people_are_hashed(tmp_path):
    votes = [vote(user="Ann"), vote(user="Bob"), vote(user="Ann"), vote(user=None), vote(user="voter-0123456789ab")]
    (row,) = read_instructmotion(write(tmp_path, label(chosen=votes)))
    voters = [v["voter"] for v in row["votes"]]
    assert voters[0] == voters[2] != voters[1] and voters[3] == ""
    assert voters[4] == "voter-0123456789ab"  # hashed before
    assert "Ann" not in json.dumps(row) and voters[0].startswith("voter-") and len(voters[0]) == 18


@pytest.mark.parametrize(
    ("degree", "ours"),
    [
        ("Much better", "much better"),
        ("Better", "better"),
        ("Slightly better", "slightly better"),
        ("Negligibly better/unsure", "negligibly better/unsure"),
    ],
)
def test_degrees_in_their_spelling(tmp_path, degree, ours):
    (row,) = read_instructmotion(write(tmp_path, label(chosen=[vote(degree=degree)])))
    assert row["degree"] == ours


def test_skipped_pairs_stay_even_of_one_motion(tmp_path):
    write(tmp_path, label(chosen=[vote("sample_2"), vote("skipped", "skipped")]))
    tokens(tmp_path, "0b", [[5, 7, 300]])
    report = PairReport()
    (row,) = read_instructmotion(tmp_path, report=report)
    assert (row["degree"], row["margin"], row["chosen_seed"]) == (SKIPPED, 0.0, 3)  # sample_1 stands first
    assert [v["choice"] for v in row["votes"]] == ["rejected", "skipped"] and report.degrees == {SKIPPED: 1}


def test_a_degree_of_skipped_skips_whatever_the_choice(tmp_path):
    (row,) = read_instructmotion(write(tmp_path, label(chosen=[vote("sample_2", "Skipped")])))
    assert row["degree"] == SKIPPED and [v["choice"] for v in row["votes"]] == ["skipped"] and faults(row) == []


def test_rows_of_a_judge_stay_its_own(tmp_path):
    samples = {f"sample_{i}": {"features": f"features/0{'ab'[i - 1]}.npy", "score": 5.0 - i} for i in (1, 2)}
    machine = label(judge="kinematic-1", rules_version="rules-2", task="temporal", **samples)
    (row,) = read_instructmotion(write(tmp_path, machine))
    assert (row["judge"], row["rules_version"], row["task"], row["votes"]) == (
        "kinematic-1",
        "rules-2",
        "temporal",
        [],
    )
    assert (row["chosen_score"], row["rejected_score"]) == (4.0, 3.0)
    (row,) = read_instructmotion(write(tmp_path, label(**samples)))  # people compared: whose scores, nobody knows
    assert (row["judge"], row["chosen_score"], row["rejected_score"]) == ("human", None, None)


def test_one_prompt_one_id(tmp_path):
    labels = [label(i, prompt=prompt) for i, prompt in enumerate(["A man waves.", "a  man waves", "a man runs"])]
    first, second, third = (row["prompt_id"] for row in read_instructmotion(write(tmp_path, *labels)))
    assert first == second != third and first == prompt_id_of("a man waves!")
    assert prompt_id_of("!") != prompt_id_of("?")  # without words, the signs tell


@pytest.mark.parametrize("codes", [[5, 7], [[5, 7]], np.array([[5, 7]], np.int16), np.array([5, 7], np.uint8)])
def test_both_shapes_and_all_integers(tmp_path, codes):
    write(tmp_path, label())
    tokens(tmp_path, "0a", codes)
    (row,) = read_instructmotion(tmp_path)
    assert row["chosen_codes"] == [5, 7] and type(row["chosen_codes"][0]) is int


def test_folders_before_features_and_the_authors_second_disk(tmp_path):
    """The original code looks for the tokens of `data2/features/x.npy` in `data3/tokens`."""
    samples = {"sample_1": {"features": "/x/data2/features/p/0.npy"}, "sample_2": {"features": "C:\\features\\1.npy"}}
    write(tmp_path, label(**samples))
    (tmp_path / "data3" / "tokens" / "p").mkdir(parents=True)
    np.save(tmp_path / "data3" / "tokens" / "p" / "0_token.npy", [[1, 2]])
    tokens(tmp_path, "1", [[3]])
    (row,) = read_instructmotion(tmp_path)
    assert (row["chosen_codes"], row["rejected_codes"]) == ([1, 2], [3])


def test_is_lazy(tmp_path):
    rows = read_instructmotion(write(tmp_path, label(0), {"id": 1}))
    assert isinstance(rows, types.GeneratorType) and next(rows)["id"] == "instructmotion/0"


def bad_tokens(codes):
    return lambda folder: tokens(folder, "0b", codes)


def objects(folder):
    np.save(folder / "tokens" / "0b_token.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)


def truncated(folder):
    path = folder / "tokens" / "0b_token.npy"
    path.write_bytes(path.read_bytes()[:-3])


def huge(folder):
    with (folder / "tokens" / "0b_token.npy").open("ab") as file:
        file.truncate(MAX_TOKEN_BYTES + 1)


def linked(folder):
    path = folder / "tokens" / "0b_token.npy"
    path.unlink()
    np.save(folder.parent / "outside.npy", [[1]])
    path.symlink_to(folder.parent / "outside.npy")


def circle(folder):
    path = folder / "tokens" / "0b_token.npy"
    path.unlink()
    path.symlink_to(path)


def nothing(folder):
    pass


@pytest.mark.parametrize(
    ("changes", "spoil", "cause", "message"),
    [
        ({"prompt": "  "}, nothing, "without a usable prompt", "prompt to be text"),
        ({"prompt": "a \ud800 man"}, nothing, "without a usable prompt", "in Unicode"),
        ({"id": None}, nothing, "without a usable id", "expected id to be text"),
        ({"chosen": []}, nothing, "without a vote", "list of votes"),
        ({"chosen": ["sample_1"]}, nothing, "without a vote", "list of votes"),
        ({"chosen": [vote("sample_3")]}, nothing, "with an unknown choice", "got 'sample_3'"),
        ({"chosen": [vote(degree="Beter")]}, nothing, "with an unknown degree", "Did you mean 'better'"),
        ({"chosen": [vote(degree=None)]}, nothing, "with an unknown degree", "got None"),
        ({"sample_2": None}, nothing, "without two motions", "expected 'sample_2'"),
        ({"sample_2": {"token": "x.npy"}}, nothing, "without a path of features", "features/x.npy"),
        ({"sample_2": {"features": 5}}, nothing, "without a path of features", "got '5'"),
        ({"sample_2": {"features": "../features/x.npy"}}, nothing, "with a path that leaves the folder", "inside"),
        ({"sample_2": {"features": "features/..\\x.npy"}}, nothing, "with a path that leaves the folder", "inside"),
        ({"sample_2": {"features": "/etc/passwd"}}, nothing, "with a path that leaves the folder", "/etc/passwd"),
        ({"sample_2": {"features": "features/9.npy"}}, nothing, "with a token file that is not there", "9_token"),
        ({"sample_2": {"features": "features/é" * 50 + ".npy"}}, nothing, "without a path of features", "expected"),
        ({"sample_2": {"features": f"features/{'é' * 199}.npy"}}, nothing, "without a path of features", "expected"),
        ({"sample_2": {"features": f"features/{'é' * 190}.npy"}}, nothing, "with a token file that is broken", "name"),
        ({"sample_2": {"features": "features/0b.npy", "seed": 2**70}}, nothing, "with a seed that is none", "64 bits"),
        ({"judge": "k", "sample_2": SCORED_9}, nothing, "with values that make no pair", "to 5"),
        ({"task": "speed"}, nothing, "with values that make no pair", "got 'speed'"),
        ({"judge": 5}, nothing, "without a usable judge", "judge to be text"),
        ({"judge": "k", "rules_version": 5}, nothing, "with values that make no pair", "rules_version: expected text"),
        ({}, bad_tokens([[[1], [2]]]), "with a token file of another form", r"shape \(1, 2, 1\)"),
        ({}, bad_tokens([[[1]], [[2]], [[3]]]), "with a token file of another form", r"shape \(3, 1, 1\)"),
        ({}, bad_tokens([[1, 2], [3, 4]]), "with a token file of another form", r"shape \(2, 2\)"),
        ({}, bad_tokens([[1.0, 2.0]]), "with a token file of another form", "float64"),
        ({}, bad_tokens(np.zeros((1, 0), int)), "with a token file of another form", r"\(1, 0\)"),
        ({}, bad_tokens(5), "with a token file of another form", r"\(\)"),
        ({}, bad_tokens([[1, 512]]), "with codes out of range", r"0 to 511, got \[512\]"),
        ({}, bad_tokens([[-1]]), "with codes out of range", r"got \[-1\]"),
        ({}, bad_tokens([[5, 7, 300]]), "of two motions that are the same", "two motions that differ"),
        ({}, objects, "with a token file that is broken", "Python objects can run code"),
        ({}, truncated, "with a token file that is broken", "truncated"),
        ({}, huge, "with a token file that is broken", f"at most {MAX_TOKEN_BYTES}"),
        ({}, linked, "with a path that leaves the folder", "link that leaves"),
        ({}, circle, "with a token file that is broken", "cannot be read"),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_used(tmp_path, changes, spoil, cause, message):
    folder = tmp_path / "data"
    folder.mkdir()
    write(folder, label(0), label(1))
    text = [json.dumps(label(0, **changes)), json.dumps(label(1))]
    (folder / "preference_labels.jsonl").write_text("\n".join(text), encoding="utf-8")
    spoil(folder)
    with pytest.raises(AnnotationError, match=message) as caught:
        list(read_instructmotion(folder))
    assert "preference_labels.jsonl, row 1: " in str(caught.value) and 'on_fault="skip"' in str(caught.value)

    report = ImportReport()
    rows = list(read_instructmotion(folder, report=report, on_fault="skip"))
    assert [row["id"] for row in rows] == ["instructmotion/1"]
    assert report.left_out == {cause: 1} and report.pairs == 1
    assert len(report.messages) == 1 and "row 1: " in report.messages[0] and report.messages[0] in str(report)

    told, report = [], PairReport()
    assert list(read_instructmotion(folder, report=report, on_fault=told.append)) == rows
    assert report.left_out == {cause: 1} and [(fault.path.name, fault.row) for fault in told] == [(LABELS, 1)]


def test_a_link_that_stays_in_the_folder_is_followed(tmp_path):
    write(tmp_path, label())
    (tmp_path / "tokens").rename(tmp_path / "codes")
    (tmp_path / "tokens").symlink_to("codes")
    assert len(list(read_instructmotion(tmp_path))) == 1


def test_the_hubs_cache_is_made_of_links(tmp_path):
    snapshot, blobs = tmp_path / "snapshots" / "abc", tmp_path / "blobs"
    write(tmp_path / "real" if (tmp_path / "real").mkdir() is None else None, label())
    blobs.mkdir()
    (snapshot / "tokens").mkdir(parents=True)
    for i, path in enumerate(sorted((tmp_path / "real").rglob("*.*"))):
        shutil.copy(path, blobs / str(i))
        (snapshot / path.relative_to(tmp_path / "real")).symlink_to(blobs / str(i))
    assert len(list(read_instructmotion(snapshot))) == 1


def test_labels_may_not_be_a_link_to_elsewhere(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "secret").write_text("secret\n")
    (tmp_path / "data" / "preference_labels.jsonl").symlink_to(tmp_path / "secret")
    with pytest.raises(AnnotationError, match="a link that leaves the folder") as caught:
        list(read_instructmotion(tmp_path / "data"))
    assert "secret\\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "cause", "message"),
    [
        ('{"id": 5, "prompt": "a ma', "in a line that is no JSON", "The line has no end: the file is cut off"),
        ("[1, 2]\n", "in a line that is no JSON", "expected a JSON object, got"),
        ('{"a": ' + "1" * 5000 + "}\n", "in a line that is no JSON", "expected a JSON object, but"),
        ("[" * 100_000 + "\n", "in a line that is no JSON", "expected a JSON object, but"),
        ("\udcff\n", "in a line that is no JSON", "can't decode byte"),
        ("x" * (MAX_LINE + 5) + "\n", "in a line that is too long", f"at most {MAX_LINE} bytes"),
    ],
)
def test_broken_lines(tmp_path, line, cause, message):
    write(tmp_path, label(0), label(1))
    path = tmp_path / "preference_labels.jsonl"
    good = path.read_bytes().splitlines(keepends=True)
    cut = not line.endswith("\n")
    spoilt = line.encode(errors="surrogateescape")
    path.write_bytes(b"\xef\xbb\xbf" + good[0] + b"\n" + (good[1] + spoilt if cut else spoilt + good[1]))
    with pytest.raises(AnnotationError, match=message) as caught:
        list(read_instructmotion(tmp_path))
    assert f"row {4 if cut else 3}: " in str(caught.value)
    report = ImportReport()
    assert len(list(read_instructmotion(tmp_path, report=report, on_fault="skip"))) == 2
    assert report.left_out == {cause: 1}


def test_an_id_that_comes_twice(tmp_path):
    write(tmp_path, label(3), label(3, prompt="another"))
    with pytest.raises(
        AnnotationError, match=r"row 2: expected an id of its own for each pair, but 'instructmotion/3'"
    ):
        list(read_instructmotion(tmp_path))
    report = ImportReport()
    assert len(list(read_instructmotion(tmp_path, report=report, on_fault="skip"))) == 1
    assert report.left_out == {"with an id that comes twice": 1}


def test_no_row_is_lost_silently(tmp_path):
    write(tmp_path, label(0), *({"bad": i} for i in range(30)))
    with pytest.warns(UserWarning, match="30 rows were left out. 1 pairs") as caught:
        rows = list(read_instructmotion(tmp_path, on_fault="skip"))
    assert len(rows) == 1 and "left out: 30 without a usable id" in str(caught[0].message)
    report = ImportReport()
    list(read_instructmotion(tmp_path, report=report, on_fault="skip"))
    assert report.pairs + sum(report.left_out.values()) == 31 and len(report.messages) == MAX_MESSAGES
    together = ImportReport()
    together.add(report)
    together.add(report)
    assert together.left_out == {"without a usable id": 60} and len(together.messages) == MAX_MESSAGES
    assert together.to_dict()["pairs"] == 2


def test_no_labels(tmp_path):
    (tmp_path / "labels.txt").touch()
    with pytest.raises(AnnotationError, match=r"a folder with preference_labels\.jsonl, but it has labels\.txt"):
        list(read_instructmotion(tmp_path))
    with pytest.raises(AnnotationError, match="but it has nothing"):
        list(read_instructmotion(tmp_path / "absent"))


def test_unknown_way_with_faults(tmp_path):
    with pytest.raises(ValueError, match=r"on_fault is one of 'raise', 'skip', got 'ignore'"):
        read_instructmotion(tmp_path, on_fault="ignore")


def test_another_codebook(tmp_path):
    write(tmp_path, label())
    tokens(tmp_path, "0a", [[600]])
    (row,) = read_instructmotion(tmp_path, num_codes=1024)
    assert row["chosen"][0]["content"] == "<motion_id_1024><motion_id_600><motion_id_1025>"
