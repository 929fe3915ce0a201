"""What all tests share: no network, no telemetry, a synthetic walk, and real clips where they are at hand."""

import importlib.util
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.update(
    HF_HUB_OFFLINE="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    TRL_EXPERIMENTAL_SILENCE="1",
    TQDM_DISABLE="1",
    GRADIO_ANALYTICS_ENABLED="False",
    HF_MODULES_CACHE=os.path.join(tempfile.gettempdir(), "atom_hf-test-modules"),
)

if "PYTEST_XDIST_WORKER" in os.environ:  # as many processes as cores; more threads would get in each other's way
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest

from examples.make_walk import walking

_REPOSITORY = Path(__file__).parent.parent
_FLAGS = [
    "--headless=new", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
    "--mute-audio",
]  # fmt: skip


@pytest.fixture(scope="session")
def shared() -> Path:
    """Golden numbers and real motion that may not be published; tests that need them are skipped without them."""
    folder = Path(os.environ.get("ATOM_HF_SHARED", _REPOSITORY.parent / "shared"))
    if not (folder / "golden").is_dir():
        pytest.skip(f"no golden data in {folder}; set ATOM_HF_SHARED")
    return folder


@pytest.fixture(scope="session")
def walk() -> np.ndarray:
    """A synthetic walk of two seconds at 20 fps, joints [40, 22, 3]."""
    joints = walking(frames=40)
    joints.setflags(write=False)
    return joints


@pytest.fixture(scope="session")
def real_clips(shared: Path) -> list[np.ndarray]:
    """Twelve clips of motion capture of different bodies and actions, joints [T, 22, 3] at 20 fps."""
    clips = []
    for corpus in ("cmu_gait_amc", "cmu_iclone_bvh", "cmu_eval_expmap", "bandai_namco"):
        with np.load(shared / "mocap" / f"{corpus}.npz") as data:
            for i in (3, 17, 40):
                start, length = data["starts"][i], data["lengths"][i]
                clips.append((data["joints_mm"][start : start + length] / 1000).astype(np.float32))
    return clips


@pytest.fixture(params=["numpy", "torch"])
def backend(request: pytest.FixtureRequest):
    """Makes arrays of numpy and, where it is installed, of torch."""
    if request.param == "numpy":
        return np.asarray
    torch = pytest.importorskip("torch")
    return lambda values: torch.tensor(np.asarray(values))


@pytest.fixture
def interruptible() -> Iterator[None]:
    """As a plain process: workers of a parallel test run leave Ctrl-C to their master."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")  # not longer: while it is open, no other test of the process can run an event loop
def browser() -> Iterator[Any]:
    """Chromium of the system, drawing with its processor; or a skip that says what is missing."""
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("playwright is not installed")
    path = os.environ.get("ATOM_HF_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no chromium; install it, or name it in ATOM_HF_CHROMIUM")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield chromium
        chromium.close()
