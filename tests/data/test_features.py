"""Features: what the cells of a table become, and which cells are refused by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.component import plain
from nnctl.data.features import Feature, Features, features_of, features_state
from nnctl.data.fitting import fit_category, fit_date, fit_number, levels_of
from nnctl.data.table import Table
from nnctl.errors import DataError
from nnctl.layers import InputColumn
from nnctl.transforms import Encoder, Imputer, Scaler
from nnctl.transforms.constant import Constant
from nnctl.transforms.cyclic import Cyclic
from nnctl.transforms.embedding import Embedding
from nnctl.transforms.error import Error
from nnctl.transforms.frequency import Frequency
from nnctl.transforms.hash import Hash
from nnctl.transforms.log1p import Log1p
from nnctl.transforms.median import Median
from nnctl.transforms.none import NoScaling
from nnctl.transforms.one_hot import OneHot
from nnctl.transforms.ordinal import Ordinal
from nnctl.transforms.parts import Parts
from nnctl.transforms.quantile_normal import QuantileNormal
from nnctl.transforms.yeo_johnson import YeoJohnson
from tests.data.helpers import read

TEXT = (
    "n,c,d\n1,red,2024-01-01\n,blue,2024-02-01\n-3,?,\n9,red,2024-02-03T12:00\n4,green,2023-01-01\n2,red,2024-01-01\n"
)
DATES = {"d": "date"}


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Table:
    monkeypatch.chdir(tmp_path)
    return read(TEXT, types=DATES)


def numbers(table: Table, scaler: Scaler, imputer: Imputer, **options: Any) -> Feature:
    return fit_number(table.columns["n"], np.arange(table.rows), scaler=scaler, imputer=imputer, **options)


def categories(table: Table, encoder: Encoder, rows: Any = None, **options: Any) -> Feature:
    rows = np.arange(table.rows) if rows is None else np.array(rows)
    levels = levels_of(table.columns["c"], rows, **{"order": None, **options})
    return fit_category("c", levels, encoder=encoder)


def matrix(feature: Feature, table: Table) -> list[list[float]]:
    return Features((feature,)).matrix(table)[0].tolist()


def test_an_indicator_says_where_a_cell_was_missing(table: Table) -> None:
    feature = numbers(table, NoScaling(), Constant(value=7), indicator=True)
    assert matrix(feature, table) == [[1, 0], [7, 1], [-3, 0], [9, 0], [4, 0], [2, 0]]
    assert feature.inputs == (InputColumn("n", "number"), InputColumn("n=<missing>", "number"))


def test_without_a_missing_cell_in_training_there_is_nothing_to_indicate(table: Table) -> None:
    feature = fit_number(table.columns["n"], np.array([0, 2, 3]), scaler=NoScaling(), imputer=Median(), indicator=True)
    assert feature.width == 1
    assert matrix(feature, table)[1] == [1]


@pytest.mark.parametrize(
    ("clip", "kept"),
    [((-2.0, 3.0), [1, 2, -2, 3, 3, 2]), ((None, 3.0), [1, 2, -3, 3, 3, 2]), ((0.0, None), [1, 2, 0, 9, 4, 2])],
)
def test_scaled_numbers_are_clipped(table: Table, clip: Any, kept: list[float]) -> None:
    feature = numbers(table, NoScaling(), Median(), clip=clip)
    assert [row[0] for row in matrix(feature, table)] == kept


def test_a_missing_cell_that_nothing_stands_for_is_refused_by_its_line(table: Table) -> None:
    feature = numbers(table, NoScaling(), Error())
    with pytest.raises(DataError) as caught:
        matrix(feature, table)
    assert str(caught.value) == "a.csv:3: column `n`: 1 of 6 cells is missing, which `missing: error` forbids: line 3"
    later = read("n,c,d\n1,red,\n2,red,\n", "b.csv", types=DATES)
    assert matrix(feature, later) == [[1], [2]]
    assert matrix(numbers(later, NoScaling(), Error()), later) == [[1], [2]]


def test_numbers_that_a_scaler_does_not_take_are_refused_by_line_and_value(table: Table) -> None:
    with pytest.raises(DataError) as caught:
        matrix(numbers(table, Log1p(), Median()), table)
    assert str(caught.value) == (
        "a.csv:4: column `n`: 1 of 6 cells is outside of what log1p takes (numbers > -1): -3 (line 4)"
    )
    many = read("n,c,d\n" + "".join(f"-{place},a,\n" for place in range(9)), "b.csv", types=DATES)
    with pytest.raises(
        DataError, match=r"b.csv:3: column `n`: 8 of 9 cells are outside of .*: -1 \(line 3\), .* and 3 more"
    ):
        matrix(numbers(many, Log1p(), Median()), many)


def test_a_replacement_that_the_scaler_does_not_take_is_refused_at_its_key(tmp_path: Path) -> None:
    table = read("n,c,d\n1,a,\n,b,\n", str(tmp_path / "b.csv"), types=DATES)
    with pytest.raises(
        DataError, match=r"data.columns.n.missing: -5 stands for missing cells of `n`, log1p takes only"
    ):
        numbers(table, Log1p(), Constant(value=-5))


def test_levels_are_those_of_the_training_rows_by_count(table: Table) -> None:
    levels = levels_of(table.columns["c"], np.array([0, 1, 2, 3]), order=None)
    assert (levels.names, levels.counts, levels.reserved, levels.pooled) == (["blue", "red"], [1, 2], 1, False)


@pytest.mark.parametrize(
    ("options", "kept", "reserved", "pooled"),
    [
        ({"min_count": 2}, ["red"], 3, True),
        ({"max_levels": 2}, ["blue", "red"], 2, True),
        ({"max_levels": 3}, ["blue", "green", "red"], 1, False),
        ({"min_count": 4}, [], 6, True),
        ({"order": ["red", "pink", "green", "blue"]}, ["red", "pink", "green", "blue"], 1, False),
        ({"order": ["red", "pink", "green", "blue"], "max_levels": 2}, ["red", "green"], 2, True),
        ({"order": ["pink", "red", "green", "blue"], "min_count": 2}, ["red"], 3, True),
    ],
)
def test_rare_levels_share_the_reserved_slot(
    table: Table, options: dict[str, Any], kept: list[str], reserved: int, pooled: bool
) -> None:
    levels = levels_of(table.columns["c"], np.arange(6), **{"order": None, **options})
    assert (levels.names, levels.reserved, levels.pooled) == (kept, reserved, pooled)


def test_rare_missing_and_unknown_values_are_written_alike(table: Table) -> None:
    new = read("n,c,d\n1,red,\n1,blue,\n1,pink,\n1,?,\n", "b.csv", types=DATES)
    for encoder, rest in ((OneHot(), [0, 1]), (Ordinal(), [0]), (Embedding(), [0]), (Frequency(), [0])):
        feature = categories(table, encoder, min_count=2)
        assert matrix(feature, new)[1:] == [rest] * 3
        assert Features((feature,)).matrix(new)[1] == {}


def test_levels_that_training_did_not_show_are_counted(table: Table) -> None:
    feature = categories(table, Embedding(), [0, 3, 5])
    x, unseen = Features((feature,)).matrix(table)
    assert (x.ravel().tolist(), unseen) == ([1, 0, 0, 1, 0, 1], {"c": 2})
    assert Features((categories(table, Hash(), [0]),)).matrix(table)[1] == {}


def test_every_column_of_the_matrix_is_described(table: Table) -> None:
    rows = np.arange(6)
    features = Features(
        (
            numbers(table, NoScaling(), Median(), indicator=True),
            categories(table, Embedding()),
            categories(table, OneHot()),
            fit_date(table.columns["d"], rows, encoder=Cyclic(cycles=("month",)), indicator=True),
        )
    )
    assert [(each.name, each.kind, each.levels) for each in features.inputs] == [
        ("n", "number", 0),
        ("n=<missing>", "number", 0),
        ("c", "code", 4),
        ("c=blue", "number", 0),
        ("c=green", "number", 0),
        ("c=red", "number", 0),
        ("c=<missing>", "number", 0),
        ("d.month.sin", "number", 0),
        ("d.month.cos", "number", 0),
        ("d=<missing>", "number", 0),
    ]
    x, _ = features.matrix(table)
    assert x.shape == (6, features.width) == (6, len(features.inputs))
    assert x[2].tolist()[-3:] == [0, 0, 1]


def test_every_feature_survives_the_checkpoint(table: Table) -> None:
    rows = np.arange(6)
    encoders = [OneHot(), Ordinal(), Embedding(), Frequency(), Hash(buckets=3)]
    found = [
        numbers(table, QuantileNormal(), Median(), indicator=True, clip=(None, 2.0)),
        numbers(table, YeoJohnson(), Constant(value=0.0)),
        *(categories(table, encoder, min_count=2) for encoder in encoders),
        *(fit_date(table.columns["d"], rows, encoder=encoder, indicator=True) for encoder in (Parts(), Cyclic())),
    ]
    features = Features(tuple(found))
    saved = features_state(features)
    read_back = json.loads(json.dumps(plain(saved), allow_nan=False))
    # The model makes the components anew; here those at hand stand for them.
    again = features_of(
        [
            {**entry, **{role: was[role] for role in ("scale", "encode") if role in was}}
            for entry, was in zip(read_back, saved, strict=True)
        ]
    )
    assert again == features
    np.testing.assert_array_equal(again.matrix(table)[0], features.matrix(table)[0])
