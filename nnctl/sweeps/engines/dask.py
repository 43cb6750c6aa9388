"""Many machines: the stacks of a sweep as tasks of a Dask cluster."""

from __future__ import annotations

import concurrent.futures
import contextlib
import itertools
import logging
import os
import signal
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from pathlib import Path
from types import TracebackType
from typing import Any

import nnctl
from nnctl.errors import NnctlError, Problem, SpecError, WorkerDied
from nnctl.running.threads import cores
from nnctl.runs import atomic
from nnctl.spec.overrides import COMMAND_LINE
from nnctl.sweeps.engines import remote
from nnctl.sweeps.engines.answers import Stopped, name_of, result_of
from nnctl.sweeps.engines.parcels import packed, unpack

ANSWER = 10.0  # seconds that a scheduler has to answer, and its first worker to come


class Sent(Future[Any]):
    """The future of a task; ``runs`` may be asked for, and told by, more than one thread."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self._once = threading.Lock()
        self._runs: bool | None = None

    def runs(self) -> bool:
        """Have it run from now on, unless it was cancelled before."""
        with self._once:
            if self._runs is None:
                self._runs = self.set_running_or_notify_cancel()
            return self._runs


class Dask(Executor):
    """Has the tasks of a sweep trained by the workers of a Dask scheduler; without one, by a cluster in this process.

    A task whose worker is lost goes to another one, as often as the scheduler's `allowed-failures` says. Workers that
    do not see the coordinator's folder get copies of what they need, and their run folders are sent back.
    Raises: SpecError if Dask is not installed, nobody answers, or the workers have another version of nnctl.
    """

    def __init__(self, scheduler: str | None = None, jobs: int | None = None) -> None:
        self._cluster, self._client = _connected(scheduler, jobs)
        self._where, self._jobs = scheduler or "this process", jobs
        self._session = os.urandom(8).hex()
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._tokens: dict[str, Path] = {}  # of the sweep folders
        self._waiting: dict[int, tuple[Sent, Any]] = {}  # each with the future of Dask
        self._closed = self._interrupted = self._sends = False
        try:
            self._client.subscribe_topic(remote.topic(self._session), self._begun)
            self._check_versions()
        except BaseException:
            self._leave()
            raise

    @property
    def jobs(self) -> int:
        """How many tasks are trained at once: as many as said, or else as the workers take that are there by now."""
        threads: dict[str, int] = self._client.nthreads()
        return self._jobs or max(1, sum(threads.values()))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a function of nnctl called with a task. Its future fails with WorkerDied where too many workers die."""
        (task,) = args
        future = Sent(next(self._numbers))
        with self._lock:
            if self._closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            self._send(future, {"function": name_of(fn), "task": task, "number": future.number}, sends=self._sends)
        future.add_done_callback(lambda _: self._forget(future))
        return future

    def interrupt(self, number: int) -> None:
        """Give all running trainings a signal, at which they save themselves; what has not begun is cancelled."""
        self._interrupted = True
        self._client.run(remote.interrupt, self._session, number, wait=False, on_error="ignore")
        self._close(cancel=True)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._close(cancel=cancel_futures)
        if wait:
            concurrent.futures.wait([future for future, _ in self._still()])
            self._leave()

    def kill(self) -> None:
        """Wait for nobody. The trainings find out, save themselves and end."""
        self._close(cancel=True)
        for future, sent in self._still():
            if not future.cancel():
                sent.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._interrupted and error is not None:
            self.kill()
        elif error is not None:
            self.interrupt(signal.SIGTERM)
        self.shutdown()

    def _still(self) -> list[tuple[Sent, Any]]:
        with self._lock:
            return [*self._waiting.values()]

    def _close(self, *, cancel: bool) -> None:
        """Take no more tasks; cancel those that have not begun."""
        with self._lock:
            self._closed = True
        for future, _ in self._still() if cancel else ():
            future.cancel()

    def _leave(self) -> None:
        """Once: free the workers, and take back what lies in the sweep folders."""
        client, self._client = self._client, None
        if client is None:
            return
        for token in self._tokens.values():
            token.unlink(missing_ok=True)
        with contextlib.suppress(Exception):  # a cluster that is gone needs no farewell
            client.run(remote.end, self._session, wait=False, on_error="ignore")
        client.close()
        if self._cluster is not None:
            self._cluster.close()

    def _check_versions(self) -> None:
        own = nnctl.__version__
        with contextlib.suppress(TimeoutError):  # workers may come later: each task is checked, too
            self._client.wait_for_workers(1, timeout=ANSWER)
        try:
            found = self._client.run(remote.version).values()
        except ModuleNotFoundError as error:
            raise _missing(error) from error
        others = sorted(f"{version} on {host}" for version, host in found if version != own)
        if others:
            raise SpecError(f"the Dask workers have another nnctl than {own}: {', '.join(others)}; install the same")

    def _send(self, future: Sent, request: dict[str, Any], *, sends: bool) -> None:
        """Submit a request to Dask, with the files that a worker needs which does not see the folder."""
        task = request["task"]
        token = self._token(task["sweep"])
        request |= {"version": nnctl.__version__, "session": self._session, "token": str(token)}
        if sends:
            parcels = {member["number"]: packed(Path(member["path"])) for member in task["members"]}
            config = (Path(task["sweep"]) / "config.yaml").read_bytes()
            request |= {"parcels": parcels, "config": config}
        key = f"nnctl-{self._session}-{future.number}{'-files' if sends else ''}"
        sent = self._client.submit(remote.train, request, key=key, pure=False)
        self._waiting[future.number] = future, sent
        sent.add_done_callback(lambda sent: self._take(future, request, sent))

    def _send_files(self, future: Sent, request: dict[str, Any]) -> None:
        """Once more to a worker that does not see the folder, and from now on at once."""
        with self._lock:
            self._sends = True
            if not future.cancelled():
                self._send(future, request, sends=True)

    def _token(self, sweep: str) -> Path:
        """A file that a worker looks for: where it is, there is the sweep's folder."""
        if sweep not in self._tokens:
            self._tokens[sweep] = atomic.temporary_name(Path(sweep) / "shared")
            self._tokens[sweep].touch()
        return self._tokens[sweep]

    def _begun(self, event: tuple[float, int]) -> None:
        """Take the message of a worker that it trains now."""
        future, _ = self._waiting.get(event[1], (None, None))
        if future is not None:
            future.runs()

    def _forget(self, future: Sent) -> None:
        with self._lock:
            _, sent = self._waiting.pop(future.number)
        if future.cancelled():
            future.runs()  # which tells those that wait for it
            sent.cancel()

    def _take(self, future: Sent, request: dict[str, Any], sent: Any) -> None:
        """Take a reply, in a thread of Dask's client."""
        if future.cancelled():
            return
        try:
            reply = remote.Reply(*sent.result())
            if not reply.answer:
                return self._send_files(future, request)
            self._unpack(request["task"], reply)
            outcome, error = result_of(reply.answer), None
        except BaseException as raised:
            outcome, error = None, self._told(raised)
        if isinstance(error, Stopped):
            future.cancel()
        if not future.runs():
            return
        if error is None:
            future.set_result(outcome)
        else:
            future.set_exception(error)

    def _unpack(self, task: Mapping[str, Any], reply: remote.Reply) -> None:
        for member in task["members"]:
            if parcel := reply.parcels.get(member["number"]):
                unpack(parcel, Path(member["path"]))

    def _told(self, error: BaseException) -> BaseException:
        """An error of Dask as a sentence, another one as it is."""
        from distributed import CancelledError, KilledWorker

        if isinstance(error, KilledWorker):
            return WorkerDied(f"its Dask workers were lost, {error.allowed_failures + 1} one after the other")
        if isinstance(error, CancelledError):
            return WorkerDied(f"the Dask scheduler at {self._where} was lost")
        return _missing(error) if isinstance(error, ModuleNotFoundError) else error


def _connected(scheduler: str | None, jobs: int | None) -> tuple[Any, Any]:
    """A cluster of this process, if it has to be one, and the client."""
    try:
        import dask
        import distributed
    except ModuleNotFoundError as error:
        raise SpecError(Problem("needs Dask: pip install 'nnctl[dask]'", "--engine", COMMAND_LINE)) from error
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what is lost is told once, by who waits for it
    dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"})  # the files of runs are not small
    if scheduler is None:
        cluster = distributed.LocalCluster(
            n_workers=1,
            threads_per_worker=jobs or cores(),
            processes=False,  # trainings have processes of their own
            memory_limit=0,
            dashboard_address="127.0.0.1:0",
            worker_dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        )
        return cluster, distributed.Client(cluster, set_as_default=False)
    try:
        return None, distributed.Client(scheduler, timeout=ANSWER, set_as_default=False)
    except (OSError, ValueError) as error:
        raise SpecError(
            Problem(
                f"no Dask scheduler answers at {scheduler}; `dask scheduler` starts one", "--scheduler", COMMAND_LINE
            )
        ) from error


def _missing(error: ModuleNotFoundError) -> NnctlError:
    return WorkerDied(f"a Dask worker lacks the module `{error.name}`: install nnctl {nnctl.__version__} there")
