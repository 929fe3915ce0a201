"""Judges of motions, and rewards made from them."""

from .judge import Judge, JudgeItem, Verdict
from .kinematic import KinematicJudge
from .model_reward import ModelReward
from .reward_funcs import JudgeReward

__all__ = ["Judge", "JudgeItem", "JudgeReward", "KinematicJudge", "ModelReward", "Verdict"]
