"""What comes with the package, so that everything runs offline: a tiny model, the adapter that aligns it, a tiny
evaluator, and preferences.

Made by examples/train_default.sh, dpo.py, train_evaluator.py and build_motionprefer.py; the cards say how.
"""

from pathlib import Path

_HERE = Path(__file__).parent
DEFAULT_MODEL = str(_HERE / "motiongpt_tiny")
DEFAULT_ADAPTER = str(_HERE / "motiongpt_tiny_aligned")
DEFAULT_EVALUATOR = str(_HERE / "evaluator_tiny")
DEFAULT_DATASET = str(_HERE / "motionprefer_tiny")

__all__ = ["DEFAULT_ADAPTER", "DEFAULT_DATASET", "DEFAULT_EVALUATOR", "DEFAULT_MODEL"]
