"""Transforms with scikit-learn: fitted on some rows, applied to those and to others."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sklearn import impute, preprocessing

from tests.reference.records import Array, Record, make, numbers

SKLEARN = "scikit-learn 1.9.1"

COLUMNS: dict[str, Array] = {
    "skewed": np.round(np.exp(numbers("skewed", 40)) - 0.3, 3),
    "ties": np.round(numbers("ties", 40)),
    "far": numbers("far", 40) + 1e6,
}
OTHER = {"skewed": [-1.0, 0.0, 0.5, 30.0], "ties": [-9.0, 0.4, 1.0, 9.0], "far": [0.0, 1e6, 1000000.5, 2e6]}
POSITIVE = np.round(np.exp(numbers("log", 20)), 3)


def records() -> list[Record]:
    return [*_scalers(), *_imputers(), *_encoders(), *_dates()]


def _scalers() -> list[Record]:
    scalers: list[tuple[str, Mapping[str, Any], str, Any]] = [
        ("standardize", {}, "StandardScaler", preprocessing.StandardScaler),
        ("robust", {}, "RobustScaler", preprocessing.RobustScaler),
        ("min_max", {}, "MinMaxScaler", preprocessing.MinMaxScaler),
        ("max_abs", {}, "MaxAbsScaler", preprocessing.MaxAbsScaler),
        ("yeo_johnson", {}, "PowerTransformer(standardize=True)", preprocessing.PowerTransformer),
        ("quantile_normal", {}, "QuantileTransformer(output_distribution='normal')", _quantile),
    ]
    made = []
    for name, options, words, cls in scalers:
        for case, fitted in COLUMNS.items():
            if name == "yeo_johnson" and case == "far":
                continue  # no power but 1 keeps its digits, and scikit-learn tries such
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                scaler = cls().fit(fitted[:, None])
            if name == "quantile_normal":
                # As many quantiles as rows: they are the rows. scikit-learn's rounding tears equal ones apart.
                assert np.allclose(scaler.quantiles_[:, 0], np.sort(fitted), rtol=1e-12)
                scaler.quantiles_ = np.sort(fitted)[:, None]
            other = np.array(OTHER[case])
            # A maximum is known only to the root of the rounding of what is largest there.
            tolerance = 1e-7 if name == "yeo_johnson" else 1e-9
            content = {"fitted": fitted, "other": other, "case": case, "tolerance": tolerance}
            results = {word: scaler.transform(x[:, None])[:, 0] for word, x in (("y", fitted), ("y_other", other))}
            made.append(make("scalers", name, f"{SKLEARN} {words}", options, **content, **results))
    plain = {"fitted": POSITIVE, "other": np.array([0.0, 1.0]), "case": "positive", "tolerance": 1e-12}
    for name, options, f in (
        ("log1p", {}, np.log1p),
        ("divide", {"by": 255.0}, lambda x: x / 255),
        ("none", {}, lambda x: x),
    ):
        results = {"y": f(plain["fitted"]), "y_other": f(plain["other"])}
        made.append(make("scalers", name, "NumPy", options, **plain, **results))
    return made


def _quantile() -> Any:
    return preprocessing.QuantileTransformer(n_quantiles=40, output_distribution="normal")


def _imputers() -> list[Record]:
    x = np.array([3.0, np.nan, 1.0, 1.0, np.nan, 7.0, 3.0, 2.5])
    made = []
    for name in ("mean", "median", "most_frequent"):
        value = impute.SimpleImputer(strategy=name).fit(x[:, None]).statistics_[0]
        given = [None if np.isnan(v) else v for v in x]
        made.append(make("imputers", name, f"{SKLEARN} SimpleImputer", x=given, value=value))
    constant = impute.SimpleImputer(strategy="constant", fill_value=-1.0).fit(x[:, None]).statistics_[0]
    made.append(make("imputers", "constant", f"{SKLEARN} SimpleImputer", {"value": -1.0}, x=given, value=constant))
    return made


def _encoders() -> list[Record]:
    """Levels "a", "b", "c" in 5, 3 and 1 training rows, a missing cell in one more; then some rows."""
    levels, counts, rows = ["a", "b", "c"], [5, 3, 1], ["b", "a", "c", "c", "b", None, "other"]
    column, fitted = (np.array(words, dtype=object)[:, None] for words in (rows, levels))
    one_hot = preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(fitted)
    ordinal = preprocessing.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(fitted)
    dummies = one_hot.transform(column)
    none = 1 - dummies.sum(axis=1, keepdims=True)
    codes = ordinal.transform(column)
    shares = np.array([dict(zip(levels, counts, strict=True)).get(row, 0) / 10 for row in rows])[:, None]
    made = [
        ("one_hot", {}, 0, f"{SKLEARN} OneHotEncoder", dummies),
        ("one_hot", {}, 1, f"{SKLEARN} OneHotEncoder, a column for missing and unknown", np.hstack([dummies, none])),
        ("ordinal", {}, 1, f"{SKLEARN} OrdinalEncoder, (code + 1) / levels", (codes + 1) / 3),
        ("embedding", {}, 1, f"{SKLEARN} OrdinalEncoder, code + 1", codes + 1),
        ("frequency", {}, 1, "rows of the level / training rows", shares),
        ("hash", {"buckets": 5}, 0, "Weinberger et al. 2009, unsigned, by hashlib.blake2b", _buckets(rows, 5)),
    ]
    content = {"levels": levels, "counts": counts, "rows": rows}
    return [
        make("encoders", name, source, options, y=y, reserved=reserved, **content, case=f"reserved {reserved}")
        for name, options, reserved, source, y in made
    ]


def _buckets(rows: list[str | None], count: int) -> Array:
    out = np.zeros((len(rows), count))
    for place, row in enumerate(rows):
        if row is not None:
            digest = hashlib.blake2b(row.encode(), digest_size=8).digest()
            out[place, int.from_bytes(digest, "little") % count] = 1
    return out


def _dates() -> list[Record]:
    """Dates as seconds since 1970, by Python's datetime: the parts standardized, the cycles on circles."""
    fitted = [datetime(2020 + i % 4, 1 + 5 * i % 12, 1 + 7 * i % 28, 3 * i % 24, tzinfo=UTC) for i in range(20)]
    other = [datetime(1969, 12, 31, 23, 59, 58, tzinfo=UTC), datetime(2024, 2, 29, 12, tzinfo=UTC)]
    names = ["year", "month", "day", "weekday", "day_of_year", "hour"]

    def parts(days: list[datetime]) -> Array:
        return np.array([[d.year, d.month, d.day, d.weekday(), d.timetuple().tm_yday, d.hour] for d in days], float)

    def cycles(days: list[datetime]) -> Array:
        passed = []
        for d in days:
            start, end = datetime(d.year, 1, 1, tzinfo=UTC), datetime(d.year + 1, 1, 1, tzinfo=UTC)
            clock = (d.hour + d.minute / 60 + d.second / 3600) / 24
            passed.append([(d.month - 1) / 12, d.weekday() / 7, (d - start) / (end - start), clock])
        angles = 2 * np.pi * np.array(passed)
        return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(len(days), -1)

    scaler = preprocessing.StandardScaler().fit(parts(fitted))
    seconds = {"fitted": [d.timestamp() for d in fitted], "other": [d.timestamp() for d in other]}
    source = f"Python's datetime, {SKLEARN} StandardScaler"
    return [
        make("dates", "parts", source, {"parts": names}, **seconds, y=scaler.transform(parts(other))),
        make("dates", "cyclic", "Python's datetime, sine and cosine", **seconds, y=cycles(other)),
    ]
