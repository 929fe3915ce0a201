"""The page in a browser: keyboard alone, undo, reload, lost answers, two at once, a phone, and whoever runs it."""

import io
import json
import urllib.error
import urllib.request
import zipfile

import numpy as np

from tests.apps.preference_arena.conftest import SECRET, SYSTEMS
from tests.arena.parts import motion

WIDE = {"width": 1024, "height": 640}


def votes(page, name: str) -> list[tuple]:
    """Votes of somebody that count, without the training round."""
    return page.arena._store.read(
        "SELECT one_first, choice, degree, reason, questions, note FROM live WHERE labeller = ? "
        "AND kind != 'training' ORDER BY number", (page.arena._people.labeller(name),),
    )  # fmt: skip


def test_keyboard_alone_with_training_undo_and_reload(visit, page):
    ann = visit(viewport=WIDE)
    ann.sign_in("ann")
    tab = ann.tab
    assert tab.inner_text(".ar-prompt") == "a person walks <b>on</b>"
    assert "Training" in tab.inner_text(".ar-count") and tab.is_disabled("text=Save vote")
    ann.press("Enter")
    assert "first" in tab.inner_text(".ar-problem")
    ann.press("a", "2", "Enter")
    tab.wait_for_selector(".ar-feedback")
    assert "It <i>limps</i>." in tab.inner_text(".ar-feedback")
    assert ("Right" in tab.inner_text(".ar-feedback")) == ("Yes: A is better." in tab.inner_text(".ar-feedback"))
    ann.press("Enter")
    ann.heard("Next: a person takes")
    assert tab.evaluate("document.activeElement.className") == "ar-ballot"

    ann.vote("b", "3", "e", "c", "c")
    ann.heard("Vote saved, thank you. Next: a person takes")
    ann.vote("t")
    first = tab.inner_text(".ar-prompt")
    ann.vote("s", "5")
    assert tab.inner_text(".ar-count").startswith("3 judged")
    (side, choice, degree, _, questions, _), tie, skip = votes(page, "ann")
    assert (choice, degree) == ("two" if side else "one", "better") and tie[1] == "tie"
    assert json.loads(questions) == {"events": "one" if side else "two", "count": "two" if side else "one"}
    assert skip[1:4] == ("skipped", None, "other")

    ann.press("u")
    ann.heard("taken back")
    assert tab.inner_text(".ar-prompt") == first and len(votes(page, "ann")) == 2
    tab.reload()
    tab.wait_for_selector(".ar-ballot .atom-viewer")
    assert tab.inner_text(".ar-prompt") == first and tab.inner_text(".ar-count").startswith("2 judged")

    played = "document.querySelector('.ar-viewer').atomViewer.state"
    assert not tab.evaluate(f"{played}.playing"), "who asks for less motion begins with none"
    ann.press(" ")
    assert tab.evaluate(f"{played}.playing")
    ann.press(" ", "Home", "ArrowRight", "v")
    assert tab.evaluate(f"{played}.view") == "front" and not tab.evaluate(f"{played}.playing")
    tab.get_by_role("tab", name="Progress").click()
    tab.wait_for_selector("#arena-report dl")
    assert "2 of about" in tab.inner_text("#arena-report") and "κ" in tab.inner_text("#arena-report")
    ann.press("a")  # no key of the ballot is heard here
    tab.get_by_role("tab", name="Results").click()
    tab.wait_for_selector("#arena-results p")
    assert "once you have no pairs left" in tab.inner_text("#arena-results")
    tab.get_by_role("tab", name="Label").click()
    assert tab.locator(".ar-choice input:checked").count() == 0


def test_a_lost_answer_and_a_double_click_give_one_vote(visit, page):
    bob = visit(viewport=WIDE)
    bob.may_fail = True  # the browser reports what was cut off
    bob.sign_in("bob")
    bob.train()
    tokens, lost = [], []

    def lose(route) -> None:
        call = json.loads(route.request.post_data)
        if call["fn_name"] != "arena_vote":
            route.continue_()
            return
        tokens.append(call["data"]["token"])
        if lost:
            route.continue_()
            return
        lost.append(route.fetch().status)  # it arrives, and the answer does not
        route.abort()

    bob.tab.route("**/component_server/", lose)
    bob.press("a", "1")
    bob.tab.evaluate("for (const i of [1, 2]) document.querySelector('.ar-send .ar-primary').click()")
    bob.tab.wait_for_function("document.querySelector('.ar-problem').textContent.includes('sent again')")
    assert "thank you" not in bob.tab.inner_text(".ar-live") and bob.tab.evaluate(
        "document.querySelector('.ar-screen').inert"
    )
    bob.heard("thank you")
    assert lost == [200] and len(tokens) == 2 and tokens[0] == tokens[1]
    assert len(votes(page, "bob")) == 1

    bob.tab.unroute("**/component_server/")
    bob.tab.route("**/component_server/", lambda route: route.abort())  # the page is closed before an answer comes
    bob.press("t", "Enter")
    bob.tab.wait_for_function("localStorage.getItem('atom-arena-pending')")
    bob.tab.unroute("**/component_server/")
    bob.tab.reload()
    bob.tab.wait_for_selector(".ar-ballot .atom-viewer")
    bob.tab.wait_for_function("!localStorage.getItem('atom-arena-pending')")
    assert [vote[1] for vote in votes(page, "bob")][1:] == ["tie"]


def test_two_labellers_at_once_and_a_phone(visit, page):
    cleo, dan = visit(viewport=WIDE), visit(viewport={"width": 390, "height": 844}, has_touch=True)
    cleo.sign_in("cleo")
    dan.sign_in("dan")
    assert dan.tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    cleo.train()
    dan.tab.tap("label:has-text('B is better')")
    dan.tab.tap("label:has-text('much better')")
    dan.tab.tap("button:has-text('Save vote')")
    dan.tab.tap("button:has-text('Next')")
    dan.heard("Next: ")
    for _ in range(2):
        cleo.vote("a", "4")
        dan.tab.tap("label:has-text('Tie')")
        dan.tab.evaluate("document.querySelector('.ar-live').textContent = ''")
        dan.tab.tap("button:has-text('Save vote')")
        dan.heard("saved")
    assert [vote[1] for vote in votes(page, "dan")] == ["tie"] * 2
    assert {vote[1] for vote in votes(page, "cleo")} <= {"one", "two"} and len(votes(page, "cleo")) == 2
    for one in (cleo, dan):
        assert one.tab.inner_text(".ar-count").startswith("2 judged")


def test_keys_can_be_switched_off_and_leave_text_alone(visit):
    eve = visit(viewport=WIDE)
    eve.sign_in("eve")
    eve.train()
    tab = eve.tab
    tab.click("text=Add a note")
    tab.click(".ar-note textarea")
    eve.press("a", "t", "s", " ", "u")
    assert tab.input_value(".ar-note textarea") == "ats u" and tab.locator(".ar-choice input:checked").count() == 0
    tab.click(".ar-keys summary")
    tab.uncheck("text=Single keys are on")
    tab.locator(".ar-prompt").click()
    eve.press("a")
    assert tab.locator(".ar-choice input:checked").count() == 0 and not tab.is_visible(".ar-choice kbd >> nth=0")
    tab.focus("input[value=tie]")  # every control is there for Tab and Space
    eve.press(" ")
    assert tab.is_checked("input[value=tie]")
    tab.focus("button:has-text('Save vote')")
    eve.press("Enter")
    eve.heard("saved")


def test_whoever_runs_it_sees_exports_and_adds_pairs(visit, page, tmp_path):
    head = visit(viewport=WIDE)
    head.may_know = True
    tab = head.tab
    tab.get_by_role("tab", name="Admin").click()
    tab.fill("#arena-secret input", "open says me")
    tab.click("#arena-open")
    tab.wait_for_selector("text=The secret is wrong.")
    tab.fill("#arena-secret input", SECRET)
    head.press("Enter")
    tab.wait_for_selector("#arena-desk dl")
    assert "quagga-aligned, quagga-base" in tab.inner_text("#arena-desk")
    tab.click("text=Export votes")
    with tab.expect_download() as download:
        tab.click("#arena-export")
    download.value.save_as(tmp_path / "votes.zip")
    with zipfile.ZipFile(tmp_path / "votes.zip") as archive:
        assert "README.md" in archive.namelist()
    tab.click("text=Invite")
    tab.fill("#arena-names textarea", "fay\ngus")
    tab.click("#arena-invite")
    tab.wait_for_function("document.querySelector('#arena-codes textarea').value.includes('gus')")
    assert page.arena.sign_in("fay", tab.input_value("#arena-codes textarea").split()[1])
    tab.click("text=Add pairs")
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.writestr("prompts.jsonl", '{"name": "one", "prompt": "a person stands", "task": "overall"}\n')
        for system in SYSTEMS:
            file = io.BytesIO()
            np.save(file, motion(system).joints)
            archive.writestr(f"{system}/one.npy", file.getvalue())
    tab.set_input_files("#arena-zip input[type=file]", tmp_path / "more.zip")
    tab.wait_for_selector("text=1 new pairs.")


def test_strangers_send_no_files_and_nothing_large(page):
    def status(path: str, body: bytes, kind: str) -> int:
        request = urllib.request.Request(page.url + path, body, {"Content-Type": kind})
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    form = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.zip"\r\n\r\nPK\r\n--x--\r\n'
    assert status("gradio_api/upload", form, "multipart/form-data; boundary=x") == 403
    assert status("gradio_api/component_server/", b"{" + b" " * 200_000, "application/json") == 413
