"""Imports point one way: every import statement of the package is held against the two tables below.

Imports inside functions and under `TYPE_CHECKING` count like any other, so that nobody can hide one there.
"""

import ast
import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).parents[1] / "atom_hf"

# A part may import itself and the parts of earlier rows; parts of one row are siblings and never import each other.
# `__init__` is the list of public names: it speaks of every part, so a part imports from parts, never from it.
LAYERS = [
    ("motion", "assets"),
    ("events", "data", "models", "render"),
    ("evaluation",),
    ("rewards", "trainer", "arena"),
    ("__init__",),
    ("apps",),
    ("cli",),
    ("__main__",),
]
# Libraries that only these files (or folders, with a slash) may import.
RESERVED = {
    "trl": ("trainer/",),
    "openai": ("rewards/vlm/", "events/prompts.py"),
    "evaluate": ("evaluation/metrics/", "rewards/metric.py"),
    "gradio": ("apps/",),
}
# (part, class, imported part): a method of the class may reach up, for saving videos and for display in a notebook.
METHODS_MAY_REACH = {("motion", "Motion", "render")}

HEAVY = ("torch", "transformers", "trl", "gradio")

LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}


class Import(NamedTuple):
    """One imported module, with the line and the class whose method imports it (or None)."""

    module: str
    line: int
    method_of: str | None


def imports_of(source: str, path: str) -> Iterator[Import]:
    """Every module that a file of the package (`path` is relative to it) imports, as an absolute name."""
    package = ["atom_hf", *Path(path).parent.parts]

    def visit(node: ast.AST, inside: tuple[ast.AST, ...]) -> Iterator[Import]:
        for name in _modules(node, package):
            yield Import(name, node.lineno, _class_of_method(inside))
        for child in ast.iter_child_nodes(node):
            yield from visit(child, (*inside, node))

    return visit(ast.parse(source), ())


def _modules(node: ast.AST, package: list[str]) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = package[: len(package) - node.level + 1] if node.level else []
        base = ".".join([*base, *([node.module] if node.module else [])])
        # `from atom_hf import render` imports a part, so the names matter there
        return [f"{base}.{alias.name}" for alias in node.names] if base == "atom_hf" else [base]
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        if ast.unparse(node.func) in ("importlib.import_module", "import_module", "__import__"):
            return [str(node.args[0].value)]
    return []


def _class_of_method(inside: tuple[ast.AST, ...]) -> str | None:
    for outer, inner in itertools.pairwise(inside):
        if isinstance(outer, ast.ClassDef) and isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            return outer.name
    return None


def violations(source: str, path: str) -> list[str]:
    """What a file of the package imports although it may not; `path` is relative to the package."""
    part = Path(path).parts[0].removesuffix(".py")
    if part not in LEVEL:
        return [f"{path}: {part} is in no row of LAYERS; give it one"]
    found = []
    for module, line, method_of in imports_of(source, path):
        root, _, rest = module.partition(".")
        if root in RESERVED and not path.startswith(RESERVED[root]):
            found.append(f"{path}:{line}: {root} may only be imported by {', '.join(RESERVED[root])}")
        target = rest.partition(".")[0]
        target = target if target in LEVEL else "__init__"  # `import atom_hf`, `from atom_hf import Motion`
        if root != "atom_hf" or target == part or (part, method_of, target) in METHODS_MAY_REACH:
            continue
        if LEVEL[target] >= LEVEL[part]:
            relation = "a sibling" if LEVEL[target] == LEVEL[part] else "above it"
            found.append(f"{path}:{line}: {part} may not import {target}, {relation}")
    return found


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_point_one_way(file: Path) -> None:
    assert violations(file.read_text(encoding="utf-8"), file.relative_to(PACKAGE).as_posix()) == []


@pytest.mark.parametrize(
    ("path", "source", "message"),
    [
        ("motion/codes.py", "from atom_hf.models import VQVAE", "motion may not import models, above it"),
        ("motion/codes.py", "from ..models.vqvae import VQVAE", "motion may not import models, above it"),
        ("motion/formats/bvh.py", "from ... import render", "motion may not import render, above it"),
        ("motion/motion.py", "from ..render import video", "motion may not import render, above it"),
        ("motion/motion.py", "class Motion:\n    from ..render import x", "motion may not import render, above it"),
        (
            "motion/motion.py",
            "class Motion:\n def f():\n  import atom_hf.data",
            "motion may not import data, above it",
        ),
        (
            "motion/motion.py",
            "class Clip:\n def f():\n  from ..render import x",
            "motion may not import render, above",
        ),
        ("events/score.py", "import atom_hf.data.schema as schema", "events may not import data, a sibling"),
        ("models/vqvae.py", "def f():\n    from atom_hf.render import x", "models may not import render, a sibling"),
        ("render/video.py", "importlib.import_module('atom_hf.events')", "render may not import events, a sibling"),
        ("data/pairs.py", "if TYPE_CHECKING:\n    from ..rewards import x", "data may not import rewards, above it"),
        ("evaluation/report.py", "from atom_hf import rewards", "evaluation may not import rewards, above it"),
        ("trainer/dpo_trainer.py", "from ..rewards import x", "trainer may not import rewards, a sibling"),
        ("rewards/vlm.py", "from ..trainer import losses", "rewards may not import trainer, a sibling"),
        ("rewards/vlm.py", "from ..cli import main", "rewards may not import cli, above it"),
        ("models/pipeline.py", "from atom_hf import Motion", "models may not import __init__, above it"),
        ("models/pipeline.py", "import atom_hf", "models may not import __init__, above it"),
        ("__init__.py", "from .cli import main", "__init__ may not import cli, above it"),
        ("extras/new.py", "", "extras is in no row of LAYERS"),
        ("models/motiongpt.py", "from trl.trainer import DPOConfig", "trl may only be imported by trainer/"),
        ("rewards/judge.py", "import openai", "openai may only be imported by rewards/vlm/, events/prompts.py"),
        (
            "rewards/kinematic.py",
            "def f():\n    import evaluate",
            "evaluate may only be imported by evaluation/metrics/",
        ),
        (
            "evaluation/retrieval.py",
            "import evaluate",
            "evaluate may only be imported by evaluation/metrics/, rewards",
        ),
        ("cli/export.py", "import gradio as gr", "gradio may only be imported by apps/"),
        ("__main__.py", "import gradio", "gradio may only be imported by apps/"),
    ],
)
def test_checker_finds(path: str, source: str, message: str) -> None:
    (found,) = violations(source, path)
    assert message in found


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("motion/motion.py", "import numpy as np\nfrom .rotation import x\nfrom ..motion import y"),
        ("motion/motion.py", "class Motion:\n def save_video(self):\n  from ..render import video"),
        ("motion/motion.py", "class Motion:\n def _repr_html_(self):\n  from atom_hf.render.viewer import html"),
        ("evaluation/physics.py", "from ..motion import Motion\nfrom ..events import detect"),
        ("evaluation/retrieval.py", "from atom_hf import data, models, render"),
        ("evaluation/metrics/motion_fid/motion_fid.py", "import evaluate\nfrom atom_hf.evaluation.distances import x"),
        ("trainer/dpo_trainer.py", "from trl import DPOTrainer\nfrom ..evaluation import retrieval"),
        ("events/prompts.py", "def write():\n    import openai"),
        ("apps/label.py", "import gradio\nimport atom_hf\nfrom ..rewards import vlm\nfrom ..trainer import losses"),
        ("__main__.py", "from atom_hf.cli import main"),
        ("__init__.py", "if TYPE_CHECKING:\n    from .rewards import VLMJudge"),
        ("data/schema.py", "import trlx, evaluation"),
    ],
)
def test_checker_allows(path: str, source: str) -> None:
    assert violations(source, path) == []


def test_import_of_the_package_loads_no_heavy_library() -> None:
    code = f"import sys, atom_hf; print(*[name for name in {HEAVY} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
