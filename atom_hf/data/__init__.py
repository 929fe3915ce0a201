"""Preference data: MotionPrefer's columns, pairs from scores and votes, its builder, importers and exporters."""

from .annotations import AnnotationError
from .pairs import PairReport, PairRule

__all__ = ["AnnotationError", "PairReport", "PairRule"]
