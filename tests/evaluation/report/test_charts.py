import math
import re
from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest

from atom_hf.evaluation.report import (
    Outcome,
    Value,
    bar_chart,
    distribution_chart,
    line_chart,
    outcome_chart,
    radar_chart,
)
from atom_hf.evaluation.report.charts.axes import linear_scale, log_scale
from atom_hf.evaluation.report.charts.chart import COLOURS, DARK_COLOURS, WIDTH, legend
from atom_hf.evaluation.report.charts.lines import smoothed, thinned
from atom_hf.evaluation.report.markup import text_width

AXES = ["integrity", "order", "frequency", "sides"]


def charts(name="base", other="aligned", text="score"):
    """One of each kind."""
    return [
        radar_chart(text, [text, *AXES[1:]], {name: [0.4, 0.5, None, 0.1], other: [0.7, 0.9, 1.0, 0.0]}),
        bar_chart(text, [text, "b"], {name: [0.5, -0.2], other: [Value(0.7, 0.1), None]}, x_label=text),
        distribution_chart(text, {name: [0.1, 0.5, 0.4, math.nan], other: list(np.linspace(0, 1, 50))}, x_label=text),
        outcome_chart(text, {name: Outcome(5, 1, 2, (0.5, 0.9)), other: Outcome(0, 0, 0)}),
        line_chart(
            text, {name: ([0, 1, 2], [3, None, 1]), other: ([0, 5], [2, 4])}, x_label=text, y_label=text, smooth=0.5
        ),
    ]


def elements(chart, name):
    return ElementTree.fromstring(chart.svg).iter("{http://www.w3.org/2000/svg}" + name)


def numbers(chart, name, attribute):
    return [float(element.get(attribute)) for element in elements(chart, name)]


@pytest.mark.parametrize("number", range(5))
def test_every_kind_is_a_picture_with_words_and_numbers(number, evil):
    chart = charts(evil.replace("\x00", ""), "b" * 200, evil)[number]
    svg = ElementTree.fromstring(chart.svg)
    assert svg.get("role") == "img" and svg[0].tag.endswith("title") and svg[1].tag.endswith("desc")
    assert svg[0].text and len(svg[1].text) > 20 and chart.data is not None and len(chart.data.rows) >= 2
    assert {element.tag.rpartition("}")[2] for element in svg.iter()} <= set(
        "svg title desc text line rect circle path polygon".split()
    )
    assert "nan" not in chart.svg and "inf" not in chart.svg
    again = charts(evil.replace("\x00", ""), "b" * 200, evil)[number]
    assert (again.svg, again.data.html()) == (chart.svg, chart.data.html())  # nothing depends on chance


@pytest.mark.parametrize("number", range(5))
def test_letters_stay_in_the_picture_and_off_each_other(number):
    chart = charts("a system with a long name", "another system with a longer name", "an axis with a long name")[
        number
    ]
    boxes = []
    for text in elements(chart, "text"):
        size = float(text.get("font-size", 13))
        width, x = text_width(text.text, size), float(text.get("x"))
        x -= {"middle": width / 2, "end": width}.get(text.get("text-anchor", "start"), 0.0)
        boxes.append((x, x + width, float(text.get("y")) - 0.7 * size, float(text.get("y")), text.text))
    assert len(boxes) > 5
    height = float(ElementTree.fromstring(chart.svg).get("viewBox").split()[3])
    for left, right, top, bottom, text in boxes:
        assert left >= -1 and right <= WIDTH + 1 and top >= -1 and bottom <= height, text
    for a, b in combinations(boxes, 2):
        assert a[1] <= b[0] + 1 or b[1] <= a[0] + 1 or a[3] <= b[2] or b[3] <= a[2], (a[4], b[4])


def test_without_data_there_is_a_note():
    empty = [
        radar_chart("t", AXES, {"a": [None] * 4}),
        radar_chart("t", AXES, {}),
        bar_chart("t", ["x"], {"a": [math.nan]}),
        bar_chart("t", [], {}),
        distribution_chart("t", {"a": [], "b": [None, math.inf]}),
        outcome_chart("t", {"a": Outcome(0, 0, 0)}),
        line_chart("t", {"a": ([], [])}),
        line_chart("t", {"a": ([1, 2], [0.0, -1.0])}, log_y=True),
    ]
    for chart in empty:
        assert chart.svg == "" and chart.notes[0].startswith("No chart: there is no ")
    assert empty[-1].notes == ("No chart: there is no number above zero.",)


def test_radar_places():
    chart = radar_chart("t", AXES, {"a": [1.0, 0.5, 0.0, 0.25]})
    xs, ys = numbers(chart, "circle", "cx"), numbers(chart, "circle", "cy")
    centre, radius = ys[2], ys[2] - ys[0]
    assert xs == pytest.approx([WIDTH / 2, WIDTH / 2 + radius / 2, WIDTH / 2, WIDTH / 2 - radius / 4], abs=0.01)
    assert ys[1] == ys[3] == centre
    assert chart.notes == ()


def test_radar_gap_opens_the_polygon():
    chart = radar_chart("t", AXES, {"a": [1.0, None, 0.5, 0.5]})
    coloured = [line for line in elements(chart, "line") if line.get("class")]
    assert len(coloured) == 2 and len(list(elements(chart, "circle"))) == 3  # both sides at the gap are missing
    assert chart.notes == ("A gap in a line: not measured on that axis.",)


def test_bars_start_at_zero_and_carry_intervals():
    chart = bar_chart("t", ["x", "y"], {"a": [Value(0.5, (0.4, 0.7)), -0.25]})
    (left, down), (width, depth) = numbers(chart, "rect", "x"), numbers(chart, "rect", "width")
    assert depth == pytest.approx(width / 2, abs=0.02) and down + depth == pytest.approx(left, abs=0.02)
    path = [element.get("d") for element in elements(chart, "path")][1]
    start, end = float(re.match(r"M([\d.]+)", path)[1]), float(re.search(r"H([\d.]+)", path)[1])
    assert start == pytest.approx(left + 0.8 * width, abs=0.02) and end == pytest.approx(left + 1.4 * width, abs=0.02)


def test_numbers_beside_bars_leave_out_what_has_no_room():
    chart = bar_chart("t", ["x"], {"a": [Value(1234.5, (1100.25, 1300.5))]})
    assert ">1234.500<" in chart.svg and "1100.250" in chart.data.html()
    assert ">0.500 [0.400, 0.700]<" in bar_chart("t", ["x"], {"a": [Value(0.5, (0.4, 0.7))]}).svg


def test_outcomes_are_shares():
    chart = outcome_chart("t", {"a against b": Outcome(6, 2, 2, (0.5, 0.9))})
    wins, ties, losses = numbers(chart, "rect", "width")[3:]  # after the key
    assert wins == pytest.approx(3 * ties, abs=0.02) and ties == pytest.approx(losses, abs=0.02)
    (dot,) = numbers(chart, "circle", "cx")
    assert (dot - 16) / (WIDTH - 32) == pytest.approx(0.7, abs=1e-4)
    assert "70% [50%, 90%], n = 10" in chart.svg
    assert chart.data.rows[0].cells == [6.0, 2.0, 2.0, Value(0.7, (0.5, 0.9))]


def test_distribution_shows_few_scores_one_by_one():
    few = distribution_chart("t", {"a": [0.1, 0.2, 0.9, None]})
    assert len(list(elements(few, "circle"))) == 3 + 2  # and the ring of the median
    assert "n = 3 (1 unscored)" in few.svg
    assert few.data.rows[0].cells == [3.0, 0.1, pytest.approx(0.15), 0.2, pytest.approx(0.55), 0.9]
    many = distribution_chart("t", {"a": list(np.linspace(0, 1, 30_000))})
    assert len(list(elements(many, "circle"))) == 2 and len(many.svg) < 10_000
    same = distribution_chart("t", {"a": [0.5] * 10})
    assert not list(elements(same, "polygon")) and "median 0.50" in same.svg


def test_line_has_gaps_where_numbers_are_missing():
    chart = line_chart("t", {"a": ([0, 1, 2, 3, 4, 5], [1, 2, None, 4, math.nan, 6])})
    (path,) = [element.get("d") for element in elements(chart, "path")]
    assert path.count("M") == 1 and path.count("L") == 1  # 1-2; single points are dots
    assert len(list(elements(chart, "circle"))) == 2
    assert chart.notes == ("A gap in a line: no number there.",)


def test_lines_are_drawn_in_order_of_their_places():
    shuffled = line_chart("t", {"a": ([2, 0, 1], [5, 1, 3])})
    assert shuffled == line_chart("t", {"a": ([0, 1, 2], [1, 3, 5])})


def test_smoothing_is_an_exponential_mean_without_a_pull_to_zero():
    found = smoothed([(0, 4.0), (1, 2.0), (2, math.nan), (3, 8.0)], 0.5)
    assert [y for _, y in found[:2]] == pytest.approx([4.0, (0.25 * 4 + 0.5 * 2) / 0.75])
    assert math.isnan(found[2][1]) and found[3][1] == pytest.approx((0.125 * 4 + 0.25 * 2 + 0.5 * 8) / 0.875)


def test_long_lines_keep_their_extremes():
    xs = list(range(30_000))
    ys = [math.sin(x / 1000) for x in xs]
    ys[14_321] = 9.0
    chart = line_chart("t", {"a": (xs, ys)})
    assert len(chart.svg) < 30_000 and len(chart.data.rows) == 24
    kept = thinned(list(zip(xs, ys, strict=True)), linear_scale(0, 3e4, 0, 1))
    assert len(kept) <= 802 and max(y for _, y in kept) == 9.0 and kept == sorted(kept)


def test_logarithmic_lines_leave_out_what_has_no_place():
    chart = line_chart("t", {"a": ([0, 1, 2, 3], [0.001, 0.0, 10, 100])}, log_y=True)
    assert chart.notes == ("1 numbers of zero or less have no place on a logarithmic scale.",)
    assert ">0.001<" in chart.svg and ">100<" in chart.svg


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.0, 0.93, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (0.0, 1.0, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (-0.3, 0.4, ["−0.4", "−0.2", "0.0", "0.2", "0.4"]),
        (3.0, 3.0, ["1", "2", "3", "4", "5"]),
        (0.0, 0.0, ["−0.6", "−0.4", "−0.2", "0.0", "0.2", "0.4", "0.6"]),
        (0.0, 2e6, ["0", "500000", "1e6", "1.5e6", "2e6"]),
        (0.101, 0.149, ["0.10", "0.11", "0.12", "0.13", "0.14", "0.15"]),
    ],
)
def test_round_ticks(low, high, labels):
    scale = linear_scale(low, high, 100.0, 200.0)
    assert scale.labels() == labels
    assert scale.low <= low <= high <= scale.high and scale(scale.low) == 100 and scale(scale.high) == 200


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0.02, 30, [0.01, 0.1, 1, 10, 100]), (3, 40, [2, 5, 10, 20, 50]), (1, 1, [1, 2]), (1e-12, 1, None)],
)
def test_log_ticks(low, high, ticks):
    scale = log_scale(low, high, 0.0, 1.0)
    assert ticks is None or scale.ticks == pytest.approx(ticks)
    assert 2 <= len(scale.ticks) <= 8 and scale.ticks[0] <= low * 1.000001 and scale.ticks[-1] >= high * 0.999999
    assert scale(scale.low) == 0 and scale(scale.high) == pytest.approx(1)


def test_legend_breaks_into_rows():
    parts, end = legend([f"a system of number {i}" for i in range(6)], 0.0)
    assert end > 40 and parts and legend(["one"], 5.0) == ([], 5.0)


def luminance(colour):
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear, float(linear @ [0.2126, 0.7152, 0.0722])


# Machado, Oliveira and Fernandes (2009), full strength.
BLINDNESS = {
    "none": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def lab(linear):
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear.clip(0, 1)
    x, y, z = np.cbrt(xyz / [0.9505, 1.0, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize(("colours", "page"), [(COLOURS, "#ffffff"), (DARK_COLOURS, "#14181c")])
def test_colours_can_be_told_apart(colours, page):
    for colour in colours:
        bright, dark = sorted([luminance(colour)[1], luminance(page)[1]], reverse=True)
        assert (bright + 0.05) / (dark + 0.05) >= 3, colour
    for kind, matrix in BLINDNESS.items():
        seen = [lab(np.asarray(matrix) @ luminance(colour)[0]) for colour in colours]
        for a, b in combinations(range(6), 2):
            assert np.linalg.norm(seen[a] - seen[b]) > 15, (kind, colours[a], colours[b])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: radar_chart("t", ["a", "b"], {}), "three axes or more, got 2; bar_chart shows fewer"),
        (lambda: radar_chart("t", AXES, {"a": [1.0]}), "Expected 4 values for 'a', one an axis, got 1"),
        (lambda: radar_chart("t", AXES, {"a": [1.5, 0, 0, 0]}), "Expected values from 0 to 1 for 'a'"),
        (lambda: bar_chart("t", ["x"], {"a": []}), "Expected 1 values for 'a', one a category, got 0"),
        (lambda: outcome_chart("t", {"a": Outcome(-1, 0, 0)}), "counts of zero or more for 'a'"),
        (lambda: line_chart("t", {"a": ([1], [])}), "as many numbers as places for 'a', got 0 and 1"),
        (lambda: line_chart("t", {}, smooth=1.0), "smooth from 0 to below 1, got 1.0"),
    ],
)
def test_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
