"""The monitor in runs of MotionDPOTrainer: what it measures, what it changes (nothing), and who decides by it."""

import logging
import math
import random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import EarlyStoppingCallback

from atom_hf.trainer.dpo_config import MotionDPOConfig
from atom_hf.trainer.dpo_trainer import MotionDPOTrainer
from atom_hf.trainer.monitoring.history import MonitorHistory
from atom_hf.trainer.monitoring.measures import (
    Sample,
    TokenScores,
    event_means,
    lengths_and_variety,
    policy_numbers,
    token_scores,
    written_codes,
)
from atom_hf.trainer.monitoring.monitor import MotionMonitor, _on_main_process
from atom_hf.trainer.monitoring.undisturbed import reference_of, undisturbed
from atom_hf.trainer.policy import frozen_copy
from tests.models.trl_parts import load
from tests.trainer.conftest import losses

ASKED = [
    SimpleNamespace(text="the man jumps", scenario="jump"),
    SimpleNamespace(text="she sits down", scenario="sit"),
]


class Judge:
    """Gives the next of its scores to all motions, and draws random numbers as it likes."""

    def __init__(self, *scores: float | None) -> None:
        self.scores, self.items = list(scores), []

    def score(self, items: Any) -> list[Any]:
        random.random(), np.random.rand(), torch.rand(1)
        self.items.append(items)
        value = self.scores.pop(0) if len(self.scores) > 1 else self.scores[0]
        if value is None:
            return [SimpleNamespace(score=None, raw={}, cause="no idea") for _ in items]
        return [SimpleNamespace(score=1 + 4 * value, raw={"overall": value}, cause=None) for _ in items]


class Embedder:
    """First and last pose."""

    def embed_motion(self, motions: Any) -> torch.Tensor:
        return torch.stack([torch.as_tensor(m.joints[[0, -1]].ravel(), dtype=torch.float32) for m in motions])


def monitor_of(**options: Any) -> MotionMonitor:
    return MotionMonitor(ASKED, **{"max_frames": 24, "judge": Judge(0.5), **options})


def trainer_of(model: Any, pairs: Any, small: dict[str, Any], *callbacks: Any, **options: Any) -> MotionDPOTrainer:
    args = MotionDPOConfig(**{**small, "loss_type": ["sigmoid"], **options})
    return MotionDPOTrainer(model, args=args, train_dataset=pairs, eval_dataset=pairs, callbacks=list(callbacks))


def run(model: Any, pairs: Any, small: dict[str, Any], *callbacks: Any, **options: Any) -> MotionDPOTrainer:
    trainer = trainer_of(model, pairs, small, *callbacks, **options)
    trainer.train()
    return trainer


@pytest.mark.parametrize("neftune", [None, 5.0])
def test_training_takes_the_same_course(folder, pairs, small, neftune):
    options = {
        "max_steps": 3,
        "lora_dropout": 0.2,
        "neftune_noise_alpha": neftune,
        "eval_strategy": "steps",
        "eval_steps": 3,
    }
    alone = run(load(folder), pairs, small, **options)
    small["output_dir"] += "_watched"
    watched = run(load(folder), pairs, small, monitor_of(every_steps=1, embedder=Embedder()), **options)
    assert len(losses(alone)) == 3
    assert losses(watched) == losses(alone)
    kept = [[log["entropy"] for log in run.state.log_history if "entropy" in log] for run in (alone, watched)]
    assert kept[0] == kept[1]  # TRL's own averages are neither emptied nor lost
    for mine, theirs in zip(watched.model.parameters(), alone.model.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_what_is_measured_and_where_it_is_logged(model, pairs, small):
    monitor = monitor_of(every_steps=1, embedder=Embedder(), samples=3)
    trainer = run(model, pairs, small, monitor)
    assert [line["step"] for line in monitor.history] == [0, 1, 2]
    base, last = monitor.history[0], monitor.history[-1]
    assert {
        "valid_share", "mean_seconds", "mean_codes", "unique_share", "diversity", "multimodality", "sample_entropy",
        "sample_kl", "sample_kl_sequence", "events_overall", "events_unscored", "drift_warning", "reward", "step",
    } == set(base)  # fmt: skip
    assert base["sample_kl"] == 0.0 < last["sample_kl"]
    assert base["events_overall"] == base["reward"] == 0.5
    items = monitor.judge.items[0]
    assert [item.prompt for item in items] == ["the man jumps"] * 3 + ["she sits down"] * 3
    assert [item.scenario for item in items] == ["jump"] * 3 + ["sit"] * 3
    logged = [log for log in trainer.state.log_history if "eval_sample_kl" in log]
    assert [log["step"] for log in logged] == [0, 1, 2]
    assert logged[-1]["eval_sample_kl"] == last["sample_kl"]


def test_evaluate_returns_the_numbers(model, pairs, small):
    trainer = trainer_of(model, pairs, small, monitor_of())
    metrics = trainer.evaluate()
    assert metrics["eval_events_overall"] == 0.5
    assert "eval_loss" in metrics
    trainer.callback_handler.callbacks[-2].judge.scores = [0.25]
    assert trainer.evaluate()["eval_events_overall"] == 0.25  # weights may be others, although the step is the same


def test_several_evaluation_sets_are_one_measurement(model, pairs, small):
    monitor = monitor_of()
    args = MotionDPOConfig(**small, loss_type=["sigmoid"], eval_strategy="steps", eval_steps=2)
    sets = {"a": pairs, "b": pairs}
    trainer = MotionDPOTrainer(model, args=args, train_dataset=pairs, eval_dataset=sets, callbacks=[monitor])
    trainer.train()
    assert [line["step"] for line in monitor.history] == [0, 2]


def test_the_best_checkpoint_is_the_one_with_the_best_events(model, pairs, small):
    judge = Judge(0.1, 0.2, 0.9, 0.3, 0.4)
    options = {
        "max_steps": 4,
        "eval_strategy": "steps",
        "eval_steps": 1,
        "save_strategy": "best",
        "metric_for_best_model": "events_overall",
        "load_best_model_at_end": True,
    }
    trainer = run(model, pairs, small, monitor_of(judge=judge), **options)
    assert trainer.state.best_global_step == 2
    assert trainer.state.best_metric == 0.9


def test_early_stopping_hears_of_it_wherever_it_stands(model, pairs, small):
    options = {
        "max_steps": 6,
        "eval_strategy": "steps",
        "eval_steps": 1,
        "save_strategy": "steps",
        "save_steps": 1,
        "metric_for_best_model": "events_overall",
        "load_best_model_at_end": True,
    }
    monitor = monitor_of(judge=Judge(0.1, 0.6, 0.5, 0.4))
    trainer = run(model, pairs, small, EarlyStoppingCallback(2), monitor, **options)
    assert trainer.state.global_step == 3
    assert [line["events_overall"] for line in monitor.history] == [0.1, 0.6, 0.5, 0.4]


def test_a_resumed_run_goes_on_with_the_history(folder, pairs, small):
    options = {"max_steps": 4, "save_strategy": "steps", "save_steps": 2}
    whole = monitor_of(every_steps=1)
    run(load(folder), pairs, small, whole, **options)
    again = monitor_of(every_steps=1)
    trainer = trainer_of(load(folder), pairs, small, again, **options)
    trainer.train(resume_from_checkpoint=f"{small['output_dir']}/checkpoint-2")
    assert [line["step"] for line in again.history] == [0, 1, 2, 3, 4]
    assert again.history == whole.history


def test_the_history_knows_what_was_logged(model, pairs, small):
    monitor = monitor_of(judge=None, every_steps=1)
    run(model, pairs, small, monitor)
    assert "reward" not in monitor.history[0]
    assert "reward" in monitor.history[-1]  # rewards/chosen of the first step


def test_without_a_trainer_the_log_history_has_the_numbers(model):
    monitor = monitor_of(judge=None)
    state = SimpleNamespace(log_history=[], global_step=0, epoch=0.0, is_world_process_zero=True)
    model.train()
    monitor.on_train_begin(SimpleNamespace(), state, SimpleNamespace(), model=model)
    assert state.log_history[0]["eval_valid_share"] == monitor.history[0]["valid_share"]
    assert "sample_kl" not in monitor.history[0]  # neither adapter nor reference
    assert model.training


def test_a_policy_beside_its_value_model(model):
    both = torch.nn.Module()
    both.policy, both.value = model, torch.nn.Linear(1, 1)
    monitor = monitor_of()
    state = SimpleNamespace(log_history=[], global_step=0, epoch=0.0, is_world_process_zero=True)
    monitor.on_train_begin(SimpleNamespace(), state, SimpleNamespace(), model=both)
    assert monitor.history[0]["events_overall"] == 0.5


# Parts ---------------------------------------------------------------------------------------------------------------


def test_nothing_is_left_behind(model):
    model.train()
    model.encoder.eval()
    modes = [module.training for module in model.modules()]
    before = torch.rand(1, generator=None), torch.random.get_rng_state(), np.random.get_state()[1].copy()
    with pytest.raises(KeyError), undisturbed(model):
        assert not any(module.training for module in model.modules())
        assert not torch.is_grad_enabled()
        torch.rand(3), np.random.rand(3)
        raise KeyError
    assert [module.training for module in model.modules()] == modes
    assert torch.equal(torch.random.get_rng_state(), before[1])
    assert (np.random.get_state()[1] == before[2]).all()


@pytest.mark.parametrize("batch_size", [1, 8])
def test_token_scores_are_those_of_the_model(model, batch_size):
    codes, prompts = [[3, 9, 1], [], [5] * 6], ["the man jumps", "she sits down", "someone runs in a circle"]
    with undisturbed(model):
        scores = token_scores(model, prompts, codes, max_codes=6, batch_size=batch_size)
        assert scores.counts == [4, 1, 6]  # the longest one was cut off, and has no end
        assert scores.chosen.tolist() == [3, 9, 1, 16, 16, *[5] * 6]
        config, at = model.config, 0
        for prompt, row, count in zip(prompts, codes, scores.counts, strict=True):
            asked = model.processor.prompt_ids(prompt)
            row_ids = [config.decoder_start_token_id, *model.processor.motion_ids(row)]
            decoder = torch.tensor([row_ids[: count + 1]])
            logits = model(input_ids=torch.tensor([asked]), decoder_input_ids=decoder).logits[0, 1:]
            tokens = [*range(config.motion_token_start, config.motion_token_start + 16), config.motion_end_id, 1]
            wanted = logits[:, tokens].log_softmax(-1).exp()
            wanted = torch.cat([wanted[:, :16], wanted[:, 16:].sum(1, keepdim=True)], 1).log()
            torch.testing.assert_close(scores.log_probs[at : at + count], wanted, rtol=0, atol=2e-5)
            at += count


def test_numbers_of_a_policy():
    policy = TokenScores(torch.tensor([[0.5, 0.5], [0.9, 0.1]]).log(), torch.tensor([0, 1]), [1, 1])
    reference = TokenScores(torch.tensor([[0.25, 0.75], [0.9, 0.1]]).log(), torch.tensor([0, 1]), [1, 1])
    kl = (0.5 * math.log(2) + 0.5 * math.log(0.5 / 0.75)) / 2
    found = policy_numbers(policy, reference)
    assert found["sample_kl"] == pytest.approx(kl, rel=1e-5)
    assert found["sample_kl_sequence"] == pytest.approx(kl, rel=1e-5)  # a token each
    entropy = (math.log(2) - 0.9 * math.log(0.9) - 0.1 * math.log(0.1)) / 2
    assert found["sample_entropy"] == pytest.approx(entropy, rel=1e-5)
    assert policy_numbers(policy, reference, "k1")["sample_kl"] == pytest.approx(math.log(2) / 2, rel=1e-5)
    k3 = (0.5 - 1 + math.log(2)) / 2
    assert policy_numbers(policy, reference, "k3")["sample_kl"] == pytest.approx(k3, rel=1e-5)


def test_nothing_written_is_no_motion(model):
    motions = model.decode_motion([[], [3, 4], [3, 4], [7]])
    assert [written_codes(motion) for motion in motions] == [[], [3, 4], [3, 4], [7]]
    found = lengths_and_variety(motions, 2)
    assert found["mean_codes"] == 1.25
    assert found["mean_seconds"] == pytest.approx((0 + 0.4 + 0.4 + 0.2) / 4)
    assert found["unique_share"] == 0.75
    assert found["valid_share"] <= 0.75


def test_multimodality_is_over_pairs_of_one_prompt(model):
    motions = model.decode_motion([[3], [3], [5, 9], [5, 9]])
    same = lengths_and_variety(motions, 2, Embedder())
    assert same["multimodality"] == 0.0 < same["diversity"]


def test_events_without_a_score():
    samples = [Sample(None, "a"), Sample(None, "a"), Sample(None, "b")]
    found = event_means(Judge(None), samples)
    assert math.isnan(found["events_overall"])
    assert found["events_unscored"] == 1.0
    other = SimpleNamespace(score=lambda items: Judge(0.5).score(items)[:2])
    with pytest.raises(ValueError, match="2 verdicts for 3 motions"):
        event_means(other, samples)


def test_judges_with_a_score_only():
    judge = SimpleNamespace(score=lambda items: [SimpleNamespace(score=4.0, raw={}, cause=None) for _ in items])
    assert event_means(judge, [Sample(None, "a")])["events_overall"] == 0.75


def test_references(folder, pairs, small):
    policy, other = load(folder), load(folder, moved=0.1)
    with reference_of(policy) as found:
        assert found is None
    with reference_of(policy, reference=other) as found:
        assert found is other
    copied = frozen_copy(policy)
    options = {"use_peft": False, "precompute_ref_log_probs": False}
    args = MotionDPOConfig(**{**small, **options})
    trainer = MotionDPOTrainer(policy, copied, args=args, train_dataset=pairs)
    with reference_of(trainer.model, trainer) as found:
        assert found is copied


def test_reference_of_an_adapter(model, pairs, small):
    trainer = run(model, pairs, small)
    base, row = trainer.model.get_base_model(), (["the man jumps"], [[3, 9]], 10)
    for name, weight in trainer.model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, generator=torch.Generator().manual_seed(3))
    with undisturbed(trainer.model):
        adapted, drawn = token_scores(base, *row).log_probs, base.generate_motion(["the man jumps"], 4, seed=0)
        with reference_of(trainer.model, trainer) as reference:
            plain, other = token_scores(reference, *row).log_probs, base.generate_motion(["the man jumps"], 4, seed=0)
        assert torch.equal(token_scores(base, *row).log_probs, adapted)
    assert not torch.allclose(adapted, plain, atol=0.1)
    assert [written_codes(motion) for motion in drawn] != [written_codes(motion) for motion in other]
    trainable = {name for name, weight in trainer.model.named_parameters() if weight.requires_grad}
    assert trainable
    assert all("lora_" in name for name in trainable)


def test_reference_of_an_adapter_that_was_there_before(model, pairs, small):
    from peft import LoraConfig, get_peft_model

    begun = get_peft_model(model, LoraConfig(target_modules=["q", "v"], init_lora_weights=False))
    monitor = monitor_of(every_steps=2)
    trainer = run(begun, pairs, small, monitor, precompute_ref_log_probs=False)
    assert monitor.history[0]["sample_kl"] == pytest.approx(0.0, abs=1e-7)  # not the distance of the first adapter
    assert monitor.history[1]["sample_kl"] > 1e-6
    trainable = {name for name, weight in trainer.model.named_parameters() if weight.requires_grad}
    assert all(".default." in name for name in trainable)


# Drift ---------------------------------------------------------------------------------------------------------------


def lines(history: MonitorHistory, *numbers: tuple[float, float]) -> list[float]:
    flags = []
    for step, (reward, variety) in enumerate(numbers, start=len(history.lines)):
        found = {"valid_share": 1.0, "events_overall": reward, "unique_share": variety}
        found["drift_warning"] = history.drifts(step, found)
        history.add(step, found)
        flags.append(found["drift_warning"])
    return flags


def test_warns_once_an_episode(caplog):
    history = MonitorHistory(["events_overall"], "unique_share")
    with caplog.at_level(logging.WARNING):
        assert lines(history, (0.2, 1.0), (0.5, 0.9), (0.6, 0.7), (0.7, 0.6)) == [0.0, 0.0, 1.0, 1.0]
        assert len(caplog.records) == 1
        assert "Step 2, events_overall against unique_share: Reward rose by 0.4" in caplog.text
        assert lines(history, (0.7, 0.95), (0.8, 0.5)) == [0.0, 1.0]
        assert len(caplog.records) == 2


def test_silence_without_reward_or_variety():
    assert lines(MonitorHistory(["reward"], "unique_share"), (0.2, 1.0), (0.9, 0.1)) == [0.0, 0.0]
    assert lines(MonitorHistory(["events_overall"], "unique_share"), (0.2, 0.0), (0.9, 0.0)) == [0.0, 0.0]
    assert lines(MonitorHistory(["events_overall"], "unique_share"), (0.2, 1.0), (math.nan, 0.1)) == [0.0, 0.0]


def test_a_restored_history_does_not_warn_again(caplog):
    history = MonitorHistory(["reward"], "unique_share")
    log = [
        {"eval_valid_share": 1.0, "eval_unique_share": 1.0, "eval_drift_warning": 0.0, "step": 0, "epoch": 0.0},
        {"reward": 0.2, "step": 1},
        {"eval_valid_share": 1.0, "eval_unique_share": 1.0, "eval_drift_warning": 0.0, "step": 1},
        {"reward": 0.9, "step": 2},
        {"eval_valid_share": 1.0, "eval_unique_share": 0.5, "eval_drift_warning": 1.0, "step": 2},
        {"eval_valid_share": 0.0, "eval_unique_share": 0.0, "eval_drift_warning": 1.0, "step": 2},
    ]
    history.restore(log)
    assert [(line["step"], line.get("reward")) for line in history.lines] == [(0, None), (1, 0.2), (2, 0.9)]
    with caplog.at_level(logging.WARNING):
        assert history.drifts(3, {"unique_share": 0.4}) == 1.0
    assert not caplog.records


def test_a_run_that_collapses_is_told(model, pairs, small, caplog):
    monitor = monitor_of(judge=Judge(0.1, 0.8), variety="sample_entropy", max_drop=0.01, every_steps=1)
    with caplog.at_level(logging.WARNING, logger="atom_hf"):
        trainer = run(model, pairs, small, monitor, max_steps=6, learning_rate=1e-1, use_peft=False)
    assert monitor.history[-1]["drift_warning"] == 1.0
    assert [log["eval_drift_warning"] for log in trainer.state.log_history if "eval_drift_warning" in log][-1] == 1.0
    assert "events_overall against sample_entropy" in caplog.text


# Errors --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"prompts": []}, ValueError, "at least one"),
        ({"prompts": "a person"}, ValueError, "list of prompts"),
        ({"prompts": ["a", 3]}, TypeError, "got int at 1"),
        ({"judge": 3}, TypeError, r"judge with score\(items\), got int"),
        ({"samples": 0}, ValueError, "samples of at least 1"),
        ({"every_steps": 0}, ValueError, "every_steps of at least 1"),
        ({"kl_estimator": "k2"}, ValueError, "exact, k3, k1, got 'k2'"),
        ({"max_drop": 0}, ValueError, "max_drop between 0 and 1"),
        ({"shown": -1}, ValueError, "shown as a number"),
    ],
)
def test_arguments_are_checked(options, error, message):
    with pytest.raises(error, match=message):
        MotionMonitor(**{"prompts": ASKED, **options})


def test_the_best_model_by_events_needs_a_judge(model, pairs, small):
    with pytest.raises(ValueError, match="metric_for_best_model='events_overall' needs a judge"):
        run(model, pairs, small, monitor_of(judge=None), metric_for_best_model="events_overall")


def test_unknown_variety_is_named(model, pairs, small):
    with pytest.raises(ValueError, match=r"Expected variety among .*unique_share.* got 'diversity'"):
        run(model, pairs, small, monitor_of(variety="diversity"))


def test_prompts_that_are_too_long_are_found_before_the_first_step(model, pairs, small):
    long = MotionMonitor(["jumps " * 400])
    with pytest.raises(ValueError, match="more than the 256"):
        run(model, pairs, small, long)


def test_other_models_are_refused():
    state = SimpleNamespace(log_history=[], global_step=0, epoch=0.0, is_world_process_zero=True)
    with pytest.raises(TypeError, match="samples from a MotionGPTForPreference, in PEFT or not, got Linear"):
        monitor_of().on_train_begin(SimpleNamespace(), state, SimpleNamespace(), model=torch.nn.Linear(1, 1))


def test_spread_weights_are_refused():
    with pytest.raises(ValueError, match="FSDP or ZeRO-3"):
        monitor_of().connect(SimpleNamespace(is_fsdp_enabled=True))


def test_other_processes_get_what_the_main_one_found(monkeypatch):
    def sent(found: Any, failed: Any) -> Any:
        return lambda shared: shared.__setitem__(slice(None), [found, failed])

    name = "atom_hf.trainer.monitoring.monitor.broadcast_object_list"
    monkeypatch.setattr(name, sent({"a": 1.0}, None))
    assert _on_main_process(False, lambda: pytest.fail("sampled twice")) == {"a": 1.0}
    monkeypatch.setattr(name, sent(None, "KeyError: 'x'"))
    with pytest.raises(RuntimeError, match="failed on the main process: KeyError: 'x'"):
        _on_main_process(False, dict)
    with pytest.raises(ZeroDivisionError):
        _on_main_process(True, lambda: {"a": 1 / 0})
