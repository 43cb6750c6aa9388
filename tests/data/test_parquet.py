"""Parquet files are read by the types that they declare; what cannot be read is refused by name. Needs pyarrow."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.data.columns import Column
from nnctl.data.table import Table, open_table, read_table
from nnctl.errors import DataError
from tests.data.helpers import MISSING, texts

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

MOMENT = datetime(2024, 1, 31, 1, 2, 3, 456789)
SECONDS = (MOMENT - datetime(1970, 1, 1)).total_seconds()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(columns: dict[str, Any], name: str = "a.parquet", **options: Any) -> Path:
    pq.write_table(pa.table(columns), name, **options)
    return Path(name)


def read(columns: dict[str, Any], **options: Any) -> Table:
    return read_table(write(columns), **{"missing_values": MISSING, **options})


def only(values: Any, type: Any = None, **options: Any) -> Column:
    return read({"x": pa.array(values, type)}, **options).columns["x"]


def refusal(columns: dict[str, Any], **options: Any) -> str:
    with pytest.raises(DataError) as error:
        read(columns, **options)
    return str(error.value)


def same(column: Column, type: str, values: list[float], levels: tuple[str, ...] = ()) -> None:
    assert (column.type, column.levels) == (type, levels)
    np.testing.assert_array_equal(column.values, values)


@pytest.mark.parametrize("type", [pa.int8(), pa.uint8(), pa.int32(), pa.int64(), pa.uint64()], ids=str)
def test_integers_are_whole_numbers(type):
    column = only([1, 2, None, 4], type)
    same(column, "number", [1, 2, np.nan, 4])
    assert column.whole


@pytest.mark.parametrize("type", [pa.float16(), pa.float32(), pa.float64()], ids=str)
def test_floats_are_numbers_and_nan_is_missing(type):
    given = [np.float16(each) for each in (0.5, 2, np.nan)] if type == pa.float16() else [0.5, 2.0, float("nan")]
    column = only([*given, None], type)
    same(column, "number", [0.5, 2, np.nan, np.nan])
    assert not column.whole


def test_numbers_that_64_bits_cannot_hold_become_the_nearest_one():
    assert only([2**53 + 1, 2**62 + 1]).values.tolist() == [2.0**53, 2.0**62]
    same(only([2**63 + 2**12 + 1], pa.uint64()), "number", [2.0**63 + 2**12])
    many = Decimal("0.1000000000000000055511151231257827")
    same(only([many, None, Decimal("-1.5")], pa.decimal128(38, 34)), "number", [0.1, np.nan, -1.5])
    same(only([Decimal("99999999999999.99")], pa.decimal256(60, 2)), "number", [99999999999999.99])


def test_numbers_that_stand_for_a_missing_value_are_missing():
    same(only([1, -999, 3], missing_values=["", "-999"]), "number", [1, np.nan, 3])
    same(only([1.5, float("inf")], missing_values=["inf"]), "number", [1.5, np.nan])


def test_truth_values_are_booleans():
    same(only([True, None, False]), "boolean", [1, np.nan, 0], ("false", "true"))
    assert only([True, None, False], types={"x": "category"}).levels == ("false", "true")


@pytest.mark.parametrize(
    "type", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
)
def test_texts_are_read_as_those_of_a_csv_file(type):
    def column(*values: str | None) -> Column:
        return only(pa.array(values).cast(type) if not pa.types.is_dictionary(type) else pa.array(values, type))

    assert texts(column("red", "blue", None, "NA", " red ")) == ["red", "blue", None, None, "red"]
    same(column("1", "2.5", None, "?"), "number", [1, 2.5, np.nan, np.nan])
    same(column("2024-01-31", None), "date", [1706659200, np.nan])
    assert column("007", "012").levels == ("007", "012")
    same(column("yes", "no"), "boolean", [1, 0], ("no", "yes"))


def test_a_dictionary_of_numbers_is_numbers():
    same(read({"x": pa.array([1, 2, None, 1]).dictionary_encode()}).columns["x"], "number", [1, 2, np.nan, 1])


def test_dates_are_seconds_in_utc():
    same(only([date(2024, 1, 31), None, date(1, 1, 1)]), "date", [1706659200, np.nan, -62135596800])
    same(only([date(1970, 1, 1)], missing_values=["0"]), "date", [0])
    same(only([date(2024, 1, 31), None], pa.date64()), "date", [1706659200, np.nan])
    for unit, seconds in {"s": 1706662923, "ms": 1706662923.456, "us": SECONDS, "ns": SECONDS}.items():
        given = pa.array([MOMENT, None], pa.timestamp("us")).cast(pa.timestamp(unit), safe=False)
        same(only(given), "date", [seconds, np.nan])
    zoned = pa.array([MOMENT.replace(tzinfo=UTC), None], pa.timestamp("us", "Europe/Zurich"))
    same(only(zoned), "date", [SECONDS, np.nan])


def test_dates_of_the_old_type_of_spark_are_dates():
    write({"x": pa.array([datetime(1066, 10, 14), None], pa.timestamp("us"))}, use_deprecated_int96_timestamps=True)
    column = read_table(Path("a.parquet"), missing_values=[]).columns["x"]
    same(column, "date", [(datetime(1066, 10, 14) - datetime(1970, 1, 1)).total_seconds(), np.nan])


def test_a_column_without_values_is_missing():
    same(only(pa.nulls(3)), "number", [np.nan] * 3)
    assert only(pa.nulls(3), types={"x": "category"}).missing == 3


def test_a_declared_type_wins():
    assert only([3, 1, None], types={"x": "category"}).levels == ("1", "3")
    assert only([0.1, 2.0], pa.float32(), types={"x": "category"}).levels == ("0.1", "2")
    assert only([date(2024, 1, 31)], types={"x": "category"}).levels == ("2024-01-31",)
    same(only([1, 0, None], types={"x": "boolean"}), "boolean", [1, 0, np.nan], ("0", "1"))
    same(only([20240131, None], types={"x": "date"}, dates={"x": "%Y%m%d"}), "date", [1706659200, np.nan])
    assert refusal({"x": [date(2024, 1, 31)]}, types={"x": "number"}).startswith(
        "a.parquet:1: column `x`: 1 of 1 values is not a number: '2024-01-31' (row 1); "
    )


def test_numbers_that_are_not_finite_are_refused_by_row():
    found = refusal({"x": [1.0, float("inf"), None, -float("inf")]})
    assert found == (
        "a.parquet:2: column `x`: 2 of 3 values are not finite numbers: 'inf' (row 2), '-inf' (row 4); "
        "correct them, add the text to `data.missing_values`, or declare `data.columns.x.type: category`"
    )


def test_texts_among_numbers_are_refused_by_row():
    assert refusal({"x": ["1", "2", "3", "abc"]}).startswith(
        "a.parquet:4: column `x`: 1 of 4 values is not a number: 'abc' (row 4); "
    )


def test_dates_that_no_calendar_has_are_refused_by_row():
    far = pa.array([0, 10**12], pa.timestamp("s"))
    assert "1 of 2 values is not a date of the years 1 to 9999: '1000000000000 s from 1970' (row 2)" in refusal(
        {"x": far}
    )
    same(only(far, missing_values=["1000000000000 s from 1970"]), "date", [0, np.nan])


UNREADABLE = {
    "list<element: int64>": pa.array([[1], [2]]),
    "struct<a: int64>": pa.array([{"a": 1}, {"a": 2}]),
    "binary": pa.array([b"\xff", b"b"]),
    "time64[us]": pa.array([1, 2], pa.time64("us")),
    "duration[us]": pa.array([1, 2], pa.duration("us")),
}


@pytest.mark.parametrize("type", UNREADABLE)
def test_other_types_are_refused_where_they_are_used(type):
    columns = {"x": UNREADABLE[type], "y": [1, 2]}
    table = read(columns)
    assert [str(problem) for problem in table.undecided] == [
        f"data.columns.x: a.parquet: column `x` is of the type {type}, which is no number, boolean, text or date: "
        "add it to `data.drop`, or write it as columns of these types"
    ]
    assert refusal(columns, others=["x"]).startswith(f"a.parquet: column `x` is of the type {type}, which")
    assert refusal(columns, types={"x": "number"}).startswith(f"a.parquet: column `x` is of the type {type}, which")
    assert list(read(columns, unread=["x"]).columns) == ["y"]
    assert list(read(columns, only=["y"]).columns) == ["y"]


def test_the_index_of_a_frame_is_asked_about():
    columns = {"x": [1, 2], "__index_level_0__": [0, 1]}
    assert "is the index of a DataFrame" in str(read(columns).undecided[0])
    assert read(columns, types={"__index_level_0__": "number"}).undecided == ()
    assert read(columns, unread=["__index_level_0__"]).undecided == ()


def test_names_are_those_of_the_file_without_blanks_around_them():
    columns = {"a": [1, 2], "a.b": [3, 4], " c ": [5, 6], "größe": [7, 8]}
    table = read(columns)
    assert table.header == ("a", "a.b", "c", "größe")
    assert [column.values.tolist() for column in table.columns.values()] == [[1, 2], [3, 4], [5, 6], [7, 8]]
    pq.write_table(pa.table([[1], [2]], names=["a", "a "]), "twice.parquet")
    with pytest.raises(DataError, match="duplicate column `a`: columns 1 and 2; rename all but one"):
        open_table(Path("twice.parquet"))
    assert "column 1 has no name, but has values" in refusal({"": [1, 2], "x": [1, 2]})


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_large_tables_are_read_batch_by_batch(size, monkeypatch):
    monkeypatch.setattr("nnctl.data.room.HELD", 1000)
    monkeypatch.setattr("nnctl.data.parquet._CELLS", 90)
    monkeypatch.setattr("nnctl.data.parquet._FEWEST", 1)
    x = [None if row % 10 == 0 else row / 3 for row in range(300)]
    y = [None if row < 100 else f"t{row % 7}" for row in range(300)]
    write({"x": x, "y": y, "z": ["1"] * 150 + [None] * 150}, row_group_size=size)
    table = read_table(Path("a.parquet"), missing_values=MISSING, folder=Path("room"))
    np.testing.assert_array_equal(table.columns["x"].values, np.array(x, float))
    assert texts(table.columns["y"]) == y
    np.testing.assert_array_equal(table.columns["z"].values, [1.0] * 150 + [np.nan] * 150)
    assert (table.rows, table.line(299), table.unit) == (300, 300, "row")
    assert not table.columns["x"].values.flags.writeable


def test_cells_are_written_so_that_they_read_back():
    zoned = pa.array([MOMENT, None]).cast(pa.timestamp("us", "UTC"))
    floats = pa.array([0.1, float("nan")], pa.float32())
    columns = {
        "a": [1, None],
        "b": [1e300, 0.1],
        "c": floats,
        "d": [date(2024, 1, 31), None],
        "e": [MOMENT, None],
        "f": zoned,
        "g": [True, False],
        "h": ["x,y", ""],
        "i": pa.array([Decimal("1.50"), None]),
        "j": [[1, 2], None],
        "k": pa.nulls(2),
    }
    first, second = open_table(write(columns)).text_rows()  # type: ignore[union-attr]
    iso = MOMENT.isoformat()
    assert first == ["1", "1e+300", "0.1", "2024-01-31", iso, f"{iso}+00:00", "true", "x,y", "1.50", "[1, 2]", ""]
    assert second == ["", "0.1", "", "", "", "", "false", "", "", "", ""]


def broken(name: str, content: bytes) -> str:
    Path(name).write_bytes(content)
    with pytest.raises(DataError) as error:
        read_table(Path(name), missing_values=MISSING)
    return str(error.value)


def test_what_is_not_what_its_name_says_is_refused():
    assert broken("a.parquet", b"a,b\n1,2\n") == (
        "a.parquet: this is not a parquet file; if it is a CSV file, name it so, or write it as parquet again"
    )
    assert "this is not a parquet file" in broken("b.PQ", b"")
    assert broken("c.parquet", b"PARE1234PARE") == "c.parquet: the file is encrypted; write it without encryption"
    whole = write({"x": [1, 2]}).read_bytes()
    assert broken("a.csv", whole) == (
        "a.csv: this is a parquet file, not text; give it a name that ends in `.parquet`, or export it as CSV"
    )


def test_a_damaged_file_is_refused():
    whole = write({"x": list(range(1000)), "y": [f"t{i}" for i in range(1000)]}, write_page_checksum=True).read_bytes()
    for size in (4, 8, 100, len(whole) // 2, len(whole) - 1):
        assert "the file cannot be read, it seems to be damaged" in broken("b.parquet", whole[:size])
    for place in range(10, 2000, 97):
        flipped = whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]
        assert "the file cannot be read, it seems to be damaged" in broken("b.parquet", flipped)


def test_texts_that_are_not_utf8_are_refused():
    text = pa.array([b"\xff\xfe", b"b"]).view(pa.string())
    assert "the file cannot be read, it seems to be damaged" in refusal({"x": text})


def test_files_without_rows_or_columns_are_refused():
    assert refusal({"x": pa.array([], pa.int64())}) == "a.parquet: no data rows"
    assert refusal({}) == "a.parquet: the file has no columns"
    Path("d.parquet").mkdir()
    with pytest.raises(DataError, match=r"d\.parquet: this is a folder; give the path of one parquet file"):
        open_table(Path("d.parquet"))
    with pytest.raises(DataError, match=r"b\.parquet: no such file"):
        open_table(Path("b.parquet"))


def test_a_file_that_changes_is_refused():
    file = open_table(write({"x": [1, 2]}))
    write({"x": [1, 2, 3]})
    with pytest.raises(DataError, match="the file changed while it was read"):
        list(file.text_rows())  # type: ignore[union-attr]
