"""Encoder and decoder of the motion VQ-VAE: dilated residual convolutions, as in T2M-GPT, with the same weight names.

Clips of different lengths share a batch: each convolution is told the lengths at its own rate and reads zeros behind
the end of a clip, just as it does for a clip alone.
"""

from typing import cast

import torch
from torch import Tensor, nn

from .vqvae_config import MotionVQVAEConfig


def inside(lengths: Tensor, width: int) -> Tensor:
    """Which frames belong to a clip.

    Args:
        lengths (`Tensor`): `[B]`, frames of each clip.
        width (`int`): frames of the batch.

    Returns:
        `Tensor`: `[B, width]`, bool.
    """
    return torch.arange(width, device=lengths.device) < lengths[:, None]


class _Conv1d(nn.Conv1d):
    """A convolution that sees zeros behind the end of each clip."""

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        if lengths is not None:
            x = x.masked_fill(~inside(lengths, x.shape[-1])[:, None], 0)
        return super().forward(x)


class _ResidualBlock(nn.Module):
    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.conv1 = _Conv1d(width, width, 3, padding=dilation, dilation=dilation)
        self.conv2 = _Conv1d(width, width, 1)

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        return x + self.conv2(self.conv1(x.relu(), lengths).relu())


class _Residual(nn.Module):
    def __init__(self, width: int, depth: int, growth: int) -> None:
        super().__init__()
        self.model = nn.ModuleList(_ResidualBlock(width, growth**i) for i in reversed(range(depth)))

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        for block in self.model:
            x = block(x, lengths)
        return x


class Encoder(nn.Module):
    """Normalised features `[B, 263, T]` to latents `[B, code_dim, T // 4]`.

    Args:
        config ([`MotionVQVAEConfig`]): sizes.
    """

    def __init__(self, config: MotionVQVAEConfig) -> None:
        super().__init__()
        width, growth = config.width, config.dilation_growth_rate
        self.model = nn.ModuleList([_Conv1d(config.feature_dim, width, 3, padding=1), nn.ReLU()])
        for _ in range(config.down_t):
            down = _Conv1d(width, width, 4, stride=2, padding=1)
            self.model.append(nn.ModuleList([down, _Residual(width, config.depth, growth)]))
        self.model.append(_Conv1d(width, config.code_dim, 3, padding=1))

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        first, relu, *stages, last = self.model
        x = relu(first(x, lengths))
        for stage in stages:
            down, residual = cast(nn.ModuleList, stage)
            x = down(x, lengths)
            lengths = None if lengths is None else lengths // 2
            x = residual(x, lengths)
        return last(x, lengths)


class Decoder(nn.Module):
    """Vectors of codes `[B, code_dim, n]` to normalised features `[B, 263, 4 * n]`.

    Args:
        config ([`MotionVQVAEConfig`]): sizes.
    """

    def __init__(self, config: MotionVQVAEConfig) -> None:
        super().__init__()
        width, growth = config.width, config.dilation_growth_rate
        self.model = nn.ModuleList([_Conv1d(config.code_dim, width, 3, padding=1), nn.ReLU()])
        for _ in range(config.down_t):
            parts = [_Residual(width, config.depth, growth), nn.Upsample(scale_factor=2), nn.Identity()]
            parts[2] = _Conv1d(width, width, 3, padding=1)
            self.model.append(nn.ModuleList(parts))
        self.model.append(_Conv1d(width, width, 3, padding=1))
        self.model.append(nn.ReLU())
        self.model.append(_Conv1d(width, config.feature_dim, 3, padding=1))

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        first, relu, *stages, before, _, last = self.model
        x = relu(first(x, lengths))
        for stage in stages:
            residual, upsample, conv = cast(nn.ModuleList, stage)
            x = upsample(residual(x, lengths))
            lengths = None if lengths is None else lengths * 2
            x = conv(x, lengths)
        return last(relu(before(x, lengths)), lengths)
