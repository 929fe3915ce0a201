"""Preference data: MotionPrefer's columns, pairs from scores and votes, its builder, importers and exporters."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .build import rows_of
from .card import CardFacts, dataset_card
from .exporters import trl_rows, write_features, write_instructmotion, write_trl
from .faults import AnnotationError, Validation
from .importers import ImportReport, read_atom, read_instructmotion, read_trl
from .pairs import PairReport, PairRule
from .stage import AnnotationStage
from .stats import Stats, dataset_stats
from .summary import WriteSummary
from .validate import validate_folder
from .views import listwise, preferred, unpaired

if TYPE_CHECKING:
    from .builder import MotionPrefer, MotionPreferConfig
    from .folder import push_motionprefer, write_motionprefer

# Parquet and builders come with `datasets`; all else works without it.
_OF_DATASETS = {
    "MotionPrefer": "builder",
    "MotionPreferConfig": "builder",
    "push_motionprefer": "folder",
    "write_motionprefer": "folder",
}

__all__ = [
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
]


def __getattr__(name: str) -> Any:
    if name not in _OF_DATASETS:
        raise AttributeError(f"module {__name__!r} has no name {name!r}", name=name, obj=None)
    try:
        module = import_module(f".{_OF_DATASETS[name]}", __name__)
    except ImportError as error:
        raise ImportError(
            f"{name} needs datasets, and {error.name} is not installed: pip install 'atom_hf[train]'."
        ) from error
    value = globals()[name] = getattr(module, name)
    return value
