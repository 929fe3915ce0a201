"""Curves of a training: whatever is in the log, and nothing that is not."""

import pytest

from atom_hf.evaluation.report import training_charts


def log(**values):
    """Three logs, each number growing."""
    return [{"step": step, **{key: value * step for key, value in values.items()}} for step in (1, 2, 3)]


@pytest.mark.parametrize(
    ("keys", "title", "names"),
    [
        (("loss", "eval_loss"), "Loss", ("training", "validation")),
        (
            ("rewards/chosen", "rewards/rejected", "rewards/margins"),
            "Implicit rewards",
            ("chosen", "rejected", "margin"),
        ),
        (("rewards/accuracies",), "Share of pairs in the right order", ("training",)),
        (("accuracy", "eval_accuracy"), "Share of pairs in the right order", ("training", "validation")),
        (("reward",), "Reward", ("mean reward",)),
        (("objective/scores",), "Reward", ("mean score",)),
        (("eval_events_overall", "eval_events_temporal"), "Event scores of samples", ("temporal", "overall")),
        (("eval_diversity", "eval_multimodality"), "Variety of these samples", ("Diversity", "MModality")),
        (("eval_sample_kl", "kl"), "Distance from the base", ("of samples", "of training")),
        (("objective/kl",), "Distance from the base", ("of rollouts",)),
        (("entropy", "eval_sample_entropy"), "Entropy of the next token", ("training", "of samples")),
    ],
)
def test_a_chart_for_what_is_there(keys, title, names):
    (chart,) = training_charts(log(**dict.fromkeys(keys, 0.25)))
    assert chart.title.startswith(title)
    assert tuple(column.name for column in chart.data.columns) == names
    assert [row.cells for row in chart.data.rows] == [[0.25 * step] * len(names) for step in (1, 2, 3)]
    assert chart.svg.startswith("<svg") and all(name in chart.svg for name in names)


def test_charts_stand_in_a_fixed_order_whatever_the_logs():
    logs = [*log(kl=0.1), *log(reward=0.2, entropy=0.3), {"train_runtime": 3.0, "step": 3}, *log(loss=0.4)]
    assert [chart.title for chart in training_charts(logs)] == [
        "Loss", "Reward", "Distance from the base", "Entropy of the next token",
    ]  # fmt: skip


def test_what_cannot_be_drawn_is_left_out():
    assert training_charts([]) == []
    assert training_charts([{"step": 1, "loss": 0.5}]) == []  # one point is no curve
    assert training_charts([{"loss": 0.5}, {"loss": 0.4}, {"step": 3, "loss": 0.3}]) == []  # nobody knows where
    assert training_charts([{"step": 1, "train_loss": 0.5}, {"step": 2, "grad_norm": 0.4}]) == []


def test_a_number_that_is_none_is_a_gap():
    logs = log(loss=0.5)
    logs[1]["loss"] = float("nan")
    (chart,) = training_charts(logs)
    assert chart.title == "Loss" and "nan" not in chart.svg.lower()
