"""The vision judge: motions drawn as pictures, judged by a vision-language model by written rules."""

from ..position_bias import PositionBias
from .batch import BatchJudge
from .budget import Budget
from .export import export_parquet
from .judge import VLMJudge
from .pictures import PictureLayout
from .preference import Preference, position_bias
from .store import Store

__all__ = [
    "BatchJudge",
    "Budget",
    "PictureLayout",
    "PositionBias",
    "Preference",
    "Store",
    "VLMJudge",
    "export_parquet",
    "position_bias",
]
