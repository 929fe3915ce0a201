"""What may be sent to the page: small requests, and files only from whoever has opened the admin page.

Gradio takes files from anybody who can reach the server; here an upload needs a ticket, a cookie of the admin page.
"""

import secrets
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

COOKIE = "arena_upload"
LARGEST_REQUEST = 2**17  # bytes; a vote with the longest note has about 4 kB
_LASTS = 1800.0  # seconds
_MOST = 100

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Tickets:
    """Tickets for uploads, in the memory of one server.

    Args:
        clock (`Callable`, *optional*): gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._ends: dict[str, float] = {}
        self._clock, self._lock = clock, threading.Lock()

    def draw(self) -> str:
        """A new ticket; it is good for half an hour.

        Returns:
            `str`: to be sent as the cookie `COOKIE`.
        """
        ticket = secrets.token_urlsafe(24)
        with self._lock:
            now = self._clock()
            alive = sorted((end, name) for name, end in self._ends.items() if end > now)[-_MOST + 1 :]
            self._ends = {name: end for end, name in alive} | {ticket: now + _LASTS}
        return ticket

    def good(self, ticket: str | None) -> bool:
        """Whether a ticket is good.

        Args:
            ticket (`str`, *optional*): what came.

        Returns:
            `bool`: True until its time is over.
        """
        with self._lock:
            return ticket is not None and self._ends.get(ticket, 0.0) > self._clock()


class Guard:
    """ASGI middleware that refuses large requests, and uploads without a ticket.

    Args:
        app (`Callable`): what is guarded.
        tickets ([`Tickets`]): who may upload.
        largest (`int`, *optional*): bytes of any other request.
    """

    def __init__(self, app: Any, tickets: Tickets, largest: int = LARGEST_REQUEST) -> None:
        self.app, self.tickets, self.largest = app, tickets, largest

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """One request.

        Args:
            scope (`MutableMapping`): of ASGI.
            receive (`Callable`): gives parts of the request.
            send (`Callable`): takes parts of the answer.
        """
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self.app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if scope["path"].rstrip("/").endswith("/upload"):
            if not self.tickets.good(_cookie(headers.get(b"cookie", ""))):
                await _refuse(send, 403, "Files can be sent from the admin page alone.")
                return
            await self.app(scope, receive, send)  # Gradio counts its bytes against `max_file_size`
            return
        length = headers.get(b"content-length", "0")
        if not length.isdecimal() or int(length) > self.largest:
            await _refuse(send, 413, f"Expected a request of at most {self.largest} bytes.")
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.largest:  # sent in pieces without a length: what comes is cut off
                return {"type": "http.disconnect"}
            return message

        await self.app(scope, counted, send)


def _cookie(text: str) -> str | None:
    try:
        found = SimpleCookie(text).get(COOKIE)
    except CookieError:
        return None
    return None if found is None else found.value


async def _refuse(send: Send, status: int, words: str) -> None:
    body = words.encode()
    head = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})
