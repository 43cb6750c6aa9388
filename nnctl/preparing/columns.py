"""How each column is prepared: by its type, by its own options, and by those of ``numeric`` and ``categorical``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.data.features import DateFeature, Feature, Features, NumberFeature
from nnctl.data.fitting import fit_category, fit_date, fit_number, levels_of
from nnctl.data.table import Column
from nnctl.data.wording import code
from nnctl.errors import DataError, NnctlError, Problem, SpecError
from nnctl.preparing.dataset import Dataset, feature_names
from nnctl.spec.problems import format_key
from nnctl.spec.schema import Categorical, ColumnOptions, Data
from nnctl.transforms import DateEncoder, Encoder
from nnctl.transforms.embedding import Embedding
from nnctl.transforms.none import NoScaling
from nnctl.transforms.one_hot import OneHot
from nnctl.transforms.parts import Parts

Array = NDArray[Any]

MOST_NAMED = 8  # columns in one note


def fit_features(data: Data, dataset: Dataset) -> Features:
    """The features that the training rows give.

    Raises: SpecError, DataError with the problems of all columns.
    """
    errors: list[NnctlError] = []
    found: list[Feature] = []
    for name in feature_names(data, dataset.table, dataset.targets):
        try:
            found.append(_fit(dataset.table.columns[name], data, dataset.fitting))
        except (DataError, SpecError) as error:
            errors.append(error)
    if errors:
        worst = SpecError if any(isinstance(error, SpecError) for error in errors) else DataError
        raise worst(problem for error in errors for problem in error.problems)
    return Features(tuple(found))


def filled(features: Features, dataset: Dataset) -> list[str]:
    """A note about the missing cells of the features: how many in each part, and what stands for them."""
    found = []
    for feature in features.columns:
        tables = {id(part.table): part.table.columns[feature.name] for part in dataset.parts.values()}
        if any(column.missing for column in tables.values()):
            counts = {
                name: len(part.rows) - int(np.count_nonzero(tables[id(part.table)].present[part.rows]))
                for name, part in dataset.parts.items()
            }
            listed = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
            found += [f"{code(feature.name)} {listed} ({_stand_in(feature)})"] * bool(listed)
    more = f"; and {len(found) - MOST_NAMED} columns more" if len(found) > MOST_NAMED else ""
    return [f"missing cells are filled: {'; '.join(found[:MOST_NAMED])}{more}"] if found else []


def _stand_in(feature: Feature) -> str:
    """What stands for a column's missing cells."""
    if isinstance(feature, NumberFeature):
        return f"{feature.fill or 0:.6g}"  # None refuses every missing cell when the matrix is made
    return "0" if isinstance(feature, DateFeature) else "the reserved slot"


def _fit(column: Column, data: Data, rows: Array) -> Feature:
    options = data.columns.get(column.name, ColumnOptions())
    try:
        if column.type == "category":
            return _fit_category(column, options, data.categorical, rows)
        if column.type == "date":
            encoder = options.encode if isinstance(options.encode, DateEncoder) else Parts()
            return fit_date(column, rows, encoder=encoder, indicator=bool(options.indicator))
    except (DataError, SpecError) as error:
        option = "encode" if column.type == "date" else "order"
        key = format_key(("data", "columns", column.name, option))
        raise type(error)(replace(problem, key=problem.key or key) for problem in error.problems) from None
    usual = data.numeric.scale if column.type == "number" else NoScaling()
    clip = data.numeric.clip if column.type == "number" else None
    return fit_number(
        column,
        rows,
        scaler=options.scale or usual,
        imputer=options.missing or data.numeric.missing,
        indicator=data.numeric.indicator if options.indicator is None else options.indicator,
        clip=options.clip or clip,
    )


def _fit_category(column: Column, options: ColumnOptions, usual: Categorical, rows: Array) -> Feature:
    found = levels_of(column, rows, order=options.order, min_count=usual.min_count, max_levels=usual.max_levels)
    encode = options.encode or usual.encode
    if not isinstance(encode, Encoder):
        encode = OneHot() if len(found.names) <= usual.one_hot_max else Embedding()
    if options.order is not None and not encode.keeps_levels:
        raise SpecError(Problem(f"{encode.name} knows no order of the levels, leave it out"))
    return fit_category(column.name, found, encoder=encode)
