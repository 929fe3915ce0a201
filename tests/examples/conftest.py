"""The examples as they see each other: their folder on the path, on a CPU, in one process."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
if str(EXAMPLES) not in sys.path:
    sys.path.append(str(EXAMPLES))


@pytest.fixture(scope="module")
def on_cpu() -> Iterator[None]:
    """No accelerator for what the module runs, and nothing left of it in accelerate's memory."""
    pytest.importorskip("accelerate")
    torch = pytest.importorskip("torch")
    from accelerate.state import AcceleratorState, GradientState

    def forget() -> None:
        AcceleratorState._reset_state(True)
        GradientState._reset_state()

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACCELERATE_USE_CPU", "true")
        patch.setattr(torch, "set_num_threads", lambda count: None)  # tests run beside each other
        forget()
        yield
        forget()
