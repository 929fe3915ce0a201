"""KTO on good and bad motions: losses by hand and against the original's, rows of all kinds, and a true reference."""

import logging
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset, load_dataset
from peft import LoraConfig, PeftModel, get_peft_model

from atom_hf import DEFAULT_DATASET, DEFAULT_MODEL
from atom_hf.data.views import unpaired
from atom_hf.models import MotionGPTConfig
from atom_hf.trainer.kto_config import MotionKTOConfig, balanced_weights
from atom_hf.trainer.kto_trainer import MotionKTOTrainer, good_and_bad
from atom_hf.trainer.losses import kto_pair_losses
from tests.models.trl_parts import NUM_CODES, load, log_probs, native
from tests.trainer.conftest import first_batch, loss_of, losses, message, pair_rows
from tests.trainer.test_dpo_golden import LAYER, policy_of, reference_of
from tests.trainer.test_dpo_golden import golden as golden


def rows(count: int = 8, good: int | None = None) -> Dataset:
    """Unpaired rows: the motions of pairs, chosen and rejected in turn; or the first `good` of them labelled good."""
    found = []
    for i, pair in enumerate(pair_rows(count)):
        side = "chosen" if i % 2 == 0 else "rejected"
        label = i % 2 == 0 if good is None else i < good
        found.append({"prompt": pair["prompt"], "completion": pair[side], "label": label})
    return Dataset.from_list(found)


def trainer_of(model: Any, dataset: Any, small: dict[str, Any], **options: Any) -> MotionKTOTrainer:
    given = {name: options.pop(name) for name in ("ref_model", "eval_dataset", "peft_config") if name in options}
    args = MotionKTOConfig(**{**small, "per_device_train_batch_size": 8, **options})
    return MotionKTOTrainer(model, args=args, train_dataset=dataset, **given)


# Losses --------------------------------------------------------------------------------------------------------------


def test_paired_losses_of_the_original(shared):
    with np.load(shared / "golden" / "f_pref_losses.npz") as data:
        ratios = torch.from_numpy(
            np.concatenate([data[f"policy_{side}"] - data[f"ref_{side}"] for side in ("chosen", "rejected")])
        )
        expected = data["kto_pair/beta0.1/ls0.0/sum/losses"]
    good = torch.arange(16) < 8
    kls = [ratios[kind].mean().clamp(min=0) for kind in (good, ~good)]  # 0 in the original's numbers
    np.testing.assert_allclose(kto_pair_losses(ratios, good, *kls, beta=0.1), expected, rtol=1e-6)
    turned = kto_pair_losses(ratios, ~good, *kls[::-1], beta=0.1)
    np.testing.assert_allclose(turned, 1 - expected, rtol=1e-4, atol=1e-6)  # bad is the opposite of good


def test_paired_losses_compare_with_the_other_label():
    ratios, good = torch.tensor([2.0, 0.0, 1.0]), torch.tensor([True, True, False])
    found = kto_pair_losses(ratios, good, torch.tensor(1.0), torch.tensor(3.0), beta=0.5)
    expected = [1 / (1 + np.exp(0.5 * x)) for x in (2 - 3, 0 - 3, 1 - 1)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("precompute", [True, False])
def test_paired_form_from_text_to_gradients(golden, shared, tmp_path, precompute):
    """All motions of the original's pairs in one batch, in whatever order."""
    numbers, found = golden
    args = MotionKTOConfig(
        str(tmp_path / "out"), loss_type="kto_pair", use_peft=False, per_device_train_batch_size=8, report_to="none",
        use_cpu=True, precompute_ref_log_probs=precompute,
    )  # fmt: skip
    pairs = [
        {
            "prompt": message("user", pair["prompt"]),
            **{side: message("assistant", pair[side]) for side in ("chosen", "rejected")},
        }
        for pair in found["pairs"]
    ]
    trainer = MotionKTOTrainer(policy_of(shared), reference_of(shared), args, train_dataset=Dataset.from_list(pairs))
    batch = first_batch(trainer)
    assert len(batch["label"]) == 8 and ("ref_logps" in batch) == precompute and "KL_input_ids" not in batch
    trainer.model.train()
    loss = loss_of(trainer, batch)
    loss.backward()
    assert loss.item() == pytest.approx(float(numbers["e2e/kto_pair/loss"]), rel=1e-5)
    gradients = {name: weight.grad for name, weight in trainer.model.named_parameters() if weight.grad is not None}
    norm = torch.stack([gradient.norm() for gradient in gradients.values()]).norm()
    assert norm.item() == pytest.approx(float(numbers["e2e/kto_pair/grad_norm"]), rel=1e-4)
    wanted = torch.from_numpy(numbers[f"e2e/kto_pair/grad/{LAYER}"])
    assert (gradients[LAYER] - wanted).norm() <= 1e-4 * wanted.norm()
    metrics = trainer._metrics["train"]
    for side in ("chosen", "rejected"):
        assert metrics[f"rewards/{side}"][0] == pytest.approx(found["e2e/kto_pair"][f"rewards/{side}"], rel=1e-4)
    assert trainer.args.loss_type == "kto_pair"  # and not the name that TRL was told


@pytest.mark.parametrize("loss", ["kto", "apo_zero_unpaired", "kto_pair"])
def test_losses_by_hand(folder, small, loss):
    """Three good and five bad motions, with weights; log-probabilities of a plain T5, a row at a time."""
    moved, plain = load(folder), load(folder, moved=0.1)  # so that the policy is the likelier one
    trainer = trainer_of(
        moved, rows(good=3), small, ref_model=plain, use_peft=False, loss_type=loss, beta=0.5,
        desirable_weight=1.5, undesirable_weight=0.5, precompute_ref_log_probs=False,
    )  # fmt: skip
    found = loss_of(trainer, first_batch(trainer)).item()
    policy, reference = native(moved), native(plain)

    @torch.no_grad()
    def ratio(prompt: list[int], completion: list[int]) -> float:
        return float((log_probs(policy, prompt, completion) - log_probs(reference, prompt, completion)).sum())

    total, data = 0.0, list(trainer.train_dataset)
    ratios = np.array([ratio(row["prompt_ids"], row["completion_ids"]) for row in data])
    good = np.array([row["label"] for row in data])
    before = [data[i - 1]["completion_ids"] for i in range(8)]  # of the row above, the last one's for the first
    kl = max(0.0, np.mean([ratio(row["prompt_ids"], other) for row, other in zip(data, before, strict=True)]))
    means = [max(0.0, ratios[kind].mean()) for kind in (good, ~good)]
    against = {"kto": (kl, kl), "apo_zero_unpaired": (0.0, 0.0), "kto_pair": (means[1], means[0])}[loss]
    for value, label in zip(ratios, good, strict=True):
        gain = value - against[0] if label else against[1] - value
        total += (1.5 if label else 0.5) * (1 - 1 / (1 + np.exp(-0.5 * gain)))
    assert good.sum() == 3 and kl > 0 and min(means) > 0 and means[0] != means[1]
    assert found == pytest.approx(total / 8, rel=1e-4)


def test_a_batch_without_bad_motions(folder, small):
    trainer = trainer_of(load(folder, moved=0.1), rows(good=7), small, loss_type="kto_pair", use_peft=False,
                         ref_model=load(folder), balance=False)  # fmt: skip
    batch = first_batch(trainer)
    batch["label"] = torch.ones(8, dtype=torch.bool)
    ratios = trainer.compute_ref_log_probs(trainer.model, batch)[0] - batch["ref_logps"]
    expected = (1 - torch.sigmoid(0.1 * ratios)).mean()  # no bad motion, so nothing to compare with
    assert loss_of(trainer, batch).item() == pytest.approx(expected.item(), rel=1e-5)


# Training ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lora", "loss"), [(True, "kto"), (False, "kto"), (True, "kto_pair")])
def test_it_learns_and_its_reference_stays(folder, model, small, lora, loss):
    options = {"lora_dropout": 0.0, "use_peft": lora, "loss_type": loss, "beta": 0.5}
    trainer = trainer_of(model, rows(), small, max_steps=6, precompute_ref_log_probs=False, **options)
    assert isinstance(trainer.model, PeftModel) == lora
    assert (trainer.ref_model is None) == lora
    if lora:
        adapter = trainer.model.peft_config["default"]
        assert (adapter.r, adapter.lora_alpha, adapter.target_modules) == (8, 16, {"q", "v"})
    batch = first_batch(trainer)

    def scores() -> tuple[torch.Tensor, torch.Tensor]:
        reference = trainer.ref_model or trainer.model
        columns = batch["completion_mask"].shape[1] - 1
        labels = batch["input_ids"].masked_fill(batch["completion_mask"] == 0, -100)
        with torch.no_grad():
            own = trainer.model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], labels=labels,
                                fused_lm_head=True).log_probs[:, -columns:].sum(1)  # fmt: skip
        return own, trainer.compute_ref_log_probs(reference, batch)[0]

    own, reference = scores()
    torch.testing.assert_close(own, reference, rtol=0, atol=1e-5)
    trainer.train()
    after, still = scores()
    torch.testing.assert_close(still, reference, rtol=0, atol=1e-5)
    assert (after - reference).abs().max() > 0.1
    log = trainer.state.log_history
    assert losses(trainer)[0] == pytest.approx(0.5, abs=1e-4) and losses(trainer)[-1] < 0.45
    assert log[0]["rewards/margins"] == pytest.approx(0, abs=1e-4) and log[5]["rewards/margins"] > 0.3
    assert not any(name.startswith("logits/") for entry in log for name in entry)


def test_precomputed_references_say_the_same(folder, small):
    found = []
    for precompute in (True, False):
        trainer = trainer_of(load(folder), rows(), small, precompute_ref_log_probs=precompute, use_peft=False)
        assert ("ref_KL_logps" in trainer.train_dataset.column_names) == precompute
        trainer.train()
        found.append(losses(trainer))
    assert found[0] == pytest.approx(found[1], rel=1e-5) and found[0][0] != found[0][1]


def test_an_adapter_that_is_there_already(model, small):
    torch.manual_seed(0)
    model = get_peft_model(model, LoraConfig(target_modules=["q"], init_lora_weights=False))
    trainer = trainer_of(model, rows(), small)
    assert losses_after(trainer)[0] == pytest.approx(0.5, abs=1e-4)  # the reference is the adapter as it was


def losses_after(trainer: MotionKTOTrainer) -> list[float]:
    trainer.train()
    return losses(trainer)


def test_noise_reaches_the_policy_alone(folder, small):
    trainer = trainer_of(load(folder), rows(), small, neftune_noise_alpha=100.0, use_peft=False, max_steps=1,
                         precompute_ref_log_probs=False)  # fmt: skip
    seen = []
    score = trainer.compute_ref_log_probs
    trainer.compute_ref_log_probs = lambda *given: seen.append(score(*given)) or seen[-1]
    clean = score(trainer.ref_model, first_batch(trainer))
    trainer.train()
    torch.testing.assert_close(seen[0], clean, rtol=0, atol=1e-5)
    assert trainer.state.log_history[0]["loss"] != pytest.approx(0.5, abs=1e-3)


# Rows ----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def preferences() -> Dataset:
    return load_dataset(DEFAULT_DATASET, "all", split="train").select(range(40))


def config_of(num_codes: int = NUM_CODES) -> MotionGPTConfig:
    return MotionGPTConfig(num_codes=num_codes)


def as_set(dataset: Any) -> set[tuple[str, str, bool]]:
    return {
        (row["prompt"][0]["content"], row["completion"][0]["content"], row["label"])
        for row in dataset
    }  # fmt: skip


def test_pairs_of_the_dataset_count_each_motion_once(preferences):
    found = good_and_bad(preferences, "train", config_of(512))
    assert found.column_names == ["prompt", "completion", "label"]
    assert as_set(found) == as_set(unpaired(preferences)) and len(found) < 2 * len(preferences)
    assert len({(prompt, motion) for prompt, motion, _ in as_set(found)}) == len(found)


def test_skipped_pairs_are_left_out(preferences):
    rows = [{**row, "degree": "skipped" if i % 2 else row["degree"]} for i, row in enumerate(preferences)]
    found = good_and_bad(Dataset.from_list(rows, features=preferences.features), "train", config_of(512))
    assert as_set(found) == as_set(unpaired(preferences.select(range(0, 40, 2))))
    plain = Dataset.from_list([{**row, "degree": "skipped" if i else "better"} for i, row in enumerate(pair_rows(4))])
    assert len(good_and_bad(plain, "train", config_of())) == 2
    labelled = rows_with(degree=["skipped", *["better"] * 7])
    assert len(good_and_bad(labelled, "train", config_of())) == 7


def rows_with(**columns: list[Any]) -> Dataset:
    dataset = rows()
    for name, values in columns.items():
        dataset = dataset.remove_columns([name] if name in dataset.column_names else []).add_column(name, values)
    return dataset


def test_other_pairs_and_plain_strings():
    pairs = Dataset.from_list(pair_rows(3))
    found = good_and_bad(pairs, "train", config_of())
    assert len(found) == 6 and sum(found["label"]) == 3
    strings = pairs.map(
        lambda row: {name: row[name][0]["content"] for name in ("prompt", "chosen", "rejected")},
        features=Dataset.from_list([{"prompt": "", "chosen": "", "rejected": "", "degree": ""}]).features,
    )
    assert as_set(good_and_bad(strings, "train", config_of())) == as_set(found)
    texts = [{k: v if k == "label" else v[0]["content"] for k, v in row.items()} for row in rows()]
    assert as_set(good_and_bad(Dataset.from_list(texts), "train", config_of())) == as_set(rows())


def test_mismatched_motions_belong_to_other_prompts(model, small):
    """In a dataset of pairs the motion above is mostly of the same prompt, and shows no divergence."""
    many = [
        {"prompt": message("user", f"Generate motion: {i} steps"), "completion": row["completion"], "label": j == 0}
        for i in range(16)
        for j, row in enumerate(list(rows(4)))
    ]
    trainer = trainer_of(model, Dataset.from_list(many), small, per_device_train_batch_size=16)
    data = list(trainer.train_dataset)
    own = {(tuple(row["prompt_ids"]), tuple(row["completion_ids"])) for row in data}
    assert len(own) == 64
    neighbours = sum(a["prompt_ids"] == b["prompt_ids"] for a, b in pairwise(data))
    assert neighbours < 10  # 48 as they were
    again = trainer_of(model, Dataset.from_list(many), small, per_device_train_batch_size=16)
    assert [row["prompt_ids"] for row in again.train_dataset] == [row["prompt_ids"] for row in data]


def test_the_embedded_dataset_by_name(preferences, small):
    few = preferences.select(range(4))
    trainer = trainer_of(DEFAULT_MODEL, few, small, per_device_train_batch_size=4, max_steps=1)
    trainer.train()
    metrics = trainer.evaluate({name: few.select(range(3)) for name in "ab"})
    assert {"eval_a_loss", "eval_b_loss"} <= metrics.keys()


def test_a_stream(model, small):
    trainer = trainer_of(model, rows().to_iterable_dataset(), small)
    assert not trainer.args.precompute_ref_log_probs and losses_after(trainer)[0] == pytest.approx(0.5, abs=1e-4)


# Weights -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [(5, 5, (1, 1)), (4, 3, (1, 1)), (6, 3, (1, 1.5)), (3, 6, (2, 1)), (1, 4, (4, 1)), (16, 3, (1, 4))],
)
def test_balanced_weights(good, bad, expected):
    weights = balanced_weights(good, bad)
    assert weights == pytest.approx(expected)
    assert 1 - 1e-9 <= good * weights[0] / (bad * weights[1]) <= 4 / 3 + 1e-9


def test_the_rarer_label_counts_more(folder, small, caplog):
    with caplog.at_level(logging.INFO, "atom_hf"):
        trainer = trainer_of(load(folder), rows(good=2), small)
    assert (trainer.desirable_weight, trainer.undesirable_weight) == (3, 1)
    assert "2 good and 6 bad motions count 3.000 and 1.000 each" in caplog.text
    assert losses_after(trainer)[0] == pytest.approx((2 * 3 + 6) * 0.5 / 8, abs=1e-3)
    for options, expected in (({"balance": False}, (1, 1)), ({"undesirable_weight": 2.0}, (1, 2))):
        other = trainer_of(load(folder), rows(good=2), small, **options)
        assert (other.desirable_weight, other.undesirable_weight) == expected


def test_no_weights_of_one_kind():
    with pytest.raises(ValueError, match="good and bad motions, got 3 and 0"):
        balanced_weights(3, 0)


# Errors --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"per_device_train_batch_size": 1}, "of at least 2, got 1: kto compares a motion with the others"),
        ({"per_device_train_batch_size": 1, "loss_type": "kto_pair"}, "got 1: kto_pair compares"),
        ({"beta": 0.0}, "a beta above 0, got 0"),
        ({"loss_type": "bco"}, "among kto, apo_zero_unpaired, kto_pair, got 'bco'"),
        ({"desirable_weight": 0.0}, "above 0, got 0.0 and 1.0"),
    ],
)
def test_settings_that_are_refused(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        MotionKTOConfig(str(tmp_path), use_cpu=True, **options)


def test_a_batch_of_one_without_comparison(tmp_path):
    args = MotionKTOConfig(str(tmp_path), use_cpu=True, per_device_train_batch_size=1, loss_type="apo_zero_unpaired")
    assert args.per_device_train_batch_size == 1


def test_defaults_are_the_published_ones(tmp_path):
    args = MotionKTOConfig(str(tmp_path), use_cpu=True)
    assert (args.loss_type, args.beta, args.learning_rate, args.warmup_steps) == ("kto", 0.1, 1e-3, 150)
    assert (args.per_device_train_batch_size, args.num_train_epochs, args.lora().r) == (64, 20, 8)
    assert args.lr_scheduler_type == "cosine" and args.precompute_ref_log_probs is None and not args.bf16


def faulty(**changes: Any) -> Dataset:
    found = [dict(row) for row in rows()]
    found[2].update(changes)
    return Dataset.from_list(found)


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (lambda: rows(good=8), "All 8 motions of the train dataset are labelled good; KTO learns from both"),
        (lambda: rows(good=0), "All 8 motions of the train dataset are labelled bad"),
        (lambda: rows().remove_columns("label"), "The train dataset lacks label: expected prompt, completion, label"),
        (lambda: Dataset.from_list(pair_rows()).remove_columns("rejected"), "lacks rejected"),
        (lambda: Dataset.from_dict({"prompt": []}), "The train dataset is empty"),
        (lambda: faulty(completion=message("assistant", "he runs")), "row 2: completion: .* got 'he runs'"),
        (lambda: faulty(completion=message("user", "he runs")), "row 2: completion: expected one message of the as"),
        (lambda: faulty(prompt=message("user", " ")), "row 2: the prompt is empty"),
        (lambda: faulty(prompt=message("user", "a " * 300)), "row . has 3.. tokens, and the model reads 256"),
        (lambda: faulty(prompt=message("user", "a " * 1100)), "1 prompts of the train dataset fill max_length=1024"),
        (lambda: rows_with(label=["good"] * 8), "8 of 8 rows .* row 0: expected a label that is True .* got 'good'"),
        (lambda: rows_with(degree=["best"] * 8), "8 of 8 rows .* row 0: expected a degree among .* got 'best'"),
        (lambda: rows_with(label=[None, True] * 4), "4 of 8 rows .* got None"),
        (lambda: None, "Expected train_dataset, .* got none"),
    ],
)  # fmt: skip
def test_data_that_is_refused(model, small, dataset, message):
    with pytest.raises(ValueError, match=message):
        trainer_of(model, dataset(), small)


def test_rows_that_would_be_cut_off(model, small):
    with pytest.raises(ValueError, match="tokens and would be cut off at max_length=45; raise max_length"):
        trainer_of(model, rows(), small, max_length=45)


def test_a_folder_that_is_not_empty(model, small):
    trainer = trainer_of(model, rows(), small)
    Path(small["output_dir"]).mkdir(exist_ok=True)
    (Path(small["output_dir"]) / "weights").write_text("")
    with pytest.raises(FileExistsError, match="is not empty"):
        trainer.train()


def test_what_is_overridden_is_still_there():
    from trl import KTOTrainer

    for name in ("_prepare_dataset", "_compute_loss", "compute_ref_log_probs"):
        assert callable(getattr(KTOTrainer, name))
