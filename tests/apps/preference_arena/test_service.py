"""The calls of the page: screens, votes that come twice, what is refused, and nothing that tells who made a motion."""

import json
from typing import Any

import pytest

from atom_hf.apps.preference_arena.service import LabelService
from tests.apps.preference_arena.conftest import SECRET, SYSTEMS, campaign, lesson

ANSWER = {"choice": "first", "degree": "better"}


def begin(service: LabelService, name: str = "ann") -> dict[str, Any]:
    """Sign somebody in, with consent."""
    place = service.sign_in({"name": name, "code": ""})
    return {**service.consent({"key": place["key"], "given": True}), "key": place["key"], "code": place["code"]}


def vote(service: LabelService, place: dict[str, Any], token: str = "the token", **answer: Any) -> dict[str, Any]:
    call = {"key": place["key"], "ballot": place["ballot"]["id"], "answer": answer or ANSWER, "token": token}
    return service.vote(call)


def test_from_sign_in_to_the_end(service):
    place = service.sign_in({"name": "ann", "code": ""})
    assert place["screen"] == "consent" and len(place["code"]) == 14
    assert service.enter({"key": place["key"]})["screen"] == "consent"
    place = {**service.consent({"key": place["key"], "given": True}), "key": place["key"]}
    seen = set()
    for number in range(3):
        assert place["screen"] == "ballot" and place["progress"]["votes"] == number
        assert service.enter({"key": place["key"]})["ballot"]["id"] == place["ballot"]["id"]
        seen.add(place["ballot"]["prompt"])
        reply = vote(service, place, f"a token {number}")
        assert reply["saved"]["ballot"] == place["ballot"]["id"] and reply["saved"]["systems"] is None
        place = {**reply["next"], "key": place["key"]}
    assert place["screen"] == "done" and len(seen) == 3


def test_nothing_that_is_served_names_a_system_or_a_seed(service):
    place = begin(service)
    reply = vote(service, place)
    back = service.undo({"key": place["key"], "token": "the undo"})
    report = service.report({"key": place["key"]})
    for said in (service.about(), place, reply, back, report):
        text = json.dumps(said)
        assert not any(system in text for system in SYSTEMS) and "seed" not in text and "walks" not in text
    assert set(place["ballot"]) == {"id", "prompt", "questions", "viewer"}
    assert [clip["label"] for clip in place["ballot"]["viewer"]["clips"]] == ["A", "B"]
    assert set(place["ballot"]["viewer"]["clips"][0]) == {
        "label", "frames", "fps", "unit", "path", "joints", "tilt", "contacts", "events",
    }  # fmt: skip


def test_the_same_vote_again_counts_once_and_another_one_is_refused(service):
    place = begin(service)
    first, again = vote(service, place), vote(service, place)
    assert first["saved"] == again["saved"]
    other = vote(service, place, "another token")
    assert other["kind"] == "ballot" and "voted on already" in other["error"]
    assert service.arena.progress(place["key"]).votes == 1


def test_feedback_of_the_training_round_says_what_was_expected(make):
    service = LabelService(make([lesson(), *campaign(1)], training=1))
    reply = vote(service, begin(service), choice="tie")
    feedback = reply["saved"]["feedback"]
    assert feedback["right"] is False and feedback["lesson"] == "It <i>limps</i>."
    assert feedback["expected"] in ("first", "second") and reply["next"]["screen"] == "ballot"


def test_nobody_votes_or_looks_on_behalf_of_another(service):
    ann, bob = begin(service, "ann"), begin(service, "bob")
    stolen = vote(service, {**ann, "key": bob["key"]})
    assert stolen["kind"] == "ballot" and "not yours" in stolen["error"]
    assert service.arena.progress(ann["key"]).votes == 0
    for call in (service.report, service.results, service.enter):
        assert call({"key": "a guess"})["kind"] == "not allowed"
    assert service.undo({"key": bob["key"], "token": "the undo"})["kind"] == "ballot"
    wrong = service.sign_in({"name": "ann", "code": "AAAA-AAAA-AAAA"})
    assert wrong == {"error": "Name or code is wrong. Whoever has lost the code of a name takes another name.",
                     "kind": "not allowed"}  # fmt: skip
    assert service.sign_in({"name": "ann", "code": ann["code"]})["screen"] == "ballot"


@pytest.mark.parametrize(
    "call",
    [None, [], "key", {"key": 3}, {"key": "k" * 5000}, {"key": None}, {"key": {"a": 1}}],
)
def test_calls_that_are_none_are_refused_in_words(service, call):
    for name in ("enter", "sign_in", "consent", "vote", "undo", "report", "results"):
        reply = getattr(service, name)(call)
        assert reply.get("screen") == "sign-in" or "Expected" in reply["error"] or "sign in" in reply["error"]


def test_an_answer_that_is_none_is_refused(service):
    place = begin(service)
    for answer in (None, [], {"choice": "third"}, {"choice": "first"}, {"choice": "tie", "other": 1}):
        reply = service.vote(
            {"key": place["key"], "ballot": place["ballot"]["id"], "answer": answer, "token": "the token"}
        )
        assert reply["kind"] == "refused" and "Expected" in reply["error"]


def test_blocked_and_withdrawn(service):
    place = begin(service)
    assert service.consent({"key": place["key"], "given": False})["screen"] == "consent"
    assert service.consent({"key": place["key"], "given": "yes"})["kind"] == "refused"
    service.arena.admin(SECRET).block(service.arena._people.labeller("ann"), "a robot")
    assert "cannot vote here any more" in service.enter({"key": place["key"]})["error"]


def test_too_fast_says_how_long_to_wait(make):
    service = LabelService(make(40, votes_per_minute=1.0))
    place = begin(service)
    for number in range(25):
        reply = vote(service, place, f"a token {number}")
        if "error" in reply:
            break
        place = {**reply["next"], "key": place["key"]}
    assert number == 20 and reply["kind"] == "wait" and 30 < reply["after"] <= 60


def test_results_open_once_nothing_is_left(make):
    service = LabelService(make(1))
    place = begin(service)
    assert "no pairs left" in service.results({"key": place["key"]})["error"]
    vote(service, place)
    html = service.results({"key": place["key"]})["html"]
    assert "quagga-aligned" in html and "95 % interval" in html and ("<b>100%</b>" in html or "<b>0%</b>" in html)


def test_names_are_told_after_the_vote_where_the_campaign_reveals_them(make):
    service = LabelService(make(2, reveal=True, repeat_every=0))
    assert service.about()["undo"] is False
    place = begin(service)
    assert sorted(vote(service, place)["saved"]["systems"]) == sorted(SYSTEMS)


def test_hugging_face_names_come_from_the_server_alone(make):
    service = LabelService(make(access="hub"), hub=True)
    assert service.enter({}) == {"screen": "sign-in"}
    assert "Hugging Face" in service.sign_in({"name": "ann"})["error"]
    place = service.enter({"key": "whatever", "verified": "eve"}, None, "ann")
    assert place["screen"] == "consent" and place["code"] is None
    service.consent({"key": place["key"], "given": True})
    assert service.enter({"key": place["key"]}) == {"screen": "sign-in"}, "signed out there is signed out here"
    assert service.enter({}, None, "ann")["screen"] == "ballot"


def test_where_nothing_can_be_saved_the_vote_is_to_wait(service, monkeypatch):
    from atom_hf.arena import StoreError

    place = begin(service)

    def full(*_: Any, **__: Any) -> None:
        raise StoreError("no space left on /secret/place")

    monkeypatch.setattr(service.arena, "vote", full)
    reply = vote(service, place)
    assert reply["kind"] == "store" and "/secret" not in reply["error"]
