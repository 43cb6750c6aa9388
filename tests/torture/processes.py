"""Processes to be killed: forked from this one, which has paid for the imports, or real ones of their own."""

from __future__ import annotations

import functools
import gc
import io
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

ROOT = Path(__file__).parents[2]
WARM = """
data: {path: table.csv, target: y, id: [id], drop: [b], split: {val: 0.25}}
model: {hidden: [4], dropout: 0.1, norm: batch, activation: tanh}
optimizer: {type: adam, lr: 0.1, ema: 0.9}
schedule: {type: step, every: 3}
early_stopping: {type: patience, patience: 3}
train: {epochs: 2, batch_size: 12}
checkpoint: {every: 1 epochs, keep: 3}
"""
HEEDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
PATIENCE = 120.0  # seconds; a process that takes longer hangs


@dataclass(frozen=True, slots=True)
class Ended:
    """What a process left; ``code`` as a shell reports it."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def traceback(self) -> bool:
        return "Traceback" in self.err or "bug in nnctl" in self.err


class Child:
    """A process that runs, and its output."""

    def __init__(self, pid: int, out: BinaryIO, err: BinaryIO) -> None:
        self.pid, self._out, self._err = pid, out, err
        self.started = time.perf_counter()
        self._status: int | None = None

    def __del__(self) -> None:
        self._out.close()
        self._err.close()

    def kill(self, number: int = signal.SIGKILL) -> None:
        if not self.over():
            os.kill(self.pid, number)

    def kill_after(self, seconds: float, number: int = signal.SIGKILL) -> None:
        """Send it a signal so many seconds after its start, unless it has ended before."""
        while not self.over() and time.perf_counter() - self.started < seconds:
            time.sleep(min(0.0005, seconds))
        self.kill(number)

    def over(self) -> bool:
        """Whether it has ended, without waiting for it."""
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._status = status if pid else None
        return self._status is not None

    def wait(self) -> Ended:
        """Wait for its end. Raises: TimeoutError if it hangs; it is killed then."""
        until = time.perf_counter() + PATIENCE
        while not self.over():
            if time.perf_counter() > until:
                self.kill()
                os.waitpid(self.pid, 0)
                raise TimeoutError(f"process {self.pid} did not end: {_text(self._err)}")
            time.sleep(0.001)
        seconds = time.perf_counter() - self.started
        assert self._status is not None
        code = os.waitstatus_to_exitcode(self._status)
        return Ended(code if code >= 0 else 128 - code, _text(self._out), _text(self._err), seconds)


def start(work: Callable[[], int], folder: Path, env: Mapping[str, str] | None = None) -> Child:
    """Run a function in a forked process, in a folder, with its output in files."""
    out, err = _output(), _output()
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        # Python warns of other threads; those of a test runner hold nothing that is needed here.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        _work(work, folder, env or {}, out.fileno(), err.fileno())
    return Child(pid, out, err)


def run(work: Callable[[], int], folder: Path, env: Mapping[str, str] | None = None) -> Ended:
    """Run a function in a forked process to its end."""
    return start(work, folder, env).wait()


def nnctl(*words: str, prepare: Callable[[], object] | None = None) -> Callable[[], int]:
    """A command line as the work of a process, once ``prepare`` was called in it."""

    def work() -> int:
        from nnctl.cli import main

        if prepare is not None:
            prepare()
        return main(words)

    return work


def real(
    words: Sequence[str], folder: Path, env: Mapping[str, str] | None = None, *, ignore: Sequence[signal.Signals] = ()
) -> Child:
    """Start ``nnctl`` as a user does, in a process of its own, by a parent that ignores some signals."""
    return _spawn(["-m", "nnctl", *words], folder, env, ignore)


def python(code: str, folder: Path, env: Mapping[str, str] | None = None) -> Ended:
    """Run a piece of Python in a process of its own."""
    return _spawn(["-c", code], folder, env, ()).wait()


def _spawn(
    words: Sequence[str], folder: Path, env: Mapping[str, str] | None, ignore: Sequence[signal.Signals]
) -> Child:

    def heed() -> None:
        _heed_signals()
        for number in ignore:
            signal.signal(number, signal.SIG_IGN)

    out, err = _output(), _output()
    process = subprocess.Popen(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=err,
        preexec_fn=heed,
    )
    process.returncode = 0  # it is waited for here, not there
    return Child(process.pid, out, err)


@functools.cache
def start_up() -> float:
    """Seconds that a process of its own needs before it does anything."""
    return real(["--version"], ROOT).wait().seconds + real(["list"], ROOT).wait().seconds


@functools.cache
def warm() -> None:
    """Do now what every forked process would do anew: import, look for components, build the command line."""
    import typer.main

    from nnctl.cli import app

    nowhere = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(nowhere), redirect_stderr(nowhere):
        table, config = Path(folder, "table.csv"), Path(folder, "it.yaml")
        table.write_text("id,a,b,y\n" + "1,0,x,n\n2,1,y,m\n" * 8)
        config.write_text(WARM)
        for words in (["train", str(config)], ["resume", "it/latest", "train.epochs=3"], ["runs", "ls"]):
            with suppress(SystemExit):
                app([*words, "--runs-dir", f"{folder}/runs"])
    command = typer.main.get_command(app)
    typer.main.get_command = lambda _: command
    gc.collect()
    gc.freeze()  # the collector of a forked process would copy the memory that it shares with this one


def _work(work: Callable[[], int], folder: Path, env: Mapping[str, str], out: int, err: int) -> NoReturn:
    code = 70
    try:
        _heed_signals()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", buffering=1, closefd=False)
        os.environ.update(env)
        os.chdir(folder)
        code = work()
        sys.stdout.flush()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _heed_signals() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in HEEDED[1:]:
        signal.signal(number, signal.SIG_DFL)


def _output() -> BinaryIO:
    handle, path = tempfile.mkstemp()
    os.unlink(path)
    return os.fdopen(handle, "r+b")


def _text(file: BinaryIO) -> str:
    size = os.fstat(file.fileno()).st_size
    return os.pread(file.fileno(), size, 0).decode(errors="backslashreplace")
