"""Rows of a causal model, cut into what an encoder and a decoder read, and laid back together."""

import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor

from atom_hf.models.prefix_lm import check_gradient, check_rows, prompt_end, scatter, split, unique_rows

EOS, PAD, BEGIN = 1, 0, 9  # another start token than the padding, so that they cannot be confused


def rows(*texts: str) -> tuple[Tensor, Tensor]:
    """Ids and mask; `.` is padding with mask 0, `|` is </s>, `'` a masked </s>, letters are tokens from 10."""
    kinds = {".": PAD, "|": EOS, "'": EOS}
    ids = [[kinds.get(letter, ord(letter) - ord("a") + 10) for letter in text] for text in texts]
    mask = [[letter not in ".'" for letter in text] for text in texts]
    return torch.tensor(ids), torch.tensor(mask)


def text_of(ids: Tensor, mask: Tensor) -> list[str]:
    names = {EOS: "|", BEGIN: ">"}
    return [
        "".join(
            names.get(i, chr(i - 10 + ord("a")) if i else "0") if m else "." for i, m in zip(row, kept, strict=True)
        )
        for row, kept in zip(ids.tolist(), mask.tolist(), strict=True)
    ]


def cut(*texts: str):
    ids, mask = rows(*texts)
    return split(ids, mask, eos=EOS, pad=PAD, start=BEGIN)


def test_prompt_and_completion_are_cut_at_the_first_attended_end():
    batch = cut("..ab|xyz|", "abcde|x|.", "''a|xyzw|")
    assert text_of(batch.encoder_ids, batch.encoder_mask) == ["..ab|.", "abcde|", "..a|.."]
    assert text_of(batch.decoder_ids, batch.decoder_mask) == [">xyz|.", ">x|...", ">xyzw|"]
    assert batch.boundary.tolist() == [4, 5, 3]
    assert batch.encoder_ids[0].tolist() == [PAD, PAD, 10, 11, EOS, PAD]  # no completion left behind the prompt
    assert (batch.decoder_ids[~batch.decoder_mask.bool()] == PAD).all()


def test_parts_are_as_narrow_as_the_batch_allows():
    batch = cut("ab|xyz|..", "a|xyz|...")
    assert batch.encoder_ids.shape == (2, 3) and batch.decoder_ids.shape == (2, 5)


def test_padding_between_prompt_and_completion_takes_no_step():
    """As in prompts that were padded on the right before a completion was written behind them."""
    batch = cut("ab|..xy|", "abcd|x|.", "a|.x.y|.")
    assert text_of(batch.decoder_ids, batch.decoder_mask) == [">xy|", ">x|.", ">xy|"]
    assert batch.step.tolist() == [
        [-1, -1, 0, 0, 0, 1, 2, 3],
        [-1, -1, -1, -1, 0, 1, 2, 2],
        [-1, 0, 0, 1, 1, 2, 3, 3],
    ]


def test_rows_without_an_end_are_prompts_to_the_last_column():
    ids, mask = rows("abc", "ab.", "a|x")
    assert prompt_end(ids, mask, EOS).tolist() == [2, 2, 1]
    batch = cut("abc", "ab.", "a|x")
    assert text_of(batch.encoder_ids, batch.encoder_mask) == ["abc", "ab.", "a|."]
    assert text_of(batch.decoder_ids, batch.decoder_mask) == [">.", ">.", ">x"]


def test_states_go_back_to_the_columns_they_score():
    batch = cut("..ab|xyz|", "a|x|.....", "a|..xyz|.")
    hidden = torch.arange(1.0, 16.0).view(3, 5, 1)
    back = scatter(hidden, batch.step)[..., 0]
    # Column 4 of the first row holds </s>; the first step scores what stands in column 5.
    assert back[0].tolist() == [0, 0, 0, 0, 1, 2, 3, 4, 5]
    assert back[1, :4].tolist() == [0, 6, 7, 8]
    assert back[2, :8].tolist() == [0, 11, 11, 11, 12, 13, 14, 15]  # column 3 scores column 4, behind the gap


def test_scatter_carries_gradients_of_the_columns_only():
    hidden = torch.ones(1, 3, 2, requires_grad=True)
    scatter(hidden, torch.tensor([[-1, 0, 1, 2]]))[0, :2].sum().backward()
    assert hidden.grad[0, :, 0].tolist() == [1, 0, 0]


@pytest.mark.parametrize("texts", [("a|x|",), ("a|x",), ("..a|xy|..",), ("a|x''",), ("|x|",), ("a||",)])
def test_rows_of_one_prompt_and_one_completion_pass(texts):
    check_rows(*rows(*texts), EOS)


@pytest.mark.parametrize(
    ("texts", "text"),
    [
        (("a|x|", "ab.."), "1 of 2 rows have nothing behind the first </s>: their prompt is not closed"),
        (("abx|",), "1 of 1 rows have nothing behind the first </s>"),
        (("abx|..", "ab|'''", "..abx|"), "3 of 3 rows have nothing behind the first </s>"),
        (("a|x|b|y|",), "1 of 1 rows go on behind their second </s>: several turns"),
        (("a|x||", "a|x|."), "1 of 2 rows go on behind their second </s>"),
    ],
)
def test_other_rows_are_refused(texts, text):
    width = max(map(len, texts))
    with pytest.raises(ValueError, match=text) as error:
        check_rows(*rows(*(row.ljust(width, ".") for row in texts)), EOS)
    assert "processor.as_messages" in str(error.value)


def test_equal_rows_are_found():
    ids, mask = rows("ab|.", "cd|.", "ab|.", "ab..", "cd|.")
    first, kind = unique_rows(ids, mask)
    assert sorted(first.tolist()) == [0, 1, 3]
    assert torch.equal(ids[first][kind], ids) and torch.equal(mask[first][kind], mask)
    assert unique_rows(*rows("ab|", "cd|")) is None
    # Equal ids under different masks are different rows.
    assert unique_rows(torch.tensor([[5, 0], [5, 0]]), torch.tensor([[1, 0], [1, 1]])) is None


def test_a_gradient_in_the_prompt_is_refused():
    gradient = torch.zeros(2, 5, 3)
    boundary = torch.tensor([2, 1])
    gradient[0, 2:], gradient[1, 1:] = 1, -1
    check_gradient(gradient, boundary)
    gradient[0, 1, 2] = -1e-9
    with pytest.raises(ValueError, match="Labels stand in the prompt, which the encoder reads and nothing predicts"):
        check_gradient(gradient, boundary)
