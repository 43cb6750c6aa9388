"""The commands on parquet files: what a CSV file of the same table gives, they give."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest

from tests.tables import CLASSIFY, REGRESS


@pytest.fixture
def both(folder: Path) -> Path:
    """The folder, with ``table.parquet`` beside ``table.csv``, and ``arrow.yaml`` beside ``it.yaml``."""
    pytest.importorskip("pyarrow")
    from pyarrow import csv as reader
    from pyarrow import parquet

    table = reader.read_csv("table.csv")
    assert [str(type) for type in table.schema.types] == [
        "string",
        "double",
        "double",
        "string",
        "bool",
        "string",
        "double",
    ]
    parquet.write_table(table, "table.parquet", row_group_size=50)
    Path("arrow.yaml").write_text(Path("it.yaml").read_text().replace("table.csv", "table.parquet"))
    return folder


@pytest.mark.parametrize("text", [CLASSIFY, REGRESS], ids=["classes", "numbers"])
def test_a_network_trained_on_parquet_is_that_trained_on_csv(nnctl, both, text):
    Path("it.yaml").write_text(text)
    Path("arrow.yaml").write_text(text.replace("table.csv", "table.parquet"))
    runs = [nnctl("train", name, "--json").json["run"] for name in ("it.yaml", "arrow.yaml")]
    kept = [json.loads(Path(run, "run.json").read_text()) for run in runs]
    assert kept[0]["weights_sha256"] == kept[1]["weights_sha256"]
    assert kept[0]["data_sha256"] != kept[1]["data_sha256"]
    again = nnctl("train", str(Path(runs[1], "resolved.yaml")), "--json").json
    assert again["metrics"] == json.loads(Path(runs[1], "metrics.json").read_text())["metrics"]


def test_a_run_is_judged_on_either(nnctl, both):
    run = nnctl("train", "arrow.yaml", "--json").json["run"]
    found = [nnctl("eval", run, *rest, "--json").json for rest in ([], ["table.parquet", "--split", "test"])]
    assert found[0]["metrics"] == found[1]["metrics"]
    whole = [nnctl("eval", run, name, "--json").json["metrics"] for name in ("table.csv", "table.parquet")]
    assert whole[0] == whole[1]


def test_predictions_for_parquet_are_a_csv(nnctl, both):
    run = nnctl("train", "it.yaml", "--json").json["run"]
    wanted, found = (
        list(csv.DictReader(nnctl("predict", run, name, "--proba").out.splitlines()))
        for name in ("table.csv", "table.parquet")
    )
    assert len(found) == 120
    for one, other in zip(wanted, found, strict=True):
        for name, cell in one.items():
            assert other[name] == cell or float(other[name]) == float(cell)
    found = nnctl("predict", run, "table.parquet", "-o", "table.parquet")
    assert found.code == 3
    assert "the input would be overwritten" in found.err


def test_a_file_of_its_own_for_validation_may_be_parquet(nnctl, both):
    settings = ("data.split=none", "data.val_path=table.parquet", "train.epochs=1", "--json")
    assert nnctl("train", "it.yaml", *settings).json["metrics"]["val_loss"] > 0


def test_a_starter_config_names_the_parquet_file(nnctl, both):
    from pyarrow import parquet

    table = parquet.read_table("table.parquet")
    lists = [[number] for number in range(len(table))]
    table = table.append_column("vector", [lists]).append_column("__index_level_0__", [list(range(len(table)))])
    parquet.write_table(table, "more.parquet")
    assert nnctl("init", "more.parquet", "--target", "answer", "-o", "more.yaml").code == 0
    text = Path("more.yaml").read_text()
    assert "path: more.parquet" in text
    assert "- vector  # is of a type that cannot be learned from" in text
    assert "- __index_level_0__  # is the index of a DataFrame" in text
    assert nnctl("train", "more.yaml", "train.epochs=1").code == 0


def test_a_column_that_cannot_be_read_is_an_error_at_its_key(nnctl, both):
    from pyarrow import parquet

    table = parquet.read_table("table.parquet")
    parquet.write_table(table.append_column("vector", [[[1]] * len(table)]), "table.parquet")
    found = nnctl("check", "arrow.yaml")
    assert found.code == 3
    assert "column `vector` is of the type list<element: int64>" in found.err
    assert nnctl("check", "arrow.yaml", "data.drop=[amount, vector]").code == 0
    assert nnctl("train", "arrow.yaml", "data.drop=[amount, vector]", "train.epochs=1").code == 0


def test_without_pyarrow_the_way_to_get_it_is_named(nnctl, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    Path("table.parquet").write_bytes(b"PAR1")
    Path("it.yaml").write_text(CLASSIFY.replace("table.csv", "table.parquet"))
    found = nnctl("train", "it.yaml")
    assert (found.code, found.out) == (3, "")
    assert "pip install 'nnctl[parquet]'" in found.err
