"""MotionPrefer as a builder of `datasets`: from raw annotations, InstructMotion's labels or AToM's archives to rows.

builder = MotionPrefer("temporal", data_dir="annotations", min_gap=1.0)
builder.download_and_prepare()
train = builder.as_dataset("train")                 # or builder.as_streaming_dataset("train"), without preparing
"""

import hashlib
import json
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets import (
    BuilderConfig,
    DatasetInfo,
    Features,
    GeneratorBasedBuilder,
    SplitGenerator,
    Version,
)

from ..motion.codes import NUM_CODES
from .build import SOURCES, rows_of_shard, shards_of
from .citation import CITATION
from .pairs import PairRule
from .parts import parts_of_config
from .schema import CONFIGS, features

_VERSION = Version("1.0.0")
_WHAT_TO_GIVE = (
    "Pass data_dir: a folder of raw annotations (prompts/*.jsonl and candidates/*.jsonl, with verdicts/ or votes/), "
    "of InstructMotion (preference_labels.jsonl with its tokens/), or of AToM (folders with such files). Parquet that "
    "is built already needs no builder: datasets.load_dataset(folder)."
)


@dataclass(eq=False)
class MotionPreferConfig(BuilderConfig):
    """Options of [`MotionPrefer`]; name and folder are those of `datasets.BuilderConfig`.

    Args:
        min_gap (`float`, *optional*, defaults to 0.5): see [`PairRule`].
        min_score (`float`, *optional*, defaults to 3.0): see [`PairRule`].
        max_pairs (`int`, *optional*, defaults to 4): see [`PairRule`].
        test_share (`float`, *optional*, defaults to 0.1): share of the prompts that are held out, where the labels do
            not say which.
        split_seed (`int`, *optional*, defaults to 0): another one holds out others.
        num_codes (`int`, *optional*, defaults to 512): size of the codebook.
        source (`str`, *optional*): `"annotations"`, `"instructmotion"` or `"atom"`; found out by default.
        import_options (`dict`, *optional*): for `read_instructmotion` or `read_atom`, such as `{"on_fault": "skip"}`.
    """

    min_gap: float = 0.5
    min_score: float = 3.0
    max_pairs: int = 4
    test_share: float = 0.1
    split_seed: int = 0
    num_codes: int = NUM_CODES
    source: str | None = None
    import_options: dict[str, Any] | None = None

    @property
    def rule(self) -> PairRule:
        """Which two motions make a pair."""
        return PairRule(self.min_gap, self.min_score, self.max_pairs)

    @property
    def options(self) -> dict[str, Any]:
        """What `rows_of` takes besides folder and rule."""
        names = ("source", "test_share", "split_seed", "num_codes", "import_options")
        return {name: getattr(self, name) for name in names}

    def create_config_id(self, config_kwargs: dict[str, Any], custom_features: Features | None = None) -> str:
        """The name of the cache: another one for other options, other files, or another version of this code.

        Args:
            config_kwargs (`dict`): what was set; the values themselves count, wherever they come from.
            custom_features (`Features`, *optional*): of the caller.

        Returns:
            `str`: such as `"temporal-0f3a…"`.

        Raises:
            ValueError: if an option is out of range.
        """
        if not 0 <= self.test_share <= 1:
            raise ValueError(f"test_share is a share of the prompts, from 0 to 1, got {self.test_share}.")
        if self.source not in (None, *SOURCES):
            raise ValueError(f"source is one of {', '.join(SOURCES)}, or None to find out, got {self.source!r}.")
        rule = vars(self.rule)  # it checks its numbers
        if not self.data_dir:
            return str(self.name)
        folder = Path(self.data_dir).resolve()
        facts = [str(folder), rule, self.options, _state_of(folder), _state_of_code(), str(custom_features or "")]
        return f"{self.name}-{hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]}"


class MotionPrefer(GeneratorBasedBuilder):
    """Builds MotionPrefer from labels in a folder, with the rows that `write_motionprefer(rows_of(folder))` writes.

    Overridden hooks of `GeneratorBasedBuilder`: `_info`, `_split_generators`, `_generate_examples`.

    Args:
        config_name (`str`, *optional*, defaults to `"all"`): integrity, temporal, frequency, human or all.
        data_dir (`str` or `Path`, *optional*): the labels: raw annotations, or the files of InstructMotion or AToM.
        **options (*optional*): of [`MotionPreferConfig`], and of `datasets.DatasetBuilder`, such as `cache_dir`.

    Raises:
        ValueError: if an option is unknown or out of range.
    """

    BUILDER_CONFIG_CLASS = MotionPreferConfig
    BUILDER_CONFIGS = [MotionPreferConfig(name=name, version=_VERSION) for name in CONFIGS]  # noqa: RUF012 - as upstream
    DEFAULT_CONFIG_NAME = "all"

    def __init__(
        self, config_name: str | None = None, *, data_dir: str | os.PathLike[str] | None = None, **options: Any
    ) -> None:
        if options.get("data_files") is not None:
            raise ValueError(f"MotionPrefer takes a folder, not data_files. {_WHAT_TO_GIVE}")
        options.setdefault("dataset_name", "motion_prefer")
        data_dir = None if data_dir is None else os.fspath(data_dir)
        super().__init__(config_name=config_name, data_dir=data_dir, **options)

    def _info(self) -> DatasetInfo:
        return DatasetInfo(
            description="Two motions for a prompt, and which of them is the better one.",
            features=features(),
            citation=CITATION,
        )

    def _split_generators(self, dl_manager: Any) -> list[SplitGenerator]:
        if not self.config.data_dir:
            raise FileNotFoundError(
                f"MotionPrefer is built from labels in a folder, and none was given. {_WHAT_TO_GIVE}"
            )
        folder = Path(self.config.data_dir)
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder}: expected a folder of labels, but there is none. {_WHAT_TO_GIVE}")
        parts = parts_of_config(self.config.name)
        shards = shards_of(folder, self.config.rule, parts=parts, **self.config.options)
        if not shards:
            raise ValueError(
                f"{folder}: expected at least one pair for the configuration {self.config.name!r}, but there is none. "
                f"Its scores may be missing or alike; try another configuration ({', '.join(CONFIGS)}) or a smaller "
                f"min_gap ({self.config.min_gap:g}) or min_score ({self.config.min_score:g})."
            )
        return [SplitGenerator(name=split, gen_kwargs={"shards": of, "split": split}) for split, of in shards.items()]

    def _generate_examples(
        self, shards: list[tuple[str, str | None]], split: str
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        for shard in shards:
            options = {**self.config.options, "splits": (split,)}
            for _, row in rows_of_shard(self.config.data_dir, self.config.rule, shard, **options):
                yield row["id"], row | {name: _as_stored(row[name]) for name in ("chosen_score", "rejected_score")}


def _as_stored(score: float | None) -> float | None:
    """A score in single precision, so that streams, which nothing converts, give what files give."""
    return None if score is None else struct.unpack("f", struct.pack("f", score))[0]


def _state_of(folder: Path) -> str:
    """Names, sizes and times of all files: another text as soon as one of them is changed, added or removed."""
    digest = hashlib.sha256()
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(root, name)
            try:
                state = path.stat()
            except OSError:  # gone, or a link to nothing
                continue
            entry = (path.relative_to(folder).as_posix(), state.st_size, state.st_mtime_ns)
            digest.update(repr(entry).encode(errors="surrogatepass"))
    return digest.hexdigest()


def _state_of_code() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
