"""DPO of motion models: the reference is the real one, and nothing is ignored in silence."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")
pytest.importorskip("peft")

import torch
from datasets import Dataset, load_from_disk
from peft import LoraConfig, PeftModel, get_peft_model

from atom_hf.trainer.dpo_config import MotionDPOConfig
from atom_hf.trainer.dpo_trainer import MotionDPOTrainer
from atom_hf.trainer.policy import base_of
from tests.models.trl_parts import load
from tests.trainer.conftest import first_batch, loss_of, losses, pair_rows


def make(model: Any, rows: Any, small: dict[str, Any], reference: Any = None, **options: Any) -> MotionDPOTrainer:
    return MotionDPOTrainer(model, reference, args=MotionDPOConfig(**small | options), train_dataset=rows)


def scores(trainer: MotionDPOTrainer) -> list[dict[str, float]]:
    return [entry for entry in trainer.state.log_history if "rewards/chosen" in entry]


# The reference -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("precompute", [True, False])
@pytest.mark.parametrize("use_peft", [True, False])
@pytest.mark.parametrize("origin", ["name", "nameless", "changed in memory"])
def test_policy_and_reference_agree_before_the_first_step_and_not_after_it(
    folder, pairs, small, origin, use_peft, precompute
):
    model: Any = str(folder) if origin == "name" else load(folder, moved=0.1)
    if origin == "nameless":
        model.processor  # noqa: B018 - loaded while the name is there
        model.config._name_or_path = ""
    trainer = make(model, pairs, small, use_peft=use_peft, precompute_ref_log_probs=precompute)
    assert isinstance(trainer.model, PeftModel) == use_peft
    trainer.train()
    before, after = scores(trainer)[:2]
    assert before["loss"] == pytest.approx(25, abs=1e-4)
    for name in ("chosen", "rejected", "margins"):
        assert before[f"rewards/{name}"] == pytest.approx(0, abs=1e-5)
        assert abs(after[f"rewards/{name}"]) > 1e-4
    assert after["loss"] < 24.999 and after["rewards/margins"] > 0


@pytest.mark.parametrize("precompute", [True, False])
@pytest.mark.parametrize("use_peft", [True, False])
def test_a_given_reference_is_used(folder, pairs, small, use_peft, precompute):
    trainer = make(
        load(folder), pairs, small, load(folder, moved=0.1), use_peft=use_peft, precompute_ref_log_probs=precompute
    )
    batch, other = first_batch(trainer), load(folder, moved=0.1)
    with torch.no_grad():
        labels = batch["input_ids"].masked_fill(batch["completion_mask"] == 0, -100)
        logps = other(batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1].log_softmax(-1)
        expected = logps.gather(-1, labels[:, 1:, None].clamp(min=0))[..., 0] * (labels[:, 1:] != -100)
        chosen, rejected = expected.sum(1).chunk(2)
    if precompute:
        torch.testing.assert_close(batch["ref_chosen_logps"], chosen, rtol=1e-5, atol=1e-4)
        torch.testing.assert_close(batch["ref_rejected_logps"], rejected, rtol=1e-5, atol=1e-4)
    found = loss_of(trainer, batch)
    filled = batch | {"ref_chosen_logps": chosen, "ref_rejected_logps": rejected}
    assert found.item() == pytest.approx(loss_of(trainer, filled).item(), abs=1e-4)
    assert abs(found.item() - 25) > 0.1


def test_a_trained_adapter_is_its_own_reference(folder, pairs, small):
    model = get_peft_model(load(folder), LoraConfig(target_modules=["q", "v"], init_lora_weights=False))
    trainer = make(model, pairs, small, precompute_ref_log_probs=False)
    trainer.train()
    assert trainer.model.active_adapter == "default"
    assert losses(trainer)[0] == pytest.approx(25, abs=1e-4) and losses(trainer)[1] < 24.999


@pytest.mark.parametrize("precompute", [True, False])
def test_dropout_is_for_the_policy_alone(tmp_path_factory, small, precompute):
    """The reference scores the same pair alike each time, and the policy does not."""
    from tests.models.trl_parts import checkpoint

    model = load(checkpoint(tmp_path_factory.mktemp("dropping"), dropout=0.3)).train()
    trainer = make(
        model, Dataset.from_list(pair_rows(4)), small, disable_dropout=False, precompute_ref_log_probs=precompute
    )  # fmt: skip
    trainer.model.train()
    batch = first_batch(trainer)
    plain = {name: value for name, value in batch.items() if not name.startswith("ref_")}
    again = [trainer.compute_ref_log_probs(trainer.model, plain)[0] for _ in range(2)]
    assert torch.equal(*again) and trainer.model.training
    if precompute:
        torch.testing.assert_close(batch["ref_chosen_logps"], again[0], rtol=1e-5, atol=1e-5)
    assert loss_of(trainer, batch).item() != loss_of(trainer, batch).item()


def test_references_that_cannot_be_are_refused(model, pairs, small):
    with pytest.raises(ValueError, match="The reference is the policy itself"):
        make(model, pairs, small, model)
    with pytest.raises(TypeError, match="Expected a reference that is a MotionGPTForPreference, got Linear"):
        make(model, pairs, small, torch.nn.Linear(2, 2))


def test_a_reference_that_is_gone_is_not_the_policy(model, pairs, small):
    trainer = make(model, pairs, small, use_peft=False)
    batch = {name: value for name, value in first_batch(trainer).items() if not name.startswith("ref_")}
    with pytest.raises(ValueError, match="Expected ref_chosen_logps and ref_rejected_logps in the batch"):
        loss_of(trainer, batch)


def test_weights_that_are_sharded_need_a_reference_to_precompute(model, pairs, small, monkeypatch):
    """TRL would load one by name, which may be another model."""
    args, given = MotionDPOConfig(**small, use_peft=False), {}
    monkeypatch.setattr("trl.DPOTrainer.__init__", lambda self, **options: given.update(options))
    for sharded in (False, True):
        monkeypatch.setenv("ACCELERATE_USE_FSDP", str(sharded).lower())
        MotionDPOTrainer(model, args=args, train_dataset=pairs)
        assert (given["ref_model"] is not None) == sharded
    assert torch.equal(given["ref_model"].shared.weight, model.shared.weight) and given["ref_model"] is not model


# What is precomputed -------------------------------------------------------------------------------------------------


class Counting(MotionDPOTrainer):
    """Counts the batches that its reference scores."""

    scored = 0

    def compute_ref_log_probs(self, model: Any, inputs: dict[str, Any]) -> Any:
        self.scored += 1
        return super().compute_ref_log_probs(model, inputs)


def test_it_is_kept_beside_the_dataset_for_this_model(folder, small, tmp_path):
    Dataset.from_list(pair_rows()).save_to_disk(str(tmp_path / "pairs"))
    found = []
    for change in ("", "", "weights", "motion only"):
        model = load(folder, moved=0.1 if change == "weights" else 0.0)
        model.restrict_to_motion(change == "motion only")
        rows, args = load_from_disk(str(tmp_path / "pairs")), MotionDPOConfig(**small)
        trainer = Counting(model, args=args, train_dataset=rows)
        found.append((trainer.scored, trainer.train_dataset["ref_chosen_logps"][:]))
    assert [scored for scored, _ in found] == [2, 0, 2, 2]
    assert found[0][1] == found[1][1]
    assert all(found[0][1][i] != found[k][1][i] for i in range(8) for k in (2, 3))


def test_training_is_the_same_with_and_without(folder, pairs, small):
    runs = []
    for precompute in (True, False):
        trainer = make(
            load(folder), pairs, small | {"max_steps": 4, "lora_dropout": 0.0}, precompute_ref_log_probs=precompute
        )
        trainer.train()
        runs.append(losses(trainer))
        small["output_dir"] += "_again"
    assert runs[0] == pytest.approx(runs[1], abs=1e-4) and runs[0][3] < runs[0][0] - 0.01


# Forms of data -------------------------------------------------------------------------------------------------------


def plain_rows() -> list[dict[str, Any]]:
    """As texts, without the template."""
    return [
        {name: row[name][0]["content"].removeprefix("Generate motion: ") for name in ("prompt", "chosen", "rejected")}
        for row in pair_rows()
    ]


def test_texts_are_what_conversations_are(folder, pairs, small):
    found = [make(load(folder), rows, small).train_dataset for rows in (pairs, Dataset.from_list(plain_rows()))]
    for column in ("prompt_ids", "chosen_ids", "rejected_ids", "ref_chosen_logps"):
        assert found[0][column][:] == found[1][column][:]
    assert found[0]["prompt_ids"][0][-1] == found[0]["chosen_ids"][0][-1] == 1
    assert 1 not in found[0]["prompt_ids"][0][:-1] + found[0]["chosen_ids"][0][:-1]


@pytest.mark.parametrize("form", ["texts", "conversations"])
@pytest.mark.parametrize("use_peft", [True, False])
def test_a_stream(folder, pairs, small, use_peft, form):
    rows = Dataset.from_list(plain_rows()) if form == "texts" else pairs
    options = {} if form == "texts" else {"degree_use": "label_smoothing", "degrees": ["better", "slightly better"]}
    small["per_device_train_batch_size"] = 2
    trainer = make(load(folder), rows.to_iterable_dataset(), small, use_peft=use_peft, **options)
    trainer.train()
    assert losses(trainer)[0] == pytest.approx(25, abs=1e-4) and losses(trainer)[1] < 24.999


def test_a_bad_row_of_a_stream_stops_it(folder, small):
    rows = [*pair_rows(4), *[pair_rows(1)[0] | {"chosen": pair_rows(1)[0]["rejected"]}] * 4]
    trainer = make(load(folder), Dataset.from_list(rows).to_iterable_dataset(), small)
    with pytest.raises(ValueError, match="A row of the train dataset: chosen and rejected are the same motion"):
        trainer.train()


# Settings ------------------------------------------------------------------------------------------------------------


def test_defaults_are_the_best_published_ones():
    args = MotionDPOConfig("out", use_cpu=True)
    assert (args.loss_type, args.beta, args.learning_rate, args.per_device_train_batch_size) == (
        ["ipo"],
        0.1,
        1e-3,
        64,
    )
    assert (args.lr_scheduler_type, args.warmup_steps, args.num_train_epochs) == ("cosine", 150, 20)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"beta": 0}, "Expected a beta above 0, got 0"),
        ({"degree_use": "weights"}, "Expected degree_use among none, label_smoothing, margin, weight, got 'weights'"),
        ({"loss_type": ["sft"], "degree_use": "weight"}, "degree_use='weight' goes with sigmoid, .*, not with sft"),
        ({"loss_type": ["kto_pair"], "degree_use": "margin"}, "kto_pair has neither margin nor label smoothing"),
        ({"loss_type": ["kto_pair", "sft"]}, "kto_pair is mixed with sigmoid, hinge, ipo only, not with sft"),
        ({"label_smoothing": 0.6}, "Expected label_smoothing from 0 to 0.5, got 0.6"),
        ({"loss_type": ["ipo", "sft"], "label_smoothing": 0.1}, "label_smoothing=0.1 goes with sigmoid, .* ipo, sft"),
        ({"label_smoothing": 0.1, "degree_use": "label_smoothing"}, "takes the place of label_smoothing"),
        ({"label_smoothing": 0.1, "ld_alpha": 0.5}, "ld_alpha goes with TRL's own losses, not with degree_use"),
        ({"degree_use": "weight", "use_weighting": True}, "use_weighting goes with TRL's own losses"),
        ({"loss_type": ["kto_pair"], "f_divergence_type": "forward_kl"}, "f_divergence_type goes with TRL's own"),
    ],
)
def test_settings_that_do_not_go_together(change, message):
    with pytest.raises(ValueError, match=message):
        MotionDPOConfig("out", use_cpu=True, **change)


def test_no_data(model, small):
    with pytest.raises(ValueError, match="Expected train_dataset, pairs with prompt, chosen and rejected; got none"):
        MotionDPOTrainer(model, args=MotionDPOConfig(**small))


def test_rows_that_would_be_cut_off(model, pairs, small):
    lengths = [len(row["prompt_ids"]) for row in make(model, pairs, small).train_dataset]
    with pytest.raises(
        ValueError, match=r"of the train dataset has \d+ tokens and would be cut off at max_length=\d+"
    ):
        make(model, pairs, small, max_length=max(lengths) + 1)
    with pytest.raises(ValueError, match=r"8 prompts of the train dataset alone have max_length=5 tokens or more"):
        make(model, pairs, small, max_length=5)
    model.processor.max_length = 5
    with pytest.raises(ValueError, match=r"8 prompts of the train dataset are too long; row \d has \d+ tokens"):
        make(model, pairs, small)


def test_padding_is_what_the_settings_say(model, pairs, small):
    assert first_batch(make(model, pairs, small, pad_to_multiple_of=64))["input_ids"].shape == (8, 64)


def test_an_adapter_of_ones_own_and_none(folder, pairs, small, tmp_path):
    own = LoraConfig(r=2, target_modules=["wo"])
    args = MotionDPOConfig(**small)
    trainer = MotionDPOTrainer(load(folder), args=args, train_dataset=pairs, peft_config=own)
    assert trainer.model.peft_config["default"].target_modules == {"wo"}
    trainer.train()
    trainer.save_model(str(tmp_path / "adapter"))
    assert Path(tmp_path / "adapter" / "adapter_model.safetensors").is_file()
    full = make(load(folder), pairs, small, use_peft=False).model
    assert not any(weight.requires_grad for weight in base_of(full).vqvae.parameters())
    assert all(weight.requires_grad for name, weight in full.named_parameters() if not name.startswith("vqvae."))
