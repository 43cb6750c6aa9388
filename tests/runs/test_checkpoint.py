"""A checkpoint comes back exactly."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nnctl.errors import OutputError
from nnctl.runs import checkpoint
from tests.runs.helpers import META, tensors


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "best.safetensors"
    checkpoint.save(path, tensors(), META)
    return path


def test_what_is_saved_is_loaded(path: Path) -> None:
    loaded = checkpoint.load(path)
    assert loaded.meta == META
    assert loaded.tensors.keys() == tensors().keys()
    for name, tensor in tensors().items():
        assert loaded.tensors[name].dtype == tensor.dtype
        np.testing.assert_array_equal(loaded.tensors[name], tensor, strict=True)
        assert loaded.tensors[name].flags.writeable
        assert loaded.tensors[name].flags.aligned


ARRAYS = hnp.arrays(
    st.sampled_from(sorted(checkpoint.DTYPES)).map(np.dtype),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda name: name != "__metadata__")
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@settings(deadline=None)
@given(
    st.dictionaries(NAMES, ARRAYS, max_size=4),
    st.dictionaries(st.text().filter(lambda key: key not in ("sha256", "format")), PLAIN, max_size=4),
)
def test_any_arrays_and_any_meta_come_back(
    tmp_path_factory: pytest.TempPathFactory, arrays: dict[str, checkpoint.Array], meta: dict[str, Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    checkpoint.save(path, arrays, meta)
    loaded = checkpoint.load(path)
    assert loaded.meta == meta
    assert loaded.tensors.keys() == arrays.keys()
    for name, array in arrays.items():
        assert (loaded.tensors[name].dtype, loaded.tensors[name].shape) == (array.dtype, array.shape)
        assert loaded.tensors[name].tobytes() == array.tobytes()


def test_the_same_content_is_the_same_file(path: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.safetensors"
    checkpoint.save(again, dict(reversed(tensors().items())), META)
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    "make",
    [
        lambda a: a.T,
        lambda a: a[::2, 1:3],
        lambda a: a[::-1],
        lambda a: np.broadcast_to(a[0], (5, 4)),
        np.asfortranarray,
    ],
)
def test_views_are_saved_as_they_look(path: Path, make: Callable[[checkpoint.Array], checkpoint.Array]) -> None:
    view = make(np.arange(24.0).reshape(6, 4))
    checkpoint.save(path, {"a": view}, {})
    np.testing.assert_array_equal(checkpoint.load(path).tensors["a"], view, strict=True)


def test_nothing_at_all_can_be_saved(path: Path) -> None:
    checkpoint.save(path, {}, {})
    assert checkpoint.load(path) == checkpoint.Checkpoint({}, {})


def test_random_streams_go_on_where_they_were(path: Path) -> None:
    rng = np.random.default_rng(3)
    rng.normal(size=5)
    checkpoint.save(path, {}, {"rng": rng.bit_generator.state})
    again = np.random.default_rng()
    again.bit_generator.state = checkpoint.load(path).meta["rng"]
    assert again.normal() == rng.normal()


def test_numbers_that_are_not_finite_become_null(path: Path) -> None:
    checkpoint.save(path, {}, {"best": math.nan, "all": [math.inf, np.float32(-np.inf), 0.5]})
    assert checkpoint.load(path).meta == {"best": None, "all": [None, None, 0.5]}


def test_arrays_that_are_not_finite_are_kept(path: Path) -> None:
    checkpoint.save(path, {"a": np.array([np.nan, np.inf])}, {})
    np.testing.assert_array_equal(checkpoint.load(path).tensors["a"], [np.nan, np.inf])


def test_it_is_a_safetensors_file_for_everybody_else(path: Path) -> None:
    np.testing.assert_array_equal(safetensors.numpy.load_file(path)["theta64"], tensors()["theta64"])
    with safetensors.safe_open(path, framework="np") as file:
        described = json.loads(file.metadata()["nnctl"])
    assert described["format"] == "nnctl.checkpoint/1"
    assert described["classes"] == ["no", "yes"]


def test_the_checksum_is_what_the_docstring_says(path: Path) -> None:
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    digits = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["nnctl"])["sha256"].encode()
    assert data.count(digits) == 1
    assert hashlib.sha256(data.replace(digits, b"0" * 64)).hexdigest().encode() == digits


@pytest.mark.parametrize("dtype", [">f4", ">f8", ">i4", "O", "U3", "S3", "M8[s]", "c16", "V4"])
def test_arrays_that_would_not_come_back_are_refused(path: Path, dtype: str) -> None:
    before = path.read_bytes()
    with pytest.raises(TypeError, match=r"layers\.0\.W: arrays of dtype"):
        checkpoint.save(path, {"layers.0.W": np.zeros(2, dtype)}, {})
    assert path.read_bytes() == before


def test_keys_of_its_own_are_refused(path: Path) -> None:
    for key in ("sha256", "format"):
        with pytest.raises(AssertionError):
            checkpoint.save(path, {}, {key: "x"})


def test_meta_that_could_not_be_read_again_is_not_written(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(OutputError, match=r"takes 17\.0 MiB, more than the 16 MiB that .*min_count"):
        checkpoint.save(path, {}, {"levels": "x" * 17 * 2**20})
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["fsync", "replace", "write"])
def test_a_failing_save_leaves_the_old_checkpoint(path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def fail(*args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, name, fail)
        with pytest.raises(OutputError, match="no space left"):
            checkpoint.save(path, {}, {})
    assert checkpoint.load(path).meta == META
    assert os.listdir(path.parent) == [path.name]


@settings(deadline=None)
@given(st.dictionaries(NAMES, ARRAYS, max_size=6))
def test_the_file_is_what_safetensors_would_write(
    tmp_path_factory: pytest.TempPathFactory, arrays: dict[str, checkpoint.Array]
) -> None:
    path = tmp_path_factory.getbasetemp() / "same.safetensors"
    checkpoint.save(path, arrays, META)
    data = path.read_bytes()
    with safetensors.safe_open(path, framework="np") as file:
        metadata = file.metadata()
    assert safetensors.numpy.save({name: np.array(array) for name, array in arrays.items()}, metadata) == data


def test_saving_copies_no_array(tmp_path: Path) -> None:
    arrays = {"order": np.arange(2**20, dtype=np.int32), "theta": np.ones(2**20, np.float32)}
    tracemalloc.start()
    checkpoint.save(tmp_path / "large.safetensors", arrays, META)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20
