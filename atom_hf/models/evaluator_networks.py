"""The three networks of the text-motion evaluator, with the names of T2M's weights.

frames [B, T, 259]  → MovementEncoder →  steps [B, T//4, 512]  → SequenceEncoder →  motion embedding [B, 512]
words  [B, 22, 300] + part of speech [B, 22, 15]               → TextEncoder     →  text embedding   [B, 512]
"""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

FRAMES_PER_STEP = 4


class MovementEncoder(nn.Module):
    """Two strided convolutions: frames to steps of four frames.

    Args:
        in_size (`int`): features of a frame.
        hidden_size (`int`): channels between the two.
        out_size (`int`): features of a step.
        dropout (`float`): in training.
    """

    def __init__(self, in_size: int, hidden_size: int, out_size: int, dropout: float) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv1d(in_size, hidden_size, 4, 2, 1),
            nn.Dropout(dropout),
            nn.LeakyReLU(0.2),
            nn.Conv1d(hidden_size, out_size, 4, 2, 1),
            nn.Dropout(dropout),
            nn.LeakyReLU(0.2),
        )
        self.out_net = nn.Linear(out_size, out_size)

    def forward(self, frames: Tensor, inside: Tensor | None = None) -> Tensor:
        """Frames to steps.

        Args:
            frames (`Tensor`): `[B, T, in_size]`, normalised; zeros behind the end of shorter clips.
            inside (`Tensor`, *optional*): `[B, T // 2]`, bool; where it is False the second convolution sees zeros, as
                it does behind the end of a batch.

        Returns:
            `Tensor`: `[B, T // 4, out_size]`, unitless.
        """
        hidden = self.main[:3](frames.transpose(1, 2))
        if inside is not None:
            hidden = hidden.masked_fill(~inside[:, None], 0)
        return self.out_net(self.main[3:](hidden).transpose(1, 2))


class SequenceEncoder(nn.Module):
    """A GRU in both directions from a learned state; its two last states become an embedding.

    Args:
        in_size (`int`): features of a step.
        hidden_size (`int`): of the GRU, in each direction.
        out_size (`int`): of the embedding.
    """

    def __init__(self, in_size: int, hidden_size: int, out_size: int) -> None:
        super().__init__()
        self.input_emb = nn.Linear(in_size, hidden_size)
        self.gru = nn.GRU(hidden_size, hidden_size, batch_first=True, bidirectional=True)
        self.output_net = nn.Sequential(
            nn.Linear(2 * hidden_size, hidden_size),
            nn.LayerNorm(hidden_size),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden_size, out_size),
        )
        self.hidden = nn.Parameter(torch.randn(2, 1, hidden_size))

    def forward(self, steps: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Embed sequences.

        Args:
            steps (`Tensor`): `[B, N, in_size]`.
            lengths (`Tensor`, *optional*): `[B]`, steps of each sequence; without them the GRU runs over all N, with
                the padding.

        Returns:
            `Tensor`: `[B, out_size]`, unitless.
        """
        inputs = self.input_emb(steps)
        start = self.hidden.expand(-1, len(steps), -1).contiguous()
        if lengths is not None:
            inputs = pack_padded_sequence(inputs, lengths.cpu(), batch_first=True, enforce_sorted=False)
        _, last = self.gru(inputs, start)
        return self.output_net(torch.cat([last[0], last[1]], dim=-1))


class TextEncoder(SequenceEncoder):
    """A sequence encoder of word vectors, to which parts of speech are added where there are any.

    Args:
        word_size (`int`): of a word vector.
        pos_size (`int`): parts of speech; 0 for none.
        hidden_size (`int`): of the GRU, in each direction.
        out_size (`int`): of the embedding.
    """

    def __init__(self, word_size: int, pos_size: int, hidden_size: int, out_size: int) -> None:
        super().__init__(word_size, hidden_size, out_size)
        self.pos_emb = nn.Linear(pos_size, word_size) if pos_size else None

    def embed(self, vectors: Tensor, pos: Tensor | None, lengths: Tensor) -> Tensor:
        """Embed texts.

        Args:
            vectors (`Tensor`): `[B, N, word_size]`.
            pos (`Tensor` or `None`): `[B, N, pos_size]`, ones and zeros.
            lengths (`Tensor`): `[B]`, words of each text.

        Returns:
            `Tensor`: `[B, out_size]`, unitless.
        """
        if self.pos_emb is not None:
            assert pos is not None
            vectors = vectors + self.pos_emb(pos)
        return self(vectors, lengths)
