"""Splits by prompt: the same everywhere and for ever, blind to spelling, and of the size that was asked for."""

import hashlib

import pytest

from atom_hf.data.splits import split_of_prompt, words_of


def test_known_prompts_stay_where_they_are():
    # These never change: whoever trained on the train split may test on the test split of another machine.
    prompts = [f"a person walks {i} steps" for i in range(30)]
    held_out = [i for i, prompt in enumerate(prompts) if split_of_prompt(prompt) == "test"]
    assert held_out == [1, 29]
    digest = hashlib.sha256(b"0 a person walks 29 steps").digest()
    assert int.from_bytes(digest[:7], "big") / 2**56 < 0.1


def test_spelling_makes_no_difference():
    same = ["A man jumps, then waves!", "a man  jumps then waves", "  A MAN JUMPS -- then\nwaves."]
    assert {words_of(prompt) for prompt in same} == {"a man jumps then waves"}
    for seed in range(20):
        assert len({split_of_prompt(prompt, 0.5, seed) for prompt in same}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("une fille fait un demi-tour à l’école", "une fille fait un demi-tour a\u0300 l’e\u0301cole"),  # NFC and NFD
        ("ÉTÉ", "e\u0301te\u0301"),
        ("a man waves \uff12 times", "a man waves 2 times"),
        ("ﬁgure eight", "figure eight"),
        ("ǰump", "J\u030cump"),  # lower case takes this letter apart
    ],
)
def test_unicodes_spellings_make_no_difference(one, other):
    assert words_of(one) == words_of(other)
    assert len({split_of_prompt(prompt, 0.5) for prompt in (one, other)}) == 1


def test_words_make_a_difference():
    assert len({split_of_prompt(f"a man jumps {i} times", 0.5) for i in range(20)}) == 2


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_share_is_what_was_asked_for(share):
    held_out = sum(split_of_prompt(f"prompt {i}", share) == "test" for i in range(4000)) / 4000
    assert held_out == pytest.approx(share, abs=0.02)
    assert share not in (0.0, 1.0) or held_out == share


def test_a_larger_share_holds_out_more_and_never_others():
    small = {i for i in range(500) if split_of_prompt(f"prompt {i}", 0.1) == "test"}
    large = {i for i in range(500) if split_of_prompt(f"prompt {i}", 0.3) == "test"}
    assert small < large


def test_seed_gives_another_division():
    first, second = ([split_of_prompt(f"prompt {i}", 0.5, seed) for i in range(200)] for seed in (0, 1))
    assert 0.3 < sum(a == b for a, b in zip(first, second, strict=True)) / 200 < 0.7


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_no_share(share):
    with pytest.raises(ValueError, match="test_share is a share of the prompts, from 0 to 1, got"):
        split_of_prompt("a man", share)
