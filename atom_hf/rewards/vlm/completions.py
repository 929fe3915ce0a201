"""What is said to a server and what it says, in the form of OpenAI's chat completions.

write_request({"messages": [{"role": "user", "content": [… {"url": "data:image/jpeg;base64,…"} …]}], …})  →  its bytes

read_completion({"choices": [{"message": {"content": "…"}, "finish_reason": "stop"}], "usage": {…}})
→ Completion(text="…", refusal="", finish_reason="stop", usage=(1500, 120))
"""

import json
import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

_MOST_TOKENS = 10**9  # of one request
# Stands for a picture while the rest becomes JSON; nobody who writes a caption can know it.
_PICTURE = f"picture {secrets.token_hex(16)}"


def write_request(body: Mapping[str, Any]) -> bytes:
    """The request as JSON. Base64 has nothing to escape, so that pictures are put in as they are, which saves most of
    the time.

    Args:
        body (`Mapping[str, Any]`): of the request.

    Returns:
        `bytes`: what is sent.
    """
    pictures: list[bytes] = []

    def without(part: Any) -> Any:
        if part.get("type") != "image_url":
            return part
        picture = part["image_url"]
        pictures.append(picture["url"].encode("ascii"))
        return {**part, "image_url": {**picture, "url": _PICTURE}}

    messages = [
        {**message, "content": [without(part) for part in message["content"]]}
        if isinstance(message["content"], list)
        else message
        for message in body["messages"]
    ]
    first, *rest = json.dumps({**body, "messages": messages}).encode("ascii").split(_PICTURE.encode("ascii"))
    return b"".join([first, *(piece for pair in zip(pictures, rest, strict=True) for piece in pair)])


class Completion(NamedTuple):
    """One reply.

    Args:
        text (`str`): what the model said; empty if nothing.
        refusal (`str`): why it said nothing, if it refused.
        finish_reason (`str`): such as `"stop"`, `"length"`, `"content_filter"`.
        usage (`tuple[int, int]`, *optional*): tokens sent and received; None where the server does not say.
    """

    text: str
    refusal: str
    finish_reason: str
    usage: tuple[int, int] | None


class ServerError(ValueError):
    """An error of the server that came with the status of a good answer."""


def read_completion(data: Any) -> Completion:
    """Read the body of an answer.

    Args:
        data (`Any`): as it came.

    Returns:
        [`Completion`]: its first choice.

    Raises:
        ServerError: if it is an error.
        ValueError: if it is no chat completion.
    """
    choices = data.get("choices") if isinstance(data, Mapping) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(choice, Mapping) or not isinstance(message, Mapping):
        if isinstance(data, Mapping) and data.get("error"):  # some gateways say so with status 200
            raise ServerError(f"an error instead of choices: {str(data['error'])[:200]}")
        raise ValueError("an answer without choices; is the address that of an OpenAI-compatible API?")
    content, refusal = message.get("content"), message.get("refusal")
    return Completion(
        content if isinstance(content, str) else "",
        str(refusal) if refusal else "",
        str(choice.get("finish_reason") or ""),
        _usage(data.get("usage")),
    )


def _usage(said: Any) -> tuple[int, int] | None:
    if not isinstance(said, Mapping):
        return None
    sent, received = said.get("prompt_tokens"), said.get("completion_tokens")
    if not (isinstance(sent, int) and isinstance(received, int) and 0 <= min(sent, received)):
        return None
    if max(sent, received) > _MOST_TOKENS:  # nonsense, which no price is to be made of
        return None
    return sent, received
