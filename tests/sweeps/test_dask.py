"""Dask as the engine of a sweep: a real scheduler, workers that are killed, and workers that share no folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import pytest

import nnctl
from nnctl.errors import DataError, RunError, SpecError, WorkerDied
from nnctl.running.stacking import train_stack
from nnctl.runs.run_dir import RunDir
from nnctl.sweeps.engines.dask import Dask
from tests.sweeps.cluster import PATIENCE, Cluster, until, written
from tests.sweeps.tasks import SWEEP, sweep_folder, task

# Scheduler, workers and client are of one version here: what they warn of concerns neither nnctl nor these tests.
pytestmark = pytest.mark.filterwarnings("default::DeprecationWarning:distributed", "default::ResourceWarning")
LONG = "train.epochs=100000000"


class Apart(Dask):
    """Its workers do not find the folder of the sweep."""

    def _token(self, sweep: str) -> Path:
        return Path("/no/such/folder/token")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("dask"), 2)
    yield cluster
    cluster.close()


@pytest.fixture
def workers(cluster: Cluster) -> Cluster:
    """With two workers that live."""
    cluster.workers = [worker for worker in cluster.workers if worker.poll() is None]
    while len(cluster.workers) < 2:
        cluster.add_worker()
    return cluster


def connected(cluster: Cluster, engine: type[Dask] = Dask) -> Dask:
    dask = engine(cluster.address)
    until(lambda: dask.jobs == 2)
    return dask


def statuses(result: dict[str, Any]) -> list[str]:
    return [member["status"] for member in result["members"]]


def holder(folder: Path) -> int:
    """The process that trains a run."""
    return int(json.loads(written(folder / "run.lock"))["pid"])


@pytest.mark.parametrize("engine", [Dask, Apart])
def test_the_tasks_of_a_killed_worker_are_trained_by_the_other(
    tmp_path: Path, workers: Cluster, engine: type[Dask]
) -> None:
    sweep = sweep_folder(tmp_path)
    with connected(workers, engine) as dask:
        futures = [dask.submit(train_stack, task(sweep, [n, n + 1], "train.epochs=3000")) for n in range(1, 8, 2)]
        futures[0].result(PATIENCE)
        until(lambda: all(dask._client.processing().values()))  # both have something to lose
        workers.workers[0].kill()
        assert [statuses(future.result(PATIENCE)) for future in futures] == [["completed"] * 2] * 4
    runs = sorted((sweep / "trials").iterdir())
    assert [path.name for path in runs] == [f"{number:04d}" for number in range(1, 9)]
    assert all((path / "metrics.json").exists() for path in runs)
    assert sorted(path.name for path in sweep.iterdir()) == ["config.yaml", "trials"]


def test_a_trial_goes_on_where_it_waited_with_or_without_a_shared_folder(tmp_path: Path, workers: Cluster) -> None:
    weights = []
    for engine in (Dask, Apart):
        (tmp_path / engine.__name__).mkdir()
        sweep = sweep_folder(tmp_path / engine.__name__)
        with connected(workers, engine) as dask:
            for until_epoch, status in ((10, "waiting"), (None, "completed")):
                sent = task(sweep, [7], until=until_epoch)
                assert statuses(dask.submit(train_stack, sent).result(PATIENCE)) == [status]
        weights.append(RunDir(sweep / "trials/0007").read_run_json()["weights_sha256"])
        assert (sweep / "trials/0007/metrics.csv").read_text().count("\n") == 41
    assert weights[0] == weights[1]


def test_a_signal_of_the_coordinator_lets_the_trainings_save_themselves(tmp_path: Path, workers: Cluster) -> None:
    sweep = sweep_folder(tmp_path)
    with connected(workers) as dask:
        running = [dask.submit(train_stack, task(sweep, [number], LONG)) for number in (1, 2)]
        for number in (1, 2):
            written(sweep / f"trials/000{number}/run.json")
        waiting = [dask.submit(train_stack, task(sweep, [number], LONG)) for number in (3, 4, 5, 6)]
        until(lambda: all(future.running() for future in running))
        assert not any(future.running() for future in waiting)
        assert waiting.pop().cancel()
        dask.interrupt(signal.SIGINT)
        for future in running:
            (member,) = future.result(PATIENCE)["members"]
            assert member["reason"].startswith("SIGINT in epoch ")
        for future in waiting:
            with pytest.raises(CancelledError):
                future.result(PATIENCE)
        with pytest.raises(RuntimeError, match="after shutdown"):
            dask.submit(train_stack, task(sweep, [7]))


COORDINATOR = """
import json, sys
from nnctl.running.stacking import train_stack
from nnctl.sweeps.engines.dask import Dask
engine = Dask(sys.argv[1])
future = engine.submit(train_stack, json.loads(sys.argv[2]))
input()
"""


def test_trainings_of_a_killed_coordinator_save_themselves_and_end(tmp_path: Path, workers: Cluster) -> None:
    sweep = sweep_folder(tmp_path)
    words = [sys.executable, "-c", COORDINATOR, workers.address, json.dumps(task(sweep, [1], LONG))]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(words, stdin=subprocess.PIPE, env=env) as coordinator:
        run_dir = RunDir(sweep / "trials/0001")
        written(run_dir.run_json)
        coordinator.kill()
    until(lambda: run_dir.read_run_json()["status"] == "interrupted")
    until(lambda: not run_dir.is_locked())


def test_a_training_that_is_killed_names_its_machine(tmp_path: Path, workers: Cluster) -> None:
    sweep = sweep_folder(tmp_path)
    with connected(workers) as dask:
        future = dask.submit(train_stack, task(sweep, [1], LONG))
        os.kill(holder(sweep / "trials/0001"), signal.SIGKILL)
        with pytest.raises(WorkerDied, match=rf"ended by SIGKILL.*\(on {os.uname().nodename}\)$"):
            future.result(PATIENCE)


def test_data_that_a_worker_cannot_read_is_named_with_its_machine(tmp_path: Path, workers: Cluster) -> None:
    sent = task(sweep_folder(tmp_path), [1])
    (tmp_path / "xor.csv").unlink()
    with connected(workers) as dask, pytest.raises(DataError) as caught:
        dask.submit(train_stack, sent).result(PATIENCE)
    assert str(caught.value).startswith(f"data.path: {tmp_path}/xor.csv: is not to be read on {os.uname().nodename}")


def test_workers_of_another_version_are_refused(workers: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nnctl, "__version__", "9.9.9")
    with pytest.raises(SpecError, match=r"have another nnctl than 9\.9\.9: 0\..* on .*; install the same"):
        Dask(workers.address)


def test_a_worker_of_another_version_that_comes_later_is_refused(
    tmp_path: Path, workers: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connected(workers) as dask:
        monkeypatch.setattr(nnctl, "__version__", "9.9.9")
        with pytest.raises(SpecError, match=r"the Dask worker on .* has nnctl 0\..*, and here it is 9\.9\.9"):
            dask.submit(train_stack, task(sweep_folder(tmp_path), [1])).result(PATIENCE)


def test_what_comes_back_and_is_no_run_is_refused(
    tmp_path: Path, workers: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = sweep_folder(tmp_path)
    with connected(workers, Apart) as dask:
        monkeypatch.setattr("nnctl.sweeps.engines.dask.unpack", lambda *_: (_ for _ in ()).throw(RunError("no run")))
        with pytest.raises(RunError, match="no run"):
            dask.submit(train_stack, task(sweep, [1])).result(PATIENCE)


def test_a_scheduler_that_does_not_answer_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnctl.sweeps.engines.dask.ANSWER", 0.2)
    for address in ("tcp://127.0.0.1:9", "nonsense://x", "127.0.0.1"):
        with pytest.raises(SpecError, match=f"^command line: --scheduler: no Dask .* at {address}; `dask scheduler`"):
            Dask(address)


def test_without_dask_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SpecError, match=r"--engine: needs Dask: pip install 'nnctl\[dask\]'"):
        Dask("tcp://127.0.0.1:9")


def test_without_a_scheduler_the_cluster_is_this_machine(tmp_path: Path) -> None:
    sweep = sweep_folder(tmp_path)
    with Dask(jobs=2) as dask:
        assert dask.jobs == 2
        futures = [dask.submit(train_stack, task(sweep, [number])) for number in range(1, 5)]
        assert [statuses(future.result(PATIENCE)) for future in futures] == [["completed"]] * 4


def test_a_scheduler_that_is_lost_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnctl.sweeps.engines.dask.ANSWER", 1.0)  # as long it is looked for
    cluster = Cluster(tmp_path / "dask", 1)
    try:
        dask = Dask(cluster.address)
        future = dask.submit(train_stack, task(sweep_folder(tmp_path), [1], LONG))
        written(tmp_path / "runs/xor" / SWEEP / "trials/0001/run.json")
        cluster.scheduler.kill()
        with pytest.raises(WorkerDied, match=f"the Dask scheduler at {cluster.address} was lost"):
            future.result(PATIENCE)
        dask.shutdown()
    finally:
        cluster.close()
