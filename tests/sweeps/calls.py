"""Functions that show what a worker does when they are called in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from nnctl.errors import DataError, Place, Problem
from nnctl.running.interrupts import Interrupts

COMMAND = (sys.executable, "-P", "-m", "tests.sweeps.worker")


def echo(value: Any) -> Any:
    return value


def pid(seconds: float = 0.0) -> int:
    time.sleep(seconds)
    return os.getpid()


def noisy() -> dict[str, Any]:
    """Print in every way there is, and read stdin."""
    print("a word on stdout")
    os.write(1, b'{"result": "not this"}\n')
    subprocess.run(["echo", "a child"], check=True)
    return {"stdin": sys.stdin.read(), "threads": os.environ["OPENBLAS_NUM_THREADS"], "session": os.getsid(0)}


def refuse() -> NoReturn:
    raise DataError([Problem("has no column `b`", "data.target", Place("table.csv", 1)), Problem("is empty")])


def stumble() -> NoReturn:
    raise ZeroDivisionError("something is zero")


def unsendable() -> Any:
    return {1, 2}


def leave(code: int) -> NoReturn:
    print("the last words", file=sys.stderr, flush=True)
    os._exit(code)


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def train(begun: str, ended: str) -> str:
    """Train without end, as far as signals can see."""
    with Interrupts() as interrupts:
        Path(begun).write_text(str(os.getpid()))
        while interrupts.received is None:
            time.sleep(0.005)
        Path(ended).write_text(interrupts.received.name)
        return interrupts.received.name


def deaf(begun: str) -> NoReturn:
    """Train without end, and heed no signal."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    Path(begun).write_text(str(os.getpid()))
    while True:
        time.sleep(0.05)
