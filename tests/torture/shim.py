"""A disk that fails, or ends the process, at a chosen call: ``os`` as nnctl calls it, watched below one folder."""

from __future__ import annotations

import errno
import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

CRASHED = 137  # what a shell reports of a process that was killed
BY_PATH = ("open", "mkdir", "rmdir", "unlink", "replace", "rename", "link", "symlink", "truncate")
BY_HANDLE = ("write", "pwrite", "fsync", "ftruncate", "posix_fallocate")
ERRORS = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EINTR)


class Call(NamedTuple):
    """A call to the system about a file below the watched folder."""

    number: int  # from 1
    name: str
    path: Path  # what is made, changed or taken away; of a rename or link the new name
    arguments: tuple[Any, ...]

    def __str__(self) -> str:
        return f"call {self.number}, {self.name} of {self.path.name}"


class Fault(Protocol):
    """What happens at the calls of a process."""

    def before(self, call: Call) -> None:
        """Let the call be made, raise an OSError in its place, or end the process."""

    def after(self, call: Call, result: Any) -> None:
        """The call was made."""


class Watch:
    """The calls about files below a folder, from `install` until `remove`."""

    def __init__(self, folder: Path, *faults: Fault) -> None:
        self.folder, self.faults = os.path.realpath(folder) + os.sep, faults
        self.calls = 0
        self._paths: dict[int, Path] = {}  # of the handles that are open
        self._originals = {name: getattr(os, name) for name in (*BY_PATH, *BY_HANDLE, "close") if hasattr(os, name)}

    def install(self) -> Watch:
        for name, original in self._originals.items():
            setattr(os, name, functools.partial(self._call, name, original))
        return self

    def remove(self) -> None:
        for name, original in self._originals.items():
            setattr(os, name, original)

    def __enter__(self) -> Watch:
        return self.install()

    def __exit__(self, *_: object) -> None:
        self.remove()

    def _call(self, name: str, original: Callable[..., Any], *args: Any, **options: Any) -> Any:
        if name == "close":
            self._paths.pop(args[0], None)
            return original(*args)
        path = self._paths.get(args[0]) if name in BY_HANDLE else self._below(name, args)
        if path is None:
            return original(*args, **options)
        self.calls += 1
        call = Call(self.calls, name, path, args)
        for fault in self.faults:
            fault.before(call)
        result = original(*args, **options)
        if name == "open":
            self._paths[result] = path
        for fault in self.faults:
            fault.after(call, result)
        return result

    def _below(self, name: str, args: tuple[Any, ...]) -> Path | None:
        given = args[1] if name in ("replace", "rename", "link", "symlink") else args[0]
        if isinstance(given, int):
            return self._paths.get(given)
        path = os.path.abspath(os.fsdecode(given))
        return Path(path) if f"{path}{os.sep}".startswith(self.folder) else None


class Quiet:
    """No fault; the base of those that only look."""

    def before(self, call: Call) -> None:
        pass

    def after(self, call: Call, result: Any) -> None:
        pass


class Fail(Quiet):
    """The n-th call fails with an error of the system."""

    def __init__(self, at: int, code: int) -> None:
        self.at, self.code = at, code

    def before(self, call: Call) -> None:
        if call.number == self.at:
            raise OSError(self.code, os.strerror(self.code))


class Full(Quiet):
    """From the n-th call on the disk is full: half a write goes through, nothing new is made, all else works."""

    def __init__(self, at: int) -> None:
        self.at = at

    def before(self, call: Call) -> None:
        if call.number < self.at:
            return
        creates = call.name == "open" and call.arguments[1] & os.O_CREAT and not call.path.exists()
        if call.number == self.at and call.name == "write":
            half_of(call)
        if creates or call.name in ("write", "pwrite", "mkdir", "symlink", "link", "posix_fallocate"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Crash(Quiet):
    """The process ends in the place of the n-th call, or in the middle of it where it writes."""

    def __init__(self, at: int, *, torn: bool = False) -> None:
        self.at, self.torn = at, torn

    def before(self, call: Call) -> None:
        if call.number == self.at:
            if self.torn and call.name == "write":
                half_of(call)
            os._exit(CRASHED)


class Recorded(Quiet):
    """Notes every call by its number."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def before(self, call: Call) -> None:
        self.calls.append(call)


def half_of(call: Call) -> None:
    """Make half of a call that writes."""
    handle, data = call.arguments
    with memoryview(data).cast("B") as whole:
        # By another name than the one that is watched.
        os.writev(handle, [whole[: len(whole) // 2]])
