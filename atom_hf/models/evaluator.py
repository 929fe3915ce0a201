"""Text-motion evaluator: a text and a motion become vectors that lie close where the motion shows the text.

evaluator = TextMotionEvaluator.from_pretrained("finest.tar", glove="glove", stats="meta")
motion = evaluator.embed_motion([clip, other])                       # [2, 512]
text = evaluator.embed_text(["a man walks", "a woman jumps"])        # [2, 512]
distance = torch.linalg.norm(text - motion, dim=-1)

Networks and weight names are those of text-to-motion (T2M; Guo et al., CVPR 2022), with whose evaluator all published
numbers on HumanML3D are made. Numbers of another evaluator are never comparable with those.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers import initialization as init
from transformers.utils import ModelOutput

from ..motion.checks import check_lengths
from ..motion.layout import CONTACTS, FEATURE_DIM
from .damaged_weights import explain_damaged_weights
from .evaluator_config import TextMotionEvaluatorConfig
from .evaluator_embedding import TextMotionEmbedding
from .evaluator_losses import infonce_loss, margin_loss
from .evaluator_motion import as_clips
from .evaluator_networks import FRAMES_PER_STEP, MovementEncoder, SequenceEncoder, TextEncoder
from .evaluator_text import Text
from .feature_stats import WithFeatureStats
from .hub import WithCard
from .original_sources import is_original
from .parts_of_speech import POS_TAGS, Tagger

_POSE_DIM = CONTACTS.start  # foot contacts, the last features, are not read
_MARGIN_FRAMES = 2 * FRAMES_PER_STEP  # padding that convolutions of the last step see
_FIRST_SCALE, _MOST_SCALE = math.log(1 / 0.07), 100.0  # CLIP's


@dataclass
class TextMotionEvaluatorOutput(ModelOutput):
    """What a pass gives.

    Args:
        loss (`Tensor`, *optional*): `[]`, where texts and motions were given and a loss was asked for.
        text_embeds (`Tensor`, *optional*): `[B, embedding_size]`, unitless.
        motion_embeds (`Tensor`, *optional*): `[B, embedding_size]`, unitless.
    """

    loss: Tensor | None = None
    text_embeds: Tensor | None = None
    motion_embeds: Tensor | None = None


class TextMotionEvaluator(TextMotionEmbedding, WithFeatureStats, WithCard, PreTrainedModel):
    """Embeds texts and motions in one space, for R-precision, matching score, FID and diversity.

    It takes HumanML3D features in metres and radians and normalises them itself, with the mean and deviation that are
    saved with it; word vectors and vocabulary are saved with it too. It computes in float32.

    Motions are embedded by the protocol `"packed"`, of text-to-motion, or `"padded"`, of MotionGPT's copy, in which
    the clips of a batch change each other's embeddings; see `evaluator_embedding`. A number has to say by which it
    was made, and `describe` gives what else it has to say.

    Args:
        config ([`TextMotionEvaluatorConfig`]): sizes, kind of text, vocabulary, loss.
    """

    config_class = TextMotionEvaluatorConfig
    config: TextMotionEvaluatorConfig
    base_model_prefix = "evaluator"
    main_input_name = "features"
    mean: Tensor
    std: Tensor
    word_vectors: Tensor | None
    tagger: Tagger | None = None
    """Text to tokens such as `"walk/VERB"`, for free text where parts of speech are read; spaCy's where it is None."""

    def __init__(self, config: TextMotionEvaluatorConfig) -> None:
        super().__init__(config)
        with_pos = config.text_input == "words+pos"
        self.movement_encoder = MovementEncoder(
            _POSE_DIM, config.movement_hidden_size, config.movement_size, config.dropout
        )
        self.motion_encoder = SequenceEncoder(config.movement_size, config.motion_hidden_size, config.embedding_size)
        self.text_encoder = TextEncoder(
            config.word_size, len(POS_TAGS) if with_pos else 0, config.text_hidden_size, config.embedding_size
        )
        vectors = torch.zeros(config.num_word_vectors, config.word_size) if config.num_word_vectors else None
        if with_pos or vectors is None:
            self.register_buffer("word_vectors", vectors)  # given, and never trained
        else:
            self.word_vectors = nn.Parameter(vectors)
        self.logit_scale = nn.Parameter(torch.tensor(_FIRST_SCALE)) if config.loss == "infonce" else None
        self.register_buffer("mean", torch.zeros(FEATURE_DIM))
        self.register_buffer("std", torch.ones(FEATURE_DIM))
        self.post_init()
        self.float()  # also where a loader asks for another dtype, by way of torch's default

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: Any, *args: Any, **kwargs: Any) -> Any:
        """As in transformers, in float32; original checkpoints are converted in memory.

        Args:
            pretrained_model_name_or_path (`str` or `Path`): a folder, a Hub repository, or an original: the file
                `finest.tar` of text-to-motion, or MotionGPT's checkpoint, which holds a copy.
            **kwargs (*optional*): transformers' own; for originals also `glove` and `stats` of
                `atom_hf.models.original_evaluator.evaluator_from_original`.

        Returns:
            [`TextMotionEvaluator`]: in evaluation mode.

        Raises:
            CheckpointError: if the weights are damaged, or those of another model.
            OSError: if there is no such checkpoint, or no network.
            ValueError: if statistics are missing, or `glove` or `stats` are given for a checkpoint that has its own.
        """
        from .original_evaluator import loading_arguments  # which needs this class

        source: Any = pretrained_model_name_or_path
        if is_original(source):
            kwargs, source = loading_arguments(source, kwargs), None
        elif given := [name for name in ("glove", "stats") if kwargs.pop(name, None) is not None]:
            one = len(given) == 1
            raise ValueError(
                f"{' and '.join(given)} {'belongs' if one else 'belong'} to an original checkpoint such as "
                f"finest.tar; {source} is none, and holds its own. Leave {'it' if one else 'them'} out."
            )
        elif source is not None:
            kwargs.setdefault("use_safetensors", True)
        kwargs.pop("torch_dtype", None)
        kwargs["dtype"] = torch.float32
        with explain_damaged_weights(source):
            return super().from_pretrained(source, *args, **kwargs)

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Conv1d):
            init.xavier_normal_(module.weight)
            if module.bias is not None:
                init.zeros_(module.bias)
        elif isinstance(module, nn.GRU):
            for name, weight in module.named_parameters():
                if name.startswith("weight"):
                    init.orthogonal_(weight)
                else:
                    init.zeros_(weight)
        elif isinstance(module, nn.LayerNorm):
            init.ones_(module.weight)
            init.zeros_(module.bias)
        elif isinstance(module, SequenceEncoder):
            init.normal_(module.hidden)
        elif isinstance(module, TextMotionEvaluator):
            init.zeros_(module.mean)
            init.ones_(module.std)
            if module.word_vectors is not None:
                init.normal_(module.word_vectors, std=module.config.word_size**-0.5)
            if module.logit_scale is not None:
                init.constant_(module.logit_scale, _FIRST_SCALE)

    # Training --------------------------------------------------------------------------------------------------------

    def collate(self, texts: Sequence[Text], motions: Any, tagger: Tagger | None = None) -> dict[str, Tensor]:
        """Texts and their motions as a batch for `forward`, on the CPU.

        Args:
            texts (`Sequence`): as in `embed_text`.
            motions (`Sequence` or `Array`): one for each text, as in `embed_motion`: features `[T, 263]` each, metres
                and radians.
            tagger (`Tagger`, *optional*): as in `embed_text`.

        Returns:
            `dict[str, Tensor]`: `features` `[B, T, 263]`, `lengths` `[B]` in frames, `word_ids` and `pos_ids`
            `[B, max_words + 2]`, `text_lengths` `[B]`.

        Raises:
            TypeError: if something is no motion or no text.
            ValueError: as in `embed_text` and `embed_motion`, or if there are not as many texts as motions.
        """
        clips, inputs = as_clips(motions), self.reader(tagger).tensors(texts)
        if len(clips) != len(inputs.word_ids):
            raise ValueError(f"Expected a motion for each text, got {len(texts)} texts and {len(clips)} motions.")
        return {
            "features": nn.utils.rnn.pad_sequence(clips, batch_first=True),
            "lengths": torch.tensor([len(clip) for clip in clips]),
            **inputs._asdict(),
        }

    def forward(
        self,
        features: Tensor | None = None,
        lengths: Tensor | None = None,
        word_ids: Tensor | None = None,
        pos_ids: Tensor | None = None,
        text_lengths: Tensor | None = None,
        return_loss: bool = True,
        **_: Any,
    ) -> TextMotionEvaluatorOutput:
        """Embed a batch by the protocol `"packed"`, with the loss of `config.loss`.

        Rows of the same text are no counter-examples of each other.

        Args:
            features (`Tensor`, *optional*): `[B, T, 263]`, metres and radians at 20 fps.
            lengths (`Tensor`, *optional*): `[B]`, frames of each clip, where they differ.
            word_ids (`Tensor`, *optional*): `[B, N]`, as `collate` makes them.
            pos_ids (`Tensor`, *optional*): `[B, N]`, where parts of speech are read.
            text_lengths (`Tensor`, *optional*): `[B]`, words of each text; all N without it.
            return_loss (`bool`, *optional*, defaults to `True`): whether to compute the loss of texts with motions.

        Returns:
            [`TextMotionEvaluatorOutput`]: embeddings of what was given, and the loss.

        Raises:
            ValueError: if neither is given, shapes do not fit, or a clip has fewer than 4 frames.
        """
        if features is None and word_ids is None:
            raise ValueError("Expected features, word_ids, or both, got neither; `collate` makes them.")
        if self.training and torch.is_grad_enabled():
            self.config.original = False  # what is trained is the published evaluator no more
        loss = text = motion = None
        if features is not None:
            motion = self._embed_features(features, lengths, "packed")
        if word_ids is not None:
            if text_lengths is None:
                text_lengths = torch.full((len(word_ids),), word_ids.shape[1])
            text = self._embed_words(word_ids, pos_ids, text_lengths)
        if return_loss and text is not None and motion is not None and word_ids is not None:
            loss = self._loss(text, motion, word_ids)
        return TextMotionEvaluatorOutput(loss=loss, text_embeds=text, motion_embeds=motion)

    def _loss(self, text: Tensor, motion: Tensor, word_ids: Tensor) -> Tensor:
        if len(text) != len(motion):
            raise ValueError(f"Expected a motion for each text, got {len(text)} texts and {len(motion)} motions.")
        other = (word_ids[:, None] != word_ids[None]).any(-1)
        if self.logit_scale is None:
            return margin_loss(text, motion, self.config.margin, other)
        return infonce_loss(text, motion, self.logit_scale.exp().clamp(max=_MOST_SCALE), other)

    # Inside ----------------------------------------------------------------------------------------------------------

    def _embed_features(self, features: Tensor, lengths: Tensor | None, protocol: str) -> Tensor:
        """Padded features in metres and radians to embeddings; NaN behind a clip's end does no harm."""
        if features.ndim != 3 or features.shape[-1] != FEATURE_DIM or not len(features):
            raise ValueError(f"Expected features [B, T, {FEATURE_DIM}], B >= 1, got shape {list(features.shape)}.")
        device, frames = features.device, features.shape[1]
        counts = check_lengths(None if lengths is None else lengths.tolist(), len(features), frames, 0)
        if (counts < FRAMES_PER_STEP).any():
            raise ValueError(f"A clip needs at least {FRAMES_PER_STEP} frames, got {int(counts.min())}.")
        ends = torch.from_numpy(counts).to(device) // FRAMES_PER_STEP * FRAMES_PER_STEP
        if protocol == "packed":
            features = nn.functional.pad(features[:, : int(ends.max())], (0, 0, 0, _MARGIN_FRAMES))
        behind = torch.arange(features.shape[1], device=device) >= ends[:, None]
        with torch.autocast(device.type, enabled=False):
            poses = self.normalize(features.float())[..., :_POSE_DIM].masked_fill(behind[..., None], 0)
            if protocol == "padded":
                return self._scaled(self.motion_encoder(self.movement_encoder(poses)))
            # Behind a clip as long as what it is padded to, the second convolution sees zeros; behind a shorter one,
            # what the first makes of zeros. So it is in the published evaluation, whatever else is in the batch.
            halves = torch.arange(poses.shape[1] // 2, device=device)
            fills = ends >= self.config.max_frames // FRAMES_PER_STEP * FRAMES_PER_STEP
            inside = ~fills[:, None] | (halves < ends[:, None] // 2)
            steps = self.movement_encoder(poses, inside)
            return self._scaled(self.motion_encoder(steps, ends // FRAMES_PER_STEP))

    def _embed_words(self, word_ids: Tensor, pos_ids: Tensor | None, text_lengths: Tensor) -> Tensor:
        if self.word_vectors is None:
            raise ValueError("This evaluator has no word vectors, so it embeds motion only.")
        pos = None
        if self.config.text_input == "words+pos":
            if pos_ids is None:
                raise ValueError("Expected pos_ids beside word_ids: this evaluator reads parts of speech.")
            pos = nn.functional.one_hot(pos_ids, len(POS_TAGS)).float()
        with torch.autocast(word_ids.device.type, enabled=False):
            return self._scaled(self.text_encoder.embed(self.word_vectors[word_ids], pos, text_lengths))

    def _scaled(self, embeddings: Tensor) -> Tensor:
        return nn.functional.normalize(embeddings, dim=-1) if self.config.unit_length else embeddings
