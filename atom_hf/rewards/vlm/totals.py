"""What the calls of a judge came to: requests, tokens, dollars, outcomes.

totals.cost(priced=True).explanation
→ "120 requests, 180,000 input and 14,400 output tokens: $0.5940, and up to $0.0200 for calls whose reply never came"
"""

from ...events.prompt_costs import Cost


class Totals:
    """What calls came to, in numbers; `dollars` are known, `uncertain` those of calls without a reply.

    Args:
        requests (`int`, *optional*, defaults to 0): requests sent.
        input_tokens (`int`, *optional*, defaults to 0): tokens sent, by the server's usage.
        output_tokens (`int`, *optional*, defaults to 0): tokens received.
        dollars (`float`, *optional*, defaults to 0.0): price of replies.
        uncertain (`float`, *optional*, defaults to 0.0): the most that calls cost whose reply never came.
    """

    def __init__(
        self,
        requests: int = 0,
        input_tokens: int = 0,
        output_tokens: int = 0,
        dollars: float = 0.0,
        uncertain: float = 0.0,
    ) -> None:
        self.requests, self.input_tokens, self.output_tokens = requests, input_tokens, output_tokens
        self.dollars, self.uncertain = dollars, uncertain
        self.outcomes: dict[str, int] = {}

    def add(self, outcome: str, input_tokens: int, output_tokens: int, dollars: float, calls: int = 1) -> None:
        """Count calls.

        Args:
            outcome (`str`): what came of them; `"open"` and `"lost"` count as uncertain money.
            input_tokens (`int`): tokens sent.
            output_tokens (`int`): tokens received.
            dollars (`float`): their price, or the most it can be.
            calls (`int`, *optional*, defaults to 1): how many they are.
        """
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + calls
        if not self.outcomes[outcome]:
            del self.outcomes[outcome]
        self.requests += calls
        self.input_tokens += input_tokens
        self.output_tokens += output_tokens
        if outcome in ("open", "lost"):
            self.uncertain += dollars
        else:
            self.dollars += dollars

    def cost(self, priced: bool) -> Cost:
        """The same as a [`Cost`].

        Args:
            priced (`bool`): whether the model has a price.

        Returns:
            [`Cost`]: with dollars if it has.
        """
        words = f"{self.requests} requests, {self.input_tokens:,} input and {self.output_tokens:,} output tokens"
        if not priced:
            return Cost(self.requests, self.input_tokens, self.output_tokens, None, f"{words}; no price is known")
        words += f": ${self.dollars:.4f}"
        if self.uncertain > 5e-5:  # less is shown as nothing
            words += f", and up to ${self.uncertain:.4f} for calls whose reply never came"
        return Cost(self.requests, self.input_tokens, self.output_tokens, self.dollars + self.uncertain, words)
