"""What went wrong with a call, and what follows: ask again, in another form, give this item up, or stop the run.

what_now(RateLimitError(...))  →  Trouble("again", "429: slow down", wait=1.5, too_fast=True)
"""

import socket
import ssl
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from ...events.retry_after import retry_after
from .completions import ServerError

NO_REPLY = "no reply in time"
_TERMINAL = ("insufficient_quota", "billing_hard_limit_reached", "account_deactivated")
_FILTERED = ("content_filter", "content_policy_violation")
# Words in a complaint about a part of the request that some servers or models do not take.
_FORMS = {
    "structured": ("response_format", "json_schema", "guided", "structured output"),
    "max_tokens": ("max_tokens", "max_completion_tokens"),
    "temperature": ("temperature",),
}


class Trouble(NamedTuple):
    """Why a call gave nothing.

    Args:
        kind (`str`): `"again"`, `"form"` (the server does not take the request as it is), `"filtered"`, `"item"`
            (this one will never work) or `"stop"` (none will).
        cause (`str`): in words.
        wait (`float`, *optional*): seconds that the server asks to wait.
        too_fast (`bool`, *optional*, defaults to `False`): whether it was a 429.
        paid (`bool`, *optional*, defaults to `False`): whether it may have been paid for all the same.
        form (`str`, *optional*, defaults to `""`): what the server complains of: `"structured"`, `"max_tokens"`,
            `"temperature"`, if it says so.
        unreached (`bool`, *optional*, defaults to `False`): whether nothing shows that there is such a server at all.
        settings (`bool`, *optional*, defaults to `False`): whether it looks like a fault of address or server that
            waiting does not mend.
    """

    kind: Literal["again", "form", "filtered", "item", "stop"]
    cause: str
    wait: float | None = None
    too_fast: bool = False
    paid: bool = False
    form: str = ""
    unreached: bool = False
    settings: bool = False


def what_now(error: Exception) -> Trouble:
    """What follows from an error of the client.

    Args:
        error (`Exception`): as raised by the openai client, or `TimeoutError`.

    Returns:
        [`Trouble`]: what to do.
    """
    import openai

    if isinstance(error, openai.APITimeoutError | TimeoutError):
        return Trouble("again", NO_REPLY, paid=True)
    if isinstance(error, openai.APIConnectionError):
        inner = error.__cause__ or error
        never_sent = type(inner).__name__ in ("ConnectError", "ConnectTimeout", "PoolTimeout")
        cause = f"the connection failed ({type(inner).__name__}: {str(inner)[:200]})"
        return Trouble("again", cause, paid=not never_sent, unreached=True, settings=never_sent and _for_ever(inner))
    if not isinstance(error, openai.APIStatusError):
        cause = f"no chat completion ({type(error).__name__}: {str(error)[:200]})"
        no_such = isinstance(error, ValueError) and not isinstance(error, ServerError)
        return Trouble("again", cause, paid=True, unreached=no_such, settings=no_such)
    return of_status(error.status_code, error.body, error.response.headers)


def _for_ever(error: BaseException | None) -> bool:
    """Whether it is no TLS that the server speaks, or there is no host of that name; a closed port may open."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        if isinstance(error, socket.gaierror):
            return error.errno == socket.EAI_NONAME
        error = error.__cause__ or error.__context__
    return False


def of_status(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Trouble:
    """What follows from an answer with an error.

    Args:
        status (`int`): of HTTP.
        body (`Any`): of the answer; a mapping with `code`, `message` and `param`, as far as it goes.
        headers (`Mapping[str, str]`, *optional*): of the answer.

    Returns:
        [`Trouble`]: what to do.
    """
    said = body if isinstance(body, Mapping) else {}
    message = str(said.get("message") or body or "")[:500]
    codes = {str(said.get(name)) for name in ("code", "type")}
    cause = f"{status}: {message}" if message else str(status)
    if codes & set(_TERMINAL):
        return Trouble("stop", f"the account has no more money ({cause})")
    if status == 401:
        return Trouble("stop", f"the server does not take the key ({cause})")
    if status == 404:
        return Trouble("stop", f"the server does not know the model or the address ({cause})")
    if codes & set(_FILTERED):
        return Trouble("filtered", f"the server's content filter stopped the request ({cause})")
    if status in (400, 422):
        return Trouble("form", cause, form=_form(str(said.get("param") or ""), message))
    if status in (408, 409, 429) or status >= 500:
        return Trouble("again", cause, retry_after(headers or {}), too_fast=status == 429)
    return Trouble("item", f"the server rejects the request ({cause})")


def _form(param: str, message: str) -> str:
    for text in filter(None, (param, message)):
        for form, words in _FORMS.items():
            if any(word in text.lower() for word in words):
                return form
    return ""
