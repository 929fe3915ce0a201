"""transformers' own Seq2SeqTrainer trains and evaluates the model as it does any T5."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")

import torch
from transformers import DataCollatorForSeq2Seq, Seq2SeqTrainer, Seq2SeqTrainingArguments

from tests.models.trl_parts import ROWS, checkpoint, load, log_probs, native, same_gradients, tokenizer_of, train


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return checkpoint(tmp_path_factory.mktemp("seq2seq"), untied=True, motion_only=True)


def seq2seq_trainer(folder: Path, with_model: bool, **changes: Any) -> Seq2SeqTrainer:
    model, tokenizer = load(folder, moved=0.1), tokenizer_of(folder)
    rows = [{"input_ids": tokenizer(row.prompt).input_ids, "labels": tokenizer(row.chosen).input_ids} for row in ROWS]
    arguments = {
        "per_device_train_batch_size": 4,
        "per_device_eval_batch_size": 4,
        "max_steps": 4,
        "learning_rate": 1e-2,
        "max_grad_norm": 0.0,
        "logging_steps": 1,
        "report_to": "none",
        "use_cpu": True,
        "save_strategy": "no",
        "disable_tqdm": True,
        "predict_with_generate": True,
        "generation_max_length": 9,
    }
    return Seq2SeqTrainer(
        model,
        Seq2SeqTrainingArguments(output_dir=str(folder / "out"), **arguments | changes),
        data_collator=DataCollatorForSeq2Seq(tokenizer, model=model if with_model else None),
        train_dataset=rows,
        eval_dataset=rows,
        processing_class=tokenizer,
    )


def expected_loss(t5: Any, folder: Path) -> Any:
    tokenizer = tokenizer_of(folder)
    scored = [log_probs(t5, tokenizer(row.prompt).input_ids, tokenizer(row.chosen).input_ids) for row in ROWS]
    return -torch.cat(scored).mean()


def head_gradient(t5: Any, loss: Any) -> float:
    (gradient,) = torch.autograd.grad(loss, t5.lm_head.weight, retain_graph=True)
    return gradient.norm().item()


@pytest.mark.parametrize("with_model", [True, False])
@pytest.mark.parametrize("parts", [1, 2])
def test_loss_is_that_of_t5(folder, with_model, parts):
    run = seq2seq_trainer(
        folder, with_model, per_device_train_batch_size=4 // parts, gradient_accumulation_steps=parts
    )
    t5 = native(run.model)
    result = train(run)
    expected = expected_loss(t5, folder)
    assert result.log[0]["loss"] == pytest.approx(expected.item(), rel=2e-4)
    # Some versions of the Trainer divide the gradients of accumulated parts once more.
    times = parts if result.gradients["lm_head.weight"].norm() < 0.75 * head_gradient(t5, expected) else 1
    same_gradients({name: gradient * times for name, gradient in result.gradients.items()}, t5, expected)
    assert result.log[-1]["loss"] < 0.9 * result.log[0]["loss"]


@pytest.mark.parametrize("with_model", [True, False])
def test_predictions_are_what_the_decoder_wrote(folder, with_model):
    run = seq2seq_trainer(folder, with_model)
    t5 = native(run.model)
    found = run.predict(run.eval_dataset)
    assert found.metrics["test_loss"] == pytest.approx(expected_loss(t5, folder).item(), rel=2e-4)
    suppressed = (t5.motion_bias < 0).nonzero()[:, 0].tolist()
    for written, row in zip(found.predictions, ROWS, strict=True):
        ids = torch.tensor([tokenizer_of(folder)(row.prompt).input_ids])
        alone = t5.generate(ids, max_length=9, do_sample=False, suppress_tokens=suppressed)[0].tolist()
        assert alone[0] == 0 and len(alone) > 2  # the decoder's start, then motion
        assert written.tolist() == alone + [0] * (len(written) - len(alone))
    assert len({tuple(written) for written in found.predictions.tolist()}) > 1
