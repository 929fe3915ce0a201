"""Judges of motions, how far they can be trusted, and rewards made from them."""

from .calibration import calibrate, calibrate_layouts, calibrate_votes
from .calibration_items import calibration_items, voted_pairs
from .calibration_report import Calibration
from .judge import Judge, JudgeItem, Verdict
from .kinematic import KinematicJudge
from .model_reward import ModelReward
from .reward_funcs import JudgeReward
from .vlm import PictureLayout, Preference, VLMJudge

__all__ = [
    "Calibration",
    "Judge",
    "JudgeItem",
    "JudgeReward",
    "KinematicJudge",
    "ModelReward",
    "PictureLayout",
    "Preference",
    "VLMJudge",
    "Verdict",
    "calibrate",
    "calibrate_layouts",
    "calibrate_votes",
    "calibration_items",
    "voted_pairs",
]
