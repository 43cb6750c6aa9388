"""The cache: what was prepared from a table, in files that are found by a key of all that it depends on."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from nnctl.data.room import Arrays, Layout, arrays, reserve
from nnctl.errors import OutputError, Problem

LIMIT = 10_000_000_000  # bytes of all entries together; the oldest go
_SUFFIX, _UNFINISHED = ".prepared", ".unfinished"
_FORGOTTEN = 86_400  # seconds after which nobody writes an unfinished file any more
_DIGEST = 32  # bytes of the sha256 at the end of a file
_LENGTH = 8  # bytes before it: the length of the JSON that stands before them
_PIECE = 1 << 22


class Entry(NamedTuple):
    """What was kept: arrays, and a state of plain values."""

    arrays: Arrays
    state: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of entries.

    A file holds the arrays, then the state as JSON with the layout, its length and the sha256 of all before. It is made
    under another name and then renamed, so processes may write the same entry at once; one that is damaged is made
    anew. What cannot be kept is prepared all the same.
    """

    folder: Path
    limit: int = LIMIT

    def find(self, key: str) -> Entry | None:
        """The entry of a key, whole and unchanged, or None."""
        path = self._path(key)
        try:
            with path.open("rb") as file:
                entry = _read(file.fileno(), key)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if entry is not None:
            with suppress(OSError):
                os.utime(path)  # the oldest is the one that was not used for longest
        return entry

    @contextmanager
    def new(self, key: str) -> Iterator[Draft]:
        """An entry to be made; it is there from ``Draft.keep`` on."""
        draft = Draft(self, key)
        try:
            yield draft
        finally:
            draft.close()

    def clear(self) -> tuple[int, int]:
        """Remove all entries; how many there were, and their bytes. Raises: OutputError if one cannot be removed."""
        found = self.entries()
        for path, _, _ in found:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise OutputError(Problem(f"{path}: cannot be removed: {error.strerror}")) from None
        return len(found), sum(size for _, _, size in found)

    def entries(self) -> list[tuple[Path, float, int]]:
        """The files of all entries with the time of their last use and their bytes, the oldest first."""
        found = []
        with suppress(OSError):
            for path in self.folder.iterdir():
                with suppress(OSError):
                    status = path.stat()
                    if path.suffix == _SUFFIX and path.is_file():
                        found.append((path, status.st_mtime, status.st_size))
                    elif path.suffix == _UNFINISHED and time.time() - status.st_mtime > _FORGOTTEN:
                        path.unlink()
        return sorted(found, key=lambda entry: entry[1])

    def shrink(self, keep: Path) -> None:
        """Remove the oldest entries until the limit holds, all but one."""
        found = self.entries()
        size = sum(bytes for _, _, bytes in found)
        for path, _, bytes in found:
            if size > self.limit and path != keep:
                with suppress(OSError):
                    path.unlink(missing_ok=True)
                    size -= bytes

    def _path(self, key: str) -> Path:
        return self.folder / f"{key[:32]}{_SUFFIX}"


class Draft:
    """An entry that is being made. ``fault`` says why it cannot be kept, if so: then its arrays lie elsewhere."""

    def __init__(self, cache: Cache, key: str) -> None:
        self.fault = ""
        self._cache, self._key = cache, key
        self._file: int | None = None
        self._temporary = cache.folder / f"{secrets.token_hex(8)}{_UNFINISHED}"
        try:
            cache.folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        except OSError as error:
            self.fail(error)

    def arrays(self, layout: Layout) -> Arrays:
        """Room for the arrays."""
        if self._file is not None:
            try:
                made = Arrays(layout, self._file)
                reserve(self._file, made.size)  # a disk that is full later on would end the run
            except (OSError, OutputError) as error:
                self.fail(error)
            else:
                return made
        return arrays(layout)

    def keep(self, made: Arrays, state: dict[str, Any]) -> None:
        """Finish the entry."""
        if self._file is None:
            return
        text = json.dumps({"key": self._key, "layout": made.layout, "state": state}).encode()
        try:
            os.lseek(self._file, made.size, os.SEEK_SET)
            _write(self._file, text + len(text).to_bytes(_LENGTH, "little"))
            _write(self._file, _digest(self._file, made.size + len(text) + _LENGTH))
            os.replace(self._temporary, self._cache._path(self._key))
        except OSError as error:
            self.fail(error)
            return
        self._cache.shrink(self._cache._path(self._key))

    def close(self) -> None:
        """Drop what was not kept."""
        with suppress(OSError):
            self._temporary.unlink(missing_ok=True)
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def fail(self, error: OSError | OutputError) -> None:
        """Give up the entry: the disk cannot hold it."""
        reason = error.strerror if isinstance(error, OSError) else str(error)
        self.fault = f"the prepared data is not kept for later runs: {self._cache.folder}: {reason}"
        self.close()


def _read(file: int, key: str) -> Entry | None:
    size = os.fstat(file).st_size
    end = size - _DIGEST - _LENGTH
    if end < 0 or os.pread(file, _DIGEST, size - _DIGEST) != _digest(file, size - _DIGEST):
        return None
    length = int.from_bytes(os.pread(file, _LENGTH, end), "little")
    found = json.loads(os.pread(file, length, end - length))
    layout = {name: (dtype, tuple(shape)) for name, (dtype, shape) in found["layout"].items()}
    return Entry(Arrays(layout, file, new=False), found["state"]) if found["key"] == key else None


def _digest(file: int, size: int) -> bytes:
    """The sha256 of so many bytes of a file."""
    found = hashlib.sha256()
    for start in range(0, size, _PIECE):
        found.update(os.pread(file, min(_PIECE, size - start), start))
    return found.digest()


def _write(file: int, text: bytes) -> None:
    while text:
        text = text[os.write(file, text) :]
