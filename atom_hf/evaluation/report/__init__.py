"""Reports that people read: one HTML file with tables, charts and motions side by side."""

from .charts import (
    Chart,
    Outcome,
    bar_chart,
    distribution_chart,
    line_chart,
    outcome_chart,
    radar_chart,
)
from .clips import Cases, Clip, ClipGroup, pick_cases
from .page import Report
from .tables import Column, Row, Table, Value
from .training_curves import training_charts

__all__ = [
    "Cases",
    "Chart",
    "Clip",
    "ClipGroup",
    "Column",
    "Outcome",
    "Report",
    "Row",
    "Table",
    "Value",
    "bar_chart",
    "distribution_chart",
    "line_chart",
    "outcome_chart",
    "pick_cases",
    "radar_chart",
    "training_charts",
]
