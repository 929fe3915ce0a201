"""What models are asked: prompts of the grammar, or of a file, with tasks, scenarios and splits.

write_prompts(PromptConfig(prompts=200))[0]
→ {"prompt": "A man squats twice.", "task": "frequency", "scenario": {…}, "split": "train"}
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from atom_hf import GrammarPromptWriter, Scenario, ScenarioParseError
from atom_hf.data.annotations import read_lines
from atom_hf.data.splits import split_of_prompt

Record = dict[str, Any]


@dataclass
class PromptConfig:
    """Where the prompts come from."""

    prompts: int = field(default=200, metadata={"help": "prompts of the grammar"})
    prompts_file: str | None = field(
        default=None, metadata={"help": "prompts of your own, one a line, or JSON Lines with prompt, task, scenario"}
    )
    test_share: float = field(default=0.1, metadata={"help": "share of prompts that are held out"})
    prompt_seed: int = field(default=0, metadata={"help": "chooses prompts of the grammar"})


def write_prompts(config: PromptConfig) -> list[Record]:
    """Prompts with their tasks and splits; those of the grammar hold out combinations, others are split by hash."""
    if config.prompts_file is not None:
        return list(read_prompts(Path(config.prompts_file), config.test_share))
    held_out = round(config.prompts * config.test_share)
    written = [
        (split, prompt)
        for split, count in (("train", config.prompts - held_out), ("test", held_out))
        for prompt in (GrammarPromptWriter(seed=config.prompt_seed, split=split).write(count) if count else ())
    ]
    return [
        {"prompt": p.text, "task": p.scenario.task, "scenario": json.loads(p.scenario.to_json()), "split": split}
        for split, p in written
    ]


def read_prompts(path: Path, test_share: float) -> Iterator[Record]:
    """Prompts from a file. Without a scenario the words are parsed; what cannot be parsed, only a person can judge."""
    lines = (
        (record for _, record in read_lines(path))
        if path.suffix == ".jsonl"
        else ({"prompt": line} for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    )
    for record in lines:
        scenario = record.get("scenario")
        if scenario is None:
            try:
                scenario = json.loads(Scenario.parse(record["prompt"], record.get("task")).to_json())
            except ScenarioParseError:
                scenario = None
        task = record.get("task") or (scenario or {}).get("task", "overall")
        split = record.get("split") or split_of_prompt(record["prompt"], test_share)
        yield {"prompt": record["prompt"], "task": task, "scenario": scenario, "split": split}
