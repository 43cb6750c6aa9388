"""`train --from`: another run's weights and preparation of data, to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnctl
from nnctl.errors import DataError, NnctlError, SpecError
from nnctl.runs import checkpoint
from nnctl.runs.atomic import read_json
from tests.resuming.helpers import EVERY_3, ending, killed
from tests.tables import mixed_csv

STILL = {"optimizer": {"type": "sgd", "lr": 1e-30}, "train.epochs": 1, "model.dropout": 0.0, "schedule": "constant"}


def test_it_begins_with_the_weights_of_the_other(config: Path) -> None:
    first = nnctl.train(config)
    still = nnctl.train(config, {**STILL, "train.batch_size": "full"}, start_from=first)
    then, now = (checkpoint.load(Path(run.checkpoint or "")) for run in (first, still))
    weights = [name for name in then.tensors if "running" not in name and "mean" not in name and "var" not in name]
    assert weights
    for name in weights:
        assert np.array_equal(then.tensors[name], now.tensors[name]), name
    about = read_json(Path(still.path) / "run.json")["from"]
    assert about["weights_sha256"] == read_json(Path(first.path) / "run.json")["weights_sha256"]
    assert Path(about["run"]).name == Path(first.path).name


def test_the_preparation_is_that_of_the_other_whatever_the_new_rows_show(config: Path) -> None:
    first = nnctl.train(config)
    mixed_csv(Path("other.csv"), 60, seed=9)
    second = nnctl.train(config, {"data.path": "other.csv"}, start_from=first.path)
    then, now = (checkpoint.load(Path(run.checkpoint or "")).meta for run in (first, second))
    assert now["features"] == then["features"]
    assert now["target"] == then["target"]
    alone = checkpoint.load(Path(nnctl.train(config, {"data.path": "other.csv"}).checkpoint or "")).meta
    assert alone["features"] != then["features"]


def test_a_checkpoint_file_is_enough(config: Path) -> None:
    first = nnctl.train(config)
    assert nnctl.train(config, {"train.epochs": 1}, start_from=first.checkpoint).epochs == 1


def test_it_is_resumed_like_any_other(config: Path) -> None:
    first = nnctl.train(config, {"train.epochs": 2})
    spec = {**EVERY_3, "train.epochs": 5, "seed": 4}
    whole = nnctl.train(config, spec, start_from=first)
    run_dir = killed(config, spec, events=3, start_from=first.path)
    assert ending(nnctl.resume(str(run_dir.path))) == ending(whole)


def test_once_tells_runs_with_other_beginnings_apart(config: Path) -> None:
    first, second = (nnctl.train(config, {"seed": seed, "train.epochs": 2}) for seed in (1, 2))
    found = [nnctl.train(config, {"train.epochs": 2}, once=True, start_from=run).path for run in (first, second, first)]
    assert found[0] == found[2] != found[1]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"model.hidden": [5]},
            SpecError,
            r"model: does not fit the weights of runs/\S+; .*`layers\.0\.W`: \(\d+, 8\) in",
        ),
        ({"data.numeric.scale": "robust"}, SpecError, r"data\.numeric\.scale\.type: is fixed by runs/"),
        ({"data.columns": {"a": {"scale": "min_max"}}}, SpecError, r"data\.columns\.a\.scale: is fixed by runs/"),
        (
            {"data.drop": []},
            DataError,
            r"data\.columns\.(amount|answer): .*has not learned from this column; list it in `data\.drop`",
        ),
        ({"data.id": ["id", "a"]}, DataError, r"data\.id: leaves out the column `a`"),
        ({"data.split": {"folds": 3}}, SpecError, r"--from: cannot stand beside folds"),
    ],
)
def test_what_does_not_match_is_named(
    config: Path, change: dict[str, Any], error: type[NnctlError], message: str
) -> None:
    first = nnctl.train(config, {"train.epochs": 1})
    before = sorted(Path("runs").rglob("run.json"))
    with pytest.raises(error, match=message):
        nnctl.train(config, change, start_from=first)
    assert sorted(Path("runs").rglob("run.json")) == before


def test_a_label_that_the_other_run_does_not_know_is_refused(in_folder: Path) -> None:
    from tests.tables import experiment

    config = experiment(in_folder)
    first = nnctl.train(config, {"train.epochs": 1})
    table = (in_folder / "table.csv").read_text().replace(",no,", ",perhaps,")
    (in_folder / "other.csv").write_text(table)
    with pytest.raises(DataError, match=r"`answer` holds `perhaps`, not among the classes of training"):
        nnctl.train(config, {"data.path": "other.csv"}, start_from=first)
