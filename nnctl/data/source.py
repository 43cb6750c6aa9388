"""The bytes of a file, piece by piece: opened, unpacked, and hashed as they lie on the disk."""

from __future__ import annotations

import difflib
import hashlib
import io
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO

from nnctl.data.packing import is_packed, unpack
from nnctl.data.wording import code, in_file
from nnctl.errors import DataError

STDIN = Path("-")
_BESIDE = 1 << 20  # bytes that are hashed together, beside the other work: hashing lets go of the interpreter lock


class Source:
    """A file that is read once from its beginning to its end.

    The path ``-`` is the standard input. URLs are not opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path("standard input") if path == STDIN else path  # as messages name it
        self.stamp: tuple[int, ...] | None = None  # inode, size and time of change; None: it can be read only once
        self.packed = path != STDIN and is_packed(path)
        self._opened = path
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Of the bytes on the disk, known at the end."""
        return self._digest.hexdigest()

    def pieces(self, size: int) -> Iterator[bytes]:
        """The content, unpacked, in pieces of about so many bytes.

        Raises: DataError if there is no such file, or it cannot be read or unpacked.
        """
        with _reading(self.path), self._open() as stream:
            status = os.fstat(stream.fileno()) if self._opened != STDIN else None
            self.stamp = stamp_of(status) if status and stat.S_ISREG(status.st_mode) else None
            if self.packed:
                seekable = stream if self.stamp else io.BytesIO(stream.read())
                for piece in iter(lambda: seekable.read(size), b""):
                    self._digest.update(piece)
                seekable.seek(0)
                yield from unpack(self.path, seekable, size)
            else:
                large = self.stamp is not None and status is not None and status.st_size > _BESIDE
                hashed = self._hashed_beside if large else self._hashed
                yield from hashed(unpack(self.path, stream, size))

    def check_unchanged(self) -> None:
        """Raises: DataError if the file is no longer the one that was read."""
        if self.stamp is not None and not (self.path.exists() and stamp_of(self.path.stat()) == self.stamp):
            raise changed(self.path)

    def _open(self) -> AbstractContextManager[IO[bytes]]:
        return nullcontext(sys.stdin.buffer) if self._opened == STDIN else self._opened.open("rb")

    def _hashed(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._digest.update(piece)
            yield piece

    def _hashed_beside(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Hash them in another thread, many at once: handing over takes time, and so does fresh memory."""
        from concurrent.futures import Future, ThreadPoolExecutor

        full, filling, filled = bytearray(_BESIDE), bytearray(_BESIDE), 0
        hashing: Future[None] | None = None
        with ThreadPoolExecutor(max_workers=1) as beside:
            for piece in pieces:
                for start in range(0, len(piece), _BESIDE):
                    part = piece[start : start + _BESIDE]
                    if filled + len(part) > _BESIDE:
                        if hashing is not None:
                            hashing.result()
                        full, filling = filling, full
                        hashing = beside.submit(self._digest.update, memoryview(full)[:filled])
                        filled = 0
                    filling[filled : filled + len(part)] = part
                    filled += len(part)
                yield piece
        self._digest.update(memoryview(filling)[:filled])


def sha256_of(path: Path) -> str:
    """The sha256 of a file. Raises: DataError if there is no such file, or it cannot be read."""
    with _reading(path), path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def stamp_of(status: os.stat_result) -> tuple[int, ...]:
    """What shows that a file is still the same."""
    return status.st_ino, status.st_size, status.st_mtime_ns


def changed(path: Path) -> DataError:
    return DataError(in_file(path, "the file changed while it was read; run the command again when it is complete"))


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise DataError(in_file(path, _not_found(path))) from None
    except IsADirectoryError:
        raise DataError(in_file(path, "this is a folder; give the path of a CSV file")) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(in_file(path, f"the file cannot be read: {reason}")) from None


def _not_found(path: Path) -> str:
    if not path.parent.is_dir():
        return f"no such file: there is no folder {code(str(path.parent))}"
    names = os.listdir(path.parent) if os.access(path.parent, os.R_OK) else []
    near = difflib.get_close_matches(path.name, names, n=1)
    return f"no such file, did you mean {code(near[0])}?" if near else "no such file"
