"""What importing the evaluation brings, and what it leaves alone."""

import subprocess
import sys
from pathlib import Path

import atom_hf.evaluation


def test_metric_path_is_public_and_loads_nothing():
    code = (
        "import sys; from atom_hf.evaluation import metric_path; print(metric_path('motion_fid'));"
        "print(*[name for name in ('evaluate', 'datasets', 'torch') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    path, *loaded = run.stdout.split("\n")
    assert (Path(path) / "motion_fid.py").is_file() and "".join(loaded) == ""
    assert "metric_path" in atom_hf.evaluation.__all__
    assert set(atom_hf.evaluation.__all__) <= set(dir(atom_hf.evaluation))
