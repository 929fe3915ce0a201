"""Prices of models: what is a table of them, and what is not."""

import json

import pytest

from atom_hf.events.prompt_costs import cost, read_prices


def test_a_table_from_a_file(tmp_path):
    (tmp_path / "p.json").write_text('{"mine": {"input": 1, "output": 2.5}}')
    prices = read_prices(tmp_path / "p.json")
    assert cost("mine", prices, 1, 2_000_000, 1_000_000).dollars == 4.5
    assert read_prices(None) == {} and cost("other", prices, 1, 1, 1).dollars is None


@pytest.mark.parametrize("name", ["input", "output"])
@pytest.mark.parametrize("number", [float("nan"), float("inf"), -1, "1", None, True])
def test_a_price_is_a_number(tmp_path, name, number):
    table = {"mine": {"input": 1.0, "output": 1.0, name: number}}
    (tmp_path / "p.json").write_text(json.dumps(table))  # JSON of Python has NaN and Infinity
    for prices in (table, tmp_path / "p.json", str(tmp_path / "p.json")):
        with pytest.raises(ValueError, match=f"the {name} price of 'mine' is .*, no number from 0 on"):
            read_prices(prices)


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ({"nobody": 2}, r"expected \{\"model\": .*the price of 'nobody' is 2, without input and output"),
        ({"nobody": {"input": 1}}, "the price of 'nobody' has no 'output'"),
        ([1], r"it is \[1\]"),
    ],
)
def test_what_is_no_table(tmp_path, table, text):
    (tmp_path / "p.json").write_text(json.dumps(table))
    with pytest.raises(ValueError, match=f"Not a table of prices: .*{text}"):
        read_prices(table)
    with pytest.raises(ValueError, match=f"Not a table of prices in .*p.json: .*{text}"):
        read_prices(tmp_path / "p.json")
