"""Transforms with scikit-learn: fitted on some rows, applied to those and to others."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
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
STEPS = 33  # rows and quantiles: with 40 it takes a rounding error (0.9999999999999964) for a number between equal ones
POSITIVE = np.round(np.exp(numbers("log", 20)), 3)


def records() -> list[Record]:
    return [*_scalers(), *_imputers(), *_encoders()]


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
        for case, column in COLUMNS.items():
            fitted = column[:STEPS] if name == "quantile_normal" else column
            if name == "yeo_johnson" and case == "far":
                continue  # the likelihood is flat: any exponent is as good
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                scaler = cls().fit(fitted[:, None])
            other = np.array(OTHER[case])
            content: dict[str, Any] = {"fitted": fitted, "other": other, "case": case}
            if name == "yeo_johnson":
                content["tolerance"] = 1e-7  # its own search ends 1.7e-8 from the likeliest exponent of these columns
            results = {word: scaler.transform(x[:, None])[:, 0] for word, x in (("y", fitted), ("y_other", other))}
            made.append(make("scalers", name, f"{SKLEARN} {words}", options, **content, **results))
    plain = {"fitted": POSITIVE, "other": np.array([0.0, 1.0]), "case": "positive"}
    for name, options, f in (
        ("log1p", {}, np.log1p),
        ("divide", {"by": 255.0}, lambda x: x / 255),
        ("none", {}, lambda x: x),
    ):
        results = {"y": f(plain["fitted"]), "y_other": f(plain["other"])}
        made.append(make("scalers", name, "NumPy", options, **plain, **results))
    return made


def _quantile() -> Any:
    return preprocessing.QuantileTransformer(n_quantiles=STEPS, output_distribution="normal")


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
    levels, rows = ["a", "b", "c"], ["b", "a", "c", "c", "b", "other"]
    column = np.array(rows, dtype=object)[:, None]
    fitted = np.array(levels, dtype=object)[:, None]
    one_hot = preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(fitted)
    ordinal = preprocessing.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(fitted)
    content = {"levels": levels, "rows": rows}
    return [
        make("encoders", "one_hot", f"{SKLEARN} OneHotEncoder", y=one_hot.transform(column), **content),
        make(
            "encoders",
            "ordinal",
            f"{SKLEARN} OrdinalEncoder, (code + 1) / levels",
            y=(ordinal.transform(column) + 1) / 3,
            **content,
        ),
    ]
