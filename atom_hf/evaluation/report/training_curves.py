"""Charts of a training, from what transformers' trainers log.

training_charts(trainer.state.log_history)  →  [loss, rewards, accuracy, event scores, variety, …]
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .charts import Chart, line_chart


class _Curves(NamedTuple):
    """One chart: its title, keys of the log with the names of their lines, and what the numbers are."""

    title: str
    lines: Mapping[str, str]
    unit: str
    smooth: float = 0.0


_CHARTS = (
    _Curves("Loss", {"loss": "training", "eval_loss": "validation"}, "loss", 0.6),
    _Curves(
        "Implicit rewards",
        {"rewards/chosen": "chosen", "rewards/rejected": "rejected", "rewards/margins": "margin"},
        "β × log-ratio, nats",
        0.6,
    ),
    _Curves(
        "Share of pairs in the right order",
        {"rewards/accuracies": "training", "eval_rewards/accuracies": "validation", "accuracy": "training"}
        | {"eval_accuracy": "validation"},
        "accuracy",
        0.6,
    ),
    _Curves("Reward", {"reward": "mean reward", "objective/scores": "mean score"}, "reward", 0.6),
    _Curves(
        "Event scores of samples for fixed prompts",
        {f"eval_events_{task}": task for task in ("integrity", "temporal", "frequency", "overall")},
        "score, 0 to 1",
    ),
    _Curves(
        "Variety of these samples",
        {"eval_diversity": "Diversity", "eval_multimodality": "MModality"},
        "distance in the evaluator's space",
    ),
    _Curves(
        "Distance from the base",
        {"eval_sample_kl": "of samples", "objective/kl": "of rollouts", "kl": "of training"},
        "KL, nats a token",
    ),
    _Curves(
        "Entropy of the next token",
        {"entropy": "training", "eval_entropy": "validation", "eval_sample_entropy": "of samples"},
        "nats",
        0.6,
    ),
)


def training_charts(log_history: Sequence[Mapping[str, Any]]) -> list[Chart]:
    """The curves that a training left.

    Args:
        log_history (`Sequence[Mapping]`): a dictionary for each log, with `step`; as `trainer.state.log_history`.

    Returns:
        `list[Chart]`: those of which there is something to draw.
    """
    charts = []
    for title, lines, unit, smooth in _CHARTS:
        series: dict[str, tuple[list[float], list[float | None]]] = {}
        for key, name in lines.items():
            found = [(log["step"], log[key]) for log in log_history if "step" in log and key in log]
            if len(found) > 1:
                series[name] = ([float(step) for step, _ in found], [float(value) for _, value in found])
        if series:
            charts.append(line_chart(title, series, y_label=unit, smooth=smooth))
    return charts
