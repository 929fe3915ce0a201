"""What asking a language model costs: tokens, and dollars where a price is known.

prices.json: {"some-model": {"input": 0.4, "output": 1.6}} - dollars for a million tokens
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

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
    try:
        table = json.loads(Path(prices).read_text(encoding="utf-8")) if isinstance(prices, str | Path) else prices
        for price in table.values():
            if min(float(price["input"]), float(price["output"])) < 0:
                raise ValueError("a price is negative")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"Not a table of prices: {expected} ({error}).") from None
    return table


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
