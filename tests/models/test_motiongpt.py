"""MotionGPT as T5 and as a causal model: agreement with the original and itself, output layer, files, adapters."""

import copy
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, T5Config, T5ForConditionalGeneration
from transformers.modeling_outputs import CausalLMOutputWithPast, Seq2SeqLMOutput
from transformers.models.t5.modeling_t5 import T5Attention

from atom_hf.models.motiongpt import MotionGPTForPreference
from tests.models.tiny_models import EOS, PAD, TEXT, tiny_config, tiny_motiongpt

GOLDEN = Path(__file__).parent.parent / "golden"

PROMPTS = [[7, 8, 9, EOS], [12, 13, 14, 15, 16, EOS], [21, EOS]]
ANSWERS = [[56, 40, 41, 57, EOS], [56, 43, 57, EOS], [56, 50, 51, 52, 53, 57, EOS]]


def padded(rows: list[list[int]], side: str = "right", value: int = PAD) -> Tensor:
    width = max(map(len, rows))
    fill = [[value] * (width - len(row)) for row in rows]
    return torch.tensor([row + more if side == "right" else more + row for row, more in zip(rows, fill, strict=True)])


def causal_batch(prompts=PROMPTS, answers=ANSWERS, layout: str = "right") -> dict[str, Tensor]:
    """Rows as trainers make them: padded on one side, or prompts and answers each on their own."""
    if layout in ("both", "between"):  # what `generate` returns for prompts padded on the left, or on the right
        left, right = padded(prompts, "left" if layout == "both" else "right"), padded(answers)
        return _with_labels(torch.cat([left, right], 1), prompts, answers, left.shape[1])
    joined = padded([p + a for p, a in zip(prompts, answers, strict=True)], layout)
    return _with_labels(joined, prompts, answers, None)


def _with_labels(ids: Tensor, prompts, answers, width: int | None) -> dict[str, Tensor]:
    labels = torch.full_like(ids, -100)
    for row, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
        begin = int((ids[row] != PAD).int().argmax()) + len(prompt) if width is None else width
        labels[row, begin : begin + len(answer)] = torch.tensor(answer)
    return {"input_ids": ids, "attention_mask": (ids != PAD).long(), "labels": labels}


def native_batch(prompts=PROMPTS, answers=ANSWERS) -> dict[str, Tensor]:
    ids = padded(prompts)
    return {"input_ids": ids, "attention_mask": (ids != PAD).long(), "labels": padded(answers, value=-100)}


def scores(logits: Tensor, labels: Tensor) -> list[Tensor]:
    """Log-probabilities of the labels of each row."""
    each = logits.log_softmax(-1).gather(-1, labels.clamp(min=0)[..., None])[..., 0]
    return [row[kept] for row, kept in zip(each, labels != -100, strict=True)]


def causal_scores(model, batch: dict[str, Tensor]) -> list[Tensor]:
    logits = model(batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    return scores(logits[:, :-1], batch["labels"][:, 1:])


@pytest.fixture
def encoded():
    """How many rows an encoder reads, call by call, while a test runs."""
    counts: list[int] = []

    def watch(model: MotionGPTForPreference) -> list[int]:
        model.encoder.register_forward_pre_hook(
            lambda _, args, kwargs: counts.append(len(kwargs["input_ids"])), with_kwargs=True
        )
        return counts

    return watch


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


# Agreement with the original -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def original():
    model = MotionGPTForPreference.from_pretrained(GOLDEN / "c_tiny_lm")
    with np.load(GOLDEN / "c_lm_tiny.npz") as data:
        return model, {name: torch.from_numpy(data[name]) for name in data.files}


def golden_rows(numbers: dict[str, Tensor], task: str) -> tuple[list[list[int]], list[list[int]]]:
    ids, mask, labels = (numbers[f"{task}/{name}"] for name in ("input_ids", "attention_mask", "labels"))
    prompts = [row[kept].tolist() for row, kept in zip(ids, mask.bool(), strict=True)]
    return prompts, [row[row != -100].tolist() for row in labels]


def test_a_checkpoint_of_the_original_says_what_it_is(original):
    config = original[0].config
    assert config.untied_lm_head and not config.scale_decoder_outputs and config.motion_token_start == 224


@pytest.mark.parametrize("task", ["t2m", "m2t"])
def test_scores_as_the_original(original, task):
    model, numbers = original
    prompts, answers = golden_rows(numbers, task)
    batch = native_batch(prompts, answers)
    output = model(**batch)
    expected = numbers[f"{task}/logits"]
    valid = batch["labels"][: len(expected)] != -100
    torch.testing.assert_close(output.logits[: len(expected)][valid], expected[valid], rtol=0, atol=2e-5)
    assert output.loss.item() == pytest.approx(numbers[f"{task}/loss"].item(), abs=2e-6)
    causal = causal_batch(prompts, answers)
    sums = torch.stack([row.sum() for row in causal_scores(model, causal)])
    torch.testing.assert_close(sums, numbers[f"{task}/logp_sum"], rtol=0, atol=2e-5)
    assert model(**causal).loss.item() == pytest.approx(numbers[f"{task}/loss"].item(), abs=2e-6)


def test_gradients_of_both_calls_are_the_original_ones(original):
    model, numbers = original
    prompts, answers = golden_rows(numbers, "t2m")
    names = [name for name in numbers if name.startswith("t2m/grad/")]
    assert len(names) == 3
    for batch in (native_batch(prompts, answers), causal_batch(prompts, answers)):
        model.zero_grad()
        model(**batch).loss.backward()
        for name in names:
            found = model.get_parameter(name.removeprefix("t2m/grad/")).grad
            assert (found - numbers[name]).abs().max() < 2e-4 * numbers[name].abs().max(), name  # they are about 1e-4
        norm = torch.stack([weight.grad.norm() for weight in model.parameters() if weight.grad is not None]).norm()
        assert norm.item() == pytest.approx(numbers["t2m/grad_norm"].item(), rel=2e-5)
    model.zero_grad()


@pytest.mark.parametrize(("task", "longest"), [("t2m", 256), ("m2t", 40)])
def test_writes_greedily_as_the_original(original, task, longest):
    model, numbers = original
    batch = native_batch(*golden_rows(numbers, task))
    asked = {"attention_mask": batch["attention_mask"], "max_length": longest, "do_sample": False}
    expected = numbers[f"{task}/greedy_ids"]
    assert torch.equal(model.generate(batch["input_ids"], return_prompt=False, **asked), expected)
    joined = model.generate(batch["input_ids"], **asked)
    assert torch.equal(joined, torch.cat([batch["input_ids"], expected[:, 1:]], 1))


# The two calls -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["right", "left", "both", "between"])
@pytest.mark.parametrize("options", [{}, {"tie_word_embeddings": False}, {"motion_only": True}])
def test_causal_scores_are_native_scores(layout, options):
    model = tiny_motiongpt(**options)
    native = native_batch()
    expected = scores(model(**native).logits, native["labels"])
    for found, row in zip(causal_scores(model, causal_batch(layout=layout)), expected, strict=True):
        torch.testing.assert_close(found, row, rtol=0, atol=1e-4)


def test_causal_gradients_are_native_gradients():
    gradients = []
    for batch in (native_batch(), causal_batch(layout="left")):
        model = tiny_motiongpt()
        model(**batch).loss.backward()
        gradients.append({name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None})
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, rtol=1e-4, atol=1e-6, msg=name)


def test_labels_decide_which_call_it_is():
    model = tiny_motiongpt()
    plain = T5ForConditionalGeneration(T5Config(**{**model.config.to_dict(), "model_type": "t5"})).eval()
    plain.load_state_dict({name: value for name, value in model.state_dict().items() if not name.startswith("vqvae.")})
    causal = causal_batch()
    found = model(**causal)
    assert type(found) is CausalLMOutputWithPast and found.logits.shape == (*causal["input_ids"].shape, TEXT + 19)
    expected = torch.cat(causal_scores(model, causal)).mean()
    torch.testing.assert_close(found.loss, -expected)
    others = causal["labels"].masked_fill(causal["labels"] == 41, 42)  # of the same shape, but not the input
    narrow = native_batch()["labels"]
    for labels in (others, narrow, narrow[:, :3].contiguous()):
        batch = {**causal, "labels": labels}
        found, expected = model(**batch), plain(**batch)
        assert type(found) is Seq2SeqLMOutput
        torch.testing.assert_close((found.loss, found.logits), (expected.loss, expected.logits))


def test_without_labels_the_call_is_causal():
    model = tiny_motiongpt()
    batch = causal_batch()
    found = model(batch["input_ids"], attention_mask=batch["attention_mask"])
    assert type(found) is CausalLMOutputWithPast and found.loss is None
    assert torch.equal(found.logits, model(**batch).logits)
    prompt = model(batch["input_ids"][:, :3])  # rows without a completion score nothing, and are no error here
    assert prompt.logits.shape == (3, 3, TEXT + 19)


@pytest.mark.parametrize("name", ["decoder_input_ids", "encoder_outputs", "inputs_embeds"])
def test_what_only_an_encoder_decoder_takes_makes_it_one(name):
    model = tiny_motiongpt()
    batch = native_batch()
    expected = model(**batch)
    start = torch.cat([torch.zeros(3, 1, dtype=torch.long), batch["labels"][:, :-1].clamp(min=0)], 1)
    given = {"attention_mask": batch["attention_mask"], "decoder_input_ids": start, "input_ids": batch["input_ids"]}
    if name == "encoder_outputs":
        given["encoder_outputs"] = model.encoder(given.pop("input_ids"), attention_mask=batch["attention_mask"])
    if name == "inputs_embeds":
        given["inputs_embeds"] = model.shared(given.pop("input_ids"))
    found = model(**given)
    assert type(found) is Seq2SeqLMOutput
    torch.testing.assert_close(found.logits, expected.logits, rtol=0, atol=1e-5)


@pytest.mark.parametrize("make", [native_batch, causal_batch])
def test_parts_of_an_accumulated_batch_are_weighted_by_their_labels(make):
    model = tiny_motiongpt()
    whole = make()
    count = int((whole["labels"] != -100).sum())
    parts = [make(PROMPTS[i : i + 1], ANSWERS[i : i + 1]) for i in range(3)]
    total = sum(model(**part, num_items_in_batch=count).loss for part in parts)
    torch.testing.assert_close(total, model(**whole).loss)


def test_labels_in_the_prompt_are_refused():
    batch = causal_batch()
    batch["labels"][1, 5] = EOS  # the prompt's own end
    with pytest.raises(
        ValueError, match=r"Labels stand in the prompt.* score completions only \(completion_only_loss"
    ):
        tiny_motiongpt()(**batch)


def test_rows_without_a_completion_are_refused_where_something_is_learnt():
    model = tiny_motiongpt()
    ids = torch.tensor([[7, 8, 40, EOS], [7, EOS, 40, EOS]])
    labels = torch.tensor([[-100, -100, -100, -100], [-100, -100, 40, EOS]])
    for call in (lambda: model(ids, labels=labels), lambda: model.base_model(ids)):
        with pytest.raises(ValueError, match="1 of 2 rows have nothing behind the first </s>"):
            call()


def test_hidden_states_for_trainers_that_score_them_themselves():
    model = tiny_motiongpt(motion_only=True)
    batch = causal_batch(layout="left")
    view = model.base_model
    hidden = view(batch["input_ids"], attention_mask=batch["attention_mask"], use_cache=False).last_hidden_state
    head = model.get_output_embeddings()
    logits = torch.nn.functional.linear(hidden, head.weight, head.bias)
    torch.testing.assert_close(logits, model(**batch).logits, rtol=0, atol=1e-4)
    assert view.config is model.config and view.device == model.device
    assert copy.copy(view).config is model.config


# Encoding once -------------------------------------------------------------------------------------------------------


def test_prompts_of_pairs_are_encoded_once(encoded):
    model = tiny_motiongpt()
    counts = encoded(model)
    batch = causal_batch(PROMPTS + PROMPTS, ANSWERS + ANSWERS[::-1])  # chosen, then rejected
    found = causal_scores(model, batch)
    assert counts == [3]
    for i in range(6):
        answer = (ANSWERS + ANSWERS[::-1])[i]
        alone = causal_scores(model, causal_batch([PROMPTS[i % 3]], [answer]))[0]
        torch.testing.assert_close(found[i], alone, rtol=0, atol=1e-4)


def test_prompts_of_several_samples_are_encoded_once(encoded):
    model = tiny_motiongpt()
    counts = encoded(model)
    prompts = [prompt for prompt in PROMPTS for _ in range(4)]
    causal_scores(model, causal_batch(prompts, ANSWERS * 4, layout="both"))
    model.generate(padded(prompts, "left"), max_new_tokens=3, do_sample=True)
    model.generate(padded(PROMPTS, "left"), max_new_tokens=3, do_sample=True, num_return_sequences=4)
    assert counts == [3, 3, 3]


def test_gradients_add_up_over_rows_that_share_a_prompt():
    """The encoder's gradient of a pair is the sum of what its two rows would give alone."""
    model = tiny_motiongpt()
    weight = model.encoder.block[0].layer[0].SelfAttention.q.weight
    torch.cat(causal_scores(model, causal_batch([PROMPTS[0]] * 2, ANSWERS[:2]))).sum().backward()
    together, weight.grad = weight.grad, None
    for answer in ANSWERS[:2]:
        causal_scores(model, causal_batch([PROMPTS[0]], [answer]))[0].sum().backward()
    torch.testing.assert_close(together, weight.grad, rtol=1e-4, atol=1e-5)


def test_dropout_hits_each_row_on_its_own(encoded):
    model = tiny_motiongpt(dropout_rate=0.3).train()
    counts = encoded(model)
    rows = model(**causal_batch([PROMPTS[0]] * 2, [ANSWERS[0]] * 2)).logits
    assert counts == [2] and not torch.allclose(rows[0], rows[1], atol=1e-2)


# generate ------------------------------------------------------------------------------------------------------------


def test_generate_returns_prompt_and_completion():
    model = tiny_motiongpt()
    ids = padded(PROMPTS, "left")
    native = model.generate(ids, return_prompt=False, max_new_tokens=6, do_sample=False)
    assert native.shape == (3, 7) and (native[:, 0] == 0).all()
    for asked in ({"inputs": ids}, {"input_ids": ids}, {"input_ids": ids, "attention_mask": (ids != PAD).long()}):
        joined = model.generate(**asked, max_new_tokens=6, do_sample=False)
        assert torch.equal(joined[:, : ids.shape[1]], ids) and torch.equal(joined[:, ids.shape[1] :], native[:, 1:])


def test_padding_of_prompts_changes_nothing():
    model = tiny_motiongpt()
    for side in ("left", "right"):
        ids = padded(PROMPTS, side)
        written = model.generate(ids, return_prompt=False, max_new_tokens=6, do_sample=False)
        for prompt, row in zip(PROMPTS, written, strict=True):
            alone = model.generate(torch.tensor([prompt]), return_prompt=False, max_new_tokens=6, do_sample=False)[0]
            assert torch.equal(row[: len(alone)], alone) and (row[len(alone) :] == PAD).all()


def test_generate_returns_the_decoders_output_where_asked():
    ids = padded(PROMPTS)
    model = tiny_motiongpt()
    mask, short = (ids != PAD).long(), {"max_new_tokens": 4, "do_sample": False}
    expected = model.generate(ids, attention_mask=mask, return_prompt=False, **short)
    labels = padded(ANSWERS, value=-100)
    assert torch.equal(model.generate(input_ids=ids, attention_mask=mask, labels=labels, **short), expected)
    begun = model.generate(
        ids, attention_mask=mask, decoder_input_ids=expected[:, :2], max_new_tokens=3, do_sample=False
    )
    assert torch.equal(begun, expected)
    states = model.encoder(ids, attention_mask=mask)
    assert torch.equal(model.generate(encoder_outputs=states, attention_mask=mask, **short), expected)
    model.config.generate_returns_prompt = False
    assert torch.equal(model.generate(ids, attention_mask=mask, **short), expected)
    joined = model.generate(ids, attention_mask=mask, return_prompt=True, **short)
    assert torch.equal(joined, torch.cat([ids, expected[:, 1:]], 1))


def test_several_samples_a_prompt_stand_together():
    model = tiny_motiongpt()
    ids = padded(PROMPTS)
    torch.manual_seed(0)
    joined = model.generate(ids, num_return_sequences=4, do_sample=True, max_new_tokens=5)
    assert joined.shape == (12, ids.shape[1] + 5)
    assert torch.equal(joined[:, : ids.shape[1]], ids.repeat_interleave(4, 0))
    assert len(joined.unique(dim=0)) > 6


def test_beams_and_dictionaries():
    model = tiny_motiongpt()
    ids = padded(PROMPTS)
    asked = {
        "num_beams": 3,
        "num_return_sequences": 2,
        "max_new_tokens": 4,
        "do_sample": False,
        "suppress_tokens": [PAD],
    }
    plain = model.generate(ids, **asked)
    result = model.generate(ids, return_dict_in_generate=True, output_scores=True, **asked)
    assert torch.equal(result.sequences, plain) and len(result.scores) == plain.shape[1] - ids.shape[1]
    assert torch.equal(plain[:, : ids.shape[1]], ids.repeat_interleave(2, 0))
    native = model.generate(ids, return_dict_in_generate=True, return_prompt=False, **asked).sequences
    assert torch.equal(native[:, 1:], plain[:, ids.shape[1] :])
    # Without a penalty of length, a beam's score is what a plain call gives.
    result = model.generate(ids, return_dict_in_generate=True, output_scores=True, length_penalty=0.0, **asked)
    total = torch.stack([row.sum() for row in _scores_of(model, result.sequences, ids.shape[1])])
    torch.testing.assert_close(total, result.sequences_scores, rtol=0, atol=1e-4)


def _scores_of(model, sequences: Tensor, width: int) -> list[Tensor]:
    ends = (sequences == EOS).int()
    ends[:, :width] = 0
    behind = ends.cumsum(1) - ends > 0  # what stands behind the end differs between versions of transformers
    mask = (sequences != PAD) & ~behind
    labels = sequences.masked_fill(~mask, -100)
    labels[:, :width] = -100
    return causal_scores(model, {"input_ids": sequences, "attention_mask": mask.long(), "labels": labels})


@pytest.mark.parametrize("prompt", [[7, 8, 9, 10], [7, EOS, 9, EOS], [7, EOS, EOS, PAD], [7, EOS, 9, PAD]])
def test_generate_refuses_prompts_that_are_not_closed_once(prompt):
    model = tiny_motiongpt()
    ids = torch.tensor([prompt, [7, 8, 9, EOS]])
    with pytest.raises(ValueError, match="1 of 2 prompts do not hold exactly one </s>, at their end"):
        model.generate(ids, max_new_tokens=2)
    assert model.generate(ids, max_new_tokens=2, return_prompt=False).shape[0] == 2  # T5 does not mind


# Output layer --------------------------------------------------------------------------------------------------------


def test_untied_output_layer_is_kept_through_loading_resizing_and_saving(tmp_path):
    model = MotionGPTForPreference.from_pretrained(GOLDEN / "c_tiny_lm")
    head, shared = model.lm_head.weight.clone(), model.shared.weight.clone()
    assert not torch.equal(head, shared)
    model.tie_weights()
    model.resize_token_embeddings(750)
    model.tie_weights()
    assert model.config.vocab_size == 750 and model.config.motion_token_start == 224
    for _ in range(2):
        assert model.lm_head.weight.data_ptr() != model.shared.weight.data_ptr()
        assert torch.equal(model.lm_head.weight[:739], head) and torch.equal(model.shared.weight[:739], shared)
        assert model.encoder.embed_tokens.weight is model.shared.weight is model.decoder.embed_tokens.weight
        assert not model.config.scale_decoder_outputs
        model.save_pretrained(tmp_path)
        model = MotionGPTForPreference.from_pretrained(tmp_path)


def test_tied_output_layer_stays_tied(tmp_path):
    model = tiny_motiongpt()
    model.resize_token_embeddings(70)
    model.save_pretrained(tmp_path)
    again = MotionGPTForPreference.from_pretrained(tmp_path)
    for one in (model, again):
        assert one.lm_head.weight is one.shared.weight and one.config.scale_decoder_outputs
    assert_same(model.state_dict(), again.state_dict())


def test_resizing_never_cuts_motion_tokens_off():
    model = tiny_motiongpt()
    with pytest.raises(ValueError, match="motion tokens end at id 58; a vocabulary of 58 would cut them off"):
        model.resize_token_embeddings(58)
    assert model.resize_token_embeddings(59).weight.shape == (59, 32)


@pytest.mark.parametrize("options", [{}, {"tie_word_embeddings": False}])
def test_motion_only_is_in_the_logits_and_survives(tmp_path, options):
    model = tiny_motiongpt(**options)
    batch = causal_batch()
    free = model(**batch).logits
    model.restrict_to_motion()

    def check(one: MotionGPTForPreference, vocabulary: int) -> None:
        logits = one(**batch).logits
        allowed = torch.zeros(vocabulary, dtype=torch.bool)
        allowed[[EOS, *range(40, 59)]] = True
        torch.testing.assert_close(logits[..., :59][..., allowed[:59]], free[..., allowed[:59]], rtol=0, atol=1e-5)
        assert (logits[..., ~allowed] < -9000).all()
        assert not any("lm_head.bias" in name for name in one.state_dict())
        assert not any("bias" in name and "lm_head" in name for name, _ in one.named_parameters())

    check(model, 59)
    model.save_pretrained(tmp_path)
    again = MotionGPTForPreference.from_pretrained(tmp_path)
    check(again, 59)
    check(AutoModelForCausalLM.from_pretrained(tmp_path), 59)
    check(copy.deepcopy(model), 59)
    again.resize_token_embeddings(64)
    check(again, 64)
    written = again.generate(padded(PROMPTS), do_sample=True, max_new_tokens=20, return_prompt=False)[:, 1:]
    assert all(token in (PAD, EOS) or token in range(40, 59) for token in written.flatten().tolist())
    model.restrict_to_motion(False)
    assert torch.equal(model(**batch).logits, free) and not model.config.motion_only


def test_motion_only_in_half_precision(tmp_path):
    tiny_motiongpt(motion_only=True).save_pretrained(tmp_path)
    for dtype in (torch.bfloat16, torch.float16):
        model = MotionGPTForPreference.from_pretrained(tmp_path, dtype=dtype)
        logits = model(**causal_batch()).logits
        assert logits.isfinite().all() and (logits[..., 2:40] < -9000).all() and (logits[..., 40:] > -9000).all()


# Parts ---------------------------------------------------------------------------------------------------------------


def test_training_leaves_the_vqvae_alone():
    model = tiny_motiongpt().train()
    assert model.training and model.encoder.training and not model.vqvae.training
    assert not any(weight.requires_grad for weight in model.vqvae.parameters())
    before = copy.deepcopy(model.vqvae.state_dict())
    model.vqvae(torch.randn(2, 32, 263))
    optimizer = torch.optim.AdamW((weight for weight in model.parameters() if weight.requires_grad), lr=0.1)
    model(**causal_batch()).loss.backward()
    optimizer.step()
    assert_same(before, model.vqvae.state_dict())
    with pytest.raises(RuntimeError, match="no latents since its last update"):
        model.vqvae.update_codebook()


def test_a_loaded_vqvae_is_frozen(tmp_path):
    tiny_motiongpt().save_pretrained(tmp_path)
    for loader in (MotionGPTForPreference, AutoModelForCausalLM):
        model = loader.from_pretrained(tmp_path)
        assert not any(weight.requires_grad for weight in model.vqvae.parameters())
        assert all(weight.requires_grad for name, weight in model.named_parameters() if not name.startswith("vqvae."))
    model, info = MotionGPTForPreference.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"] and not any(weight.requires_grad for weight in model.vqvae.parameters())


def test_attention_drops_what_its_layers_drop():
    model = tiny_motiongpt(dropout_rate=0.2)
    attention = [module for module in model.modules() if isinstance(module, T5Attention)]
    assert len(attention) == 6
    model.train()
    assert all(module.dropout == 0.2 for module in attention)
    for module in model.modules():  # as trainers of preferences do before they begin
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    model.train()
    batch = causal_batch()
    assert all(module.dropout == 0 for module in attention)
    assert torch.equal(model(**batch).logits, model(**batch).logits)


def test_half_precision_is_for_the_language_model_alone(tmp_path):
    model = tiny_motiongpt()
    model.save_pretrained(tmp_path)
    clip = torch.randn(1, 80, 263)
    codes = model.vqvae.encode(clip)
    lowered = [MotionGPTForPreference.from_pretrained(tmp_path, dtype=dtype) for dtype in (torch.bfloat16, torch.half)]
    for one in [*lowered, copy.deepcopy(model).bfloat16(), copy.deepcopy(model).to(torch.bfloat16)]:
        kinds = {value.dtype for value in one.vqvae.state_dict().values() if value.is_floating_point()}
        assert kinds == {torch.float32} and one.shared.weight.dtype in (torch.bfloat16, torch.half)
        assert one.decoder.block[0].layer[0].SelfAttention.q.weight.dtype == one.dtype == one.shared.weight.dtype
        assert torch.equal(one.vqvae.encode(clip), codes)
        assert not any(weight.requires_grad for weight in one.vqvae.parameters())


@pytest.mark.parametrize("reentrant", [False, True])
def test_gradient_checkpointing_changes_nothing(reentrant):
    results = []
    for checkpointing in (False, True):
        model = tiny_motiongpt().train()
        if checkpointing:
            model.gradient_checkpointing_enable({"use_reentrant": reentrant})
            model.enable_input_require_grads()
            assert model.is_gradient_checkpointing
        loss = model(**causal_batch()).loss
        loss.backward()
        results.append((loss, {name: w.grad for name, w in model.named_parameters() if w.grad is not None}))
    torch.testing.assert_close(results[0][0], results[1][0])
    assert results[0][1].keys() == results[1][1].keys() and len(results[0][1]) > 40
    for name, gradient in results[0][1].items():
        torch.testing.assert_close(results[1][1][name], gradient, rtol=1e-4, atol=1e-6, msg=name)


# Files ---------------------------------------------------------------------------------------------------------------


def test_keys_are_those_of_t5_and_of_the_vqvae():
    model = tiny_motiongpt()
    plain = T5ForConditionalGeneration(T5Config(**{**model.config.to_dict(), "model_type": "t5"}))
    expected = {*plain.state_dict(), *(f"vqvae.{name}" for name in model.vqvae.state_dict())}
    assert set(model.state_dict()) == expected
    assert not any(
        name.startswith("vqvae") for name in MotionGPTForPreference(tiny_config(vqvae_config=None)).state_dict()
    )


def test_saving_and_loading(tmp_path):
    model = tiny_motiongpt(generate_returns_prompt=False)
    model.save_pretrained(tmp_path)
    again = MotionGPTForPreference.from_pretrained(tmp_path)
    assert_same(model.state_dict(), again.state_dict())
    assert not again.config.generate_returns_prompt and not again.training
    batch = causal_batch()
    assert torch.equal(again(**batch).logits, model(**batch).logits)
    assert json.loads((tmp_path / "config.json").read_text("utf-8"))["architectures"] == ["MotionGPTForPreference"]
    plain = T5ForConditionalGeneration.from_pretrained(tmp_path)
    torch.testing.assert_close(plain(**native_batch()).logits, model(**native_batch()).logits, rtol=0, atol=1e-5)


def test_weights_that_were_cut_off(tmp_path):
    tiny_motiongpt().save_pretrained(tmp_path)
    file = tmp_path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(ValueError, match=r"no whole safetensors file .* cut off .* force_download=True"):
        MotionGPTForPreference.from_pretrained(tmp_path)


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
@pytest.mark.parametrize("options", [{"motion_only": True}, {"tie_word_embeddings": False}])
def test_copies_are_equal_and_apart(twin, options):
    """Trainers copy the policy for their reference model, and processes hand models to each other."""
    model = tiny_motiongpt(**options)
    batch = causal_batch()
    expected = model(**batch).logits
    other = twin(model)
    assert torch.equal(other(**batch).logits, expected)
    assert (other.lm_head.weight is other.shared.weight) == (not model.config.untied_lm_head)
    with torch.no_grad():
        other.shared.weight += 1
        other.vqvae.encoder.model[0].weight += 1
    other.restrict_to_motion(False)
    assert torch.equal(model(**batch).logits, expected)
    other.tie_weights()
    assert (other.lm_head.weight is other.shared.weight) == (not model.config.untied_lm_head)


# Adapters ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("targets", ["all-linear", ["q", "v"]])
def test_adapters_leave_vqvae_and_output_layer_alone(targets):
    peft = pytest.importorskip("peft")
    model = tiny_motiongpt(motion_only=True)
    batch = causal_batch()
    expected = model(**batch).logits
    wrapped = peft.get_peft_model(model, peft.LoraConfig(target_modules=targets, r=2, init_lora_weights=False))
    adapted = [name for name, _ in wrapped.named_modules() if name.endswith("lora_A")]
    assert len(adapted) >= 12 and not any("vqvae" in name or "lm_head" in name for name in adapted)
    assert not torch.allclose(wrapped(**batch).logits, expected, atol=1e-3)
    assert (wrapped(**batch).logits[..., 2:40] < -9000).all()
    with wrapped.disable_adapter():
        torch.testing.assert_close(wrapped(**batch).logits, expected, rtol=1e-6, atol=1e-4)
    wrapped(**batch).loss.backward()
    trained = {name for name, weight in wrapped.named_parameters() if weight.grad is not None}
    assert trained and all("lora_" in name for name in trained)


@pytest.mark.parametrize("options", [{}, {"tie_word_embeddings": False}])
def test_adapters_of_single_tokens(options):
    """PEFT wraps the tied output layer in something that has a weight and no bias."""
    peft = pytest.importorskip("peft")
    model = tiny_motiongpt(**options)
    batch = causal_batch()
    expected = model(**batch).logits
    config = peft.LoraConfig(target_modules=["q", "v"], r=2, trainable_token_indices=[40, 41])
    wrapped = peft.get_peft_model(model, config)
    head = model.get_output_embeddings()
    assert head.weight.shape == (TEXT + 19, 32) and head.bias is None
    torch.testing.assert_close(wrapped(**batch).logits, expected, rtol=0, atol=1e-4)
    hidden = model.base_model(batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
    torch.testing.assert_close(torch.nn.functional.linear(hidden, head.weight), expected, rtol=0, atol=1e-4)
    torch.nn.functional.linear(hidden, head.weight)[0, 4:9].square().sum().backward()
    deltas = [weight for name, weight in wrapped.named_parameters() if "trainable_tokens_delta" in name]
    assert deltas and all(weight.grad is not None and weight.grad.abs().max() > 0 for weight in deltas)


def test_scored_places_are_the_same_in_a_smaller_head():
    model = tiny_motiongpt()
    model.restrict_to_motion()
    batch = causal_batch()
    labels = batch["labels"][:, 1:]
    places = labels != -100
    with torch.no_grad():
        hidden = model.base_model(batch["input_ids"], batch["attention_mask"]).last_hidden_state[:, :-1]
        head = model.get_output_embeddings()
        expected = (hidden[places] @ head.weight.T + head.bias).log_softmax(-1)
        with model.scored_at(places, labels[places]) as targets:
            hidden = model.base_model(batch["input_ids"], batch["attention_mask"]).last_hidden_state[0]
            head = model.get_output_embeddings()
            found = (hidden @ head.weight.T).log_softmax(-1)
    assert found.shape == (int(places.sum()), len(model.config.motion_token_range) + 1)
    assert head.bias is None
    rows = torch.arange(len(targets))
    torch.testing.assert_close(found[rows, targets], expected[rows, labels[places]])
    assert len(model.get_output_embeddings().weight) == model.config.vocab_size


def test_words_among_the_scored_places_keep_the_whole_head():
    model = tiny_motiongpt()
    model.restrict_to_motion()
    labels = causal_batch()["labels"][:, 1:]
    places = labels != -100
    wanted = labels[places].clone()
    wanted[0] = 5
    with model.scored_at(places, wanted) as targets:
        assert torch.equal(targets, wanted)
        assert len(model.get_output_embeddings().weight) == model.config.vocab_size


def test_rows_of_like_length_are_decoded_together():
    """A batch wide enough for several groups scores each row as if it were alone."""
    model = tiny_motiongpt()
    start = model.config.motion_token_range.start
    rows = [[5, 6, 1, *(start + i % 7 for i in range(1 + 5 * n % 23)), 1] for n in range(40)]
    width = max(map(len, rows))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    widths = []
    hook = model.decoder.register_forward_pre_hook(
        lambda *given: widths.append(given[-1]["input_ids"].shape[1]), with_kwargs=True
    )
    found = model.causal_hidden_states(ids, mask)
    hook.remove()
    assert len(widths) == 3 and widths == sorted(widths) and widths[0] < widths[-1]
    for n, row in enumerate(rows):
        alone = model.causal_hidden_states(torch.tensor([row]))
        torch.testing.assert_close(found[n, : len(row)], alone[0])
