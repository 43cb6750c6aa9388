"""Adding a component means adding one file: here an optimizer that comes from another distribution."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

PLUGIN = '''
"""Gradient descent by the sign of the gradient."""

import numpy as np

from nnctl.component import component
from nnctl.optimizers import Optimizer, OptimizerSlot, learning_rate


@component("sign_descent")
class SignDescent(Optimizer):
    """Sign descent, ``theta -= lr sign(grad)``."""

    lr: float = learning_rate(0.01)

    def step(self, s: OptimizerSlot) -> None:
        np.sign(s.grad, s.grad)
        np.multiply(s.grad, s.lr, s.grad)
        np.subtract(s.theta, s.grad, s.theta)
'''

CONFIG = """
data: {path: or.csv, target: y, split: none}
model: {hidden: [4]}
optimizer: {type: sign_descent, lr: 0.05}
train: {epochs: 200, batch_size: full}
"""


def install(folder: Path) -> None:
    """What pip would leave of a distribution with one module and one entry point."""
    (folder / "sign_descent.py").write_text(PLUGIN)
    info = folder / "sign_descent-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sign-descent\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[nnctl.components]\nsign_descent = sign_descent\n")


def nnctl(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}
    return subprocess.run(
        [sys.executable, "-m", "nnctl", *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_an_optimizer_in_one_file_is_listed_explained_and_trains(tmp_path: Path) -> None:
    install(tmp_path)
    (tmp_path / "or.csv").write_text("a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,1\n")
    (tmp_path / "or.yaml").write_text(CONFIG)
    listed = nnctl(tmp_path, "list", "--json")
    assert "sign_descent" in json.loads(listed.stdout)["optimizers"]
    assert "theta -= lr sign(grad)" in nnctl(tmp_path, "explain", "sign_descent").stdout
    trained = nnctl(tmp_path, "train", "or.yaml", "--json")
    assert trained.returncode == 0, trained.stderr
    assert json.loads(trained.stdout)["metrics"]["train_accuracy"] == 1.0


def test_a_plugin_conforms_by_one_call(tmp_path: Path) -> None:
    install(tmp_path)
    code = "import nnctl.testing, sign_descent; nnctl.testing.conforms(sign_descent.SignDescent)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
