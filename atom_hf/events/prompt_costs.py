"""What asking a language model costs: tokens, and dollars where a price is known.

prices.json: {"some-model": {"input": 0.4, "output": 1.6}} - dollars for a million tokens
"""

import json
import math
from collections.abc import Mapping
from numbers import Real
from pathlib import Path
from typing import Any, NamedTuple

Prices = Mapping[str, Mapping[str, float]]


class Cost(NamedTuple):
    """Tokens and dollars, expected or spent.

    Args:
        requests (`int`): number of requests.
        input_tokens (`int`): tokens sent.
        output_tokens (`int`): tokens received.
        dollars (`float`, *optional*): price, or `None` where the model has none in the table.
        explanation (`str`): the same in words.
    """

    requests: int
    input_tokens: int
    output_tokens: int
    dollars: float | None
    explanation: str


def read_prices(prices: str | Path | Prices | None) -> Prices:
    """A table of prices.

    Args:
        prices (`str`, `Path` or mapping, *optional*): a JSON file or its content: model → dollars for a million
            `input` and `output` tokens.

    Returns:
        `Mapping[str, Mapping[str, float]]`: the table, empty for `None`.

    Raises:
        ValueError: if the table has another form.
    """
    if prices is None:
        return {}
    expected = 'expected {"model": {"input": 0.4, "output": 1.6}}, dollars for a million tokens'
    named = f" in {prices}" if isinstance(prices, str | Path) else ""
    try:
        table = json.loads(Path(prices).read_text(encoding="utf-8")) if isinstance(prices, str | Path) else prices
        if not isinstance(table, Mapping):
            raise ValueError(f"it is {table!r:.80}")
        for model, price in table.items():
            _check(model, price)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"Not a table of prices{named}: {expected} ({error}).") from None
    return table


def _check(model: Any, price: Any) -> None:
    if not isinstance(price, Mapping):
        raise ValueError(f"the price of {model!r} is {price!r:.80}, without input and output")
    for name in ("input", "output"):
        if name not in price:
            raise ValueError(f"the price of {model!r} has no {name!r}")
        number = price[name]
        # NaN is neither above nor below any budget, so it would switch a budget off.
        if isinstance(number, bool) or not isinstance(number, Real) or not 0 <= float(number) < math.inf:
            raise ValueError(f"the {name} price of {model!r} is {number!r:.80}, no number from 0 on")


def cost(model: str, prices: Prices, requests: int, input_tokens: int, output_tokens: int) -> Cost:
    """What so many tokens cost.

    Args:
        model (`str`): name of the model.
        prices (`Mapping`): dollars for a million `input` and `output` tokens of each model.
        requests (`int`): number of requests.
        input_tokens (`int`): tokens sent.
        output_tokens (`int`): tokens received.

    Returns:
        [`Cost`]: with dollars where the model has a price.
    """
    tokens = f"{requests} requests, {input_tokens:,} input and {output_tokens:,} output tokens"
    if model not in prices:
        return Cost(requests, input_tokens, output_tokens, None, f"{tokens}; the table has no price for {model!r}")
    dollars = (input_tokens * prices[model]["input"] + output_tokens * prices[model]["output"]) / 1e6
    return Cost(requests, input_tokens, output_tokens, dollars, f"{tokens}: ${dollars:.4f}")
