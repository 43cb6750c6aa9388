"""Adding a component means adding one file: here an optimizer that comes from another distribution."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from nnctl import component as components
from nnctl.component import Registry, component, registry
from nnctl.layers import Activation
from nnctl.metrics import Metric
from nnctl.metrics.rmse import Rmse

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

CLASHING = """
from nnctl.component import component
from nnctl.metrics import Metric


@component("rmse")
class Rmse(Metric):
    tasks, better = ("regression",), "lower"
"""

CONFIG = """
data: {path: or.csv, target: y, split: none}
model: {hidden: [4]}
optimizer: {type: sign_descent, lr: 0.05}
train: {epochs: 200, batch_size: full}
"""


def install(folder: Path, name: str = "sign_descent", code: str = PLUGIN) -> None:
    """What pip would leave of a distribution with one module and one entry point."""
    (folder / f"{name}.py").write_text(code)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[nnctl.components]\n{name} = {name}\n")


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


def test_plugins_that_fail_are_named_and_left_out(tmp_path: Path) -> None:
    install(tmp_path)
    install(tmp_path, "a_clash", CLASHING)
    install(tmp_path, "broken", "import no_such_module")
    (tmp_path / "or.csv").write_text("a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,1\n")
    (tmp_path / "or.yaml").write_text(CONFIG)
    told = {
        "warning: the plug-in `a_clash` of the package a-clash is left out, as it cannot be loaded: ValueError: "
        "metrics: `rmse` is both nnctl.metrics.rmse and a_clash",
        "warning: the plug-in `broken` of the package broken is left out, as it cannot be loaded: "
        "ModuleNotFoundError: No module named 'no_such_module'",
    }
    listed = nnctl(tmp_path, "list", "--json")
    assert (listed.returncode, {*listed.stderr.splitlines()}) == (0, told)
    assert "sign_descent" in json.loads(listed.stdout)["optimizers"]
    slip = nnctl(tmp_path, "train", "or.yaml", "optimizer=adamm")
    assert slip.returncode == 2
    assert told < {*slip.stderr.splitlines()}
    assert "did you mean `adam`?" in slip.stderr
    alias = nnctl(tmp_path, "train", "or.yaml", "model.activation=swish", "optimizer=adam", "-q")
    assert (alias.returncode, {*alias.stderr.splitlines()}) == (0, told)


def test_a_name_of_nnctl_stays_its_own() -> None:
    with pytest.raises(ValueError, match=r"`swish` is both nnctl\.layers\.silu and tests\.test_plugin"):
        component("swish")(type("Swish", (Activation,), {"__module__": __name__}))
    with pytest.raises(ValueError, match=r"`rmse` is both nnctl\.metrics\.rmse and tests\.test_plugin"):
        component("entirely_new", aliases=["rmse"])(type("New", (Metric,), {"__module__": __name__}))
    assert registry.get("metrics", "rmse") is Rmse
    assert "entirely_new" not in registry.all("metrics")


def test_threads_that_ask_first_all_find_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh, start = Registry(), threading.Barrier(4)
    names = components._files("metrics")

    def slowly(module: str) -> None:
        time.sleep(0.001)
        fresh._by_kind["metrics"][module] = Rmse

    def ask() -> None:
        start.wait()
        found.append(len(fresh.all("metrics")))

    monkeypatch.setattr(components, "import_module", slowly)
    monkeypatch.setattr(Registry, "_load_plugins", lambda self: None)
    found: list[Any] = []
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [len(names)] * 4
