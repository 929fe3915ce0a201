"""Checkpoints that come with the package, so that everything runs offline on a laptop; made by examples/train_default.sh."""

from pathlib import Path

DEFAULT_MODEL = str(Path(__file__).parent / "motiongpt_tiny")

__all__ = ["DEFAULT_MODEL"]
