"""Names of original checkpoints: every prefix that is about, what is left out, and LoRA by hand and by PEFT."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from atom_hf.models.original_weights import check_weights, merge_adapters, shape_of, sort_weights
from tests.models.original_files import language_model, original_weights


def test_parts_of_motiongpt():
    parts = sort_weights(original_weights(layers=12))
    assert len(parts.language_model) == 284 and len(parts.vae) == 67 and not parts.adapters
    assert parts.left_out == {"metrics.*": 126, "_losses.*": 9}
    assert "shared.weight" in parts.language_model and "quantizer.codebook" in parts.vae


@pytest.mark.parametrize("prefix", ["", "lm.language_model.", "language_model.", "base_model.model."])
def test_prefixes_of_a_t5(prefix):
    weights = original_weights()
    assert sort_weights(language_model(weights, prefix)).language_model.keys() == language_model(weights).keys()


@pytest.mark.parametrize("prefix", ["", "vae.", "motion_vae."])
def test_prefixes_of_a_vqvae(prefix):
    weights = {prefix + n.removeprefix("vae."): v for n, v in original_weights().items() if n.startswith("vae.")}
    parts = sort_weights(weights)
    assert len(parts.vae) == 67 and not parts.language_model


@pytest.mark.parametrize(
    "name",
    [
        "base_model.model.encoder.q.lora_{}.default.weight",
        "base_model.model.encoder.q.lora_{}.weight",
        "lm.language_model.base_model.model.encoder.q.lora_{}.default.weight",
        "encoder.q.lora_{}.default.default.weight",
    ],
)
def test_names_of_adapters(name):
    layer = name.partition(".lora")[0]
    weights = {layer + ".base_layer.weight": torch.zeros(4, 3)}
    weights |= {name.format("A"): torch.ones(2, 3), name.format("B"): torch.ones(4, 2)}
    parts = sort_weights(weights)
    assert parts.adapters.keys() == {"encoder.q.weight"} == parts.language_model.keys()
    assert parts.adapters["encoder.q.weight"]["A"].shape == (2, 3)


def test_everything_in_float32():
    parts = sort_weights({"shared.weight": torch.ones(2, 2).bfloat16(), "vae.x": torch.ones(2, 2).half()})
    assert {value.dtype for part in parts[:2] for value in part.values()} == {torch.float32}


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"shared.weight": torch.ones(2, dtype=torch.int64)}, "floating point, but shared.weight is torch.int64"),
        (
            {"shared.weight": torch.ones(2), "lm.language_model.shared.weight": torch.ones(2)},
            "once, but lm.language_model.shared.weight is there under another name",
        ),
        ({"a.lora_A.weight": torch.ones(2, 2)}, "lora_A and lora_B for each layer, but one is missing for a.weight"),
        (
            {f"a.lora_{side}.{name}.weight": torch.ones(2, 2) for side in "AB" for name in ("default",)}
            | {f"b.lora_{side}.ref.weight": torch.ones(2, 2) for side in "AB"},
            "one LoRA adapter, got default, ref",
        ),
    ],
)
def test_what_cannot_be_sorted(weights, message):
    with pytest.raises(ValueError, match=message):
        sort_weights(weights)


def test_merging_by_hand():
    weight = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    pair = {"A": torch.tensor([[1.0, 0.0]]), "B": torch.tensor([[2.0], [3.0]])}  # rank 1
    merged = merge_adapters({"q": weight, "k": weight}, {"q": pair}, lora_alpha=0.5)
    assert merged["q"].tolist() == [[2.0, 2.0], [4.5, 4.0]]  # 0.5 / 1 * [[2, 0], [3, 0]] on top
    assert merged["k"] is weight and weight.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("adapters", "alpha", "message"),
    [
        ({"k": {"A": torch.ones(1, 2), "B": torch.ones(2, 1)}}, 16, "LoRA weights are for k"),
        ({"q": {"A": torch.ones(1, 3), "B": torch.ones(2, 1)}}, 16, r"for q \[2, 2\], got \[1, 3\] and \[2, 1\]"),
        ({"q": {"A": torch.ones(0, 2), "B": torch.ones(2, 0)}}, 16, r"got \[0, 2\] and \[2, 0\]"),
        ({}, 0, "lora_alpha above 0, got 0"),
        ({}, float("nan"), "lora_alpha above 0, got nan"),
    ],
)
def test_adapters_that_do_not_fit(adapters, alpha, message):
    with pytest.raises(ValueError, match=message):
        merge_adapters({"q": torch.ones(2, 2)}, adapters, alpha)


def test_names_and_shapes_are_compared():
    expected = {f"w{i:02}": torch.zeros(2) for i in range(15)}
    check_weights(expected, {**expected, "encoder.embed_tokens.weight": torch.zeros(3)}, "a T5")
    weights = {name: torch.zeros(2) for name in list(expected)[12:]}
    weights["w12"] = torch.zeros(3)
    with pytest.raises(
        ValueError, match=r"15 weights of a T5, but 12 missing: w00, .*w09 and 2 more; 1 unexpected: odd"
    ) as error:
        check_weights({**weights, "odd": torch.zeros(1)}, expected, "a T5")
    assert "1 of another shape: w12 [3] instead of [2]" in str(error.value)


def test_shapes_that_tell_sizes():
    weights = {"a": torch.zeros(2, 3), "none": torch.zeros(2, 0)}
    assert shape_of(weights, "a", 2, "a T5") == (2, 3)
    for name, rank, message in (
        ("b", 2, "size is missing: b; it has a, none"),
        ("a", 3, r"in 3 dimensions, got shape \[2, 3\]"),
        ("none", 2, r"got shape \[2, 0\]"),
    ):
        with pytest.raises(ValueError, match=message):
            shape_of(weights, name, rank, "a T5")
