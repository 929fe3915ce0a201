"""Systems in the space of an evaluator, and the measures there: the protocol, KID, precision and recall.

measures = measure_embeddings(real, systems, embedder, replications=20)
measures.protocol.row("hot").metrics["FID"].mean
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import is_torch_array

from ..distances import KernelDistance, PrecisionRecall, kernel_distance, precision_recall
from ..embeddings import Embedder, Embeddings
from ..protocol import evaluate_protocol
from ..protocol_result import ProtocolResult
from ..protocol_settings import Protocol
from ..retrieval import BATCH_SIZE
from ..test_set import Regenerated
from .systems import System, SystemClip

LEAST_CLIPS = BATCH_SIZE
_KERNEL_LEAST, _NEIGHBOURS = 4, 3


class EmbeddingMeasures(NamedTuple):
    """What an evaluator says of several systems.

    Args:
        protocol ([`ProtocolResult`]): its first row is the real motion.
        kernel (`dict[str, KernelDistance]`): system to KID.
        spread (`dict[str, PrecisionRecall]`): system to precision and recall.
        warnings (`list[str]`): what the measures warned of.
    """

    protocol: ProtocolResult
    kernel: dict[str, KernelDistance]
    spread: dict[str, PrecisionRecall]
    warnings: list[str]


def check_clips(systems: Sequence[System]) -> None:
    """Raise unless each system has enough motions for R-precision.

    Args:
        systems (`Sequence[System]`): with the real motion.

    Raises:
        ValueError: if one has fewer than 32 cases; it is named.
    """
    for system in systems:
        if len(system.firsts) < LEAST_CLIPS:
            raise ValueError(
                f"{system.name}: an evaluator's measures need at least {LEAST_CLIPS} clips (a text chooses from that "
                f"many), got {len(system.firsts)}. Give more, or leave these measures out with --evaluator none."
            )


def measure_embeddings(
    real: System,
    systems: Sequence[System],
    embedder: Embedder,
    *,
    replications: int = 20,
    batch_free: bool = False,
    regenerate: bool = False,
    seed: int = 0,
    tick: Callable[[str], None] = lambda name: None,
) -> EmbeddingMeasures:
    """Embed systems and measure them.

    Diversity and MModality draw as many pairs as the protocol says, or as there are: of fewer than 300 clips, 100
    texts or 30 motions a text all are drawn, the same number for every system.

    Args:
        real ([`System`]): real motion.
        systems (`Sequence[System]`): those to measure.
        embedder ([`Embedder`]): the evaluator.
        replications (`int`, *optional*, defaults to 20): of the protocol.
        batch_free (`bool`, *optional*, defaults to `False`): R-precision without the noise of batches.
        regenerate (`bool`, *optional*, defaults to `False`): make motions anew in each replication, where a system
            can, so that intervals hold the noise of sampling.
        seed (`int`, *optional*, defaults to 0): of the first replication.
        tick (`Callable[[str], None]`, *optional*): called with a system's name when it is embedded.

    Returns:
        [`EmbeddingMeasures`]: protocol, KID, precision and recall.

    Raises:
        ValueError: if a system has fewer than 32 clips, or embeddings are not finite.
    """
    check_clips([real, *systems])
    several = min((system.samples for system in systems if system.samples > 1), default=0)
    found: dict[str, Embeddings] = {}
    for system in (real, *systems):
        found[system.name] = _embedded(system, embedder, 0 if system is real else several)
        tick(system.name)
    sampled = [each.samples.shape[0] for each in found.values() if each.samples is not None]
    usual = Protocol.published()
    protocol = Protocol(
        replications=replications,
        diversity_times=min(usual.diversity_times, *(each.motion.shape[0] for each in found.values())),
        mm_texts=min([usual.mm_texts, *sampled]),
        mm_samples=min(usual.mm_samples, several) or usual.mm_samples,
        mm_pairs=min(usual.mm_pairs, several) or usual.mm_pairs,
        batch_free=batch_free,
        embedding=getattr(embedder, "embedding_protocol", usual.embedding),
    )
    given: dict[str, Any] = {system.name: found[system.name] for system in systems}
    if regenerate:
        anew = [system for system in systems if system.generate is not None]
        given |= {system.name: _regenerated(system, embedder, found[system.name]) for system in anew}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = evaluate_protocol(
            found[real.name], given, protocol, evaluator=embedder, data=_data_name(real), seed=seed
        )
        kernel, spread = _distances(found, real, systems, seed)
    said = list(dict.fromkeys(str(warning.message) for warning in caught))
    return EmbeddingMeasures(result, kernel, spread, said)


def _distances(
    found: Mapping[str, Embeddings], real: System, systems: Sequence[System], seed: int
) -> tuple[dict[str, KernelDistance], dict[str, PrecisionRecall]]:
    reference = found[real.name].motion
    kernel, spread = {}, {}
    for system in systems:
        motion = found[system.name].motion
        if min(len(motion), len(reference)) > max(_KERNEL_LEAST, _NEIGHBOURS):
            kernel[system.name] = kernel_distance(reference, motion, seed=seed)
            spread[system.name] = precision_recall(reference, motion, _NEIGHBOURS)
    return kernel, spread


def _embedded(system: System, embedder: Embedder, several: int) -> Embeddings:
    firsts = system.firsts
    motion = _numpy(embedder.embed_motion([clip.motion for clip in firsts]))
    texts = [clip.case.text if clip.case.text is not None else clip.prompt for clip in firsts]
    text = _numpy(embedder.embed_text(texts))
    samples = None
    if system.samples > 1 and several > 1:
        whole = _whole(system.clips, several)
        if whole:
            flat = _numpy(embedder.embed_motion([clip.motion for group in whole for clip in group]))
            samples = flat.reshape(len(whole), several, -1)
    return Embeddings(motion, text, [clip.case.id for clip in firsts], samples)


def _whole(clips: Sequence[SystemClip], several: int) -> list[list[SystemClip]]:
    """Cases with so many motions."""
    groups: dict[str, list[SystemClip]] = {}
    for clip in clips:
        groups.setdefault(clip.case.id, []).append(clip)
    return [group[:several] for group in groups.values() if len(group) >= several]


def _regenerated(system: System, embedder: Embedder, found: Embeddings) -> Regenerated:
    generate = system.generate
    assert generate is not None

    def embed(seed: int) -> Embeddings:
        return Embeddings(_numpy(embedder.embed_motion(generate(seed))), found.text, found.ids, found.samples)

    return Regenerated(embed, system.fingerprint)


def _data_name(real: System) -> str:
    """Never that of the published test set: its captions and crops are drawn anew there, and here they are not."""
    return f"{real.made_with.get('what', real.name)} ({len(real.firsts)} clips)"


def _numpy(array: Any) -> np.ndarray:
    return array.detach().cpu().numpy() if is_torch_array(array) else np.asarray(array)
