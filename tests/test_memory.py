"""The memory of a training: what its vectors and activations take, and nothing that grows beside them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tables import write_csv

ROOT = Path(__file__).parent.parent
WIDE = 1800  # units: a vector of 13 MB, beside which the rest is small
SMALL = {"MALLOC_MMAP_THRESHOLD_": "131072"}  # what is freed is the system's again, as it is of larger arrays anyway
PEAK = """
import json, sys
import nnctl
from nnctl.cli import main
code = main(sys.argv[1:])
with open("/proc/self/status") as file:
    peak = next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
print(json.dumps({"code": code, "peak": peak}))
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only there a process can say its own peak")


@pytest.fixture
def config(in_folder: Path) -> Path:
    write_csv(Path("table.csv"), ["x", "z", "y"], [[place, place % 7, place % 3] for place in range(60)])
    path = Path("it.yaml")
    path.write_text("data: {path: table.csv, target: y, task: regression}\ntrain: {epochs: 2, batch_size: 8}\n")
    return path


def peak(*words: str) -> int:
    """The bytes of memory that a command needs at most."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **SMALL}
    done = subprocess.run([sys.executable, "-c", PEAK, *words], capture_output=True, text=True, env=env, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["code"] == 0, done.stderr
    return int(found["peak"])


def test_a_run_needs_theta_gradient_best_weights_and_the_optimizers_vectors(config: Path) -> None:
    """Beyond that of a tiny network: 3 + 2 vectors with adam, whether it begins, goes on, or begins with other weights.

    The activations of a few rows take 1 MB.
    """
    tiny = ["train", str(config), "--name", "it", "-q", "model.hidden=[2, 2]"]
    train = [*tiny[:-1], f"model.hidden=[{WIDE}, {WIDE}]"]
    peak(*tiny)  # to read a table takes pandas, and more memory than this network
    least = peak(*tiny)
    parameters = 2 * WIDE + WIDE**2 + 3 * WIDE + 1
    begun, gone_on = peak(*train), peak("resume", "it/latest", "train.epochs=3", "-q")
    peak(*train, "--from", "it/latest")  # whose preparation is other data
    found = {"train": begun, "resume": gone_on, "--from": peak(*train, "--from", "it/latest")}
    vectors = {words: round((most - least) / (4 * parameters), 2) for words, most in found.items()}
    assert all(4.5 < each < 5.5 for each in vectors.values()), f"{vectors} of the {parameters:,} parameters"
