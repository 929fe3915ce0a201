"""PPO as a whole: what is drawn is what is scored, what is learnt is what pays, and runs that are stopped go on."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from torch import Tensor
from transformers import TrainerCallback

from atom_hf.models import MotionGPTForPreference, MotionGPTForReward, MotionGPTForValue
from atom_hf.trainer.policy import base_of
from atom_hf.trainer.ppo.policy_and_value import PolicyAndValue, token_logps
from atom_hf.trainer.ppo.rollout import sample_tokens
from atom_hf.trainer.ppo_config import MotionPPOConfig
from atom_hf.trainer.ppo_trainer import MotionPPOTrainer
from tests.models.trl_parts import CAPTIONS, GOOD, NUM_CODES, checkpoint, load
from tests.trainer.ppo.test_rollout import inputs_of

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def motion_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model that writes motion alone."""
    return checkpoint(tmp_path_factory.mktemp("motion"), motion_only=True)


@pytest.fixture
def policy(motion_folder: Path) -> MotionGPTForPreference:
    return load(motion_folder)


def prompts(count: int = 8) -> Dataset:
    return Dataset.from_list([{"prompt": CAPTIONS[i % 4], "row": i} for i in range(count)])


def share(prompts: Any, completions: Any, completion_ids: Any, **columns: Any) -> list[float]:
    """How many of a completion's tokens are one of the four first codes; the tokenizer's last 19 are of motion."""
    assert len(columns["row"]) == len(prompts) == len(completions)
    first = _first(completion_ids)
    return [sum(first <= token < first + 4 for token in ids) / len(ids) for ids in completion_ids]


def _first(_: Any) -> int:
    return share.first  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def first_code(motion_folder: Path) -> None:
    share.first = load(motion_folder).config.motion_token_start  # type: ignore[attr-defined]


def arguments(folder: Path, **changes: Any) -> MotionPPOConfig:
    settings: dict[str, Any] = {
        "output_dir": str(folder / "out"), "max_steps": 2, "per_device_train_batch_size": 4, "num_mini_batches": 2,
        "num_ppo_epochs": 2, "max_completion_length": 8, "learning_rate": 1e-2, "logging_steps": 1, "seed": 1,
        "report_to": "none", "save_strategy": "no", "disable_tqdm": True, "use_cpu": True,
    }  # fmt: skip
    return MotionPPOConfig(**{**settings, **changes})


_GIVEN = ("value_model", "ref_model", "peft_config", "callbacks", "eval_dataset")


def trainer(model: Any, folder: Path, reward: Any = share, rows: Dataset | None = None, **changes: Any) -> Any:
    extra = {name: changes.pop(name) for name in _GIVEN if name in changes}
    rows = prompts() if rows is None else rows
    return MotionPPOTrainer(model, reward, arguments(folder, **changes), train_dataset=rows, **extra)


def logged(trainer: Any, name: str) -> list[float]:
    return [entry[name] for entry in trainer.state.log_history if name in entry]


def weights(model: torch.nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


# Training ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lora", [True, False])
def test_before_the_first_update_nothing_has_moved(policy, tmp_path, lora):
    run = trainer(policy, tmp_path, use_peft=lora, neftune_noise_alpha=None, num_mini_batches=1, max_steps=3)
    assert isinstance(run.policy, PeftModel) == lora and (run.ref_model is None) == lora
    run.train()
    assert abs(logged(run, "objective/kl")[0]) < 1e-6
    assert logged(run, "policy/approxkl")[0] < 1e-10 and logged(run, "val/ratio")[0] == pytest.approx(1, abs=1e-5)
    assert logged(run, "policy/clipfrac")[0] == 0 == logged(run, "val/clipfrac")[0]
    assert logged(run, "policy/approxkl")[1] > 1e-6  # the same motions, another policy
    assert abs(logged(run, "loss/policy")[0]) < 1e-5  # the mean of whitened advantages
    assert len(logged(run, "objective/kl")) == 2 and abs(logged(run, "objective/kl")[1]) > 1e-3
    assert logged(run, "completions/valid_share") == [1.0, 1.0]


def test_noise_is_where_the_policy_learns_alone(policy, tmp_path):
    run = trainer(policy, tmp_path, neftune_noise_alpha=5.0, num_mini_batches=1, max_steps=1)
    run.train()
    assert abs(logged(run, "objective/kl")[0]) < 1e-6  # drawn and scored without
    assert logged(run, "policy/approxkl")[0] > 1e-6  # learnt with
    assert logged(run, "val/clipfrac")[0] == 0
    assert not run.policy.get_base_model().encoder.embed_tokens._forward_hooks


@pytest.mark.parametrize("lora", [True, False])
def test_the_reward_rises(policy, tmp_path, lora):
    learning_rate = 1e-2 if lora else 2e-3
    before = weights(base_of(policy).vqvae)
    run = trainer(policy, tmp_path, rows=prompts(16), per_device_train_batch_size=16, num_mini_batches=1, max_steps=32,
                  num_ppo_epochs=4, use_peft=lora, learning_rate=learning_rate, value_learning_rate=5e-3)  # fmt: skip
    run.train()
    scores = logged(run, "objective/scores")
    assert len(scores) == 8
    assert np.mean(scores[-3:]) > np.mean(scores[:2]) + 0.2, scores
    assert logged(run, "val/error")[-1] < logged(run, "val/error")[0]
    assert logged(run, "objective/kl")[-1] > 0.1
    after = base_of(run.policy).vqvae.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())


def test_accumulated_parts_are_one_mini_batch(motion_folder, tmp_path):
    found = []
    for size, parts in ((8, 1), (2, 4)):
        run = trainer(load(motion_folder), tmp_path / str(size), per_device_train_batch_size=size, num_mini_batches=1,
                      gradient_accumulation_steps=parts, use_peft=False, neftune_noise_alpha=None, max_steps=4,
                      learning_rate=1e-3, num_ppo_epochs=2, optim="sgd")  # fmt: skip
        run.train()
        assert run.state.global_step == 4 and len(logged(run, "objective/kl")) == 2
        found.append((weights(run.model), logged(run, "loss/policy"), logged(run, "loss/value"), logged(run, "loss")))
    for name, tensor in found[0][0].items():
        np.testing.assert_allclose(found[1][0][name], tensor, atol=2e-6, err_msg=name)
    for one, two in zip(found[0][1:], found[1][1:], strict=True):
        np.testing.assert_allclose(two, one, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("lora", [True, False])
def test_activations_may_be_computed_twice(motion_folder, tmp_path, lora):
    found = []
    for twice in (False, True):
        settings = {"neftune_noise_alpha": None, "gradient_checkpointing": twice, "optim": "sgd", "max_grad_norm": 0}
        folder = tmp_path / str(twice)
        run = trainer(load(motion_folder), folder, max_steps=1, num_mini_batches=1, use_peft=lora, **settings)
        run.train()
        assert any(getattr(m, "gradient_checkpointing", False) for m in run.value_model.modules()) == twice
        found.append(weights(run.model))
    moved = 0
    start = weights(load(motion_folder))
    for name, tensor in found[0].items():
        np.testing.assert_allclose(found[1][name], tensor, atol=1e-6, err_msg=name)
        before = start.get(name.removeprefix("policy."))
        moved += name.startswith("policy.") and (before is None or not torch.equal(before, tensor))
    assert moved > 4


def test_the_adapter_that_was_there_is_part_of_the_reference(policy, tmp_path):
    adapted = get_peft_model(policy, LoraConfig(r=2, target_modules=["q", "v"]))
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_" in name:
                weight.normal_(0, 0.3)
    run = trainer(adapted, tmp_path, neftune_noise_alpha=None, max_steps=1)
    run.train()
    assert run.policy is adapted and abs(logged(run, "objective/kl")[0]) < 1e-4
    assert run.ref_model.processor is base_of(adapted).processor


def test_another_reference(policy, motion_folder, tmp_path):
    other = load(motion_folder, moved=0.2)
    run = trainer(policy, tmp_path, ref_model=other, max_steps=1)
    run.train()
    assert run.ref_model is other and logged(run, "objective/kl")[0] > 0.05


# Scores --------------------------------------------------------------------------------------------------------------


class Sometimes:
    """None for every other row."""

    __name__ = "sometimes"

    def __call__(self, prompts: Any, completion_ids: Any, row: list[int], **_: Any) -> list[float | None]:
        return [None if number % 2 else float(len(ids)) for number, ids in zip(row, completion_ids, strict=True)]


def test_nobody_learns_from_completions_without_a_score(policy, tmp_path):
    run = trainer(policy, tmp_path, Sometimes(), max_steps=1, num_mini_batches=1)
    buffers = []
    roll_out = run._roll_out
    run._roll_out = lambda rows: buffers.append((rows, roll_out(rows))) or buffers[-1][1]
    run.train()
    (rows, buffer) = buffers[0]
    odd = torch.tensor([row["row"] % 2 == 1 for row in rows])
    assert odd.any() and not buffer.tensors["mask"][odd].any()
    assert bool(buffer.tensors["mask"][~odd].eq(buffer.tensors["completion_mask"][~odd]).all())
    assert logged(run, "completions/valid_share") == [pytest.approx(float((~odd).float().mean()))]
    assert run.moments.count == int((~odd).sum())
    scores = buffer.tensors["completion_mask"].sum(1)[~odd].float()
    assert logged(run, "objective/scores") == [pytest.approx(float(scores.mean()))]
    assert run.moments.mean == pytest.approx(float(scores.mean()))
    expected = buffer.tensors["advantages"][buffer.tensors["mask"] == 1]
    assert abs(float(expected.mean())) < 1e-5 and float(expected.std()) == pytest.approx(1, abs=1e-3)


def test_rewards_that_cannot_be_used(policy, tmp_path):
    def nothing(prompts: Any, **_: Any) -> list[None]:
        return [None] * len(prompts)

    def broken(prompts: Any, **_: Any) -> list[float]:
        return [float("nan")] * len(prompts)

    async def later(prompts: Any, **_: Any) -> list[float]:
        return [0.0] * len(prompts)

    with pytest.raises(ValueError, match=r"None of the 8 completions of a rollout has a score.*\d of 8 hold no whole"):
        trainer(policy, tmp_path, nothing).train()
    with pytest.raises(ValueError, match="The reward function broken gave nan for completion 0"):
        trainer(load(policy.config._name_or_path), tmp_path, broken).train()
    with pytest.raises(TypeError, match="Expected reward functions that give numbers at once"):
        trainer(policy, tmp_path, later)
    with pytest.raises(ValueError, match="Expected at least one reward function, got none"):
        trainer(policy, tmp_path, None)
    with pytest.raises(TypeError, match="got MotionGPTForPreference, which writes motions"):
        trainer(policy, tmp_path, policy)
    with pytest.raises(ValueError, match="Expected a weight for each of 1 reward functions, got 2"):
        trainer(policy, tmp_path, share, reward_weights=[1.0, 2.0])


def test_several_functions_with_weights(policy, tmp_path):
    def tokens(prompts: Any, completion_ids: Any, trainer_state: Any, **_: Any) -> list[float]:
        assert trainer_state.global_step == 0
        return [float(len(ids)) for ids in completion_ids]

    run = trainer(policy, tmp_path, [Sometimes(), tokens], reward_weights=[1.0, -0.5], max_steps=1)
    run.train()
    entry = run.state.log_history[0]
    assert entry["completions/valid_share"] == 1.0  # one of them always answers
    assert entry["rewards/tokens/mean"] == pytest.approx(entry["completions/mean_length"])
    half = entry["rewards/sometimes/mean"] / 2  # of half of the rows
    assert entry["objective/scores"] == pytest.approx(half - 0.5 * entry["rewards/tokens/mean"], abs=1e-5)
    assert entry["reward"] == entry["objective/scores"]


def test_a_reward_model_reads_prompt_separator_and_motion(motion_folder, tmp_path):
    policy = load(motion_folder, moved=0.05)
    torch.manual_seed(3)
    reward = MotionGPTForReward.from_policy(policy)
    rows = Dataset.from_list([{"prompt": f"Generate motion: {CAPTIONS[i % 4]}" if i % 2 else CAPTIONS[i % 4]}
                              for i in range(16)])  # fmt: skip
    run = trainer(policy, tmp_path, reward, rows, max_steps=1, max_completion_length=12, per_device_train_batch_size=8)
    assert not any(parameter.requires_grad for parameter in reward.parameters())
    begun = run.value_model.state_dict()
    assert all(torch.equal(begun[name], weight) for name, weight in reward.transformer.state_dict().items())
    asked = []
    run.drawer.scorer = lambda *given, **more: asked.append((*given, run.scorer(*given, **more))) or asked[-1][-1]
    base = base_of(run.policy)

    def draw(*args: Any, **kwargs: Any) -> Tensor:  # a random model hardly ever writes a whole motion
        drawn = sample_tokens(*args, **kwargs)
        drawn[::2] = 0
        drawn[::2, :5] = torch.tensor(base.processor.motion_ids([GOOD, 2]))
        return drawn

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("atom_hf.trainer.ppo.draw.sample_tokens", draw)
        run.train()
    rows, _, completion_ids, scores = asked[0]
    parsed = [base.processor.decode_codes(ids) for ids in completion_ids]
    whole = [i for i, found in enumerate(parsed) if found.complete]
    assert len(whole) >= 8 and [i for i, x in enumerate(scores.total.tolist()) if not math.isnan(x)] == whole
    captions = [rows[i]["prompt"][0]["content"].removeprefix("Generate motion: ") for i in whole]
    expected = reward.score(captions, [parsed[i].codes for i in whole])
    np.testing.assert_allclose(scores.total[whole], expected, rtol=1e-5)
    assert run.state.log_history[0]["completions/valid_share"] == len(whole) / 16


def test_scores_are_scaled_and_ends_are_asked_for(policy, tmp_path):
    run = trainer(policy, tmp_path, max_steps=1, norm_scores=True, score_clip=0.5, missing_eos_penalty=3.0)
    kept = []
    scaled = run._scaled
    run._scaled = lambda drawn: kept.append((drawn, scaled(drawn))) or kept[-1][1]
    run.train()
    drawn, found = kept[0]
    raw = drawn.scores.total
    expected = ((raw - raw.mean()) / raw.std()).clamp(-0.5, 0.5) - 3.0 * (~drawn.ended)
    assert drawn.ended.any() and not drawn.ended.all()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_coefficient_adapts(policy, tmp_path):
    run = trainer(
        policy,
        tmp_path,
        max_steps=4,
        num_mini_batches=1,
        num_ppo_epochs=1,
        adaptive_kl=True,
        kl_target=1e-4,
        kl_horizon=16,
    )
    run.train()
    coefficients = logged(run, "objective/kl_coef")
    kl = logged(run, "objective/kl")
    expected = [0.05]
    for value in kl[:-1]:  # 4 completions a rollout
        expected.append(expected[-1] * (1 + min(max(value / 1e-4 - 1, -0.2), 0.2) * 4 / 16))
    np.testing.assert_allclose(coefficients, expected, rtol=1e-5)
    assert coefficients[1] < 0.05 and len(set(coefficients)) > 2


def test_the_value_model_has_a_learning_rate_of_its_own(policy, tmp_path):
    run = trainer(policy, tmp_path, value_learning_rate=3e-2, max_steps=1, weight_decay=0.1)
    run.train()
    rates = {group["initial_lr"] for group in run.optimizer.param_groups}
    assert rates == {1e-2, 3e-2}
    value = {id(p) for p in run.value_model.parameters()}
    for group in run.optimizer.param_groups:
        assert {id(p) in value for p in group["params"]} == {group["initial_lr"] == 3e-2}
    trained = sum(len(group["params"]) for group in run.optimizer.param_groups)
    assert trained == sum(parameter.requires_grad for parameter in run.model.parameters())


# Evaluation and callbacks --------------------------------------------------------------------------------------------


class Models(TrainerCallback):
    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_train_begin(self, *args: Any, model: Any = None, **_: Any) -> None:
        self.seen.append(model)

    def on_step_end(self, *args: Any, model: Any = None, **_: Any) -> None:
        self.seen.append(model)


def test_evaluation_is_the_same_each_time_and_disturbs_nothing(motion_folder, tmp_path):
    found = []
    for i, changes in enumerate(({}, {"eval_strategy": "steps", "eval_steps": 1})):
        callback = Models()
        run = trainer(load(motion_folder), tmp_path / str(i), max_steps=3, eval_dataset=prompts(6),
                      per_device_eval_batch_size=4, callbacks=[callback], **changes)  # fmt: skip
        first = run.evaluate()
        assert first["eval_objective/scores"] == run.evaluate()["eval_objective/scores"]
        assert logged(run, "eval_objective/scores") == [first["eval_objective/scores"]] * 2
        assert 0 < first["eval_objective/scores"] < 1 and abs(first["eval_objective/kl"]) < 1e-6
        run.train()
        found.append((weights(run.model), logged(run, "objective/scores")))
        assert len(callback.seen) == 4 and all(model is run.policy for model in callback.seen)
    assert found[0][1] == found[1][1]
    assert all(torch.equal(tensor, found[1][0][name]) for name, tensor in found[0][0].items())
    assert len(logged(run, "eval_objective/scores")) == 3


# Checkpoints ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lora", [True, False])
def test_a_saved_policy_is_an_ordinary_checkpoint(motion_folder, tmp_path, lora):
    run = trainer(load(motion_folder), tmp_path, use_peft=lora, max_steps=2)
    run.train()
    run.save_model(str(tmp_path / "saved"))
    if lora:
        policy = PeftModel.from_pretrained(load(motion_folder), tmp_path / "saved")
        assert not (tmp_path / "saved" / "model.safetensors").exists()
    else:
        policy = MotionGPTForPreference.from_pretrained(tmp_path / "saved")
        assert policy.processor.num_codes == NUM_CODES
    value = MotionGPTForValue.from_pretrained(tmp_path / "saved" / "value_model")
    inputs = inputs_of(base_of(run.policy))
    with torch.no_grad():
        expected, found = run.model.eval()(*inputs), PolicyAndValue(policy, value).eval()(*inputs)
        before = token_logps(load(motion_folder), *inputs)[0]
    for one, two in zip(expected, found, strict=True):
        np.testing.assert_allclose(two, one, atol=1e-5)
    assert float((expected.logps - before).abs().max()) > 1e-3


class Stopped(Exception):
    """In place of a signal."""


class StopAt(TrainerCallback):
    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == self.step:
            raise Stopped


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("lora", "at"), [(True, 3), pytest.param(False, 3, marks=SLOW), pytest.param(True, 4, marks=SLOW)]
)
def test_a_stopped_run_goes_on(motion_folder, tmp_path, lora, at):
    """Within a rollout (of 4 steps) and between two: the weights are those of a run that was never stopped."""
    settings = {"use_peft": lora, "max_steps": 6, "save_strategy": "steps", "save_steps": at, "adaptive_kl": True,
                "gradient_accumulation_steps": 2, "per_device_train_batch_size": 2, "save_total_limit": 1}  # fmt: skip
    whole = trainer(load(motion_folder), tmp_path / "whole", **settings)
    whole.train()
    stopped = trainer(load(motion_folder), tmp_path / "two", callbacks=[StopAt(at + 1)], **settings)
    with pytest.raises(Stopped):
        stopped.train()
    checkpoint = tmp_path / "two" / "out" / f"checkpoint-{at}"
    state = torch.load(checkpoint / "ppo_state_0.pt", weights_only=True)
    assert ("buffer" in state) == (at == 3) and state["moments"]["count"] == 8
    torch.manual_seed(99)
    again = trainer(load(motion_folder), tmp_path / "two", seed=1, **settings)
    again.train(resume_from_checkpoint=True)
    assert again.state.global_step == 6
    assert logged(again, "objective/scores") == logged(whole, "objective/scores")
    expected, found = weights(whole.model), weights(again.model)
    assert [name for name in expected if not torch.equal(found[name], expected[name])] == []
    assert again.kl_control.value == whole.kl_control.value and vars(again.moments) == vars(whole.moments)


def test_the_best_checkpoint_is_loaded(motion_folder, tmp_path):
    run = trainer(load(motion_folder), tmp_path, max_steps=4, eval_dataset=prompts(4), eval_strategy="steps",
                  eval_steps=2, save_strategy="steps", save_steps=2, load_best_model_at_end=True,
                  metric_for_best_model="objective/kl", greater_is_better=False)  # fmt: skip
    run.train()
    best = Path(run.state.best_model_checkpoint)
    saved = load_file(best / "value_model" / "model.safetensors")
    for name, tensor in saved.items():
        assert torch.equal(run.value_model.state_dict()[name], tensor), name


def test_checkpoints_of_others(policy, motion_folder, tmp_path):
    run = trainer(policy, tmp_path, max_steps=2, save_strategy="steps", save_steps=1)
    run.train()
    saved = tmp_path / "out" / "checkpoint-1"
    (saved / "ppo_state_0.pt").rename(tmp_path / "state")
    again = trainer(load(motion_folder), tmp_path)
    last = tmp_path / "out" / "checkpoint-2"
    assert again._checkpoint(True) == str(last)
    (last / "value_model" / "config.json").unlink()
    with pytest.raises(
        ValueError, match=r"checkpoint-2: value_model/config.json is .*checkpoint-1: ppo_state_0.pt is"
    ):
        again.train(resume_from_checkpoint=True)
    (tmp_path / "state").rename(saved / "ppo_state_0.pt")
    assert again._checkpoint(True) == str(saved)
    (saved / "ppo_state_0.pt").unlink()
    with pytest.raises(FileNotFoundError, match="another number of processes, or with save_only_model"):
        again.train(resume_from_checkpoint=str(saved))
    (saved / "value_model").rename(saved / "other")
    with pytest.raises(FileNotFoundError, match="has no value_model/, so PPO cannot go on from it"):
        again.train(resume_from_checkpoint=str(saved))


# Errors --------------------------------------------------------------------------------------------------------------


def test_errors(policy, motion_folder, tmp_path):
    with pytest.raises(ValueError, match="Expected train_dataset, a Dataset with a column prompt, got NoneType"):
        MotionPPOTrainer(policy, share, arguments(tmp_path))
    with pytest.raises(ValueError, match="got IterableDataset; a rollout takes its prompts several times"):
        trainer(policy, tmp_path, rows=prompts().to_iterable_dataset())
    with pytest.raises(ValueError, match="The train dataset lacks prompt"):
        trainer(policy, tmp_path, rows=Dataset.from_list([{"text": "a man"}]))
    with pytest.raises(ValueError, match="the prompt is empty"):
        trainer(policy, tmp_path, rows=Dataset.from_list([{"prompt": " "}]))
    with pytest.raises(ValueError, match="A rollout takes 8 prompts on all devices, and the train dataset has 3"):
        trainer(policy, tmp_path, rows=prompts(3)).train()
    with pytest.raises(ValueError, match="The reference is the policy itself"):
        trainer(policy, tmp_path, ref_model=policy)
    with pytest.raises(TypeError, match="Expected a value model that is a MotionGPTForValue, got Linear"):
        trainer(policy, tmp_path, value_model=torch.nn.Linear(1, 1))
    with pytest.raises(TypeError, match="Expected a MotionGPTForPreference"):
        trainer(torch.nn.Linear(1, 1), tmp_path)
    adapted = get_peft_model(load(motion_folder), LoraConfig(r=2, target_modules=["q"]))
    with pytest.raises(ValueError, match="The model has an adapter already"):
        trainer(adapted, tmp_path, peft_config=LoraConfig(r=2))
    with pytest.raises(ValueError, match="The adapter is frozen"):
        trainer(adapted.requires_grad_(False), tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_ppo_epochs": 0}, "Expected num_ppo_epochs of at least 1, got 0"),
        ({"temperature": 0.0}, "Expected temperature above 0, got 0.0"),
        ({"lam": 1.5}, "Expected lam from 0 to 1, got 1.5"),
        ({"kl_penalty": "full"}, "Expected kl_penalty among kl, abs, mse, got 'full'"),
        ({"kl_coef": -1.0}, "Expected a KL coefficient of at least 0, got -1.0"),
    ],
)
def test_settings_out_of_range(tmp_path, settings, message):
    with pytest.raises(ValueError, match=message):
        arguments(tmp_path, **settings)


def test_published_settings(shared):
    args = MotionPPOConfig("out", use_cpu=True)
    assert args.rollout_size == 32 and args.steps_per_rollout == 16 and args.learning_rate == 1e-5
    assert (args.kl_coef, args.adaptive_kl, args.neftune_noise_alpha) == (0.05, False, 0.1)
    assert args.whiten_rewards and args.scale_scores and args.disable_dropout
    told = json.loads((shared / "golden" / "f_pref_losses.json").read_text())["ppo_config"]
    names = {name: name for name in ("gamma", "lam", "cliprange", "cliprange_value", "vf_coef")}
    names |= {"ppo_epochs": "num_ppo_epochs", "target": "kl_target", "horizon": "kl_horizon"}
    assert {theirs: getattr(args, ours) for theirs, ours in names.items()} == {name: told[name] for name in names}


# Two processes -------------------------------------------------------------------------------------------------------

_TWO = """
import sys
from pathlib import Path
import torch
sys.path.insert(0, {root!r})
from tests.trainer import test_ppo_trainer as t

def main(folder, out, resume):
    folder, out = Path(folder), Path(out)
    t.share.first = t.load(folder).config.motion_token_start
    run = t.trainer(t.load(folder), out, t.Sometimes(), t.prompts(32), max_steps=10, per_device_train_batch_size=2,
                    gradient_accumulation_steps=2, learning_rate=1e-3, save_strategy="steps", save_steps=3,
                    use_peft=sys.argv[4] == "lora")
    run.train(resume_from_checkpoint=str(out / "out" / "checkpoint-3") if resume else None)
    state = {{"weights": dict(run.model.state_dict()), "moments": run.moments.state_dict(),
             "scores": t.logged(run, "objective/scores"), "first": run.kept, "seed": torch.initial_seed()}}
    torch.save(state, out / f"{{'again' if resume else 'run'}}_{{run.args.process_index}}.pt")

class Kept(t.MotionPPOTrainer):
    kept = None
    def _roll_out(self, rows):
        buffer = super()._roll_out(rows)
        if self.kept is None:
            self.kept = {{"rows": [row["row"] for row in rows], **buffer.tensors, "counts": buffer.counts}}
        return buffer

t.MotionPPOTrainer = Kept
main(sys.argv[1], sys.argv[2], sys.argv[3] == "again")
"""


@pytest.mark.slow
@pytest.mark.parametrize("lora", [True, False])
def test_two_processes(motion_folder, tmp_path, lora):
    from tests.examples.test_two_processes import launch

    (tmp_path / "two.py").write_text(_TWO.format(root=str(ROOT)))
    kind = "lora" if lora else "full"
    launch(str(tmp_path / "two.py"), motion_folder, tmp_path, "run", kind, processes=2, cwd=tmp_path)
    one, two = (torch.load(tmp_path / f"run_{i}.pt", weights_only=True) for i in range(2))
    assert all(torch.equal(tensor, two["weights"][name]) for name, tensor in one["weights"].items())
    assert one["moments"] == two["moments"] and one["scores"] == two["scores"]
    # Other prompts and other motions in each process; whitened and counted together.
    first = [state["first"] for state in (one, two)]
    assert not set(first[0]["rows"]) & set(first[1]["rows"])
    assert one["seed"] != two["seed"]
    advantages = torch.cat([state["advantages"][state["mask"] == 1] for state in first])
    assert abs(float(advantages.mean())) < 1e-5 and float(advantages.std()) == pytest.approx(1, abs=1e-4)
    assert abs(float(first[0]["advantages"][first[0]["mask"] == 1].mean())) > 1e-4  # not each on its own
    assert torch.equal(first[0]["counts"], first[1]["counts"])
    # Stopped within a rollout, both go on with what they had drawn.
    launch(str(tmp_path / "two.py"), motion_folder, tmp_path, "again", kind, processes=2, cwd=tmp_path)
    again = torch.load(tmp_path / "again_1.pt", weights_only=True)
    for name, tensor in one["weights"].items():
        np.testing.assert_allclose(again["weights"][name], tensor, atol=1e-6, err_msg=name)
    assert again["moments"] == one["moments"]
