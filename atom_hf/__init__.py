"""Align text-to-motion models with preferences, on the Hugging Face stack.

Importing this package is cheap: a name below brings in its module, and what that needs, when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .assets import DEFAULT_ADAPTER as DEFAULT_ADAPTER
    from .assets import DEFAULT_DATASET as DEFAULT_DATASET
    from .assets import DEFAULT_EVALUATOR as DEFAULT_EVALUATOR
    from .assets import DEFAULT_MODEL as DEFAULT_MODEL
    from .data import AnnotationError as AnnotationError
    from .data import AnnotationStage as AnnotationStage
    from .data import CardFacts as CardFacts
    from .data import ImportReport as ImportReport
    from .data import MotionPrefer as MotionPrefer
    from .data import MotionPreferConfig as MotionPreferConfig
    from .data import PairReport as PairReport
    from .data import PairRule as PairRule
    from .data import Stats as Stats
    from .data import Validation as Validation
    from .data import WriteSummary as WriteSummary
    from .data import dataset_card as dataset_card
    from .data import dataset_stats as dataset_stats
    from .data import listwise as listwise
    from .data import preferred as preferred
    from .data import push_motionprefer as push_motionprefer
    from .data import read_atom as read_atom
    from .data import read_instructmotion as read_instructmotion
    from .data import read_trl as read_trl
    from .data import rows_of as rows_of
    from .data import trl_rows as trl_rows
    from .data import unpaired as unpaired
    from .data import validate_folder as validate_folder
    from .data import write_features as write_features
    from .data import write_instructmotion as write_instructmotion
    from .data import write_motionprefer as write_motionprefer
    from .data import write_trl as write_trl
    from .events import ACTIONS as ACTIONS
    from .events import Action as Action
    from .events import BankClip as BankClip
    from .events import ClipBank as ClipBank
    from .events import DetectedEvent as DetectedEvent
    from .events import Event as Event
    from .events import EventScores as EventScores
    from .events import Fault as Fault
    from .events import GrammarPromptWriter as GrammarPromptWriter
    from .events import LLMPromptWriter as LLMPromptWriter
    from .events import Prompt as Prompt
    from .events import Scenario as Scenario
    from .events import ScenarioParseError as ScenarioParseError
    from .events import Segment as Segment
    from .events import Synthesis as Synthesis
    from .events import detect_events as detect_events
    from .events import score_events as score_events
    from .events import synthesize as synthesize
    from .events import with_fault as with_fault
    from .models import MotionGPTConfig as MotionGPTConfig
    from .models import MotionGPTForPreference as MotionGPTForPreference
    from .models import MotionGPTForReward as MotionGPTForReward
    from .models import MotionGPTForValue as MotionGPTForValue
    from .models import MotionGPTProcessor as MotionGPTProcessor
    from .models import MotionVQVAE as MotionVQVAE
    from .models import MotionVQVAEConfig as MotionVQVAEConfig
    from .models import MotionVQVAEOutput as MotionVQVAEOutput
    from .models import TextMotionEvaluator as TextMotionEvaluator
    from .models import TextMotionEvaluatorConfig as TextMotionEvaluatorConfig
    from .models import TextMotionEvaluatorOutput as TextMotionEvaluatorOutput
    from .models import TextToMotionPipeline as TextToMotionPipeline
    from .models import add_motion_tokens as add_motion_tokens
    from .models import evaluator_from_original as evaluator_from_original
    from .models import learn_words as learn_words
    from .models import load_motion_tokenizer as load_motion_tokenizer
    from .models import train_tokenizer as train_tokenizer
    from .motion import JOINT_NAMES as JOINT_NAMES
    from .motion import Caption as Caption
    from .motion import HumanML3DClip as HumanML3DClip
    from .motion import InverseKinematics as InverseKinematics
    from .motion import Motion as Motion
    from .motion import MotionFormatError as MotionFormatError
    from .motion import MotionStats as MotionStats
    from .motion import ParsedCodes as ParsedCodes
    from .motion import bone_length_deviation as bone_length_deviation
    from .motion import codes_to_text as codes_to_text
    from .motion import face_forward as face_forward
    from .motion import features_to_joints as features_to_joints
    from .motion import forward_kinematics as forward_kinematics
    from .motion import inverse_kinematics as inverse_kinematics
    from .motion import joints_to_features as joints_to_features
    from .motion import load_motion as load_motion
    from .motion import lock_feet as lock_feet
    from .motion import mirror_features as mirror_features
    from .motion import mirror_joints as mirror_joints
    from .motion import mirror_text as mirror_text
    from .motion import read_humanml3d as read_humanml3d
    from .motion import resample_joints as resample_joints
    from .motion import text_to_codes as text_to_codes
    from .motion import to_floor as to_floor
    from .motion import to_origin as to_origin
    from .motion import to_uniform_skeleton as to_uniform_skeleton
    from .motion import write_humanml3d as write_humanml3d
    from .render import export_motion as export_motion
    from .render import load_body as load_body
    from .render import render_comparison as render_comparison
    from .render import render_frames as render_frames
    from .render import render_sheet as render_sheet
    from .render import render_strip as render_strip
    from .render import render_trajectory as render_trajectory
    from .render import render_video as render_video
    from .render import render_views as render_views
    from .render import write_fbx as write_fbx
    from .render import write_glb as write_glb
    from .rewards import Calibration as Calibration
    from .rewards import Judge as Judge
    from .rewards import JudgeItem as JudgeItem
    from .rewards import JudgeReward as JudgeReward
    from .rewards import KinematicJudge as KinematicJudge
    from .rewards import ModelReward as ModelReward
    from .rewards import PictureLayout as PictureLayout
    from .rewards import Preference as Preference
    from .rewards import Verdict as Verdict
    from .rewards import VLMJudge as VLMJudge
    from .rewards import calibrate as calibrate
    from .rewards import calibrate_layouts as calibrate_layouts
    from .rewards import calibrate_votes as calibrate_votes
    from .rewards import calibration_items as calibration_items
    from .rewards import voted_pairs as voted_pairs
    from .rewards.metric import GPT4VReward as GPT4VReward
    from .trainer import MotionDPOConfig as MotionDPOConfig
    from .trainer import MotionDPOTrainer as MotionDPOTrainer
    from .trainer import MotionGRPOConfig as MotionGRPOConfig
    from .trainer import MotionGRPOTrainer as MotionGRPOTrainer
    from .trainer import MotionKTOConfig as MotionKTOConfig
    from .trainer import MotionKTOTrainer as MotionKTOTrainer
    from .trainer import MotionMonitor as MotionMonitor
    from .trainer import MotionPPOConfig as MotionPPOConfig
    from .trainer import MotionPPOTrainer as MotionPPOTrainer
    from .trainer import MotionRewardConfig as MotionRewardConfig
    from .trainer import MotionRewardTrainer as MotionRewardTrainer
    from .trainer import MotionRLOOConfig as MotionRLOOConfig
    from .trainer import MotionRLOOTrainer as MotionRLOOTrainer

__version__ = "0.1.0.dev0"

_PUBLIC: dict[str, tuple[str, ...]] = {
    "atom_hf.assets": (
        "DEFAULT_ADAPTER",
        "DEFAULT_DATASET",
        "DEFAULT_EVALUATOR",
        "DEFAULT_MODEL",
    ),
    "atom_hf.data": (
        "AnnotationError",
        "AnnotationStage",
        "CardFacts",
        "ImportReport",
        "MotionPrefer",
        "MotionPreferConfig",
        "PairReport",
        "PairRule",
        "Stats",
        "Validation",
        "WriteSummary",
        "dataset_card",
        "dataset_stats",
        "listwise",
        "preferred",
        "push_motionprefer",
        "read_atom",
        "read_instructmotion",
        "read_trl",
        "rows_of",
        "trl_rows",
        "unpaired",
        "validate_folder",
        "write_features",
        "write_instructmotion",
        "write_motionprefer",
        "write_trl",
    ),
    "atom_hf.events": (
        "ACTIONS",
        "Action",
        "BankClip",
        "ClipBank",
        "DetectedEvent",
        "Event",
        "EventScores",
        "GrammarPromptWriter",
        "LLMPromptWriter",
        "Prompt",
        "ScenarioParseError",
        "Fault",
        "Scenario",
        "Segment",
        "Synthesis",
        "detect_events",
        "score_events",
        "synthesize",
        "with_fault",
    ),
    "atom_hf.models": (
        "MotionGPTConfig",
        "MotionGPTForPreference",
        "MotionGPTForReward",
        "MotionGPTForValue",
        "MotionGPTProcessor",
        "MotionVQVAE",
        "MotionVQVAEConfig",
        "MotionVQVAEOutput",
        "TextMotionEvaluator",
        "TextMotionEvaluatorConfig",
        "TextMotionEvaluatorOutput",
        "TextToMotionPipeline",
        "add_motion_tokens",
        "evaluator_from_original",
        "learn_words",
        "load_motion_tokenizer",
        "train_tokenizer",
    ),
    "atom_hf.motion": (
        "JOINT_NAMES",
        "Caption",
        "HumanML3DClip",
        "InverseKinematics",
        "Motion",
        "MotionFormatError",
        "MotionStats",
        "ParsedCodes",
        "bone_length_deviation",
        "codes_to_text",
        "face_forward",
        "features_to_joints",
        "forward_kinematics",
        "inverse_kinematics",
        "joints_to_features",
        "load_motion",
        "lock_feet",
        "mirror_features",
        "mirror_joints",
        "mirror_text",
        "read_humanml3d",
        "resample_joints",
        "text_to_codes",
        "to_floor",
        "to_origin",
        "to_uniform_skeleton",
        "write_humanml3d",
    ),
    "atom_hf.render": (
        "export_motion",
        "load_body",
        "render_comparison",
        "render_frames",
        "render_sheet",
        "render_strip",
        "render_trajectory",
        "render_video",
        "render_views",
        "write_fbx",
        "write_glb",
    ),
    "atom_hf.rewards": (
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
    ),
    "atom_hf.rewards.metric": ("GPT4VReward",),
    "atom_hf.trainer": (
        "MotionDPOConfig",
        "MotionDPOTrainer",
        "MotionGRPOConfig",
        "MotionGRPOTrainer",
        "MotionKTOConfig",
        "MotionKTOTrainer",
        "MotionMonitor",
        "MotionPPOConfig",
        "MotionPPOTrainer",
        "MotionRLOOConfig",
        "MotionRLOOTrainer",
        "MotionRewardConfig",
        "MotionRewardTrainer",
    ),
}
_MODULE_OF = {name: module for module, names in _PUBLIC.items() for name in names}
__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        value = getattr(import_module(_MODULE_OF[name]), name)
        globals()[name] = value  # the next use does not come here
        return value
    from difflib import get_close_matches

    close = get_close_matches(name, __all__, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else f"; it has {', '.join(__all__)}."
    raise AttributeError(f"module 'atom_hf' has no name {name!r}{hint}", name=name, obj=None)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]  # not the modules that this file needs itself
