"""Requests that are too large, and uploads without a ticket, end before anything else sees them."""

import asyncio
from typing import Any

import pytest

from atom_hf.apps.preference_arena.limits import COOKIE, Guard, Tickets


def ask(guard: Guard, path: str, parts: list[bytes], **headers: str) -> int:
    """Status of a POST."""
    sent: list[dict[str, Any]] = []
    bodies = [{"type": "http.request", "body": part, "more_body": part is not parts[-1]} for part in parts]

    async def receive() -> dict[str, Any]:
        return bodies.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    coded = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": path, "headers": coded}
    asyncio.run(guard(scope, receive, send))
    return int(sent[0]["status"]) if sent else 0


async def behind(scope: Any, receive: Any, send: Any) -> None:
    """What is guarded: reads everything, then says 200; nothing if the sender is gone."""
    while (message := await receive())["type"] == "http.request":
        if not message["more_body"]:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            return


@pytest.fixture
def tickets() -> Tickets:
    return Tickets()


def test_small_requests_pass_and_large_ones_do_not(tickets):
    guard = Guard(behind, tickets, largest=10)
    assert ask(guard, "/x", [b"12345"], content_length="5") == 200
    assert ask(guard, "/x", [b"1" * 11], content_length="11") == 413
    assert ask(guard, "/x", [b"1"], content_length="-1") == 413
    assert ask(guard, "/x", [b"12345", b"67890"]) == 200
    assert ask(guard, "/x", [b"12345", b"67890", b"1"]) == 0, "without a length it is cut off"


def test_uploads_need_a_ticket(tickets):
    guard = Guard(behind, tickets, largest=10)
    body = [b"1" * 50]
    assert ask(guard, "/gradio_api/upload", body) == 403
    assert ask(guard, "/gradio_api/upload/", body, cookie=f"{COOKIE}=guess") == 403
    assert ask(guard, "/gradio_api/upload", body, cookie=f"a=b; {COOKIE}={tickets.draw()}") == 200


def test_tickets_end_after_half_an_hour():
    now = [0.0]
    tickets = Tickets(lambda: now[0])
    ticket = tickets.draw()
    assert tickets.good(ticket) and not tickets.good(None) and not tickets.good("another")
    now[0] = 1801.0
    assert not tickets.good(ticket)


def test_old_tickets_make_room_for_new_ones(tickets):
    drawn = [tickets.draw() for _ in range(150)]
    assert tickets.good(drawn[-1]) and sum(map(tickets.good, drawn)) == 100
