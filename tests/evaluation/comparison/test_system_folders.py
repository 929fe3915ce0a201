"""Folders of motions as systems: captions, faults that are counted and named, frame rates."""

import json

import numpy as np
import pytest

from atom_hf.evaluation.comparison import Case, read_system
from atom_hf.events import Event, Scenario
from atom_hf.motion import Caption, HumanML3DClip, Motion, write_humanml3d
from tests.evaluation.comparison.parts import walk_of, write_folder


def test_captions_beside(tmp_path):
    folder = write_folder(tmp_path / "theirs")
    (folder / "clip2.txt").write_text("a man waves#a/DET man/NOUN wave/VERB#0.0#0.0\nhe greets#he/PRON#0.0#0.0\n")
    found = read_system(folder)
    assert found.name == "theirs" and [clip.case.id for clip in found.clips] == ["clip0", "clip1", "clip2"]
    assert [clip.prompt for clip in found.clips] == ["a person jumps once", "a person jumps twice", "a man waves"]
    assert found.clips[1].scenario.events == (Event("jump", 2),)
    assert found.clips[2].case.text == Caption("a man waves", ("a/DET", "man/NOUN", "wave/VERB"))
    np.testing.assert_array_equal(found.clips[0].motion.joints, walk_of(2, 0).joints)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_one_file_of_captions(tmp_path, form):
    folder = write_folder(tmp_path / "theirs", 2)
    rows = [
        ("clip0.npy", 'she says "<b>hi</b>", then\tgoes', "40"),
        ("clip1", "a person waves", ""),
        ("gone", "x", ""),
    ]
    if form == "csv":
        lines = ["name,caption,fps", *(f'{n},"{c.replace(chr(34), chr(34) * 2)}",{f}' for n, c, f in rows)]
    else:
        lines = [json.dumps({"name": n, "caption": c, "fps": float(f) if f else None}) for n, c, f in rows]
    (folder / f"captions.{form}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = read_system(folder, "x")
    assert [clip.prompt for clip in found.clips] == ['she says "<b>hi</b>", then goes', "a person waves"]
    assert [len(clip.motion) for clip in found.clips] == [20, 40]  # 40 frames of 40 fps, of 20 fps
    assert list(found.notes) == ["1 clip resampled from 40 to 20 fps"]
    assert [(item.id, item.cause) for item in found.left_out] == [("gone", "no file")]


def test_faults_are_counted_and_named_and_not_averaged_in(tmp_path):
    folder = write_folder(tmp_path / "theirs", 5)
    broken = walk_of(2).joints.copy()
    broken[3, 4, 1] = np.nan
    np.save(folder / "clip1.npy", broken)
    (folder / "clip2.npy").write_bytes(b"\x93NUMPY nothing")
    np.save(folder / "clip3.npy", walk_of(2).joints[:4])
    np.save(folder / "clip4.npy", np.zeros((20, 22, 3)))
    found = read_system(folder)
    assert [clip.case.id for clip in found.clips] == ["clip0"]
    said = {item.id: (item.cause, item.reason) for item in found.left_out}
    assert said["clip1"][0] == "cannot be read" and "clip1.npy" in said["clip1"][1] and "frame 3" in said["clip1"][1]
    assert said["clip2"][0] == "cannot be read" and "header is broken" in said["clip2"][1]
    assert said["clip3"] == ("too short", "4 frames; at least 5 are needed.")
    assert said["clip4"][0] == "cannot be read" and str(tmp_path) not in "".join(reason for _, reason in said.values())


def test_missing_captions_are_named(tmp_path):
    folder = write_folder(tmp_path / "theirs", 3)
    (folder / "clip0.txt").unlink()
    (folder / "clip2.txt").write_text("\n")
    with pytest.raises(ValueError, match=r"2 of 3 motions have no caption: clip0.npy, clip2.npy\. Put x.txt beside"):
        read_system(folder)
    cases = {name: Case(name, "a man sits") for name in ("clip0", "clip2")}
    found = read_system(folder, cases=cases, cases_from="prompts.txt")
    assert [clip.prompt for clip in found.clips][0::2] == ["a man sits"] * 2
    assert list(found.notes) == ["2 captions taken by name from prompts.txt"]


@pytest.mark.parametrize("row", ["", "clip1,\n", 'clip1,"  "\n'])
def test_a_file_of_captions_is_not_filled_up(tmp_path, row):
    folder = write_folder(tmp_path / "theirs", 2)
    (folder / "captions.csv").write_text(f"name,caption\nclip0,a man sits\n{row}")
    cases = {"clip1": Case("clip1", "a man jumps")}
    with pytest.raises(ValueError, match=r"1 of 2 motions have no caption: clip1.npy\. Write them into the folder's"):
        read_system(folder, cases=cases)


def test_known_prompts_lend_their_scenarios_and_no_captions(tmp_path):
    folder = write_folder(tmp_path / "theirs", 1)
    scenario = Scenario.parse("a person waves")
    known = [Case("clip0", "a person waves", scenario), Case("7", "a person jumps once", scenario)]
    assert read_system(folder, known=known).clips[0].scenario is scenario
    (folder / "clip0.txt").unlink()
    with pytest.raises(ValueError, match="1 of 1 motions have no caption"):
        read_system(folder, known=known)


@pytest.mark.parametrize(
    ("spoil", "cause", "reason"),
    [
        (lambda joints: joints.astype(np.float64) * 1e160, "not plausible: coordinates", "nobody is further off"),
        (lambda joints: joints * 1e4, "not plausible: coordinates", "expected metres"),
        (lambda joints: np.tile(joints, (301, 1, 1)), "too long", "12040 frames, 602 s; at most 600 s"),
    ],
)
def test_one_clip_of_another_world_leaves_the_others(tmp_path, spoil, cause, reason):
    folder = write_folder(tmp_path / "theirs", 2)
    np.save(folder / "clip1.npy", spoil(walk_of(2).joints))
    found = read_system(folder)
    assert [clip.case.id for clip in found.clips] == ["clip0"]
    (item,) = found.left_out
    assert (item.id, item.cause, item.prompt) == ("clip1", cause, "a person jumps twice") and reason in item.reason


@pytest.mark.parametrize("rate", ["0.001", "1e9"])
def test_an_odd_frame_rate_leaves_the_clip_out(tmp_path, rate):
    folder = write_folder(tmp_path / "theirs", 2)
    (folder / "captions.csv").write_text(f"name,caption,fps\nclip0,a,\nclip1,b,{rate}\n")
    found = read_system(folder)
    assert [clip.case.id for clip in found.clips] == ["clip0"]
    assert [(item.id, item.cause) for item in found.left_out] == [("clip1", "frame rate")]
    assert "1 to 1000 are possible" in found.left_out[0].reason


def test_a_clip_that_cannot_be_resampled_is_left_out(tmp_path, monkeypatch):
    def resample(motion, fps):
        if motion.fps != fps:
            raise MemoryError("Unable to allocate 9 TiB")
        return motion

    monkeypatch.setattr(Motion, "resample", resample)
    folder = write_folder(tmp_path / "theirs", 2)
    (folder / "captions.csv").write_text("name,caption,fps\nclip0,a,\nclip1,b,30\n")
    assert [(each.id, each.reason) for each in read_system(folder).left_out] == [("clip1", "Unable to allocate 9 TiB")]


def test_frame_rates(tmp_path):
    folder = write_folder(tmp_path / "theirs", 2)
    walk_of(2).resample(30).save(folder / "other.bvh")
    (folder / "other.txt").write_text("a person walks")
    found = read_system(folder, fps=60)
    assert [clip.motion.fps for clip in found.clips] == [20, 20, 20]
    assert [len(clip.motion) for clip in found.clips] == [14, 14, 39]
    assert list(found.notes) == ["1 clip resampled from 30 to 20 fps", "2 clips resampled from 60 to 20 fps"]


def corpus(folder):
    clips = []
    for i in range(4):
        features = Motion.from_features(walk_of(3, i).to_features())
        captions = (Caption("a man turns", ("man/NOUN",), 0.0, 1.0), Caption(f"a man waves {i}", ("wave/VERB",)))
        clips.append(HumanML3DClip(f"{i:06d}", features, captions[: 1 + (i != 3)]))
    write_humanml3d(folder, clips[1:], "test")
    write_humanml3d(folder, clips[:1], "train")
    return folder


def test_a_humanml3d_folder(tmp_path):
    folder = corpus(tmp_path / "real")
    found = read_system(folder)
    assert [clip.case.id for clip in found.clips] == ["000001", "000002", "000003"]
    assert [clip.prompt for clip in found.clips] == ["a man waves 1", "a man waves 2", "a man turns"]
    assert [len(clip.motion) for clip in found.clips] == [59, 59, 20]  # the last caption is of one second
    assert found.clips[0].case.text.tokens == ("wave/VERB",) and found.made_with["split"] == "test"
    assert list(found.notes) == ["2 clips have several captions; the first for the whole clip counts"]
    assert [clip.case.id for clip in read_system(folder, split="train").clips] == ["000000"]
    (folder / "new_joint_vecs" / "000001.npy").write_bytes(b"")
    left_out = read_system(folder).left_out
    assert [(item.id, item.cause) for item in left_out] == [("000001", "cannot be read")]
    (folder / "texts" / "000002.txt").unlink()
    with pytest.raises(ValueError, match=r"1 of 2 motions have no caption: texts/000002.txt"):
        read_system(folder)


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (lambda f: None, {}, "expected a folder of motions, but there is no such folder"),
        (lambda f: f.write_text("x"), {}, "expected a folder of motions, but it is a file"),
        (lambda f: f.mkdir(), {}, r"holds no motions; expected files ending in .bvh, .amc, .npz, .npy"),
        (lambda f: write_folder(f), {"split": "test"}, "split is for HumanML3D folders"),
        (lambda f: corpus(f), {"fps": 30.0}, "HumanML3D folders have 20 fps, got fps=30"),
        (
            lambda f: (write_folder(f, 1) / "clip0.bvh").write_text("x"),
            {},
            "several files have the same name but for the suffix: clip0",
        ),
        (
            lambda f: (write_folder(f, 1) / "clip0.npy").write_bytes(b"x"),
            {},
            "none of 1 outputs is a motion. The first fault: clip0.npy: ",
        ),
        (
            lambda f: [(write_folder(f, 1) / f"captions.{form}").write_text("") for form in ("csv", "jsonl")],
            {},
            "has captions.jsonl and captions.csv; keep the one that holds",
        ),
        (
            lambda f: (write_folder(f, 1) / "captions.csv").write_text("name,caption\nclip0,a\nclip0.npy,b\n"),
            {},
            "line 3: the name 'clip0' is there twice",
        ),
        (
            lambda f: (write_folder(f, 1) / "captions.csv").write_text("file,text\nclip0,a\n"),
            {},
            r"expected the header name,caption or name,caption,fps, got \['file', 'text'\]",
        ),
        (
            lambda f: (write_folder(f, 1) / "captions.csv").write_text("name,caption\nclip0,walks, then sits\n"),
            {},
            "line 2: it has more fields than the header; put a caption with commas in quotes",
        ),
        (
            lambda f: (write_folder(f, 1) / "captions.jsonl").write_text('{"name": "clip0", "caption": "a"}\nclip1\n'),
            {},
            "line 2: expected a JSON object, got 'clip1'",
        ),
        (
            lambda f: (write_folder(f, 1) / "captions.jsonl").write_text('{"name": 3, "caption": "a"}\n'),
            {},
            "line 1: expected a name and a caption, and fps where it is known",
        ),
        (
            lambda f: (write_folder(f, 1) / "captions.jsonl").write_text(
                '{"name": "a", "caption": "a", "fps": "x"}\n'
            ),
            {},
            "line 1: expected fps as a number, got 'x'",
        ),
        *[
            (
                lambda f, rate=rate: (write_folder(f, 1) / "captions.csv").write_text(
                    f"name,caption,fps\nx,a,{rate}\n"
                ),
                {},
                "line 2: expected fps above 0, got",
            )
            for rate in ("0", "-20", "nan", "inf")
        ],
        (lambda f: write_folder(f, 1), {"fps": 0.0}, "theirs: expected 1 to 1000 fps, got 0"),
        (
            lambda f: (write_folder(f, 1) / "captions.csv").write_text(f"name,caption\nx,a\ny,{'b' * 140_000}\n"),
            {},
            r"captions.csv, line 3: this is no CSV file .*field limit",
        ),
        (
            lambda f: (write_folder(f, 1) / "captions.jsonl").write_text("\n" + "[" * 100_000),
            {},
            "captions.jsonl, line 2: ",
        ),
        (
            lambda f: (write_folder(f, 1) / "captions.jsonl").write_text('{"name": "a", "caption": "x \\ud800"}'),
            {},
            r"captions.jsonl, line 1: half of a character \(a lone surrogate\) at place 2",
        ),
    ],
)
def test_bad_folders(tmp_path, make, options, message):
    make(tmp_path / "theirs")
    with pytest.raises(ValueError, match=message):
        read_system(tmp_path / "theirs", **options)
