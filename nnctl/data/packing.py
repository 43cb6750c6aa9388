"""Packed files: by its name a file is unpacked, by its first bytes one is refused that is not what its name says."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from nnctl.errors import DataError, Place, Problem

PARQUET = (".parquet", ".pq")

Content = IO[bytes] | io.BufferedIOBase

_FAULTS = (OSError, EOFError, ValueError, RuntimeError, zlib.error, zipfile.BadZipFile)
_SIGNATURES = {
    b"PK\x03\x04": "a zip archive (as every .xlsx file is), not text; unpack it, or export the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an Excel workbook, not text; export the sheet as CSV",
    b"PAR1": "a parquet file, not text; give it a name that ends in `.parquet`, or export it as CSV",
    b"\x1f\x8b": "gzip data in a file that is not called `.gz`; rename it, or unpack it",
    b"BZh": "bzip2 data in a file that is not called `.bz2`; rename it, or unpack it",
    b"\xfd7zXZ\x00": "xz data in a file that is not called `.xz`; rename it, or unpack it",
}


def is_packed(path: Path) -> bool:
    """Whether a file is packed, by its name."""
    return path.suffix.lower() in PACKINGS


def is_parquet(path: Path) -> bool:
    """Whether a file is a parquet file, by its name."""
    return path.suffix.lower() in PARQUET


def unpack(path: Path, stream: IO[bytes], size: int) -> Iterator[bytes]:
    """The file's content in pieces of ``size`` bytes, unpacked if it is called .gz, .bz2, .xz or .zip.

    An archive holds one file, and can be unpacked only from a stream that can seek.
    Raises: DataError if it is damaged, or not text.
    """
    pieces = _unpacked(path, stream, size) if is_packed(path) else iter(lambda: stream.read(size), b"")
    first = next(pieces, b"")
    for signature, sentence in _SIGNATURES.items():
        if first.startswith(signature):
            raise _refusal(path, f"this is {sentence}")
    yield first
    yield from pieces


def _unpacked(path: Path, stream: IO[bytes], size: int) -> Iterator[bytes]:
    name, opened = PACKINGS[path.suffix.lower()]
    try:
        with opened(path, stream) as content:
            while piece := content.read(size):
                yield piece
    except _FAULTS as error:
        raise _refusal(path, f"this is not a whole {name} file ({error}); pack it again") from None


def _gzip(path: Path, stream: IO[bytes]) -> Content:
    return gzip.open(stream)


def _bzip2(path: Path, stream: IO[bytes]) -> Content:
    import bz2  # not every Python is built with it, nor with lzma

    return bz2.open(stream)


def _xz(path: Path, stream: IO[bytes]) -> Content:
    import lzma

    class File(lzma.LZMAFile):
        def read(self, size: int | None = -1) -> bytes:
            try:
                return super().read(size)
            except lzma.LZMAError as error:
                raise ValueError(str(error)) from None

    return File(stream)


def _only_member(path: Path, stream: IO[bytes]) -> Content:
    archive = zipfile.ZipFile(stream)
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) != 1:
        names = ", ".join(f"`{member.filename}`" for member in members[:5])
        raise _refusal(path, f"holds {len(members)} files{': ' if names else ''}{names}; pack one table alone")
    return archive.open(members[0])


PACKINGS = {
    ".gz": ("gzip", _gzip),
    ".bz2": ("bzip2", _bzip2),
    ".xz": ("xz", _xz),
    ".zip": ("zip", _only_member),
}


def _refusal(path: Path, message: str) -> DataError:
    return DataError(Problem(message, place=Place(str(path))))
