"""Where pairs come from: folders, archives, motions, models, a MotionPrefer."""

import io
import json
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from atom_hf.arena import (
    ArenaError,
    pairs_from_folder,
    pairs_from_models,
    pairs_from_motionprefer,
    pairs_from_motions,
    pairs_from_zip,
)
from atom_hf.data.schema import pair_row
from atom_hf.motion import Motion
from tests.arena.parts import motion, rows, sign_in

LINES = [
    {"name": "wave", "prompt": "a man waves", "task": "frequency"},
    {"name": "jump", "prompt": "a man jumps", "scenario": {"task": "overall", "events": [{"action": "jump"}]}},
    {"name": "known", "prompt": "a man bows", "expected": "aligned/known.npy"},
    {"name": "lesson", "prompt": "a man sits", "expected": "tie", "training": True, "lesson": "Both do."},
]
FILES = [
    *(f"{system}/{name}.npy" for system in ("base", "aligned") for name in ("wave", "known", "lesson")),
    *(f"base/jump@{seed}.bvh" for seed in (1, 2, 3)),
]


@pytest.fixture
def campaign(tmp_path):
    folder = tmp_path / "campaign"
    for file in FILES:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        motion(file, codes=False).save(folder / file)
    (folder / "prompts.jsonl").write_text("\n".join(map(json.dumps, LINES)) + "\n\n", encoding="utf-8")
    return folder


def _zipped(folder, prefix=""):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, prefix + path.relative_to(folder).as_posix())
    return content.getvalue()


def _check(items, make):
    found = [(i.prompt, i.task, i.one.system, i.one.seed, i.two.system, i.two.seed) for i in items]
    assert found == [
        ("a man waves", "frequency", "aligned", None, "base", None),
        ("a man jumps", "overall", "base", 1, "base", 2),
        ("a man jumps", "overall", "base", 1, "base", 3),
        ("a man jumps", "overall", "base", 2, "base", 3),
        ("a man bows", "overall", "aligned", None, "base", None),
        ("a man sits", "overall", "aligned", None, "base", None),
    ]
    assert [i.expected for i in items] == [None, None, None, None, "one", "tie"]
    assert json.loads(items[1].scenario)["events"] == [{"action": "jump"}]
    assert items[5].training and items[5].lesson == "Both do."
    assert np.allclose(items[0].one.motion.joints, motion("aligned/wave.npy").joints, atol=1e-5)
    arena = make(items)
    assert rows(arena, "SELECT kind, count(*) FROM pairs GROUP BY kind") == [
        ("gold", 1),
        ("normal", 4),
        ("training", 1),
    ]


def test_folder(campaign, make):
    _check(list(pairs_from_folder(campaign)), make)


@pytest.mark.parametrize("prefix", ["", "my campaign/"])
def test_zip(campaign, make, prefix):
    _check(list(pairs_from_zip(_zipped(campaign, prefix))), make)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: (f / "prompts.jsonl").unlink(), "expected prompts.jsonl and a folder of motions for each system"),
        (lambda f: (f / "prompts.jsonl").write_text("{"), "prompts.jsonl, row 1: expected a JSON object, but"),
        (lambda f: (f / "prompts.jsonl").write_text("[1]"), "expected objects with name and prompt, got"),
        (lambda f: _append(f, {"name": "wave", "prompt": "x"}), "the name 'wave' stands there twice"),
        (lambda f: _append(f, {"name": "x", "prompt": "x"}), "Expected two motions for 'x', got none"),
        (lambda f: _append(f, {"name": "x", "prompt": "x", "model": "y"}), "expected name, prompt, .*got 'model'"),
        (lambda f: (f / "base" / "lesson.npy").unlink(), "Expected two motions for 'lesson', got aligned/lesson.npy"),
        (
            lambda f: (f / "base" / "known.npy").rename(f / "base" / "other.npy"),
            "base/other.npy: expected a line with the name 'other'",
        ),
        (
            lambda f: (f / "base" / "jump@1.bvh").rename(f / "base" / "jump@x.bvh"),
            "Expected a number as the seed, name@7.bvh, got 'base/jump@x.bvh'",
        ),
        (
            lambda f: _replace(f, "aligned/known.npy", "third/known.npy"),
            "'known': expected the better motion, aligned/known.npy or base/known.npy, or tie, got 'third/known.npy'",
        ),
    ],
)
def test_folders_that_do_not_fit_together(campaign, change, message):
    change(campaign)
    with pytest.raises(ArenaError, match=message):
        list(pairs_from_folder(campaign))


def _append(folder, line):
    with (folder / "prompts.jsonl").open("a") as file:
        file.write(json.dumps(line))


def _replace(folder, old, new):
    path = folder / "prompts.jsonl"
    path.write_text(path.read_text().replace(old, new))


def test_motions_at_hand():
    a, b = [motion("a"), motion("b")], [motion("c"), motion("d")]
    first, second = pairs_from_motions(["x", "y"], a, b, ("base", "aligned"), seeds=(3, None), task="temporal")
    assert (first.prompt, first.one.system, first.one.seed, first.two.seed) == ("x", "base", 3, None)
    assert second.two.motion is b[1] and second.task == "temporal"
    with pytest.raises(ArenaError, match="for each of 1 prompts, got 2 and 2"):
        list(pairs_from_motions(["x"], a, b, ("base", "aligned")))


class _Model:
    def __init__(self, name):
        self.config = SimpleNamespace(_name_or_path=name)

    def generate_motion(self, prompts, seed, temperature=1.0):
        return [motion(f"{self.config._name_or_path} {prompt} {seed if temperature else 0}") for prompt in prompts]


def test_models():
    model, other = _Model("base"), _Model("aligned")
    (item,) = pairs_from_models(["a man waves"], model)
    assert (item.one.system, item.one.seed, item.two.system, item.two.seed) == ("base", 0, "base", 1)
    (item,) = pairs_from_models(["a man waves"], model, other, seeds=(5, 5))
    assert (item.one.system, item.two.system, item.two.seed) == ("base", "aligned", 5)
    assert list(pairs_from_models(["a man waves"], model, temperature=0)) == []  # the same motion twice
    with pytest.raises(ArenaError, match=r"Both models are called 'base'; pass names=\("):
        list(pairs_from_models(["a man waves"], model, _Model("base")))


@pytest.mark.slow
def test_tiny_model():
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from atom_hf.assets import DEFAULT_MODEL
    from atom_hf.models import MotionGPTForPreference

    torch.set_num_threads(1)
    model = MotionGPTForPreference.from_pretrained(DEFAULT_MODEL)
    (item,) = pairs_from_models(["a person walks"], model, max_frames=40)
    assert item.one.motion.codes is not None and item.one.system == str(DEFAULT_MODEL)


def test_motionprefer_in_a_folder():
    pytest.importorskip("datasets")
    from atom_hf.assets import DEFAULT_DATASET

    def decode(codes):
        return [Motion(motion(str(row)).joints) for row in codes]

    items = list(pairs_from_motionprefer(DEFAULT_DATASET, decode, config="temporal"))
    assert items and {item.task for item in items} == {"temporal"}
    assert items[0].one.motion.codes is not None and items[0].scenario
    with pytest.raises(ArenaError, match="expected rows of 'human' in the split 'train' of a MotionPrefer, got none"):
        list(pairs_from_motionprefer(f"{DEFAULT_DATASET}/data", decode, config="human", split="train"))


def test_motionprefer(make):
    rng = np.random.default_rng(0)
    given = [
        pair_row(
            prompt_id=f"p{i}", prompt=f"a man waves {i} times", task="frequency", degree=degree, judge="kinematic-1",
            chosen={"codes": rng.integers(0, 512, 9).tolist(), "model": "base", "seed": 3, "score": 5.0},
            rejected={"codes": rng.integers(0, 512, 9).tolist(), "model": "aligned", "score": score},
        )
        for i, (degree, score) in enumerate((("much better", 1.0), ("better", 4.0), ("much better", 2.0)))
    ]  # fmt: skip

    def decode(codes):
        return [Motion(motion(str(row)).joints) for row in codes]

    items = list(pairs_from_motionprefer(given, decode, gold=["much better"], batch_size=2))
    assert [item.expected for item in items] == ["one", None, "one"]
    assert items[1].one.motion.codes.tolist() == given[1]["chosen_codes"]
    assert (items[0].one.system, items[0].one.seed, items[0].two.seed) == ("base", 3, None)
    arena = make(items, gold_every=1)
    assert arena.next_ballot(sign_in(arena)).task == "frequency"
    assert rows(arena, "SELECT id FROM prompts ORDER BY id") == [
        ("p0/frequency",),
        ("p1/frequency",),
        ("p2/frequency",),
    ]
