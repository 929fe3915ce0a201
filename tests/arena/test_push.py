"""Votes on their way to the Hub: what goes wrong is told, tried again, and never stops a vote."""

import json
import logging
import threading
import time

import pytest

from atom_hf.arena import ScheduledPush
from tests.arena.parts import sign_in, vote

TOKEN = "hf_" + "aVerySecretToken"


class _Hub:
    def __init__(self, failures=0):
        self.failures, self.made, self.uploads = failures, [], []
        self.arrived = threading.Event()

    def create_repo(self, repo_id, **options):
        self.made.append((repo_id, options))

    def upload_folder(self, *, folder_path, **options):
        from pathlib import Path

        if self.failures:
            self.failures -= 1
            raise ConnectionError(f"401 for https://x.example/?token={TOKEN} with Bearer abc.def and hf_another1")
        files = [path for path in Path(folder_path).rglob("*") if path.is_file()]
        self.uploads.append({path.suffix: path.read_text("utf-8", "replace") for path in files})
        self.arrived.set()


def test_votes_arrive_where_something_has_changed(make):
    arena, hub = make(), _Hub()
    ann = sign_in(arena)
    push = ScheduledPush(arena.export, "me/votes", token=TOKEN, api=hub, start=False)
    vote(arena, ann)
    assert push.push() and push.push()
    assert len(hub.uploads) == 1 and hub.made[0] == (
        "me/votes", {"repo_type": "dataset", "private": True, "exist_ok": True}
    )  # fmt: skip
    assert len(hub.uploads[0][".jsonl"].splitlines()) == 1
    vote(arena, ann)
    assert push.push() and len(hub.uploads) == 2
    assert push.status().error is None and push.status().pushed_at == pytest.approx(time.time(), abs=60)


def test_failures_are_told_without_the_token(make, caplog):
    arena, hub = make(), _Hub(failures=2)
    ann = sign_in(arena)
    vote(arena, ann)
    push = ScheduledPush(arena.export, "me/votes", token=TOKEN, api=hub, start=False)
    with caplog.at_level(logging.DEBUG):
        assert not push.push() and not push.push()
    status = push.status()
    assert status.failures == 2 and status.pushed_at is None and status.error.startswith("ConnectionError: 401")
    for text in (caplog.text, status.error):
        assert TOKEN not in text and "hf_another1" not in text and "abc.def" not in text
    assert "Votes were not pushed to me/votes (2. failure)" in caplog.text
    vote(arena, ann)  # voting goes on
    assert push.push() and push.status().failures == 0
    assert len(hub.uploads[0][".jsonl"].splitlines()) == 2


def test_a_store_that_begins_anew_replaces_nothing(make):
    names = set()
    for folder in ("before", "after the restart"):
        arena, hub = make(name=folder), _Hub()
        vote(arena, sign_in(arena))
        ScheduledPush(arena.export, "me/votes", api=hub, start=False).push()
        names.add(json.loads(hub.uploads[0][".jsonl"])["arena"])
    assert len(names) == 2


def test_a_token_of_any_form_is_kept_out():
    def export(folder):
        raise OSError("cannot use s3cret-of-another-form")

    push = ScheduledPush(export, "me/votes", token="s3cret-of-another-form", api=_Hub(), start=False)
    assert not push.push() and push.status().error == "OSError: cannot use hf_…"


def test_schedule_tries_again(make, monkeypatch):
    monkeypatch.setattr("atom_hf.arena.push._FIRST_WAIT", 0.01)
    arena, hub = make(), _Hub(failures=2)
    vote(arena, sign_in(arena))
    push = ScheduledPush(arena.export, "me/votes", every=1, token=TOKEN, api=hub)
    assert hub.arrived.wait(20)
    vote(arena, sign_in(arena, "bob"))
    assert push.stop()  # a last time
    assert len(hub.uploads[-1][".jsonl"].splitlines()) == 2
    assert not push._thread.is_alive()


def test_a_broken_export_is_a_failure_like_any_other():
    def export(folder):
        raise OSError("disk is gone")

    push = ScheduledPush(export, "me/votes", api=_Hub(), start=False)
    assert not push.push() and push.status().error == "OSError: disk is gone"
    with pytest.raises(ValueError, match="every is a number of seconds, at least 1, got 0"):
        ScheduledPush(export, "me/votes", every=0, start=False)
