"""What a Dask worker does for a sweep: it has worker processes of nnctl train, one for each of its threads."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import nnctl
from nnctl.errors import DataError, NnctlError, Problem, SpecError, WorkerDied
from nnctl.running.interrupts import Terminated
from nnctl.runs.run_dir import RunDir
from nnctl.sweeps.engines.answers import failure
from nnctl.sweeps.engines.parcels import Parcel, packed, unpack
from nnctl.sweeps.engines.process import PATIENCE, Worker

DATA = ("path", "val_path", "test_path")
POLL = 0.5  # seconds

# The process of a Dask worker is no part of a training: what is killed there, saves or heeds signals is a process of
# its own, as on one machine. It ends by itself with the Dask worker. What is a coroutine here is so that nobody has to
# wait for it.
_lock = threading.Lock()
_idle: list[Worker] = []
_busy: dict[Worker, str] = {}  # and the session that it works for
_stopped: dict[str, int] = {}  # sessions, and the signal that has ended them


class Reply(NamedTuple):
    """What a Dask worker gives back."""

    answer: str  # as of a worker process; empty: it does not see the coordinator's folder, and got no files
    parcels: dict[int, Parcel]  # of the trials, by their number, where it does not see that folder


def version() -> tuple[str, str]:
    """That of nnctl on this machine, and the machine's name."""
    return nnctl.__version__, socket.gethostname()


def train(request: Mapping[str, Any]) -> Reply:
    """Have a task trained: where the coordinator has its folder, or else on copies of what it sent."""
    try:
        _check_version(request["version"])
        _check_data(request["task"])
        if Path(request["token"]).exists():
            return Reply(_trained(request, request["task"]), {})
        return _with_copies(request) if "parcels" in request else Reply("", {})
    except (NnctlError, OSError, Terminated) as error:
        return Reply(failure(error), {})


def topic(session: str) -> str:
    """Where the numbers are told of the requests that are being trained."""
    return f"nnctl-{session}"


async def interrupt(session: str, number: int) -> None:
    """Give the trainings of a session a signal, and begin no other."""
    with _lock:
        _stopped[session] = number
        for worker, owner in _busy.items():
            if owner == session:
                worker.signal(number)


async def end(session: str, dask_worker: Any) -> None:
    """Let go what has nothing to do any longer: processes, and copies of a session."""
    with _lock:
        idle, _idle[:] = _idle[:], []
    for worker in idle:  # in threads, as it takes its time, and the Dask worker has other things to do
        threading.Thread(target=worker.close, daemon=True).start()
    shutil.rmtree(_base(dask_worker, session), ignore_errors=True)


def _base(dask_worker: Any, session: str) -> Path:
    return Path(dask_worker.local_directory) / f"nnctl-{session}"


def _check_version(wanted: str) -> None:
    own, host = version()
    if own != wanted:
        raise SpecError(f"the Dask worker on {host} has nnctl {own}, and here it is {wanted}: install the same there")


def _check_data(task: Mapping[str, Any]) -> None:
    """Data files stay where they are: every machine has to have them."""
    files = {member["spec"]["data"].get(key): f"data.{key}" for member in task["members"] for key in DATA}
    host = socket.gethostname()
    told = f"is not to be read on {host}, where a Dask worker trains: the data has to lie at the same path there"
    problems = [Problem(f"{path}: {told}", key) for path, key in files.items() if path and not os.access(path, os.R_OK)]
    if problems:
        raise DataError(problems)


def _with_copies(request: Mapping[str, Any]) -> Reply:
    from distributed import get_worker

    task = _moved(request["task"], _base(get_worker(), request["session"]) / "runs")
    sweep = Path(task["sweep"])
    sweep.mkdir(parents=True, exist_ok=True)
    (sweep / "config.yaml").write_bytes(request["config"])
    folders = {member["number"]: Path(member["path"]) for member in task["members"]}
    try:
        for number, folder in folders.items():
            shutil.rmtree(folder, ignore_errors=True)  # of an attempt before, which this one knows nothing of
            if request["parcels"].get(number):
                unpack(request["parcels"][number], folder)
        answer = _trained(request, task)
        return Reply(answer, {number: packed(folder) for number, folder in folders.items()})
    finally:
        for folder in folders.values():
            shutil.rmtree(folder, ignore_errors=True)


def _moved(task: Mapping[str, Any], runs: Path) -> dict[str, Any]:
    """The same task in other folders."""

    def moved(path: str) -> str:
        return str(runs / os.path.relpath(path, task["runs"]))

    members = [{**member, "path": moved(member["path"])} for member in task["members"]]
    return {**task, "runs": str(runs), "sweep": moved(task["sweep"]), "members": members}


def _trained(request: Mapping[str, Any], task: Mapping[str, Any]) -> str:
    _wait_for_locks(task)
    from distributed import get_worker

    with _borrowed(request["session"]) as worker, _watched(worker):
        get_worker().log_event(topic(request["session"]), request["number"])
        try:
            return worker.call(request["function"], [task])
        except WorkerDied as error:
            raise WorkerDied(f"{error} (on {socket.gethostname()})") from error


def _wait_for_locks(task: Mapping[str, Any]) -> None:
    """The worker of one that has been lost, on this machine or near it, may still be saving."""
    deadline = time.monotonic() + PATIENCE
    for member in task["members"]:
        while RunDir(Path(member["path"])).is_locked() and time.monotonic() < deadline:
            time.sleep(0.05)


@contextlib.contextmanager
def _borrowed(session: str) -> Iterator[Worker]:
    with _lock:
        if session in _stopped:
            raise Terminated(_stopped[session])
        worker = _idle.pop() if _idle else Worker()
        _busy[worker] = session
    try:
        yield worker
    finally:
        with _lock:
            del _busy[worker]
            if not worker.signalled:
                _idle.append(worker)
        if worker.signalled:
            worker.close()


@contextlib.contextmanager
def _watched(worker: Worker) -> Iterator[None]:
    """Let the training save itself and end once nobody waits for it: the coordinator is gone, or has cancelled it."""
    from distributed import get_worker

    dask = get_worker()
    key, done = dask.get_current_task(), threading.Event()

    def watch() -> None:
        while not done.wait(POLL):
            task = dask.state.tasks.get(key)
            if task is None or task.state in ("cancelled", "released", "forgotten"):
                return worker.signal(signal.SIGTERM)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
