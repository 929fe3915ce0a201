import math

import pytest

from atom_hf.evaluation.report import Column, Row, Table, Value
from atom_hf.evaluation.report.tables import cell_text


def table(direction, *cells, reference=None):
    rows = [Row(str(i), [cell]) for i, cell in enumerate(cells)]
    rows += [Row("real", [reference], reference=True)] if reference is not None else []
    return Table("t", [Column("m", direction)], rows)


@pytest.mark.parametrize(
    ("direction", "cells", "best"),
    [
        ("higher", [Value(0.5, 0.1), Value(0.8, 0.1)], 1),
        ("lower", [Value(0.5, 0.1), Value(0.8, 0.1)], 0),
        ("higher", [Value(0.5, 0.1), Value(0.6, 0.1)], None),  # they overlap
        ("higher", [Value(0.5, 0.1), Value(0.7, 0.1), Value(0.9, 0.05)], 2),
        ("higher", [Value(0.5, 0.01), Value(0.89, 0.01), Value(0.9, 0.05)], None),
        ("lower", [Value(0.5, (0.4, 0.6)), Value(0.7, (0.61, 0.9))], 0),
        ("higher", [0.5, 0.8], None),  # no interval, no verdict
        ("higher", [Value(0.5, 0.1), 0.9], None),
        ("higher", [Value(0.5, 0.1), None, math.nan, "n/a"], None),  # nothing to compare with
        ("higher", [Value(0.5, 0.1), None, Value(0.9, 0.1)], 2),
        (None, [Value(0.5, 0.1), Value(0.8, 0.1)], None),
        ("higher", [Value(0.5, 0.0), Value(0.5, 0.0)], None),
        ("higher", [Value(0.5, 0.1), Value(0.8, math.nan)], None),
    ],
)
def test_the_best_is_marked_only_where_intervals_do_not_overlap(direction, cells, best):
    assert table(direction, *cells).best() == [best]


def test_a_wide_interval_that_reaches_below_the_second_is_not_the_best():
    """The first by its worst end decides: 0.7 ± 0.05 may be beaten by 0.9 ± 0.3, and the other way round."""
    assert table("higher", Value(0.9, 0.3), Value(0.7, 0.05)).best() == [None]


@pytest.mark.parametrize(
    ("cells", "reference", "best"),
    [
        ([Value(8.0, 0.1), Value(9.4, 0.1)], Value(9.5, 0.1), 1),
        ([Value(11.0, 0.1), Value(8.5, 0.1)], 9.5, 1),  # 1.5 above is farther than 1 below
        ([Value(10.5, 0.1), Value(8.5, 0.1)], 9.5, None),
        ([Value(10.5, 0.1), Value(8.5, 0.1)], None, None),
    ],
)
def test_closest_to_the_reference(cells, reference, best):
    assert table("reference", *cells, reference=reference).best()[0] == best


def test_a_reference_row_takes_no_part():
    real = Row("real", [Value(0.99, 0.0)], reference=True)
    found = Table("t", [Column("m", "higher")], [Row("a", [Value(0.5, 0.1)]), real, Row("b", [Value(0.8, 0.1)])])
    assert found.best() == [2]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (Value(0.5123, 0.0131), "0.512 ± 0.013"),
        (Value(0.6, (0.5, 0.7)), "0.600 ± 0.100"),
        (Value(0.6, (0.4, 0.7)), "0.600 [0.400, 0.700]"),
        (Value(-0.5), "−0.500"),
        (0.0, "0.000"),
        (1e-7, "1.00e−07"),
        (None, "–"),
        (math.nan, "–"),
        (Value(math.inf, 1.0), "–"),
        ("text", "text"),
    ],
)
def test_cells(cell, text):
    assert cell_text(cell) == text


FULL = Table(
    "Scores",
    [Column("FID", "lower"), Column("R@3", "higher"), Column("kind")],
    [
        Row("base", [Value(1.5, 0.1), 0.4, "a|b"]),
        Row("ours", [Value(1.1, 0.1), None, "50%"]),
        Row("real", [0.0, 0.8, ""], reference=True),
    ],
    notes=["± half"],
    corner="system",
)


def test_markdown():
    assert FULL.markdown() == (
        "**Scores**\n\n| system | FID ↓ | R@3 ↑ | kind |\n| --- | ---: | ---: | ---: |\n"
        "| base | 1.500 ± 0.100 | 0.400 | a\\|b |\n| ours | **1.100 ± 0.100** | – | 50% |\n"
        "| *real* | 0.000 | 0.800 |  |\n\n± half\n\n"
        "Bold: better than every other system, and its interval overlaps no other's.\n"
    )


def test_text():
    assert FULL.text().splitlines() == [
        "Scores",
        "",
        "system           FID ↓  R@3 ↑  kind",
        "base     1.500 ± 0.100  0.400   a|b",
        "ours    1.100 ± 0.100*      –   50%",
        "real             0.000  0.800",
        "",
        "± half",
        "",
        "* better than every other system, and its interval overlaps no other's.",
    ]


def test_latex():
    lines = FULL.latex().splitlines()
    assert lines[:2] == [r"\begin{table}", r"\centering"] and lines[-1] == r"\end{table}"
    assert r"system & FID $\downarrow$ & R@3 $\uparrow$ & kind \\" in lines
    assert r"ours & \textbf{1.100 $\pm$ 0.100} & -- & 50\% \\" in lines
    assert r"\emph{real} & 0.000 & 0.800 &  \\" in lines


def test_html(read):
    page = read(FULL.html())
    assert [text for name, text in page.texts if name == "caption"] == ["Scores"]
    assert [a.get("scope") for a in page.named("th")] == ["col"] * 4 + ["row"] * 3
    assert [text for name, text in page.texts if name == "strong"] == ["1.100 ± 0.100"]
    assert "lower is better" in page.text("span") and "± half" in page.text("p")


def test_nothing_marked_needs_no_explanation():
    assert "Bold" not in table("higher", 0.5, 0.8).markdown()


def test_names_are_text(read, evil):
    found = Table(evil, [Column(evil)], [Row(evil, [evil])], [evil], evil)
    assert {name for name, _ in read(found.html()).found} <= set("div table caption thead tbody tr th td p".split())
    rows = [line for line in found.markdown().splitlines() if line.startswith("|")]
    assert len(rows) == 3 and all(len(row.replace("\\|", "").strip("|").split("|")) == 2 for row in rows)
    assert "<script" not in found.markdown()
    assert found.latex().replace(r"\&", "").count("&") == 2


@pytest.mark.parametrize(
    ("columns", "rows", "message"),
    [
        ([Column("a")], [Row("base", [1.0, 2.0])], "Expected 1 cells in row 'base', one a column, got 2"),
        ([Column("a", "up")], [], "a direction from higher, lower, reference or None for column 'a', got 'up'"),
    ],
)
def test_refused(columns, rows, message):
    with pytest.raises(ValueError, match=message):
        Table("t", columns, rows)
