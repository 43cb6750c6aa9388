"""The files of a run: written whole or not at all, or only added to, and read without trust."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import math
import numbers
import os
import re
import stat
import sys
from collections.abc import Iterable
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from nnctl.errors import OutputError, Place, Problem, RunError

if TYPE_CHECKING:
    from typing_extensions import Buffer  # Python 3.12 has it in collections.abc

MAX_JSON = 16 * 2**20  # bytes; thousands of times what a run writes

_TEMPORARY = re.compile(r"\..{1,40}\.[0-9]+\.[0-9a-f]{8}\.tmp", re.DOTALL)  # as `temporary_name` makes them
_NEXT_STEP = {
    errno.ENOSPC: "free some space, then run the command again",
    errno.EDQUOT: "free some space, then run the command again",
    errno.EACCES: "allow writing there, or choose another folder",
    errno.EPERM: "allow writing there, or choose another folder",
    errno.EROFS: "choose a folder on a disk that can be written",
}


def write(path: Path, *parts: Buffer, previous: Path | None = None) -> None:
    """Put these bytes in the place of the file: whoever reads it, at any time, finds the old ones or the new ones.

    The parts follow one after the other, and are not copied. They are on the disk when this returns. A file that is
    there keeps neither its mode nor its owner; what is there and is no regular file (a link, a device) is left alone.
    The old file stays under the name ``previous``, if one is given.
    Raises: OutputError if the file could not be written; then the old one is still there, whole.
    """
    try:
        _replace(path, parts, previous)
    except OSError as error:
        raise cannot_write(path, error) from error


def write_json(path: Path, obj: Any) -> None:
    """Write this as JSON, `null` in the place of numbers that are not finite."""
    text = json.dumps(finite(obj), indent=2, ensure_ascii=False, allow_nan=False)
    # A path that is no UTF-8 holds lone surrogates. Written as `\udcff` they are JSON, and are read back exactly.
    write(path, f"{text}\n".encode(errors="backslashreplace"))


def finite(obj: Any) -> Any:
    """A copy made of plain values, None in the place of numbers that are not finite, which JSON cannot write."""
    if obj is None or isinstance(obj, str | int):
        return obj
    if isinstance(obj, float):
        return float(obj) if math.isfinite(obj) else None
    if isinstance(obj, dict):
        return {key: finite(value) for key, value in obj.items()}
    if isinstance(obj, list | tuple):
        return [finite(value) for value in obj]
    if isinstance(obj, numbers.Integral):  # a NumPy scalar, told apart without importing NumPy
        return int(obj)
    if isinstance(obj, numbers.Real):
        return finite(float(obj))
    return obj


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file of a run; `NaN` in it, which is no JSON, is read as None.

    Raises: RunError if the file is missing, unreadable or damaged.
    """
    try:
        with open_regular(path) as file:
            data = file.read(min(os.fstat(file.fileno()).st_size, MAX_JSON) + 1)
    except OSError as error:
        raise RunError(Problem(f"cannot be read: {reason(error)}", place=Place(str(path)))) from error
    if len(data) >= MAX_JSON:
        raise RunError(Problem("is damaged: it is far larger than any that nnctl writes", place=Place(str(path))))
    try:
        obj = json.loads(data.decode(), parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise RunError(Problem("is damaged: it is not JSON", place=Place(str(path)))) from error
    if not isinstance(obj, dict):
        raise RunError(Problem("is damaged: it holds no JSON object", place=Place(str(path))))
    return obj


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading; a folder, device or pipe is refused at once instead of waited for.

    Raises: OSError if it is no regular file, or cannot be opened.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is a folder" if stat.S_ISDIR(mode) else "it is not a regular file")
    return os.fdopen(handle, "rb")


class Appender:
    """A file that is only added to, never through a link, which may lead out of the run.

    With ``new`` its name is on the disk from the start: its bytes alone would be no use after a power cut.
    Raises: OutputError if it cannot be written; with ``new`` also if it is there already.
    """

    def __init__(self, path: Path, *, new: bool = False) -> None:
        self.path = path
        self._handle = -1
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_EXCL if new else 0)
        try:
            self._handle = os.open(path, flags, 0o666)
            if new:
                sync_folder(path.parent)
        except OSError as error:
            self.close()
            raise cannot_write(path, error) from error

    def add(self, data: bytes | bytearray) -> int:
        """Write these bytes, or as many of them as fit; how many that are."""
        try:
            return os.write(self._handle, data)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def cut(self, size: int) -> None:
        """Forget all but the first bytes."""
        try:
            os.ftruncate(self._handle, size)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def sync(self) -> None:
        try:
            fsync(self._handle)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def close(self) -> None:
        handle, self._handle = self._handle, -1  # a number that is no file: closed twice, it must not be another's
        if handle >= 0:
            os.close(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def cannot_write(path: Path, error: OSError, *, done: str = "written") -> OutputError:
    """The error for a file that could not be written: the system's reason, and what helps against it."""
    step = _NEXT_STEP.get(error.errno or 0)
    message = f"cannot be {done}: {reason(error)}" + (f"; {step}" if step else "")
    return OutputError(Problem(message, place=Place(str(path))))


def is_unreadable(error: RunError) -> bool:
    """Whether a file is there, and the system would not let it be read: it may do so another time."""
    return isinstance(error.__cause__, OSError) and not isinstance(error.__cause__, FileNotFoundError)


def reason(error: OSError) -> str:
    """The system's words for an error, as the middle of a sentence."""
    words = error.strerror or str(error) or type(error).__name__
    return words[:1].lower() + words[1:]


def write_all(handle: int, data: Buffer) -> None:
    """Write all of these bytes; the system may take them in parts."""
    with memoryview(data).cast("B") as rest:
        written = 0
        while written < len(rest):
            written += os.write(handle, rest[written:])


def fsync(handle: int, *, of_drive: bool = False) -> None:
    """Wait until the system has put a file on the disk, ``of_drive``: and that on its platters.

    The one place where nnctl waits for a disk, so that it can be measured.
    """
    if of_drive and sys.platform == "darwin":
        # There fsync leaves the bytes in the drive's own cache. Not every file system knows this one.
        with contextlib.suppress(OSError):
            fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
            return
    os.fsync(handle)


def sync_folder(folder: Path) -> None:
    """Have the names in this folder on the disk, where its file system can do that."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def temporary_name(path: Path) -> Path:
    """A hidden name beside this file that nobody else uses."""
    # Cut, so that a name of 255 bytes, the longest there is, has room for the rest.
    return path.with_name(f".{path.name[:40]}.{os.getpid()}.{os.urandom(4).hex()}.tmp")


def second_name(path: Path, name: Path) -> None:
    """Let this file be found under another name, too, in the place of what has that name now.

    Where the file system has no second names, it gets a copy.
    Raises: OSError if neither can be made.
    """
    temporary = temporary_name(name)
    try:
        try:
            os.link(path, temporary, follow_symlinks=False)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
                raise
            return _replace(name, [path.read_bytes()])
        os.replace(temporary, name)
    finally:
        # A rename of one name of a file onto another of the same file does nothing, and leaves both.
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def remove_temporaries(folder: Path) -> list[str]:
    """Remove what killed processes have left here half-written; only for who alone writes in this folder.

    A warning is given back for what stays.
    """
    told = []
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            if _TEMPORARY.fullmatch(entry.name):
                try:
                    os.unlink(entry.path)
                except OSError as error:
                    told.append(f"warning: {entry.path}: is left of a process that was killed: {reason(error)}")
    return told


def _replace(path: Path, parts: Iterable[Buffer], previous: Path | None = None) -> None:
    _refuse_special(path)
    temporary = temporary_name(path)
    # The kernel takes the umask off the mode. O_EXCL also refuses a link that somebody has laid there.
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        try:
            for part in parts:
                write_all(handle, part)
            _sync(handle)
        finally:
            os.close(handle)
        if previous is not None and os.path.lexists(path):
            second_name(path, previous)
        os.replace(temporary, path)
    finally:
        # Litter on a full disk would keep it full. After the replace there is nothing left to remove.
        with contextlib.suppress(OSError):
            os.unlink(temporary)
    sync_folder(path.parent)


def _refuse_special(path: Path) -> None:
    # A rename would put a file in the place of /dev/null itself, or of a link into another folder.
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "what is there is not a regular file")


def _sync(handle: int) -> None:
    fsync(handle, of_drive=True)
