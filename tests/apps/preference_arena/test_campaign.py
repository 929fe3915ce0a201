"""Where pairs come from, and the campaign to try."""

import io
import json
import zipfile

import numpy as np
import pytest

from atom_hf.apps.preference_arena import campaign
from atom_hf.apps.preference_arena.campaign import known_pairs, model_pairs, read_pairs, trial_pairs
from atom_hf.arena import ArenaError
from tests.arena.parts import motion


def packed(systems=("base", "aligned")) -> bytes:
    """A campaign of one prompt, as a zip."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("prompts.jsonl", json.dumps({"name": "one", "prompt": "a person walks"}))
        for system in systems:
            file = io.BytesIO()
            np.save(file, motion(system).joints)
            archive.writestr(f"{system}/one.npy", file.getvalue())
    return data.getvalue()


def test_a_zip_and_a_folder_give_the_same_pairs(tmp_path):
    (tmp_path / "campaign.zip").write_bytes(packed())
    with zipfile.ZipFile(tmp_path / "campaign.zip") as archive:
        archive.extractall(tmp_path / "campaign")
    (one,), (other,) = (list(read_pairs(str(tmp_path / name))) for name in ("campaign.zip", "campaign"))
    first, second = ({clip.system: clip.motion for clip in (pair.one, pair.two)} for pair in (one, other))
    assert one.prompt == other.prompt == "a person walks" and first == second


def test_a_source_that_is_none_is_named(tmp_path):
    for source in (str(tmp_path / "nowhere"), "nowhere", "./a/b", "a/b/c"):
        with pytest.raises(ArenaError, match=r"expected a folder with prompts\.jsonl and motions, a zip of one, or a"):
            read_pairs(source)


def test_known_pairs_show_what_was_asked_for_and_what_was_not(make):
    pairs = list(known_pairs(2, 3, seed=1))
    assert [pair.training for pair in pairs] == [True, True, False, False, False]
    assert all(pair.expected == "one" and pair.one.motion != pair.two.motion for pair in pairs)
    assert all(pair.lesson.startswith("What is wrong with the other one: ") for pair in pairs[:2])
    assert not any(pair.lesson for pair in pairs[2:])
    assert make(pairs).admin("open sesame, please").overview().pairs == {"gold": 3, "training": 2}


class Walker:
    """Makes the same walk for a prompt and a seed."""

    def generate_motion(self, prompts, seed):
        return [motion(f"{prompt} {seed}") for prompt in prompts]


def test_one_model_with_two_seeds_and_two_models(monkeypatch):
    monkeypatch.setattr(campaign, "load", lambda source: Walker())
    (pair,) = model_pairs(["a person walks"], ["me/base"])
    assert (pair.one.system, pair.one.seed, pair.two.system, pair.two.seed) == ("me/base", 0, "me/base", 1)
    (pair,) = model_pairs(["a person walks"], ["me/base", "me/ipo"])
    assert (pair.one.system, pair.two.system) == ("me/base", "me/ipo")
    with pytest.raises(ArenaError, match="one model or two, got 3"):
        model_pairs(["a person walks"], ["a", "b", "c"])


def test_the_campaign_to_try_has_lessons_gold_questions_and_both_models(make):
    pytest.importorskip("peft")
    pytest.importorskip("torch")
    pairs = list(trial_pairs(4))
    normal = [pair for pair in pairs if pair.expected is None]
    assert len(pairs) == 3 + 6 + len(normal) and 3 <= len(normal) <= 4
    assert {(pair.one.system, pair.two.system) for pair in normal} == {("motiongpt_tiny", "motiongpt_tiny_aligned")}
    assert all(pair.one.motion.codes is not None and pair.scenario for pair in normal), "they can be trained with"
    assert make(pairs).add_pairs(pairs) == 0
