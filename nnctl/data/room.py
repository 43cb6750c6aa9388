"""Room for numbers: in memory, or in a file where they are many; written piece by piece, then read through a map."""

from __future__ import annotations

import errno
import math
import mmap
import os
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nnctl.errors import OutputError, Problem

Array = NDArray[Any]
Layout = Mapping[str, tuple[str, tuple[int, ...]]]  # the type and the shape of every array

HELD = 1 << 26  # bytes that are held in memory
ALIGNED = 64  # bytes: where an array begins, a cache line does


class Room:
    """So many bytes, for arrays of any type.

    Those in a file count as the kernel's memory, which drops their pages where memory is short.
    """

    def __init__(self, size: int, file: int | None = None, *, new: bool = True) -> None:
        self.size, self.file = size, file
        if file is None:
            self._bytes: Array = np.empty(size, np.uint8)
            return
        if new:
            try:
                os.truncate(file, size)
            except OSError as error:
                raise self._lacking(error) from None
        self._bytes = np.frombuffer(mmap.mmap(file, size, prot=mmap.PROT_READ) if size else b"", np.uint8)

    def write(self, start: int, values: Array) -> None:
        """Put values in their place. Raises: OutputError if the disk is full."""
        if self.file is None:
            self._bytes[start : start + values.nbytes].view(values.dtype)[...] = values.reshape(-1)
            return
        data = np.ascontiguousarray(values).reshape(-1).view(np.uint8).data
        try:
            while data:
                written = os.pwrite(self.file, data, start)
                data, start = data[written:], start + written
        except OSError as error:
            raise self._lacking(error) from None

    def read(self, start: int, count: int, dtype: DTypeLike) -> Array:
        """So many values from a place on, read-only and never copied."""
        values = self._bytes[start : start + count * np.dtype(dtype).itemsize].view(dtype)
        values.flags.writeable = False
        return values

    def _lacking(self, error: OSError) -> OutputError:
        message = f"no room for {self.size / 1e6:,.1f} MB of prepared data ({error.strerror}); free some space"
        return OutputError(Problem(message))


class Columns:
    """Columns of float64 numbers or int32 codes: the cells of a table. ``folder`` is for the file, where one is needed.

    Raises: OutputError if the disk has no room.
    """

    _WIDTH = 8  # bytes of a cell at most

    def __init__(self, rows: int, columns: int, folder: Path | None = None) -> None:
        size = rows * columns * self._WIDTH
        self._rows, self._room = rows, Room(size, unnamed(folder) if size > HELD else None)
        if self._room.file is not None:
            weakref.finalize(self, os.close, self._room.file)

    def write(self, column: int, row: int, values: Array) -> None:
        """Put the cells of some rows, from that one on, in their place."""
        self._room.write(column * self._rows * self._WIDTH + row * values.itemsize, values)

    def read(self, column: int, dtype: DTypeLike) -> Array:
        """The cells of a column (N,), read-only."""
        return self._room.read(column * self._rows * self._WIDTH, self._rows, dtype)

    def keep(self, column: int, values: Array) -> Array:
        """The values (N,), float64 or int32, in the column's place if that is on the disk, else as they are."""
        if self._room.file is None:
            values.flags.writeable = False
            return values
        kept = self.read(column, values.dtype)
        if not np.may_share_memory(values, kept):
            self.write(column, 0, values)
        return kept


class Arrays:
    """Arrays by name, of types and shapes that are known before, one after another."""

    def __init__(self, layout: Layout, file: int | None = None, *, new: bool = True) -> None:
        self.layout = dict(layout)
        self._starts = {}
        self.size = 0
        for name, (dtype, shape) in layout.items():
            self._starts[name] = start = -(-self.size // ALIGNED) * ALIGNED
            self.size = start + math.prod(shape) * np.dtype(dtype).itemsize
        self._room = Room(self.size, file, new=new)

    def write(self, name: str, row: int, values: Array) -> None:
        """Put some rows of an array, from that one on, in their place."""
        dtype, shape = self.layout[name]
        width = math.prod(shape[1:]) * np.dtype(dtype).itemsize
        self._room.write(self._starts[name] + row * width, values.astype(dtype, copy=False))

    def read(self, name: str) -> Array:
        """A whole array, read-only."""
        dtype, shape = self.layout[name]
        return self._room.read(self._starts[name], math.prod(shape), dtype).reshape(shape)


def arrays(layout: Layout, folder: Path | None = None) -> Arrays:
    """Arrays in memory, or in an unnamed file where they are large."""
    size = sum(math.prod(shape) * np.dtype(dtype).itemsize + ALIGNED for dtype, shape in layout.values())
    if size <= HELD:
        return Arrays(layout)
    file = unnamed(folder)
    made = Arrays(layout, file)
    weakref.finalize(made, os.close, file)
    return made


def reserve(file: int, size: int) -> None:
    """Let the disk hold so many bytes for a file, where it can be asked to. Raises: OSError if they are not there."""
    if size and hasattr(os, "posix_fallocate"):  # macOS has none
        try:
            os.posix_fallocate(file, 0, size)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):  # of file systems that cannot
                raise


def unnamed(folder: Path | None) -> int:
    """A new file that is gone with the process. Raises: OutputError if there can be none."""
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        file, path = tempfile.mkstemp(dir=folder)
        os.unlink(path)
    except OSError as error:
        where = folder or tempfile.gettempdir()
        raise OutputError(Problem(f"{where}: no file can be made there ({error.strerror})")) from None
    return file
