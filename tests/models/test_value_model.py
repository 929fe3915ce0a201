"""The value model: values of the completion alone, equal however rows are padded, begun as a reward model."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from torch import Tensor

from atom_hf.models import MotionGPTForReward, MotionGPTForValue
from tests.models.tiny_models import EOS, PAD, tiny_config, tiny_motiongpt
from tests.models.trl_parts import checkpoint, load

ROWS = [[5, 6, 7, EOS, 56, 40, 41, 57, EOS], [9, EOS, 56, 44, EOS], [5, 6, 8, 9, 10, 11, EOS, 56, 50, 51, 52, EOS]]


@pytest.fixture(scope="module")
def value() -> MotionGPTForValue:
    torch.manual_seed(3)
    model = MotionGPTForValue.from_reward(MotionGPTForReward.from_policy(tiny_motiongpt())).eval()
    model.v_head.bias.data.fill_(0.3)  # as after training; zero states alone give no zero values
    return model


def values(model: MotionGPTForValue, ids: Tensor, mask: Tensor | None = None) -> Tensor:
    with torch.no_grad():
        logits = model(input_ids=ids, attention_mask=mask).logits
    assert logits.shape == (*ids.shape, 1)
    return logits[..., 0]


def test_values_stand_in_the_completion_only(value):
    for row in ROWS:
        found = values(value, torch.tensor([row]))[0]
        end = row.index(EOS)
        assert not found[:end].any()
        assert found[end:].abs().min() > 0 and found[end:].std() > 1e-3


def test_a_value_is_what_the_head_makes_of_the_decoder_state(value):
    """The value in column t is that of the state before the token of column t + 1 is written."""
    for row in ROWS:
        end = row.index(EOS)
        prompt, written = torch.tensor([row[: end + 1]]), torch.tensor([[0, *row[end + 1 :]]])
        with torch.no_grad():
            states = value.decoder(input_ids=written, encoder_hidden_states=value.encoder(prompt)[0])[0]
            expected = states @ value.v_head.weight[0] + value.v_head.bias
        torch.testing.assert_close(values(value, torch.tensor([row]))[:, end:], expected, rtol=0, atol=2e-5)


def test_a_value_does_not_depend_on_what_follows(value):
    row = ROWS[0]
    other = [*row[:6], 49, 50, EOS]
    one, two = values(value, torch.tensor([row, other]))
    torch.testing.assert_close(one[:6], two[:6], rtol=0, atol=1e-5)
    assert (one[6:] - two[6:]).abs().max() > 1e-3


@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_changes_nothing(value, side):
    width = max(map(len, ROWS)) + 3
    ids, mask = torch.full((len(ROWS), width), PAD), torch.zeros(len(ROWS), width, dtype=torch.long)
    places = [slice(0, len(row)) if side == "right" else slice(width - len(row), width) for row in ROWS]
    for i, (row, place) in enumerate(zip(ROWS, places, strict=True)):
        ids[i, place], mask[i, place] = torch.tensor(row), 1
    for given in (mask, mask.bool()):
        found = values(value, ids, given)
        for i, (row, place) in enumerate(zip(ROWS, places, strict=True)):
            alone = values(value, torch.tensor([row]))[0]
            torch.testing.assert_close(found[i, place], alone, rtol=0, atol=2e-5)
            assert not found[i, : place.start + row.index(EOS)].any()


def test_it_begins_as_the_reward_model():
    reward = MotionGPTForReward.from_policy(tiny_motiongpt())
    model = MotionGPTForValue.from_reward(reward)
    weights = model.state_dict()
    for name, weight in reward.transformer.state_dict().items():
        assert torch.equal(weights[name], weight) and weights[name].data_ptr() != weight.data_ptr(), name
    assert model.vqvae is None and model.config.vqvae_config is None


def test_head_of_a_new_model():
    torch.manual_seed(0)
    model = MotionGPTForValue(tiny_config(d_model=2048, d_ff=8, num_layers=1))
    weight = model.v_head.weight
    assert weight.shape == (1, 2048) and not model.v_head.bias.any()
    # Mean and deviation of 2048 draws from N(0, 0.2) lie within five standard errors.
    assert abs(weight.mean().item()) < 5 * 0.2 / 2048**0.5
    assert abs(weight.std().item() - 0.2) < 5 * 0.2 / (2 * 2048) ** 0.5


def test_a_loss_on_values_reaches_head_encoder_and_decoder(value):
    value.zero_grad()
    value(torch.tensor(ROWS[:1])).logits.square().sum().backward()
    for weight in (value.v_head.weight, value.shared.weight, value.encoder.block[0].layer[0].SelfAttention.q.weight):
        assert weight.grad is not None and weight.grad.abs().max() > 0
    value.zero_grad()


def test_save_and_load(tmp_path):
    folder = checkpoint(tmp_path / "policy")
    model = MotionGPTForValue.from_reward(MotionGPTForReward.from_policy(load(folder, moved=0.1))).eval()
    model.save_pretrained(tmp_path / "value")
    again = MotionGPTForValue.from_pretrained(tmp_path / "value")
    assert not again.training and type(again) is MotionGPTForValue
    ids = torch.tensor([again.processor.prompt_ids("a man jumps") + again.processor.motion_ids([3, 4])])
    assert torch.equal(values(again, ids), values(model, ids)) and values(again, ids).any()
    assert again.processor.num_codes == 16


def test_ids_are_needed(value):
    with pytest.raises(ValueError, match=r"Expected input_ids \[B, L\], got none"):
        value(attention_mask=torch.ones(1, 3))
