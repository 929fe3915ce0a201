"""Measures of motions against other motions, texts and events."""

from .joint_error import JointError, joint_error

__all__ = ["JointError", "joint_error"]
