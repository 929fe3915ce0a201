"""What judging will cost, before the first call.

estimate(items, store, price, "2026-03").explanation
→ "1000 requests (200 answers are at hand), 1,874,000 input and 250,000 output tokens: $7.19, at most $15.20 …"
"""

import sqlite3

from ...events.prompt_costs import Cost
from .budget import Price
from .items import Items
from .no_store import NoStore
from .store import Store

_SAMPLE = 8  # items that are drawn, evenly spread over all
_OUTPUT_TOKENS = 250  # of a reply, roughly


def estimate(items: Items, store: Store | NoStore, price: Price | None, as_of: str) -> Cost:
    """Requests, tokens and dollars of what is not answered yet.

    Args:
        items ([`Items`]): what is to be judged.
        store ([`Store`] or [`NoStore`]): what is known.
        price ([`Price`], *optional*): of the model.
        as_of (`str`): when the package's prices were looked up.

    Returns:
        [`Cost`]: the expected one; the explanation has the bound that a budget sets aside, without repairs.

    Raises:
        ValueError: if the store cannot be read.
    """
    missing, broken = [], 0
    for i in range(len(items)):
        try:
            if store.path is None or not store.has_item(items.digest(i)):
                missing.append(i)
        except sqlite3.Error as error:
            raise ValueError(f"{store.path} cannot be read ({error}).") from None
        except Exception:  # such an item will be unscored, and nothing asked
            broken += 1
    requests, mean, bound = 0, 0.0, 0.0
    sample = missing[:: max(1, -(-len(missing) // _SAMPLE))]
    drawn = 0
    for i in sample:
        try:
            questions = items.questions(i)
        except Exception:
            continue
        drawn += 1
        for question in questions:
            chat = question.messages(items.settings.structured)
            requests += 1
            mean += question.expected_tokens(chat)
            bound += question.most_tokens(chat)
    if drawn:
        scale = len(missing) / drawn
        requests, mean, bound = round(requests * scale), mean * scale, bound * scale
    output = requests * min(_OUTPUT_TOKENS, items.settings.max_tokens)
    words = f"{requests:,} requests, about {round(mean):,} input and {output:,} output tokens"
    if at_hand := len(items) - len(missing) - broken:
        words += f"; {at_hand:,} items are answered already"
    if price is None:
        words += f"; no price is known for {items.settings.model!r}"
        return Cost(requests, round(mean), output, None, words)
    dollars, most = price.of(mean, output), price.of(bound, requests * items.settings.max_tokens)
    words += f": ${dollars:.2f}, and at most ${most:.2f} (the package's prices are of {as_of}; a batch costs half)"
    return Cost(requests, round(mean), output, dollars, words)
