"""Encoders of categories and of dates: names, widths, reserved slots, and what each writes."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.component import registry
from nnctl.errors import DataError, SpecError
from nnctl.transforms import Encoder, State, calendar, ordered
from nnctl.transforms.cyclic import Cyclic
from nnctl.transforms.embedding import Embedding
from nnctl.transforms.frequency import Frequency
from nnctl.transforms.hash import Hash
from nnctl.transforms.one_hot import OneHot
from nnctl.transforms.ordinal import Ordinal
from nnctl.transforms.parts import Parts
from nnctl.transforms.sample import Sample

ENCODERS = [cls(**example) for cls in registry.classes("transforms", Encoder) for example in cls.examples]
# Those that give every level a row of its own.
EXACT = [OneHot(), Ordinal(), Embedding()]
levels = st.lists(st.text(max_size=3), min_size=1, max_size=6, unique=True)


def fit(encoder: Encoder, names: Sequence[str], reserved: int = 0, counts: Sequence[int] | None = None) -> State:
    return encoder.fit(names, counts=counts or [1] * len(names), reserved=reserved)


def written(encoder: Encoder, codes: Sequence[int], state: State) -> list[list[float]]:
    out = np.empty((len(codes), encoder.width(state)))
    encoder.apply(np.array(codes, np.int64), state, out)
    return out.tolist()


@pytest.mark.parametrize("encoder", ENCODERS, ids=repr)
@given(names=levels, reserved=st.integers(0, 1), data=st.data())
def test_names_width_and_columns_fit_together(
    encoder: Encoder, names: list[str], reserved: int, data: st.DataObject
) -> None:
    state = fit(encoder, names, reserved)
    assert json.loads(json.dumps(state, allow_nan=False)) == state
    known = encoder.codes(names, state)
    codes = np.array(data.draw(st.lists(st.sampled_from([-1, *known]), max_size=8)), dtype=np.int64)
    matrix = np.full((len(codes), encoder.width(state) + 2), 9.0, dtype=np.float32)
    encoder.apply(codes, state, matrix[:, 1:-1])
    assert len(encoder.feature_names("zip", state)) == encoder.width(state)
    assert (matrix[:, [0, -1]] == 9).all()
    assert ((matrix[:, 1:-1] >= 0) & (matrix[:, 1:-1] <= max(1, encoder.code_levels(state) - 1))).all()
    rows = {code: tuple(row) for code, row in zip(codes.tolist(), matrix.tolist(), strict=True)}
    assert [tuple(row) for row in matrix.tolist()] == [rows[code] for code in codes.tolist()]
    if encoder in EXACT:
        assert len(set(rows.values())) == len(rows)


def test_the_users_order_wins_and_may_name_more() -> None:
    assert ordered(["high", "low"], ["low", "mid", "high"]) == ["low", "mid", "high"]
    assert ordered(["high", "low"], None) == ["high", "low"]


def test_an_order_that_lacks_or_repeats_a_level_is_refused() -> None:
    with pytest.raises(DataError, match="`low`, `top` is missing"):
        ordered(["high", "low", "top"], ["high"])
    with pytest.raises(SpecError, match="`low` more than once"):
        ordered(["low"], ["low", "low"])


def test_one_hot_reserves_a_column_for_missing_cells_of_the_training_rows() -> None:
    state = fit(OneHot(), ["a", "b"], reserved=3)
    assert written(OneHot(), [1, -1, 0], state) == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    assert OneHot().feature_names("zip", state) == ["zip=a", "zip=b", "zip=<missing>"]


def test_one_hot_leaves_an_unknown_value_at_zero_without_that_column() -> None:
    assert written(OneHot(), [-1, 1], fit(OneHot(), ["a", "b"])) == [[0, 0], [0, 1]]


def test_ordinal_spreads_the_levels_over_zero_to_one() -> None:
    state = fit(Ordinal(), ["s", "m", "l", "xl"], reserved=1)
    assert written(Ordinal(), [0, 1, 2, 3, -1], state) == [[0.25], [0.5], [0.75], [1.0], [0.0]]
    assert Ordinal().feature_names("size", state) == ["size"]


@pytest.mark.parametrize("encoder", [Ordinal(), Frequency(), Embedding()], ids=repr)
def test_a_column_without_any_level_is_all_zero(encoder: Encoder) -> None:
    assert written(encoder, [-1, -1], fit(encoder, [], reserved=2)) == [[0], [0]]


def test_embedding_writes_codes_from_one_and_keeps_zero_for_the_rest() -> None:
    state = fit(Embedding(), ["a", "b", "c"])
    assert Embedding().codes(["c", "new", "a"], state) == [2, -1, 0]
    assert written(Embedding(), [2, -1, 0], state) == [[3], [0], [1]]
    assert Embedding().code_levels(state) == 4
    assert Ordinal().code_levels(fit(Ordinal(), ["a"])) == 0


def test_frequency_is_the_share_of_all_training_rows() -> None:
    state = fit(Frequency(), ["a", "b", "named"], reserved=2, counts=[5, 1, 0])
    assert written(Frequency(), [0, 1, 2, -1], state) == [[0.625], [0.125], [0], [0]]


def test_hash_throws_every_level_into_a_bucket() -> None:
    encoder = Hash(buckets=4)
    state = fit(encoder, ["a"])
    codes = encoder.codes([str(place) for place in range(4000)], state)
    counts = np.bincount(codes, minlength=4)
    assert len(counts) == 4
    assert (abs(counts - 1000) < 150).all()  # five standard deviations
    assert written(encoder, [3, -1], state) == [[0, 0, 0, 1], [0, 0, 0, 0]]
    assert written(encoder, [3, -1], fit(encoder, ["a"], reserved=1)) == [[0, 0, 0, 1, 0], [0, 0, 0, 0, 1]]


def test_hashes_are_the_same_in_every_process() -> None:
    names = ["", "a", "Zürich", "10"]
    here = Hash(buckets=1000).codes(names, {})
    assert here == [756, 928, 368, 646]
    program = f"from nnctl.transforms.hash import Hash; print(Hash(buckets=1000).codes({names!r}, {{}}))"
    out = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONHASHSEED": "7", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
    )
    assert json.loads(out.stdout) == here, out.stderr.decode()


def seconds(*dates: str) -> np.ndarray:
    return np.array([datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp() for date in dates])


@given(st.lists(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)), min_size=1, max_size=5))
def test_the_calendar_is_that_of_python(dates: list[datetime]) -> None:
    dates = [date.replace(microsecond=0) for date in dates]
    shown = calendar(np.array([(date - datetime(1970, 1, 1)).total_seconds() for date in dates]))
    for place, date in enumerate(dates):
        found = {name: values[place] for name, values in shown.items()}
        assert [found[part] for part in ("year", "month", "day", "hour", "minute", "second", "weekday")] == [
            *(date.year, date.month, date.day, date.hour, date.minute, date.second, date.weekday())
        ]
        assert found["day_of_year"] == date.timetuple().tm_yday
        start, length = (
            datetime(date.year, 1, 1),
            365 + (date.year % 4 == 0 and (date.year % 100 > 0 or date.year % 400 == 0)),
        )
        assert found["year_passed"] == pytest.approx((date - start) / timedelta(days=length), abs=1e-12)
        assert 0 <= found["day_passed"] < 1


def test_parts_are_those_that_differ_and_standardised() -> None:
    x = seconds("2023-03-01", "2023-03-02", "2024-03-04")
    state = Parts().fit(Sample.of(x))
    assert Parts().feature_names("day", state) == ["day.year", "day.day", "day.weekday"]
    out = np.empty((4, 3))
    Parts().apply(np.append(x, np.nan), state, out)
    np.testing.assert_allclose(out[:3].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(out[:3].std(axis=0), 1)
    assert out[3].tolist() == [0, 0, 0]


def test_one_date_alone_has_a_part_and_a_cycle() -> None:
    x = seconds("2024-05-06")
    for encoder in (Parts(), Cyclic()):
        out = np.empty((1, encoder.width(encoder.fit(Sample.of(x)))))
        encoder.apply(x, encoder.fit(Sample.of(x)), out)
        assert out.shape[1] > 0
        assert np.isfinite(out).all()


def test_cycles_join_their_ends() -> None:
    encoder = Cyclic(cycles=("day_of_year", "hour", "weekday", "month"))
    x = seconds("2023-12-31T23:59:59", "2024-01-01T00:00:00")
    out = np.empty((3, 8))
    encoder.apply(np.append(x, np.nan), encoder.fit(Sample.of(x)), out)
    np.testing.assert_allclose(out[0, :4], out[1, :4], atol=1e-4)
    np.testing.assert_allclose(out[1], [0, 1, 0, 1, 0, 1, 0, 1], atol=1e-12)  # a Monday in January
    np.testing.assert_allclose(
        out[0, 4:], [math.sin(12 * math.pi / 7), math.cos(12 * math.pi / 7), -0.5, math.sqrt(0.75)]
    )
    assert not out[2].any()
    np.testing.assert_allclose(out[:2, ::2] ** 2 + out[:2, 1::2] ** 2, 1)
    assert encoder.feature_names("t", encoder.fit(Sample.of(x)))[:2] == ["t.day_of_year.sin", "t.day_of_year.cos"]


def test_cycles_are_those_in_which_rows_differ() -> None:
    assert Cyclic().fit(Sample.of(seconds("2024-01-01", "2024-01-08")))["cycles"] == ["day_of_year"]
    assert Cyclic().fit(Sample.of(seconds("2024-01-01", "2024-01-01T06:00")))["cycles"] == ["day_of_year", "hour"]


@pytest.mark.parametrize("encoder", [Parts(parts=()), Cyclic(cycles=())], ids=repr)
def test_no_part_at_all_is_refused(encoder: Parts | Cyclic) -> None:
    with pytest.raises(SpecError, match="names no"):
        encoder.fit(Sample.of(seconds("2024-01-01")))
