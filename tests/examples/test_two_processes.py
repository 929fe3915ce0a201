"""The examples in two processes, as `accelerate launch` starts them: the same weights as one that accumulates.

Slow: each run starts Python and torch anew, twice over for two processes.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("trl")
pytest.importorskip("accelerate")

from safetensors.torch import load_file

from atom_hf import Motion
from examples.make_walk import walking
from tests.examples.conftest import EXAMPLES
from tests.models.tiny_models import tiny_vqvae

CPU_2 = EXAMPLES / "accelerate_configs" / "cpu_2.yaml"
VQVAE = ["--synthesised", "40", "--width", "16", "--code_dim", "16", "--num_codes", "16", "--batch_size", "16",
         "--warmup_steps", "2", "--max_steps", "6", "--eval_steps", "3"]  # fmt: skip
SFT = ["--vocab_size", "400", "--d_model", "24", "--d_ff", "32", "--num_layers", "1", "--num_decoder_layers", "1",
       "--synthesised", "24", "--max_steps", "4", "--per_device_train_batch_size", "4", "--dropout", "0",
       "--per_device_eval_batch_size", "16", "--eval_strategy", "steps", "--eval_steps", "2", "--save_steps", "2",
       "--judged_prompts", "2", "--learning_rate", "1e-2", "--report_to", "none"]  # fmt: skip

pytestmark = pytest.mark.slow


def launch(script: str, *words: object, processes: int, cwd: Path) -> str:
    """Standard output of an example."""
    command = [sys.executable]
    environment = os.environ | {"PYTHONPATH": str(EXAMPLES.parent), "OMP_NUM_THREADS": "1"}
    if processes == 2:
        command += ["-m", "accelerate.commands.launch", "--config_file", str(CPU_2)]
        # torchrun's --standalone: the processes meet at a port that is bound when it is chosen. One that is looked for
        # beforehand may be taken by somebody else until the processes have started, which is seconds later.
        environment["PET_STANDALONE"] = "1"
    environment.pop("ACCELERATE_USE_CPU", None)  # users have none
    done = subprocess.run(
        [*command, str(EXAMPLES / script), *map(str, words)],
        cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def compare(one: Path, two: Path) -> None:
    expected, found = (load_file(folder / "model.safetensors") for folder in (one, two))
    assert expected.keys() == found.keys()
    for name, weight in expected.items():
        np.testing.assert_allclose(found[name].float(), weight.float(), rtol=0, atol=1e-5, err_msg=name)


def test_the_configuration_starts_two_processes(tmp_path):
    (tmp_path / "count.py").write_text(
        "from accelerate import Accelerator\n"
        "a = Accelerator(cpu=True)\n"
        "a.wait_for_everyone()\n"
        "found = f'{a.process_index} of {a.num_processes} on {a.device.type}, {a.distributed_type}'\n"
        "open(f'found{a.process_index}', 'w').write(found)\n"  # what both print at once may be mixed
        "a.end_training()\n"
    )
    launch(str(tmp_path / "count.py"), processes=2, cwd=tmp_path)
    found = [path.read_text() for path in sorted(tmp_path.glob("found*"))]
    assert found == [f"{i} of 2 on cpu, DistributedType.MULTI_CPU" for i in range(2)]


def test_train_vqvae(tmp_path):
    """Weights, codebook and statistics; clips of different lengths, and real ones, are among those of a step."""
    for i, frames in enumerate((30, 50, 120)):
        Motion(walking(frames)).save(tmp_path / f"walk{i}.npy")
    words = [*VQVAE, "--mocap", tmp_path / "walk*.npy", "--window", "48", "--output_dir"]
    launch("train_vqvae.py", *words, "one", "--gradient_accumulation_steps", "2", processes=1, cwd=tmp_path)
    launch("train_vqvae.py", *words, "two", processes=2, cwd=tmp_path)
    compare(tmp_path / "one", tmp_path / "two")
    lines = (tmp_path / "two" / "metrics.jsonl").read_text().splitlines()
    assert len(lines) == 2  # written by one of them
    assert (tmp_path / "two" / "checkpoint-6" / "random_states_1.pkl").is_file()
    # Both processes go on from there.
    printed = launch("train_vqvae.py", *words, "two", "--max_steps", "9", processes=2, cwd=tmp_path)
    assert printed.count("going on from step 6") == 1
    assert len((tmp_path / "two" / "metrics.jsonl").read_text().splitlines()) == 3


def test_sft(tmp_path):
    tiny_vqvae().save_pretrained(tmp_path / "vqvae")
    words = [*SFT, "--vqvae", "vqvae", "--output_dir"]
    launch("sft.py", *words, "one", "--gradient_accumulation_steps", "2", processes=1, cwd=tmp_path)
    launch("sft.py", *words, "two", processes=2, cwd=tmp_path)
    compare(tmp_path / "one", tmp_path / "two")
    assert (tmp_path / "two" / "checkpoint-4" / "rng_state_1.pth").is_file()
