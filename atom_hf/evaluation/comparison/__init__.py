"""Several systems measured in the same way, and the report that comes of it.

comparison = compare([base, aligned], real=real, judge=KinematicJudge(), embedder=embedder)
write_comparison(comparison, "report/")     # metrics.json, report.md, tables.tex, report.html
"""

from .alignment import alignment_metrics, alignment_summary, verdict, write_alignment
from .alignment_table import alignment_table
from .cases import Case, grammar_cases, read_cases
from .compare import compare
from .embedding_measures import check_clips
from .report_folder import check_folder, write_comparison
from .result import Comparison, SystemResult
from .system_folders import read_system
from .systems import LeftOut, System, SystemClip, sampled_system, synthesised_system
from .tables import all_tables, overview

__all__ = [
    "Case",
    "Comparison",
    "LeftOut",
    "System",
    "SystemClip",
    "SystemResult",
    "alignment_metrics",
    "alignment_summary",
    "alignment_table",
    "all_tables",
    "check_clips",
    "check_folder",
    "compare",
    "grammar_cases",
    "overview",
    "read_cases",
    "read_system",
    "sampled_system",
    "synthesised_system",
    "verdict",
    "write_alignment",
    "write_comparison",
]
