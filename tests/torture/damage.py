"""F7: a checkpoint that was damaged, cut, forged or replaced is refused with a sentence."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import random
import struct
from collections.abc import Iterator
from pathlib import Path

from nnctl.errors import NnctlError, RunError
from nnctl.runs import checkpoint
from tests.torture.subject import COSINE, STEP, Subject
from tests.torture.tally import Plan, Tally

PAGE = 4096
LARGE = STEP.replace("hidden: [4]", "hidden: [128, 128]")
SHARES = {"flipped": 1000, "cut": 500, "header": 3000}  # of the full count; the rest are listed


def inject(tally: Tally, folder: Path, chance: random.Random) -> None:
    """Damage the `last` of a run in every way, and load it."""
    subject, other = Subject.make(folder / "one", LARGE), Subject.make(folder / "other", COSINE)
    path, foreign = (each.train().last for each in (subject, other))
    whole, strange = path.read_bytes(), foreign.read_bytes()
    share = tally.at_least / (sum(SHARES.values()) + 50)
    counts = {kind: round(count * share) for kind, count in SHARES.items()}
    for kind, count in counts.items():
        for number in range(count):
            data = {"flipped": flipped, "cut": cut, "header": mutated_header}[kind](whole, chance, number, count)
            _refused(tally, path, data, kind)
    for kind, data in listed(whole, strange):
        _refused(tally, path, data, kind)
    for kind in ("a folder", "a link in a circle", "a pipe"):
        path.unlink()
        {"a folder": os.mkdir, "a link in a circle": lambda at: os.symlink(at, at), "a pipe": os.mkfifo}[kind](path)
        _loaded(tally, path, kind)
        os.rmdir(path) if kind == "a folder" else path.unlink()
        path.write_bytes(whole)
    checkpoint.load(path)  # so that the checks above have refused the damage and not the file


def flipped(whole: bytes, chance: random.Random, number: int, count: int) -> bytes:
    data = bytearray(whole)
    for _ in range(chance.choice((1, 1, 1, 2, 8))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def cut(whole: bytes, chance: random.Random, number: int, count: int) -> bytes:
    return whole[: len(whole) * number // count]


def mutated_header(whole: bytes, chance: random.Random, number: int, count: int) -> bytes:
    """The header with pieces doubled, dropped, turned around or made up; now and then it lies about its length."""
    (length,) = struct.unpack_from("<Q", whole)
    header, body = bytearray(whole[8 : 8 + length]), whole[8 + length :]
    for _ in range(chance.randint(1, 3)):
        start = chance.randrange(len(header))
        stop = min(start + chance.choice((1, 1, 2, 8, 64)), len(header))
        header[start:stop] = chance.choice(
            (
                b"",
                bytes(header[start:stop]) * 2,
                bytes(reversed(header[start:stop])),
                chance.randbytes(stop - start),
                chance.choice((b"-1", b"1e999", b"NaN", b"null", b"{}", b"[", b'"', b"\\", b"\0", b"\xff", b"9" * 400)),
            )
        )
    said = len(header) if chance.random() < 0.8 else chance.choice((0, 1, length, 2**63, 2**64 - 1, len(whole)))
    data = struct.pack("<Q", said) + bytes(header) + body
    return data if data != whole else data + b"x"


def listed(whole: bytes, strange: bytes) -> Iterator[tuple[str, bytes]]:
    """Damage by name."""
    for start in range(0, len(whole), PAGE):
        page = len(whole[start : start + PAGE])
        yield "a page of zeros", whole[:start] + bytes(page) + whole[start + page :]
        of_another = (strange * 2)[start : start + page]
        if of_another != whole[start : start + page]:
            yield "a page of another", whole[:start] + of_another + whole[start + page :]
    for more in (b"\0", b"\n", b"x" * PAGE, whole):
        yield "bytes added", whole + more
        yield "bytes in front", more + whole
    yield "empty", b""
    for text in (b"PK\x03\x04", b"\x80\x04", b"{}", b"\x89HDF\r\n\x1a\n", b"#!/bin/sh\n"):
        yield "another kind of file", text + bytes(PAGE)
    for start, stop in _pairs(whole):
        data = bytearray(whole)
        data[start], data[stop] = data[stop], data[start]
        if data != whole:
            yield "tensors swapped", bytes(data)
    for version in (b"nnctl.checkpoint/9", b"nnctl.checkpoint/0", b"other.checkpoint/1"):
        yield "another format", resigned(whole.replace(b"nnctl.checkpoint/1", version))


def resigned(data: bytes) -> bytes:
    """The file with a checksum that fits."""
    start = data.index(b'sha256\\": \\"') + len(b'sha256\\": \\"')
    blank = data[:start] + b"0" * 64 + data[start + 64 :]
    return data[:start] + hashlib.sha256(blank).hexdigest().encode() + data[start + 64 :]


def _pairs(whole: bytes) -> Iterator[tuple[slice, slice]]:
    """The bytes of two tensors of one size, for any such two."""
    (length,) = struct.unpack_from("<Q", whole)
    entries = json.loads(whole[8 : 8 + length])
    entries.pop("__metadata__")
    places = [slice(*(8 + length + offset for offset in entry["data_offsets"])) for entry in entries.values()]
    for one, other in itertools.pairwise(sorted(places, key=lambda place: place.start)):
        if one.stop - one.start == other.stop - other.start:
            yield one, other


def _refused(tally: Tally, path: Path, data: bytes, kind: str) -> None:
    path.write_bytes(data)
    _loaded(tally, path, kind)


def _loaded(tally: Tally, path: Path, kind: str) -> None:
    try:
        checkpoint.load(path)
    except RunError as error:
        clear = str(error).startswith(f"{path}: ") and str(error).isprintable()
        tally.check(clear, f"{kind}: no clear sentence: {error}")
        tally.note(f"{kind}: refused")
    except NnctlError as error:
        tally.note(f"{kind}: another error")
        tally.fail(f"{kind}: {type(error).__name__} {error}")
    except BaseException as error:
        tally.note(f"{kind}: a traceback")
        tally.fail(f"{kind}: {type(error).__name__} {error}")
    else:
        tally.note(f"{kind}: accepted")
        tally.fail(f"{kind}: accepted")


PLAN = Plan("F7", "damaged checkpoints", "all refused in a sentence", 4550, 600, inject)
