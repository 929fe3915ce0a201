"""Sampling of codes: keyed noise, warpers, and one cache from which finished rows are taken."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from torch import Tensor

from atom_hf.models import sampling
from atom_hf.models.motiongpt import MotionGPTForPreference
from atom_hf.models.sampling import Sampling, gumbel, noise_generator, sample_codes
from tests.models.tiny_models import END, EOS, START, TEXT, tiny_motiongpt

PROMPTS = [[7, 8, 9, EOS], [12, 13, 14, 15, 16, EOS], [21, EOS], [30, 31, EOS]]
CODES = range(TEXT, TEXT + 16)


def encode(model: MotionGPTForPreference, prompts: list[list[int]]) -> tuple[Tensor, Tensor]:
    ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(prompt) for prompt in prompts], batch_first=True)
    mask = (ids != 0).long()
    return model.encoder(ids, attention_mask=mask)[0], mask


def write(model, prompts, how: Sampling, seed: int = 0, longest: int = 12) -> list[list[int]]:
    generators = [noise_generator(seed, str(prompt), i) for i, prompt in enumerate(prompts)]
    return sample_codes(model, *encode(model, prompts), how, generators, longest)


def next_logits(model: MotionGPTForPreference, prompt: list[int], codes: list[int]) -> Tensor:
    """Logits of codes, end and </s> behind some codes, computed anew with the whole beginning and no cache."""
    row = torch.tensor([[*prompt, START, *(TEXT + code for code in codes)]])
    return model(row).logits[0, -1, [*CODES, END, EOS]]


def greedy(model: MotionGPTForPreference, prompt: list[int], longest: int) -> list[int]:
    codes: list[int] = []
    while len(codes) < longest:
        best = int(next_logits(model, prompt, codes).argmax())
        if best >= 16:
            break
        codes.append(best)
    return codes


# Noise ---------------------------------------------------------------------------------------------------------------


def test_noise_belongs_to_seed_prompt_and_sample():
    def numbers(*key):
        return noise_generator(*key).random(4).tolist()

    assert numbers(0, "a", 0) == numbers(0, "a", 0)
    others = [
        numbers(*key) for key in [(0, "a", 0), (1, "a", 0), (0, "b", 0), (0, "a", 1), (0, "0\0a", 0), (10, "", 0)]
    ]
    assert len({tuple(one) for one in others}) == len(others)


def test_noise_is_the_same_on_every_machine():
    """Philox, keyed by SHA-256, is specified to the bit; other numbers would change everybody's seeded motions."""
    assert noise_generator(7, "a person jumps", 2).random(3).tolist() == [
        0.5079357811045097,
        0.5906662532116045,
        0.285634185779042,
    ]


def test_gumbel_noise_has_the_right_distribution():
    """Mean Euler's constant, variance π²/6, and nothing infinite."""
    noise = gumbel([noise_generator(0, "", i) for i in range(40)], 2500).double()
    assert noise.shape == (40, 2500) and noise.isfinite().all()
    assert noise.mean().item() == pytest.approx(0.5772, abs=0.02)
    assert noise.var().item() == pytest.approx(np.pi**2 / 6, abs=0.03)
    assert torch.equal(
        gumbel([noise_generator(0, "", 3)], 9), gumbel([noise_generator(0, "", i) for i in (1, 3)], 9)[1:]
    )


def test_gumbel_noise_is_finite_at_the_ends_of_the_unit_interval():
    class Edge:
        def random(self, width: int) -> np.ndarray:
            return np.array([0.0, np.nextafter(1.0, 0.0)])[:width]

    assert gumbel([Edge()], 2).isfinite().all()


# Numbers -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"temperature": -0.1}, r"temperature is 0 \(greedy\) or above, got -0.1"),
        ({"temperature": float("inf")}, "got inf"),
        ({"temperature": float("nan")}, "got nan"),
        ({"top_k": -1}, r"top_k is 0 \(all\) or above, got -1"),
        ({"top_p": 0.0}, "top_p is above 0 and at most 1, got 0.0"),
        ({"top_p": 1.1}, "got 1.1"),
    ],
)
def test_refuses_numbers(options, text):
    with pytest.raises(ValueError, match=text):
        Sampling(**options)


def test_warpers_do_what_they_are_asked_and_nothing_else():
    logits = torch.log(torch.tensor([[0.4, 0.3, 0.2, 0.1]]))
    assert torch.equal(Sampling(top_k=0).warpers()(None, logits), logits)
    halved = Sampling(temperature=0.5, top_k=0).warpers()(None, logits).softmax(-1)
    torch.testing.assert_close(halved, torch.tensor([[16.0, 9.0, 4.0, 1.0]]) / 30)
    assert Sampling(top_k=3).warpers()(None, logits).isfinite().tolist() == [[True, True, True, False]]
    assert Sampling(top_k=0, top_p=0.6).warpers()(None, logits).isfinite().tolist() == [[True, True, False, False]]


# Codes ---------------------------------------------------------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize("options", [{}, {"tie_word_embeddings": False}, {"motion_only": True}])
def test_greedy_with_a_cache_equals_computing_everything_anew(options):
    model = tiny_motiongpt(**options)
    expected = [greedy(model, prompt, 12) for prompt in PROMPTS]
    assert len({tuple(row) for row in expected}) > 1 and len({code for row in expected for code in row}) > 2
    for how in (Sampling(temperature=0), Sampling(top_k=1), Sampling(temperature=0, top_k=3, top_p=0.5)):
        assert write(model, PROMPTS, how) == expected


@torch.no_grad()
def test_greedy_equals_transformers_generate_restricted_to_the_same_tokens():
    model = tiny_motiongpt()
    allowed = [*CODES, END, EOS]
    found = write(model, PROMPTS, Sampling(temperature=0))
    for prompt, codes in zip(PROMPTS, found, strict=True):
        result = model.generate(
            torch.tensor([prompt]), decoder_input_ids=torch.tensor([[0, START]]), max_new_tokens=12, do_sample=False,
            prefix_allowed_tokens_fn=lambda *_: allowed, eos_token_id=[END, EOS],
        )[0, 2:]  # fmt: skip
        assert codes == [token - TEXT for token in result.tolist() if token in CODES]


@torch.no_grad()
def test_samples_are_draws_from_the_softmax():
    """4,000 first codes against the probabilities of the model: chi-square, and no draw outside of top-k or top-p."""
    model = tiny_motiongpt()
    probability = next_logits(model, PROMPTS[0], []).softmax(0)
    order = probability.argsort(descending=True)
    inside = order[: int((probability[order].cumsum(0) < 0.5).sum()) + 1]
    nucleus = torch.zeros_like(probability).scatter(0, inside, probability[inside])
    count = 4000
    states, mask = encode(model, [PROMPTS[0]])
    states, mask = states.expand(count, -1, -1), mask.expand(count, -1)
    for how, kept in (
        (Sampling(top_k=0), probability),
        (Sampling(temperature=2.0, top_k=0), next_logits(model, PROMPTS[0], []).div(2).softmax(0)),
        (Sampling(top_k=4), probability * (probability >= probability.sort().values[-4])),
        (Sampling(top_k=0, top_p=0.5), nucleus),
    ):
        rows = sample_codes(model, states, mask, how, [noise_generator(1, "", i) for i in range(count)], 1)
        seen = torch.bincount(torch.tensor([row[0] if row else 16 for row in rows]), minlength=17).double()
        kept = torch.cat([kept[:16], kept[16:].sum()[None]]).double()  # </s> and the end token are both an end
        kept = kept / kept.sum()
        assert (seen[kept == 0] == 0).all()
        likely = kept * count >= 5
        chi_square = ((seen - kept * count).square() / (kept * count))[likely].sum()
        freedom = int(likely.sum()) - 1
        assert freedom >= 2 and chi_square < freedom + 4 * (2 * freedom) ** 0.5  # four deviations above its mean


@torch.no_grad()
def test_rows_do_not_depend_on_each_other():
    model = tiny_motiongpt()
    how = Sampling(temperature=1.5)
    generators = {str(prompt): (lambda p=prompt: noise_generator(3, str(p), 0)) for prompt in PROMPTS}

    def rows(prompts):
        fresh = [generators[str(prompt)]() for prompt in prompts]
        return sample_codes(model, *encode(model, prompts), how, fresh, 10)

    together = rows(PROMPTS)
    assert len({len(row) for row in together}) > 1  # some end before others
    assert together == [rows([prompt])[0] for prompt in PROMPTS] == rows(PROMPTS[::-1])[::-1]


@torch.no_grad()
@pytest.mark.parametrize("how", [Sampling(temperature=1.5), Sampling(temperature=2.0, top_k=0, top_p=0.95)])
def test_taking_finished_rows_out_changes_nothing(monkeypatch, how):
    model = tiny_motiongpt()
    prompts = [[i, i + 1, EOS] for i in range(2, 34)]
    widths: list[int] = []
    model.decoder.register_forward_pre_hook(
        lambda _, args, kwargs: widths.append(len(kwargs["input_ids"])), with_kwargs=True
    )
    results = {}
    for keep in (0.0, 0.75, 1.0):
        monkeypatch.setattr(sampling, "_KEEP", keep)
        widths.clear()
        results[keep] = write(model, prompts, how, longest=20)
        if keep == 0:
            assert set(widths) == {32}
        else:
            assert len(set(widths)) > 2 and widths == sorted(widths, reverse=True)
    assert results[0.0] == results[0.75] == results[1.0]


@torch.no_grad()
@pytest.mark.parametrize(("token", "expected"), [(TEXT + 5, [5]), (END, []), (EOS, []), (START, [0]), (7, [0])])
def test_a_motion_ends_at_the_end_token_or_at_the_end_of_the_row(token, expected):
    """The output layer scores one token above all others, and text or the start token do not count."""
    model = tiny_motiongpt(tie_word_embeddings=False)
    states, mask = encode(model, PROMPTS[:1])
    begun = torch.tensor([[0, START]])
    model.lm_head.weight.zero_()
    model.lm_head.weight[token] = model.decoder(input_ids=begun, encoder_hidden_states=states)[0][0, -1]
    assert sample_codes(model, states, mask, Sampling(temperature=0), [], 1) == [expected]


@torch.no_grad()
def test_the_longest_motion():
    model = tiny_motiongpt()
    for longest in (1, 3, 12):
        rows = write(model, PROMPTS, Sampling(temperature=0), longest=longest)
        assert max(map(len, rows)) == longest
        assert [row[:1] for row in rows] == write(model, PROMPTS, Sampling(temperature=0), longest=1)
