"""Prompts that were written, kept in a JSON Lines file that a crash cannot spoil, without near-duplicates.

{"request": 3, "task": "temporal", "prompts": [{"text": "...", "scenario": {...}}], "usage": [812, 640], ...}
"""

import json
import os
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .grammar_prompts import Prompt
from .scenario import Scenario

FORMAT = "atom_hf prompts 1"
SIMILAR = 0.8  # share of words that two texts of the same events may have in common


class Duplicates:
    """Remembers texts and tells whether one is new.

    Two texts are the same if their words are the same in the same order; they are nearly the same if they ask for the
    same events and share at least 80 % of their words (Jaccard). Texts of other events may be as alike as they
    like: "walks, then jumps" and "jumps, then walks" have the same words.
    """

    def __init__(self) -> None:
        self._texts: set[str] = set()
        self._words: dict[Scenario, list[frozenset[str]]] = defaultdict(list)

    def is_new(self, prompt: Prompt) -> bool:
        """Whether nothing like it came before; if so it is remembered.

        Args:
            prompt ([`Prompt`]): text and scenario.

        Returns:
            `bool`: whether it is new.
        """
        words = re.findall(r"[^\W_]+", prompt.text.lower())
        text, bag = " ".join(words), frozenset(words)
        if text in self._texts:
            return False
        alike = self._words[prompt.scenario]
        if any(len(bag & other) >= SIMILAR * len(bag | other) for other in alike):
            return False
        self._texts.add(text)
        alike.append(bag)
        return True


class PromptStore:
    """Finished requests, in memory and in a file if there is one.

    Args:
        path (`str` or `Path`, *optional*): JSON Lines file; opened again it goes on where it was left. One process
            writes at a time.
        settings (`Mapping[str, Any]`): what the prompts depend on; a file made with other settings is refused.

    Raises:
        ValueError: if the file has another format or settings, or a broken line that is not its last.
    """

    def __init__(self, path: str | Path | None, settings: Mapping[str, Any]) -> None:
        self.path = Path(path) if path is not None else None
        self.prompts: list[Prompt] = []
        self.usage = [0, 0]  # input and output tokens, of failed requests too
        self.answered = 0  # requests, failed ones too
        self.finished: set[int] = set()
        self._duplicates = Duplicates()
        header = {"format": FORMAT, "settings": dict(settings)}
        lines = self._read() if self.path is not None and self.path.exists() else []
        if not lines:
            self._append(header)
        elif lines[0] != header:
            raise ValueError(
                f"{self.path} was written with other settings: expected {json.dumps(header)}, got "
                f"{json.dumps(lines[0])[:300]}. Use the same settings or another file."
            )
        for line in lines[1:]:
            self._take(line)

    def add(self, request: int, task: str, prompts: list[Prompt], usage: tuple[int, int], **more: Any) -> int:
        """Keep what a request gave, first in the file, then in memory.

        Args:
            request (`int`): number of the request.
            task (`str`): task it asked for.
            prompts (`list[Prompt]`): good prompts; near-duplicates are left out here.
            usage (`tuple[int, int]`): input and output tokens.
            **more (`Any`): further JSON for the record, such as `rejected` or `failed`; a request with `failed` is
                not finished.

        Returns:
            `int`: how many prompts were new.
        """
        new = [prompt for prompt in prompts if self._duplicates.is_new(prompt)]
        entries = [{"text": prompt.text, "scenario": json.loads(prompt.scenario.to_json())} for prompt in new]
        record = {"request": request, "task": task, "prompts": entries, "usage": list(usage), **more}
        record["duplicates"] = len(prompts) - len(new)
        self._append(record)
        self._count(record)
        self.prompts += new
        return len(new)

    def _take(self, record: dict[str, Any]) -> None:
        for entry in record["prompts"]:
            prompt = Prompt(entry["text"], Scenario.from_json(json.dumps(entry["scenario"])))
            self._duplicates.is_new(prompt)
            self.prompts.append(prompt)
        self._count(record)

    def _count(self, record: Mapping[str, Any]) -> None:
        self.usage = [total + new for total, new in zip(self.usage, record["usage"], strict=True)]
        self.answered += 1
        if not record.get("failed"):
            self.finished.add(record["request"])

    def _read(self) -> list[dict[str, Any]]:
        """Records of the file; a last line that a crash cut off is removed from it."""
        assert self.path is not None
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            with self.path.open("r+b") as file:
                file.truncate(len(whole))
        records = []
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                record = json.loads(line)
                if number > 1 and not {"request", "prompts", "usage"} <= record.keys():
                    raise ValueError("no record of a request")
            except (ValueError, AttributeError) as error:
                raise ValueError(
                    f"{self.path}, line {number}: expected {FORMAT!r}, got {line[:60]!r} ({error})."
                ) from None
            records.append(record)
        return records

    def _append(self, record: Mapping[str, Any]) -> None:
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = (json.dumps(record, ensure_ascii=False) + "\n").encode()
        with self.path.open("ab", buffering=0) as file:
            if file.write(line) != len(line):
                raise OSError(f"Could not write the whole line to {self.path}; is the disk full?")
            os.fsync(file.fileno())
