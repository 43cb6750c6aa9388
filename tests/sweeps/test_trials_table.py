"""trials.csv is what other tools read as it is."""

from __future__ import annotations

import io
import math

import pandas as pd

from nnctl.sweeps.result import Tried
from nnctl.sweeps.trials_table import table
from tests.sweeps.made import tried


def read(*trials: Tried) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(table(trials)))


def test_the_columns_are_what_became_of_it_then_what_varied_then_the_metrics() -> None:
    frame = read(tried(1, {"optimizer.lr": 0.1, "seed": 0}, 0.5), tried(2, {"optimizer.lr": 1e-7, "seed": 1}, 0.25))
    assert list(frame) == [
        *("trial", "run", "status", "epochs", "best_epoch", "seconds"),
        *("optimizer.lr", "seed", "train_loss", "val_loss"),
    ]
    assert frame["optimizer.lr"].tolist() == [0.1, 1e-7]
    assert frame["val_loss"].tolist() == [0.5, 0.25]
    assert frame["run"][1].endswith("/trials/0002")


def test_the_rows_stand_by_number_however_the_trials_ended() -> None:
    assert read(tried(3, {}, 1.0), tried(1, {}, 3.0), tried(2, {}, 2.0))["trial"].tolist() == [1, 2, 3]


def test_what_is_not_finite_or_not_known_is_an_empty_cell() -> None:
    frame = read(tried(1, {"a": None}, math.nan), tried(2, {"b": 1}, None, status="failed"), tried(3, {}, -math.inf))
    assert frame[["a", "b", "val_loss"]].isna().to_numpy().tolist() == [
        [True, True, True],
        [True, False, True],
        [True, True, True],
    ]


def test_lists_and_text_with_commas_are_one_cell() -> None:
    params = {"model.hidden": [64, 64], "model.layers": [{"type": "dense", "units": 3}], "name": 'a, "b"', "on": True}
    frame = read(tried(1, params, 1.0))
    assert frame["model.hidden"][0] == "[64, 64]"
    assert frame["model.layers"][0] == '[{"type": "dense", "units": 3}]'
    assert frame["name"][0] == 'a, "b"'
    assert bool(frame["on"][0]) is True


def test_numbers_read_back_exactly() -> None:
    value = 0.1 + 0.2
    assert pd.read_csv(io.BytesIO(table([tried(1, {"x": value}, value)])))["x"][0] == value


def test_a_sweep_without_trials_has_a_header() -> None:
    assert table([]) == b"trial,run,status,epochs,best_epoch,seconds\n"
