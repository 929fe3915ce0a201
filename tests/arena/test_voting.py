"""Votes: on the disk before they are acknowledged, once each, whatever is clicked, killed or full."""

import multiprocessing
import os
import signal
import threading
import time

import pytest

from atom_hf.arena import Answer, AnswerError, Arena, BallotError, Settings, StoreError
from tests.arena.parts import PLAIN, pair, pairs, rows, sign_in, token, vote

BETTER = Answer("first", "better")
COUNT = "SELECT count(*) FROM votes"


def test_a_vote_is_kept_by_motion_whatever_its_side(make):
    arena = make(8)
    ann = sign_in(arena)
    expected = []
    for i in range(8):
        ballot = arena.next_ballot(ann)
        choice = ("first", "second")[i % 2]
        (one_first,) = rows(arena, f"SELECT one_first FROM ballots WHERE id = '{ballot.id}'")[0]
        expected.append("one" if (choice == "first") == bool(one_first) else "two")
        said = Answer(choice, "Much better", questions={"events": "first", "order": "both"}, seconds=2.5)
        arena.vote(ann, ballot.id, said, token())
    kept = rows(arena, "SELECT choice, degree, questions, seconds, one_first FROM votes ORDER BY number")
    assert [row[0] for row in kept] == expected
    for _, degree, questions, seconds, one_first in kept:
        assert (degree, seconds) == ("much better", 2.5)
        assert questions == f'{{"events": "{"one" if one_first else "two"}", "order": "both"}}'


def test_double_click_is_one_vote_and_one_acknowledgement(make):
    arena = make()
    ann = sign_in(arena)
    ballot = arena.next_ballot(ann)
    told = []
    threads = [
        threading.Thread(target=lambda: told.append(arena.vote(ann, ballot.id, BETTER, "one click"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 8 and len(set(told)) == 1
    assert rows(arena, COUNT) == [(1,)]
    with pytest.raises(BallotError, match="was voted on already; please go on"):
        arena.vote(ann, ballot.id, BETTER, "another click")
    assert arena.next_ballot(ann).id != ballot.id


def test_a_token_is_good_for_one_vote_of_one_person(make):
    arena = make()
    ann, bob = sign_in(arena), sign_in(arena, "bob")
    first = arena.next_ballot(ann)
    arena.vote(ann, first.id, BETTER, "token of ann")
    with pytest.raises(BallotError, match="belongs to another vote; nothing was saved"):
        arena.vote(ann, first.id, Answer("second", "better"), "token of ann")
    for session in (ann, bob):
        with pytest.raises(BallotError, match="belongs to another vote"):
            arena.vote(session, arena.next_ballot(session).id, BETTER, "token of ann")
    for bad in ("", "short", "x" * 101, None, "with\0nothing"):
        with pytest.raises(AnswerError, match="token"):
            arena.vote(bob, arena.next_ballot(bob).id, BETTER, bad)
    assert rows(arena, COUNT) == [(1,)]


def test_ballots_of_others_are_like_none(make):
    arena = make()
    ann, bob = sign_in(arena), sign_in(arena, "bob")
    ballot = arena.next_ballot(ann)
    messages = set()
    for name in (ballot.id, "nothing", "", None, {}, "\udc00"):
        with pytest.raises(BallotError) as error:
            arena.vote(bob, name, BETTER, token())
        messages.add(str(error.value))
    assert messages == {"This comparison is not yours, or is gone; please go on with the next one."}
    assert rows(arena, COUNT) == [(0,)]


def test_undo_and_vote_again(make):
    arena = make(2)
    ann = sign_in(arena)
    ballot = arena.next_ballot(ann)
    told = arena.vote(ann, ballot.id, BETTER, "first thought")
    again = arena.undo(ann, "take it back")
    assert again.id != ballot.id and again.prompt == ballot.prompt
    assert again.first == ballot.first and again.second == ballot.second  # the sides stay
    assert arena.undo(ann, "take it back").id == again.id == arena.next_ballot(ann).id
    assert arena.progress(ann).votes == 0
    assert arena.vote(ann, ballot.id, BETTER, "first thought") == told  # late, and without effect
    assert rows(arena, "SELECT count(*) FROM live") == [(0,)]
    arena.vote(ann, again.id, Answer("second", "better"), "second thought")
    assert rows(arena, COUNT) == [(2,)] and arena.progress(ann).votes == 1
    assert rows(arena, "SELECT one + two, waiting FROM tallies ORDER BY 1") == [(0, 0), (1, 0)]
    with pytest.raises(BallotError, match="belongs to another vote"):
        bob = sign_in(arena, "bob")
        arena.undo(bob, "take it back")


def test_undo_has_an_end(make):
    arena = make(4, undo_depth=2)
    ann = sign_in(arena)
    with pytest.raises(BallotError, match="no vote to take back"):
        arena.undo(ann)
    prompts = []
    for _ in range(3):
        prompts.append(arena.next_ballot(ann).prompt)
        vote(arena, ann)
    assert [arena.undo(ann).prompt for _ in range(2)] == prompts[:0:-1]
    with pytest.raises(BallotError, match="At most 2 votes can be taken back in a row"):
        arena.undo(ann)
    assert arena.next_ballot(ann).prompt == prompts[1]  # the earlier one first, as they were
    for _ in range(3):
        vote(arena, ann, "tie")
    assert arena.next_ballot(ann) is None


def test_nobody_undoes_the_votes_of_others(make):
    arena = make()
    ann, bob = sign_in(arena), sign_in(arena, "bob")
    vote(arena, ann)
    with pytest.raises(BallotError, match="no vote to take back"):
        arena.undo(bob)
    assert rows(arena, "SELECT count(*) FROM live") == [(1,)]


def test_names_are_told_after_the_vote_where_that_is_wanted(make):
    arena = make(3, reveal=True)
    ann = sign_in(arena)
    ballot = arena.next_ballot(ann)
    told = arena.vote(ann, ballot.id, BETTER, token())
    (one_first,) = rows(arena, "SELECT one_first FROM votes")[0]
    assert told.systems == (("base", "aligned") if one_first else ("aligned", "base"))
    with pytest.raises(BallotError, match="Votes are final"):
        arena.undo(ann)
    with pytest.raises(ValueError, match="A repeat is only blind where names stay hidden"):
        Settings(reveal=True)


def test_training_tells_what_was_right(make):
    lesson = "The other one only lifts the arm."
    items = [pair("a man waves", expected="one", training=True, lesson=lesson), *pairs(2)]
    arena = make(items, training=3)
    ann, bob = sign_in(arena), sign_in(arena, "bob")
    assert arena.progress(ann).training_left == 1
    for session, wanted in ((ann, True), (bob, False)):
        ballot = arena.next_ballot(session)
        assert ballot.prompt == "a man waves"
        (one_first,) = rows(arena, f"SELECT one_first FROM ballots WHERE id = '{ballot.id}'")[0]
        side = "first" if one_first else "second"
        said = side if wanted else {"first": "second", "second": "first"}[side]
        told = arena.vote(session, ballot.id, Answer(said, "better"), token())
        assert told.feedback == (wanted, side, lesson)
        assert arena.progress(session) == (0, 0, 2)
        with pytest.raises(BallotError, match="no vote to take back"):
            arena.undo(session)
    assert vote(arena, ann).feedback is None


def _crowd_of_threads(arena: Arena, labellers: int, votes: int) -> list[str]:
    failures = []

    def work(name: str) -> None:
        try:
            session = sign_in(arena, name)
            for _ in range(votes):
                vote(arena, session)
        except Exception as error:
            failures.append(f"{name}: {error}")

    threads = [threading.Thread(target=work, args=(f"labeller {i}",)) for i in range(labellers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def _process(folder: str, number: int, votes: int) -> None:
    with Arena(folder) as arena:
        session = sign_in(arena, f"process {number}")
        for i in range(votes):
            ballot = arena.next_ballot(session)
            assert ballot is not None
            arena.vote(session, ballot.id, BETTER, f"process {number} vote {i}")


def _check_whole(arena: Arena, labellers: int, votes: int) -> None:
    assert rows(arena, COUNT) == [(labellers * votes,)]
    each = rows(arena, "SELECT labeller, count(*), count(DISTINCT pair) FROM votes GROUP BY labeller")
    assert [row[1:] for row in each] == [(votes, votes)] * labellers
    assert rows(arena, "SELECT sum(one + two + tie + skipped), sum(waiting) FROM tallies") == [(labellers * votes, 0)]


def test_eight_threads_of_fifty_votes(make):
    arena = make(50)
    assert _crowd_of_threads(arena, 8, 50) == []
    _check_whole(arena, 8, 50)


def test_eight_processes_of_twenty_votes(make):
    arena = make(20)
    context = multiprocessing.get_context("spawn" if os.name == "nt" else "fork")
    arena.close()  # a connection may not go over into another process
    processes = [context.Process(target=_process, args=(str(arena.folder), i, 20)) for i in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 8
    _check_whole(make(0), 8, 20)


def _until_killed(folder: str, name: str, pipe: int) -> None:
    with Arena(folder) as arena:
        ann = sign_in(arena, name)
        for i in range(1000):
            ballot = arena.next_ballot(ann)
            assert ballot is not None
            told = arena.vote(ann, ballot.id, BETTER, f"{name} vote {i}")
            os.write(pipe, f"{told.token}|{told.ballot_id}\n".encode())


@pytest.mark.skipif(os.name != "posix", reason="kills as POSIX does")
def test_no_acknowledged_vote_is_lost_on_kill(make):
    arena = make(400)
    arena.close()
    acknowledged = {}
    for round_, votes in enumerate((1, 2, 7, 20, 33)):
        out, into = os.pipe()
        process = multiprocessing.get_context("fork").Process(
            target=_until_killed, args=(str(arena.folder), f"killed {round_}", into)
        )
        process.start()
        os.close(into)
        with os.fdopen(out, buffering=1) as said:
            lines = [said.readline() for _ in range(votes)]
            time.sleep(0.0013 * round_)  # somewhere within the next vote
            os.kill(process.pid, signal.SIGKILL)
            lines += said.readlines()  # acknowledged before the kill, read after it
        process.join()
        acknowledged |= dict(line.strip().split("|") for line in lines if line.endswith("\n"))
    assert len(acknowledged) >= 63
    arena = make(0)
    kept = dict(rows(arena, "SELECT token, ballot FROM votes"))
    assert acknowledged.items() <= kept.items()
    assert len(kept) <= len(acknowledged) + 5  # the one at which each was killed may be there, too
    assert rows(arena, "PRAGMA integrity_check") == [("ok",)]
    assert rows(arena, "SELECT count(*) FROM votes JOIN ballots ON ballot = id WHERE done = 1") == [(len(kept),)]
    vote(arena, sign_in(arena, "after the kill"))


def test_a_full_disk_says_so_and_leaves_nothing_half_written(make):
    arena = make(60)
    ann = sign_in(arena)
    (pages,) = rows(arena, "PRAGMA page_count")[0]
    arena._store.limit((pages + 3) * 4096)
    taken = 0
    with pytest.raises(StoreError, match="The disk is full, so nothing was saved"):
        for _ in range(60):
            ballot = arena.next_ballot(ann)
            arena.vote(ann, ballot.id, Answer("tie", note="n" * 450), f"vote number {taken}")
            taken += 1
    assert taken and rows(arena, COUNT) == [(taken,)]
    assert rows(arena, "SELECT sum(tie) FROM tallies") == [(taken,)]
    assert rows(arena, "SELECT count(*) FROM ballots WHERE done = 1") == [(taken,)]
    arena._store.limit(None)  # somebody has made room
    vote(arena, ann)
    assert rows(arena, COUNT) == [(taken + 1,)]


@pytest.mark.slow
def test_fifty_labellers_of_two_hundred_votes(tmp_path):
    from tests.arena.loopback import at, crowd, served

    with Arena(tmp_path / "arena", PLAIN) as arena:
        arena.add_pairs(pairs(200))
    with served(tmp_path / "arena") as (_, port):
        found = crowd(at([port]), 50, 200)
    assert found.errors == [] and len(found.acknowledged) == 10_000
    with Arena(tmp_path / "arena") as arena:
        _check_whole(arena, 50, 200)
        assert dict(rows(arena, "SELECT token, ballot FROM votes")) == found.acknowledged
