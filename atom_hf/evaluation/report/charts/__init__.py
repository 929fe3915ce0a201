"""Charts as SVG, from plain numbers."""

from .bars import bar_chart
from .chart import Chart
from .distributions import distribution_chart
from .lines import line_chart
from .outcomes import Outcome, outcome_chart
from .radar import radar_chart

__all__ = ["Chart", "Outcome", "bar_chart", "distribution_chart", "line_chart", "outcome_chart", "radar_chart"]
