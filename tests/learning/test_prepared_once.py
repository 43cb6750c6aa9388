"""What a run prepares from its data, a later run finds: the same numbers, without the table."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import nnctl
from nnctl.data.cache import Cache
from nnctl.errors import DataError
from nnctl.experiment import open_experiment
from nnctl.running.cross_validation import CrossValidation
from nnctl.spec.reading import read_experiment

TABLE = "size,kind,when,w,y\n" + "".join(
    f"{i % 17 if i % 5 else ''},{'abc'[i % 3]},2024-01-{i % 28 + 1:02},{i % 4},{'yes' if i % 17 > 8 else 'no'}\n"
    for i in range(200)
)
CONFIG = """
data: {path: t.csv, target: y, weight: w, split: {val: 0.2, test: 0.1}}
loss: {type: auto, class_weight: balanced}
model: {hidden: [4], output: {bias_init: prior}}
train: {epochs: 3}
"""


@pytest.fixture(autouse=True)
def experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text(TABLE)
    Path("c.yaml").write_text(CONFIG)


def entries() -> list[Path]:
    return [path for path, _, _ in Cache(Path("runs/.cache")).entries()]


def weights(run: nnctl.Run) -> str:
    found: str = json.loads((Path(run.path) / "run.json").read_text())["weights_sha256"]
    return found


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"data.target": "size", "data.columns.when.encode": "cyclic", "loss": {"type": "mse"}},
        {"data.target": "features", "data.drop": ["when", "y"], "loss": {"type": "mse"}},
        {"data.columns.kind.encode": "embedding", "model.dtype": "float64", "data.numeric.scale": "quantile_normal"},
    ],
)
def test_a_second_run_is_the_same_without_reading_the_table(
    overrides: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = nnctl.train("c.yaml", overrides)
    (entry,) = entries()
    monkeypatch.setattr("nnctl.preparing.fresh.read_dataset", None)
    second = nnctl.train("c.yaml", overrides)
    assert entries() == [entry]
    assert second.metrics == first.metrics
    for name in ("resolved.yaml", "log.txt"):
        assert (Path(second.path) / name).read_bytes() == (Path(first.path) / name).read_bytes()
    assert weights(first) == weights(second)


def test_a_second_run_imports_no_pandas() -> None:
    code = "import sys, nnctl; nnctl.train('c.yaml'); print('pandas' in sys.modules)"
    said = [
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
        for _ in range(2)
    ]
    assert said == ["True\n", "False\n"]


@pytest.mark.parametrize(
    "overrides",
    [
        {"seed": 1},
        {"data.split.seed": 5},
        {"data.split.val": 0.3},
        {"data.numeric.scale": "robust"},
        {"data.drop": ["when"]},
        {"data.missing_values": ["", "16"]},
        {"loss.class_weight": None},
        {"model.dtype": "float64"},
    ],
)
def test_what_the_fit_depends_on_makes_another_entry(overrides: dict[str, object]) -> None:
    nnctl.train("c.yaml")
    nnctl.train("c.yaml", overrides)
    assert len(entries()) == 2


@pytest.mark.parametrize(
    "overrides", [{"model.hidden": [5]}, {"optimizer.lr": 0.1}, {"train.epochs": 1}, {"metrics": ["mcc"]}]
)
def test_what_it_does_not_depend_on_makes_none(overrides: dict[str, object]) -> None:
    nnctl.train("c.yaml")
    nnctl.train("c.yaml", overrides)
    assert len(entries()) == 1


def test_a_seed_of_its_own_keeps_the_rows_and_the_entry() -> None:
    for seed in range(3):
        nnctl.train("c.yaml", {"seed": seed, "data.split.seed": 0})
    assert len(entries()) == 1


def test_another_table_makes_another_entry() -> None:
    nnctl.train("c.yaml")
    Path("t.csv").write_text(TABLE.replace("abc", "abd") + "1,a,2024-01-01,1,yes\n")
    nnctl.train("c.yaml")
    assert len(entries()) == 2


def test_the_same_table_in_another_folder_makes_another_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Path("runs").absolute()
    nnctl.train("c.yaml", runs_dir=runs)
    shutil.copytree(".", "other", ignore=shutil.ignore_patterns("runs"))
    monkeypatch.chdir("other")
    run = nnctl.train("c.yaml", runs_dir=runs)
    assert f"path: {Path('t.csv').absolute()}\n" in (Path(run.path) / "resolved.yaml").read_text()
    assert len(Cache(runs / ".cache").entries()) == 2


def test_a_pipe_is_read_once() -> None:
    os.mkfifo("pipe.csv")
    with ThreadPoolExecutor(1) as pool:
        pool.submit(Path("pipe.csv").write_text, TABLE)
        assert nnctl.train("c.yaml", {"data.path": "pipe.csv"}).metrics == nnctl.train("c.yaml").metrics


def test_what_was_read_from_a_file_that_has_changed_since_is_not_kept() -> None:
    spec = read_experiment("c.yaml", {"data.split.folds": 2})
    folds = CrossValidation(spec, spec.experiment, {}, Cache(Path("runs/.cache")))
    folds.prepare_first()
    Path("t.csv").write_text(TABLE.replace("yes", "YES"))
    folds.prepared(2)
    assert len(entries()) == 1


def test_a_damaged_entry_is_made_again() -> None:
    first = nnctl.train("c.yaml")
    (entry,) = entries()
    whole = entry.read_bytes()
    for damaged in (b"", whole[:100], whole[:200] + b"?" + whole[201:]):
        entry.write_bytes(damaged)
        assert nnctl.train("c.yaml").metrics == first.metrics
        assert entry.read_bytes() == whole


def test_columns_that_nothing_is_made_of_are_not_read() -> None:
    rows = TABLE.splitlines()
    Path("t.csv").write_text("\n".join([f"id,{rows[0]}", *(f"{i:05},{row}" for i, row in enumerate(rows[1:]))]))
    for role in ({"data.id": ["id"]}, {"data.drop": ["id"]}, {"data.columns.id.type": "text"}):
        table = open_experiment("c.yaml", role).prepared.dataset.table
        assert (list(table.columns), table.header[0]) == (["size", "kind", "when", "w", "y"], "id")
    grouped = {"data.id": ["id"], "data.split": {"type": "group", "column": "id", "val": 0.2}}
    assert open_experiment("c.yaml", grouped).prepared.dataset.table.columns["id"].distinct == 200
    with pytest.raises(DataError, match=r"data\.drop\[0\]: t\.csv has no column ``"):
        open_experiment("c.yaml", {"data.drop": [""], "data.id": ["id"]})


def test_nothing_is_kept_where_nobody_wants_it() -> None:
    nnctl.train("c.yaml", {"data.cache": False})
    assert entries() == []
    assert list(Path().glob("*.unfinished")) == []


def test_rows_are_made_alike_in_blocks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = open_experiment("c.yaml").prepared.examples
    monkeypatch.setattr("nnctl.preparing.examples.BLOCK", 7)
    parts = open_experiment("c.yaml").prepared.examples
    for name, examples in whole.items():
        for array in ("x", "t", "truth", "w", "weight"):
            assert np.array_equal(getattr(examples, array), getattr(parts[name], array))
