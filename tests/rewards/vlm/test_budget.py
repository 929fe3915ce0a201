"""Budget: what is set aside and spent never passes it."""

import random
import threading

import pytest

from atom_hf.rewards.vlm.budget import Budget, Price, find_price, prices_as_of


def test_money_is_set_aside_and_given_back():
    budget = Budget(1.0)
    held = budget.reserve(0.6)
    assert held == 0.6 and budget.reserve(0.6) is None and not budget.is_used_up(0.6)
    budget.settle(held, paid=0.1)
    assert (budget.spent, budget.held) == (pytest.approx(0.1), 0)
    assert budget.reserve(0.9) == 0.9
    assert budget.is_used_up(0.91)


def test_after_a_call_that_cost_more_than_thought_more_is_set_aside():
    budget = Budget(10.0)
    budget.settle(budget.reserve(0.5), paid=1.0)
    assert budget.reserve(0.5) == 1.0


def test_from_many_threads():
    budget = Budget(1.0)

    def spend(seed):
        rng = random.Random(seed)
        for _ in range(300):
            held = budget.reserve(0.01)
            assert budget.spent + budget.held <= 1.0 + 1e-6
            if held is not None:
                budget.settle(held, paid=rng.choice([0.0, 0.005, 0.01]))

    threads = [threading.Thread(target=spend, args=[i]) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0.985 < budget.spent <= 1.0 + 1e-6 and budget.held == pytest.approx(0, abs=1e-9)


def test_what_a_store_remembers_counts_once():
    budget = Budget(1.0)
    budget.carry_over("a", 0.3)
    budget.carry_over("a", 0.3)
    budget.carry_over("b", 0.2)
    assert budget.spent == 0.5


def test_prices():
    price = find_price("gpt-4o-2024-11-20")
    assert price.of(1_000_000, 100_000) == 2.5 + 1.0
    assert find_price("gpt-4o-2024-05-13").input == 5.0
    assert find_price("gpt-4o-mini").input == 0.15
    assert find_price("llava") is None and find_price("gpt-4o-audio") is None
    assert find_price("llava", {"llava": {"input": 1, "output": 2}}).of(1e6, 1e6) == 3
    assert find_price("gpt-4o", {"gpt-4o": {"input": 1, "output": 2}}).input == 1
    assert prices_as_of() >= "2026-03"


@pytest.mark.parametrize("dollars", [0, -1.0, float("nan"), float("inf")])
def test_bad_amounts(dollars):
    with pytest.raises(ValueError, match="A budget is an amount of dollars above zero"):
        Budget(dollars)


@pytest.mark.parametrize("dollars", ["5", None, True, [1]])
def test_what_is_no_amount(dollars):
    with pytest.raises(ValueError, match="A budget is an amount of dollars above zero"):
        Budget(dollars)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_budget_is_not_switched_off_by_what_is_no_number(number):
    budget = Budget(1.0)
    with pytest.raises(ValueError, match="What a call may cost is an amount of dollars"):
        budget.reserve(number)
    with pytest.raises(ValueError, match="What a call cost is an amount of dollars"):
        budget.settle(0.0, number)
    assert (budget.spent, budget.held) == (0, 0)
    with pytest.raises(ValueError, match="A price is a number of dollars from 0 on"):
        Price(1.0, number)
    with pytest.raises(ValueError, match="no number from 0 on"):
        find_price("gpt-4o", {"gpt-4o": {"input": number, "output": 1.0}})


def test_a_shortage_is_told_with_its_numbers():
    budget = Budget(0.03)
    budget.settle(budget.reserve(0.01), 0.005)
    assert budget.shortage(0.0262) == (
        "the budget of $0.03 is used up but for $0.0250 ($0.0050 spent), and the next call may cost up to $0.0262; "
        "a budget of $0.0312 would allow that one"
    )


def test_what_other_processes_spend_counts_as_it_grows():
    budget = Budget(1.0)
    budget.carry_over("a", 0.3, elsewhere=0.1)
    budget.settle(budget.reserve(0.05), 0.05)
    budget.carry_over("a", 0.35, elsewhere=0.1)  # what it paid itself is counted already
    assert budget.spent == pytest.approx(0.35)
    budget.carry_over("a", 0.55, elsewhere=0.3)
    assert budget.spent == pytest.approx(0.55)
    budget.correct("a", -0.2)  # a call of theirs was cheaper than thought
    budget.carry_over("a", 0.45, elsewhere=0.2)
    assert budget.spent == pytest.approx(0.45)
