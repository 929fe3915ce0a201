"""Check that the wheel without extras imports fast and needs none of the heavy libraries."""

import importlib.util
import subprocess
import sys

LIMIT = 0.3  # seconds
TIMED = "import time; start = time.perf_counter(); import atom_hf; print(time.perf_counter() - start)"

present = [name for name in ("torch", "transformers") if importlib.util.find_spec(name)]
if present:
    sys.exit(f"The wheel without extras installed {', '.join(present)}.")

times = [float(subprocess.check_output([sys.executable, "-c", TIMED])) for _ in range(5)]
print(f"import atom_hf: best of 5 {min(times):.3f} s (limit {LIMIT} s)")
if min(times) >= LIMIT:
    sys.exit("import atom_hf is too slow; python -X importtime shows which module costs it.")
