"""Rows of MotionPrefer as others read them: InstructMotion's folders, features for diffusion models, TRL's columns."""

from .features import write_features
from .instructmotion import write_instructmotion
from .trl import trl_rows, write_trl

__all__ = ["trl_rows", "write_features", "write_instructmotion", "write_trl"]
