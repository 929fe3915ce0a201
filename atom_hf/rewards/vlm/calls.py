"""One question asked until there is an answer: budget, pace, retries, one repair, one deadline, one store.

answer = await caller.ask(question, run)
answer.outcome  →  "good"; or "refused", "unreadable", "no reply", … with the cause
"""

import asyncio
import logging
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .budget import Budget, Price
from .endpoint import Endpoint
from .no_store import NoStore
from .pace import Pace, Turn
from .questions import Messages, Question
from .rules import repair_message
from .store import Store
from .troubles import NO_REPLY, Trouble, what_now

logger = logging.getLogger(__name__)

_PAUSE, _LONGEST_PAUSE = 0.25, 20.0  # seconds before the second try, doubled before each further one, up to that
_TRIES = 12
_FEW = 4  # tries where address or server look wrong, and questions that tell that they are
_LOOK_AGAIN = 0.01  # seconds until a call that waits for money looks again


class Answer(NamedTuple):
    """What came of a question.

    Args:
        outcome (`str`): `"good"`, or why there is no answer: `"no score"`, `"refused"`, `"filtered"`, `"truncated"`,
            `"unreadable"`, `"no reply"`, `"rejected"`, `"stopped"`.
        reply (`str`): the raw text; empty without a reply.
        cause (`str`): the reason in words; empty for a good one.
        asked (`bool`): whether it was asked now, rather than found in the store.
    """

    outcome: str
    reply: str
    cause: str
    asked: bool


class Stopped(Exception):
    """No further call is to be made in this run; the text says why."""


@dataclass
class Run:
    """One call of `score` or `compare`: what its items share.

    Args:
        stopped (`str`, *optional*): why nothing more is asked.
        under_way (`dict`, *optional*): questions that are being asked, for items that are the same.
        spent (`float`, *optional*, defaults to 0.0): dollars, by this run.
        reached (`bool`, *optional*, defaults to `False`): whether a server answered anything in its protocol.
        unreached (`int`, *optional*, defaults to 0): questions given up without a sign of a server.
        told (`bool`, *optional*, defaults to `False`): whether it was said that calls are tried again.
    """

    stopped: str | None = None
    under_way: dict[str, "asyncio.Task[Answer]"] = field(default_factory=dict)
    spent: float = 0.0
    reached: bool = False
    unreached: int = 0
    told: bool = False
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self, cause: str) -> None:
        """Ask nothing more; calls that were made are waited for, since they are paid.

        Args:
            cause (`str`): why.
        """
        if self.stopped is None:
            self.stopped = cause
            self._over.set()

    async def pause(self, seconds: float) -> None:
        """Wait, but not longer than the run is on.

        Args:
            seconds (`float`): how long.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._over.wait()
        except TimeoutError:
            pass


class Caller:
    """Asks questions of one model at one address.

    Args:
        endpoint ([`Endpoint`]): the model.
        pace ([`Pace`]): how fast.
        store ([`Store`] or [`NoStore`]): what is written down.
        budget ([`Budget`], *optional*): what may be spent.
        price ([`Price`], *optional*): of the model.
        deadline (`float`): seconds for a request with all its tries, from its first start.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        pace: Pace,
        store: Store | NoStore,
        budget: Budget | None,
        price: Price | None,
        deadline: float,
    ) -> None:
        self.endpoint, self.settings, self.pace, self.store = endpoint, endpoint.settings, pace, store
        self.budget, self.price, self.deadline = budget, price, deadline
        self.counts: Counter[str] = Counter()

    async def ask(self, question: Question, run: Run) -> Answer:
        """The answer to a question, from the store or from the server; the same question is asked once at a time.

        Args:
            question ([`Question`]): what to ask.
            run ([`Run`]): to which it belongs.

        Returns:
            [`Answer`]: never an exception, whatever the server does.
        """
        task = run.under_way.get(question.key)
        if task is None:
            task = run.under_way[question.key] = asyncio.create_task(self._ask(question, run))
            if self.store.path is not None:  # from then on the store knows
                task.add_done_callback(lambda _: run.under_way.pop(question.key, None))
        else:
            self.counts["asked once for several"] += 1
        return await task

    async def ask_all(self, questions: Sequence[Question], run: Run) -> list[Answer]:
        """Answers to several questions, asked at the same time.

        Args:
            questions (`Sequence[Question]`): what to ask.
            run ([`Run`]): to which they belong.

        Returns:
            `list[Answer]`: in order.
        """
        if len(questions) == 1:
            return [await self.ask(questions[0], run)]
        return list(await asyncio.gather(*(self.ask(question, run) for question in questions)))

    async def _ask(self, question: Question, run: Run) -> Answer:
        try:
            kept = self.store.find(question.key)
            if kept is not None and (kept.outcome != "unreadable" or kept.step > 0):
                self.counts["found in the store"] += 1
                return Answer(kept.outcome, kept.reply, kept.cause, asked=False)
            if kept is None:
                answer = await self._until_reply(question, question.messages, 0, run)
            else:  # the first reply was paid for; only its repair is missing
                answer = Answer(kept.outcome, kept.reply, kept.cause, asked=False)
            return await self._repair(question, answer, run) if answer.outcome == "unreadable" else answer
        except Stopped as stop:
            return Answer("stopped", "", str(stop), asked=False)
        except sqlite3.Error as error:
            return Answer("stopped", "", self._unusable(error, run), asked=False)
        except Exception as error:  # whatever it is, thousands of other items are not to be lost for it
            logger.exception("A question could not be asked.")
            return Answer("failed", "", self.endpoint.redact(f"failed: {type(error).__name__}: {error}"), asked=True)

    async def _repair(self, question: Question, first: Answer, run: Run) -> Answer:
        def messages(structured: bool) -> Messages:
            chat = question.messages(False)  # the form in words, too: a schema was not enough
            said = {"role": "assistant", "content": first.reply or "(empty)"}
            return [*chat, said, repair_message(first.cause.removeprefix("unreadable: "))]

        self.counts["repairs"] += 1
        try:
            second = await self._until_reply(question, messages, 1, run)
        except Stopped as stop:
            return first._replace(cause=f"{first.cause}; not asked once more: {stop}")
        return second if second.reply else first._replace(cause=f"{first.cause}; asked once more: {second.cause}")

    async def _until_reply(self, question: Question, messages: Any, step: int, run: Run) -> Answer:
        """The only layer of retries."""
        endpoint = self.endpoint
        end, pause, structured, forms, unreached = 0.0, _PAUSE, endpoint.structured, 0, True
        for number in range(1, _TRIES + 1):
            tokens = question.expected_tokens(messages(structured)) + self.settings.max_tokens
            self._check_pace(tokens, run)
            async with self.pace.turn(tokens, again=number > 1 or step > 0) as turn:
                end = end or time.monotonic() + self.deadline
                left = end - time.monotonic()
                if left <= 0:
                    return self._no_reply("its turn came too late", number)
                structured = structured and endpoint.structured  # others may have learnt something meanwhile
                sent = dict(endpoint.options)
                result = await self._call(question, messages(structured), step, structured, left, run, turn)
            unreached = unreached and isinstance(result, Trouble) and result.unreached
            if isinstance(result, Answer):
                if not structured:
                    endpoint.in_words("does not take a JSON schema")
                return result
            if result.kind == "stop":
                run.stop(result.cause)
                logger.error("%s: %s. Nothing more is asked.", self.settings.model, result.cause)
                raise Stopped(result.cause)
            if result.kind == "form":
                forms += 1
                if forms <= 4 and endpoint.other_form(result.form, sent):
                    continue
                if structured:
                    structured = False  # perhaps that is it; kept only if it helps
                    continue
            if result.kind != "again":
                outcome = "filtered" if result.kind == "filtered" else "rejected"
                return Answer(outcome, "", f"{outcome}: {result.cause}", asked=True)
            wait = pause * random.uniform(0.5, 1.5) if result.wait is None else result.wait
            pause = min(2 * pause, _LONGEST_PAUSE)
            hopeless = result.settings and not run.reached and number >= _FEW
            if number == _TRIES or time.monotonic() + wait > end or hopeless:
                break
            self.counts["tried again"] += 1
            if not run.told:
                run.told = True
                words = "%s: %s. Asking again, for up to %g s a question; this is said once."
                logger.warning(words, self.settings.model, result.cause, self.deadline)
            await run.pause(wait)
        if unreached and not run.reached:
            self._unreached(result.cause, run)
        return self._no_reply(result.cause, number)

    def _unreached(self, cause: str, run: Run) -> None:
        """Stop where the first questions all ended without a sign of a server: it is no bad luck then."""
        run.unreached += 1
        if run.unreached >= _FEW and run.stopped is None:
            address = self.endpoint.redact(str(self.endpoint.client.base_url))
            run.stop(f"no server that judges answers at {address}: {cause}")
            logger.error("%s: %s. Nothing more is asked.", self.settings.model, run.stopped)

    def _check_pace(self, tokens: int, run: Run) -> None:
        limit = self.pace.tokens_per_minute
        if limit is not None and tokens > limit and run.stopped is None:
            run.stop(
                f"one request may take {tokens:,} tokens, more than tokens_per_minute={limit:,g} allows in a minute; "
                "raise that, or lower max_tokens"
            )
            logger.error("%s: %s. Nothing more is asked.", self.settings.model, run.stopped)
        if run.stopped is not None:
            raise Stopped(run.stopped)

    def _no_reply(self, cause: str, tries: int) -> Answer:
        words = f"no reply in {tries} {'try' if tries == 1 else 'tries'}, {self.deadline:g} s at most: {cause}"
        return Answer("no reply", "", words, asked=True)

    async def _call(
        self, question: Question, chat: Messages, step: int, structured: bool, left: float, run: Run, turn: Turn
    ) -> Answer | Trouble:
        """One request: money set aside, written down, sent, booked."""
        endpoint, most_tokens = self.endpoint, question.most_tokens(chat)
        most = self.price.of(most_tokens, self.settings.max_tokens) if self.price else 0.0
        held = await self._reserve(most, run)
        try:
            call = self.store.begin(question.key, question.facts, step, most)
        except sqlite3.Error as error:
            self._settle(held, 0.0, run)
            raise Stopped(self._unusable(error, run)) from None
        try:
            # A stalled try leaves time for another one, unless there is too little for two.
            timeout = max(left / 2, min(left, self.deadline / 8))
            completion = await endpoint.send(endpoint.body(question, chat, structured), timeout)
        except Exception as error:
            trouble = what_now(error)
            trouble = trouble._replace(cause=endpoint.redact(trouble.cause))
            run.reached = run.reached or not (trouble.unreached or trouble.cause == NO_REPLY)
            if trouble.too_fast:
                turn.too_fast()
            self.counts[f"errors: {trouble.cause[:3] if trouble.cause[:3].isdigit() else 'no reply'}"] += 1
            outcome, dollars = ("lost", most) if trouble.paid else ("failed", 0.0)
            self._book(call, outcome, held, dollars, run, cause=trouble.cause)
            return trouble
        except BaseException:  # cancelled: it may have been paid for
            self._book(call, "lost", held, most, run, cause="interrupted")
            raise
        run.reached = True
        reply = endpoint.redact(completion.text or completion.refusal)
        outcome, cause = endpoint.outcome_of(completion, reply, question.read)
        if structured and step == 0 and outcome in ("good", "unreadable"):
            endpoint.watch_schema(outcome)
        counted = completion.usage or (most_tokens, self.settings.max_tokens)
        turn.used(sum(counted))
        dollars = self.price.of(*counted) if self.price else 0.0
        said = {"cause": cause, "reply": reply, "input_tokens": counted[0], "output_tokens": counted[1]}
        self._book(call, outcome, held, dollars, run, **said)
        return Answer(outcome, reply, cause, asked=True)

    async def _reserve(self, most: float, run: Run) -> float:
        """Wait for money that calls under way may give back; stop the run where that cannot help."""
        while True:
            if run.stopped is not None:
                raise Stopped(run.stopped)
            if self.budget is None:
                return 0.0
            held = self.budget.reserve(most)
            if held is not None:
                return held
            if self.budget.is_used_up(most):
                run.stop(f"{self.budget.shortage(most)}; a lower max_tokens makes calls cheaper")
                logger.warning("%s: %s. Nothing more is asked.", self.settings.model, run.stopped)
            else:
                await asyncio.sleep(_LOOK_AGAIN)

    def _book(self, call: str, outcome: str, held: float, dollars: float, run: Run, **more: Any) -> None:
        self._settle(held, dollars, run)
        try:
            self.store.end(call, outcome, dollars=dollars, **more)
        except sqlite3.Error as error:  # this reply is still good
            self._unusable(error, run)

    def _settle(self, held: float, dollars: float, run: Run) -> None:
        if self.budget is not None:
            self.budget.settle(held, dollars)
        run.spent += dollars

    def _unusable(self, error: Exception, run: Run) -> str:
        run.stop(f"{self.store.path} cannot be used ({error})")
        logger.error("%s. Nothing more is asked.", run.stopped)
        return str(run.stopped)
