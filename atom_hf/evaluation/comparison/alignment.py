"""What an alignment changed: a base model against the one that was aligned from it.

metrics.json, in short; numbers that could not be measured are null, intervals are of 95 %:

    {"schema": "atom_hf/alignment/1",
     "comparable_with_published": false,
     "notes": ["what every reader has to know", …],
     "events": {"integrity": {"base", "aligned", "delta", "interval": [low, high], "p"}, "temporal": …,
                "frequency": …, "overall": …},
     "wins": {"wins", "ties", "losses", "rate", "interval", "p"},
     "valid": {"base", "aligned", "delta"},
     "evaluator": {"R@1": {"base", "aligned", "delta", "base_interval", "aligned_interval"}, …, "FID", "Diversity",
                   "MModality", …},
     "variety": {"Diversity": share of the base's that is kept, "MModality": …},
     "physics": {"skating_ratio": {"base", "aligned", "delta"}, "jerk": …, …},
     "kl": {"per_token", "per_sequence", …} or null,
     "seconds": {"training": 150.2, …},
     "training": {"beta": 1.0, …},
     "overall_by_prompt": {"prompts": […], "base": [0.5, …], "aligned": [0.75, null, …]},
     "made_with": {…}}

`events` are means over prompts of what a judge said, 0 to 1, with the paired test that `comparison.json` has in full.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...motion.formats.files import replacing
from ..drift import variety_ratio
from ..report.charts import Chart
from .against import prompt_scores
from .page import comparison_page
from .report_folder import check_folder, to_markdown
from .result import TASKS, Comparison, SystemResult, without_nan
from .tables import p_text

SCHEMA = "atom_hf/alignment/1"
FILES = ("metrics.json", "comparison.json", "report.md", "report.html")


def alignment_metrics(
    comparison: Comparison,
    *,
    kl: Mapping[str, float | None] | None = None,
    seconds: Mapping[str, float] | None = None,
    training: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The content of metrics.json; its schema stands at the top of this module.

    Args:
        comparison ([`Comparison`]): of two systems, the base and the aligned one, in this order.
        kl (`Mapping[str, float]`, *optional*): KL divergence of the aligned model from the base, in nats.
        seconds (`Mapping[str, float]`, *optional*): how long each part took.
        training (`Mapping[str, Any]`, *optional*): settings that matter.

    Returns:
        `dict[str, Any]`: values that JSON knows.

    Raises:
        ValueError: if there are not two systems.
    """
    base, aligned = _two(comparison)
    events = {
        test.task: {
            "base": test.paired.mean_a,
            "aligned": test.paired.mean_b,
            "delta": test.paired.delta,
            "interval": [test.paired.low, test.paired.high],
            "p": test.paired.p,
        }
        for test in comparison.tests
        if test.system == aligned.name
    }
    pairs = [pair for pair in comparison.pairwise if (pair.system, pair.against) == (aligned.name, base.name)]
    wins: dict[str, Any] | None = None
    if pairs:
        found = pairs[0].win_rate
        wins = {"wins": found.wins, "ties": found.ties, "losses": found.losses, "rate": found.rate}
        wins |= {"interval": found.interval, "p": found.p}
    evaluator: dict[str, dict[str, Any]] = {
        name: _change(metric.mean, aligned.metrics[name].mean)
        | {"base_interval": metric.interval, "aligned_interval": aligned.metrics[name].interval}
        for name, metric in base.metrics.items()
        if name in aligned.metrics
    }
    variety = {
        name: variety_ratio(evaluator[name]["aligned"], evaluator[name]["base"])
        for name in ("Diversity", "MModality")
        if name in evaluator and evaluator[name]["base"] > 0
    }
    sides = {"base": prompt_scores(base), "aligned": prompt_scores(aligned)}
    asked = list(dict.fromkeys(clip.prompt for clip in base.system.clips))
    content = {
        "schema": SCHEMA,
        "comparable_with_published": comparison.comparable,
        "notes": list(comparison.notes),
        "events": events,
        "wins": wins,
        "valid": _change(base.valid.share.value, aligned.valid.share.value),
        "evaluator": evaluator,
        "variety": variety,
        "physics": {
            name: _change(value.value, aligned.physics[name].value)
            for name, value in base.physics.items()
            if name in aligned.physics
        },
        "kl": None if kl is None else dict(kl),
        "seconds": dict(seconds or {}),
        "training": dict(training or {}),
        "overall_by_prompt": {
            "prompts": asked,
            **{side: [scores.get(prompt) for prompt in asked] for side, scores in sides.items()},
        },
        "made_with": comparison.made_with,
    }
    return without_nan(content)


def alignment_summary(metrics: Mapping[str, Any]) -> list[str]:
    """What improved by how much, in a few lines for a terminal.

    Args:
        metrics (`Mapping[str, Any]`): of `alignment_metrics`.

    Returns:
        `list[str]`: lines.
    """
    lines = []
    for task in [task for task in TASKS if task in metrics["events"]]:
        found = metrics["events"][task]
        low, high = found["interval"]
        ends = "" if low is None else f" [{low:+.3f}, {high:+.3f}]"  # of a single prompt there is no interval
        moved = f"{found['base']:.3f} → {found['aligned']:.3f}   {found['delta']:+.3f}{ends}"
        lines.append(f"{task:>10}  {moved}   p {p_text(found['p'])}")
    if (wins := metrics["wins"]) is not None and wins["rate"] is not None:
        lines.append(f"prompts won {wins['wins']}, tied {wins['ties']}, lost {wins['losses']}")
    beside = [
        f"{name} {metrics['evaluator'][name]['base']:.3f} → {metrics['evaluator'][name]['aligned']:.3f}"
        for name in ("R@3", "FID")
        if name in metrics["evaluator"]
    ]
    beside += [f"{name} {100 * kept:.0f} % of the base's" for name, kept in metrics["variety"].items()]
    beside.append(f"valid {100 * metrics['valid']['base']:.1f} → {100 * metrics['valid']['aligned']:.1f} %")
    if metrics["kl"] is not None and metrics["kl"].get("per_token") is not None:
        beside.append(f"KL {metrics['kl']['per_token']:.3f} nats a token")
    return [*lines, " · ".join(beside)]


def verdict(metrics: Mapping[str, Any]) -> str:
    """One sentence that says whether alignment worked, by the overall event score.

    Args:
        metrics (`Mapping[str, Any]`): of `alignment_metrics`.

    Returns:
        `str`: a sentence.
    """
    found = metrics["events"].get("overall")
    if found is None:
        return "No judge scored both models, so there is no verdict."
    change = f"from {found['base']:.3f} to {found['aligned']:.3f} (p {p_text(found['p'])})"
    if found["p"] >= 0.05:
        return f"The mean event score moved {change}: no more than chance could explain."
    return f"The mean event score {'rose' if found['delta'] > 0 else 'FELL'} {change}."


def write_alignment(
    comparison: Comparison,
    folder: str | Path,
    metrics: Mapping[str, Any],
    *,
    charts: Sequence[Chart] = (),
    title: str = "Alignment",
    overwrite: bool = False,
) -> list[Path]:
    """Write metrics.json, comparison.json, report.md and report.html; other files of the folder stay.

    Args:
        comparison ([`Comparison`]): of base and aligned model.
        folder (`str` or `Path`): made if it is not there.
        metrics (`Mapping[str, Any]`): of `alignment_metrics`.
        charts (`Sequence[Chart]`, *optional*): curves of the training.
        title (`str`, *optional*, defaults to `"Alignment"`): heading of the page.
        overwrite (`bool`, *optional*, defaults to `False`): write into a folder that is not empty.

    Returns:
        `list[Path]`: the files.

    Raises:
        FileExistsError: if the folder is not empty and `overwrite` is not set.
    """
    folder = check_folder(folder, overwrite)
    settings = ", ".join(f"{name} {_said(value)}" for name, value in metrics["training"].items())
    lead = verdict(metrics) + (f"\n\nTraining: {settings}." if settings else "")
    page = comparison_page(comparison, title, lead=lead, training=charts)
    texts = {
        "metrics.json": json.dumps(metrics, indent=1, ensure_ascii=False, allow_nan=False) + "\n",
        "comparison.json": comparison.to_json(),
        "report.md": to_markdown(comparison),
        "report.html": page.html(),
    }
    for name, text in texts.items():
        with replacing(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    return [folder / name for name in FILES]


def _two(comparison: Comparison) -> tuple[SystemResult, SystemResult]:
    systems = [result for result in comparison.results if not result.reference]
    if len(systems) != 2:
        names = ", ".join(system.name for system in systems)
        raise ValueError(f"Expected a base and an aligned system, got {len(systems)}: {names}.")
    return systems[0], systems[1]


def _said(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _change(base: float, aligned: float) -> dict[str, Any]:
    return {"base": base, "aligned": aligned, "delta": aligned - base}
