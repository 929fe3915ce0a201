"""Safety that all trainers share: no loss that is no number, no folder overwritten, a reference that fits."""

import copy
from typing import Any

import pytest

pytest.importorskip("trl")
pytest.importorskip("peft")

import torch
from peft import LoraConfig, get_peft_model
from transformers import T5Config, T5ForConditionalGeneration, Trainer, TrainerCallback

from atom_hf.trainer.dpo_config import MotionDPOConfig
from atom_hf.trainer.dpo_trainer import MotionDPOTrainer
from atom_hf.trainer.policy import base_of, check_reference, frozen_copy, load_policy, precomputing_pays
from tests.models.trl_parts import load
from tests.trainer.conftest import losses


def make(model: Any, pairs: Any, small: dict[str, Any], **options: Any) -> MotionDPOTrainer:
    return MotionDPOTrainer(model, args=MotionDPOConfig(**small | options), train_dataset=pairs)


# A loss that is no number --------------------------------------------------------------------------------------------


def test_a_loss_that_is_no_number_stops_the_run_before_it_is_learnt_from(model, pairs, small):
    trainer = make(model, pairs, small, max_grad_norm=0.5)
    with torch.no_grad():
        base_of(trainer.model).decoder.final_layer_norm.weight[0] = torch.nan
    before = {name: weight.clone() for name, weight in trainer.model.named_parameters() if weight.requires_grad}
    with pytest.raises(FloatingPointError, match=r"step 1 is nan. Lower learning_rate \(now 0.01\) .* \(now 0.5\)"):
        trainer.train()
    after = dict(trainer.model.named_parameters())
    assert before and all(torch.equal(weight, after[name]) for name, weight in before.items())


def test_gradients_that_are_no_numbers_stop_the_run_before_they_are_learnt_from(model, pairs, small):
    """The loss may be one all the same."""
    trainer = make(model, pairs, small)
    before = {name: weight.clone() for name, weight in trainer.model.named_parameters() if weight.requires_grad}
    first = dict(trainer.model.named_parameters())[next(iter(before))]
    first.register_hook(lambda gradient: gradient * torch.nan)
    with pytest.raises(
        FloatingPointError, match=r"gradients of step 1 have a norm of nan. Lower learning_rate \(now 0"
    ):
        trainer.train()
    after = dict(trainer.model.named_parameters())
    assert all(torch.equal(weight, after[name]) for name, weight in before.items())


def test_an_infinite_norm_is_ordinary_in_half_precision(model, pairs, small, monkeypatch):
    trainer = make(model, pairs, small)
    monkeypatch.setattr(Trainer, "_get_grad_norm", lambda *_, **__: torch.tensor(torch.inf))
    with pytest.raises(FloatingPointError, match="have a norm of inf"):
        trainer._get_grad_norm(trainer.model)
    monkeypatch.setattr(trainer.accelerator.state, "_mixed_precision", "fp16")
    assert trainer._get_grad_norm(trainer.model) == torch.inf  # the scaler leaves this step out


class Spoiler(TrainerCallback):
    """A last step that ends in weights that are no numbers."""

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        if state.global_step == args.max_steps:
            next(weight for weight in model.parameters() if weight.requires_grad).data[0] = torch.inf


@pytest.mark.parametrize("save", ["no", "steps"])
def test_weights_that_are_no_numbers_are_not_saved(model, pairs, small, tmp_path, save):
    args = MotionDPOConfig(**small | {"save_strategy": save, "save_steps": 1})
    trainer = MotionDPOTrainer(model, args=args, train_dataset=pairs, callbacks=[Spoiler()])
    with pytest.raises(FloatingPointError, match=r"no finite numbers after step 2 \(.*lora_.*\), so nothing is saved"):
        trainer.train()
    with pytest.raises(FloatingPointError, match=r"so nothing is saved. Lower learning_rate"):
        trainer.save_model(str(tmp_path / "saved"))
    assert not (tmp_path / "saved").exists() and not (tmp_path / "out" / "checkpoint-2").exists()


# The folder of a run -------------------------------------------------------------------------------------------------


def test_a_folder_that_is_not_empty_is_left_alone(model, pairs, small, tmp_path):
    (tmp_path / "out").mkdir()
    for name in "dcba":
        (tmp_path / "out" / name).write_text("kept")
    trainer = make(model, pairs, small)
    with pytest.raises(FileExistsError, match=r"out is not empty \(a, b, c, …\). Choose another output_dir"):
        trainer.train()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a", "b", "c", "d"]


def test_a_trainer_may_train_twice(model, pairs, small):
    trainer = make(model, pairs, small, save_strategy="steps", save_steps=1)
    trainer.train()
    trainer.train()
    assert trainer.state.global_step == 2


def test_nothing_to_go_on_from(model, pairs, small, tmp_path):
    trainer = make(model, pairs, small)
    with pytest.raises(ValueError, match=r"Expected a checkpoint to go on from in .*out, found none\. Remove the"):
        trainer.train(resume_from_checkpoint=True)
    with pytest.raises(ValueError, match=r"nowhere is no complete checkpoint: it has no trainer_state.json"):
        trainer.train(resume_from_checkpoint=str(tmp_path / "nowhere"))


# Callbacks and log ---------------------------------------------------------------------------------------------------


class Connected(TrainerCallback):
    def __init__(self) -> None:
        self.to: list[Any] = []

    def connect(self, trainer: Any) -> None:
        self.to.append(trainer)


def test_callbacks_get_the_trainer_and_logits_stay_out_of_the_log(model, pairs, small):
    callback = Connected()
    args = MotionDPOConfig(**small, eval_strategy="steps", eval_steps=1)
    trainer = MotionDPOTrainer(model, args=args, train_dataset=pairs, eval_dataset=pairs, callbacks=[callback])
    trainer.train()
    assert callback.to and all(found is trainer for found in callback.to)
    names = {name for entry in trainer.state.log_history for name in entry}
    assert {"rewards/margins", "eval_rewards/margins"} <= names
    assert not any("logits/" in name for name in names)


# Models --------------------------------------------------------------------------------------------------------------


def test_policies(folder, model):
    assert load_policy(model) is model
    assert torch.equal(load_policy(str(folder)).shared.weight, model.shared.weight)
    assert load_policy(folder, dtype=torch.bfloat16).shared.weight.dtype == torch.bfloat16
    wrapped = get_peft_model(model, LoraConfig(target_modules=["q"]))
    assert load_policy(wrapped) is wrapped and base_of(wrapped) is model


def test_other_models_are_refused():
    t5 = T5ForConditionalGeneration(T5Config(d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2, vocab_size=20))
    with pytest.raises(TypeError, match=r"Expected a MotionGPTForPreference, .* got T5ForConditionalGeneration"):
        load_policy(t5)
    with pytest.raises(TypeError, match=r"got NoneType"):
        load_policy(None)


def test_dropout_of_the_model_is_off_and_that_of_the_adapter_on(model, pairs, small):
    model.encoder.dropout.p = 0.3
    args = MotionDPOConfig(**(small | {"lora_dropout": 0.4}))
    trainer = MotionDPOTrainer(model, args=args, train_dataset=pairs)
    rates = {name: module.p for name, module in trainer.model.named_modules() if isinstance(module, torch.nn.Dropout)}
    assert {rate for name, rate in rates.items() if "lora_dropout" in name} == {0.4}
    assert {rate for name, rate in rates.items() if "lora_dropout" not in name} == {0.0}


@pytest.mark.parametrize("motion_only", [True, False])
def test_a_frozen_copy_is_the_model_and_stays_it(folder, motion_only):
    model = load(folder)
    model.restrict_to_motion(motion_only)
    processor = model.processor
    reference = frozen_copy(model.train())
    assert reference.processor is processor is model.processor and model.training and not reference.training
    assert not any(weight.requires_grad for weight in reference.parameters())
    ids = torch.tensor([[5, 6, 1, 7, 1]])
    before = reference(ids).logits
    torch.testing.assert_close(before, model.eval()(ids).logits)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(1)
    assert torch.equal(reference(ids).logits, before)


def test_references_that_cannot_score_the_policy(model, folder, tmp_path):
    check_reference(model, None)
    check_reference(model, load(folder))
    with pytest.raises(ValueError, match="The reference is the policy itself; leave ref_model out"):
        check_reference(model, model)
    with pytest.raises(TypeError, match="Expected a reference that is a MotionGPTForPreference, got str"):
        check_reference(model, "name")
    other = copy.copy(model.config)
    other.num_codes, other.vocab_size = 8, model.config.vocab_size - 8
    options = other.to_dict() | {"vqvae_config": None, "motion_token_start": None}
    smaller = type(model)(type(model.config)(**options))
    with pytest.raises(ValueError, match=r"another vocabulary: \d+ tokens, 8 of them motion codes; the policy"):
        check_reference(get_peft_model(model, LoraConfig(target_modules=["q"])), smaller)


def test_a_second_trainer_on_the_same_model(folder, pairs, small, tmp_path):
    """TRL changes a model's forward for good; the next reference is a copy of what it is then."""
    options = {"use_peft": False, "precompute_ref_log_probs": False}
    model = load(folder)
    make(model, pairs, small, **options).train()
    second = make(model, pairs, small | {"output_dir": str(tmp_path / "second")}, **options)
    second.train()
    assert losses(second)[0] == pytest.approx(25, abs=1e-4) and losses(second)[1] < 24.99


# References ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "pays"),
    [
        ({"max_steps": 2}, True),  # 8 pairs of 8
        ({"max_steps": 1}, False),
        ({"max_steps": 1, "gradient_accumulation_steps": 2}, True),
        ({"max_steps": 1, "train_share": 0.5}, True),
        ({"max_steps": -1, "num_train_epochs": 1}, True),
        ({"max_steps": -1, "num_train_epochs": 0.5}, False),
        ({"max_steps": 1, "precompute_ref_log_probs": True}, True),
        ({"max_steps": 2, "precompute_ref_log_probs": False}, False),
    ],
)
def test_a_reference_scores_everything_first_where_that_pays(model, pairs, small, options, pays):
    trainer = make(model, pairs, small, **options)
    assert trainer.args.precompute_ref_log_probs is pays
    assert ("ref_chosen_logps" in trainer.train_dataset.column_names) == pays


def test_a_reference_that_moves_scores_nothing_first():
    args = MotionDPOConfig("out", use_cpu=True, sync_ref_model=True)
    assert not precomputing_pays(args, 8) and precomputing_pays(MotionDPOConfig("out", use_cpu=True), 8)


def test_no_rows_at_all(model, pairs, small):
    with pytest.raises(ValueError, match="The train dataset is empty"):
        make(model, pairs.select([]), small)
