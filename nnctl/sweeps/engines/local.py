"""The cores of this machine: one worker process for each."""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from types import TracebackType
from typing import Any, NamedTuple

from nnctl.running.threads import cores
from nnctl.sweeps.engines.answers import name_of, result_of
from nnctl.sweeps.engines.process import COMMAND, Worker


class Call(NamedTuple):
    """What has to be done, and where its result is waited for."""

    future: Future[Any]
    name: str
    args: tuple[Any, ...]


class Processes(Executor):
    """Carries out calls in worker processes, which are started at once, each a call at a time.

    Unlike a `ProcessPoolExecutor` it loses one call with a worker that is killed, sends no code, and needs nothing of
    the user's main module: arguments and results are plain values for JSON.
    Raises: WorkerDied if no process can be started.
    """

    def __init__(self, jobs: int | None = None, *, command: Sequence[str] = COMMAND) -> None:
        self.jobs = cores() if jobs is None else jobs
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = self._interrupted = False
        self._workers: list[Worker] = []
        try:
            for _ in range(self.jobs):
                self._workers.append(Worker(command))
        except BaseException:
            for worker in self._workers:
                worker.close()
            raise
        # Daemons: a coordinator that ends without more ado takes its workers with it, as they find out.
        self._threads = [threading.Thread(target=self._serve, args=(each,), daemon=True) for each in self._workers]
        for thread in self._threads:
            thread.start()

    @property
    def pids(self) -> list[int]:
        """The worker processes."""
        return [worker.pid for worker in self._workers]

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a function of nnctl called in a worker. Its future fails with WorkerDied where the worker dies."""
        if kwargs:
            raise TypeError("calls in worker processes take no keywords")
        with self._lock:
            if self._closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            future: Future[Any] = Future()
            self._calls.put(Call(future, name_of(fn), args))
        return future

    def interrupt(self, number: int) -> None:
        """Give all running calls a signal, at which a training saves itself; what has not begun is cancelled."""
        self._interrupted = True
        self._close(cancel=True)
        for worker in self._workers:
            worker.signal(number)

    def kill(self) -> None:
        """End all workers at once; their calls fail."""
        self._close(cancel=True)
        for worker in self._workers:
            worker.kill()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._close(cancel=cancel_futures)
        if wait:
            for thread in self._threads:
                thread.join()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._interrupted and error is not None:  # a second Ctrl-C, while trainings save themselves
            self.kill()
        elif error is not None:
            self.interrupt(signal.SIGTERM)
        self.shutdown()

    def _close(self, *, cancel: bool) -> None:
        """Take no more calls. Each thread finds the end of them behind those that are left."""
        with self._lock:
            while cancel:
                try:
                    call = self._calls.get_nowait()
                except queue.Empty:
                    break
                if call is not None:
                    call.future.cancel()
                    call.future.set_running_or_notify_cancel()
            if cancel or not self._closed:
                for _ in self._threads:
                    self._calls.put(None)
            self._closed = True

    def _serve(self, worker: Worker) -> None:
        while (call := self._calls.get()) is not None:
            if not call.future.set_running_or_notify_cancel():
                continue
            try:
                result = result_of(worker.call(call.name, call.args))
            except BaseException as error:
                call.future.set_exception(error)
            else:
                call.future.set_result(result)
            del call  # a result may be large, and the next call may be long in coming
        worker.close()
