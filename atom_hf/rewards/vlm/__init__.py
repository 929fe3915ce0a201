"""The vision judge: motions drawn as pictures, judged by a vision-language model by written rules."""

from .budget import Budget
from .judge import VLMJudge
from .pictures import PictureLayout
from .preference import PositionBias, Preference, position_bias
from .store import Store

__all__ = ["Budget", "PictureLayout", "PositionBias", "Preference", "Store", "VLMJudge", "position_bias"]
