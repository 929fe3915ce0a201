"""One model at one address: what it turned out to take, how it is asked, and what its replies are.

endpoint = Endpoint(client, settings, secrets=("sk-…",))
completion = await endpoint.send(endpoint.body(question), timeout=60)
endpoint.outcome_of(completion, completion.text, question.read)   →  ("good", "")
"""

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .completions import Completion, read_completion, write_request
from .questions import Messages, Question, Settings
from .replies import NoScore, Unreadable

if TYPE_CHECKING:
    from openai import AsyncOpenAI

logger = logging.getLogger(__name__)

_IGNORED = 3  # unreadable replies after which a server that takes a schema is thought to ignore it


class Endpoint:
    """A model behind a client; what it does not take is learnt once for all questions.

    Args:
        client (`openai.AsyncOpenAI`): without retries of its own.
        settings ([`Settings`]): model and parameters.
        secrets (`Sequence[str]`, *optional*): such as the API key, which must not be written anywhere.
    """

    def __init__(self, client: "AsyncOpenAI", settings: Settings, secrets: Sequence[str] = ()) -> None:
        self.client, self.settings, self.secrets = client, settings, tuple(secrets)
        self.structured = settings.structured
        self.options: dict[str, Any] = {"max_tokens": settings.max_tokens}
        if settings.temperature is not None:
            self.options["temperature"] = settings.temperature
        self._ignored = 0

    def body(
        self, question: Question, messages: Messages | None = None, structured: bool | None = None
    ) -> dict[str, Any]:
        """The request that a question is sent as.

        Args:
            question ([`Question`]): what to ask.
            messages (`list[dict]`, *optional*): instead of its own.
            structured (`bool`, *optional*): whether a schema goes with it; by default if the server takes it.

        Returns:
            `dict[str, Any]`: body of a chat completion.
        """
        structured = self.structured if structured is None else structured
        messages = question.messages(structured) if messages is None else messages
        body = {"model": self.settings.model, "messages": messages, **self.options}
        if structured:
            form = {"name": f"{question.facts['kind']}_reply", "strict": True, "schema": question.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        return body

    async def send(self, body: dict[str, Any], timeout: float) -> Completion:
        """Ask once.

        Args:
            body (`dict[str, Any]`): of the request.
            timeout (`float`): seconds of wall clock until the reply is there.

        Returns:
            [`Completion`]: the reply.

        Raises:
            TimeoutError: if there is none in time.
            openai.APIError: if there is an error instead.
            ValueError: if it is something else than a chat completion.
        """
        # Subclasses of the client, such as that for Azure, look into the body; others get it ready to send.
        plain = type(self.client).__name__ == "AsyncOpenAI"
        content: dict[str, Any] = {"content": write_request(body)} if plain else {"body": body}
        options: Any = {"timeout": timeout}
        async with asyncio.timeout(timeout):
            # Not `chat.completions.create`: copying the messages by their types takes it longer than all the rest.
            answer: object = await self.client.post("/chat/completions", cast_to=object, options=options, **content)
        return read_completion(answer)

    def other_form(self, form: str, sent: dict[str, Any]) -> bool:
        """Change what the server complains of, for this and all further questions.

        Args:
            form (`str`): `"max_tokens"` or `"temperature"`.
            sent (`dict[str, Any]`): options of the request that it complains of.

        Returns:
            `bool`: True if requests are different now, False if nothing can be changed.
        """
        if form not in sent:
            return False
        if form == "max_tokens" and "max_tokens" in self.options:
            self.options["max_completion_tokens"] = self.options.pop("max_tokens")
        elif form == "temperature" and "temperature" in self.options:
            logger.warning("%s does not take a temperature; it uses its own.", self.settings.model)
            del self.options["temperature"]
        return form not in self.options

    def in_words(self, why: str) -> None:
        """Ask without a schema from now on.

        Args:
            why (`str`): for the log.
        """
        if self.structured:
            logger.info("%s %s; asking in words.", self.settings.model, why)
            self.structured = False

    def outcome_of(self, completion: Completion, reply: str, read: Callable[[str], Any]) -> tuple[str, str]:
        """What a reply is.

        Args:
            completion ([`Completion`]): as it came.
            reply (`str`): its text without secrets.
            read (`Callable`): reads a good one.

        Returns:
            `tuple[str, str]`: the outcome, and why there is no score in it.
        """
        if completion.refusal:
            return "refused", f"refused: {reply[:500]}"
        if completion.finish_reason == "content_filter":
            return "filtered", "filtered: the server's content filter stopped the reply"
        if completion.finish_reason == "length":
            return "truncated", f"truncated: the reply is longer than max_tokens={self.settings.max_tokens}"
        try:
            read(reply)
        except NoScore as said:
            return "no score", str(said)
        except Unreadable as problem:
            return "unreadable", f"unreadable: {problem}"
        return "good", ""

    def watch_schema(self, outcome: str) -> None:
        """Some servers take a schema and ignore it; the form in words is better then.

        Args:
            outcome (`str`): of a reply that was held to a schema, `"good"` or `"unreadable"`.
        """
        self._ignored = self._ignored + 1 if outcome == "unreadable" else -1_000_000
        if self._ignored == _IGNORED:
            self.in_words("ignores the JSON schema")

    def redact(self, text: str) -> str:
        """Take the key out of a text.

        Args:
            text (`str`): from the server, perhaps.

        Returns:
            `str`: with `[key]` in its place.
        """
        for secret in self.secrets:
            text = text.replace(secret, "[key]").replace(json.dumps(secret)[1:-1], "[key]")
        return text
