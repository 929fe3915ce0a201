"""GRPO on motions: what is rewarded, what is scored, and what it is compared with."""

import json
import logging
from typing import Any
from unittest.mock import patch

import pytest

pytest.importorskip("trl")
pytest.importorskip("peft")

import torch
from datasets import Dataset
from trl import GRPOTrainer

from atom_hf import DEFAULT_MODEL, MotionGPTForPreference
from atom_hf.trainer.grpo_config import MotionGRPOConfig
from atom_hf.trainer.grpo_trainer import MotionGRPOTrainer
from atom_hf.trainer.online_trainer import OnlineTrainer
from atom_hf.trainer.policy import base_of
from tests.models.trl_parts import Rewards, load

from .conftest import PROMPTS, message

SIZES = {"num_generations": 4, "max_completion_length": 6, "per_device_train_batch_size": 8}


def prompts(count: int = 2, **columns: Any) -> Dataset:
    rows = [{"prompt": message("user", text)} for text in PROMPTS[:count]]
    return Dataset.from_list([row | {k: v[i] for k, v in columns.items()} for i, row in enumerate(rows)])


def codes(prompts: list[Any], completion_ids: list[list[int]], **_: Any) -> list[float]:
    return [len(ids) / 6 for ids in completion_ids]


def trainer(model: Any, small: dict[str, Any], rewards: Any = None, rows: Any = None, **changes: Any) -> Any:
    args = MotionGRPOConfig(**{**small, **SIZES, **changes})
    rewards = Rewards() if rewards is None else rewards
    return MotionGRPOTrainer(model, rewards, args, train_dataset=prompts() if rows is None else rows)


def logged(run: Any, name: str) -> list[float]:
    return [entry[name] for entry in run.state.log_history if name in entry]


def weights(model: Any) -> dict[str, torch.Tensor]:
    return {name: weight.detach().clone() for name, weight in model.named_parameters()}


def first_samples(run: Any) -> dict[str, torch.Tensor]:
    """What the trainer makes of its first batch: a group of motions for each prompt."""
    rows = [run.train_dataset[i // run.num_generations] for i in range(run.args.per_device_train_batch_size)]
    run.model.train()
    return run._generate_and_score_completions(rows)


# Rewards -------------------------------------------------------------------------------------------------------------


def test_rewards_reach_trl_with_weights_and_columns(model, small):
    seen: list[dict[str, Any]] = []

    def events(prompts, completion_ids, scenario, **columns):
        seen.append({"prompts": prompts, "scenario": scenario, **columns})
        return [float(ids[0] % 3) for ids in completion_ids]

    before = weights(model)
    rows = prompts(scenario=['{"a": 1}', '{"a": 2}'], task=["x", "y"])
    run = trainer(model, small, [codes, events], rows, reward_weights=[2.0, -0.5])
    run.train()
    means = [logged(run, f"rewards/{name}/mean") for name in ("codes", "events")]
    assert len(means[0]) == 2 and means[0] != means[1]
    mixed = [2 * a - 0.5 * b for a, b in zip(*means, strict=True)]
    assert logged(run, "reward") == pytest.approx(mixed, abs=1e-5)
    assert [len(call["scenario"]) for call in seen] == [8, 8]
    pairs = {
        (call["prompts"][i][0]["content"], call["scenario"][i], call["task"][i]) for call in seen for i in range(8)
    }
    assert pairs == {(PROMPTS[0], '{"a": 1}', "x"), (PROMPTS[1], '{"a": 2}', "y")}
    after = {name.replace(".base_layer", ""): weight for name, weight in weights(base_of(run.model)).items()}
    assert all(torch.equal(weight, after[name]) for name, weight in before.items())
    trained = [weight for name, weight in after.items() if "lora_B" in name]
    assert len(trained) == 2 * 4 and all(bool(weight.any()) for weight in trained)  # q and v of four attentions


def test_texts_are_asked_for_in_the_words_of_the_model(model, small):
    reward = Rewards()
    run = trainer(model, small, reward, Dataset.from_dict({"prompt": PROMPTS[:2]}), use_peft=False, beta=0.0)
    ids = first_samples(run)["prompt_ids"]
    text = run.processing_class.batch_decode(ids, skip_special_tokens=True)
    assert text[0] == f"Generate motion: {PROMPTS[0]}"
    assert reward.calls[0][0][0] == message("user", PROMPTS[0])


def test_completions_without_verdict_teach_nothing(model, small):
    def first_alone(prompts, completion_ids, **_):
        return [1.0, 0.0, 0.0, None] * (len(prompts) // 4)

    batch = first_samples(trainer(model, small, first_alone))
    advantages = batch["advantages"].view(2, 4)
    assert (advantages[:, 3] == 0).all() and (advantages[:, 0] > 0.5).all() and (advantages[:, 1] < 0).all()


def test_what_is_no_motion_has_no_motion(folder, small):
    """Words, a motion without an end and codes without a beginning are None for whoever decodes them."""
    model = load(folder)
    start, end, code = model.config.motion_start_id, model.config.motion_end_id, model.config.motion_token_start
    written = [[5, 6, 1], [start, code, code], [code, end, 1], [start, end, 1], [], [start, code, code, end, 1]]
    motions = model.decode_completions(written)
    assert motions[:5] == [None] * 5 and len(motions[5]) == 8


# Errors --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (lambda n: [float("nan")] * n, ValueError, "bad gave nan for completion 0"),
        (lambda n: [1e38] * n, ValueError, r"bad gave 1e\+38 for completion 0; expected rewards within ±1e\+06"),
        (lambda n: [0.0] * (n - 1), ValueError, "bad gave 7 rewards for 8 completions"),
        (lambda n: [None] * n, ValueError, "No reward function gave a reward for any of 8 completions"),
    ],
)
def test_bad_rewards_stop_the_run_before_anything_is_learnt(model, small, answer, kind, text):
    def bad(prompts, **_):
        return answer(len(prompts))

    run = trainer(model, small, bad)
    before = weights(run.model)
    with pytest.raises(kind, match=text):
        run.train()
    assert all(torch.equal(weight, before[name]) for name, weight in weights(run.model).items())


def test_causes_and_advice(model, small):
    class Silent:
        __name__ = "silent"
        causes = ("the server is down",) * 8

        def __call__(self, prompts, **_):
            return [None] * len(prompts)

    with pytest.raises(
        ValueError, match=r"of 8 hold no whole motion; silent says 8 times: the server is down\. "
    ) as e:
        first_samples(trainer(model, small, Silent()))
    assert "model.restrict_to_motion()" in str(e.value)
    model = load(model.config._name_or_path)
    model.restrict_to_motion()
    with pytest.raises(ValueError, match=r"Raise max_completion_length \(now 6\), or begin with a better model"):
        first_samples(trainer(model, small, Silent()))


def test_a_function_that_never_rewards_is_reported_once(model, small, caplog):
    def never(prompts, **_):
        return [None] * len(prompts)

    with caplog.at_level(logging.WARNING, logger="atom_hf"):
        trainer(model, small, [codes, never]).train()
    found = [record.message for record in caplog.records if "never gave no reward" in record.message]
    assert len(found) == 1 and "any of 8 completions: " in found[0]


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([{"text": "a"}], "train dataset lacks prompt"),
        ([{"prompt": "a"}, {"prompt": "  "}], "1 of 2 rows of the train dataset cannot be used; row 1: the prompt is"),
        ([{"prompt": "she sits down " * 200}], "row 0: the prompt has [0-9]+ tokens, and the model reads"),
        (
            [{"prompt": message("user", "a") + message("user", "b")}],
            "row 0: prompt: expected one message with role and content",
        ),
        ([], "train dataset is empty"),
        (
            [{"prompt": "a"}],
            "has 1 prompts, and one generation needs 2: generation_batch_size 8 for num_generations 4",
        ),
    ],
)
def test_prompts_that_cannot_be_used(model, small, rows, text):
    with pytest.raises(ValueError, match=text):
        trainer(model, small, rows=Dataset.from_list(rows))


def test_a_reward_model_that_is_none(model, folder, small):
    """Said when it is handed in, not when it is first asked."""
    with pytest.raises(TypeError, match=r"Expected a MotionGPTForReward, .* got MotionGPTForPreference, which writes"):
        trainer(model, small, load(folder))

    run = trainer(model, small)  # modules are asked by TRL itself
    with patch.object(GRPOTrainer, "_calculate_rewards", lambda *_: torch.tensor([[1.0], [-3e30]])):
        with pytest.raises(ValueError, match=r"A reward model gave 3e\+30; expected rewards within ±1e\+06"):
            run._calculate_rewards([], [], [], [])


def test_settings_that_cannot_be_used(model, small, caplog):
    with pytest.raises(ValueError, match="at least one reward function"):
        trainer(model, small, [])
    with pytest.raises(ValueError, match="a weight for each of 1 reward functions, got 2"):
        trainer(model, small, reward_weights=[1.0, 2.0])
    with pytest.raises(ValueError, match="Expected train_dataset"):
        MotionGRPOTrainer(model, codes, MotionGRPOConfig(**{**small, **SIZES}))
    with pytest.raises(TypeError, match="Expected a MotionGPTForPreference"):
        trainer(torch.nn.Linear(1, 1), small)
    for wrong, text in (
        ({"max_completion_length": 3}, "max_completion_length of at least 4"),
        ({"beta": -0.1}, "beta of 0 or above"),
        ({"temperature": 0.0}, "temperature above 0"),
    ):
        with pytest.raises(ValueError, match=text):
            MotionGRPOConfig(**{**small, **SIZES, **wrong})
    with caplog.at_level(logging.WARNING, logger="atom_hf"):
        MotionGRPOConfig(**{**small, **SIZES})
        assert not caplog.records
        MotionGRPOConfig(**{**small, **SIZES, "top_k": 20})
    assert "sampled with top_k=20, but scored without" in caplog.text


# Reference -----------------------------------------------------------------------------------------------------------


def test_reference_of_a_full_run_is_the_policy_as_handed_in(folder, small):
    policy = load(folder, moved=0.1)  # the folder that its name says holds other weights
    stored, start = weights(load(folder)), weights(policy)
    run = trainer(policy, small, use_peft=False, beta=0.5, max_steps=2)
    assert run.ref_model is not policy and not any(weight.requires_grad for weight in run.ref_model.parameters())
    run.train()
    kept = weights(run.ref_model)
    assert all(torch.equal(kept[name], weight) for name, weight in start.items())
    assert not torch.equal(kept["shared.weight"], stored["shared.weight"])
    assert not torch.equal(policy.shared.weight, kept["shared.weight"])  # which was trained
    divergence = logged(run, "kl")
    assert divergence[0] == pytest.approx(0, abs=1e-6) and divergence[1] > 1e-5


def test_a_model_made_in_memory_has_a_reference(folder, small):
    model = load(folder, moved=0.1)
    model.processor = model.processor
    model.config._name_or_path = ""
    run = trainer(model, small, use_peft=False, beta=0.5, max_steps=1)
    run.train()
    assert logged(run, "kl")[0] == pytest.approx(0, abs=1e-6)


def test_reference_of_an_adapter_is_the_model_without_it(model, small):
    run = trainer(model, small, beta=0.5)
    assert run.ref_model is None
    run.train()
    divergence = logged(run, "kl")
    assert divergence[0] == pytest.approx(0, abs=1e-6) and divergence[1] > 1e-6
    assert trainer(load(model.config._name_or_path), small, use_peft=False, beta=0.0).ref_model is None


def test_same_seed_same_weights(folder, small):
    runs = []
    for i in range(2):
        torch.manual_seed(0)
        runs.append(trainer(load(folder), {**small, "output_dir": f"{small['output_dir']}{i}"}))
        runs[-1].train()
    first, second = (weights(run.model) for run in runs)
    assert all(torch.equal(weight, second[name]) for name, weight in first.items())
    assert logged(runs[0], "reward") == logged(runs[1], "reward")


# Sampling ------------------------------------------------------------------------------------------------------------


def check_sampled_is_scored(run: Any) -> torch.Tensor:
    """Log-probabilities with which tokens were drawn are those that the loss begins with; returns the tokens."""
    asked = run.processing_class(["Generate motion: the man jumps"] * 6, return_tensors="pt")
    model = run.model.train()
    generated = model.generate(
        **asked,
        generation_config=run.generation_config,
        return_dict_in_generate=True,
        output_scores=True,
    )
    width = asked.input_ids.shape[1]
    completions = generated.sequences[:, width:]
    drawn = torch.stack(generated.scores, 1).log_softmax(-1).gather(-1, completions[..., None])[..., 0]
    ends = (completions == 1).int()
    mask = (ends.cumsum(1) - ends) == 0
    attention = torch.cat([asked.attention_mask, mask.long()], 1)
    with torch.no_grad():
        scored, _, _ = run._get_per_token_logps_and_entropies(
            model, generated.sequences, attention, completions.shape[1]
        )
    assert mask.sum() > 20
    assert torch.exp(scored - drawn)[mask] == pytest.approx(1.0, abs=2e-3)
    return completions[mask]


@pytest.mark.parametrize("motion_only", [True, False])
@pytest.mark.parametrize("temperature", [1.0, 1.5])
def test_what_is_sampled_is_what_is_scored(model, small, motion_only, temperature):
    model.restrict_to_motion(motion_only)
    run = trainer(model, small, temperature=temperature, max_completion_length=12)
    for name, weight in run.model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.3)  # so that dropout of the adapter would show
    tokens = check_sampled_is_scored(run)
    motion = set(model.config.motion_token_range) | {1}
    assert motion_only == (set(tokens.tolist()) <= motion)


@pytest.mark.parametrize("motion_only", [True, False])
def test_default_model(small, motion_only):
    """Its decoder is deeper than its encoder, and its generation_config asks for another temperature."""
    model = MotionGPTForPreference.from_pretrained(DEFAULT_MODEL)
    model.restrict_to_motion(motion_only)
    how = {"max_completion_length": 16, "max_steps": 1, "steps_per_generation": 2, "beta": 0.0}
    run = trainer(model, small, codes, prompts(4), **how)
    run.train()  # samples of two steps; the ratio of the first is 1
    assert logged(run, "clip_ratio/region_mean") == [0.0]
    check_sampled_is_scored(run)


def test_reference_and_sampling_know_no_noise(model, small):
    run = trainer(model, small, neftune_noise_alpha=500.0, beta=0.5, max_steps=1)
    run.train()
    assert run._noise is not None
    with run._noise.on(run.model):
        torch.manual_seed(0)
        noisy = first_samples(run)
    torch.manual_seed(0)
    plain = first_samples(run)
    assert torch.equal(noisy["completion_ids"], plain["completion_ids"])
    torch.testing.assert_close(noisy["ref_per_token_logps"], plain["ref_per_token_logps"])


# The rest ------------------------------------------------------------------------------------------------------------


def test_defaults():
    args = MotionGRPOConfig("out", use_cpu=True)
    assert args.max_completion_length == 52 and args.disable_dropout and not args.remove_unused_columns
    assert (args.temperature, args.top_k, args.top_p, args.beta) == (1.0, 0, 1.0, 0.05)
    assert args.use_peft and args.lora().r == 8 and not args.gradient_checkpointing and not args.bf16


def test_evaluation_and_streams(model, small):
    rows = prompts()
    run = MotionGRPOTrainer(
        model,
        codes,
        MotionGRPOConfig(**{**small, **SIZES, "per_device_eval_batch_size": 8, "max_steps": 1}),
        train_dataset=rows.to_iterable_dataset(),
        eval_dataset={"all": rows},
    )
    run.train()
    run.evaluate()
    assert logged(run, "eval_rewards/codes/mean")[0] > 0
    assert logged(run, "completions/whole_motions") == [0.0]  # a random model writes none


def test_upstream_still_has_what_is_overridden():
    trl_trainer = MotionGRPOTrainer.__mro__[3]
    assert trl_trainer.__module__ == "trl.trainer.grpo_trainer"
    for hook in ("_generate_and_score_completions", "_calculate_rewards"):
        assert hook in vars(OnlineTrainer) and hook in vars(trl_trainer)
    assert hasattr(trl_trainer, "_log_metric") and hasattr(MotionGRPOTrainer._trl, "create_model_from_path")
    assert json.dumps(MotionGRPOConfig("out", use_cpu=True).to_dict())
