"""The lock of a run's folder: whoever trains the run holds it."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from pathlib import Path
from typing import Self

from nnctl.errors import Place, Problem, RunError, SpecError
from nnctl.runs import atomic

LOCK_PATIENCE = 0.25  # seconds; a reader who asks whether the run is locked holds the lock for microseconds


class RunLock:
    """The lock of a run in training, held until `release`; the kernel releases it when the process is killed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None
        try:
            # Never through a link: what it points to would be overwritten.
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
            _wait_for_lock(self._handle)
            os.ftruncate(self._handle, 0)
            atomic.write_all(self._handle, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode())
        except BlockingIOError as error:
            self.release()
            raise SpecError(Problem(held(path), place=Place(str(path.parent)))) from error
        except OSError as error:
            self.release()
            raise atomic.cannot_write(path, error, done="locked") from error

    def release(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def __del__(self) -> None:
        self.release()


class NameLock:
    """While entered, no other process looks for a run of this name, or makes one, by `train --once`.

    Raises: OutputError if the lock cannot be taken.
    """

    def __init__(self, runs_dir: Path, name: str) -> None:
        self._path = runs_dir / ".locks" / name

    def __enter__(self) -> Self:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
            fcntl.flock(self._handle, fcntl.LOCK_EX)  # who has it looks and makes a folder, and lets go
        except OSError as error:
            raise atomic.cannot_write(self._path, error, done="locked") from error
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)


def _wait_for_lock(handle: int) -> None:
    until = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise
        time.sleep(0.005)


def is_locked(path: Path) -> bool:
    """Whether a process holds this lock now; changes nothing on the disk."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Shared, so that readers are not in each other's way.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
    return False


def held(path: Path) -> str:
    """Who trains the run of this lock: the rest of a sentence that begins with its folder."""
    try:
        holder = atomic.read_json(path)
    except RunError:  # it has been locked just now, and not signed yet
        holder = {}
    who = f" by process {holder['pid']} on {holder['host']}" if holder.keys() >= {"pid", "host"} else ""
    return f"is being trained{who}; wait until it ends, or stop it there"
