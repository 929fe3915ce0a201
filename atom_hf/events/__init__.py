"""What happens in a motion: scenarios and their words, synthesis, detection, scores."""

from .actions import ACTIONS, Action, Verb
from .clip_bank import BankClip, ClipBank
from .faults import FAULTS, Fault, fault_kinds, with_fault
from .scenario import TASKS, Event, Scenario
from .synthesize import Segment, Synthesis, synthesize

__all__ = [
    "ACTIONS",
    "FAULTS",
    "TASKS",
    "Action",
    "BankClip",
    "ClipBank",
    "Event",
    "Fault",
    "Scenario",
    "Segment",
    "Synthesis",
    "Verb",
    "fault_kinds",
    "synthesize",
    "with_fault",
]
