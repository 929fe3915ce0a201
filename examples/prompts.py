"""What models are asked: prompts of the grammar, or of a file, with tasks, scenarios and splits.

write_prompts(PromptConfig(prompts=200))[0]
→ {"prompt": "A man squats twice.", "task": "frequency", "scenario": {…}, "split": "train"}
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from atom_hf import GrammarPromptWriter, Scenario, ScenarioParseError
from atom_hf.data.faults import AnnotationError
from atom_hf.data.json_lines import read_lines
from atom_hf.data.schema import TASKS
from atom_hf.data.splits import SPLITS, split_of_prompt

Record = dict[str, Any]


@dataclass
class PromptConfig:
    """Where the prompts come from."""

    prompts: int = field(default=200, metadata={"help": "prompts of the grammar"})
    prompts_file: str | None = field(
        default=None,
        metadata={"help": "prompts of your own: .txt, one a line; or .jsonl with prompt, task, scenario, split"},
    )
    test_share: float = field(default=0.1, metadata={"help": "share of prompts that are held out"})
    overall_share: float = field(
        default=0.0, metadata={"help": "share of the grammar's prompts that are judged by all three tasks together"}
    )
    prompt_seed: int = field(default=0, metadata={"help": "chooses prompts of the grammar"})

    def __post_init__(self) -> None:
        for name in ("test_share", "overall_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"--{name} is a share of the prompts, from 0 to 1, got {getattr(self, name)}.")


def settings_of(config: PromptConfig) -> Record:
    """All that the prompts depend on: of a file its contents count, not where it lies."""
    settings = asdict(config)
    if config.prompts_file is not None:
        path = checked(config.prompts_file)
        settings["prompts_file"] = f"{path.name}, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
    return settings


def write_prompts(config: PromptConfig) -> list[Record]:
    """Prompts with their tasks and splits; those of the grammar hold out combinations, others are split by hash."""
    if config.prompts_file is not None:
        return list(read_prompts(checked(config.prompts_file), config.test_share))
    held_out = round(config.prompts * config.test_share)
    written = [
        (split, prompt)
        for split, count in (("train", config.prompts - held_out), ("test", held_out))
        for prompt in (GrammarPromptWriter(seed=config.prompt_seed, split=split).write(count) if count else ())
    ]
    chance = Random(config.prompt_seed)
    return [
        {
            "prompt": p.text,
            "task": "overall" if chance.random() < config.overall_share else p.scenario.task,
            "scenario": json.loads(p.scenario.to_json()),
            "split": split,
        }
        for split, p in written
    ]


def checked(name: str) -> Path:
    """The path of a file of prompts, if it is one."""
    path = Path(name)
    if not path.is_file():
        got = "a folder" if path.is_dir() else "no such file"
        raise ValueError(f"--prompts_file {name}: expected a .txt or .jsonl file of prompts, but there is {got}.")
    if path.suffix.lower() not in (".txt", ".jsonl"):
        raise ValueError(
            f"--prompts_file {name}: expected .txt (a prompt a line) or .jsonl (an object with prompt a line), got "
            f"{path.suffix or 'a name without either'}; rename it, or bring it into one of these forms."
        )
    return path


def read_prompts(path: Path, test_share: float) -> Iterator[Record]:
    """Prompts from a file. Without a scenario the words are parsed; what cannot be parsed, only a person can judge."""
    for row, record in read_lines(path) if path.suffix.lower() == ".jsonl" else lines_of(path):
        try:
            yield prompt_of(record, test_share)
        except ValueError as error:
            raise AnnotationError(path, str(error), row) from error


def lines_of(path: Path) -> Iterator[tuple[int, Record]]:
    """Lines that are not blank, with their numbers."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # without the mark that some editors prepend
    except UnicodeDecodeError as error:
        raise AnnotationError(path, f"expected text in UTF-8, but {error}; save it as UTF-8.") from error
    for row, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield row, {"prompt": line}


def prompt_of(record: Record, test_share: float) -> Record:
    """One prompt with its task, scenario and split; its own name is kept."""
    text, scenario = record.get("prompt"), record.get("scenario")
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"expected 'prompt', what the person does, got {text!r} beside {', '.join(record)}.")
    for key, known in (("task", TASKS), ("split", SPLITS)):
        if record.get(key) not in (None, *known):
            raise ValueError(f"expected a {key}, one of {', '.join(known)}, got {record[key]!r}.")
    if isinstance(scenario, str):
        scenario = json.loads(Scenario.from_json(scenario).to_json())
    elif scenario is not None:
        Scenario.from_json(json.dumps(scenario))
    else:
        try:
            scenario = json.loads(Scenario.parse(text, record.get("task")).to_json())
        except ScenarioParseError:
            scenario = None
    task = record.get("task") or (scenario or {}).get("task") or "overall"
    split = record.get("split") or split_of_prompt(text, test_share)
    name = {} if record.get("prompt_id") is None else {"prompt_id": record["prompt_id"]}
    return name | {"prompt": text, "task": task, "scenario": scenario, "split": split}
