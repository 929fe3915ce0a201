"""What stands between people and a MotionGPT: captions and motions in, ids of tokens out, and back.

processor = MotionGPTProcessor.from_pretrained(folder)
processor(text=["a person jumps twice"])               →  input_ids, attention_mask
processor(text=["a person jumps"], motion=[codes])     →  input_ids, attention_mask, labels
processor.decode_codes(ids)                            →  ParsedCodes(codes=array([5, 7, …]), …)
"""

import logging
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from transformers import BatchFeature, PreTrainedTokenizerBase, PreTrainedTokenizerFast, ProcessorMixin

from ..motion import MotionStats, ParsedCodes, codes_to_text, text_to_codes
from ..motion.plain_text import STRUCTURE, check_prompt, neutralize
from .chat_template import chat_template as asking
from .rows import as_list, as_numpy, codes_of, normalized, pad
from .templates import TASKS, Template, fill, needs
from .tokenizer import motion_ids

_log = logging.getLogger(__name__)
MAX_LENGTH = 256  # tokens of the longest text in MotionGPT's training
_IGNORED = -100  # labels of padding, in all of transformers' losses
_OPTIONS = ("stats", "templates", "max_length", "chat_template")


class MotionGPTProcessor(ProcessorMixin):
    """Tokenizer, prompt templates and statistics of a MotionGPT.

    What users type never becomes structure: `</s>` or `<motion_id_3>` in a caption turns into words, and a warning
    names it. Trainers of TRL take the processor's `tokenizer`, not the processor, which they would hold for one of
    images.

    Args:
        tokenizer (`PreTrainedTokenizerBase`): with motion tokens; see `load_motion_tokenizer`.
        stats ([`MotionStats`], *optional*): mean and deviation of the features that the VQ-VAE was trained on; needed
            for `features` only.
        templates (`dict[str, Template]`, *optional*): how the model is asked, where that differs from
            `templates.TASKS`: `"text-to-motion"`, `"motion-to-text"`, `"prediction"`, `"inbetween"`, or your own.
        max_length (`int`, *optional*, defaults to 256): tokens of the longest prompt, the most that MotionGPT was
            trained on. A longer one is an error; it is never cut.
        chat_template (`str`, *optional*): the tokenizer's by default.

    Raises:
        TypeError: if something is of another type.
        ValueError: if the tokenizer has no motion tokens, or an option is out of range.
    """

    tokenizer: PreTrainedTokenizerBase

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        stats: MotionStats | Mapping[str, Any] | None = None,
        templates: Mapping[str, Any] | None = None,
        max_length: int = MAX_LENGTH,
        chat_template: str | None = None,
    ) -> None:
        if chat_template is None and templates and "text-to-motion" in templates:
            own = _as_template("text-to-motion", templates["text-to-motion"]).input
            if needs(own) == {"caption"}:
                tokenizer.chat_template = asking(own)
        super().__init__(tokenizer, chat_template=chat_template or tokenizer.chat_template)
        if isinstance(max_length, bool) or not isinstance(max_length, int) or max_length < 1:
            raise ValueError(f"Expected max_length as a number of tokens, at least 1, got {max_length!r}.")
        self.max_length = max_length
        self.stats = MotionStats(stats["mean"], stats["std"]) if isinstance(stats, Mapping) else stats
        if self.stats is not None and not isinstance(self.stats, MotionStats):
            raise TypeError(f"Expected stats as MotionStats or None, got {type(stats).__name__}.")
        self.templates = TASKS | {name: _as_template(name, pair) for name, pair in (templates or {}).items()}
        self.num_codes = len(motion_ids(tokenizer)) - 3
        named = (re.sub("[0-9]+", "0", token) for token in tokenizer.get_added_vocab())
        self._structure = (*STRUCTURE, *sorted({token for token in named if re.fullmatch(r"<[^<>(){}\[\]]+>", token)}))
        if tokenizer.tokenize("a <motion_id_0>")[-2:] != ["▁", "<motion_id_0>"]:
            _log.warning(
                "This tokenizer drops the blank before a motion token, so that prompts with motions get other ids "
                "than MotionGPT was trained on; load it with load_motion_tokenizer. Text-to-motion is not affected."
            )

    def __call__(
        self,
        text: str | Sequence[str] | None = None,
        motion: Any = None,
        features: Any = None,
        task: str | None = None,
        padding: bool | str = True,
        padding_side: str | None = None,
        return_tensors: str | None = "pt",
        rng: random.Random | None = None,
    ) -> BatchFeature:
        """Model inputs for captions, motions or features.

        Args:
            text (`str` or `Sequence[str]`, *optional*): captions, such as `"a person jumps twice"`.
            motion (*optional*): codes `[n]` of a motion, a [`Motion`] that has codes, or a list of these; 4 frames a
                code.
            features (*optional*): features `[T, 263]` of a motion in metres and radians, a [`Motion`], or a list of
                these; they are normalised.
            task (`str`, *optional*): a name of `templates`; by default `"text-to-motion"` with text, otherwise
                `"motion-to-text"`.
            padding (`bool` or `str`, *optional*, defaults to `True`): pad to the longest, or `False`.
            padding_side (`str`, *optional*): `"left"` or `"right"`; the tokenizer's by default. Labels are always
                padded on the right.
            return_tensors (`str`, *optional*, defaults to `"pt"`): `"pt"`, `"np"`, or `None` for lists.
            rng (`random.Random`, *optional*): quotes captions with probability 0.5, as in MotionGPT's training.

        Returns:
            `BatchFeature`: with text or motion `input_ids` and `attention_mask` `[B, L]`, and, where the task's answer
            is given too, `labels` `[B, M]` (-100 behind the end). With features `features` `[B, T, 263]`, unitless,
            zeros behind the end, and `lengths` `[B]` in frames.

        Raises:
            TypeError: if something is of another type.
            ValueError: if a prompt is empty or longer than `max_length`, numbers of texts and motions differ, a
                motion has no codes, or statistics are missing.
        """
        if padding not in (True, False, "longest"):
            raise ValueError(f"Prompts are padded to the longest (True) or not at all (False), got {padding!r}.")
        data: dict[str, Any] = {}
        if text is not None or motion is not None:
            task = task or ("motion-to-text" if text is None else "text-to-motion")
            asked, answered = self._rows(text, motion, task, rng)
            side = padding_side or self.tokenizer.padding_side
            data["input_ids"] = pad(asked, self.tokenizer.pad_token_id, side) if padding else asked
            masks = [[1] * len(row) for row in asked]
            data["attention_mask"] = pad(masks, 0, side) if padding else masks
            if answered:
                data["labels"] = pad(answered, _IGNORED, "right") if padding else answered
        elif features is None:
            raise ValueError("Expected text, motion or features, got none of them.")
        if features is not None:
            if self.stats is None:
                raise ValueError(
                    "Expected a processor with statistics to normalise features, but it has none; give "
                    "MotionGPTProcessor(tokenizer, stats=MotionStats.load(folder)), or model.vqvae.stats."
                )
            data |= normalized(features, self.stats)._asdict()
        return BatchFeature(data, tensor_type=return_tensors)

    def prompt_ids(self, text: str) -> list[int]:
        """Ids of one text-to-motion prompt, `</s>` included.

        Args:
            text (`str`): what the person does.

        Returns:
            `list[int]`: ids.

        Raises:
            TypeError: if the text is no string.
            ValueError: if it is empty or longer than `max_length`.
        """
        return self._rows([text], None, "text-to-motion", None)[0][0]

    def task_ids(
        self, task: str, codes: Any = None, caption: str | None = None, frames: int | None = None
    ) -> list[int]:
        """Ids of one prompt, `</s>` included, for what is given as it is.

        Args:
            task (`str`): a name of `templates`.
            codes (*optional*): `[n]` integers: the motion, for `"prediction"` its beginning, for `"inbetween"` with
                -1 where it is to be filled.
            caption (`str`, *optional*): what the person does.
            frames (`int`, *optional*): length at 20 fps; 4 for each code by default.

        Returns:
            `list[int]`: ids.

        Raises:
            TypeError: if something is of another type.
            ValueError: if the task is unknown, needs something else, or the prompt is empty or too long.
        """
        plain = None if caption is None else self._plain([caption])[0]
        codes = None if codes is None else codes_of(codes)
        template = self._template(task).input
        return self._encode([fill(template, plain, codes, frames, num_codes=self.num_codes, cut=False)])[0]

    def motion_ids(self, codes: Any) -> list[int]:
        """Ids of a motion as the model answers with it, `</s>` included: labels.

        Args:
            codes (`Sequence[int]` or [`Motion`]): `[n]` codes, 4 frames each, or a motion that has them.

        Returns:
            `list[int]`: ids.

        Raises:
            ValueError: if a code lies outside of the codebook.
        """
        ids: list[int] = self.tokenizer(codes_to_text(codes_of(codes), self.num_codes)).input_ids
        return ids

    def text_ids(self, caption: str) -> list[int]:
        """Ids of a caption as the model answers with it, `</s>` included: labels.

        Args:
            caption (`str`): what the person does.

        Returns:
            `list[int]`: ids.

        Raises:
            TypeError: if the caption is no string.
            ValueError: if it is empty or longer than `max_length`.
        """
        return self._encode(self._plain([caption]))[0]

    def prompt_text(self, prompt: str) -> str:
        """What the model reads for one text-to-motion prompt, without `</s>`.

        Args:
            prompt (`str`): what the person does; neutralised.

        Returns:
            `str`: such as `"Generate motion: a man waves"`.

        Raises:
            TypeError: if the prompt is no string.
            ValueError: if it is empty or too long.
        """
        return self._asked(self._plain([prompt])[0])

    def _asked(self, plain: str) -> str:
        asked = fill(self._template("text-to-motion").input, plain, num_codes=self.num_codes)
        self._encode([asked])
        return asked

    def as_messages(self, prompt: str, codes: Any = None, **answers: Any) -> dict[str, list[dict[str, str]]]:
        """A row for TRL's trainers, in the conversational form that puts `</s>` between prompt and motion.

        Args:
            prompt (`str`): what the person does.
            codes (*optional*): codes `[n]` of the motion that is learnt, or a [`Motion`] that has them.
            **answers (*optional*): codes of motions under other names, such as `chosen=…, rejected=…`.

        Returns:
            `dict[str, list[dict[str, str]]]`: `prompt`, with codes `completion`, and what else was named.

        Raises:
            TypeError: if the prompt is no string.
            ValueError: if it is empty or too long, or a code lies outside of the codebook.
        """
        motions = answers if codes is None else {"completion": codes, **answers}
        answered = self._template("text-to-motion").output
        plain = self._plain([prompt])[0]
        self._asked(plain)
        row = {"prompt": [{"role": "user", "content": plain}]}  # the chat template asks in the template's words
        for name, motion in motions.items():
            answer = fill(answered, codes=codes_of(motion), num_codes=self.num_codes)
            row[name] = [{"role": "assistant", "content": answer}]
        return row

    def apply_chat_template(self, conversation: Any, chat_template: str | None = None, **kwargs: Any) -> Any:
        """The tokenizer's `apply_chat_template`, for rows of `as_messages`.

        Args:
            conversation (`list[dict]`): messages, such as `row["prompt"] + row["completion"]`, or a list of these.
            chat_template (`str`, *optional*): another template.
            **kwargs (*optional*): for the tokenizer; `tokenize` is `False` here by default.

        Returns:
            `str`, or what the tokenizer returns with `tokenize=True`.
        """
        kwargs = {"tokenize": False} | kwargs
        return self.tokenizer.apply_chat_template(
            conversation, chat_template=chat_template or self.chat_template, **kwargs
        )

    def decode_codes(self, ids: Any, clamp: bool = True) -> ParsedCodes:
        """The first motion in what a model wrote; never raises on a model's output.

        Args:
            ids (`Sequence[int]` or array): `[L]` ids of one text; padding, `</s>` and -100 are passed over.
            clamp (`bool`, *optional*, defaults to `True`): bring codes into the codebook; see `text_to_codes`.

        Returns:
            [`ParsedCodes`]: codes `[n]`, whether the motion was complete, what was malformed, and the text around.

        Raises:
            ValueError: if the ids are those of several texts.
        """
        row = as_numpy(ids)
        if row.ndim != 1:
            raise ValueError(
                f"Expected ids of one text, [L], got shape {list(row.shape)}; call decode_codes(row) for each row."
            )
        skipped = {self.tokenizer.pad_token_id, self.tokenizer.eos_token_id, _IGNORED}
        kept = [int(i) for i in row if i >= 0 and int(i) not in skipped]
        return text_to_codes(self.tokenizer.decode(kept), num_codes=self.num_codes, clamp=clamp)

    def to_dict(self) -> dict[str, Any]:
        """Options and statistics, as they are saved in `processor_config.json`.

        Returns:
            `dict[str, Any]`: plain values.
        """
        stats = None if self.stats is None else {"mean": self.stats.mean.tolist(), "std": self.stats.std.tolist()}
        templates = {name: template._asdict() for name, template in self.templates.items()}
        return super().to_dict() | {"stats": stats, "templates": templates}

    @classmethod
    def _load_tokenizer_from_pretrained(
        cls, sub_processor_type: str, pretrained_model_name_or_path: Any, subfolder: str = "", **kwargs: Any
    ) -> PreTrainedTokenizerFast:
        """As `tokenizer.json` says; `AutoTokenizer` may build another one (see `load_motion_tokenizer`)."""
        kwargs = {name: value for name, value in kwargs.items() if name not in _OPTIONS}
        return PreTrainedTokenizerFast.from_pretrained(pretrained_model_name_or_path, subfolder=subfolder, **kwargs)

    def _template(self, task: str) -> Template:
        if task not in self.templates:
            raise ValueError(f"Expected one of the tasks {', '.join(self.templates)}, got {task!r}.")
        return self.templates[task]

    def _rows(
        self, text: Any, motion: Any, task: str, rng: random.Random | None
    ) -> tuple[list[list[int]], list[list[int]]]:
        """Ids of prompts, and of the answers if what is given makes them."""
        texts: list[Any] = [] if text is None else self._plain(_as_texts(text))
        motions: list[Any] = [] if motion is None else [codes_of(codes) for codes in as_list(motion)]
        if text is not None and motion is not None and len(texts) != len(motions):
            raise ValueError(f"Expected a motion for each text, got {len(texts)} texts and {len(motions)} motions.")
        if not texts and not motions:
            raise ValueError("Expected at least one prompt, got an empty list.")
        texts, motions = texts or [None] * len(motions), motions or [None] * len(texts)
        template = self._template(task)
        given = {"caption": texts[0], "codes": motions[0], "frames": motions[0]}
        answered = all(given[name] is not None for name in needs(template.output))
        asked, answers = [], []
        for caption, codes in zip(texts, motions, strict=True):
            asked.append(fill(template.input, caption, codes, rng=rng, num_codes=self.num_codes))
            if answered:
                answers.append(fill(template.output, caption, codes, rng=rng, num_codes=self.num_codes))
        return self._encode(asked), self.tokenizer(answers).input_ids if answered else []

    def _plain(self, texts: Sequence[str]) -> list[str]:
        """Captions without structure; what was found is reported, once a call."""
        for text in texts:
            check_prompt(text)
        plain = [neutralize(text, self._structure) for text in texts]
        found = list(dict.fromkeys(piece for one in plain for piece in one.found))
        if found:
            more = f" and {len(found) - 5} more" if len(found) > 5 else ""
            _log.warning(
                "Text never becomes structure: %s%s in %d of %d prompts now stand in parentheses, as words.",
                ", ".join(map(repr, found[:5])), more, sum(bool(one.found) for one in plain), len(plain),
            )  # fmt: skip
        return [one.text for one in plain]

    def _encode(self, prompts: list[str]) -> list[list[int]]:
        rows: list[list[int]] = self.tokenizer(prompts).input_ids
        for prompt, row in zip(prompts, rows, strict=True):
            if len(row) > self.max_length:
                raise ValueError(
                    f"The prompt {prompt[:60]!r}… has {len(row)} tokens, more than the {self.max_length} that this "
                    "model takes. Shorten it, or set processor.max_length if the model was trained on longer ones."
                )
        return rows


def _as_texts(text: Any) -> list[Any]:
    return list(text) if isinstance(text, Iterable) and not isinstance(text, str) else [text]


def _as_template(name: str, pair: Any) -> Template:
    if isinstance(pair, Mapping):
        pair = (pair.get("input"), pair.get("output"))
    if not isinstance(pair, list | tuple) or len(pair) != 2 or not all(isinstance(text, str) for text in pair):
        raise TypeError(f"Expected Template(input, output) for the task {name!r}, two strings, got {pair!r}.")
    return Template(*pair)
