"""Names that come twice and prompts in two splits are found, whatever the spelling."""

import pytest

from atom_hf.data.uniqueness import OneSplit, Unique


def test_unique():
    unique = Unique()
    assert [unique.is_new(name) for name in ("a", "b", "a", "", "", "A")] == [True, True, False, True, False, True]


@pytest.mark.parametrize(
    ("prompt_id", "prompt", "split", "fault"),
    [
        ("p1", "A man walks", "train", None),
        ("p2", "a man runs", "test", None),
        ("p2", "a man walks.", "train", None),
        ("p1", "A man   walks!", "train", None),
        ("p1", "A man walks", "test", "expected prompt_id 'p1' in one split, but it is in train and in test"),
        (
            "p1",
            "a man runs",
            "train",
            "expected one prompt of prompt_id 'p1', but it had another one before 'a man runs'",
        ),
        ("p1", "a man runs", "test", "expected prompt_id 'p1' in one split, but it is in train and in test"),
        ("p2", " A  MAN WALKS! ", "test", "expected prompt ' A  MAN WALKS! ' in one split, but it is in train"),
        ("a man walks", "p1", "test", None),  # names and words are told apart
    ],
)
def test_one_split(prompt_id, prompt, split, fault):
    guard = OneSplit()
    assert guard.fault("p1", "a man walks", "train") is None
    found = guard.fault(prompt_id, prompt, split)
    assert found is None if fault is None else found is not None and found.startswith(fault)
