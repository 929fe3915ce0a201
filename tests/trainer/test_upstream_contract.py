"""TRL still has what the trainers override or read; each message says what to look at where it has not."""

import inspect
from typing import Any

import pytest

pytest.importorskip("trl")

import transformers
import trl
from datasets import Dataset
from transformers import trainer_utils
from trl.trainer import dpo_trainer
from trl.trainer.utils import add_fused_lm_head

from atom_hf.trainer.dpo_trainer import MotionDPOTrainer, MotionPreferenceCollator
from atom_hf.trainer.motion_trainer import MotionTrainer

HOOKS = {
    "_prepare_dataset": ["dataset", "processing_class", "args", "dataset_name"],
    "_set_signature_columns_if_needed": [],
    "_precompute_ref_logps": ["dataset", "name", "batch_size"],
    "compute_ref_log_probs": ["model", "inputs"],
    "_compute_loss": ["model", "inputs", "return_outputs"],
}
# What is read or set of it, and where this package does so.
WORDS = {
    "__init__": {
        "self.precompute_ref_logps = args.precompute_ref_log_probs": "_compute_loss",
        "self.loss_types = args.loss_type": "_compute_loss",
        "self.loss_weights = ": "_pair_loss",
        "self.beta = args.beta": "_pair_loss",
        "self.label_smoothing = args.label_smoothing": "_pair_loss",
        "self._precompute_model_hash = ": "_precompute_ref_logps",
        "self.ref_model = None": "_compute_loss",
        "disable_dropout_in_model(model)": "the note on dropout in the docs",
    },
    "_compute_loss": {
        "if self.precompute_ref_logps:": "_compute_loss, which fills ref_chosen_logps and ref_rejected_logps in",
        'inputs["ref_chosen_logps"], inputs["ref_rejected_logps"]': "_compute_loss",
        "outputs = model(**model_kwargs, labels=labels, fused_lm_head=True)": "MotionTrainer._recorded",
        "outputs.log_probs[:, -seq_len:]": "_pair_loss",
        "zip(self.loss_types, self.loss_weights, strict=True)": "_compute_loss, which swaps loss_types",
    },
    "_precompute_ref_logps": {
        "self._precompute_model_hash": "_precompute_ref_logps",
        "dataset._get_cache_file_path(fingerprint)": "_precompute_ref_logps",
        "self.compute_ref_log_probs(model, padded_batch)": "compute_ref_log_probs",
    },
    "_set_signature_columns_if_needed": {'"ref_rejected_logps"': "_set_signature_columns_if_needed"},
    "log": {"self._metrics[mode]": "MotionTrainer.log, which leaves logits/ out"},
}


def overrides(ours: type, theirs: type) -> set[str]:
    found = {name for name, value in vars(ours).items() if inspect.isfunction(value) and hasattr(theirs, name)}
    return found - {"__init__"}


@pytest.mark.parametrize("name", HOOKS)
def test_hooks_take_what_they_took(name):
    hook: Any = getattr(trl.DPOTrainer, name, None)
    assert hook is not None, (
        f"trl.DPOTrainer has no {name} any more: see where its work went, then MotionDPOTrainer.{name}"
    )
    found = list(inspect.signature(hook).parameters)[1:]
    assert found == HOOKS[name], f"DPOTrainer.{name} takes {found} now: see MotionDPOTrainer.{name}"
    ours = list(inspect.signature(getattr(MotionDPOTrainer, name)).parameters)[1:]
    assert ours == found


def test_these_are_all():
    assert overrides(MotionDPOTrainer, trl.DPOTrainer) == set(HOOKS), (
        "list a new override in HOOKS and in the docstring"
    )
    documented = inspect.getdoc(MotionDPOTrainer)
    assert all(f"`{name}`" in documented for name in HOOKS)
    own = {"train", "training_step", "evaluate", "log", "create_model_card"}
    own |= {"save_model", "_get_grad_norm", "_issue_warnings_after_load"}
    assert overrides(MotionTrainer, trl.DPOTrainer) == own
    assert all(f"`{name}`" in inspect.getdoc(MotionTrainer) for name in own)


@pytest.mark.parametrize(("method", "words", "where"), [(m, w, o) for m, of in WORDS.items() for w, o in of.items()])
def test_what_is_relied_on_is_there(method, words, where):
    source = inspect.getsource(getattr(trl.DPOTrainer, method))
    assert words in source, (
        f"DPOTrainer.{method} no longer says {words!r}: see what took its place, and MotionDPOTrainer: {where}"
    )


def test_training_step_comes_after_backward_and_before_the_optimizer():
    step = inspect.getsource(transformers.Trainer.training_step)
    assert "accelerator.backward" in step and "optimizer.step" not in step, "see MotionTrainer.training_step"


def test_the_norm_of_gradients_comes_before_the_optimizer():
    sources = [
        inspect.getsource(method) for method in vars(transformers.Trainer).values() if inspect.isfunction(method)
    ]
    (loop,) = [source for source in sources if "self.optimizer.step()" in source]
    assert loop.index("self._get_grad_norm(") < loop.index("self.optimizer.step()"), "see MotionTrainer._get_grad_norm"


def test_what_is_missing_in_a_checkpoint_is_said_here():
    hook = transformers.Trainer._issue_warnings_after_load
    assert list(inspect.signature(hook).parameters) == ["self", "load_result"], (
        "see MotionTrainer._issue_warnings_after_load"
    )
    assert "load_result.missing_keys" in inspect.getsource(hook)


def test_noise_is_asked_for_by_this_name():
    source = inspect.getsource(transformers.Trainer)
    assert "self.neftune_noise_alpha" in source, "see MotionTrainer.train, which hides it from transformers' own hook"


def test_the_state_is_the_last_part_of_a_checkpoint():
    source = inspect.getsource(transformers.Trainer._save_checkpoint)
    parts = [
        "self.save_model",
        "self._save_optimizer_and_scheduler",
        "self._save_rng_state",
        "self.state.save_to_json",
    ]
    places = [source.index(part) for part in parts]
    assert places == sorted(places), (
        "see MotionTrainer._checkpoint, which takes a checkpoint with a state for complete"
    )
    assert trainer_utils.PREFIX_CHECKPOINT_DIR == "checkpoint"


def test_the_collator_is_called_as_it_was():
    assert issubclass(MotionPreferenceCollator, dpo_trainer.DataCollatorForPreference)
    fields = list(inspect.signature(dpo_trainer.DataCollatorForPreference).parameters)
    assert fields[:2] == ["pad_token_id", "max_length"], "see MotionDPOTrainer.__init__, which makes one"
    assert "truncation_mode" in fields and "pad_to_multiple_of" in fields
    assert hasattr(Dataset, "_get_cache_file_path"), "see MotionDPOTrainer._precompute_ref_logps"


def test_the_head_is_fused_as_it_was():
    source = inspect.getsource(add_fused_lm_head)
    for words in ("self.get_output_embeddings()", "backbone_outputs.last_hidden_state[:, :-1]", "labels[:, 1:]"):
        assert words in source, f"add_fused_lm_head no longer says {words!r}: see MotionGPTForPreference.base_model"
