"""A vision-language model that judges pictures of motions, behind any endpoint that speaks OpenAI's protocol.

judge = VLMJudge("gpt-4o", "temporal", budget=5.0, store="verdicts.sqlite")
judge.estimate(items).explanation   →  "1000 requests, 1,874,000 input and 250,000 output tokens: $7.1850"
judge.score(items)[0]               →  Verdict(score=4.0, reason="…", reply="…", judge="gpt-4o, temporal-1")
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ...events.prompt_costs import Cost, Prices
from ..judge import JudgeItem, Verdict
from ..position_bias import bias_of_counts
from .answers import preference_of, verdict_of
from .budget import Budget, find_price, prices_as_of
from .calls import Answer, Caller, Run
from .checks import check_settings
from .connection import connect
from .endpoint import Endpoint
from .estimates import estimate
from .items import Items, check_items
from .no_store import NoStore
from .pace import Pace
from .pictures import PictureLayout
from .preference import Preference
from .progress import Progress
from .questions import Settings
from .rules import TASKS, Rules, read_rules
from .running import run, run_async
from .store import Store
from .work import each

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

Pair = tuple[JudgeItem, JudgeItem]
Judged = TypeVar("Judged", Verdict, Preference)


class VLMJudge:
    """Scores motions, or compares two, by showing pictures of them to a vision-language model.

    What the model cannot or will not judge is unscored, with cause and raw reply: refused, filtered, truncated,
    unreadable after one repair, no reply before the deadline, a picture that cannot be drawn. When the budget or the
    account is used up, the server does not know key or model, or there turns out to be no such server, nothing more is
    asked and all that is left is unscored for that cause. Works from plain code, inside a running event loop, in
    notebooks and threads.

    Args:
        model (`str`, *optional*, defaults to `"gpt-4o"`): its name at the endpoint.
        task (`str`, *optional*): `"integrity"`, `"temporal"`, `"frequency"` or `"overall"`. Without it each item's
            scenario says, and `"overall"` is taken for items without one.
        base_url (`str`, *optional*): address of an endpoint such as `"http://localhost:8000/v1"`; OpenAI's otherwise.
        client (`openai.AsyncOpenAI` or `openai.OpenAI`, *optional*): a client of one's own instead.
        api_key_env (`str`, *optional*, defaults to `"OPENAI_API_KEY"`): environment variable with the key. The key is
            sent to the endpoint and goes nowhere else.
        layout ([`PictureLayout`], *optional*): how motions are drawn; a sheet of 12 frames by default.
        detail (`str`, *optional*, defaults to `"high"`): how closely the model looks: `"low"`, `"high"`, `"auto"`.
        temperature (`float`, *optional*, defaults to 0.0): unitless; None leaves it to the server.
        votes (`int`, *optional*, defaults to 1): how often each item is asked for; the score is their mean. Of no use
            at temperature 0, and refused there.
        max_tokens (`int`, *optional*, defaults to 1000): the longest reply.
        concurrency (`int`, *optional*, defaults to 16): the most requests at once; fewer while the server says 429.
        requests_per_minute (`float`, *optional*): the most requests a minute.
        tokens_per_minute (`float`, *optional*): the most tokens a minute.
        deadline (`float`, *optional*, defaults to 120.0): seconds for a request with all its tries.
        budget (`float` or [`Budget`], *optional*): the most dollars that may be spent, those of the store included;
            one object shared by several judges holds for all of them.
        prices (`str`, `Path` or mapping, *optional*): JSON table, model → dollars for a million `input` and `output`
            tokens, for models that the package's table lacks or knows no longer.
        store (`str`, `Path` or [`Store`], *optional*): SQLite file on a local disk that keeps every reply, so that no
            call is paid twice. One process at a time may ask for it.
        rules (`str` or `Path`, *optional*): folder with rules of one's own, such as `temporal.md`.
        structured (`bool`, *optional*, defaults to `True`): hold replies to a JSON schema where the server has that.
        progress (`bool`, *optional*): show a progress bar; without it on a terminal only.
        dry_run (`bool`, *optional*, defaults to `False`): ask nothing; what the store does not have is unscored.

    Raises:
        TypeError: if the model's name is no text, or the client no client.
        ValueError: if a task is unknown, a number is out of range, the model has no price but there is a budget,
            address or key cannot be meant, the environment has no key for OpenAI, or the store cannot be used.
        ImportError: if `openai` or `pillow` is missing; `pip install "atom_hf[vlm]"` brings them.
    """

    def __init__(
        self,
        model: str = "gpt-4o",
        task: str | None = None,
        *,
        base_url: str | None = None,
        client: "AsyncOpenAI | OpenAI | None" = None,
        api_key_env: str = "OPENAI_API_KEY",
        layout: PictureLayout | None = None,
        detail: str = "high",
        temperature: float | None = 0.0,
        votes: int = 1,
        max_tokens: int = 1000,
        concurrency: int = 16,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        deadline: float = 120.0,
        budget: float | Budget | None = None,
        prices: str | Path | Prices | None = None,
        store: str | Path | Store | None = None,
        rules: str | Path | None = None,
        structured: bool = True,
        progress: bool | None = None,
        dry_run: bool = False,
    ) -> None:
        if task is not None and task not in TASKS:
            raise ValueError(f"The task of a judge is one of {', '.join(TASKS)}, got {task!r}.")
        if detail not in ("low", "high", "auto"):
            raise ValueError(f"Expected detail low, high or auto, got {detail!r}.")
        check_settings(
            model,
            temperature=temperature,
            votes=votes,
            max_tokens=max_tokens,
            concurrency=concurrency,
            deadline=deadline,
        )
        price = find_price(model, prices)
        if budget is not None and price is None:
            raise ValueError(
                f"There is no price for {model!r}, so a budget cannot be kept. Give one: "
                f'prices={{"{model}": {{"input": 2.5, "output": 10.0}}}}, dollars for a million tokens (0 for a '
                "server of one's own), or leave the budget out."
            )
        self.model, self.task, self.votes = model, task, votes
        self.layout, self.progress, self.dry_run = layout or PictureLayout(), progress, dry_run
        self.rules: Mapping[str, Rules] = {name: read_rules(name, rules) for name in ([task] if task else TASKS)}
        self.budget = budget if isinstance(budget, Budget) or budget is None else Budget(budget)
        connection = connect(client, base_url, os.environ.get(api_key_env, ""), api_key_env, dry_run)
        pace = Pace(concurrency, requests_per_minute, tokens_per_minute)
        self.store = store if isinstance(store, Store) else (NoStore() if store is None else Store(store))
        self._carry_over()
        settings = Settings(model, self.layout.name, detail, temperature, max_tokens, structured)
        endpoint = Endpoint(connection.client, settings, connection.secrets)
        self._caller = Caller(endpoint, pace, self.store, self.budget, price, deadline)
        # Why the last run ended before everything was asked: budget, key, account, store, server. None if it did not.
        self.stopped: str | None = None
        self._orders: Counter[tuple[str, str]] = Counter()
        self._causes: Counter[str] = Counter()

    @property
    def name(self) -> str:
        """Model and version of the rules, such as `"gpt-4o, temporal-1"`."""
        return self._name(self.task) if self.task else f"{self.model}, rules by task"

    def _name(self, task: str) -> str:
        return f"{self.model}, {self.rules[task].version}"

    def __repr__(self) -> str:
        return f"VLMJudge({self.name!r}, {self.layout.name!r})"

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only process that asks for this judge's store, for `with`; what others spent of it until then counts.

        Every run does so by itself; around several runs it keeps others out in between, too.

        Raises:
            ValueError: if another process is asking for it.
        """
        with self.store.writing():
            self._carry_over()
            yield

    def _carry_over(self) -> None:
        if self.budget is not None:
            totals = self.store.totals
            self.budget.carry_over(str(self.store.path), totals.dollars + totals.uncertain, self.store.elsewhere)

    def score(self, items: Sequence[JudgeItem]) -> list[Verdict]:
        """Judge motions one by one.

        Args:
            items (`Sequence[JudgeItem]`): motions with their prompts; any sequence, read as it goes along.

        Returns:
            `list[Verdict]`: one for each item, in order, with score, or with cause; `raw` has the judge's confidence,
                and for several votes their number and spread.

        Raises:
            TypeError: if it is no sequence of items.
            ValueError: if another process is asking for the same store.
        """
        job = Run()
        return run(self._score(items, job), lambda: job.stop("interrupted"))

    async def score_async(self, items: Sequence[JudgeItem]) -> list[Verdict]:
        """`score` for asynchronous code: other tasks go on meanwhile.

        Args:
            items (`Sequence[JudgeItem]`): motions with their prompts.

        Returns:
            `list[Verdict]`: one for each item, in order.
        """
        return await run_async(self._score(items, Run()))

    def compare(self, pairs: Sequence[Pair]) -> list[Preference]:
        """Judge which of two motions fits their prompt better, each pair in both orders.

        Args:
            pairs (`Sequence[tuple[JudgeItem, JudgeItem]]`): two motions for the same prompt.

        Returns:
            `list[Preference]`: one for each pair, in order; `stats["position_bias"]` tells how much order matters.

        Raises:
            TypeError: if it is no sequence of pairs.
            ValueError: if another process is asking for the same store.
        """
        job = Run()
        return run(self._compare(pairs, job), lambda: job.stop("interrupted"))

    async def compare_async(self, pairs: Sequence[Pair]) -> list[Preference]:
        """`compare` for asynchronous code: other tasks go on meanwhile.

        Args:
            pairs (`Sequence[tuple[JudgeItem, JudgeItem]]`): two motions for the same prompt.

        Returns:
            `list[Preference]`: one for each pair, in order.
        """
        return await run_async(self._compare(pairs, Run()))

    def estimate(self, items: Sequence[JudgeItem] | Sequence[Pair]) -> Cost:
        """What judging will cost, before anything is asked; what the store has already costs nothing.

        Args:
            items (`Sequence[JudgeItem]` or `Sequence[tuple[JudgeItem, JudgeItem]]`): motions, or pairs of them. A few
                of them are drawn.

        Returns:
            [`Cost`]: requests, tokens, and dollars where the model has a price, without repairs.
        """
        check_items(items, pairs=None)
        return estimate(self._items(items), self.store, self._caller.price, prices_as_of())

    def preview(self, item: JudgeItem | Pair) -> dict[str, Any]:
        """The request that would be sent for an item; nothing is sent.

        Args:
            item ([`JudgeItem`] or `tuple[JudgeItem, JudgeItem]`): a motion, or a pair of them.

        Returns:
            `dict[str, Any]`: body of the chat completion, pictures included.
        """
        return self._caller.endpoint.body(self._items([item]).questions(0)[0])

    @property
    def spent(self) -> Cost:
        """What was paid until now, earlier runs with the same store included; calls that may have been paid, too."""
        return self.store.totals.cost(self._caller.price is not None)

    @property
    def stats(self) -> dict[str, Any]:
        """Numbers of this judge: outcomes of calls (with earlier runs of the store), errors, causes, position bias."""
        pace = self._caller.pace
        return {
            "outcomes": dict(self.store.totals.outcomes),
            "calls": dict(self._caller.counts),
            "unscored": dict(self._causes),
            "position_bias": asdict(bias_of_counts(self._orders)),
            "concurrency": int(pace.limit),
            "episodes_of_429": pace.episodes,
        }

    def _items(self, items: Sequence[Any], pairs: bool | None = None) -> Items:
        return Items(items, self._caller.settings, self.rules, self.task, self.layout, self.votes, pairs)

    async def _score(self, items: Sequence[JudgeItem], job: Run) -> list[Verdict]:
        return await self._judge(items, "motion", job, verdict_of)

    async def _compare(self, pairs: Sequence[Pair], job: Run) -> list[Preference]:
        preferences = await self._judge(pairs, "pair", job, preference_of)
        for preference in preferences:
            self._orders.update(preference.in_both_orders())
        return preferences

    async def _judge(
        self, items: Sequence[Any], unit: str, job: Run, read: Callable[[Sequence[Answer], str], Judged]
    ) -> list[Judged]:
        """Items in order of time, a bounded number at once; whatever happens to one, the others go on."""
        check_items(items, pairs=unit == "pair")
        if self.dry_run:
            job.stop("dry run: nothing is asked")

        bar = Progress(len(items), unit, self.progress, self._caller.price is not None)
        source = self._items(items, pairs=unit == "pair")

        async def one(i: int) -> Judged:
            try:
                questions = await source.prepare(i)
            except Exception as error:
                answers, name = [Answer("no picture", "", f"no picture: {error}", asked=False)], self.name
            else:
                answers = await self._caller.ask_all(questions, job)
                name = self._name(questions[0].facts["task"])
            judged = read(answers, name)
            if judged.cause is not None:
                self._causes[judged.cause.partition(":")[0]] += 1
            bar.step(job.spent, any(answer.asked for answer in answers))
            return judged

        with nullcontext() if self.dry_run else self.writing(), bar, source:
            # Twice as many as calls: those that wait after an error, and those whose pictures are drawn ahead.
            judged = await each(len(items), 2 * self._caller.pace.bound, one)
        self.stopped = job.stopped
        return judged
