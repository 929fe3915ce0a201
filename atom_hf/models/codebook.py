"""A codebook that follows the latents by moving averages instead of gradients (VQ-VAE-2, Jukebox, T2M-GPT).

Everything that an update needs is saved with the weights, so that training can stop and go on, and a loaded codebook
is never thrown away. Nothing changes it but `update`, which the training loop calls after an optimiser step.
"""

import math

import torch
import torch.distributed as dist
from torch import Tensor, nn


class Codebook(nn.Module):
    """`num_codes` vectors; a latent is replaced by the nearest.

    Args:
        num_codes (`int`): entries.
        code_dim (`int`): width of one entry.
        decay (`float`, *optional*, defaults to 0.99): of the moving averages, unitless.
        reset (`float`, *optional*, defaults to 1.0): entries chosen by fewer latents an update, on average, are set to
            latents of the batch.
    """

    codebook: Tensor
    code_sum: Tensor
    code_count: Tensor
    initialized: Tensor

    def __init__(self, num_codes: int, code_dim: int, decay: float = 0.99, reset: float = 1.0) -> None:
        super().__init__()
        self.decay, self.reset = decay, reset
        self.register_buffer("codebook", torch.zeros(num_codes, code_dim))
        self.register_buffer("code_sum", torch.zeros(num_codes, code_dim))
        self.register_buffer("code_count", torch.ones(num_codes))
        self.register_buffer("initialized", torch.tensor(False))
        self._pending: tuple[Tensor, Tensor, Tensor] | None = None

    def codes(self, latents: Tensor) -> Tensor:
        """The nearest entry of each latent.

        Args:
            latents (`Tensor`): `[..., code_dim]`, unitless.

        Returns:
            `Tensor`: `[...]`, int64.
        """
        flat, codebook = latents.reshape(-1, latents.shape[-1]).float(), self.codebook
        with torch.autocast(latents.device.type, enabled=False):  # half precision takes another entry
            distances = flat.square().sum(1, keepdim=True) - 2 * flat @ codebook.t() + codebook.square().sum(1)
        return distances.argmin(1).view(latents.shape[:-1])

    def forward(self, codes: Tensor) -> Tensor:
        """The vectors of codes.

        Args:
            codes (`Tensor`): `[...]`, int64.

        Returns:
            `Tensor`: `[..., code_dim]`.
        """
        return nn.functional.embedding(codes, self.codebook)

    @torch.no_grad()
    def initialize(self, latents: Tensor) -> None:
        """Take the entries from latents, unless they were taken or loaded before.

        Args:
            latents (`Tensor`): `[n, code_dim]`, of the first batch.
        """
        if self.initialized:
            return
        start = self._spread(latents)
        if dist.is_initialized():
            dist.broadcast(start, 0)
        self.set(start)

    @torch.no_grad()
    def set(self, codebook: Tensor, count: float = 1.0) -> None:
        """Use these entries from now on, as if each were chosen `count` times an update.

        Args:
            codebook (`Tensor`): `[num_codes, code_dim]`.
            count (`float`, *optional*, defaults to 1.0): latents that choose an entry in an average update. With 1, as
                for a codebook that begins, an entry that the next update finds unused is given away; one of a trained
                model that knows no counts deserves more: with 100 it stays through some 450 such updates.

        Raises:
            ValueError: if the shape is another one, or the count is not above zero.
        """
        if codebook.shape != self.codebook.shape or not 0 < count < math.inf:
            raise ValueError(
                f"Expected a codebook {list(self.codebook.shape)} and a count above 0, got {list(codebook.shape)} and "
                f"{count}."
            )
        self.codebook.copy_(codebook)
        self.code_sum.copy_(codebook * count)
        self.code_count.fill_(count)
        self.initialized.fill_(True)

    @torch.no_grad()
    def observe(self, latents: Tensor, codes: Tensor) -> None:
        """Remember which latents chose which entry, until `update`.

        Args:
            latents (`Tensor`): `[n, code_dim]`.
            codes (`Tensor`): `[n]`, int64.
        """
        latents = latents.detach().float()
        total = torch.zeros_like(self.code_sum).index_add_(0, codes, latents)
        count = torch.bincount(codes, minlength=len(self.code_count)).to(self.code_count)
        if self._pending is not None:  # several batches before one step of the optimiser
            total, count, spare = total + self._pending[0], count + self._pending[1], self._pending[2]
        else:
            spare = self._spread(latents)
        self._pending = total, count, spare

    @torch.no_grad()
    def update(self) -> Tensor:
        """Move the entries towards what chose them since the last update, in all processes alike.

        Returns:
            `Tensor`: perplexity of the codes, a scalar: 1 where one entry was chosen by all, `num_codes` where all
                were chosen alike.

        Raises:
            RuntimeError: if nothing was observed.
        """
        if self._pending is None:
            raise RuntimeError(
                "The codebook has seen no latents since its last update; call the model on a batch in training first."
            )
        total, count, spare = self._pending
        self._pending = None
        if dist.is_initialized():
            dist.all_reduce(total)
            dist.all_reduce(count)
            dist.broadcast(spare, 0)
        # What was set to a latent by the last update starts anew from there. T2M-GPT goes on with the old sums, so
        # that an entry which comes back to life jumps to the mean of all that it has been set to, and dies again.
        restart = self.code_count < self.reset
        self.code_sum.copy_(torch.where(restart[:, None], self.codebook * self.reset, self.code_sum))
        self.code_count.copy_(torch.where(restart, self.reset, self.code_count))
        self.code_sum.mul_(self.decay).add_(total, alpha=1 - self.decay)
        self.code_count.mul_(self.decay).add_(count, alpha=1 - self.decay)
        used = (self.code_count >= self.reset)[:, None]
        self.codebook.copy_(torch.where(used, self.code_sum / self.code_count.clamp_min(1e-12)[:, None], spare))
        return perplexity(count)

    def _spread(self, latents: Tensor) -> Tensor:
        """As many latents as there are entries, evenly spread over the batch; repeated with noise if it has fewer."""
        latents = latents.detach().float()
        wanted, dim = self.codebook.shape
        if len(latents) < wanted:
            repeated = latents.repeat(-(-wanted // len(latents)), 1)
            latents = repeated + torch.randn_like(repeated) * (0.01 / math.sqrt(dim))
        index = torch.arange(wanted, device=latents.device) * len(latents) // wanted
        return latents[index].clone()


def perplexity(count: Tensor) -> Tensor:
    """How many codes are in use, each weighted by how often: exp of the entropy.

    Args:
        count (`Tensor`): `[num_codes]`, how often each was chosen.

    Returns:
        `Tensor`: a scalar from 1 to `num_codes`.
    """
    share = count / count.sum().clamp_min(1)
    return torch.exp(-(share * torch.log(share + 1e-7)).sum())
