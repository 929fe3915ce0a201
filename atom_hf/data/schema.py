"""The columns of MotionPrefer, spelled once: two motions for a prompt, and which of them is the better one.

{"id": "p00007/4-1", "prompt_id": "p00007", "task": "frequency", "scenario": '{"task": "frequency", "events": […]}',
 "prompt": [{"role": "user", "content": "a man jumps twice"}],
 "chosen": [{"role": "assistant", "content": "<motion_id_512><motion_id_5>…"}], "rejected": […],
 "chosen_codes": [5, …], "rejected_codes": […], "chosen_score": 5.0, "rejected_score": 3.0,
 "degree": "much better", "margin": 3.0, "judge": "kinematic-1", "rules_version": "kinematic-1",
 "chosen_model": "motiongpt_tiny", "rejected_model": …, "chosen_seed": 0, "rejected_seed": 0, "votes": []}
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import index
from typing import Any, NamedTuple

from ..motion import codes_to_text
from ..motion.codes import NUM_CODES, motion_token
from .degrees import DEGREES, MARGINS, SKIPPED, TOLERANCE, degree_of_gap
from .values import is_scenario, shown, value_fault

TASKS = ("integrity", "temporal", "frequency", "overall")
HUMAN = "human"  # the judge of pairs that people voted on
CONFIGS = ("integrity", "temporal", "frequency", HUMAN, "all")
CHOICES = ("chosen", "rejected", SKIPPED)


class Column(NamedTuple):
    """One column of the dataset.

    Args:
        kind (`str`): `"string"`, `"float"`, `"integer"`, `"codes"`, `"messages"` or `"votes"`.
        meaning (`str`): what it holds, for the card.
        optional (`bool`): whether it may be null.
    """

    kind: str
    meaning: str
    optional: bool = False


COLUMNS: dict[str, Column] = {
    "id": Column("string", "name of the pair, unique in the dataset"),
    "prompt_id": Column("string", "name of the prompt; all its pairs are in one split"),
    "task": Column("string", f"what was judged: {', '.join(TASKS)}"),
    "scenario": Column("string", "the events of the prompt in JSON, where they are known", optional=True),
    "prompt": Column("messages", "what the person does, as a conversation; the model's chat template asks for it"),
    "chosen": Column("messages", "the better motion, as motion text"),
    "rejected": Column("messages", "the other motion, as motion text"),
    "chosen_codes": Column("codes", "codes of the better motion, 4 frames each at 20 fps"),
    "rejected_codes": Column("codes", "codes of the other motion"),
    "chosen_score": Column("float", "the judge's score, from 1 to 5; null where people only compared", optional=True),
    "rejected_score": Column("float", "as chosen_score, of the other motion", optional=True),
    "degree": Column("string", f"degree of preference: {', '.join(DEGREES)}"),
    "margin": Column("float", f"margin for reward models by degree: {', '.join(f'{m:g}' for m in MARGINS.values())}"),
    "judge": Column("string", f"who judged: name and version of the judge, or {HUMAN}"),
    "rules_version": Column("string", "version of the rules or instructions that the judge followed"),
    "chosen_model": Column("string", "which model made the better motion"),
    "rejected_model": Column("string", "which model made the other motion"),
    "chosen_seed": Column("integer", "seed of the better motion, where it is known", optional=True),
    "rejected_seed": Column("integer", "seed of the other motion", optional=True),
    "votes": Column("votes", "votes of people, in the order in which they came: voter, choice, degree"),
}


def features() -> Any:
    """The columns as `datasets.Features`.

    Returns:
        `datasets.Features`: for builders, and for the metadata of Parquet files.
    """
    from datasets import Features, List, Value

    kinds = {
        "string": Value("string"),
        "float": Value("float32"),
        "integer": Value("int64"),
        "codes": List(Value("int32")),
        "messages": List({"role": Value("string"), "content": Value("string")}),
        "votes": List({"voter": Value("string"), "choice": Value("string"), "degree": Value("string")}),
    }
    return Features({name: kinds[column.kind] for name, column in COLUMNS.items()})


def motion_message(codes: Sequence[int], num_codes: int = NUM_CODES) -> list[dict[str, str]]:
    """A motion as what the assistant says, in TRL's conversational form.

    Args:
        codes (`Sequence[int]`): `[n]` integers from 0 to `num_codes - 1`, 4 frames each.
        num_codes (`int`, *optional*, defaults to 512): size of the codebook.

    Returns:
        `list[dict[str, str]]`: one message.

    Raises:
        ValueError: if a code lies outside of the codebook.
        TypeError: if the codes are no integers.
    """
    return [{"role": "assistant", "content": codes_to_text(codes, num_codes)}]


def pair_row(
    *,
    prompt_id: str,
    prompt: str,
    task: str,
    chosen: Mapping[str, Any],
    rejected: Mapping[str, Any],
    degree: str,
    judge: str,
    rules_version: str = "",
    scenario: str | None = None,
    votes: Sequence[Mapping[str, str]] = (),
    id: str | None = None,
    num_codes: int = NUM_CODES,
) -> dict[str, Any]:
    """One row of the dataset.

    Args:
        prompt_id (`str`): name of the prompt.
        prompt (`str`): what the person does.
        task (`str`): one of `TASKS`.
        chosen (`Mapping`): the better motion: `codes` `[n]`, and where known `sample` (its name among the prompt's
            motions), `score` (of a judge; people only compare), `model`, `seed`.
        rejected (`Mapping`): the other motion, likewise.
        degree (`str`): one of `DEGREES`.
        judge (`str`): who judged.
        rules_version (`str`, *optional*): which rules the judge followed.
        scenario (`str`, *optional*): events in JSON.
        votes (`Sequence[Mapping]`, *optional*): each with `voter`, `choice` (one of `CHOICES`) and `degree`.
        id (`str`, *optional*): name of the pair; `prompt_id/chosen-rejected` by their samples otherwise.
        num_codes (`int`, *optional*, defaults to 512): size of the codebook.

    Returns:
        `dict[str, Any]`: a value for each of `COLUMNS`.

    Raises:
        ValueError: if a code lies outside of the codebook, or the row has another fault; see `faults`.
        TypeError: if the codes are no integers.
    """
    row: dict[str, Any] = {
        "id": id or f"{prompt_id}/{chosen.get('sample', 0)}-{rejected.get('sample', 1)}",
        "prompt_id": prompt_id,
        "task": task,
        "scenario": scenario,
        "prompt": [{"role": "user", "content": prompt}],
        "degree": degree,
        "margin": MARGINS.get(degree, 0.0),
        "judge": judge,
        "rules_version": rules_version,
        "votes": [dict(vote) for vote in votes],
    }
    for name, motion in (("chosen", chosen), ("rejected", rejected)):
        row[f"{name}_codes"] = [index(code) for code in motion["codes"]]
        row[name] = motion_message(row[f"{name}_codes"], num_codes)
        row[f"{name}_score"] = motion.get("score")
        row[f"{name}_model"] = motion.get("model") or ""
        row[f"{name}_seed"] = motion.get("seed")
    if found := faults(row, num_codes):
        raise ValueError(f"Pair {row['id']!r}: {'; '.join(found)}.")
    return {name: row[name] for name in COLUMNS}


def prompt_of(row: Mapping[str, Any]) -> str:
    """What the person does, in a row of the dataset.

    Args:
        row (`Mapping`): with `prompt` as a conversation or as a string.

    Returns:
        `str`: the first user's message.

    Raises:
        ValueError: if there is none.
    """
    prompt = row["prompt"]
    if isinstance(prompt, str):
        return prompt
    for message in prompt or ():
        if message["role"] == "user":
            return str(message["content"])
    raise ValueError(f"Expected a prompt with a user's message, got {str(prompt)[:80]}.")


def faults(row: Mapping[str, Any], num_codes: int = NUM_CODES) -> list[str]:
    """What is wrong with a row, in words.

    Args:
        row (`Mapping`): values by column.
        num_codes (`int`, *optional*, defaults to 512): size of the codebook.

    Returns:
        `list[str]`: each says what was expected and what came; empty for a good row.
    """
    if not isinstance(row, Mapping):
        return [f"expected a row, a value for each column, got {shown(row)}"]
    found = []
    if missing := [name for name in COLUMNS if name not in row]:
        found.append(f"columns missing: {', '.join(missing)}")
    if extra := [name for name in row if name not in COLUMNS]:
        found.append(f"unknown columns: {', '.join(map(str, extra))}")
    for name, column in COLUMNS.items():
        if name not in row or (row[name] is None and column.optional):
            continue
        if row[name] is None:
            found.append(f"{name}: expected a value, got null")
        elif fault := value_fault(row[name], column.kind, num_codes):
            found.append(f"{name}: {fault}")
    return found or _contradictions(row, num_codes)


def _says(messages: Sequence[Mapping[str, str]], codes: Sequence[int], num_codes: int) -> bool:
    """Whether messages are those of `motion_message`, for codes that are known to be fine; this is called often."""
    tokens = _tokens(num_codes)
    text = "".join([tokens[num_codes], *[tokens[code] for code in codes], tokens[num_codes + 1]])
    return len(messages) == 1 and messages[0]["role"] == "assistant" and messages[0]["content"] == text


@lru_cache(maxsize=4)
def _tokens(num_codes: int) -> tuple[str, ...]:
    return tuple(map(motion_token, range(num_codes + 2)))


def _contradictions(row: Mapping[str, Any], num_codes: int) -> list[str]:
    """Faults between values that are fine one by one."""
    found = []
    if row["task"] not in TASKS:
        found.append(f"task: expected one of {', '.join(TASKS)}, got {row['task']!r}")
    if row["degree"] not in DEGREES:
        found.append(f"degree: expected one of {', '.join(DEGREES)}, got {row['degree']!r}")
    elif row["margin"] != MARGINS[row["degree"]]:
        found.append(f"margin: expected {MARGINS[row['degree']]:g} for {row['degree']!r}, got {row['margin']}")
    found += [f"{name}: expected a name, got {row[name]!r}" for name in ("id", "prompt_id") if not row[name].strip()]
    if row["scenario"] is not None and not is_scenario(row["scenario"]):
        found.append(f"scenario: expected a JSON object with events, or null, got {row['scenario'][:80]!r}")
    first, *others = row["prompt"]
    if others or first["role"] != "user" or not first["content"].strip():
        found.append(f"prompt: expected a user's message and no other, got {shown(row['prompt'])}")
    for name in ("chosen", "rejected"):
        if not _says(row[name], row[f"{name}_codes"], num_codes):
            found.append(f"{name}: expected the motion text of {name}_codes, got {row[name][0]['content'][:60]!r}")
        score = row[f"{name}_score"]
        if score is not None and not 1 <= score <= 5:
            found.append(f"{name}_score: expected a score from 1 to 5, got {score}")
    if row["chosen_codes"] == row["rejected_codes"] and row["degree"] != SKIPPED:
        found.append("chosen and rejected are the same motion; expected two that differ")
    for vote in row["votes"]:
        if vote["choice"] not in CHOICES or vote["degree"] not in DEGREES:
            found.append(f"votes: expected choices {', '.join(CHOICES)} and degrees of preference, got {dict(vote)}")
        elif (vote["choice"] == SKIPPED) != (vote["degree"] == SKIPPED):
            found.append(
                f"votes: expected the degree {SKIPPED!r} where the choice is, and nowhere else, got {dict(vote)}"
            )
    return found + _contradictions_of_scores(row)


def _contradictions_of_scores(row: Mapping[str, Any]) -> list[str]:
    better, worse, degree = row["chosen_score"], row["rejected_score"], row["degree"]
    if row["judge"] == HUMAN:
        return [
            f"{name}: expected null, as people only compare, got {row[name]}; a judge's scores belong to its own rows"
            for name in ("chosen_score", "rejected_score")
            if row[name] is not None
        ]
    if better is None or worse is None or degree not in DEGREES or degree == SKIPPED:
        return []
    if better < worse:
        return [f"chosen_score: expected at least rejected_score, got {better} and {worse}"]
    gap, rounding = better - worse, TOLERANCE / 2  # between two degrees, storing the scores may decide; both are fine
    if degree in (degree_of_gap(gap + rounding), degree_of_gap(max(gap - rounding, 0.0))):
        return []
    return [f"degree: expected {degree_of_gap(gap)!r} for scores of {better:g} and {worse:g}, got {degree!r}"]
