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
from .faults import fault_of
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
        left_out (`dict[str, list[int]]`): system to how many of the motions made anew were none, for each
            replication.
    """

    protocol: ProtocolResult
    kernel: dict[str, KernelDistance]
    spread: dict[str, PrecisionRecall]
    warnings: list[str]
    left_out: dict[str, list[int]]


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
        ValueError: if a system has fewer than 32 clips, in a replication too, embeddings are not finite, or a motion
            cannot be embedded; names the system, the clip, and the seed where motions are made anew.
    """
    check_clips([real, *systems])
    several = min((system.samples for system in systems if system.samples > 1), default=0)
    found: dict[str, Embeddings] = {}
    for system in (real, *systems):
        found[system.name] = _embedded(system, embedder, 0 if system is real else several)
        tick(system.name)
    seeds = range(seed, seed + replications)
    again = [system for system in systems if system.generate is not None and regenerate]
    anew = {system.name: {s: _made_anew(system, embedder, found[system.name], s) for s in seeds} for system in again}
    sizes = [each.motion.shape[0] for each in (*found.values(), *(e for made in anew.values() for e in made.values()))]
    sampled = [each.samples.shape[0] for each in found.values() if each.samples is not None]
    usual = Protocol.published()
    protocol = Protocol(
        replications=replications,
        diversity_times=min(usual.diversity_times, *sizes),
        mm_texts=min([usual.mm_texts, *sampled]),
        mm_samples=min(usual.mm_samples, several) or usual.mm_samples,
        mm_pairs=min(usual.mm_pairs, several) or usual.mm_pairs,
        batch_free=batch_free,
        embedding=getattr(embedder, "embedding_protocol", usual.embedding),
    )
    given: dict[str, Any] = {system.name: found[system.name] for system in systems}
    given |= {system.name: Regenerated(anew[system.name].__getitem__, system.fingerprint) for system in again}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = evaluate_protocol(
            found[real.name], given, protocol, evaluator=embedder, data=_data_name(real), seed=seed
        )
        kernel, spread = _distances(found, real, systems, seed)
    said = list(dict.fromkeys(str(warning.message) for warning in caught))
    left_out = {
        name: [len(found[name].motion) - len(each.motion) for each in made.values()] for name, made in anew.items()
    }
    said += [
        f"{name}: of {len(found[name].motion)} motions made anew in each replication, {', '.join(map(str, counts))} "
        "were none, and are in no measure."
        for name, counts in left_out.items()
        if any(counts)
    ]
    return EmbeddingMeasures(result, kernel, spread, said, left_out)


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
    motion = _embed(embedder, firsts, system.name)
    texts = [clip.case.text if clip.case.text is not None else clip.prompt for clip in firsts]
    text = _numpy(embedder.embed_text(texts))
    samples = None
    if system.samples > 1 and several > 1:
        whole = _whole(system.clips, several)
        if whole:
            flat = _embed(embedder, [clip for group in whole for clip in group], system.name)
            samples = flat.reshape(len(whole), several, -1)
    return Embeddings(motion, text, [clip.case.id for clip in firsts], samples)


def _whole(clips: Sequence[SystemClip], several: int) -> list[list[SystemClip]]:
    """Cases with so many motions."""
    groups: dict[str, list[SystemClip]] = {}
    for clip in clips:
        groups.setdefault(clip.case.id, []).append(clip)
    return [group[:several] for group in groups.values() if len(group) >= several]


def _made_anew(system: System, embedder: Embedder, found: Embeddings, seed: int) -> Embeddings:
    """One replication's motions; what is none is left out, as it is where systems are sampled."""
    firsts, where = system.firsts, f"{system.name}, made anew with seed {seed}"
    assert system.generate is not None and found.text is not None
    made = list(system.generate(seed))
    if len(made) != len(firsts):
        raise ValueError(f"{where}: expected {len(firsts)} motions, one a case, got {len(made)}.")
    faults = {clip.case.id: fault for clip, motion in zip(firsts, made, strict=True) if (fault := fault_of(motion))}
    kept = [i for i, clip in enumerate(firsts) if clip.case.id not in faults]
    if len(kept) < LEAST_CLIPS:
        name, fault = next(iter(faults.items()))
        raise ValueError(
            f"{where}: an evaluator's measures need at least {LEAST_CLIPS} clips, got {len(kept)} of {len(firsts)}; "
            f"the first of the others is {name!r}, {fault.cause}: {fault.reason}"
        )
    clips = [SystemClip(firsts[i].case, motion) for i in kept if (motion := made[i]) is not None]
    ids = [clip.case.id for clip in clips]
    return Embeddings(_embed(embedder, clips, where), found.text[kept], ids, found.samples)


def _embed(embedder: Embedder, clips: Sequence[SystemClip], where: str) -> np.ndarray:
    """Embeddings of motions; the one that cannot be embedded is named."""
    try:
        return _numpy(embedder.embed_motion([clip.motion for clip in clips]))
    except ValueError as error:
        for clip in clips:
            try:
                embedder.embed_motion([clip.motion])
            except ValueError as fault:
                raise ValueError(f"{where}: {clip.case.id!r} cannot be embedded. {fault}") from error
        raise ValueError(f"{where}: {error}") from error


def _data_name(real: System) -> str:
    """Never that of the published test set: its captions and crops are drawn anew there, and here they are not."""
    return f"{real.made_with.get('what', real.name)} ({len(real.firsts)} clips)"


def _numpy(array: Any) -> np.ndarray:
    return array.detach().cpu().numpy() if is_torch_array(array) else np.asarray(array)
