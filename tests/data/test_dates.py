"""Columns of dates: declared, parsed, refused by line, and read from frames."""

from __future__ import annotations

import math
from datetime import date, datetime

import numpy as np
import pandas
import pytest

from nnctl.data.dates import date_text
from nnctl.data.frame import table_from_frame
from nnctl.data.labels import labels
from tests.data.helpers import MISSING, read, refusal

DAY = {"day": "date"}


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def seconds(*moments: datetime) -> list[float]:
    return [(moment - datetime(1970, 1, 1)).total_seconds() for moment in moments]


def test_iso_dates_become_seconds():
    text = (
        "day,x\n2024-02-29,1\n1969-12-31T23:59:59,2\n?,3\n 20240102 ,4\n2024-01-01 06:30,5\n2024-01-01T00:00+02:00,6\n"
    )
    column = read(text, types=DAY).columns["day"]
    moments = [datetime(2024, 2, 29), datetime(1969, 12, 31, 23, 59, 59), datetime(2024, 1, 2)]
    more = [datetime(2024, 1, 1, 6, 30), datetime(2023, 12, 31, 22)]  # an offset is moved to UTC
    np.testing.assert_array_equal(column.values, [*seconds(*moments[:2]), math.nan, *seconds(moments[2], *more)])
    assert (column.type, column.missing, column.distinct, column.values.dtype) == ("date", 1, 5, np.float64)


@pytest.mark.parametrize(
    ("cell", "form"),
    [("31.12.2024", "%d.%m.%Y"), ("12/31/24", "%m/%d/%y"), ("20241231", "%Y%m%d"), ("31 Dec 2024", "%d %b %Y")],
)
def test_a_format_reads_other_dates(cell, form):
    column = read(f"day,x\n{cell},1\n", types=DAY, dates={"day": form}).columns["day"]
    assert column.values.tolist() == seconds(datetime(2024, 12, 31))


def test_a_cell_that_is_no_date_is_refused_by_line_and_value():
    message = refusal("day,x\n2024-12-31,1\n31.12.2024,2\n2024-02-30,3\n", types=DAY)
    assert message == (
        "a.csv:3: column `day`: 2 of 3 values are not dates such as 2024-12-31: '31.12.2024' (line 3), '2024-02-30' "
        "(line 4); correct them, add the text to `data.missing_values`, or declare `data.columns.day.type: category`, "
        "or say how its dates are written, `data.columns.day.format`"
    )
    message = refusal("day,x\n2024-12-31,1\n", types=DAY, dates={"day": "%d.%m.%Y"})
    assert "1 of 1 values is not a date such as 31.12.2024: '2024-12-31' (line 2)" in message


def test_dates_of_frames_are_read_whatever_they_are():
    moment = datetime(2024, 5, 6, 7, 8)
    frame = {
        "text": ["2024-05-06T07:08", None],
        "objects": [moment, None],
        "numpy": np.array(["2024-05-06T07:08", "NaT"], "datetime64[ns]"),
        "pandas": pandas.to_datetime(pandas.Series([moment, None])),
    }
    for form in (None, "%d.%m.%Y %H:%M"):
        columns = frame if form is None else {**frame, "text": ["06.05.2024 07:08", None]}
        types = dict.fromkeys(columns, "date")
        dates = {} if form is None else dict.fromkeys(columns, form)
        table = table_from_frame(columns, missing_values=MISSING, types=types, dates=dates)
        for column in table.columns.values():
            np.testing.assert_array_equal(column.values, [*seconds(moment), math.nan])
    days = table_from_frame({"day": [date(2024, 5, 6)]}, missing_values=MISSING, types=DAY)
    assert days.columns["day"].values.tolist() == seconds(datetime(2024, 5, 6))


def test_dates_can_name_groups():
    column = read("day,x\n2024-01-02,1\n2024-01-01,1\n,2\n2024-01-02,3\n", types=DAY).columns["day"]
    found = labels(column)
    assert (found.names, found.codes.tolist()) == (("2024-01-01T00:00:00", "2024-01-02T00:00:00"), [1, 0, -1, 1])
    assert date_text(-1.0) == "1969-12-31T23:59:59"
