"""Several systems, measured in the same way: evaluator, events, physics, validity, and against each other.

comparison = compare([base, aligned], real=real, judge=KinematicJudge("overall"), embedder=embedder)
comparison.to_json()
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from itertools import combinations
from typing import Any

from tqdm import tqdm

from ..bootstrap import bootstrap_mean
from ..embeddings import Embedder
from ..event_scores import summarize_scores
from ..fingerprint import fingerprint_arrays
from ..physics import Physics, physical_plausibility
from .against import TIE_MARGIN, paired_tests, pairwise_outcome
from .cases import named, plural
from .embedding_measures import EmbeddingMeasures, check_clips, measure_embeddings
from .result import Comparison, Judged, SystemResult
from .systems import System, SystemClip
from .validity import validity

_TOGETHER = 64  # motions that a judge gets at once
_ON_THE_FLOOR = 0.10  # metres: a system whose lowest joints are further off has another floor than y = 0


def compare(
    systems: Sequence[System],
    *,
    real: System | None = None,
    judge: Any = None,
    embedder: Embedder | None = None,
    replications: int = 20,
    batch_free: bool = False,
    regenerate: bool = False,
    seed: int = 0,
    made_with: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
    progress: bool = True,
) -> Comparison:
    """Measure systems and compare them.

    Args:
        systems (`Sequence[System]`): the first one is what the others are tested against.
        real ([`System`], *optional*): real motion; the evaluator's measures need it.
        judge (`Any`, *optional*): has a `name`, and `score(clips)` that returns a verdict with `score`, `raw`,
            `reason` and `cause` for each; any `Judge` does.
        embedder ([`Embedder`], *optional*): evaluator for R-precision, FID and their like.
        replications (`int`, *optional*, defaults to 20): of the protocol.
        batch_free (`bool`, *optional*, defaults to `False`): R-precision without the noise of batches.
        regenerate (`bool`, *optional*, defaults to `False`): whether models sample anew in each replication.
        seed (`int`, *optional*, defaults to 0): of shuffling, draws and bootstraps.
        made_with (`Mapping[str, Any]`, *optional*): more for the record.
        notes (`Sequence[str]`, *optional*): more for readers.
        progress (`bool`, *optional*, defaults to `True`): whether to show bars.

    Returns:
        [`Comparison`]: all that was found.

    Raises:
        ValueError: if there is no system, two have the same name, or there are too few clips for the evaluator.
    """
    everyone = [*([real] if real is not None else []), *systems]
    _check_names(systems, everyone)
    if embedder is not None and real is not None:
        check_clips(everyone)  # before anything that takes long
    results = [_measured(system, system is real, judge, seed, progress) for system in everyone]
    said = [*notes, *_notes(results)]
    measures = None
    if embedder is None:
        said.append("Without an evaluator there are no R-precision, MM-Dist, FID, KID, Diversity and MModality.")
    elif real is None:
        said.append("Without real motion there are no measures of the evaluator; give real=….")
    else:
        with _bar(len(everyone), "embed", "system", progress) as bar:
            measures = measure_embeddings(
                real, systems, embedder, replications=replications, batch_free=batch_free, regenerate=regenerate,
                seed=seed, tick=lambda _: bar.update(),
            )  # fmt: skip
        results = [_with_measures(result, measures) for result in results]
        said = [_label(measures, embedder), *said, *measures.warnings]
    tests = paired_tests(results, seed) if judge is not None else []
    pairwise = [pairwise_outcome(a, b, seed) for a, b in combinations(results, 2)] if judge is not None else []
    if tests:
        said.append(
            f"{plural(len(tests), 'paired test')}: of twenty without any difference, one has p below 0.05 by chance."
        )
    record = {
        **(made_with or {}),
        "evaluator": _evaluator(measures, embedder),
        "protocol": None if measures is None else measures.protocol.protocol,
        "judge": getattr(judge, "name", None),
        "tie_margin": TIE_MARGIN,
        "seed": seed,
        "confidence": 0.95,
        "prompts": _prompts(systems),
        **({"regenerated_left_out": measures.left_out} if measures is not None and regenerate else {}),
    }
    protocol = None if measures is None else measures.protocol
    return Comparison(results, record, said, protocol, tests, [pair for pair in pairwise if pair is not None])


def _check_names(systems: Sequence[System], everyone: Sequence[System]) -> None:
    if not systems:
        raise ValueError("Expected at least one system to evaluate beside real motion, got none.")
    twice = [name for name, count in Counter(system.name for system in everyone).items() if count > 1]
    if twice:
        raise ValueError(f"Two systems are named {twice[0]!r}; give each a name of its own: name=what.")


def _measured(system: System, reference: bool, judge: Any, seed: int, progress: bool) -> SystemResult:
    """Everything that needs no other system."""
    prompts = [clip.prompt for clip in system.clips]
    with _bar(2 * len(system.clips), f"measure {system.name}", "clip", progress) as bar:
        bodies = []
        for clip in system.clips:
            bodies.append(physical_plausibility(clip.motion.joints))
            bar.update()
        judged = _judged(judge, system.clips, bar.update) if judge is not None else []
    physics = {}
    for each in fields(Physics):
        if each.name == "clips":
            continue
        values = [(getattr(body, each.name), prompt) for body, prompt in zip(bodies, prompts, strict=True)]
        there = [(value, prompt) for value, prompt in values if value is not None]
        if there:
            physics[each.name] = bootstrap_mean([v for v, _ in there], [prompt for _, prompt in there], seed=seed)
    result = SystemResult(system, reference, validity(system, seed), physics, judged)
    raws = [each.raw for each in judged]
    if not any(raw is not None for raw in raws):
        return replace(result, unscored=Counter(each.reason for each in judged))
    report = summarize_scores(raws, prompts, seed=seed)
    causes = Counter(each.reason for each in judged if each.raw is None)
    return replace(result, events=report.tasks, unscored=dict(causes.most_common()))


def _judged(judge: Any, clips: Sequence[SystemClip], done: Callable[[int], Any]) -> list[Judged]:
    found = []
    for start in range(0, len(clips), _TOGETHER):
        part = clips[start : start + _TOGETHER]
        verdicts = list(judge.score(part))
        if len(verdicts) != len(part):
            raise ValueError(f"The judge gave {len(verdicts)} verdicts for {len(part)} motions; expected one each.")
        for verdict in verdicts:
            if verdict.score is None:
                found.append(Judged(None, verdict.cause or "no cause given"))
            else:
                found.append(Judged({**verdict.raw, "score": verdict.score}, verdict.reason))
        done(len(part))
    return found


def _with_measures(result: SystemResult, measures: EmbeddingMeasures) -> SystemResult:
    rows = measures.protocol.rows
    row = rows[0] if result.reference else measures.protocol.row(result.name)
    return replace(
        result,
        metrics=row.metrics,
        kernel=measures.kernel.get(result.name),
        spread=measures.spread.get(result.name),
    )


def _notes(results: Sequence[SystemResult]) -> list[str]:
    said = []
    for result in results:
        name, system = result.name, result.system
        said += [f"{name}: {note}." for note in system.notes]
        for cause in dict.fromkeys(item.cause for item in system.left_out):
            ids = [item.id for item in system.left_out if item.cause == cause]
            said.append(f"{name}: {len(ids)} of {result.valid.outputs} outputs are in no mean, {cause}: {named(ids)}.")
        if fast := result.valid.causes.get("too fast"):
            said.append(f"{name}: in {plural(fast, 'clip')} a joint is faster than 25 m/s: invalid, but in all means.")
        unscored = sum(result.unscored.values())
        if unscored:
            cause = max(result.unscored, key=lambda each: result.unscored[each])
            said.append(f"{name}: the judge left {unscored} of {len(result.judged)} motions unscored; mostly: {cause}")
        off = _floor_error(result)
        if abs(off) > _ON_THE_FLOOR:
            said.append(
                f"{name}: its floor seems to be at y = {off:.2f} m instead of 0, which spoils skating, penetration, "
                "floating and the evaluator's measures."
            )
    first = next(result for result in results if not result.reference)
    asked = {clip.prompt for clip in first.system.clips}
    for result in results:
        theirs = {clip.prompt for clip in result.system.clips}
        if result is not first and theirs != asked:
            said.append(
                f"{result.name} and {first.name} have {plural(len(asked & theirs), 'prompt')} in common, of "
                f"{len(theirs)} and {len(asked)}; only paired comparisons are confined to these."
            )
    return said


def _floor_error(result: SystemResult) -> float:
    heights = sorted(float(clip.motion.joints[..., 1].min()) for clip in result.system.firsts)
    return heights[len(heights) // 2]


def _label(measures: EmbeddingMeasures, embedder: Embedder) -> str:
    text = "R-precision, MM-Dist, FID, KID, Diversity, MModality, precision and recall are of the evaluator "
    if embedder.name == "t2m":
        text += "t2m, but not by the protocol of published numbers"
    else:
        text += f"{embedder.name}, which is not that of published numbers"
    return f"{text}: compare rows of this report with each other, and never set them beside published ones."


def _evaluator(measures: EmbeddingMeasures | None, embedder: Embedder | None) -> dict[str, Any] | None:
    if measures is None or embedder is None:
        return None
    return {
        "name": embedder.name,
        "fingerprint": embedder.fingerprint,
        "embedding": measures.protocol.protocol["embedding"],
        "reference_sha256": measures.protocol.reference,
        "statistics_sha256": measures.protocol.statistics,
        "replication_seeds": list(measures.protocol.seeds),
    }


def _prompts(systems: Sequence[System]) -> dict[str, Any]:
    texts = sorted({clip.prompt for system in systems for clip in system.firsts})
    return {"count": len(texts), "sha256": fingerprint_arrays(texts)}


def _bar(total: int, label: str, unit: str, progress: bool) -> Any:
    return tqdm(total=total, desc=label, unit=unit, disable=None if progress else True)
