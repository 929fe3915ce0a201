"""Cards: the YAML that loads the data, the schema's columns, the rows' numbers, and nobody's words as markup."""

from pathlib import Path

import pytest

pytest.importorskip("datasets")

import yaml
from huggingface_hub import DatasetCard

from atom_hf.data.card import CardFacts, columns_table, configs_of, dataset_card
from atom_hf.data.escaping import markdown_text
from atom_hf.data.exporters import write_instructmotion
from atom_hf.data.importers import ImportReport, read_instructmotion
from atom_hf.data.importers.labels import LAST
from atom_hf.data.pairs import MAJORITY, PairReport, PairRule
from atom_hf.data.parts import PARTS
from atom_hf.data.schema import COLUMNS, features
from atom_hf.data.summary import WriteSummary
from tests.data.made_annotations import make_row

FORMAT_CARD = Path(__file__).parents[2] / "dataset_cards" / "MotionPrefer" / "README.md"
REGENERATE = (
    """python -c "from atom_hf import dataset_card; print(dataset_card(), end='')" """
    "> dataset_cards/MotionPrefer/README.md"
)


def summary_of(*rows, split="train") -> WriteSummary:
    summary = WriteSummary(Path("x"))
    for row in rows:
        summary.add(split, row)
    return summary


def header(card: str) -> dict:
    assert card.startswith("---\n")
    return yaml.safe_load(card.split("\n---\n")[0])


def test_the_card_of_the_format_is_up_to_date():
    assert FORMAT_CARD.read_text(encoding="utf-8") == dataset_card(), f"run: {REGENERATE}"


def test_columns_are_those_of_the_schema():
    lines = columns_table().splitlines()
    assert [line.split("`")[1] for line in lines] == list(COLUMNS)
    for line, (name, column) in zip(lines, COLUMNS.items(), strict=True):
        kind = line.split(" | ")[1]
        stored = features()[name]
        inside = getattr(stored, "feature", stored)
        assert getattr(inside, "dtype", "{") in kind and kind.startswith("list") == (inside is not stored)
        assert column.meaning in line and ("may be null" in line) == column.optional
    assert columns_table() in dataset_card()


def test_all_parts_of_the_format():
    configs = header(dataset_card())["configs"]
    assert [config["config_name"] for config in configs] == ["integrity", "temporal", "frequency", "human", "all"]
    assert [config.get("default") for config in configs] == [None, None, None, None, True]
    assert configs[-1]["data_files"][0] == {"split": "train", "path": [f"data/{part}/train-*" for part in PARTS]}
    named = [path for config in configs[:-1] for files in config["data_files"] for path in files["path"]]
    assert len(named) == len(set(named)) == 8


def test_only_parts_with_rows():
    summary = summary_of(make_row(1, task="overall"), split="test")
    assert configs_of(summary) == [
        {"config_name": "all", "default": True, "data_files": [{"split": "test", "path": ["data/overall/test-*"]}]}
    ]


@pytest.mark.parametrize("facts", [None, CardFacts(license="cc-by-nc-4.0")])
def test_the_hub_reads_the_header(facts):
    data = DatasetCard(dataset_card(facts)).data
    assert data.license == ("cc-by-nc-4.0" if facts else "unknown") and data.language == ["en"]
    assert data.pretty_name == "MotionPrefer" and "text-to-motion" in data.tags and data.task_categories == ["other"]


@pytest.mark.parametrize(("rows", "size"), [(1, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (100_000, "100K<n<1M")])
def test_size(rows, size):
    summary = summary_of(make_row(1))
    summary.counts["temporal"]["train"] = rows
    card = dataset_card(summary=summary)
    assert header(card)["size_categories"] == [size]
    assert f"| `temporal` | does it happen in the right order? | {rows:,} train |" in card


def test_what_rows_tell():
    row = make_row(
        1, chosen={"codes": [1], "model": "big_model", "score": 4.0}, judge="vlm-2", rules_version="rules-3"
    )
    card = dataset_card(summary=summary_of(row, make_row(2, degree="better")))
    assert "- **Motions**: a, b, big\\_model." in card
    assert "- **Judge**: kinematic-1, vlm-2 rules-3." in card
    assert "| much better | 1 |\n| better | 1 |\n" in card
    assert "- **Prompts**: Not stated by whoever built this dataset." in card


def test_what_the_maker_tells():
    report = PairReport(prompts=10, paired=4, pairs=6)
    report.left_out["of equal scores"] = 1203
    report.unscored["no answer"] = 2
    facts = CardFacts(
        name="Mine", prompts="a grammar", judge="KinematicJudge", calibration="agrees on 42 of 50",
        rule=PairRule(min_gap=1.0, min_score=3.5, max_pairs=2), report=report, terms="cite us",
    )  # fmt: skip
    card = dataset_card(facts, summary=summary_of(make_row(1)))
    for text in (
        "\n# Mine\n",
        "- **Prompts**: a grammar.\n",
        "- **Judge**: KinematicJudge. In the rows: kinematic-1.\n",
        "- **Calibration**: agrees on 42 of 50.\n",
        "above 3.5 of 5 and at least 1 above the other's; at most 2 pairs of a prompt",
        "Of 10 prompts, 4 gave at least one pair.",
        "| 1,203 | couples of motions of equal scores |",
        "| 2 | motions without a score: no answer |",
        "- cite us\n",
    ):
        assert text in card, text


def test_how_votes_became_one():
    votes = "- **Votes**: "
    judged, human = make_row(1), make_row(2, judge="human")
    made, read = PairReport(prompts=1, verdicts={MAJORITY}), PairReport(prompts=1, verdicts={LAST})
    assert votes not in dataset_card(summary=summary_of(judged))
    assert f"{votes}Not stated by whoever" in dataset_card(summary=summary_of(judged, human))
    card = dataset_card(CardFacts(report=made), summary=summary_of(human))
    assert f"{votes}the majority decides, and the degree is the median" in card and "the last entry" not in card
    card = dataset_card(CardFacts(report=read), summary=summary_of(human))
    assert f"{votes}the last entry of chosen in the labels is the verdict" in card and "majority" not in card
    card = dataset_card(CardFacts(report=read, votes="we tossed a <coin>"), summary=summary_of(human))
    assert f"{votes}we tossed a {markdown_text('<coin>')}." in card
    assert MAJORITY in dataset_card() and LAST in dataset_card()


def test_imported_labels_are_not_said_to_be_votes_of_a_majority(tmp_path):
    both = [
        {"voter": name, "choice": choice, "degree": "better"} for name, choice in (("", "rejected"), ("", "chosen"))
    ]
    write_instructmotion(tmp_path, [make_row(1, judge="human", votes=both)])
    report = ImportReport()
    rows = list(read_instructmotion(tmp_path, report=report))
    card = dataset_card(CardFacts(report=report), summary=summary_of(*rows))
    assert "- **Votes**: the last entry of chosen" in card and "majority" not in card


def test_a_tiny_model_is_called_one():
    tiny = make_row(1, chosen={"codes": [1], "model": "motiongpt_tiny", "score": 4.0})
    warning = "never stand beside"
    assert warning in dataset_card(summary=summary_of(tiny))
    assert warning not in dataset_card(CardFacts(tiny=False), summary=summary_of(tiny))
    assert warning not in dataset_card(summary=summary_of(make_row(1))) and warning not in dataset_card()
    assert warning in dataset_card(CardFacts(tiny=True), summary=summary_of(make_row(1)))


def test_words_of_others_stay_words():
    nasty = 'x"\n---\nconfigs: []\n# Title | <script>alert(1)</script> [a](b) `c` $name \x1b[31m ${columns}'
    row = make_row(1, chosen={"codes": [1], "model": nasty, "score": 4.0}, judge=nasty)
    report = PairReport(prompts=1)
    report.unscored[nasty] = 1
    facts = CardFacts(nasty, nasty, nasty, nasty, nasty, nasty, report=report, terms=nasty)
    card = dataset_card(facts, summary=summary_of(row))
    clean = header(dataset_card(summary=summary_of(row)))
    assert header(card)["configs"] == clean["configs"] and header(card)["license"] == nasty
    body = card.split("\n---\n", 1)[1]
    assert "<script" not in body and "\x1b" not in body and "\n# Title" not in body
    assert body.count("\n# ") == 1 and body.count("| `id` |") == 1
    assert markdown_text(nasty) in body


def test_both_papers_are_cited():
    card = dataset_card()
    assert "@inproceedings{han2025atom," in card and "@inproceedings{sheng2024exploring," in card


def test_many_names_are_cut():
    summary = summary_of(
        *(make_row(i, rejected={"codes": [3], "model": f"m{i:03d}"}, degree="better") for i in range(30))
    )
    assert "m018 and 11 more." in dataset_card(summary=summary)  # "a" and m000 to m018
