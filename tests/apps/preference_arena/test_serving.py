"""From the environment to an arena with pairs; no start where votes would be lost."""

from pathlib import Path

import pytest

from atom_hf.apps.preference_arena import serving
from atom_hf.apps.preference_arena.serving import open_arena
from atom_hf.apps.preference_arena.settings import PageSettings
from atom_hf.arena import Arena, StoreError
from tests.arena.parts import PLAIN, pairs


def test_the_environment_says_everything():
    given = {
        "ATOM_HF_ARENA_STORE": "/data/here", "ATOM_HF_ARENA_PAIRS": "me/pairs", "ATOM_HF_ARENA_ACCESS": "codes",
        "ATOM_HF_ARENA_PUSH": "me/votes", "ATOM_HF_ARENA_MINUTES": "2", "ATOM_HF_ARENA_ADMIN": "sesame",
    }  # fmt: skip
    found = PageSettings.of_environment(given)
    assert found == PageSettings(Path("/data/here"), "me/pairs", "codes", "sesame", "me/votes", 120.0)


def test_a_space_with_sign_in_uses_it():
    assert PageSettings.of_environment({"SPACE_ID": "me/arena", "OAUTH_CLIENT_ID": "x"}).access == "hub"
    assert PageSettings.of_environment({"SPACE_ID": "me/arena"}).access is None


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("ACCESS", "anybody", "one of names, codes, hub, got 'anybody'"),
        ("MINUTES", "soon", "a number of minutes, got 'soon'"),
        ("MINUTES", "0", "at least 10 s"),
        ("MINUTES", "nan", "at least 10 s"),
    ],
)
def test_a_wrong_value_is_named(variable, value, words):
    with pytest.raises(ValueError, match=words):
        PageSettings.of_environment({f"ATOM_HF_ARENA_{variable}": value})


def test_a_store_with_pairs_goes_on_and_an_empty_one_gets_the_campaign_to_try(tmp_path, monkeypatch):
    monkeypatch.setattr(serving, "trial_pairs", lambda: pairs(2))
    settings = PageSettings(tmp_path / "store")
    for new in (2, 0):
        with open_arena(settings) as place:
            assert place.new == new and place.push is None
            assert place.arena.settings.access == "names"


def test_the_access_changes_and_the_rest_of_the_settings_stays(tmp_path):
    Arena(tmp_path / "store", PLAIN).close()
    with open_arena(PageSettings(tmp_path / "store", access="codes"), pairs(1)) as place:
        assert place.arena.settings.access == "codes" and place.arena.settings.votes_per_pair is None
        assert place.new == 1


def test_no_start_where_votes_cannot_be_kept(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreError, match="expected a folder in which votes can be kept"):
        with open_arena(PageSettings(tmp_path / "file" / "store")):
            pass


def test_votes_are_pushed_a_last_time_at_the_end(tmp_path, monkeypatch):
    stopped = []

    class Push:
        def __init__(self, export, repo, every):
            self.export, self.repo, self.every = export, repo, every

        def stop(self):
            self.export(tmp_path / "last")
            stopped.append((self.repo, self.every))

    monkeypatch.setattr(serving, "ScheduledPush", Push)
    with open_arena(PageSettings(tmp_path / "store", push="me/votes", push_every=60.0), pairs(1)):
        pass
    assert stopped == [("me/votes", 60.0)] and (tmp_path / "last" / "README.md").is_file()
