"""Threads of the examples on a CPU."""

import ast
import os
from pathlib import Path

import pytest
from cpu_threads import cores_of_a_process

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_processes_share_the_cores():
    cores = cores_of_a_process(1)
    assert cores >= 1 and cores_of_a_process(cores) == 1 and cores_of_a_process(1000) == 1
    assert os.environ["OMP_WAIT_POLICY"]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_the_policy_is_set_before_torch(path):
    """Wherever it is imported; and every script that aligns imports it, by alignment.py."""
    imported = [
        alias.name if isinstance(node, ast.Import) else str(node.module)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names[:1]
    ]
    sets = [name for name in imported if name in ("cpu_threads", "alignment")]
    assert not sets or "torch" not in imported[: imported.index(sets[0])]
