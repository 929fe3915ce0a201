"""The dataset's card: what a folder or a repository of MotionPrefer says about itself, with the YAML that loads it.

dataset_card()                                       →  the card of the format, dataset_cards/MotionPrefer/README.md
dataset_card(CardFacts(prompts="…"), summary=…)      →  the card of one dataset

After a change here or in the columns write it to dataset_cards/MotionPrefer/README.md again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from ..motion.codes import NUM_CODES
from .citation import CITATION
from .degrees import DEGREES
from .escaping import markdown_text
from .importers.labels import LAST
from .pairs import MAJORITY, PairReport, PairRule
from .parts import PARTS, parts_of_config
from .schema import COLUMNS, CONFIGS, HUMAN
from .splits import SPLITS
from .summary import WriteSummary

_TEMPLATE = Path(__file__).with_name("card.md")
_SHOWN = 20  # names of models or judges
_NOT_STATED = "Not stated by whoever built this dataset."
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))
_JUDGED = {
    "integrity": "is everything there that was asked for?",
    "temporal": "does it happen in the right order?",
    "frequency": "does it happen as often as asked?",
    "overall": "all three together",
    HUMAN: "which of two motions people prefer, whatever the task",
}
_TYPES = {
    "string": "string",
    "float": "float32",
    "integer": "int64",
    "codes": "list of int32",
    "messages": "list of {role, content}",
    "votes": "list of {voter, choice, degree}",
}
_TINY = (
    "> **Made with a tiny model.** The motions come from a model that is small enough for a laptop. They show how\n"
    "> the pieces fit together; numbers from this dataset are numbers of a tiny model and never stand beside\n"
    "> published ones.\n"
)


@dataclass(frozen=True)
class CardFacts:
    """What the maker of a dataset tells; the rest comes from its rows. What is not told is said to be not stated.

    Args:
        name (`str`, *optional*, defaults to `"MotionPrefer"`): title of the card.
        license (`str`, *optional*, defaults to `"unknown"`): the Hub's name of a license, such as `"cc-by-nc-4.0"`.
        prompts (`str`, *optional*): where the prompts come from.
        models (`str`, *optional*): how the motions were made: checkpoints, sampling.
        judge (`str`, *optional*): who judged, and how.
        calibration (`str`, *optional*): how well the judge agrees with people, and how that was measured.
        rule ([`PairRule`], *optional*): which two scored motions made a pair.
        report ([`PairReport`], *optional*): how many pairs were made and left out.
        terms (`str`, *optional*): what a user of the data has to keep to, besides what every card says.
        tiny (`bool`, *optional*): whether the motions come from a toy model; found out from the models' names by
            default.
        votes (`str`, *optional*): how several votes on a pair became one verdict; what the report says by default.
    """

    name: str = "MotionPrefer"
    license: str = "unknown"
    prompts: str | None = None
    models: str | None = None
    judge: str | None = None
    calibration: str | None = None
    rule: PairRule | None = None
    report: PairReport | None = None
    terms: str | None = None
    tiny: bool | None = None
    votes: str | None = None


# The card in dataset_cards/ is about what atom_hf writes unless it is told otherwise, not about one dataset.
FORMAT = CardFacts(
    prompts="sentences with their scenarios from the grammar of atom_hf or from a language model; or imported labels",
    models="the columns chosen_model, rejected_model and their seeds say who made each motion",
    judge=(
        "a kinematic judge (rules on joints), a vision judge (rendered frames and written rules), or people; the "
        "columns judge and rules_version say who, row by row"
    ),
    calibration="belongs here: how often the judge and people agree, on how many pairs",
    votes=f"where they were raw annotations, {MAJORITY}; where they were imported, {LAST}",
    rule=PairRule(),
)


def dataset_card(
    facts: CardFacts | None = None, *, summary: WriteSummary | None = None, num_codes: int = NUM_CODES
) -> str:
    """A card in Markdown with the YAML header that `datasets` and the Hub read.

    Args:
        facts ([`CardFacts`], *optional*): what the maker tells; without facts and rows, the card is of the format.
        summary ([`WriteSummary`], *optional*): what the rows tell; without it, the header names all parts and splits.
        num_codes (`int`, *optional*, defaults to 512): size of the codebook.

    Returns:
        `str`: the text of `README.md`.
    """
    if facts is None:
        facts = CardFacts() if summary else FORMAT
    tiny = facts.tiny
    if tiny is None:
        tiny = any("tiny" in model.casefold() for model in summary.models) if summary else False
    template = Template(_TEMPLATE.read_text(encoding="utf-8"))
    return template.substitute(
        header=_header(facts, summary),
        name=markdown_text(facts.name),
        warning=f"{_TINY}\n" if tiny else "",
        configurations="\n".join(_configurations(summary)),
        place="path/to/motionprefer",
        streaming=_streaming_example(summary),
        columns=columns_table(),
        num_codes=num_codes,
        made="\n".join(_made(facts, summary)),
        report=_report(facts.report, summary),
        license=_license(facts),
        terms=f"- {markdown_text(facts.terms)}\n" if facts.terms else "",
        citation=CITATION,
    )


def columns_table() -> str:
    """The columns as rows of a Markdown table, from the schema.

    Returns:
        `str`: one line a column.
    """
    return "\n".join(
        f"| `{name}` | {_TYPES[column.kind]}{', may be null' * column.optional} | {column.meaning} |"
        for name, column in COLUMNS.items()
    )


def configs_of(summary: WriteSummary | None = None) -> list[dict[str, Any]]:
    """The `configs:` of the header: which files make which configuration.

    Args:
        summary ([`WriteSummary`], *optional*): parts and splits with rows; all of them without it.

    Returns:
        `list[dict]`: as the Hub has them; only configurations and splits with rows.
    """
    table = summary.table() if summary else [(part, dict.fromkeys(SPLITS, 0)) for part in PARTS]
    has = {(part, split) for part, counts in table for split in counts}
    configs = []
    for name in CONFIGS:
        files = [
            {"split": split, "path": paths}
            for split in SPLITS
            if (paths := [f"data/{part}/{split}-*" for part in parts_of_config(name) if (part, split) in has])
        ]
        if files:
            configs.append({"config_name": name, **({"default": True} if name == "all" else {}), "data_files": files})
        if files and summary and summary.digests:
            # `datasets` keeps what it read by what the card says, not by the files: other rows need other words here
            digests = [summary.digests.get(part, "")[:16] for part in parts_of_config(name)]
            configs[-1]["description"] = f"sha256 {' '.join(filter(None, digests))}"
    return configs


def _header(facts: CardFacts, summary: WriteSummary | None) -> str:
    import yaml

    tags = ["text-to-motion", "human-motion", "preference", "dpo", "trl", "motiongpt", "motionprefer", "atom_hf"]
    header: dict[str, Any] = {
        "license": facts.license,
        "language": ["en"],
        "task_categories": ["other"],
        "pretty_name": " ".join(facts.name.split()),
        **({"size_categories": [_size(summary.rows)]} if summary else {}),
        "tags": tags,
        "configs": configs_of(summary),
    }
    return f"---\n{yaml.safe_dump(header, sort_keys=False, allow_unicode=True, width=1000)}---\n"


def _size(rows: int) -> str:
    return next((name for most, name in _SIZES if rows < most), "10M<n<100M")


def _configurations(summary: WriteSummary | None) -> Iterable[str]:
    counts = dict(summary.table()) if summary else {}
    for config in configs_of(summary):
        name = config["config_name"]
        parts = parts_of_config(name)
        judged = _JUDGED[name] if name != "all" else "everything above, and pairs judged on all three tasks at once"
        if not summary:
            yield f"| `{name}` | {judged} | as many as there are |"
            continue
        of_split = {split: sum(counts.get(part, {}).get(split, 0) for part in parts) for split in SPLITS}
        yield f"| `{name}` | {judged} | {', '.join(f'{n:,} {split}' for split, n in of_split.items() if n)} |"


def _streaming_example(summary: WriteSummary | None) -> str:
    config = configs_of(summary)[0]
    name, split = config["config_name"], config["data_files"][-1]["split"]
    return f'{split} = load_dataset("path/to/motionprefer", "{name}", split="{split}", streaming=True)'


def _made(facts: CardFacts, summary: WriteSummary | None) -> Iterable[str]:
    models = _names(summary.models) if summary else ""
    judges = _names(" ".join(filter(None, judge)) if judge[0] != judge[1] else judge[0] for judge in summary.judges) \
        if summary else ""  # fmt: skip
    yield f"- **Prompts**: {_stated(facts.prompts)}"
    yield f"- **Motions**: {_stated(facts.models, models)}"
    yield f"- **Judge**: {_stated(facts.judge, judges)}"
    yield f"- **Calibration**: {_stated(facts.calibration)}"
    if facts.rule:
        yield (
            f"- **Pairs** from scores: the winner's score is above {facts.rule.min_score:g} of 5 and at least "
            f"{facts.rule.min_gap:g} above the other's; at most {facts.rule.max_pairs} pairs of a prompt, which use "
            "each motion as rarely as possible. Motions judged by different judges or rules never make a pair."
        )
    else:
        yield f"- **Pair rule**: {_NOT_STATED}"
    votes = facts.votes or "; ".join(sorted(facts.report.verdicts if facts.report else ()))
    if votes or summary is None or HUMAN in summary.counts:
        yield f"- **Votes**: {_stated(votes)}"


def _stated(text: str | None, names: str = "") -> str:
    told = markdown_text(text.strip().rstrip(".")) + "." if text and text.strip() else ""
    if told and names:
        return f"{told} In the rows: {names}."
    return told or (f"{names}." if names else _NOT_STATED)


def _names(names: Iterable[str]) -> str:
    plain = sorted({markdown_text(name) for name in names if name.strip()})
    more = f" and {len(plain) - _SHOWN:,} more" if len(plain) > _SHOWN else ""
    return ", ".join(plain[:_SHOWN]) + more


def _report(report: PairReport | None, summary: WriteSummary | None) -> str:
    degrees = summary.degrees if summary else report.degrees if report else {}
    lines = []
    if degrees:
        lines += ["", "| degree | pairs |", "|---|---|"]
        lines += [f"| {degree} | {degrees[degree]:,} |" for degree in DEGREES if degrees.get(degree)]
    if report and report.prompts:
        lines += [
            "",
            f"Of {report.prompts:,} prompts, {report.paired:,} gave at least one pair. What was left out:",
            "",
        ]
        lines += ["| count | why |", "|---|---|"]
        lines += [f"| {n:,} | couples of motions {markdown_text(why)} |" for why, n in report.left_out.most_common()]
        lines += [
            f"| {n:,} | motions without a score: {markdown_text(why)} |" for why, n in report.unscored.most_common()
        ]
        if not (report.left_out or report.unscored):
            lines += ["| 0 | nothing |"]
    return "\n".join([*lines, ""]) if lines else ""


def _license(facts: CardFacts) -> str:
    if facts.license == "unknown":
        return f"- License: {_NOT_STATED[0].lower()}{_NOT_STATED[1:]}"
    return f"- License: {markdown_text(facts.license)}."
