"""`atom-hf judge calibrate`, as a user types it; and `atom-hf judge FILE` beside it."""

import json

import pytest

from atom_hf.cli import main
from atom_hf.cli.judge_calibrate import read_layout
from atom_hf.motion import Motion
from atom_hf.rewards import KinematicJudge
from atom_hf.rewards.calibration_items import calibration_items
from atom_hf.rewards.vlm.pictures import PictureLayout, draw
from tests.data.made_annotations import write_annotations
from tests.rewards.vlm.server import Reply, pair, point, serving

VLM = ["judge", "calibrate", "--judge", "vlm", "--model", "any", "--no-compare", "--items"]


def run(*words, capsys):
    status = main([str(word) for word in words])
    out, err = capsys.readouterr()
    return status, out, err


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def test_the_kinematic_judge(capsys):
    status, out, err = run("judge", "calibrate", "--items", 32, "--repeats", 2, "--jitter", 0, 0.01, capsys=capsys)
    assert status == 0 and err == ""
    assert out.startswith("# Calibration of kinematic-1\n\nHeld against 32 synthesised motions (seed 0).\n")
    assert "| all | 32 of 32 | 1.000 (1.000–1.000) |" in out
    assert "Scored 2 times, 100% of the motions got the same score each time" in out
    assert "| joints wander by 10 mm |" in out and out.endswith("\n")


def test_the_same_command_writes_the_same_report(tmp_path, capsys):
    for name in ("a", "b"):
        files = [tmp_path / f"{name}.md", tmp_path / f"{name}.json"]
        status, out, err = run("judge", "calibrate", "--items", 8, "--seed", 3, "--output", *files, capsys=capsys)
        assert status == 0 and out == f"kinematic-1 → {files[0]}, {files[1]}\n"
        assert err == (
            "Judge kinematic-1 is not to be relied on by what 8 synthesised motions (seed 3) says: "
            "only 8 answers on all, at least 30 expected.\n"
        )
    assert (tmp_path / "a.md").read_bytes() == (tmp_path / "b.md").read_bytes()
    report = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert report["trustworthy"] is False and report["tasks"][-1]["scored"] == 8
    assert report["warning"] in (tmp_path / "b.md").read_text(encoding="utf-8")


def test_a_vision_judge_that_is_right(capsys):
    """The server knows each picture's true score: only if every item comes with its own picture is κ 1."""
    truth = {}
    for item in calibration_items(32, 0):
        (picture,) = draw(item.item.motion, PictureLayout(frames=2, size=(256, 128)))
        truth[picture.data_url] = int(item.truth[item.task] + 0.5)

    def answer(asked):
        (url,) = [part["image_url"]["url"] for part in asked.body["messages"][1]["content"] if "image_url" in part]
        return Reply(point(score=truth[url]))

    with serving(answer) as server:
        layout = "sheet:frames=2,size=256x128"
        status, out, err = run(*VLM, 32, "--base-url", server.url, "--layouts", layout, capsys=capsys)
    assert status == 0
    assert err.startswith("Before anything is asked: 32 requests")
    assert "# Calibration of any, rules by task" in out and "Layout: sheet, 2 frames, 256x128." in out
    assert "| all | 32 of 32 | 1.000 (1.000–1.000) |" in out and "Nothing here speaks against this judge" in out


def test_a_vision_judge_by_layout_with_choices(capsys, tmp_path):
    """It always says 3, and always the first; each layout is asked for its own pictures."""
    script = lambda asked: Reply(point(score=3) if asked.kind == "point" else pair("first"))  # noqa: E731
    words = [
        *VLM[:-2],
        "--items",
        4,
        "--layouts",
        "strip:frames=2,size=256x64",
        "frames:frames=2,size=128x128",
        "--task",
        "overall",
        "--orders",
        "2",
        "--store",
        tmp_path / "replies.sqlite",
    ]
    with serving(script) as server:
        status, out, _ = run(
            *words, "--base_url", server.url, "--pairs", 1, "--output", tmp_path / "x.json", capsys=capsys
        )
        sizes = {(asked.kind, tuple(asked.pictures)) for asked in server.requests}
    assert status == 0 and out.endswith(f" → {tmp_path / 'x.json'}\n")
    assert sizes == {
        ("point", ((256, 64),)),
        ("point", ((128, 128),) * 2),
        ("pair", ((256, 64),) * 2),
        ("pair", ((128, 128),) * 4),
    }
    report = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    assert [found["layout"] for found in report["by_layout"]] == [
        "strip, 2 frames, 256x64",
        "frames, 2 frames, 128x128",
    ]
    assert report["judge"] == "any, overall-1" and report["histogram"]["judge"] == [0, 0, 4, 0, 0]
    assert report["orders"] | {"items": 0, "scored": 0} == {
        "items": 0,
        "scored": 0,
        "higher": 0,
        "shift": 0,
        "reported": 0,
    }
    assert 1 <= report["orders"]["scored"] <= 2
    assert report["position"]["pairs"] == 1 and report["position"]["first_shown"] == 1
    assert report["tasks"][0]["pairs"]["asked"] is True and report["trustworthy"] is False


def test_a_server_that_refuses_leaves_all_unscored(capsys):
    with serving(lambda asked: Reply(refusal="I would rather not.")) as server:
        status, out, _ = run(
            *VLM, 8, "--base-url", server.url, "--layouts", "strip:frames=2,size=256x64", capsys=capsys
        )
    assert status == 0
    assert "8 of 8." in out and "100% of the motions unscored" in out and "not defined" in out


def test_votes_of_people(tmp_path, capsys):
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    write_annotations(tmp_path / "votes", prompts=16, piece=16)
    status, out, err = run("judge", "calibrate", "--votes", tmp_path / "votes", capsys=capsys)
    assert status == 0, err
    assert "people's votes on " in out and "## Which of two motions is better" in out and "## Scores" not in out
    assert "not to be relied on" in out  # votes by dice


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--output", "report.txt"], "report.txt: a report is written as .md or .json"),
        (["--layouts", "sheet"], "kinematic judge looks at no pictures, so --layouts says nothing to it"),
        (["--judge", "vlm", "--store", "x.db", "--repeats", "2"], "With --store every repetition would be the stored"),
        (["--judge", "vlm", "--jitter", "0", "0.1"], "Several values of --jitter would be paid for one by one"),
        (["--judge", "vlm", "--layouts", "sheet:rows=2"], "Expected a layout such as sheet or sheet:stride=8"),
        (["--judge", "vlm", "--layouts", "film"], "The kind of a layout is one of sheet, strip, views, frames"),
        (["--items", "0"], "Expected at least one item"),
        (["--judge", "vlm", "--base-url", "http://x:99999"], "a port up to 65535, got 'http://x:99999'"),
        (
            ["--judge", "vlm", "--base-url", "http://x", "--temperature", "nan"],
            "The temperature is a number from 0 on",
        ),
        (["--task", "beauty"], "task of a judge is one of"),
        (["--votes", "nowhere"], "nowhere"),
    ],
)
def test_what_is_refused(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, err = run("judge", "calibrate", *words, capsys=capsys)
    assert status == 1 and out == "" and message in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "layout"),
    [
        ("sheet", PictureLayout()),
        ("sheet:stride=8,columns=5,size=800x600", PictureLayout(stride=8, columns=5, size=(800, 600))),
        ("views:frames=7,quality=60", PictureLayout("views", frames=7, quality=60)),
    ],
)
def test_layouts(words, layout):
    assert read_layout(words) == layout


@pytest.mark.parametrize("words", ["sheet:frames", "sheet:frames=", "sheet:frames=-1", "strip:size=4", "sheet:kind=3"])
def test_layouts_that_are_none(words):
    with pytest.raises(ValueError, match=r"Expected (a layout such as|width and height)"):
        read_layout(words)


def test_a_file_is_still_judged(tmp_path, capsys, monkeypatch):
    """The command with a file does what it did; a file of the name calibrate is ./calibrate."""
    item = calibration_items(4, 0)[0].item
    Motion(item.motion.joints).save(tmp_path / "motion.npz")
    (tmp_path / "calibrate").mkdir()
    monkeypatch.chdir(tmp_path)
    status, out, _ = run("judge", "motion.npz", item.prompt, "--task", "overall", capsys=capsys)
    assert status == 0 and out.startswith("5.00 of 5: ") and KinematicJudge().score([item])[0].score == 5
    status, out, _ = run("judge", "--task", "overall", "motion.npz", capsys=capsys)
    assert status == 0 and " to " in out
    assert run("judge", "./calibrate", capsys=capsys)[0] == 1


def test_wrong_usage_is_told_with_its_command(capsys):
    for words, message in (
        (["judge", "calibrate", "--judge", "x"], "usage: atom-hf judge calibrate"),
        (["judge", "calibrate", "more"], "unrecognized arguments: more"),
        (["judge"], "usage: atom-hf judge [-h]"),
    ):
        with pytest.raises(SystemExit) as caught:
            main(words)
        assert caught.value.code == 2 and message in capsys.readouterr().err
