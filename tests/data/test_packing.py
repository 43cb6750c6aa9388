"""Packed tables read as plain ones; what is not what its name says is refused."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path

import pytest

from nnctl.data.packing import PACKINGS, unpack
from nnctl.errors import DataError

TABLE = b"a,b\n1,2\n"


def zipped(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


PACKED = {
    ".gz": gzip.compress(TABLE),
    ".bz2": bz2.compress(TABLE),
    ".xz": lzma.compress(TABLE),
    ".zip": zipped(table=TABLE),
}


def unpacked(path: Path, raw: bytes, size: int = 100) -> bytes:
    return b"".join(unpack(path, io.BytesIO(raw), size))


def refused(name: str, raw: bytes) -> str:
    with pytest.raises(DataError) as caught:
        unpacked(Path(name), raw)
    return str(caught.value)


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_packed_table_is_unpacked_by_its_name(packing: str) -> None:
    for size in (1, 5, 100):
        assert unpacked(Path(f"t.csv{packing}"), PACKED[packing], size) == TABLE
    assert unpacked(Path(f"T.CSV{packing.upper()}"), PACKED[packing]) == TABLE


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_damaged_one_is_refused(packing: str) -> None:
    for raw in (PACKED[packing][:-6], TABLE):
        assert f"this is not a whole {PACKINGS[packing][0]} file" in refused(f"t.csv{packing}", raw)


@pytest.mark.parametrize("packing", PACKINGS)
def test_packed_data_under_another_name_is_refused(packing: str) -> None:
    assert refused("t.csv", PACKED[packing]).startswith("t.csv: this is ")


def test_an_archive_of_several_files_is_refused() -> None:
    message = refused("t.zip", zipped(one=TABLE, two=TABLE))
    assert message == "t.zip: holds 2 files: `one`, `two`; pack one table alone"


def test_a_workbook_inside_an_archive_is_refused() -> None:
    assert "this is a zip archive (as every .xlsx file is)" in refused("t.zip", zipped(book=zipped(sheet=b"x")))
