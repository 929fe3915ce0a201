"""RLOO on motions: what GRPO's tests say holds here too; a baseline of the others, and a divergence in the reward."""

import pytest

pytest.importorskip("trl")
pytest.importorskip("peft")

import torch

from atom_hf.trainer.online_trainer import OnlineTrainer
from atom_hf.trainer.rloo_config import MotionRLOOConfig
from atom_hf.trainer.rloo_trainer import MotionRLOOTrainer
from tests.models.trl_parts import Rewards, load

from .test_grpo_trainer import SIZES, check_sampled_is_scored, codes, first_samples, logged, prompts, weights


def trainer(model, small, rewards=None, rows=None, **changes):
    args = MotionRLOOConfig(**{**small, **SIZES, **changes})
    rows = prompts() if rows is None else rows
    return MotionRLOOTrainer(model, Rewards() if rewards is None else rewards, args, train_dataset=rows)


def test_baseline_is_the_mean_of_the_others(model, small):
    def first_alone(prompts, **_):
        return [1.0, 0.5, 0.0, None] * (len(prompts) // 4)

    advantages = first_samples(trainer(model, small, first_alone, beta=0.0))["advantages"]
    assert advantages.tolist() == pytest.approx([0.75, 0.0, -0.75, 0.0] * 2)


def test_divergence_is_taken_from_the_reward(folder, small):
    run = trainer(load(folder, moved=0.1), small, codes, use_peft=False, beta=10.0)
    with torch.no_grad():
        run.ref_model.shared.weight += 0.02 * torch.randn_like(run.ref_model.shared.weight)
    batch = first_samples(run)
    ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], 1)
    mask = torch.cat([batch["prompt_mask"], batch["completion_mask"]], 1)
    with torch.no_grad():
        mine, theirs = (
            (run._get_per_token_logps_and_entropies(model, ids, mask, batch["completion_ids"].shape[1])[0])
            for model in (run.model, run.ref_model)
        )
    divergence = ((mine - theirs) * batch["completion_mask"]).sum(1)
    rewards = batch["completion_mask"].sum(1) / 6 - 10.0 * divergence
    others = (rewards.view(2, 4).sum(1, keepdim=True) - rewards.view(2, 4)) / 3
    torch.testing.assert_close(batch["advantages"], rewards - others.flatten(), rtol=1e-4, atol=1e-4)
    assert divergence.abs().max() > 1e-3


def test_reference_of_a_full_run_stays_and_seeds_repeat(folder, small):
    runs = []
    for i in range(2):
        torch.manual_seed(0)
        policy = load(folder, moved=0.1)
        start = weights(policy)
        run = trainer(policy, {**small, "output_dir": f"{small['output_dir']}{i}"}, use_peft=False, beta=0.01)
        run.train()
        kept = weights(run.ref_model)
        assert all(torch.equal(kept[name], weight) for name, weight in start.items())
        runs.append(run)
    first, second = (weights(run.model) for run in runs)
    assert all(torch.equal(weight, second[name]) for name, weight in first.items())
    assert logged(runs[0], "kl")[0] == pytest.approx(0, abs=1e-5) and abs(logged(runs[0], "kl")[1]) > 1e-5


def test_rewards_mix_and_an_adapter_is_trained(model, small):
    run = trainer(model, small, [codes, Rewards()], reward_weights=[1.0, 3.0])
    run.train()
    means = [logged(run, f"rewards/{name}/mean") for name in ("codes", "share_of_even_ids")]
    assert logged(run, "reward") == pytest.approx([a + 3 * b for a, b in zip(*means, strict=True)], abs=1e-5)
    trained = [weight for name, weight in run.model.named_parameters() if "lora_B" in name]
    assert trained and all(bool(weight.any()) for weight in trained)


@pytest.mark.parametrize("motion_only", [True, False])
def test_what_is_sampled_is_what_is_scored(model, small, motion_only):
    model.restrict_to_motion(motion_only)
    check_sampled_is_scored(trainer(model, small, max_completion_length=12))


def test_a_rate_that_breaks_the_model_stops_the_run(model, small, tmp_path):
    run = trainer(model, small, learning_rate=1e30, max_steps=4, use_peft=False)
    with pytest.raises(FloatingPointError, match=r"Lower learning_rate \(now 1e\+30\)"):
        run.train()
    assert not [path for path in (tmp_path / "out").rglob("*") if path.suffix == ".safetensors"]


def test_other_faults_of_sampling_are_not_renamed(model, small):
    def broken(prompts, **_):
        raise RuntimeError("server down")

    with pytest.raises(RuntimeError, match="server down"):
        trainer(model, small, broken).train()


def test_bad_input(model, small):
    def nothing(prompts, **_):
        return [None] * len(prompts)

    with pytest.raises(ValueError, match="at least one reward function"):
        trainer(model, small, [])
    with pytest.raises(ValueError, match="a weight for each of 2 reward functions, got 1"):
        trainer(model, small, [codes, nothing], reward_weights=[1.0])
    with pytest.raises(ValueError, match="No reward function gave a reward for any of 8 completions"):
        trainer(model, small, nothing).train()
    with pytest.raises(ValueError, match="max_completion_length of at least 4"):
        MotionRLOOConfig(**{**small, **SIZES, "max_completion_length": 2})


def test_defaults_and_upstream():
    args = MotionRLOOConfig("out", use_cpu=True)
    assert args.max_completion_length == 52 and args.disable_dropout and args.num_generations == 8
    assert args.use_peft and args.lora().r == 8 and args.top_k == 0 and args.temperature == 1
    trl_trainer = MotionRLOOTrainer.__mro__[3]
    assert trl_trainer.__module__ == "trl.trainer.rloo_trainer"
    for hook in ("_generate_and_score_completions", "_calculate_rewards", "_log_metric"):
        assert hook in vars(trl_trainer)
    assert issubclass(MotionRLOOTrainer, OnlineTrainer) and hasattr(MotionRLOOTrainer._trl, "create_model_from_path")
