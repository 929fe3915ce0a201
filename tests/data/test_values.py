"""Values one by one: whatever comes, the message is short, and says what was expected."""

import pytest

from atom_hf.data.schema import faults
from atom_hf.data.values import is_scenario, shown, value_fault
from tests.data.made_annotations import make_row


@pytest.mark.parametrize(
    ("value", "kind", "fault"),
    [
        (7, "string", "expected text, got 7"),
        (True, "float", "expected a finite number, got True"),
        (-(10**400), "float", f"expected a finite number, got -1{'0' * 78}"),
        (2**63, "integer", f"expected an integer of at most 64 bits, got {2**63}"),
        ([5, 600], "codes", "expected codes from 0 to 511, got [600]"),
        ({"role": "user"}, "messages", "expected a list of {\"role\": text, \"content\": text}, got {'role': 'user'}"),
        (3.4e38, "float", None),
        (-(2**63), "integer", None),
        ([0, 511], "codes", None),
        ([], "votes", None),
    ],
)
def test_value_fault(value, kind, fault):
    assert value_fault(value, kind, 512) == fault


def test_integers_that_python_does_not_write_out():
    row = make_row(1) | {"chosen_score": 10**5000, "chosen_seed": 10**5000, "chosen_codes": [10**5000]}
    assert faults(row) == [
        "chosen_codes: expected codes from 0 to 511, got a list that is too long to show",
        "chosen_score: expected a finite number, got an integer that is too long to show",
        "chosen_seed: expected an integer of at most 64 bits, got an integer that is too long to show",
    ]
    assert shown("x" * 99) == "'" + "x" * 79


@pytest.mark.parametrize(
    ("text", "fine"),
    [('{"events": []}', True), ("{}", True), ("not json", False), ("[1, 2]", False), ("5", False), ("", False)],
)
def test_is_scenario(text, fine):
    assert is_scenario(text) == fine
    assert not is_scenario("[" * 100_000)
