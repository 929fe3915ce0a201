"""What happens in a motion: scenarios and their words, synthesis, detection, scores."""

from .actions import ACTIONS, Action, Verb
from .scenario import TASKS, Event, Scenario

__all__ = ["ACTIONS", "TASKS", "Action", "Event", "Scenario", "Verb"]
