"""`nnctl sweep` with an engine of its own choice, from the command line to the last trial."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import nnctl
from nnctl.cli import main
from nnctl.errors import SpecError
from tests.sweeps.cluster import PATIENCE, Cluster, environment, until
from tests.sweeps.tasks import CONFIG, TABLE

WORDS = ["optimizer.lr=0.003,0.01,0.03,0.1,0.3", "--seeds", "8"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "xor.csv").write_text(TABLE)
    (tmp_path / "xor.yaml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path / "dask", 2)
    yield cluster
    cluster.close()


def begun(project: Path) -> list[Path]:
    return sorted(project.glob("runs/xor/2*/trials/*/run.json"))


def test_all_trials_complete_though_one_of_two_dask_workers_is_killed(project: Path, cluster: Cluster) -> None:
    words = ["xor.yaml", *WORDS, "train.epochs=800", "--engine", "dask", "--scheduler", cluster.address, "--json"]
    until(lambda: (project / "dask/worker.log").read_text().count("Registered to") == 2)
    command = [sys.executable, "-m", "nnctl", "sweep", *words]
    with subprocess.Popen(
        command, cwd=project, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as sweep:
        until(lambda: len(begun(project)) == 40)
        cluster.workers[0].kill()
        out, err = sweep.communicate(timeout=PATIENCE)
    assert sweep.returncode == 0, err
    trials = json.loads(out)["trials"]
    assert [trial["status"] for trial in trials] == ["completed"] * 40
    assert len({trial["run"] for trial in trials}) == 40
    rows = [path.with_name("metrics.csv").read_text().splitlines() for path in begun(project)]
    assert [len(each) for each in rows] == [801] * 40, "every epoch once"
    assert "distributed" not in err


def test_the_engines_train_the_same(project: Path) -> None:
    asked: dict[str, Any] = {"words": {"optimizer.lr": [0.01, 0.1]}, "seeds": 2}
    with ThreadPoolExecutor(1) as own:
        sweeps = [
            nnctl.sweep("xor.yaml", **asked, **engine)
            for engine in ({"jobs": 2}, {"engine": "dask", "jobs": 2}, {"executor": own})
        ]
    assert len({sweep.path for sweep in sweeps}) == 3
    losses = [[trial.metrics["train_loss"] for trial in sweep.trials] for sweep in sweeps]
    assert losses[0] == losses[1] == losses[2]
    assert len(set(losses[0])) == 4


def test_an_executor_of_others_gets_as_many_stacks_as_it_has_workers(project: Path) -> None:
    submitted = []

    class Counting(ThreadPoolExecutor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            submitted.append([member["number"] for member in args[0]["members"]])
            return super().submit(fn, *args, **kwargs)

    with Counting(2) as own:
        nnctl.sweep("xor.yaml", {"optimizer.lr": [0.01, 0.1]}, seeds=2, executor=own)
    assert [len(members) for members in submitted] == [2, 2]


def test_what_is_wrong_with_an_engine_is_told_before_a_folder_is_made(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("nnctl.sweeps.engines.dask.ANSWER", 0.2)
    assert main(["sweep", "xor.yaml", *WORDS, "--engine", "dask", "--scheduler", "tcp://127.0.0.1:9"]) == 2
    assert "--scheduler: no Dask scheduler answers at tcp://127.0.0.1:9" in " ".join(capsys.readouterr().err.split())
    assert main(["sweep", "xor.yaml", *WORDS, "--scheduler", "tcp://127.0.0.1:9"]) == 2
    assert "--scheduler: is that of Dask: write `--engine dask` too" in capsys.readouterr().err
    with pytest.raises(SpecError, match="engine: must be `local` or `dask`, got 'ray'"):
        nnctl.sweep("xor.yaml", {"optimizer.lr": [0.1, 0.2]}, engine="ray")  # type: ignore[arg-type]
    assert not (project / "runs/xor").exists()
