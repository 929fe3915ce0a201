"""How an evaluation is done, as data: the published protocol, the one without batches, or your own.

Protocol.published()  →  Protocol(batch_size=32, replications=20, diversity_times=300, …)
"""

import dataclasses
from typing import NamedTuple

from .diversity import DIVERSITY_TIMES, PAIRS
from .published import EMBEDDING
from .retrieval import BATCH_SIZE


class Evaluator(NamedTuple):
    """Which evaluator made embeddings that are handed in.

    Args:
        name (`str`): "t2m" for that of HumanML3D's authors; any other name makes numbers that are not comparable.
        fingerprint (`str`, *optional*): hash of its weights, such as `fingerprint_files` makes.
    """

    name: str
    fingerprint: str = ""


@dataclasses.dataclass(frozen=True)
class Protocol:
    """How numbers are made. The defaults are the published ones.

    Args:
        batch_size (`int`, *optional*, defaults to 32): motions that a text chooses from.
        replications (`int`, *optional*, defaults to 20): repetitions that means and intervals are made of.
        diversity_times (`int`, *optional*, defaults to 300): pairs for Diversity.
        mm_texts (`int`, *optional*, defaults to 100): texts for MModality.
        mm_samples (`int`, *optional*, defaults to 30): motions for each of these texts.
        mm_pairs (`int`, *optional*, defaults to 10): pairs of these motions.
        batch_free (`bool`, *optional*, defaults to `False`): R-precision as its expectation over all batches, and
            MM-Dist over all clips, instead of shuffled batches, the last incomplete one dropped.
        embedding (`str`, *optional*, defaults to `"padded"`): how clips of different lengths were embedded: `"padded"`
            as in MotionGPT's code, with which the published numbers were made, or `"packed"` as in text-to-motion.

    Raises:
        ValueError: if a number is not positive, or more pairs than samples are drawn.
    """

    batch_size: int = BATCH_SIZE
    replications: int = 20
    diversity_times: int = DIVERSITY_TIMES
    mm_texts: int = 100
    mm_samples: int = 30
    mm_pairs: int = PAIRS
    batch_free: bool = False
    embedding: str = EMBEDDING

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            least = 3 if field.name == "batch_size" else 1
            if field.type is int and (not isinstance(value, int) or value < least):
                raise ValueError(f"Expected {field.name} of at least {least}, got {value!r}.")
        if self.mm_pairs > self.mm_samples:
            raise ValueError(f"Expected mm_pairs of at most mm_samples, {self.mm_samples}, got {self.mm_pairs}.")

    @classmethod
    def published(cls) -> "Protocol":
        """The protocol of the published numbers: shuffled batches of 32, 20 replications.

        Returns:
            [`Protocol`]: all defaults.
        """
        return cls()

    @classmethod
    def without_batches(cls) -> "Protocol":
        """The same without the noise of batches: R-precision as its expectation, no clip dropped.

        Returns:
            [`Protocol`]: with `batch_free`.
        """
        return cls(batch_free=True)
