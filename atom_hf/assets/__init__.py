"""Checkpoints that come with the package, so that everything runs offline on a laptop.

examples/train_default.sh makes them.
"""

from pathlib import Path

DEFAULT_MODEL = str(Path(__file__).parent / "motiongpt_tiny")

__all__ = ["DEFAULT_MODEL"]
