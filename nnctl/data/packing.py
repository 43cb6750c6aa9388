"""Packed files: by its name a file is unpacked, by its first bytes one is refused that is not what its name says."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from pathlib import Path

from nnctl.errors import DataError, Place, Problem

_FAULTS = (OSError, EOFError, ValueError, RuntimeError, zlib.error, zipfile.BadZipFile)
_SIGNATURES = {
    b"PK\x03\x04": "a zip archive (as every .xlsx file is), not text; unpack it, or export the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an Excel workbook, not text; export the sheet as CSV",
    b"PAR1": "a parquet file, not text; export it as CSV",
    b"\x1f\x8b": "gzip data in a file that is not called `.gz`; rename it, or unpack it",
    b"BZh": "bzip2 data in a file that is not called `.bz2`; rename it, or unpack it",
    b"\xfd7zXZ\x00": "xz data in a file that is not called `.xz`; rename it, or unpack it",
}


def unpack(path: Path, raw: bytes) -> bytes:
    """The file's content, unpacked if it is called .gz, .bz2, .xz or .zip; an archive holds one file.

    Raises: DataError if it is damaged, or not text.
    """
    packing = path.suffix.lower()
    if packing in PACKINGS:
        name, content_of = PACKINGS[packing]
        try:
            raw = content_of(path, raw)
        except _FAULTS as error:
            raise _refusal(path, f"this is not a whole {name} file ({error}); pack it again") from None
    for signature, sentence in _SIGNATURES.items():
        if raw.startswith(signature):
            raise _refusal(path, f"this is {sentence}")
    return raw


def _gzip(path: Path, raw: bytes) -> bytes:
    return gzip.decompress(raw)


def _bzip2(path: Path, raw: bytes) -> bytes:
    import bz2  # not every Python is built with it, nor with lzma

    return bz2.decompress(raw)


def _xz(path: Path, raw: bytes) -> bytes:
    import lzma

    try:
        return lzma.decompress(raw)
    except lzma.LZMAError as error:
        raise ValueError(str(error)) from None


def _only_member(path: Path, raw: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) != 1:
            names = ", ".join(f"`{member.filename}`" for member in members[:5])
            raise _refusal(path, f"holds {len(members)} files{': ' if names else ''}{names}; pack one table alone")
        return archive.read(members[0])


PACKINGS = {
    ".gz": ("gzip", _gzip),
    ".bz2": ("bzip2", _bzip2),
    ".xz": ("xz", _xz),
    ".zip": ("zip", _only_member),
}


def _refusal(path: Path, message: str) -> DataError:
    return DataError(Problem(message, place=Place(str(path))))
