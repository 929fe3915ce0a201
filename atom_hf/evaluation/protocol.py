"""The evaluation of text-to-motion systems as the field publishes it: replications, intervals, and real motions first.

result = evaluate_protocol(real, {"ours": embeddings}, Protocol.published(), evaluator=embedder)
result.rows[0].metrics["R@1"].mean  →  0.494
print(result.to_markdown())
"""

import dataclasses
import typing
import warnings
from collections.abc import Callable, Mapping
from numbers import Integral
from pathlib import Path
from typing import Any

from .embeddings import Clips, Embedder, Embeddings
from .protocol_result import MetricSummary, ProtocolResult, ProtocolRow
from .protocol_settings import Evaluator, Protocol
from .published import DATA, EVALUATOR, METRICS, real_row_drift
from .replication import Reference, replicate
from .replication_folder import Replication, ReplicationFolder
from .test_set import NonFinite, Regenerated, TestSet

REAL_ROW = "real motion"
_FORMAT = 1  # of the stored replications
_REFERENCE_SEED = 1_000_000  # beyond the seeds of all replications: real motions that FID compares with, if drawn
_LEAST = 20  # replications that a comparable number has

Given = Embeddings | Clips | Regenerated | Callable[[int], Embeddings | Clips]


def evaluate_protocol(
    real: Given,
    systems: Mapping[str, Given],
    protocol: Protocol | None = None,
    *,
    evaluator: Embedder | Evaluator,
    data: str = "unnamed",
    seed: int = 0,
    folder: str | Path | None = None,
    shard: tuple[int, int] = (0, 1),
    non_finite: NonFinite = "error",
) -> ProtocolResult:
    """Evaluate systems with R-precision, MM-Dist, FID, Diversity and MModality, over replications.

    Replication `i` uses the seed `seed + i` for shuffling, for draws, and for what is regenerated, the same for every
    row, whatever other rows there are. Metrics are unitless; see their functions for what they mean and how they
    mislead. FID, Diversity and batch-free numbers count all clips. What no seed can change is computed once.

    On several processes: each calls this with `shard=(rank, processes)` and the same folder, and after waiting for
    each other (`accelerate`: `state.wait_for_everyone()`) any of them calls it without `shard`, or `read_protocol`.

    Args:
        real (`Embeddings | Clips | Regenerated`): real motions with their texts; the first row, and what FID compares
            with. A function of a seed where crops or captions are drawn anew, as the original code does; then FID
            compares with one draw of its own.
        systems (`Mapping[str, Embeddings | Clips | Regenerated]`): name to generated motions; without texts of their
            own they belong to those of the real ones, by id or else by position. A function of a seed generates anew.
        protocol ([`Protocol`], *optional*): the published one by default.
        evaluator (`Embedder | Evaluator`): what embeds clips, or the name and fingerprint of what embedded them.
        data (`str`, *optional*, defaults to `"unnamed"`): name of the test set; `"humanml3d-test"` for that of
            published numbers.
        seed (`int`, *optional*, defaults to 0): of the first replication; not negative.
        folder (`str` or `Path`, *optional*): where replications are stored; those that are there are not computed
            again.
        shard (`tuple[int, int]`, *optional*, defaults to `(0, 1)`): rank and number of processes; replications whose
            number modulo processes is the rank are computed here.
        non_finite (`str`, *optional*, defaults to `"error"`): what to do with clips whose embeddings are NaN or
            infinite; `"exclude"` leaves them out, with a warning and their names in the result, which is then not
            comparable.

    Returns:
        [`ProtocolResult`]: rows with means, intervals and all values; incomplete where other shards are missing.

    Raises:
        TypeError: if something is neither embeddings, clips nor a function, or clips come without an `Embedder`.
        ValueError: if there are too few clips, shapes or ids do not fit, captions are missing, values are not finite
            or too large, a system has no name, the seed is negative, or stored replications were made from something
            else.
    """
    protocol = protocol or Protocol.published()
    rank, processes = shard
    if not 0 <= rank < processes:
        raise ValueError(f"Expected shard as (rank, processes) with 0 <= rank < processes, got {shard}.")
    if processes > 1 and folder is None:
        raise ValueError("Shards meet in a folder; give the same one to all of them.")
    _check_names(systems)
    if not isinstance(seed, Integral) or seed < 0:
        raise ValueError(f"Expected seed as a whole number of at least 0, got {seed!r}.")
    seed = int(seed)  # numpy's do not go into JSON
    if non_finite not in typing.get_args(NonFinite):
        raise ValueError(f'Expected non_finite as "error" or "exclude", got {non_finite!r}.')
    _check_embedding(evaluator, protocol)
    embedder = evaluator if isinstance(evaluator, Embedder) else None
    first = TestSet(REAL_ROW, real, embedder, None, non_finite)
    sets = [first, *(TestSet(name, given, embedder, first, non_finite) for name, given in systems.items())]
    store = ReplicationFolder(folder) if folder is not None else None
    if store is not None and (unnamed := [s.name for s in sets if s.regenerated and not s.fingerprint]):
        raise ValueError(
            f"Stored replications need to know what made them: {unnamed[0]}: Regenerated(…, fingerprint=…)."
        )

    # Hashes of the data are only needed where something is stored; otherwise they tell what was evaluated.
    shared = {
        "format": _FORMAT,
        "protocol": dataclasses.asdict(protocol),
        "seed": seed,
        "evaluator": evaluator.name,
        "evaluator fingerprint": evaluator.fingerprint,
        "data": data,
        "reference": first.fingerprint,
        "non_finite": non_finite,
    }
    reference = Reference(first, seed + _REFERENCE_SEED, evaluator.name)
    found = []
    for test_set in sets:
        identity = shared | {
            "row": test_set.name, "fingerprint": test_set.fingerprint, "regenerated": test_set.regenerated
        }  # fmt: skip
        row: dict[int, Replication] = {}
        constants = None
        for i in range(protocol.replications):
            result = store.read(identity, i) if store else None
            if result is None and i % processes == rank:
                result, constants = replicate(test_set, reference, protocol, seed + i, constants)
                if store:
                    store.write(identity, i, result)
            if result is not None:
                row[i] = result
        found.append((identity, row))
    return _result(found)


def read_protocol(folder: str | Path) -> ProtocolResult:
    """The result of stored replications, without the data; what shards left is merged.

    Args:
        folder (`str` or `Path`): as given to `evaluate_protocol`.

    Returns:
        [`ProtocolResult`]: the real motions first, then the systems by name.

    Raises:
        ValueError: if there are no replications of real motions, or rows were made under different circumstances.
    """
    found = list(ReplicationFolder(folder).rows())
    found.sort(key=lambda pair: (pair[0]["row"] != REAL_ROW, pair[0]["row"]))
    if not found or found[0][0]["row"] != REAL_ROW:
        raise ValueError(f"{folder} holds no replications of real motions; evaluate_protocol(…, folder=…) makes them.")
    for name in ("format", "protocol", "seed", "evaluator", "evaluator fingerprint", "data", "reference"):
        if len({str(identity[name]) for identity, _ in found}) > 1:
            raise ValueError(f"{folder} holds rows of different {name}; numbers of one table have to agree in it.")
    return _result(found)


def _check_names(systems: Mapping[str, Given]) -> None:
    for name in systems:
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f"Expected a name for each system, for its row, got {name!r}.")
    if REAL_ROW in systems:
        raise ValueError(f"{REAL_ROW!r} is the name of the first row; give the system another one.")


def _check_embedding(evaluator: Embedder | Evaluator, protocol: Protocol) -> None:
    embedding = getattr(evaluator, "embedding_protocol", protocol.embedding)
    if embedding != protocol.embedding:
        raise ValueError(
            f"The evaluator {evaluator.name!r} embeds as {embedding!r}, but the protocol says {protocol.embedding!r}; "
            "the two give different numbers. Change one of them."
        )


def _result(found: list[tuple[dict[str, Any], dict[int, Replication]]]) -> ProtocolResult:
    identity = found[0][0]
    numbers = sorted(set.intersection(*(set(row) for _, row in found)))
    rows = []
    for each, row in found:
        metrics = {
            metric: MetricSummary(tuple(row[i].values[metric] for i in numbers))
            for metric in METRICS
            if numbers and metric in row[numbers[0]].values
        }
        excluded = tuple(sorted({name for i in numbers for name in row[i].excluded}))
        rows.append(ProtocolRow(each["row"], metrics, each["regenerated"], each["fingerprint"], excluded))
    anyhow = {"replications": _LEAST}  # more of them are as good
    published = identity["protocol"] | anyhow == dataclasses.asdict(Protocol.published()) | anyhow
    original = identity["evaluator"] == EVALUATOR and identity["data"] == DATA and published
    drifted: tuple[str, ...] = ()
    if original and numbers:
        drifted = tuple(real_row_drift({metric: summary.mean for metric, summary in rows[0].metrics.items()}))
    if drifted:
        warnings.warn(
            f"The row of real motion differs from the published one: {', '.join(drifted)}. Data, evaluator or its "
            "embedding protocol are not the original ones, so look for the cause before comparing any row.",
            stacklevel=3,
        )
    return ProtocolResult(
        rows=tuple(rows),
        protocol=identity["protocol"],
        evaluator={"name": identity["evaluator"], "fingerprint": identity["evaluator fingerprint"]},
        data=identity["data"],
        seeds=tuple(identity["seed"] + i for i in numbers),
        reference=identity["reference"],
        statistics=found[0][1][numbers[0]].statistics if numbers else "",
        comparable=original and len(numbers) >= _LEAST and not any(row.excluded for row in rows),
        drift=drifted,
    )
