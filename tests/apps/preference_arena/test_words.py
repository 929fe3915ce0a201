"""What the page says about votes: numbers with intervals, and no markup of anybody's."""

from atom_hf.apps.preference_arena import words
from atom_hf.arena import PushStatus, Share
from atom_hf.evaluation.agreement import Agreement
from tests.arena.parts import pair, sign_in, vote


def test_shares_and_kappas():
    assert words.share(Share(9, 10, 0.5958, 0.9821)) == "9 of 10 (90%, 60–98%)"
    assert words.share(Share(0, 0, None, None)) == "none yet"
    assert words.kappa(Agreement(0.614, 0.52, 0.7, 0.8, 30, 2)) == "0.61 (0.52 to 0.70)"
    assert words.kappa(Agreement(None, None, None, 1.0, 3, 2, "one category")) == "not defined: one category"
    assert words.kappa(None).startswith("not yet") and words.kappa(None, "no pair") == "no pair"


def test_names_of_systems_are_text(make):
    hostile = "<script>alert(1)</script>"
    arena = make([pair("a person walks", (hostile, "b"))])
    vote(arena, sign_in(arena))
    admin = arena.admin("open sesame, please")
    push = ("me/votes", PushStatus(None, "<b>refused</b>", 2))
    told = [words.results(arena.standings()), words.overview(admin.overview(), ["<i>take care</i>"], push)]
    told += [words.labellers(admin.labellers()), words.couples(arena.agreement())]
    text = "".join(told)
    assert "&lt;script&gt;" in text and "<script" not in text and "<i>take" not in text and "<b>refused" not in text


def test_a_report_counts_own_votes_and_agreement(make):
    arena = make(4)
    ann, bob = sign_in(arena, "ann"), sign_in(arena, "bob")
    for session in (ann, bob):
        for _ in range(4):
            vote(arena, session, "tie")
    html = words.report(arena.progress(ann), arena.quality(ann), arena.agreement(), arena.settings)
    assert (
        "<b>4</b> of about 4" in html and "4 of 4 (100%" in html and "0 : 0 : 4" in html and "All labellers: 2" in html
    )
    assert "8 on 4" in html
