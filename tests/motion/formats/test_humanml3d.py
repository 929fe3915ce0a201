"""HumanML3D's folder: read, written, and read by the rules of the field's code."""

import numpy as np
import pytest

from atom_hf.motion import (
    Caption,
    HumanML3DClip,
    Motion,
    MotionFormatError,
    Skipped,
    read_captions,
    read_humanml3d,
    write_humanml3d,
)
from atom_hf.motion.formats.humanml3d import captions_beside

CAPTIONS = (
    Caption("a person walks to the left.", ("a/DET", "person/NOUN", "walk/VERB"), 0.0, 0.0),
    Caption("someone steps", (), 0.5, 1.5),
)


@pytest.fixture
def folder(tmp_path, walk):
    clips = [HumanML3DClip(name, Motion(walk * size), CAPTIONS) for name, size in (("000001", 1.0), ("M000001", 1.1))]
    assert write_humanml3d(tmp_path / "corpus", clips, split="train") == ["000001", "M000001"]
    return tmp_path / "corpus"


def test_round_trip(folder, walk):
    clips = list(read_humanml3d(folder))
    assert [clip.name for clip in clips] == ["000001", "M000001"]
    first = clips[0]
    np.testing.assert_allclose(first.motion.features, Motion(walk).to_features(), atol=1e-6)
    assert first.motion.text == CAPTIONS[0].text and first.captions[0] == CAPTIONS[0]
    assert first.captions[1].tokens == ("someone/OTHER", "steps/OTHER")  # words stand in where there were no tags
    assert [c.name for c in read_humanml3d(folder, split="train")] == ["000001", "M000001"]


def test_what_lies_there(folder):
    """As HumanML3D has it: joints recovered from features, one frame less than the source, float32."""
    joints = np.load(folder / "new_joints" / "000001.npy")
    features = np.load(folder / "new_joint_vecs" / "000001.npy")
    assert joints.shape == (39, 22, 3) and features.shape == (39, 263) and joints.dtype == features.dtype == np.float32
    lines = (folder / "texts" / "000001.txt").read_text().splitlines()
    assert lines[0] == "a person walks to the left.#a/DET person/NOUN walk/VERB#0.0#0.0"
    assert lines[1] == "someone steps#someone/OTHER steps/OTHER#0.5#1.5"


def test_segments(folder):
    clip = next(iter(read_humanml3d(folder)))
    assert len(clip.segment(clip.captions[0])) == 39
    part = clip.segment(clip.captions[1])
    assert len(part) == 20 and part.text == "someone steps"
    np.testing.assert_array_equal(part.joints, clip.motion.joints[10:30])
    with pytest.raises(ValueError, match="start < stop"):
        clip.segment(Caption("late", (), 5.0, 6.0))


def test_half_a_folder_is_enough(folder):
    (folder / "new_joints" / "000001.npy").unlink()
    (folder / "new_joint_vecs" / "M000001.npy").unlink()
    first, second = read_humanml3d(folder)
    assert first.motion.features is not None and second.motion.features is None and len(second.motion) == 39


def test_stored_samples(shared):
    skipped: list[Skipped] = []
    clips = {clip.name: clip for clip in read_humanml3d(shared / "humanml3d_samples", skipped=skipped)}
    assert set(clips) == {"000000", "000612", "007005", "012314", "M010968"} and not skipped
    assert clips["000000"].captions[0].text.startswith("a man kicks") and len(clips["000612"].motion) == 199


def test_broken_captions(folder):
    path = folder / "texts" / "000001.txt"
    good = path.read_text().splitlines()[0]
    path.write_text("\n".join(["no fields", good, "a#b/C#x#0.0", "#b/C#0.0#0.0", "a#b/C#2#1", "a#b/C#nan#nan", ""]))
    skipped: list[Skipped] = []
    captions = read_captions(path, skipped)
    assert [c.text for c in captions] == ["a person walks to the left.", "a"] and captions[1].start == 0.0
    reasons = [item.reason for item in skipped]
    assert len(reasons) == 4 and "000001.txt, line 1: expected caption#tokens#start#end, got 1 of 4" in reasons[0]
    assert "line 3: expected start and end in seconds, got 'x'" in reasons[1]
    assert "line 4: expected a caption" in reasons[2] and "line 5" in reasons[3]
    with pytest.raises(MotionFormatError, match=r"000001\.txt, line 1"):
        read_captions(path)
    skipped.clear()
    assert len(list(read_humanml3d(folder, skipped=skipped))) == 2 and len(skipped) == 4


def test_broken_clips_are_counted(folder):
    (folder / "new_joints" / "000001.npy").write_bytes(b"\x93NUMPY")
    (folder / "train.txt").write_text("000001\nM000001\n999999\n")
    skipped: list[Skipped] = []
    assert [clip.name for clip in read_humanml3d(folder, "train", skipped)] == ["M000001"]
    assert "000001.npy" in skipped[0].reason and "neither new_joints nor new_joint_vecs" in skipped[1].reason
    with pytest.raises(MotionFormatError, match=r"000001\.npy"):
        list(read_humanml3d(folder, "train"))
    np.save(folder / "new_joints" / "000001.npy", np.zeros((5, 22, 3), np.float32))
    with pytest.raises(MotionFormatError, match=r"000001\.npy: does not fit .* or one frame less"):
        next(iter(read_humanml3d(folder)))


@pytest.mark.parametrize("name", ["../secret", "a/b", "/etc/passwd"])
def test_names_stay_in_the_folder(folder, walk, name):
    (folder / "bad.txt").write_text(f"000001\n{name}\n")
    with pytest.raises(MotionFormatError, match=r"bad\.txt, line 2: expected a name of a clip"):
        list(read_humanml3d(folder, "bad"))
    with pytest.raises(ValueError, match="plain name for a clip"):
        write_humanml3d(folder, [HumanML3DClip(name, Motion(walk), ())])


def test_names_differ(tmp_path, walk):
    with pytest.raises(ValueError, match="name of its own for each clip, got 'a' twice"):
        write_humanml3d(tmp_path, [HumanML3DClip("a", Motion(walk), ())] * 2)


def test_empty_folders(tmp_path):
    with pytest.raises(MotionFormatError, match="expected a HumanML3D folder"):
        list(read_humanml3d(tmp_path))
    (tmp_path / "new_joints").mkdir()
    with pytest.raises(MotionFormatError, match="there are no clips"):
        list(read_humanml3d(tmp_path))
    with pytest.raises(MotionFormatError, match="expected one of its splits, none, got 'test'"):
        list(read_humanml3d(tmp_path, "test"))


def test_captions_cannot_break_the_file(tmp_path, walk):
    odd = Caption("two\nlines # and a hash", (), 0.0, 0.0)
    write_humanml3d(tmp_path, [HumanML3DClip("a", Motion(walk, text="x"), (odd,))])
    assert [c.text for c in read_captions(tmp_path / "texts" / "a.txt")] == ["two lines and a hash"]
    write_humanml3d(tmp_path, [HumanML3DClip("b", Motion(walk, text="from the motion"), ())])
    assert read_captions(tmp_path / "texts" / "b.txt")[0].text == "from the motion"
    write_humanml3d(tmp_path, [HumanML3DClip("c", Motion(walk), ())])
    assert not (tmp_path / "texts" / "c.txt").exists()


def test_separators_in_a_caption_end_no_line(tmp_path):
    (tmp_path / "walk.txt").write_bytes("a person\u2028walks\r\na person jumps\x0c up\n".encode())
    found = [caption.text for caption in captions_beside(tmp_path / "walk.bvh")]
    assert found == ["a person\u2028walks", "a person jumps\x0c up"]
