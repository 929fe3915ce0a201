"""The reward model's training: margins, the rows that `score` reads, an early stop, and what is saved."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import EarlyStoppingCallback
from transformers.modeling_outputs import SequenceClassifierOutput
from trl import RewardTrainer

from atom_hf.models import MotionGPTForReward
from atom_hf.models.reward_model import SEPARATOR
from atom_hf.trainer.reward_config import MotionRewardConfig
from atom_hf.trainer.reward_trainer import MotionRewardTrainer, load_reward
from tests.models.trl_parts import BAD, GOOD, load
from tests.trainer.conftest import DEGREES, losses, message, pair_rows


def trainer_of(model: Any, dataset: Any, small: dict[str, Any], **options: Any) -> MotionRewardTrainer:
    given = {name: options.pop(name) for name in ("eval_dataset", "peft_config", "callbacks") if name in options}
    args = MotionRewardConfig(**{**small, "learning_rate": 1e-3, **options})
    return MotionRewardTrainer(model, args, train_dataset=dataset, **given)


def batch_of(trainer: MotionRewardTrainer, count: int = 4) -> dict[str, Any]:
    return trainer.data_collator([trainer.train_dataset[i] for i in range(count)])


class Given(torch.nn.Module):
    """A model that says what it is told to."""

    def __init__(self, chosen: np.ndarray, rejected: np.ndarray) -> None:
        super().__init__()
        both = np.concatenate([chosen, rejected]).astype(np.float32)
        self.logits = torch.nn.Parameter(torch.from_numpy(both).reshape(-1, 1))

    def forward(self, **_: Any) -> SequenceClassifierOutput:
        return SequenceClassifierOutput(logits=self.logits)


# Losses --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "sign"), [("margin", 1), ("nomargin", -1)])
def test_losses_of_the_original_pair_by_pair(model, pairs, small, shared, kind, sign):
    """Its own run made a [B, B] of [B, 1] and [B], and its loss without margins has the wrong sign."""
    with np.load(shared / "golden" / "f_pref_losses.npz") as data:
        numbers = {name.removeprefix("rm/"): data[name] for name in data.files if name.startswith("rm/")}
    trainer = trainer_of(model, pairs, small)
    given = Given(numbers["rewards_chosen"], numbers["rewards_rejected"])
    inputs = {"input_ids": torch.zeros(16, 1), "attention_mask": torch.ones(16, 1)}
    inputs["unsure"] = torch.from_numpy(numbers["label"] == 0.5)
    if kind == "margin":
        inputs["margin"] = torch.from_numpy(numbers["margin"])
    loss = trainer.compute_loss(given, inputs)
    loss.backward()
    assert inputs["unsure"].sum() == 2 and loss.ndim == 0
    assert loss.item() == pytest.approx(sign * float(numbers[f"elementwise_B/{kind}/loss"]), rel=1e-6)
    assert given.logits.grad is not None
    for gradient, side in zip(given.logits.grad[:, 0].chunk(2), ("chosen", "rejected"), strict=True):
        expected = sign * numbers[f"elementwise_B/{kind}/grad_{side}"]
        np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-7)
    assert abs(loss.item() - float(numbers["as_run_B1/margin/loss"])) > 1e-3


def test_margins_are_those_of_the_degrees(model, small):
    rows = [{**row, "degree": DEGREES[i % 4]} for i, row in enumerate(pair_rows(5))]
    trainer = trainer_of(model, Dataset.from_list(rows), small)
    assert trainer.train_dataset["margin"] == [3, 2, 1, 0, 3]
    batch = batch_of(trainer, 5)
    assert batch["margin"].shape == (5,) and batch["input_ids"].shape[0] == 10
    with torch.no_grad():
        chosen, rejected = trainer.model(**batch).logits[:, 0].chunk(2)
        loss = trainer.compute_loss(trainer.model, dict(batch))
    delta = (chosen - rejected).numpy().astype(float)
    each = np.log1p(np.exp(-(delta - batch["margin"].numpy())))
    each[3] = (np.log1p(np.exp(-delta[3])) + np.log1p(np.exp(delta[3]))) / 2  # the one that people were unsure of
    expected = each.mean()
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_margins_of_the_dataset_and_none(folder, small):
    rows = Dataset.from_list([{**row, "margin": 0.25 * i} for i, row in enumerate(pair_rows(4))])
    for options, expected in (({}, [0, 0.25, 0.5, 0.75]), ({"use_margin": False}, None)):
        found = trainer_of(load(folder), rows, small, **options).train_dataset
        assert (found["margin"] if "margin" in found.column_names else None) == expected
    plain = rows.remove_columns(["margin", "degree"])
    assert trainer_of(load(folder), plain, small).train_dataset.column_names == ["chosen_ids", "rejected_ids"]


# Rows ----------------------------------------------------------------------------------------------------------------


def test_rows_are_what_score_reads(model, pairs, small):
    trainer = trainer_of(model, pairs, small)
    reward = trainer.model
    for row, pair in zip(trainer.train_dataset, pairs, strict=True):
        for side, code in (("chosen", GOOD), ("rejected", BAD)):
            text, motion = pair["prompt"][0]["content"], pair[side][0]["content"]
            decoded = reward.processor.tokenizer.decode(row[f"{side}_ids"])
            assert decoded == f"{reward.processor.prompt_text(text)}{SEPARATOR}{motion}</s>"
            assert row[f"{side}_ids"] == reward.row_ids(text, [code] * (motion.count("_id_") - 2))
    reward.eval()
    scores = reward.score([pair["prompt"][0]["content"] for pair in pairs], [[GOOD] * (2 + i) for i in range(8)])
    with torch.no_grad():
        found = reward(**batch_of(trainer, 8)).logits[:8, 0]
    torch.testing.assert_close(found, scores, rtol=0, atol=2e-6)


def test_skipped_pairs_degrees_and_shares(folder, pairs, small):
    rows = [{**row, "degree": "skipped" if i < 3 else row["degree"]} for i, row in enumerate(pairs)]
    skipped = Dataset.from_list(rows)
    assert len(trainer_of(load(folder), skipped, small).train_dataset) == 5
    trainer = trainer_of(load(folder), skipped, small, degrees=["better"], eval_dataset=skipped, save_strategy="epoch")
    assert len(trainer.train_dataset) == 1 and len(trainer.eval_dataset) == 5
    assert len(trainer_of(load(folder), pairs, small, train_share=0.5).train_dataset) == 4


def test_rows_of_ids_are_taken_as_they_are(model, small):
    rows = Dataset.from_dict({"chosen_ids": [[5, 6, 1]] * 4, "rejected_ids": [[7, 1]] * 4, "margin": [1.0] * 4})
    trainer = trainer_of(model, rows, small)
    assert trainer.train_dataset[0] == rows[0]


# Training ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> MotionRewardTrainer:
    """A reward model that prefers one code, trained whole."""
    small = {
        "output_dir": str(tmp_path_factory.mktemp("reward") / "out"), "max_steps": 30, "logging_steps": 1,
        "per_device_train_batch_size": 8, "report_to": "none", "save_strategy": "no", "disable_tqdm": True,
        "use_cpu": True,
    }  # fmt: skip
    trainer = trainer_of(load(folder), Dataset.from_list(pair_rows()), small)
    trainer.train()
    return trainer


def test_it_learns(trained):
    found = losses(trained)
    assert found[-1] < 0.5 * found[0]
    reward = trained.model
    prompts = ["the man jumps", "she sits down"]
    assert isinstance(reward, MotionGPTForReward) and trained.args.learning_rate == 1e-3
    assert (reward.score(prompts, [[GOOD] * 4] * 2) > reward.score(prompts, [[BAD] * 4] * 2)).all()


def test_what_is_saved_scores(trained, tmp_path):
    trained.save_model(tmp_path)
    again = MotionGPTForReward.from_pretrained(tmp_path)
    prompts, codes = ["the man jumps", "she sits down"], [[GOOD] * 4, [BAD] * 3]
    torch.testing.assert_close(again.score(prompts, codes), trained.model.score(prompts, codes), rtol=0, atol=1e-6)
    assert (tmp_path / "processor_config.json").is_file()
    assert isinstance(load_reward(tmp_path), MotionGPTForReward) and isinstance(load_reward(again), MotionGPTForReward)
    torch.testing.assert_close(load_reward(str(tmp_path)).score(prompts, codes), again.score(prompts, codes))


def test_a_new_head_is_the_same_each_time(folder, small, pairs):
    heads = [
        trainer_of(given, pairs, small, seed=seed).model.classification_head.dense.weight
        for given, seed in ((str(folder), 3), (load(folder), 3), (str(folder), 4))
    ]
    assert torch.equal(heads[0], heads[1]) and not torch.equal(heads[0], heads[2])
    body = load_reward(str(folder)).transformer.shared.weight
    assert torch.equal(body, load(folder).shared.weight)


def test_lora_trains_the_head_too(model, pairs, small, tmp_path):
    adapter = LoraConfig(r=4, target_modules=["q", "v"])
    trainer = trainer_of(model, pairs, small, peft_config=adapter, max_steps=3)
    assert adapter.modules_to_save is None  # the caller's stays as it was
    before = {name: weight.clone() for name, weight in trainer.model.named_parameters()}
    trainer.train()
    moved = {name for name, weight in trainer.model.named_parameters() if not torch.equal(weight, before[name])}
    assert moved and all("lora_" in name or "modules_to_save" in name for name in moved)
    assert any("classification_head" in name for name in moved) and any("lora_" in name for name in moved)
    trainer.save_model(tmp_path / "adapter")
    prompts, codes = ["the man jumps"], [[GOOD] * 4]
    trainer.model.eval()
    whole = trainer.model.get_base_model().score(prompts, codes)
    other = PeftModel.from_pretrained(load_reward(load(Path(trainer.model.get_base_model().config._name_or_path))),
                                      tmp_path / "adapter")  # fmt: skip
    torch.testing.assert_close(other.get_base_model().score(prompts, codes), whole, rtol=0, atol=1e-6)
    merged = trainer.model.merge_and_unload()
    torch.testing.assert_close(merged.score(prompts, codes), whole, rtol=0, atol=1e-5)


def test_accuracy_counts_each_pair_once(model, small):
    """Three right of four, and a last batch of one that is wrong."""
    trainer = trainer_of(model, Dataset.from_list(pair_rows(5)), small, per_device_eval_batch_size=4)
    answers = iter([Given(np.ones(4), np.array([0.0, 0, 0, 2])), Given(np.zeros(1), np.ones(1))])
    loss = MotionRewardTrainer.compute_loss
    trainer.compute_loss = lambda model, inputs, **options: loss(trainer, next(answers), inputs, **options)
    metrics = trainer.evaluate(Dataset.from_list(pair_rows(5)))
    assert metrics["eval_accuracy"] == pytest.approx(3 / 5)
    assert metrics["eval_margin"] == pytest.approx((1 + 1 + 1 - 1 - 1) / 5)


# Early stop ----------------------------------------------------------------------------------------------------------


def told(trainer: MotionRewardTrainer, accuracies: list[float]) -> list[dict[str, torch.Tensor]]:
    """Let evaluations find what they are told, and keep the weights of each."""
    weights: list[dict[str, torch.Tensor]] = []
    answers = iter(accuracies)
    log = trainer.log

    def said(logs: dict[str, float], *given: Any, **options: Any) -> None:
        log(logs, *given, **options)
        if "eval_accuracy" in logs:
            logs["eval_accuracy"] = next(answers)
            weights.append({name: w.detach().clone() for name, w in trainer.model.named_parameters()})

    trainer.log = said
    return weights


def test_it_stops_and_goes_back_to_the_best(model, pairs, small, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("transformers"), "propagate", True)
    small = {name: value for name, value in small.items() if name not in ("max_steps", "save_strategy")}
    trainer = trainer_of(model, pairs, small, eval_dataset=pairs, num_train_epochs=9, early_stopping_patience=2)
    args = trainer.args
    assert args.eval_strategy.value == args.save_strategy.value == "epoch" and args.load_best_model_at_end
    assert (args.metric_for_best_model, args.greater_is_better) == ("eval_accuracy", True)
    weights = told(trainer, [0.5, 0.75, 0.7, 0.75, 1.0])
    trainer.train()
    assert len(weights) == 4 and trainer.state.best_metric == 0.75  # two epochs after the best
    assert trainer.state.best_global_step == 4 and trainer.state.global_step == 8
    now = dict(trainer.model.named_parameters())
    assert all(torch.equal(now[name], weight) for name, weight in weights[1].items())
    assert not all(torch.equal(now[name], weight) for name, weight in weights[3].items())
    assert "missing keys" not in caplog.text  # embeddings of encoder and decoder, which are those of the whole
    embeddings = trainer.model.transformer
    assert embeddings.encoder.embed_tokens.weight is embeddings.shared.weight


def test_weights_that_are_missing_are_said_all_the_same(model, pairs, small, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("transformers"), "propagate", True)
    trainer = trainer_of(model, pairs, small)
    weights = trainer.model.state_dict()
    weights.pop(next(name for name in weights if name.startswith("classification_head.")))
    trainer._issue_warnings_after_load(trainer.model.load_state_dict(weights, strict=False))
    assert "missing keys in the checkpoint model loaded: ['classification_head." in caplog.text


@pytest.mark.parametrize(
    ("options", "strategies", "metric"),
    [
        ({"eval_strategy": "steps", "eval_steps": 3}, ("steps", "steps"), "eval_accuracy"),
        ({"save_strategy": "best"}, ("epoch", "best"), "eval_accuracy"),
        ({"save_strategy": "epoch", "eval_strategy": "steps", "eval_steps": 3}, ("steps", "steps"), "eval_accuracy"),
        ({"metric_for_best_model": "eval_loss"}, ("epoch", "epoch"), "eval_loss"),
    ],
)
def test_checkpoints_are_where_is_evaluated(model, pairs, small, options, strategies, metric):
    trainer = trainer_of(model, pairs, {**small, "save_strategy": "steps", **options}, eval_dataset=pairs)
    args = trainer.args
    assert (args.eval_strategy.value, args.save_strategy.value) == strategies
    assert args.save_steps == (3 if strategies[1] == "steps" else 500)
    assert args.metric_for_best_model == metric and args.greater_is_better == (metric != "eval_loss")
    assert any(isinstance(callback, EarlyStoppingCallback) for callback in trainer.callback_handler.callbacks)


def test_several_splits(model, pairs, small):
    trainer = trainer_of(model, pairs, {**small, "save_strategy": "epoch"}, max_steps=1,
                         eval_dataset={"near": pairs, "far": pairs})  # fmt: skip
    assert trainer.args.metric_for_best_model == "eval_near_loss" and not trainer.args.greater_is_better
    trainer.train()
    (near,) = [entry["eval_near_loss"] for entry in trainer.state.log_history if "eval_near_loss" in entry]
    assert trainer.state.best_metric == near


def test_without_an_early_stop(folder, pairs, small):
    for options in ({"early_stopping_patience": None, "eval_dataset": pairs, "eval_strategy": "epoch"}, {}):
        trainer = trainer_of(load(folder), pairs, small, **options)
        assert not trainer.args.load_best_model_at_end and trainer.args.save_strategy.value == "no"
        assert not any(isinstance(each, EarlyStoppingCallback) for each in trainer.callback_handler.callbacks)


# Errors --------------------------------------------------------------------------------------------------------------


def test_an_early_stop_without_checkpoints(model, pairs, small):
    with pytest.raises(ValueError, match=r"save_strategy='no' leaves none.* set early_stopping_patience=None"):
        trainer_of(model, pairs, small, eval_dataset=pairs)
    with pytest.raises(ValueError, match="early_stopping_patience of at least 1, got 0"):
        MotionRewardConfig(small["output_dir"], use_cpu=True, early_stopping_patience=0)


def test_defaults(tmp_path):
    args = MotionRewardConfig(str(tmp_path), use_cpu=True)
    assert args.learning_rate == 2e-4 and args.use_margin and args.early_stopping_patience == 3
    assert not args.bf16 and not args.gradient_checkpointing


def test_models_of_another_kind(model, pairs, small):
    with pytest.raises(TypeError, match=r"Expected a MotionGPTForReward, .* got Linear"):
        trainer_of(torch.nn.Linear(2, 2), pairs, small)
    adapted = get_peft_model(model, LoraConfig(target_modules=["q"]))
    with pytest.raises(TypeError, match=r"got MotionGPTForPreference in PEFT. Merge its adapter first"):
        trainer_of(adapted, pairs, small)


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (lambda rows: rows.remove_columns("chosen"), "lacks chosen: expected prompt, chosen, rejected"),
        (lambda rows: rows.select([]), "The train dataset is empty"),
        (lambda rows: rows.map(lambda row: {"rejected": row["chosen"]}), "are the same motion"),
        (
            lambda rows: rows.map(lambda row: {"degree": "best"}),
            "row 0: expected a degree among 'much better', .* 'best",
        ),
        (
            lambda rows: rows.map(lambda row: {"margin": float("nan")}),
            "row 0: expected a margin that is a finite numb",
        ),
        (lambda rows: rows.map(lambda row: {"prompt": message("user", "a " * 400)}), "more than the 256"),
        (lambda rows: None, "Expected train_dataset, .* got none"),
    ],
)
def test_data_that_is_refused(model, pairs, small, dataset, message):
    with pytest.raises(ValueError, match=message):
        trainer_of(model, dataset(pairs), small)


def test_rows_that_would_be_left_out(model, pairs, small):
    with pytest.raises(ValueError, match=r"Row \d of the train dataset has \d+ tokens and would be left out at max_l"):
        trainer_of(model, pairs, small, max_length=20)


def test_what_is_overridden_is_still_there():
    for name in ("_prepare_dataset", "compute_loss"):
        assert callable(getattr(RewardTrainer, name))
