"""A checkpoint: named arrays and what is known about them in one safetensors file that proves itself whole."""

from __future__ import annotations

import hashlib
import json
import math
import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BufferedReader
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnctl.errors import OutputError, Place, Problem, RunError, SpecError
from nnctl.runs import atomic

if TYPE_CHECKING:
    from typing_extensions import Buffer

Array = NDArray[Any]

FORMAT = "nnctl.checkpoint/1"
MAX_HEADER = 16 * 2**20  # bytes
PIECE = 2**17  # bytes that are read together where nobody keeps them
DTYPES = {  # and their names in the file, in which arrays lie in this order: so that each is aligned
    "uint64": "U64",
    "int64": "I64",
    "float64": "F64",
    "complex64": "C64",
    "float32": "F32",
    "uint32": "U32",
    "int32": "I32",
    "float16": "F16",
    "uint16": "U16",
    "int16": "I16",
    "int8": "I8",
    "uint8": "U8",
    "bool": "BOOL",
}

# A safetensors file is the length of its header, the header (JSON), and the bytes of the arrays one after the other.
_LENGTH = struct.Struct("<Q")
_START = b'{"__metadata__":{"nnctl":"{\\"sha256\\": \\"'
_DIGITS = slice(_LENGTH.size + len(_START), _LENGTH.size + len(_START) + 64)
_UNSIGNED = "0" * 64

_MAYBE = "is damaged, or not a checkpoint of nnctl"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Named arrays, the reader's own to change, and what was said about them when they were saved."""

    tensors: dict[str, Array]
    meta: dict[str, Any]


def save(path: Path, tensors: Mapping[str, Array], meta: Mapping[str, Any], *, previous: Path | None = None) -> None:
    """Write a checkpoint in the place of the one that is there, whole or not at all.

    It is a safetensors file with one metadata key, ``nnctl``: JSON of ``sha256`` (first, so that its place is known),
    ``format`` and all of ``meta``. ``sha256`` is that of the whole file (length, header, padding, arrays) with zeros
    for its own 64 digits: a change anywhere is noticed, and the same content makes the same file. Numbers in ``meta``
    that are not finite become null; integers are kept exactly, however long. The arrays are written from where they
    are, none is copied. The checkpoint that was there stays under the name ``previous``, if one is given.
    Raises: OutputError if the file cannot be written, or ``meta`` is too long to be read again.
    """
    assert meta.keys().isdisjoint(("sha256", "format")), "`sha256` and `format` are the checkpoint's own"
    text = json.dumps({"sha256": _UNSIGNED, "format": FORMAT, **atomic.finite(dict(meta))}, allow_nan=False)
    arrays = {name: _plain(name, tensor) for name, tensor in tensors.items()}
    places = {name: place for place, name in enumerate(DTYPES)}
    ordered = dict(sorted(arrays.items(), key=lambda item: (places[item[1].dtype.name], item[0].encode())))
    header = _header(ordered, text)
    if len(header) - _LENGTH.size >= MAX_HEADER:
        raise OutputError(Problem(_too_long(len(header) - _LENGTH.size), place=Place(str(path))))
    contents = [array.reshape(-1).view(np.uint8).data for array in ordered.values()]
    header[_DIGITS] = _digits([header, *contents])
    atomic.write(path, header, *contents, previous=previous)


def _header(arrays: Mapping[str, Array], text: str) -> bytearray:
    """All that stands before the arrays, with zeros for the digits of the checksum."""
    entries: dict[str, Any] = {"__metadata__": {"nnctl": text}}
    start = 0
    for name, array in arrays.items():
        stop = start + array.nbytes
        entries[name] = {"dtype": DTYPES[array.dtype.name], "shape": array.shape, "data_offsets": [start, stop]}
        start = stop
    described = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    described += b" " * (-len(described) % _LENGTH.size)
    return bytearray(_LENGTH.pack(len(described)) + described)


def load(path: Path) -> Checkpoint:
    """Read a checkpoint, once it has proved to be, byte for byte, what was saved.

    The arrays are read to where they stay: it takes no memory but theirs.
    Raises: SpecError if there is no such file; RunError if it is damaged, or not a checkpoint.
    """
    return _opened(path, arrays=True)


def verified(path: Path) -> dict[str, Any]:
    """What was said about the arrays of a checkpoint that has proved whole; they themselves are not kept in memory.

    Raises: as ``load``.
    """
    return _opened(path, arrays=False).meta


def _opened(path: Path, *, arrays: bool) -> Checkpoint:
    place = Place(str(path))
    try:
        with atomic.open_regular(path) as file:
            return _read(file, place, arrays=arrays)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SpecError(Problem("there is no such file; `nnctl runs ls` lists the runs", place=place)) from error
    except OSError as error:
        raise RunError(Problem(f"cannot be read: {atomic.reason(error)}", place=place)) from error


def _read(file: BufferedReader, place: Place, *, arrays: bool) -> Checkpoint:
    size = os.fstat(file.fileno()).st_size
    header = _read_header(file, size, place)
    start = header.content
    if size != header.expected:
        raise _refused(place, f"is damaged: {size:,} bytes instead of {header.expected:,}")
    fitting = _arrays(header.entries)
    try:
        tensors = {name: np.empty(*each) for name, each in fitting.items()} if arrays and fitting else {}
    except MemoryError as error:
        raise _refused(place, f"does not fit into memory ({size:,} bytes)") from error
    except ValueError:  # more of an axis than there can be of anything
        fitting = None
    # Nothing in it is believed before this.
    unsigned = start[: _DIGITS.start], _UNSIGNED.encode(), start[_DIGITS.stop :]
    if _digits(chain(unsigned, _rest(file, tensors))) != start[_DIGITS]:
        raise _refused(place, "is damaged: its checksum does not match")
    if fitting is None:
        raise _refused(place, "is damaged: its arrays do not fit together")
    return Checkpoint(
        tensors, {key: value for key, value in header.described.items() if key not in ("sha256", "format")}
    )


def _rest(file: BufferedReader, tensors: Mapping[str, Array]) -> Iterator[Buffer]:
    """The bytes of the arrays, which are filled with them, and whatever bytes are left."""
    for tensor in tensors.values():
        content = tensor.reshape(-1).view(np.uint8).data
        file.readinto(content)  # less than all of it, where the file was cut meanwhile, is another checksum
        yield content
    while piece := file.read(PIECE):
        yield piece


def _arrays(entries: Mapping[str, Any]) -> dict[str, tuple[tuple[int, ...], str]] | None:
    """Shape and dtype of the arrays as they follow one after the other; None if that is not what the header says."""
    names = {name: dtype for dtype, name in DTYPES.items()}
    found, at = {}, 0
    try:
        for name, entry in sorted(entries.items(), key=lambda item: item[1]["data_offsets"]):
            shape, dtype, (start, stop) = entry["shape"], np.dtype(names[entry["dtype"]]), entry["data_offsets"]
            counts = all(type(size) is int and size >= 0 for size in shape)
            if start != at or not counts or stop - start != math.prod(shape) * dtype.itemsize:
                return None
            found[name], at = (tuple(shape), dtype.name), stop
    except (KeyError, ValueError, TypeError):
        return None
    return found


class _Header(NamedTuple):
    """All that stands before the arrays."""

    content: bytes
    entries: dict[str, Any]  # of the arrays
    described: dict[str, Any]
    expected: int  # the size that the whole file must have


def _read_header(file: BufferedReader, size: int, place: Place) -> _Header:
    """The header; reads no more than one may be long."""
    first = file.read(_LENGTH.size)
    if len(first) < _LENGTH.size:
        raise _refused(place, f"{_MAYBE}: it is {'too short' if first else 'empty'}")
    (length,) = _LENGTH.unpack(first)
    if length >= MAX_HEADER or _LENGTH.size + length > size:
        raise _refused(place, f"{_MAYBE}: it has no header, or is cut off within it")
    header = file.read(length)
    if not header.startswith(_START):
        raise _refused(place, f"{_MAYBE}: its header starts in another way")
    try:
        entries = json.loads(header)
        described = json.loads(entries.pop("__metadata__")["nnctl"])
        ends = [entry["data_offsets"][1] for entry in entries.values()]
        expected = _LENGTH.size + length + max(ends, default=0)
        version = described["format"]
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise _refused(place, "is damaged: its header cannot be read") from error
    if version != FORMAT:
        raise RunError(Problem(_other_version(version), place=place))
    return _Header(first + header, entries, described, expected)


def _digits(parts: Iterable[Buffer]) -> bytes:
    """The digits of the SHA-256 of a file, in which there are zeros in their place."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest().encode()


def _plain(name: str, tensor: Array) -> Array:
    """The array with its bytes in the order that safetensors copies them in unseen."""
    array = np.asarray(tensor, order="C")
    if array.dtype.name not in DTYPES or not array.dtype.isnative:
        raise TypeError(f"{name}: arrays of dtype {array.dtype.str} cannot be saved")
    return array


def _refused(place: Place, message: str) -> RunError:
    return RunError(Problem(f"{message}; use another checkpoint, or train again", place=place))


def _other_version(version: object) -> str:
    if isinstance(version, str) and version.startswith("nnctl.checkpoint/"):
        return f"was made by a newer nnctl ({version}, this one reads {FORMAT}); update nnctl"
    return "is damaged: its header does not name its format; use another checkpoint, or train again"


def _too_long(length: int) -> str:
    limit = f"{MAX_HEADER / 2**20:.0f} MiB"
    return (
        f"cannot be written: the description of its columns and layers takes {length / 2**20:.1f} MiB, more than the "
        f"{limit} that are read again; keep fewer levels with `data.categorical.min_count` or `max_levels`"
    )
