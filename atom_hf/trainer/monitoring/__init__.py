"""Looking at a policy while it trains: what it writes, how far it has moved, and pictures for trackers."""

from .monitor import MotionMonitor

__all__ = ["MotionMonitor"]
