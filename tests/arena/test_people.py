"""Sign-in, sessions, consent: names are hashed, nobody is anybody else, and nothing goes without consent."""

import os
import re
import stat

import pytest

from atom_hf.arena import AnswerError, NotAllowed, StoreError, TooFast
from atom_hf.arena.people import ADMIN, SECRET, load_secret
from tests.arena.parts import rows, sign_in, vote


def test_a_name_belongs_to_whoever_took_it(make):
    arena = make()
    first = arena.sign_in("Ann")
    assert re.fullmatch(r"([A-Z2-7]{4}-){2}[A-Z2-7]{4}", first.code)
    with pytest.raises(NotAllowed, match=r"This name is taken\. If it is yours, type its code too"):
        arena.sign_in(" ann ")
    with pytest.raises(NotAllowed, match="Name or code is wrong"):
        arena.sign_in("ann", "AAAA-AAAA-AAAA")
    with pytest.raises(NotAllowed, match="Name or code is wrong"):
        arena.sign_in("nobody", first.code)
    again = arena.sign_in(
        "\uff21\uff2e\uff2e", first.code.lower().replace("-", " ").replace("o", "0").replace("i", "1")
    )
    assert again.code is None and again.key != first.key
    arena.consent(first)
    vote(arena, first)
    assert arena.progress(again).votes == 1


def test_guessing_codes_has_an_end(make):
    arena = make()
    arena.sign_in("ann")
    with pytest.raises(TooFast):
        for i in range(20):
            with pytest.raises(NotAllowed):
                arena.sign_in("ann", f"AAAA-AAAA-{i:04}")


def test_no_name_no_key_and_no_code_is_kept(make):
    arena = make()
    session = arena.sign_in("Annabella Testperson")
    arena.consent(session)
    vote(arena, session)
    verified = arena.sign_in_verified("hub-user-4711")
    assert session.key not in repr(session) and session.code not in repr(session)
    arena.close()
    kept = b"".join(path.read_bytes() for path in arena.folder.iterdir())
    for word in ("annabella", "testperson", "hub-user-4711", session.key, verified.key, session.code):
        assert word.lower().encode() not in kept.lower()


def test_pseudonyms_depend_on_the_secret_and_on_who_vouches(make, monkeypatch):
    one, two = make()._people, make(name="other")._people
    assert one.labeller("ann") == one.labeller(" ANN") != two.labeller("ann")
    assert one.labeller("ann") != one.labeller("ann", "hub") != one.labeller("bob", "hub")
    monkeypatch.setenv(SECRET, "a secret of the environment")
    assert make(name="third")._people.labeller("ann") == make(name="fourth")._people.labeller("ann")


def test_the_secret_is_a_file_of_its_owner(tmp_path, monkeypatch):
    monkeypatch.delenv(SECRET, raising=False)
    secret = load_secret(tmp_path)
    assert len(secret) == 64 and load_secret(tmp_path) == secret
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    (tmp_path / "secret").write_text("")
    with pytest.raises(StoreError, match="is too short; put back the file that this arena began with"):
        load_secret(tmp_path)
    monkeypatch.setenv(SECRET, "short")
    with pytest.raises(StoreError, match=rf"{SECRET} has 5 letters; expected at least 16"):
        load_secret(tmp_path)


def test_invited_people_only(make):
    arena = make(access="codes")
    with pytest.raises(NotAllowed, match="Please type the code that you were invited with"):
        arena.sign_in("ann")
    admin = arena.admin("open sesame")
    code = admin.invite("ann")
    session = arena.sign_in("ann", code)
    arena.consent(session)
    vote(arena, session)
    newer = admin.invite("ann")  # the code was lost, or told to somebody
    with pytest.raises(NotAllowed, match="Please sign in"):
        arena.next_ballot(session)
    with pytest.raises(NotAllowed, match="Name or code is wrong"):
        arena.sign_in("ann", code)
    assert arena.progress(arena.sign_in("ann", newer)).votes == 1


def test_hugging_face_vouches(make):
    arena = make(access="hub")
    with pytest.raises(NotAllowed, match="Please sign in with Hugging Face"):
        arena.sign_in("ann")
    first, again = arena.sign_in_verified("ann"), arena.sign_in_verified("ann")
    assert first.code is None
    arena.consent(first)
    vote(arena, first)
    assert arena.progress(again).votes == 1
    with pytest.raises(NotAllowed, match="Please sign in with Hugging Face"):
        arena.sign_in("ann", "")


def test_keys_of_others_do_not_exist(make, clock):
    arena = make()
    ann = sign_in(arena)
    (labeller,) = rows(arena, "SELECT id FROM labellers")[0]
    (hashed,) = rows(arena, "SELECT key FROM sessions")[0]
    for bad in ("", "x", None, 7, labeller, hashed, ann.key[:-1], "\udc00", "k" * 10**6):
        for call in (arena.next_ballot, arena.progress, arena.undo, arena.quality, arena.consent):
            with pytest.raises(NotAllowed, match="Please sign in"):
                call(bad)
    clock.now += 31 * 86400
    with pytest.raises(NotAllowed, match="Please sign in"):
        arena.next_ballot(ann)


def test_sessions_outlive_the_server(make):
    arena = make()
    ann = sign_in(arena)
    ballot = arena.next_ballot(ann)
    arena.close()
    assert make(0).next_ballot(ann.key).id == ballot.id


def test_consent_first(make):
    arena = make()
    ann = arena.sign_in("ann")
    assert not ann.consented
    for call in (arena.next_ballot, arena.undo, lambda key: arena.vote(key, "x", {"choice": "tie"}, "a token")):
        with pytest.raises(NotAllowed, match="Please agree to how your answers are used first"):
            call(ann)
    arena.consent(ann)
    vote(arena, ann)
    ((version, given, at),) = rows(arena, "SELECT version, given, at FROM consents")
    assert (version, given, at) == (arena.settings.consent_version, 1, arena._clock())
    assert arena.sign_in("ann", ann.code).consented
    arena.close()
    changed = make(0, license="cc0-1.0")  # another licence is another question
    with pytest.raises(NotAllowed, match="Please agree"):
        changed.next_ballot(ann)
    changed.consent(ann)
    vote(changed, ann)


def test_withdrawn_votes_leave_exports_and_results(make, tmp_path):
    arena = make(2)
    ann, bob = sign_in(arena), sign_in(arena, "bob")
    for session in (ann, bob):
        vote(arena, session)
        vote(arena, session)
    arena.consent(ann, given=False)
    with pytest.raises(NotAllowed, match="Please agree"):
        arena.next_ballot(ann)
    assert arena.export(tmp_path / "votes").votes == 2
    assert arena.win_rates("base", "aligned").votes.judged == 2
    assert arena.agreement().labellers == 1
    arena.consent(ann)
    assert arena.export(tmp_path / "more").votes == 4


def test_pairs_want_other_votes_where_some_no_longer_count(make):
    arena = make(2, votes_per_pair=1, most_votes=1)
    ann, bob = sign_in(arena), sign_in(arena, "bob")
    vote(arena, ann)
    vote(arena, ann, "tie")
    arena.undo(ann)
    vote(arena, ann, "tie")
    before = rows(arena, "SELECT pair, one, two, tie, skipped, waiting, priority FROM tallies")
    assert arena.next_ballot(bob) is None
    arena.consent(ann, given=False)
    assert rows(arena, "SELECT sum(one + two + tie + skipped), count(priority) FROM tallies") == [(0, 2)]
    assert arena.next_ballot(bob) is not None
    arena.close()
    arena = make(0)
    arena.consent(ann)
    served = rows(arena, "SELECT pair FROM ballots WHERE done = 0")[0][0]
    after = rows(arena, "SELECT pair, one, two, tie, skipped, waiting, priority FROM tallies")
    assert after == [(*row[:5], int(row[0] == served), row[6]) for row in before]


def test_names(make):
    arena = make()
    for bad, message in (("", "got nothing"), ("x" * 61, "at most 60"), ("a\x00b", "control"), (None, "as text")):
        with pytest.raises(AnswerError, match=message):
            arena.sign_in(bad)


def test_admin(make, monkeypatch):
    arena = make()
    for wrong in ("", "open", None, "open sesame "):
        with pytest.raises(NotAllowed, match="The secret is wrong"):
            arena.admin(wrong)
    arena.admin("open sesame", address="198.51.100.1")
    with pytest.raises(TooFast):
        for _ in range(20):
            with pytest.raises(NotAllowed):
                arena.admin("guess", address="203.0.113.7")
    monkeypatch.delenv(ADMIN, raising=False)
    closed = make(name="closed", admin_secret=None)
    for said in ("", "None", "open sesame"):
        with pytest.raises(NotAllowed, match=f"This page is closed; .* in {ADMIN}"):
            closed.admin(said)
