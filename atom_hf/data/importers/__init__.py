"""Preference data of others as rows of MotionPrefer: InstructMotion's folders, AToM's archives, TRL's datasets."""

from .atom import read_atom
from .faults import ImportReport
from .instructmotion import read_instructmotion
from .trl import read_trl

__all__ = ["ImportReport", "read_atom", "read_instructmotion", "read_trl"]
