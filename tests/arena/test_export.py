"""Exports: raw votes, MotionPrefer and InstructMotion's layout, read back by their own readers."""

import json

import numpy as np
import pytest

from atom_hf.arena import ArenaError
from atom_hf.data import read_instructmotion, validate_folder
from atom_hf.data.schema import prompt_of
from tests.arena.parts import motion, pair, pairs, rows, sign_in, vote


@pytest.fixture
def voted(make):
    """Twelve pairs with votes of two people, an undo, checks and repeats."""

    def arena(**options):
        known = [pair("a known answer", expected="one", codes=options.get("codes", True))]
        lesson = [pair("a lesson", expected="two", training=True, codes=options.get("codes", True))]
        arena = make([*pairs(12, **options), *known, *lesson], training=1, gold_every=4, repeat_every=4, repeat_gap=2)
        for name in ("ann", "bob"):
            session = sign_in(arena, name)
            number = 0
            while arena.next_ballot(session) is not None:
                choice = ("first", "second", "first", "tie", "skipped")[number % 5]
                reason = "both implausible" if choice == "skipped" else None
                vote(arena, session, choice, reason=reason, questions={"events": "first"}, seconds=1.5)
                if number == 3:
                    arena.undo(session)
                number += 1
        return arena

    return arena


def _plain_count(arena):
    return rows(arena, "SELECT count(*) FROM live WHERE kind = 'normal'")[0][0]


def test_votes(voted, tmp_path):
    arena = voted()
    done = arena.export(tmp_path / "votes")
    ((name,),) = rows(arena, "SELECT id FROM identity")
    lines = (tmp_path / "votes" / "votes" / f"{name}.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert {record["arena"] for record in records} == {name}
    assert len(records) == done.votes == rows(arena, "SELECT count(*) FROM live")[0][0]
    assert {record["kind"] for record in records} == {"normal", "repeat", "gold", "training"}
    by_number = {number: row for number, *row in rows(arena, "SELECT number, choice, one_first, labeller FROM votes")}
    for record in records:
        choice, one_first, labeller = by_number[record["vote"]]
        assert (record["choice"], record["labeller"]) == (choice, labeller)
        assert record["shown_first"] == ("one" if one_first else "two")
        assert record["better_system"] == {"one": record["system_one"], "two": record["system_two"]}.get(choice)
        assert record["question_events"] == ("one" if one_first else "two") and record["question_order"] is None
        assert record["at"].startswith("2027-01-15T") and record["at"].endswith("+00:00")
    text = (tmp_path / "votes" / "README.md").read_text()
    assert 'license: "cc-by-4.0"' in text and f"{len(records)} votes of 2 people" in text
    with pytest.raises(FileExistsError, match="expected a new or an empty folder"):
        arena.export(tmp_path / "votes")


def test_votes_load_as_a_dataset(voted, tmp_path):
    datasets = pytest.importorskip("datasets")
    done = voted().export(tmp_path / "votes")
    assert len(list((tmp_path / "votes" / "votes").glob("*.parquet"))) == 1
    loaded = datasets.load_dataset(str(tmp_path / "votes"), split="train", cache_dir=str(tmp_path / "cache"))
    assert len(loaded) == done.votes and loaded.features["seed_one"].dtype == "int64"
    assert loaded[0]["prompt"] == "a lesson"


def test_motionprefer(voted, tmp_path):
    datasets = pytest.importorskip("datasets")
    arena = voted()
    done = arena.export(tmp_path / "prefer", format="motionprefer", test_share=0.3)
    assert (done.votes, done.rows) == (_plain_count(arena), 12)
    assert validate_folder(tmp_path / "prefer").ok
    loaded = datasets.load_dataset(str(tmp_path / "prefer"), "human", cache_dir=str(tmp_path / "cache"))
    found = [row for split in loaded.values() for row in split]
    assert len(found) == 12 and {len(row["votes"]) for row in found} == {2}
    for row in found:
        prompt = prompt_of(row)
        assert row["judge"] == "human" and row["chosen_score"] is None
        for side in ("chosen", "rejected"):
            expected = motion(f"{prompt}/{row[f'{side}_model']}").codes.tolist()
            assert row[f"{side}_codes"] == expected
            assert row[f"{side}_seed"] == ("base", "aligned").index(row[f"{side}_model"])
        for given in row["votes"]:
            (choice, one_first) = rows(
                arena,
                "SELECT choice, one_first FROM live JOIN pairs ON pairs.id = pair "
                "JOIN prompts ON prompts.id = prompt_id "
                f"WHERE live.kind = 'normal' AND prompt = '{prompt}' AND labeller = '{given['voter']}'",
            )[0]
            if choice == "tie":
                assert given["degree"] == "negligibly better/unsure"
                choice = "one" if one_first else "two"  # which a coin decided
            system = {"one": "base", "two": "aligned"}.get(choice)
            side = {row["chosen_model"]: "chosen", row["rejected_model"]: "rejected"}.get(system, "skipped")
            assert given["choice"] == side
    card = (tmp_path / "prefer" / "README.md").read_text()
    assert "cc-by-4.0" in card and "a tie is a vote of" in card
    assert arena.export(tmp_path / "prefer", format="motionprefer", overwrite=True).rows == 12


def test_instructmotion(voted, tmp_path):
    arena = voted()
    done = arena.export(tmp_path / "labels", format="instructmotion")
    found = list(read_instructmotion(tmp_path / "labels"))
    assert len(found) == done.rows == 12
    for row in found:
        shown = motion(f"{prompt_of(row)}/{row['chosen_model']}")
        assert row["chosen_codes"] == shown.codes.tolist() and row["judge"] == "human"
    label = json.loads((tmp_path / "labels" / "preference_labels.jsonl").read_text().splitlines()[0])
    features = np.load(tmp_path / "labels" / label["sample_1"]["features"])
    shown = motion(f"{label['prompt']}/{label['sample_1']['from']}")
    # Of the motion that was shown; rounding to 0.1 mm moves velocities by 2 mm/s, 0.1 mm a frame.
    assert np.abs(features - type(shown)(shown.joints).to_features())[:, 4:67].max() < 3e-4


def test_motions_without_codes_are_encoded(voted, tmp_path):
    arena = voted(codes=False)
    with pytest.raises(ArenaError, match=r"24 of 24 motions have no codes, .* Pass encode, such as the encode_motion"):
        arena.export(tmp_path / "prefer", format="motionprefer")
    assert not (tmp_path / "prefer").exists()
    asked = []

    def encode(motions):
        asked.extend(motions)
        return [np.array([i, i + 1]) for i in range(len(motions))]

    assert arena.export(tmp_path / "labels", format="instructmotion", encode=encode).rows == 12
    assert len(asked) == 24 and asked[0].fps == 20


def test_no_votes_and_unknown_formats(make, tmp_path):
    arena = make(2)
    for format in ("motionprefer", "instructmotion"):
        with pytest.raises(ArenaError, match="Expected at least one vote to export, got none"):
            arena.export(tmp_path / "x", format=format)
    with pytest.raises(ArenaError, match="Expected a format, one of votes, motionprefer, instructmotion, got 'csv'"):
        arena.export(tmp_path / "x", format="csv")
    assert not (tmp_path / "x").exists()


def test_flagged_labellers_can_be_left_out(make, tmp_path):
    known = [pair(f"known {i}", expected="one") for i in range(6)]
    arena = make([*pairs(8), *known], gold_every=1)
    ann = sign_in(arena)
    while arena.next_ballot(ann) is not None:
        vote(arena, ann, "tie")
    labeller = arena.quality(ann).labeller
    assert arena.export(tmp_path / "all").left_out == ()
    done = arena.export(tmp_path / "good", without_flagged=True)
    assert done.left_out == (labeller,) and done.votes == 0
