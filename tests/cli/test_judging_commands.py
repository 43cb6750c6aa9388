"""``nnctl eval`` and ``nnctl predict`` on the command line."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from pathlib import Path

import pytest

from tests.tables import REGRESS, experiment


def test_eval_shows_metrics_confusion_and_a_row_for_each_class(nnctl, trained):
    result = nnctl("eval", "it/latest")
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0].endswith("table.csv: 24 rows")
    assert lines[1].split()[0] == "loss"
    assert any(line.startswith("true \\ predicted") for line in lines)
    assert any(line.split() == ["class", "rows", "precision", "recall", "f1"] for line in lines)
    assert sum(line.startswith("yes, please") for line in lines) == 2


def test_eval_json_has_the_metrics_that_training_reported(nnctl, trained):
    found = nnctl("eval", trained, "--json").json
    assert list(found) == ["schema", "run", "data", "split", "rows", "metrics", "confusion", "classes"]
    assert (found["schema"], found["split"], found["rows"]) == ("nnctl.eval/1", "test", 24)
    reported = json.loads((Path(trained) / "metrics.json").read_text())["metrics"]
    assert found["metrics"] == pytest.approx({name: reported[f"test_{name}"] for name in found["metrics"]}, rel=1e-6)
    assert sum(map(sum, found["confusion"])) == 24
    assert [each["label"] for each in found["classes"]] == ["no", "yes, please"]
    assert [sum(row) for row in found["confusion"]] == [each["rows"] for each in found["classes"]]


def test_eval_of_a_whole_csv_has_no_split(nnctl, trained):
    found = nnctl("eval", trained, "table.csv", "--json").json
    assert (found["split"], found["rows"], found["data"]) == (None, 120, "table.csv")


def test_eval_of_a_regression_has_no_classes(nnctl, folder):
    experiment(folder, REGRESS)
    nnctl("train", "it.yaml", "-q")
    found = nnctl("eval", "it/latest", "--json").json
    assert {"confusion", "classes"}.isdisjoint(found)
    assert {"loss", "rmse", "mae", "r2"} == found["metrics"].keys()
    assert "class" not in nnctl("eval", "it/latest").out


def test_eval_refuses_with_the_codes_of_the_contract(nnctl, trained, folder):
    assert nnctl("eval", "nothing").code == 2
    assert nnctl("eval", trained, "--split", "all").code == 2
    assert nnctl("eval", trained, "nothing.csv").code == 3
    (folder / "no.safetensors").write_bytes(b"no checkpoint")
    result = nnctl("eval", "no.safetensors", "table.csv")
    assert (result.code, result.out) == (6, "")
    assert "Nothing was run" not in result.err


def test_predict_writes_the_rows_with_predictions_to_stdout(nnctl, trained):
    result = nnctl("predict", trained, "table.csv", "--proba")
    rows = list(csv.DictReader(io.StringIO(result.out)))
    assert (result.code, len(rows)) == (0, 120)
    assert list(rows[0])[-3:] == ["prediction", "p_no", "p_yes, please"]
    assert rows[0]["id"] == "n0"


def test_predict_writes_a_file_and_reads_stdin(nnctl, process, trained, folder):
    to_file = nnctl("predict", trained, "table.csv", "-o", "out.csv")
    assert (to_file.code, to_file.out) == (0, "")
    with (folder / "table.csv").open() as table:
        out, _ = process("predict", trained, "-", stdin=table).communicate(timeout=60)
    assert out == (folder / "out.csv").read_text()


def test_predict_refuses_with_the_codes_of_the_contract(nnctl, trained, folder):
    assert nnctl("predict", trained, "nothing.csv").code == 3
    (folder / "few.csv").write_text("a,colour\n1,red\n")
    result = nnctl("predict", trained, "few.csv")
    assert (result.code, result.out) == (3, "")
    assert nnctl("predict", "nothing", "table.csv").code == 2
    assert nnctl("predict", trained, "table.csv", "-o", "no/such/folder.csv").code == 74


def test_a_reader_that_goes_ends_predict_quietly(process, trained):
    started = process("predict", trained, "table.csv", stderr=subprocess.PIPE)
    started.stdout.close()
    assert started.wait(timeout=60) == 141
    assert started.stderr.read() == ""
    started.stderr.close()
