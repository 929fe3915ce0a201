"""What the training examples learn from: who is held out, wrong captions, real clips, packs, HumanML3D folders."""

import csv
import zlib
from pathlib import Path
from random import Random

import numpy as np
import pytest
from corpus import LONGEST, SHORTEST, Clip, CorpusConfig, read_corpus, synthesised, wrong

from atom_hf import GrammarPromptWriter, Motion, mirror_features, mirror_text
from atom_hf.events import Event, Scenario
from atom_hf.motion import write_humanml3d
from atom_hf.motion.formats.humanml3d import Caption, HumanML3DClip
from examples.make_walk import walking

HELD_OUT = next(f"07_{i:02d}" for i in range(100) if zlib.crc32(f"7 {i}".encode()) % 8 == 0)
TRAINED = next(f"07_{i:02d}" for i in range(100) if zlib.crc32(f"7 {i}".encode()) % 8 != 0)


@pytest.fixture(scope="module")
def mixture() -> list[Clip]:
    return read_corpus(CorpusConfig(synthesised=120, caption_noise=0.5, corpus_seed=3))


# Synthesised ---------------------------------------------------------------------------------------------------------


def test_synthesised_clips(mixture):
    train, test = ([clip for clip in mixture if clip.held_out == held] for held in (False, True))
    assert 110 <= len(train) <= 120 and 28 <= len(test) <= 32
    assert len({clip.name for clip in mixture}) == len(mixture) and not any(clip.real for clip in mixture)
    for clip in mixture:
        assert clip.features.dtype == np.float32 and clip.features.shape[1:] == (263,)
        assert 10 < len(clip.features) <= LONGEST and np.isfinite(clip.features).all()
        assert len(clip.captions) == 2 and all(clip.captions)
    said = {frozenset(clip.captions) for clip in test}
    assert said.isdisjoint(frozenset(clip.captions) for clip in train)


def test_a_seed_gives_the_same_clips(mixture):
    again = read_corpus(CorpusConfig(synthesised=120, caption_noise=0.5, corpus_seed=3))
    assert [clip.captions for clip in again] == [clip.captions for clip in mixture]
    assert all(np.array_equal(one.features, two.features) for one, two in zip(again, mixture, strict=True))
    other = list(synthesised(5, 4, "train"))
    assert [clip.captions for clip in other] != [clip.captions for clip in mixture[:5]]


def scenarios(clips: list[Clip], seed: int, split: str, count: int) -> list[tuple[Scenario, list[Scenario]]]:
    """What each clip shows, and what its captions say."""
    prompts = GrammarPromptWriter(seed=seed, split=split).write(count)
    return [
        (prompts[int(clip.name[-6:])].scenario, [Scenario.parse(text) for text in clip.captions]) for clip in clips
    ]


def test_captions_are_wrong_as_often_as_said(mixture):
    """Both captions of a clip tell the same, and about half of the clips are told wrong; never those held out."""
    train = [clip for clip in mixture if not clip.held_out]
    found = scenarios(train, 3, "train", 120)
    assert sum(len({said.events for said in captions}) == 1 for _, captions in found) >= 0.97 * len(found)
    share = np.mean([captions[1].events != shown.events for shown, captions in found])
    assert 0.35 < share < 0.6
    held_out = scenarios([clip for clip in mixture if clip.held_out], 3, "test", 32)
    assert all(captions[1].events == shown.events for shown, captions in held_out)


def test_without_noise_nothing_is_wrong():
    clips = list(synthesised(30, 3, "train"))
    assert all(said[1].events == shown.events for shown, said in scenarios(clips, 3, "train", 30))


WALK, JUMP, SIT, WAVE = Event("walk"), Event("jump", 2), Event("sit_down"), Event("wave", side="left")


@pytest.mark.parametrize(
    "events",
    [(WALK, JUMP, SIT), (WALK, SIT), (JUMP,), (JUMP, JUMP), (SIT, SIT), (WAVE, JUMP, JUMP, WALK)],
)
def test_one_mistake_at_a_time(events):
    scenario, kinds = Scenario(events, "temporal"), set()
    for seed in range(60):
        said = wrong(scenario, Random(seed))
        assert said.events != events and said.task == "temporal"
        if len(said.events) < len(events):
            kinds.add("omission")
            i = next(i for i in range(len(events)) if events[:i] + events[i + 1 :] == said.events)
            assert 0 <= i < len(events)
        elif sorted(map(repr, said.events)) == sorted(map(repr, events)):
            kinds.add("order")
            assert sum(one != other for one, other in zip(said.events, events, strict=True)) == 2
        else:
            kinds.add("count")
            (changed,) = [i for i in range(len(events)) if said.events[i] != events[i]]
            assert said.events[changed].action == events[changed].action
            assert said.events[changed].count != events[changed].count
    assert (
        kinds
        == {
            (WALK, JUMP, SIT): {"omission", "order", "count"},
            (WALK, SIT): kinds & {"count"} | {"omission", "order"},
            (JUMP,): {"count"},
            (JUMP, JUMP): {"omission", "count"},
            (SIT, SIT): {"omission"},
            (WAVE, JUMP, JUMP, WALK): {"omission", "order", "count"},
        }[events]
    )


def test_where_no_mistake_is_possible():
    assert wrong(Scenario((SIT,)), Random(0)) == Scenario((SIT,))


# Real clips ----------------------------------------------------------------------------------------------------------


def test_real_clips_are_held_out_by_trial(tmp_path):
    """Two recordings of a trial, of which one is written 7_1 and the other 07_01, stand on the same side."""
    for prefix in ("amc", "bvh"):
        for name in (HELD_OUT, TRAINED):
            Motion(walking(60)).save(tmp_path / f"{prefix}_{name}.npy")
    subject, trial = map(int, HELD_OUT.split("_"))
    Motion(walking(60)).save(tmp_path / f"other_{subject}_{trial}.npy")
    clips = read_corpus(CorpusConfig(synthesised=0, mocap=[str(tmp_path / "*.npy")]))
    real = [clip for clip in clips if clip.real]
    assert {clip.name.split("_1_")[0] for clip in real if clip.held_out} == {
        f"amc_{HELD_OUT}", f"bvh_{HELD_OUT}", f"other_{subject}_{trial}",
    }  # fmt: skip
    assert not any(TRAINED in clip.name for clip in real if clip.held_out)


def test_speeds_are_for_training_alone_and_mirrors_for_both(tmp_path):
    for name in (HELD_OUT, TRAINED):
        Motion(walking(80)).save(tmp_path / f"{name}.npy")
        (tmp_path / f"{name}.txt").write_text("a person turns left\na man walks clockwise\n")
    clips = {clip.name: clip for clip in read_corpus(CorpusConfig(synthesised=0, mocap=[str(tmp_path / "*.npy")]))}
    assert {name for name in clips if name.startswith("07")} == {
        *(f"{TRAINED}_{speed}_0{end}" for speed in ("1", "0.8", "1.25") for end in ("", "_M")),
        f"{HELD_OUT}_1_0", f"{HELD_OUT}_1_0_M",
    }  # fmt: skip
    frames = {speed: len(clips[f"{TRAINED}_{speed}_0"].features) for speed in ("0.8", "1", "1.25")}
    assert frames["1"] == 79 and abs(frames["0.8"] - 79 / 0.8) < 2 and abs(frames["1.25"] - 79 / 1.25) < 2
    for name in (f"{TRAINED}_0.8_0", f"{HELD_OUT}_1_0"):
        one, mirrored = clips[name], clips[f"{name}_M"]
        assert one.captions == ("a person turns left", "a man walks clockwise")
        assert mirrored.captions == tuple(mirror_text(text) for text in one.captions) != one.captions
        np.testing.assert_allclose(mirrored.features, mirror_features(one.features), atol=1e-6)
        assert one.held_out == mirrored.held_out


def test_long_clips_are_cut_and_rests_left_out(tmp_path):
    Motion(walking(LONGEST * 2 + 9)).save(tmp_path / f"{HELD_OUT}.npy")
    Motion(walking(SHORTEST // 2 - 2)).save(tmp_path / f"short_{HELD_OUT}.npy")
    clips = [c for c in read_corpus(CorpusConfig(synthesised=0, mocap=[str(tmp_path / "*.npy")])) if c.real]
    lengths = [len(clip.features) for clip in clips if not clip.name.endswith("_M")]
    assert len(lengths) == 3 and sum(lengths) == LONGEST * 2 + 8 and max(lengths) <= LONGEST


def pack(path: Path, ids: list[str], frames: list[int], rows: list[dict[str, str]]) -> None:
    joints = np.concatenate([walking(n) for n in frames])
    starts = np.cumsum([0, *frames[:-1]])
    np.savez(path, joints_mm=np.round(joints * 1000).astype(np.int16), starts=starts, lengths=frames, ids=ids)
    with path.with_suffix(".csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["clip_id", "caption", "human_caption"])
        writer.writeheader()
        writer.writerows(rows)


def test_packs(tmp_path):
    pack(
        tmp_path / "cmu.npz",
        [HELD_OUT, TRAINED, "99_99"],
        [60, 70, 50],
        [
            {"clip_id": HELD_OUT, "caption": "walk", "human_caption": "a man walks, slowly"},
            {"clip_id": TRAINED, "caption": "a person: walk", "human_caption": ""},
        ],
    )
    np.savez(tmp_path / "smpl.npz", poses=np.zeros((30, 66)), trans=np.zeros((30, 3)), mocap_framerate=20.0)
    clips = read_corpus(CorpusConfig(synthesised=0, mocap=[str(tmp_path / "cmu.npz")]))
    found = {clip.name: clip for clip in clips if clip.real and "_M" not in clip.name and "_1_" in clip.name}
    assert {name: clip.captions for name, clip in found.items()} == {
        f"cmu_{HELD_OUT}_1_0": ("a man walks, slowly",), f"cmu_{TRAINED}_1_0": ("walk",), "cmu_99_99_1_0": (),
    }  # fmt: skip
    one = found[f"cmu_{HELD_OUT}_1_0"]
    expected = Motion(walking(60)).to_features()
    assert one.held_out and one.features.shape == (59, 263)
    np.testing.assert_allclose(one.features[:, 4:67], expected[:, 4:67], atol=3e-3)  # packs hold millimetres
    assert any(clip.real for clip in read_corpus(CorpusConfig(synthesised=0, mocap=[str(tmp_path / "smpl.npz")])))


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"No motion files match '.*absent\*\.bvh'"):
        read_corpus(CorpusConfig(synthesised=0, mocap=[str(tmp_path / "absent*.bvh")]))


# HumanML3D -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two clips to train on and one of each validation split."""

    def clip(name: str, frames: int, *captions: Caption) -> HumanML3DClip:
        return HumanML3DClip(name, Motion(walking(frames)), captions)

    train = [
        clip(
            "000001", 120, Caption("the end", (), 2.5, 5.5), Caption("one"), Caption("two"), Caption("x", (), 0.5, 1)
        ),
        clip("000002", 300, Caption("long")),
        clip("000003", 30, Caption("too short")),
    ]
    write_humanml3d(tmp_path, train, "train")
    write_humanml3d(tmp_path, [clip("000004", 60, Caption("held out"))], "test")
    return tmp_path


def test_humanml3d(folder):
    clips = {clip.name: clip for clip in read_corpus(CorpusConfig(corpus=str(folder)))}
    assert {name: (clip.captions, len(clip.features), clip.held_out) for name, clip in clips.items()} == {
        "000001_0": (("one", "two"), 119, False),
        "000001_1": (("the end",), 60, False),  # from 2.5 to 5.5 seconds; the part of half a second is too short
        "000002_0": (("long",), LONGEST, False),
        "000004_0": (("held out",), 59, True),
    }
    assert all(clip.real and clip.features.dtype == np.float32 for clip in clips.values())
    np.testing.assert_array_equal(clips["000001_1"].features, clips["000001_0"].features[50:110])


def test_joints_alone_are_enough(folder):
    for path in (folder / "new_joint_vecs").iterdir():
        path.unlink()
    clips = read_corpus(CorpusConfig(corpus=str(folder)))
    assert sorted(clip.name for clip in clips) == ["000001_0", "000001_1", "000002_0", "000004_0"]
    assert all(clip.features.shape[1] == 263 for clip in clips)


def test_val_comes_before_test_and_one_of_them_is_needed(folder):
    write_humanml3d(folder, [HumanML3DClip("000005", Motion(walking(60)), (Caption("validation"),))], "val")
    held_out = [clip.name for clip in read_corpus(CorpusConfig(corpus=str(folder))) if clip.held_out]
    assert held_out == ["000005_0"]
    for split in ("val", "test"):
        (folder / f"{split}.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"/val\.txt or test\.txt: names of clips to validate on"):
        read_corpus(CorpusConfig(corpus=str(folder)))


def test_folders_that_are_none(tmp_path):
    with pytest.raises(ValueError, match="expected a HumanML3D folder"):
        read_corpus(CorpusConfig(corpus=str(tmp_path)))
