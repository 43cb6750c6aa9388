"""A checkpoint that is damaged, forged or none at all is refused with a sentence."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from nnctl.errors import RunError, SpecError
from nnctl.runs import checkpoint
from tests.runs.helpers import META, tensors


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "best.safetensors"
    checkpoint.save(path, tensors(), META)
    return path


def forged(entries: dict[str, Any], described: dict[str, Any] | None, body: bytes = b"", *, pad: int = 0) -> bytes:
    """A file with a checksum that fits, whatever it says."""
    text = json.dumps({"sha256": "0" * 64, "format": checkpoint.FORMAT, **(described or {})})
    header = json.dumps({"__metadata__": {"nnctl": text}, **entries}, separators=(",", ":")).encode() + b" " * pad
    data = bytearray(struct.pack("<Q", len(header)) + header + body)
    at = data.index(b"0" * 64)
    data[at : at + 64] = hashlib.sha256(data).hexdigest().encode()
    return bytes(data)


def refused(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(RunError) as caught:
        checkpoint.load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert message.isprintable()
    return message


def test_every_flipped_bit_is_noticed(path: Path) -> None:
    data = path.read_bytes()
    # In place: thousands of new files would take ten times as long.
    with open(path, "r+b", buffering=0) as file:
        for at, bit in itertools.product(range(len(data)), range(8)):
            os.pwrite(file.fileno(), bytes([data[at] ^ 1 << bit]), at)
            with pytest.raises(RunError):
                checkpoint.load(path)
            os.pwrite(file.fileno(), data[at : at + 1], at)
    assert checkpoint.load(path).meta == META


def test_every_truncation_is_noticed(path: Path) -> None:
    for length in reversed(range(path.stat().st_size)):
        os.truncate(path, length)
        with pytest.raises(RunError, match="is damaged"):
            checkpoint.load(path)


@pytest.mark.parametrize("more", [b"\0", b" ", b"x" * 4096])
def test_appended_bytes_are_noticed(path: Path, more: bytes) -> None:
    assert "is damaged" in refused(path, path.read_bytes() + more)


def test_bytes_in_front_are_noticed(path: Path) -> None:
    refused(path, b"\0" + path.read_bytes())


@pytest.mark.parametrize("fill", [b"\0", b"\xff"])
def test_a_zeroed_or_foreign_stretch_is_noticed(path: Path, fill: bytes) -> None:
    data = path.read_bytes()
    for start in range(0, len(data), 16):
        damaged = data[:start] + fill * len(data[start : start + 16]) + data[start + 16 :]
        if damaged != data:
            refused(path, damaged)


def test_bytes_of_another_checkpoint_are_noticed(path: Path) -> None:
    data = path.read_bytes()
    checkpoint.save(path, {name: tensor + tensor for name, tensor in tensors().items()}, META)
    other = path.read_bytes()
    assert len(other) == len(data)
    for at in range(0, len(data), 8):
        mixed = data[:at] + other[at:]
        if mixed not in (data, other):
            refused(path, mixed)


def test_swapped_tensors_are_noticed(path: Path) -> None:
    checkpoint.save(path, {"a": np.ones(4), "b": np.zeros(4)}, META)
    data = path.read_bytes()
    assert "checksum" in refused(path, data[:-64] + data[-32:] + data[-64:-32])
    assert "checksum" in refused(path, data.replace(b'"a":', b'"c":'))
    renamed = data.replace(b'"a":', b'"_":').replace(b'"b":', b'"a":').replace(b'"_":', b'"b":')
    assert "checksum" in refused(path, renamed)


def test_a_changed_space_in_the_padding_is_noticed(path: Path) -> None:
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    for pad in range(8):
        checkpoint.save(path, {}, {"x": "y" * pad})
        data = path.read_bytes()
        (length,) = struct.unpack("<Q", data[:8])
        if data[8 + length - 1] == 0x20:
            assert "checksum" in refused(path, data[: 8 + length - 1] + b"\t" + data[8 + length :])
            return
    pytest.fail("safetensors pads no more")


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_random_damage_to_the_header_is_noticed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.getbasetemp() / "mutated.safetensors"
    checkpoint.save(path, tensors(), META)
    whole = path.read_bytes()
    (length,) = struct.unpack("<Q", whole[:8])
    start = data.draw(st.integers(0, 8 + length))
    stop = data.draw(st.integers(start, min(start + 20, 8 + length)))
    mutated = whole[:start] + data.draw(st.binary(max_size=20)) + whole[stop:]
    if mutated != whole:
        refused(path, mutated)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_are_no_checkpoint(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "random.safetensors"
    refused(path, data)
    refused(path, struct.pack("<Q", len(data)) + data)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"{}",
        b"null",
        b"[]",
        b'{"__metadata__":{}}',
        b'{"__metadata__":{"nnctl":"{}"}}',
        b'{"__metadata__":{"nnctl":1}}',
        b"[" * 200_000,
        b'{"__metadata__":{"nnctl":"{\\"sha256\\": \\"',
        b'{"__metadata__":{"nnctl":"{\\"sha256\\": \\"' + b"[" * 200_000,
        b'{"__metadata__":{"nnctl":"{\\"sha256\\": \\"0\\"}"}}',
        b'{"__metadata__":{"nnctl":"{\\"sha256\\": \\"0\\", \\"format\\": \\"nnctl.checkpoint/1\\"}"}}',
        b'{"__metadata__":{"nnctl":"{\\"sha256\\": \\"0\\", \\"format\\": 7}"}}',
        b'{"__metadata__":{"nnctl":"{\\"sha256\\": \\"' + b"0" * 64 + b'\\"}"},"a":7}',
    ],
    ids=range(14),
)
def test_a_header_that_says_nothing_is_refused(path: Path, header: bytes) -> None:
    refused(path, struct.pack("<Q", len(header)) + header)


@pytest.mark.parametrize("length", [2**64 - 1, 2**63, 2**40, checkpoint.MAX_HEADER, 1_000_000])
def test_a_header_that_lies_about_its_length_costs_no_memory(path: Path, length: int) -> None:
    tracemalloc.start()
    refused(path, struct.pack("<Q", length) + path.read_bytes()[8:])
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def entry(shape: list[int], offsets: list[Any], dtype: str = "F32") -> dict[str, Any]:
    return {"a": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}


@pytest.mark.parametrize(
    "entries",
    [
        entry([2**62], [0, 2**64]),
        entry([10**10], [0, 4 * 10**10]),
        entry([2**62, 2**62], [0, 8]),
        entry([3], [0, 8]),
        entry([2], [8, 0]),
        entry([2], [0, 8.5]),
        entry([2], [0, 1e999]),
        entry([2], ["0", "8"]),
        entry([2], [0]),
        entry([2], [0, None]),
        entry([-2], [0, 8]),
        entry([2**63, 0], [0, 0]),
        entry([1], [0, 8], "F8"),
        entry([4], [0, 8], "BF16"),
        {**entry([2], [0, 8]), "b": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}},
        {"a": []},
        {"a": {}},
    ],
    ids=range(17),
)
def test_a_lying_header_with_a_checksum_that_fits_is_refused(path: Path, entries: dict[str, Any]) -> None:
    tracemalloc.start()
    refused(path, forged(entries, META, bytes(8)))
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_a_forged_file_that_tells_the_truth_is_loaded(path: Path) -> None:
    path.write_bytes(forged(entry([2], [0, 8]), META, bytes(8), pad=3))
    assert checkpoint.load(path).meta == META


def test_a_huge_file_of_holes_is_refused_without_reading_it(path: Path) -> None:
    os.truncate(path, 2**40)
    with pytest.raises(RunError, match="is damaged: 1,099,511,627,776 bytes instead of"):
        checkpoint.load(path)


def test_a_newer_format_is_named(path: Path) -> None:
    message = refused(path, forged({}, {"format": "nnctl.checkpoint/2"}))
    assert "made by a newer nnctl (nnctl.checkpoint/2, this one reads nnctl.checkpoint/1); update nnctl" in message


def test_other_formats_are_refused(path: Path) -> None:
    assert "not a checkpoint of nnctl" in refused(path, safetensors.numpy.save({"a": np.ones(3)}))
    assert "not a checkpoint of nnctl" in refused(path, safetensors.numpy.save({}, {"nnctl": "{}"}))
    assert "not a checkpoint of nnctl" in refused(path, b"PK\x03\x04" + bytes(100))
    assert "it is empty" in refused(path, b"")
    assert "it is too short" in refused(path, b"1234567")


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(RunError, match="it is a folder"):
        checkpoint.load(tmp_path)
    for name in ("pipe", "loop"):
        with pytest.raises(RunError, match="cannot be read"):
            checkpoint.load(tmp_path / name)
    with pytest.raises(RunError, match="cannot be read"):
        checkpoint.load(Path("/dev/zero"))


def test_a_missing_file_names_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for name in ("missing.safetensors", "file/missing.safetensors"):
        with pytest.raises(SpecError, match="there is no such file"):
            checkpoint.load(tmp_path / name)


def test_a_file_larger_than_the_memory_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(checkpoint.np, "empty", full)
    with pytest.raises(RunError, match="does not fit into memory"):
        checkpoint.load(path)
    assert checkpoint.verified(path) == META


def test_reading_takes_no_memory_but_that_of_the_arrays(path: Path) -> None:
    checkpoint.save(path, {"a": np.ones(2**20), "b": np.ones(2**20, np.float32)}, META)
    tracemalloc.start()
    checkpoint.verified(path)
    assert tracemalloc.get_traced_memory()[1] < 3 * checkpoint.PIECE
    tracemalloc.reset_peak()
    found = checkpoint.load(path)
    held, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < held + 2**20
    assert held < sum(array.nbytes for array in found.tensors.values()) + 2**20
