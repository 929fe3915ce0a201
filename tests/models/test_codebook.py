"""The codebook of the VQ-VAE: its moving averages by hand, entries that die, two processes, going on after a stop."""

import copy
import math
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor

from atom_hf.models.codebook import Codebook, perplexity


def filled(entries: Tensor, count: float = 1.0, **options) -> Codebook:
    codebook = Codebook(*entries.shape, **options)
    codebook.set(entries, count)
    return codebook


def state(codebook: Codebook) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in codebook.state_dict().items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_nearest_entry():
    codebook = filled(torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]]))
    latents = torch.tensor([[[1.0, 0.5], [3.0, 0.5]], [[0.5, 3.0], [-9.0, -9.0]]])
    codes = codebook.codes(latents)
    assert codes.tolist() == [[0, 1], [2, 0]] and codes.dtype == torch.int64
    assert torch.equal(codebook(codes)[0, 1], torch.tensor([4.0, 0.0]))


def test_nearest_entry_does_not_depend_on_autocast():
    """Entries a thousandth apart, which bfloat16 cannot tell from each other."""
    entries = torch.linspace(1, 1.06, 64)[:, None].repeat(1, 4)
    codebook = filled(entries)
    with torch.autocast("cpu", torch.bfloat16):
        assert codebook.codes(entries).tolist() == list(range(64))


def test_moving_averages_by_hand():
    codebook = filled(torch.tensor([[0.0], [10.0]]), count=4, decay=0.75)
    codebook.observe(torch.tensor([[1.0], [3.0], [9.0]]), torch.tensor([0, 0, 1]))
    codebook.update()
    # sums 0.75 · [0, 40] + 0.25 · [4, 9], counts 0.75 · [4, 4] + 0.25 · [2, 1]
    assert codebook.code_sum.flatten().tolist() == [1.0, 32.25]
    assert codebook.code_count.tolist() == [3.5, 3.25]
    torch.testing.assert_close(codebook.codebook.flatten(), torch.tensor([1 / 3.5, 32.25 / 3.25]))


def test_a_dead_entry_becomes_a_latent_and_starts_anew_from_there():
    codebook = filled(torch.tensor([[0.0], [100.0]]), decay=0.5)
    codebook.observe(torch.tensor([[1.0], [1.0], [7.0], [7.0]]), torch.zeros(4, dtype=torch.long))
    codebook.update()
    assert codebook.code_count.tolist() == [2.5, 0.5]  # the second is below the limit of 1
    assert codebook.codebook.flatten().tolist() == pytest.approx([3.2, 7.0])  # and is now the third of four latents
    codebook.observe(torch.tensor([[5.0], [9.0]]), torch.tensor([0, 1]))
    codebook.update()
    # It counts as chosen once where it was put: sum 0.5 · 7 + 0.5 · 9, not 0.5 · 50 + 0.5 · 9 with what it was before.
    assert (codebook.code_sum[1].item(), codebook.code_count[1].item()) == (8.0, 1.0)
    assert codebook.codebook[1].item() == 8.0


def test_reset_says_from_when_on_an_entry_is_dead():
    for reset, replaced in ((0.4, False), (0.6, True)):
        codebook = filled(torch.tensor([[0.0], [100.0]]), decay=0.5, reset=reset)
        codebook.observe(torch.ones(2, 1), torch.zeros(2, dtype=torch.long))
        codebook.update()
        assert (codebook.codebook[1].item() != 100.0) == replaced


def test_entries_set_with_a_count_outlive_updates_that_do_not_choose_them():
    entries = torch.tensor([[0.0, 1.0], [50.0, 50.0]])
    lives = {}
    for count in (1, 100):
        codebook = filled(entries, count)
        lives[count] = 0
        while torch.allclose(codebook.codebook[1], entries[1]) and lives[count] < 600:
            codebook.observe(torch.zeros(3, 2), torch.zeros(3, dtype=torch.long))
            codebook.update()
            lives[count] += 1
    assert lives == {1: 1, 100: math.ceil(math.log(1 / 100) / math.log(0.99))}


@pytest.mark.parametrize(
    ("entries", "count", "text"),
    [
        (torch.zeros(3, 2), 1.0, r"codebook \[4, 2\] and a count above 0, got \[3, 2\]"),
        (torch.zeros(2), 1.0, r"got \[2\]"),
        (torch.zeros(4, 2), 0.0, r"got \[4, 2\] and 0.0"),
        (torch.zeros(4, 2), math.inf, "and inf"),
    ],
)
def test_set_refuses(entries, count, text):
    codebook = Codebook(4, 2)
    before = state(codebook)
    with pytest.raises(ValueError, match=text):
        codebook.set(entries, count)
    assert same(before, state(codebook))


def test_first_latents_become_the_entries_once():
    codebook = Codebook(4, 3)
    latents = torch.randn(8, 3)
    codebook.initialize(latents)
    assert torch.equal(codebook.codebook, latents[[0, 2, 4, 6]]) and bool(codebook.initialized)
    before = state(codebook)
    codebook.initialize(torch.randn(8, 3))
    assert same(before, state(codebook))


def test_entries_that_were_set_are_not_taken_from_latents():
    codebook = filled(torch.arange(8.0).view(4, 2))
    before = state(codebook)
    codebook.initialize(torch.randn(8, 2))
    assert same(before, state(codebook))


def test_fewer_latents_than_entries():
    codebook = Codebook(8, 4)
    latents = torch.randn(3, 4)
    codebook.initialize(latents)
    nearest = torch.cdist(codebook.codebook, latents).min(1)
    assert nearest.values.max() < 0.1 and set(nearest.indices.tolist()) == {0, 1, 2}
    assert len(codebook.codebook.unique(dim=0)) == 8  # apart from each other


def test_update_needs_an_observation():
    codebook = filled(torch.randn(4, 2))
    with pytest.raises(RuntimeError, match="no latents since its last update; call the model on a batch in training"):
        codebook.update()
    codebook.observe(torch.randn(5, 2), torch.tensor([0, 1, 2, 3, 0]))
    codebook.update()
    with pytest.raises(RuntimeError, match="no latents since its last update"):
        codebook.update()


def test_observing_changes_nothing():
    codebook = filled(torch.randn(4, 2))
    before = state(codebook)
    codebook.observe(torch.randn(5, 2), torch.tensor([0, 1, 2, 3, 0]))
    assert same(before, state(codebook))


def test_two_half_batches_update_like_one():
    torch.manual_seed(0)
    whole, halves = (filled(torch.arange(12.0).view(4, 3), 10) for _ in range(2))
    for _ in range(2):  # the second update begins with nothing left over from the first
        latents, codes = torch.randn(10, 3), torch.randint(4, (10,))
        whole.observe(latents, codes)
        halves.observe(latents[:5], codes[:5])
        halves.observe(latents[5:], codes[5:])
        assert whole.update() == halves.update()
        for name, value in whole.state_dict().items():
            torch.testing.assert_close(halves.state_dict()[name], value, rtol=0, atol=1e-6, msg=name)


def test_state_goes_on_after_saving():
    torch.manual_seed(0)
    batches = [(torch.randn(9, 2), torch.randint(3, (9,))) for _ in range(6)]
    straight, stopped = (filled(torch.arange(8.0).view(4, 2)) for _ in range(2))
    for i, batch in enumerate(batches):
        straight.observe(*batch)
        straight.update()
        if i == 3:
            saved, stopped = copy.deepcopy(stopped.state_dict()), Codebook(4, 2)
            stopped.load_state_dict(saved)
        stopped.observe(*batch)
        stopped.update()
    assert same(straight.state_dict(), stopped.state_dict())
    assert straight.code_count[3] < 1  # an entry that died is among them


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        ([4.0, 0.0, 0.0, 0.0], 1.0),
        ([2.0, 2.0, 0.0, 0.0], 2.0),
        ([5.0, 5.0, 5.0, 5.0], 4.0),
        ([3.0, 1.0], math.exp(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)))),
    ],
)
def test_perplexity_by_hand(count, expected):
    assert perplexity(torch.tensor(count)).item() == pytest.approx(expected, abs=1e-5)


def test_update_gives_the_perplexity_of_what_was_observed():
    codebook = filled(torch.randn(4, 2), 50)
    codebook.observe(torch.randn(4, 2), torch.tensor([0, 0, 3, 3]))
    assert codebook.update().item() == pytest.approx(2.0, abs=1e-5)


def _part(rank: int, folder: str) -> None:
    """One of two processes: its own half of each batch."""
    import torch.distributed as dist

    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    codebook = Codebook(8, 4)
    perplexities = []
    for latents in _batches():
        mine = latents[rank::2]
        codebook.initialize(mine)
        codebook.observe(mine, codebook.codes(mine))
        perplexities.append(codebook.update())
    torch.save({**codebook.state_dict(), "perplexities": torch.stack(perplexities)}, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


def _batches() -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(64, 4, generator=generator) for _ in range(5)]


@pytest.mark.slow
def test_two_processes_have_one_codebook(tmp_path: Path):
    """They agree to the bit, and with one process that sees both halves."""
    torch.multiprocessing.spawn(_part, (str(tmp_path),), nprocs=2)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    assert same(first, second)
    alone = Codebook(8, 4)
    for i, latents in enumerate(_batches()):
        alone.initialize(latents[0::2])  # both took their entries, at first and for dead ones, from process 0
        alone.observe(latents[0::2], alone.codes(latents[0::2]))
        alone.observe(latents[1::2], alone.codes(latents[1::2]))
        torch.testing.assert_close(alone.update(), first["perplexities"][i])
    for name, value in alone.state_dict().items():
        torch.testing.assert_close(first[name], value, msg=name)
    assert (alone.code_count > 0.5).any() and not torch.equal(alone.codebook, Codebook(8, 4).codebook)
