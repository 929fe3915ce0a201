"""The client of a judge, and the secrets it holds.

connect(None, "http://localhost:8000/v1", key="", …).client  →  an openai.AsyncOpenAI without retries of its own
"""

import os
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

_SHORTEST_SECRET = 8  # characters; "none" and "EMPTY", which servers of one's own are given, are words


class Connection(NamedTuple):
    """A client with what it must not tell.

    Args:
        client (`openai.AsyncOpenAI`): one whose retries are switched off, since the caller's own are the only ones.
        secrets (`tuple[str, ...]`): texts that may be written nowhere.
    """

    client: "AsyncOpenAI"
    secrets: tuple[str, ...]


def connect(
    client: "AsyncOpenAI | OpenAI | None", base_url: str | None, key: str, key_from: str, offline: bool = False
) -> Connection:
    """The client for an endpoint.

    Args:
        client (`openai.AsyncOpenAI` or `openai.OpenAI`, *optional*): one of the user's own.
        base_url (`str`, *optional*): address; OpenAI's, or that of `OPENAI_BASE_URL`, without it.
        key (`str`): API key; may be empty for other endpoints than OpenAI's.
        key_from (`str`): the environment variable it came from.
        offline (`bool`, *optional*, defaults to `False`): nothing will be asked, so a key is not needed.

    Returns:
        [`Connection`]: the client.

    Raises:
        ValueError: if there is no key for OpenAI, both client and address, or one that cannot be meant.
        TypeError: if it is no client.
        ImportError: if `openai` is missing.
    """
    try:
        import openai
    except ImportError as error:
        raise ImportError(f'A vision judge needs openai: pip install "atom_hf[vlm]" ({error}).') from None
    if client is not None:
        if base_url is not None:
            raise ValueError("Expected a client or a base_url, got both; the client has an address already.")
        if not isinstance(client, openai.AsyncOpenAI):
            client = _asynchronous(client)
        return Connection(client.with_options(max_retries=0), _secrets(client.api_key, str(client.base_url)))
    if base_url is None and not key and not offline:
        raise ValueError(
            f"There is no key: set the environment variable {key_from}, or give the base_url of another endpoint."
        )
    address = base_url if base_url is not None else os.environ.get("OPENAI_BASE_URL")
    if address is not None:
        _check_address(address, "base_url" if base_url is not None else "OPENAI_BASE_URL")
    _check_key(key, key_from)
    made = openai.AsyncOpenAI(base_url=base_url, api_key=key or "none", max_retries=0)
    return Connection(made, _secrets(key, str(made.base_url)))


def _asynchronous(client: Any) -> "AsyncOpenAI":
    import openai

    if type(client) is not openai.OpenAI:
        raise TypeError(f"Expected an openai.AsyncOpenAI or openai.OpenAI as client, got {type(client).__name__}.")
    return openai.AsyncOpenAI(
        base_url=client.base_url,
        api_key=client.api_key,
        organization=client.organization,
        project=client.project,
        default_headers=client._custom_headers,
        default_query=client._custom_query,
    )


def _check_address(address: Any, where: str) -> None:
    try:
        parts = urlsplit(address) if isinstance(address, str) else None
        port = parts.port if parts is not None else 0
    except ValueError:  # such as port 99999
        parts = port = None
    clean = parts is not None and address.isprintable() and " " not in address
    if not (parts and clean and parts.scheme in ("http", "https") and parts.hostname and port != 0):
        shown = "no text" if not isinstance(address, str) else repr(address.rpartition("@")[2])
        raise ValueError(
            f"{where} is an address such as 'http://localhost:8000/v1', with http or https, a host and a port up to "
            f"65535, got {shown}."
        )


def _check_key(key: str, key_from: str) -> None:
    for place, letter in enumerate(key, 1):
        if not "!" <= letter <= "~":
            what = "white space" if letter.isspace() else "no ASCII"
            raise ValueError(
                f"The key in {key_from} cannot be sent: character {place} of {len(key)} is {what}. Copy it anew, "
                "without line breaks."
            )


def _secrets(key: object, address: str) -> tuple[str, ...]:
    found = (str(key or ""), urlsplit(address).password or "")
    return tuple(text for text in found if len(text) >= _SHORTEST_SECRET)
