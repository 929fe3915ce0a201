"""The reward model: the original's numbers, one reward a row however it is padded, trained by TRL as it is."""

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
import torch.nn.functional as F
from torch import Tensor

from atom_hf.models import MotionGPTForPreference, MotionGPTForReward, MotionGPTProcessor, load_motion_tokenizer
from atom_hf.models.reward_model import SEPARATOR
from tests.models.tiny_models import EOS, PAD, tiny_motiongpt
from tests.models.trl_parts import CAPTIONS, NUM_CODES, ROWS, checkpoint, load, tokenizer_of

GOLDEN = Path(__file__).parent.parent / "golden"
CODES = [[3, 9, 4], [1], [7] * 12, [2, 2]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return checkpoint(tmp_path_factory.mktemp("reward"))


@pytest.fixture(scope="module")
def reward(folder) -> MotionGPTForReward:
    torch.manual_seed(0)
    return spread(MotionGPTForReward.from_policy(load(folder, moved=0.1)).eval())


def spread(model: MotionGPTForReward) -> MotionGPTForReward:
    """With a head whose rewards of different rows differ by more than rounding."""
    with torch.no_grad():
        for weight in model.classification_head.parameters():
            weight.normal_(0, 0.3, generator=torch.Generator().manual_seed(5))
    return model


def batch(rows: list[list[int]], side: str = "right") -> Tensor:
    width = max(map(len, rows))
    empty = [[PAD] * (width - len(row)) for row in rows]
    return torch.tensor([row + pad if side == "right" else pad + row for row, pad in zip(rows, empty, strict=True)])


def rewards(model: Any, ids: Tensor, mask: Tensor | None = None) -> Tensor:
    with torch.no_grad():
        logits = model(input_ids=ids, attention_mask=mask).logits
    assert logits.shape == (len(ids), 1)
    return logits[:, 0]


def test_a_new_head_begins_near_zero(folder):
    """From where both motions of a pair are as good: weights of N(0, 1) would begin with errors to unlearn."""
    torch.manual_seed(0)
    model = MotionGPTForReward.from_policy(load(folder))
    for layer in (model.classification_head.dense, model.classification_head.out_proj):
        assert 0.5 < layer.weight.std() * (model.config.d_model + 1) ** 0.5 < 2 and not layer.bias.any()
    again = MotionGPTForReward.from_pretrained(_saved(model, folder.parent / "head"))
    assert torch.equal(again.classification_head.dense.weight, model.classification_head.dense.weight)


def _saved(model: MotionGPTForReward, folder: Path) -> Path:
    model.save_pretrained(folder)
    return folder


# Agreement with the original -----------------------------------------------------------------------------------------


def _drawn(name: str, shape: torch.Size) -> Tensor:
    """The rule of golden/README.md for weights that are in no file."""
    scale = 1 / np.sqrt(np.prod(shape[1:])) if len(shape) > 1 else 0.02
    numbers = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode()))).standard_normal(tuple(shape))
    return torch.from_numpy(np.float32(scale * numbers))


@pytest.fixture(scope="module")
def original() -> MotionGPTForReward:
    model = MotionGPTForReward.from_policy(MotionGPTForPreference.from_pretrained(GOLDEN / "c_tiny_lm")).eval()
    with torch.no_grad():
        for name, weight in model.classification_head.named_parameters():
            weight.copy_(_drawn(f"rm.classification_head.{name}", weight.shape))
    return model


@pytest.mark.parametrize("kind", ["chosen", "rejected"])
def test_rewards_of_the_original(original, kind):
    with np.load(GOLDEN / "f_reward_tiny.npz") as data:
        ids, expected = torch.from_numpy(data[f"{kind}/input_ids"]), data[f"{kind}/logits_masked"][:, 0]
    assert (ids[:, -1] == PAD).any() and np.ptp(expected) > 0.05
    left = batch([row[row != PAD].tolist() for row in ids], "left")
    for rows in (ids, left, torch.nn.functional.pad(left, (7, 5))):
        for mask in (None, (rows != PAD).long()):
            np.testing.assert_allclose(rewards(original, rows, mask), expected, rtol=0, atol=2e-6)


def test_rows_of_the_original(original, shared):
    """Prompt, separator and motion come out as the ids that the original was called with."""
    tokenizer = load_motion_tokenizer(shared / "golden" / "c_tiny_lm" / "base_tokenizer")
    original.processor = MotionGPTProcessor(tokenizer)
    with np.load(GOLDEN / "f_reward_tiny.npz") as data:
        ids, expected = data["chosen/input_ids"], data["chosen/logits_masked"][:, 0]
    prompts = [
        "a person walks forward.", "the man jumps twice", "a woman turns to the left", "she sits down carefully"
    ]  # fmt: skip
    start = original.config.motion_token_range.start
    codes = [[int(i) - start for i in row if start <= i < start + 512] for row in ids]
    for prompt, motion, row in zip(prompts, codes, ids, strict=True):
        assert original.row_ids(prompt, motion) == row[row != PAD].tolist()
    np.testing.assert_allclose(original.score(prompts, codes, batch_size=3), expected, rtol=0, atol=2e-6)


# Rows ----------------------------------------------------------------------------------------------------------------


def test_padding_changes_nothing(reward):
    rows = [reward.row_ids(prompt, codes) for prompt, codes in zip(CAPTIONS, CODES, strict=True)]
    alone = torch.cat([rewards(reward, torch.tensor([row])) for row in rows])
    assert alone.std() > 0.05
    for side in ("left", "right"):
        ids = batch(rows, side)
        for mask in (None, (ids != PAD).long(), ids != PAD):
            torch.testing.assert_close(rewards(reward, ids, mask), alone, rtol=0, atol=2e-6)


def test_the_last_end_counts_and_two_in_a_row_are_one(reward):
    row, other = reward.row_ids(CAPTIONS[0], CODES[0]), reward.row_ids(CAPTIONS[0], CODES[1])
    expected = rewards(reward, torch.tensor([row]))
    assert row.count(EOS) == 1 and row[-1] == EOS
    for ids in (batch([[*row, EOS], other]), batch([[*row, EOS, EOS], other], "left")):
        torch.testing.assert_close(rewards(reward, ids)[:1], expected, rtol=0, atol=2e-6)
    # Two turns: the state at the second end is read.
    ids = torch.tensor([[*row[:4], EOS, *row[4:]]])
    hidden = []
    hook = reward.classification_head.register_forward_pre_hook(lambda _, given: hidden.append(given[0]))
    found = rewards(reward, ids)
    hook.remove()
    with torch.no_grad():
        states = reward.transformer(input_ids=ids, decoder_input_ids=reward._shift_right(ids)).last_hidden_state
    torch.testing.assert_close(hidden[0], states[:, -1], rtol=0, atol=1e-5)
    assert abs(found - expected) > 1e-3


def test_rows_that_are_cut_off_are_refused(reward):
    row = reward.row_ids(CAPTIONS[0], CODES[0])
    cut = batch([row[:-1], row, row[:-1]])
    with pytest.raises(ValueError, match=r"2 of 3 rows have no </s>, at which the reward is read.* raise max_length"):
        reward(input_ids=cut)
    masked = torch.tensor([[1] * (len(row) - 1) + [0]])
    with pytest.raises(ValueError, match="1 of 1 rows have no </s>"):
        reward(input_ids=torch.tensor([row]), attention_mask=masked)
    with pytest.raises(ValueError, match=r"Expected input_ids \[B, L\], got none"):
        reward(attention_mask=masked)


def test_squared_error_of_given_rewards(reward):
    ids = batch([reward.row_ids(CAPTIONS[0], CODES[0]), reward.row_ids(CAPTIONS[1], CODES[1])])
    wanted = torch.tensor([0.5, -1.0])
    output = reward(input_ids=ids, labels=wanted)
    squares = (rewards(reward, ids) - wanted) ** 2
    assert output.loss.item() == pytest.approx(squares.mean().item(), rel=1e-5)
    assert reward(input_ids=ids).loss is None


# score ---------------------------------------------------------------------------------------------------------------


def test_scores_in_order_whatever_the_batch(reward):
    prompts, codes = CAPTIONS * 2, CODES + CODES[::-1]
    expected = torch.cat(
        [rewards(reward, torch.tensor([reward.row_ids(*pair)])) for pair in zip(prompts, codes, strict=True)]
    )
    for size in (1, 3, 32):
        found = reward.score(prompts, codes, batch_size=size)
        assert found.shape == (8,) and found.dtype == torch.float32 and not found.requires_grad
        torch.testing.assert_close(found, expected, rtol=0, atol=2e-6)
    torch.testing.assert_close(reward.score(prompts, [np.array(c) for c in codes]), expected, rtol=0, atol=2e-6)
    assert reward.score([], []).shape == (0,)


def test_a_row_is_prompt_separator_motion(reward):
    text = reward.processor.tokenizer.decode(reward.row_ids(CAPTIONS[0], [3, 9]))
    motion = f"<motion_id_{NUM_CODES}><motion_id_3><motion_id_9><motion_id_{NUM_CODES + 1}>"
    assert text == f"Generate motion: {CAPTIONS[0]}{SEPARATOR}{motion}</s>"
    assert reward.row_ids("a </s> b", [3]).count(EOS) == 1  # words, as in the policy's prompts


def test_scoring_leaves_the_mode_as_it_was(reward, monkeypatch):
    reward.train()
    seen: list[bool] = []
    hook = reward.register_forward_pre_hook(lambda *_: seen.append(reward.training))
    reward.score(CAPTIONS[:1], CODES[:1])
    assert reward.training and seen == [False]
    monkeypatch.setattr(reward, "forward", lambda **_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        reward.score(CAPTIONS[:1], CODES[:1])
    hook.remove()
    assert reward.training
    reward.eval()


@pytest.mark.parametrize(
    ("prompts", "codes", "options", "message"),
    [
        (["a", "b"], [[1]], {}, "a motion for each prompt, got 2 prompts and 1 motions"),
        ([""], [[1]], {}, "got an empty prompt"),
        (["a " * 400], [[1]], {}, "more than the 256"),
        (["a"], [[NUM_CODES]], {}, rf"from 0 to {NUM_CODES - 1}, got \[{NUM_CODES}\]"),
        (["a"], [[1]], {"batch_size": 0}, "batch_size of at least 1, got 0"),
        (["a"], [[1]], {"batch_size": -1}, "batch_size of at least 1, got -1"),
    ],
)
def test_mistakes_are_explained(reward, prompts, codes, options, message):
    with pytest.raises(ValueError, match=message):
        reward.score(prompts, codes, **options)


# Copies and files ----------------------------------------------------------------------------------------------------


def test_it_begins_as_the_policy(folder):
    policy = load(folder, moved=0.1)
    model = MotionGPTForReward.from_policy(policy)
    weights = policy.state_dict()
    for name, weight in model.transformer.state_dict().items():
        assert torch.equal(weight, weights[name]) and weight.data_ptr() != weights[name].data_ptr(), name
    assert not any("vqvae" in name or "lm_head" in name for name in model.state_dict())
    assert model.config.num_labels == 1 and model.config.vqvae_config is None and not model.config.motion_only
    assert policy.config.vqvae_config is not None  # the policy's own is as it was
    assert model.processor.num_codes == NUM_CODES  # from the policy's folder


def test_a_policy_without_a_folder(reward):
    policy = tiny_motiongpt()
    model = MotionGPTForReward.from_policy(policy)
    with pytest.raises(ValueError, match=r"made in memory and has no tokenizer: set model.processor = "):
        model.score(["walk"], [[1]])
    policy.processor = reward.processor
    assert MotionGPTForReward.from_policy(policy).processor is reward.processor


def test_save_and_load(reward, tmp_path):
    reward.save_pretrained(tmp_path / "saved")
    names = {path.name for path in (tmp_path / "saved").iterdir()}
    assert {"model.safetensors", "config.json", "tokenizer.json", "processor_config.json", "README.md"} <= names
    again = MotionGPTForReward.from_pretrained(tmp_path / "saved")
    assert not again.training and again.config.num_labels == 1
    assert torch.equal(again.score(CAPTIONS, CODES), reward.score(CAPTIONS, CODES))
    assert again.config.architectures == ["MotionGPTForReward"]


def test_dropout_of_attention_follows_the_layers(folder):
    model = MotionGPTForReward.from_policy(load(folder))
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.5
    attention = model.transformer.encoder.block[0].layer[0].SelfAttention
    assert model.train().training and attention.dropout == 0.5


# TRL -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["strings", "messages"])
def test_reward_trainer(folder, tmp_path, form):
    """TRL's unmodified trainer: the first loss is that of rewards computed row by row, and it falls."""
    trl = pytest.importorskip("trl")
    from datasets import Dataset

    tokenizer = tokenizer_of(folder)
    model = spread(MotionGPTForReward.from_policy(load(folder, moved=0.1)))
    if form == "strings":
        texts = [[f"{row.prompt}{SEPARATOR}{motion}" for motion in row[1:]] for row in ROWS]
        rows = [{"chosen": chosen, "rejected": rejected} for chosen, rejected in texts]
        ids = [[tokenizer(text).input_ids for text in pair] for pair in texts]
    else:
        said = [[{"role": "user", "content": row.prompt}] for row in ROWS]
        rows = [
            {"prompt": prompt} | {
                name: [{"role": "assistant", "content": getattr(row, name)}] for name in ("chosen", "rejected")
            }
            for prompt, row in zip(said, ROWS, strict=True)
        ]  # fmt: skip
        ids = [
            [
                tokenizer.apply_chat_template(row["prompt"] + row[name], tokenize=True, return_dict=False)
                for name in ("chosen", "rejected")
            ]
            for row in rows
        ]
    model.eval()
    scores = torch.tensor([[rewards(model, torch.tensor([row])).item() for row in pair] for pair in ids])
    expected = -F.logsigmoid(scores[:, 0] - scores[:, 1]).mean().item()
    assert abs(expected - 0.6931) > 0.005  # of rewards that are all equal
    arguments = {
        "output_dir": str(tmp_path), "max_steps": 3, "per_device_train_batch_size": 4, "learning_rate": 1e-2,
        "logging_steps": 1, "report_to": "none", "use_cpu": True, "bf16": False, "save_strategy": "no",
        "gradient_checkpointing": False, "disable_tqdm": True,
    }  # fmt: skip
    trainer = trl.RewardTrainer(
        model=model,
        args=trl.RewardConfig(**arguments),
        processing_class=tokenizer,
        train_dataset=Dataset.from_list(rows),
    )
    trainer.train()
    log = [entry for entry in trainer.state.log_history if "loss" in entry]
    assert log[0]["loss"] == pytest.approx(expected, rel=2e-4)
    assert log[0]["margin"] == pytest.approx(float((scores[:, 0] - scores[:, 1]).mean()), abs=2e-4)
    assert log[-1]["loss"] < 0.8 * log[0]["loss"] and log[-1]["accuracy"] == 1
