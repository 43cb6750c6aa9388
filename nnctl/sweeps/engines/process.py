"""A worker process on this machine, as who calls it sees it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from typing import IO, Any

from nnctl.errors import WorkerDied
from nnctl.runs import atomic
from nnctl.sweeps.engines.answers import Stopped

# -P: what lies in the current folder is no module.
COMMAND = (sys.executable, "-P", "-m", "nnctl.sweeps.worker")
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
SAID = 20  # lines of stderr that are kept
PATIENCE = 40.0  # seconds; longer than a worker has to save itself


class Worker:
    """A process that carries out one call at a time; where it has died, the next call starts a fresh one.

    It is started at once, in a session of its own: Ctrl-C in a terminal reaches the coordinator alone, which decides.
    Raises: WorkerDied if it cannot be started.
    """

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = command
        self._sending = threading.Lock()
        self._signal: int | None = None
        self._start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def signalled(self) -> bool:
        """Whether there will be no other call."""
        return self._signal is not None

    def call(self, name: str, args: Sequence[Any]) -> str:
        """The worker's answer, a line of JSON. Raises: WorkerDied if it dies first."""
        line = json.dumps({"call": name, "args": args}).encode() + b"\n"
        if self._reaped or not self._begin(line):  # it has died before, with nothing to do
            self._reap()
            self._start()
            if not self._begin(line):
                raise WorkerDied(self._death())
        text = self._read()
        if not text:
            raise WorkerDied(self._death())
        return text.decode()

    def _begin(self, line: bytes) -> bool:
        """Whether the process has begun the call."""
        with self._sending:
            if self._signal is not None:
                raise Stopped(f"was stopped by {_name(self._signal)} before it began")
            with contextlib.suppress(OSError):  # it has died: then nothing can be read either
                self._write(line)
        return bool(self._read())

    def _read(self) -> bytes:
        """The next line, if it is a whole one; else the process has died."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        return line if line.endswith(b"\n") else b""

    def signal(self, number: int) -> None:
        """Give the running call a signal; there will be no other call."""
        with self._sending:
            self._signal = number
            with contextlib.suppress(OSError, ValueError):
                self._write(json.dumps({"signal": number}).encode() + b"\n")

    def kill(self) -> None:
        """End the process at once, whatever it does; there will be no other call."""
        with self._sending:
            self._signal = signal.SIGKILL
            self._process.kill()

    def close(self) -> None:
        """Let the process end, and wait for it."""
        with self._sending, contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()  # twice does no harm
        self._reap()

    def _write(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line)
        self._process.stdin.flush()

    def _start(self) -> None:
        paths = os.pathsep.join(path for path in sys.path if path)  # what is imported here is found there
        environment = {**os.environ, "PYTHONPATH": paths, **dict.fromkeys(ONE_THREAD, "1")}
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(
                self._command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, start_new_session=True
            )
        except OSError as error:
            raise WorkerDied(f"no worker process can be started: {atomic.reason(error)}") from error
        self._reaped = False
        self._said: deque[str] = deque(maxlen=SAID)
        self._listener = threading.Thread(target=_keep, args=(self._process.stderr, self._said), daemon=True)
        self._listener.start()

    def _reap(self) -> None:
        """Wait for the end of the process, or bring it about."""
        if self._reaped:
            return
        self._reaped = True
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):  # what could not be sent is not needed any longer
                stream.close()
        self._listener.join(1.0)  # a grandchild may hold its end open

    def _death(self) -> str:
        """Why the process has died: the rest of a sentence that begins with what it trained."""
        self._reap()
        code = self._process.returncode
        how = f"ended with exit code {code}" if code >= 0 else f"was ended by {_name(-code)}"
        why = f"its worker process (pid {self.pid}) {how}"
        if -code == signal.SIGKILL and self._signal is None:
            why += ": perhaps because memory ran out, then --jobs trains fewer at a time"
        said = [line for line in self._said if line]
        fatal = [line for line in said if line.startswith("Fatal Python error")]
        last = (fatal or said)[-1:]
        return f"{why}; it said last: {last[0]}" if last else why


def _keep(stream: IO[bytes], said: deque[str]) -> None:
    """Take what the process says, so that it never waits for a reader, and keep the last lines."""
    with stream:
        for line in iter(lambda: stream.readline(10_000), b""):
            said.append(line.decode(errors="replace").rstrip())


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
