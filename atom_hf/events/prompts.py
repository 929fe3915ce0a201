"""Writers of prompts: the grammar, offline, and any language model behind an OpenAI-compatible endpoint.

LLMPromptWriter("http://localhost:8000/v1", "Qwen/Qwen3-8B", path="prompts.jsonl").write(1000)
→ [Prompt("A man walks forward, then sits down.", Scenario(...)), ...]; run again, it goes on where it stopped
"""

import hashlib
import logging
import os
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from .actions import ACTIONS
from .grammar_prompts import GrammarPromptWriter, Prompt
from .prompt_costs import Cost, Prices, cost, read_prices
from .prompt_replies import Rejected, instruction, messages, read_reply, schema
from .prompt_store import PromptStore
from .retry_after import retry_after
from .scenario import TASKS

if TYPE_CHECKING:
    from openai import OpenAI

__all__ = ["Cost", "GrammarPromptWriter", "LLMPromptWriter", "Prompt", "PromptWriterError"]

logger = logging.getLogger(__name__)

_EXAMPLES = 5  # captions that seed one request
_FEATURED = 5  # actions that one request asks for, so that no two are the same and all occur
_OUTPUT_TOKENS = 60  # of one prompt with its events, roughly
_CHARACTERS = 4  # of one token, roughly
_PAUSE, _TRIES = 1.0, 8  # seconds before the second try, doubled before each further one
_FRUITLESS = 5  # requests in a row without a new prompt, after which the writer gives up


class PromptWriterError(RuntimeError):
    """A language model that gives no prompts: what failed, and what was kept."""


class _Answer(NamedTuple):
    """What one request gave, with the tokens it took."""

    prompts: list[Prompt]
    rejected: list[Rejected]
    usage: tuple[int, int]
    raw: str
    failed: str


class LLMPromptWriter:
    """Writes prompts with a language model that answers in text and events.

    Replies are held to a JSON schema where the server has that; elsewhere the form is asked for in words. A reply that
    can't be read is asked for once more. Prompts that don't fit the table of actions, the body, the task or their own
    words, and near-duplicates, are left out. Each answered request is appended to the file at once.

    Args:
        client_or_base_url (`openai.OpenAI` or `str`): a client, or the address of an endpoint such as
            `"http://localhost:8000/v1"`.
        model (`str`): name of the model there.
        tasks (`Sequence[str]`, *optional*): tasks to write for, in turn; all by default.
        seed (`int`, *optional*, defaults to 0): chooses actions and examples of each request.
        path (`str` or `Path`, *optional*): JSON Lines file that keeps everything and from which a later run goes on.
        examples (`Sequence[str]`, *optional*): captions of real motion; five of them seed each request.
        per_request (`int`, *optional*, defaults to 10): prompts asked for at once.
        workers (`int`, *optional*, defaults to 4): requests under way at the same time.
        temperature (`float`, *optional*): sent where given (unitless).
        prices (`str`, `Path` or mapping, *optional*): JSON table, model → dollars for a million `input` and `output`
            tokens.
        api_key_env (`str`, *optional*, defaults to `"OPENAI_API_KEY"`): environment variable with the key, for
            an endpoint given by its address. The key is sent to that endpoint and goes nowhere else.
        deadline (`float`, *optional*, defaults to 180.0): seconds for one request with all its retries.

    Raises:
        ValueError: if a task is unknown, a number is below 1, or the file was written with other settings.
        ImportError: if `openai` or `pydantic` is missing; `pip install "atom_hf[vlm]"` brings them.
    """

    def __init__(
        self,
        client_or_base_url: "OpenAI | str",
        model: str,
        tasks: Sequence[str] = TASKS,
        seed: int = 0,
        path: str | Path | None = None,
        examples: Sequence[str] = (),
        per_request: int = 10,
        workers: int = 4,
        temperature: float | None = None,
        prices: str | Path | Prices | None = None,
        api_key_env: str = "OPENAI_API_KEY",
        deadline: float = 180.0,
    ) -> None:
        if not tasks or any(task not in TASKS for task in tasks):
            raise ValueError(f"Tasks are some of {', '.join(TASKS)}, got {list(tasks)}.")
        if min(per_request, workers) < 1 or deadline <= 0:
            raise ValueError(f"Expected numbers of at least 1, got {per_request=}, {workers=}, {deadline=}.")
        self.model, self.tasks, self.seed = model, tuple(tasks), seed
        self.examples, self.per_request, self.workers = tuple(examples), per_request, workers
        self.temperature, self.deadline = temperature, deadline
        self.prices = read_prices(prices)
        self._key = os.environ.get(api_key_env, "")
        self._client = self._make_client(client_or_base_url)
        self._schema = schema()
        self._structured = True  # until the server says that it can't
        self._store = PromptStore(path, self._settings())

    def write(self, n: int) -> list[Prompt]:
        """The first `n` prompts: those of the file, then as many new ones as are missing.

        Args:
            n (`int`): how many prompts there shall be.

        Returns:
            `list[Prompt]`: texts with their scenarios, in the order in which they were accepted.

        Raises:
            PromptWriterError: if the endpoint fails for good, or five requests in a row give nothing new. What was
                written until then is in the file.
        """
        store = self._store
        if len(store.prompts) < n:
            logger.info("Writing %d prompts: %s", n - len(store.prompts), self.estimate(n).explanation)
            self._ask_until(n)
            logger.info("Written: %s", self.spent.explanation)
        return store.prompts[:n]

    def estimate(self, n: int) -> Cost:
        """What the prompts that are still missing will cost, before anything is asked.

        Args:
            n (`int`): how many prompts there shall be.

        Returns:
            [`Cost`]: requests, tokens, and dollars where the model has a price. Counted at four characters a token and
                60 tokens a prompt, without repairs and rejected prompts.
        """
        requests = -(-max(0, n - len(self._store.prompts)) // self.per_request)
        tokens = 0
        for i in range(min(requests, len(self.tasks))):
            characters = sum(len(message["content"]) for message in self._messages(i))
            tokens += characters // _CHARACTERS * len(range(i, requests, len(self.tasks)))
        schema_tokens = requests * len(str(self._schema)) // _CHARACTERS
        output = requests * self.per_request * _OUTPUT_TOKENS
        return cost(self.model, self.prices, requests, tokens + schema_tokens, output)

    @property
    def spent(self) -> Cost:
        """What the requests of the file and of this writer have cost, by the usage that the server reported."""
        return cost(self.model, self.prices, self._store.answered, *self._store.usage)

    def _settings(self) -> dict[str, Any]:
        names = ("system", "examples", "format", "repair", *self.tasks)
        texts = "\n".join([*map(instruction, names), *self.examples, str(self._schema)])
        return {
            "model": self.model,
            "tasks": list(self.tasks),
            "seed": self.seed,
            "per_request": self.per_request,
            "temperature": self.temperature,
            "instructions": hashlib.sha256(texts.encode()).hexdigest()[:16],
        }

    def _make_client(self, client_or_base_url: "OpenAI | str") -> "OpenAI":
        try:
            import pydantic  # noqa: F401 - said here rather than at the first reply
            from openai import OpenAI
        except ImportError as error:
            raise ImportError(
                f'LLMPromptWriter needs openai and pydantic: pip install "atom_hf[vlm]" ({error}).'
            ) from None
        if isinstance(client_or_base_url, str):
            # Servers of one's own take any key, the client demands one.
            return OpenAI(base_url=client_or_base_url, api_key=self._key or "none", max_retries=0)
        self._key = str(client_or_base_url.api_key or "")
        return client_or_base_url.with_options(max_retries=0)  # one layer of retries, and that is ours

    def _messages(self, request: int) -> list[dict[str, str]]:
        random = Random(f"{self.seed} {request}")
        examples = random.sample(self.examples, min(_EXAMPLES, len(self.examples)))
        task = self.tasks[request % len(self.tasks)]
        names = [name for name, action in ACTIONS.items() if task != "frequency" or action.max_count > 1]
        return messages(task, self.per_request, random.sample(names, _FEATURED), examples)

    def _ask_until(self, n: int) -> None:
        """Keep requests under way until there are `n` prompts; what was asked and paid for is always kept."""
        store, fruitless, request = self._store, 0, 0
        under_way: dict[Future[_Answer], int] = {}
        with ThreadPoolExecutor(self.workers) as pool:
            try:
                while len(store.prompts) < n:
                    missing = n - len(store.prompts) - len(under_way) * self.per_request
                    while len(under_way) < self.workers and (missing > 0 or not under_way):
                        while request in store.finished:
                            request += 1
                        under_way[pool.submit(self._ask, request)] = request
                        request, missing = request + 1, missing - self.per_request
                    done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                    for future in done:
                        new, failed = self._keep(under_way.pop(future), future)
                        fruitless = 0 if new else fruitless + 1
                        if fruitless >= _FRUITLESS and len(store.prompts) < n:
                            raise PromptWriterError(
                                f"{fruitless} requests in a row gave nothing new ({failed or 'duplicates'}); "
                                f"{len(store.prompts)} of {n} prompts were written. {self.spent.explanation}."
                            )
            finally:
                for future, number in under_way.items():
                    if not future.cancel() and (future.exception() is None):
                        self._keep(number, future)

    def _keep(self, request: int, future: "Future[_Answer]") -> tuple[int, str]:
        answer = future.result()
        more: dict[str, Any] = {"rejected": [item._asdict() for item in answer.rejected], "raw": answer.raw}
        if answer.failed:
            more["failed"] = answer.failed
        task = self.tasks[request % len(self.tasks)]
        new = self._store.add(request, task, answer.prompts, answer.usage, **more)
        reasons = answer.failed or "; ".join(item.reason for item in answer.rejected[:1])
        return new, reasons

    def _ask(self, request: int) -> _Answer:
        """One request with its repair; a refusal or an unreadable reply is an answer without prompts."""
        task = self.tasks[request % len(self.tasks)]
        end = time.monotonic() + self.deadline
        chat, used = self._messages(request), (0, 0)
        failed = raw = ""
        for attempt in range(2):
            try:
                choice, usage = self._complete(chat, end)
            except PromptWriterError as error:
                if attempt == 0:
                    raise
                return _Answer([], [], used, raw, f"{failed} (repair: {error})")  # the first reply was paid for
            used = (used[0] + usage[0], used[1] + usage[1])
            raw = self._redacted(choice.message.content or "")
            if refusal := getattr(choice.message, "refusal", None):
                return _Answer([], [], used, raw, self._redacted(f"refusal: {refusal}"))
            if choice.finish_reason == "content_filter":
                return _Answer([], [], used, raw, "the server's content filter stopped the reply")
            try:
                if choice.finish_reason == "length":
                    raise ValueError("it was cut off because it was too long; give fewer prompts.")
                good, bad = read_reply(raw, task)
                return _Answer(good, bad, used, raw, "")
            except ValueError as error:
                failed = f"unreadable reply: {error}"
                if attempt == 0:
                    repair = instruction("repair").replace("{problem}", str(error))
                    chat = [*chat, {"role": "assistant", "content": raw}, {"role": "user", "content": repair}]
        return _Answer([], [], used, raw, failed)

    def _complete(self, chat: list[dict[str, str]], end: float) -> tuple[Any, tuple[int, int]]:
        """One completion; servers that refuse the schema are asked in words from then on."""
        import openai

        refusals = (openai.BadRequestError, openai.UnprocessableEntityError)
        if self._structured:
            try:
                return self._try_until(chat, True, end)
            except refusals as error:
                logger.info("No JSON schema at this endpoint, asking in words: %s", self._redacted(str(error)))
        in_words = {**chat[1], "content": f"{chat[1]['content']}\n{instruction('format')}"}
        try:
            completed = self._try_until([chat[0], in_words, *chat[2:]], False, end)
        except refusals as error:
            raise PromptWriterError(self._redacted(f"{self.model} refuses the request: {error}")) from None
        self._structured = False
        return completed

    def _try_until(self, chat: list[dict[str, str]], structured: bool, end: float) -> tuple[Any, tuple[int, int]]:
        """The only layer of retries: backoff that honours Retry-After, until the deadline."""
        import openai

        options: dict[str, Any] = {} if self.temperature is None else {"temperature": self.temperature}
        if structured:
            held = {"name": "prompts", "strict": True, "schema": self._schema}
            options["response_format"] = {"type": "json_schema", "json_schema": held}
        for tries in range(_TRIES):
            try:
                completion = self._client.chat.completions.create(
                    model=self.model,
                    messages=chat,  # type: ignore[arg-type]
                    timeout=max(0.1, end - time.monotonic()),
                    **options,
                )
                if not getattr(completion, "choices", None):
                    raise ValueError("a reply without choices")
                usage = completion.usage
                return completion.choices[0], (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
            except (openai.BadRequestError, openai.UnprocessableEntityError):
                raise
            except ValueError as error:  # a web page, perhaps
                text = (
                    f"{self.model} gave no chat completion ({error}); is the address that of an OpenAI-compatible API?"
                )
                raise PromptWriterError(self._redacted(text)) from None
            except openai.APIError as error:
                delay = _delay(error, min(_PAUSE * 2**tries, 30.0))
                if delay is None or tries + 1 == _TRIES or time.monotonic() + delay > end:
                    tried = f" in {tries + 1} tries, {self.deadline:g} s at most" if delay is not None else ""
                    raise PromptWriterError(self._redacted(f"{self.model} gave no reply{tried}: {error}")) from None
            time.sleep(delay)
        raise AssertionError("the last try returns or raises")

    def _redacted(self, text: str) -> str:
        return text.replace(self._key, "[key]") if self._key else text


def _delay(error: Any, pause: float) -> float | None:
    """Seconds until the next try, or `None` where another try can't help."""
    import openai

    if isinstance(error, openai.APIConnectionError):  # timeouts, too
        return pause
    status = getattr(error, "status_code", None)
    if getattr(error, "code", None) == "insufficient_quota" or not (status in (408, 409, 429) or (status or 0) >= 500):
        return None
    asked = retry_after(error.response.headers)
    return pause * Random().uniform(0.5, 1.5) if asked is None else asked
