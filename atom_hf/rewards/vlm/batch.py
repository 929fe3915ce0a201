"""Judging by the Batch API: half the price, within a day.

batch = BatchJudge(VLMJudge("gpt-4o", store="verdicts.sqlite", budget=50.0))
batch.submit(items)         # and stop here, if you like
batch.score(items)          # in another process, the next day: collects, and submits only what is still missing
"""

import io
import json
import logging
import secrets
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..judge import JudgeItem, Verdict
from .answers import verdict_of
from .budget import BATCH
from .calls import Answer
from .completions import read_completion, write_request
from .items import check_items
from .judge import VLMJudge
from .one_writer import process_name
from .questions import Question
from .replies import read_pair, read_point
from .running import run
from .store import Store
from .troubles import of_status

logger = logging.getLogger(__name__)

MOST_REQUESTS = 50_000  # of one batch, as OpenAI allows
MOST_BYTES = 100_000_000  # of one file; 200 MB are allowed
_OVER = ("completed", "failed", "expired", "cancelled")
_TO_COME = ("not asked", "under way")
_MARK = "atom_hf"  # our name of a batch among its metadata
_LISTED = 500  # batches of the account that are looked through for one that was submitted as we were killed


class BatchStatus(NamedTuple):
    """How far the batches of a store are.

    Args:
        under_way (`int`): batches that the server works on.
        waiting (`int`): requests in them.
        collected (`int`): replies that came with this look.
    """

    under_way: int
    waiting: int
    collected: int


class BatchJudge:
    """A vision judge that asks by files, collected when they are done. Every step is in the store.

    Requests that a batch did not finish before it expired are submitted anew; what it did finish is kept. A reply that
    cannot be read is unscored, without a repair.

    Args:
        judge ([`VLMJudge`]): with a store.
        poll_every (`float`, *optional*, defaults to 60.0): seconds between two looks at batches.

    Raises:
        ValueError: if the judge has no store.
    """

    def __init__(self, judge: VLMJudge, poll_every: float = 60.0) -> None:
        if not isinstance(judge.store, Store):
            raise ValueError("Batches need a judge with a store, which remembers what was submitted: store=path.")
        self.judge, self.poll_every = judge, poll_every
        self.store: Store = judge.store
        self.name = judge.name
        # Why not every question that was read had its turn: no batch has it, or its batch is not over. Or None.
        self.stopped: str | None = None
        self._price, self._endpoint = judge._caller.price, judge._caller.endpoint
        self._held: dict[str, float] = {}
        self._forms: set[str] = set()
        self._shortage = ""

    def submit(self, items: Sequence[JudgeItem]) -> int:
        """Submit what is neither answered nor under way.

        Args:
            items (`Sequence[JudgeItem]`): motions with their prompts.

        Returns:
            `int`: how many requests were submitted; fewer than are missing where the budget does not allow more.
        """
        check_items(items, pairs=False)
        with self.judge.writing():
            return run(self._submit(items, time.time()))

    def collect(self) -> BatchStatus:
        """Look at all batches under way, and keep the replies of those that are over.

        Returns:
            [`BatchStatus`]: how far they are.
        """
        with self.judge.writing():
            return run(self._collect())

    def score(self, items: Sequence[JudgeItem]) -> list[Verdict]:
        """Judge motions: submit what is missing, wait for it, collect.

        Args:
            items (`Sequence[JudgeItem]`): motions with their prompts.

        Returns:
            `list[Verdict]`: one for each item; unscored where the batch gave no answer.
        """
        check_items(items, pairs=False)
        begin = time.time()
        with self.judge.writing():
            status = self.collect()
            while True:
                submitted = run(self._submit(items, begin))
                collected = 0
                while (status := self.collect()).under_way:
                    collected += status.collected
                    time.sleep(self.poll_every)
                if not submitted or not collected + status.collected:  # nothing came of all that: no point in more
                    return self.read(items)

    def read(self, items: Sequence[JudgeItem]) -> list[Verdict]:
        """Verdicts from what was collected; nothing is asked.

        Args:
            items (`Sequence[JudgeItem]`): motions with their prompts.

        Returns:
            `list[Verdict]`: one for each item.
        """
        verdicts: list[Verdict] = []
        self.stopped = None
        source = self.judge._items(items, pairs=False)
        for i in range(len(items)):
            try:
                questions = source.questions(i)
            except Exception as error:
                verdicts.append(Verdict.unscored(f"no picture: {error}", self.name))
                continue
            name = self.judge._name(questions[0].facts["task"])
            answers = [self._kept(question.key) for question in questions]
            self.stopped = next((answer.cause for answer in answers if answer.outcome in _TO_COME), self.stopped)
            verdicts.append(verdict_of(answers, name))
        return verdicts

    def _kept(self, key: str) -> Answer:
        kept = self.store.find(key)
        if kept is not None:
            return Answer(kept.outcome, kept.reply, kept.cause, asked=False)
        rows = self.store.rows(
            "SELECT outcome, cause, reply FROM calls WHERE key = ? AND batch IS NOT NULL "
            "ORDER BY started DESC LIMIT 1",
            (key,),
        )
        if not rows:
            return Answer("not asked", "", "not asked: no batch has it", asked=False)
        outcome, cause, reply = rows[0]
        if outcome == "open":
            return Answer("under way", "", "under way: its batch is not over", asked=False)
        return Answer(outcome, reply or "", cause or outcome, asked=False)

    # Submitting -----------------------------------------------------------------------------------------------------

    async def _submit(self, items: Sequence[JudgeItem], begin: float) -> int:
        """One batch after the other, each as large as a file may be."""
        submitted, chunk, size = 0, _Chunk(), 0
        seen: set[str] = set()
        with self.judge._items(items, pairs=False) as source:
            for i in range(len(items)):
                try:
                    questions = await source.prepare(i)
                except Exception:  # it will be unscored, with the cause
                    continue
                for question in questions:
                    if question.key in seen or not self._is_missing(question.key, begin):
                        continue
                    seen.add(question.key)
                    body = write_request(self._endpoint.body(question))
                    if chunk.calls and (len(chunk.calls) == MOST_REQUESTS or size + len(body) > MOST_BYTES):
                        submitted += await self._send(chunk)
                        chunk, size = _Chunk(), 0
                    if not self._add(chunk, question, body):
                        submitted += await self._send(chunk)
                        logger.warning("%s: %s. %d are submitted.", self.name, self._shortage, submitted)
                        return submitted
                    size += len(body)
        return submitted + await self._send(chunk)

    def _is_missing(self, key: str, begin: float) -> bool:
        """Whether a question is neither answered nor under way, nor was answered in vain since `begin`."""
        if self.store.find(key) is not None:
            return False
        return not self.store.rows(
            "SELECT 1 FROM calls WHERE key = ? AND batch IS NOT NULL AND (outcome = 'open' OR "
            "(outcome != 'again' AND ended >= ?)) LIMIT 1",
            (key, begin),
        )

    def _add(self, chunk: "_Chunk", question: Question, body: bytes) -> bool:
        """Put a request into a batch, with the money for it."""
        messages = question.messages(self._endpoint.structured)
        price, settings = self._price, self._endpoint.settings
        most = BATCH * price.of(question.most_tokens(messages), settings.max_tokens) if price else 0.0
        held = self.judge.budget.reserve(most) if self.judge.budget is not None else 0.0
        if held is None and self.judge.budget is not None:
            self._shortage = self.judge.budget.shortage(most)
            return False
        call = self.store.begin(question.key, question.facts, 0, most, batch=chunk.name)
        self._held[call] = held or 0.0
        chunk.calls.append(call)
        frame = json.dumps({"custom_id": call, "method": "POST", "url": "/v1/chat/completions"})[:-1]
        chunk.file.write(frame.encode() + b', "body": ' + body + b"}\n")
        return True

    async def _send(self, chunk: "_Chunk") -> int:
        if not chunk.calls:
            return 0
        self.store.rows(
            "INSERT INTO batches VALUES (?, NULL, 'preparing', ?, ?, '')", (chunk.name, time.time(), len(chunk.calls))
        )
        client = self._endpoint.client
        try:
            file = await client.files.create(file=("requests.jsonl", chunk.file.getvalue()), purpose="batch")
            batch = await client.batches.create(
                input_file_id=file.id,
                endpoint="/v1/chat/completions",
                completion_window="24h",
                metadata={_MARK: chunk.name},
            )
        except Exception as error:  # whether there is a batch now the next look will tell
            cause = self._endpoint.redact(str(error))
            raise RuntimeError(f"{self.name}: a batch could not be submitted ({cause}).") from None
        self.store.rows(
            "UPDATE batches SET server_id = ?, status = ? WHERE id = ?", (batch.id, batch.status, chunk.name)
        )
        return len(chunk.calls)

    # Collecting -----------------------------------------------------------------------------------------------------

    async def _collect(self) -> BatchStatus:
        import openai

        try:
            return await self._look()
        except openai.OpenAIError as error:
            cause = self._endpoint.redact(str(error))
            raise RuntimeError(
                f"{self.name}: batches could not be looked at ({cause}). What was collected is kept; collect again."
            ) from None

    async def _look(self) -> BatchStatus:
        client, collected = self._endpoint.client, 0
        marks = ", ".join("?" * len(_OVER))
        names = f"SELECT id, server_id FROM batches WHERE status NOT IN ({marks}) ORDER BY created"
        for name, server_id in self.store.rows(names, _OVER):
            server_id = server_id or await self._find_submitted(name)
            if server_id is None:
                self._close(name, "failed", "it was never submitted")
                continue
            batch = await client.batches.retrieve(server_id)
            if batch.status in _OVER:
                for file in filter(None, (batch.output_file_id, batch.error_file_id)):
                    content = await client.files.content(file)
                    lines = [line for line in content.text.splitlines() if line.strip()]
                    collected += sum(self._keep(json.loads(line)) for line in lines)
                self._close(name, batch.status, f"its batch is {batch.status}")
            else:
                self.store.rows("UPDATE batches SET status = ? WHERE id = ?", (batch.status, name))
        waiting = self.store.rows(
            f"SELECT count(*), coalesce(sum(requests), 0) FROM batches WHERE status NOT IN ({marks})", _OVER
        )[0]
        return BatchStatus(int(waiting[0]), int(waiting[1]), collected)

    async def _find_submitted(self, name: str) -> str | None:
        """The server's id of a batch that was submitted right before we were killed; None if it was not."""
        looked = 0
        async for batch in self._endpoint.client.batches.list(limit=100):
            if (batch.metadata or {}).get(_MARK) == name:
                self.store.rows("UPDATE batches SET server_id = ? WHERE id = ?", (batch.id, name))
                return batch.id
            looked += 1
            if looked >= _LISTED:
                break
        return None

    def _keep(self, line: dict[str, Any]) -> int:
        """Write down one line of a result; 1 if it is a reply that counts."""
        call = str(line.get("custom_id"))
        rows = self.store.rows(
            "SELECT kind, dollars FROM calls JOIN questions USING (key) WHERE id = ? AND outcome = 'open'", (call,)
        )
        if not rows:  # collected before, or not ours
            return 0
        kind, most = rows[0]
        answer = line.get("response") or {}
        status, body = answer.get("status_code"), answer.get("body")
        if status != 200:
            error = line.get("error") or (body or {}).get("error") or {}
            trouble = of_status(status or 0, error)
            if trouble.form and self._endpoint.other_form(trouble.form, self._endpoint.options):
                self._forms.add(trouble.form)
            again = trouble.kind == "again" or trouble.form in self._forms or error.get("code") == "batch_expired"
            outcome = "again" if again else {"filtered": "filtered"}.get(trouble.kind, "failed")
            cause = str(error.get("code") or trouble.cause) if status is None else trouble.cause
            self._book(call, outcome, most, 0.0, cause=self._endpoint.redact(cause))
            return 1 if trouble.form in self._forms else 0
        try:
            completion = read_completion(body)
        except ValueError as error:
            self._book(call, "lost", most, most, cause=str(error))
            return 0
        reply = self._endpoint.redact(completion.text or completion.refusal)
        outcome, cause = self._endpoint.outcome_of(completion, reply, read_point if kind == "point" else read_pair)
        price, tokens = self._price, completion.usage
        paid = (BATCH * price.of(*tokens) if tokens else most) if price else 0.0
        tokens = tokens or (0, 0)
        used = {"input_tokens": tokens[0], "output_tokens": tokens[1]}
        self._book(call, outcome, most, paid, cause=cause, reply=reply, **used)
        return 1

    def _close(self, name: str, status: str, cause: str) -> None:
        """What a batch that is over has not answered is to be asked again."""
        open_calls = "SELECT id, dollars FROM calls WHERE batch = ? AND outcome = 'open'"
        for call, most in self.store.rows(open_calls, (name,)):
            self._book(call, "again", most, 0.0, cause=cause)
        self.store.rows("UPDATE batches SET status = ?, detail = ? WHERE id = ?", (status, cause, name))

    def _book(self, call: str, outcome: str, most: float, paid: float, **more: Any) -> None:
        if self.judge.budget is not None:
            held = self._held.pop(call, None)
            if held is not None:
                self.judge.budget.settle(held, paid)
            elif call.startswith(process_name()):  # by another judge of this process
                self.judge.budget.settle(0.0, paid - most)
            else:  # submitted by an earlier run, whose open calls the budget counts as spent
                self.judge.budget.correct(str(self.store.path), paid - most)
        self.store.end(call, outcome, dollars=paid, **more)


class _Chunk:
    """The file of a batch while it is written."""

    def __init__(self) -> None:
        self.name = secrets.token_hex(8)
        self.calls: list[str] = []
        self.file = io.BytesIO()
