"""Measures of motions against other motions, texts, events and people's opinions: arrays in, numbers out.

README.md beside this file says what each number means, which direction is better, and how it can mislead.
"""

from .agreement import Agreement, cohen_kappa, fleiss_kappa, krippendorff_alpha
from .bootstrap import bootstrap_mean, sign_flip_test
from .distances import frechet_distance, kernel_distance, precision_recall
from .diversity import diversity, multimodality
from .drift import drift_warning, exact_kl, kl_estimate, token_entropy, unique_share, variety_ratio
from .event_scores import compare_systems, event_scores, summarize_scores
from .joint_error import JointError, joint_error
from .metrics import metric_path
from .model_embedder import ModelEmbedder
from .physics import Physics, foot_skating, mean_physics, physical_plausibility
from .protocol import evaluate_protocol
from .protocol_settings import Protocol
from .retrieval import batch_free_r_precision, matching_distance, r_precision
from .valid_share import valid_share
from .win_rate import WinRate, compare_pairwise, win_rate, win_rate_table

__all__ = [
    "Agreement",
    "JointError",
    "ModelEmbedder",
    "Physics",
    "Protocol",
    "WinRate",
    "batch_free_r_precision",
    "bootstrap_mean",
    "cohen_kappa",
    "compare_pairwise",
    "compare_systems",
    "diversity",
    "drift_warning",
    "evaluate_protocol",
    "event_scores",
    "exact_kl",
    "fleiss_kappa",
    "foot_skating",
    "frechet_distance",
    "joint_error",
    "kernel_distance",
    "kl_estimate",
    "krippendorff_alpha",
    "matching_distance",
    "mean_physics",
    "metric_path",
    "multimodality",
    "physical_plausibility",
    "precision_recall",
    "r_precision",
    "sign_flip_test",
    "summarize_scores",
    "token_entropy",
    "unique_share",
    "valid_share",
    "variety_ratio",
    "win_rate",
    "win_rate_table",
]
