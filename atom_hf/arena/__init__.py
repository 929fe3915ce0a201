"""The preference arena: people compare two motions of a prompt, blind, and every vote is kept.

No user interface is in here; the Space and `atom-hf label` wire their events to [`Arena`].
"""

from .admin import Admin, Overview
from .answers import CHOICES, GIVEN_DEGREES, QUESTIONS, REASONS, Answer, Question
from .arena import Arena, Progress
from .ballot import Ballot
from .campaign import Clip, PairItem
from .errors import AnswerError, ArenaError, BallotError, NotAllowed, StoreError, TooFast, UploadError
from .export import Exported
from .people import Session
from .push import PushStatus, ScheduledPush
from .quality import Agreements, LabellerQuality, Share
from .results import Comparison, Standing
from .settings import Settings
from .sources import pairs_from_folder, pairs_from_models, pairs_from_motionprefer, pairs_from_motions, pairs_from_zip
from .uploads import ZipLimits
from .voting import Acknowledgement, Feedback

__all__ = [
    "CHOICES",
    "GIVEN_DEGREES",
    "QUESTIONS",
    "REASONS",
    "Acknowledgement",
    "Admin",
    "Agreements",
    "Answer",
    "AnswerError",
    "Arena",
    "ArenaError",
    "Ballot",
    "BallotError",
    "Clip",
    "Comparison",
    "Exported",
    "Feedback",
    "LabellerQuality",
    "NotAllowed",
    "Overview",
    "PairItem",
    "Progress",
    "PushStatus",
    "Question",
    "ScheduledPush",
    "Session",
    "Settings",
    "Share",
    "Standing",
    "StoreError",
    "TooFast",
    "UploadError",
    "ZipLimits",
    "pairs_from_folder",
    "pairs_from_models",
    "pairs_from_motionprefer",
    "pairs_from_motions",
    "pairs_from_zip",
]
