"""The arena as a whole: settings that stay, progress, and the page of whoever runs it."""

import pytest

from atom_hf.arena import ArenaError, NotAllowed, Settings
from atom_hf.arena import arena as module
from tests.arena.parts import pair, pairs, sign_in, vote


def test_settings_stay(make):
    arena = make(votes_per_pair=5, most_votes=9, title="Which one waves?")
    arena.close()
    again = make(0)
    assert again.settings == arena.settings and again.settings.title == "Which one waves?"
    again.close()
    assert make(0, votes_per_pair=2).settings.votes_per_pair == 2


def test_settings_from_json():
    settings = Settings(votes_per_pair=None, lease=5)
    assert Settings.from_json(settings.to_json()) == settings
    assert Settings.from_json('{"title": "Which?", "of_a_later_version": 1}') == Settings(title="Which?")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"access": "all"}, ValueError, "access is one of names, codes, hub, got 'all'"),
        ({"title": " "}, TypeError, "title is text"),
        ({"votes_per_pair": 0}, ValueError, "votes_per_pair is at least 1, got 0"),
        ({"votes_per_pair": 2.5}, TypeError, "votes_per_pair is an integer, got 2.5"),
        ({"votes_per_pair": 9}, ValueError, "most_votes is at least votes_per_pair, 9, got 7"),
        ({"gold_every": True}, TypeError, "gold_every is an integer, got True"),
        ({"min_gold": "0.7"}, TypeError, "min_gold is a number"),
        ({"lease": 0}, ValueError, "lease is at least 1"),
        ({"max_bytes": 10}, ValueError, "max_bytes is at least 65536, got 10"),
    ],
)
def test_bad_settings(options, error, message):
    with pytest.raises(error, match=message):
        Settings(**options)


def test_progress(make):
    arena = make([*pairs(3), pair("lesson", expected="one", training=True)], training=2)
    ann = sign_in(arena)
    assert arena.progress(ann) == (0, 1, 3)
    vote(arena, ann)
    assert arena.progress(ann) == (0, 0, 3)
    vote(arena, ann)
    vote(arena, ann, "skipped", reason="text unclear")
    assert arena.progress(ann) == (2, 0, 1)
    vote(arena, ann)
    assert arena.progress(ann) == (3, 0, 0) and arena.next_ballot(ann) is None


def test_an_empty_arena(make, tmp_path):
    arena = make(0, training=3, gold_every=5, repeat_every=5)
    ann = sign_in(arena)
    assert arena.next_ballot(ann) is None and arena.progress(ann) == (0, 0, 0)
    assert arena.standings() == [] and arena.agreement().choice is None
    assert arena.quality(ann).votes == 0
    assert arena.export(tmp_path / "votes").votes == 0
    with pytest.raises(ArenaError, match="Expected a system, one of none yet, got 'a'"):
        arena.win_rates("a", "b")


def test_agreement_is_worked_out_when_there_are_new_votes(make, monkeypatch):
    arena = make(3)
    worked_out = []
    known = module.agreement
    monkeypatch.setattr(module, "agreement", lambda *options: worked_out.append(1) or known(*options))
    ann = sign_in(arena)
    for _ in range(3):
        arena.agreement()
    assert len(worked_out) == 1
    vote(arena, ann)
    assert arena.agreement().votes == 1 and len(worked_out) == 2
    arena.undo(ann)
    assert arena.agreement().votes == 0 and len(worked_out) == 3


def test_overview(make):
    arena = make([*pairs(3), pair("known", expected="tie")], votes_per_pair=1)
    ann = sign_in(arena)
    vote(arena, ann, "skipped", reason="both implausible")
    vote(arena, ann)
    arena.undo(ann)
    overview = arena.admin("open sesame").overview()
    assert overview.bytes > 10_000
    assert overview._replace(bytes=0) == (
        {"gold": 1, "normal": 3}, ["aligned", "base"], 1, {"normal": 1}, 1, 1, {"both implausible": 1}, 0,
    )  # fmt: skip


def test_blocked(make, tmp_path):
    arena = make()
    ann, bob = sign_in(arena), sign_in(arena, "bob")
    vote(arena, ann)
    vote(arena, bob)
    admin = arena.admin("open sesame")
    labeller = arena.quality(ann).labeller
    admin.block(labeller, "answers within half a second")
    for call in (arena.next_ballot, arena.progress, arena.undo):
        with pytest.raises(NotAllowed, match="You cannot vote here any more"):
            call(ann)
    assert arena.export(tmp_path / "votes").votes == 1 and len(admin.labellers()) == 1
    admin.block(labeller, "a mistake", blocked=False)
    vote(arena, ann)
    with pytest.raises(ArenaError, match="Expected a labeller, got 'nobody'"):
        admin.block("nobody", "why not")


def test_two_servers_share_a_folder(make):
    one, two = make(4), make(0)
    ann = sign_in(one)
    ballot = one.next_ballot(ann)
    assert two.next_ballot(ann).id == ballot.id
    vote(two, ann)
    assert one.progress(ann).votes == 1
