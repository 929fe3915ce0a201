"""What happens in a motion: scenarios and their words, synthesis, detection, scores."""

from .actions import ACTIONS, Action, Verb
from .clip_bank import BankClip, ClipBank
from .detect import detect_events
from .detected import DetectedEvent
from .faults import FAULTS, Fault, fault_kinds, with_fault
from .parameters import Parameters
from .prompts import GrammarPromptWriter, LLMPromptWriter, Prompt, PromptWriterError
from .scenario import TASKS, Event, Scenario
from .score import EventScores, score_events
from .synthesize import Segment, Synthesis, synthesize
from .words import ScenarioParseError

__all__ = [
    "ACTIONS",
    "FAULTS",
    "TASKS",
    "Action",
    "BankClip",
    "ClipBank",
    "DetectedEvent",
    "Event",
    "EventScores",
    "Fault",
    "GrammarPromptWriter",
    "LLMPromptWriter",
    "Parameters",
    "Prompt",
    "PromptWriterError",
    "Scenario",
    "ScenarioParseError",
    "Segment",
    "Synthesis",
    "Verb",
    "detect_events",
    "fault_kinds",
    "score_events",
    "synthesize",
    "with_fault",
]
