"""``nnctl check`` and ``nnctl gradcheck``; the listings of problems are golden files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.tables import CLASSIFY, experiment, write_csv

FILLED = "missing cells are filled: `a` "  # how the note about them begins

START = """
data:
  path: table.csv
  target: answer
"""

# name: (config, exit code)
PROBLEMS = {
    "unknown_keys": (
        START
        + """  tagret: amount
optimiser: {lr: 0.1}
train: {epoch: 3, batchsize: 8}
optimizer:
  type: sgd
  learning_rate: 0.1
""",
        2,
    ),
    "wrong_values": (
        START
        + """seed: -1
model:
  hidden: [8, 0, x]
  dropout: 1.5
optimizer: {lr: fast}
train: {epochs: 0, shuffle: maybe, batch_size: all}
""",
        2,
    ),
    "unknown_components": (
        START
        + """model:
  activation: tahn
  layers: [{type: dens, units: 3}, {units: 3}]
loss: crossentropy
optimizer: adma
metrics: [acuracy]
""",
        2,
    ),
    "wrong_kinds": (
        START
        + """  numeric: standardize
loss: {type: cross_entropy, class_weight: {yes: 1, no: heavy}}
metrics: accuracy
model: {output: {bias_init: priors}, layers: 3}
optimizer: [adam]
""",
        2,
    ),
    "no_target": ("data: {path: table.csv, target: }\n", 2),
    "no_quantile": ("data: {path: table.csv, target: amount, drop: [id]}\nloss: {type: quantile, q: []}\n", 2),
    "monitor_short": (START + "  drop: [id]\nearly_stopping: {monitor: val_auc}\n", 2),
    "no_columns": (
        """
data:
  path: table.csv
  target: [answr, amount]
  id: [id]
  drop:
    - a
    - bb
  columns:
    b: {scale: none}
    colr:
      type: category
""",
        3,
    ),
    "wrong_format": (START + "  format: {delimiter: comma, encoding: rot13}\n", 2),
    "sweep": (
        START
        + """  weight: amount
sweep:
  method: bayes
  metric: {name: val_loss, goal: least}
  parameters:
    optimizer.lr: {distribution: log_uniform, min: 1e-4, max: 1e-1}
    optimizer.beta1: {vales: [0.8, 0.9]}
  early_terminate: {type: hyperband, max_iter: 81}
""",
        2,
    ),
    "sweep_values": (
        START
        + """  weight: amount
  drop: [id]
sweep:
  method: grid
  parameters:
    optimizer.lr: {min: 1e-4, max: 1e-1}
    optimizer.beta: {values: [0.8, 0.9]}
    model.hidden: {values: [[8], [0]]}
""",
        2,
    ),
    "duplicate_key": (START + "seed: 1\nseed: 2\n", 2),
    "required": ("data: {path: table.csv}\n", 2),
    "shapes": (START + "  drop: [id]\nmodel:\n  layers: [{type: dense, units: 3}, softmax]\n  output: none\n", 2),
    "monitor": (START + "  drop: [id]\nearly_stopping: {monitor: val_acuracy}\n", 2),
    "metrics": (START + "  drop: [id]\nmetrics: [f1, {type: ece, bins: 5}, mae, ece]\n", 2),
    "no_file": ("data:\n  path: tabel.csv\n  target: answer\n", 3),
    "no_column": ("data:\n  path: table.csv\n  target: answr\n  drop: [identity]\n", 3),
    "text_in_numbers": (START + "  columns: {colour: {type: number}}\n", 3),
    "too_few_rows": (START + "  drop: [id]\n  split: {val: 100, test: 50}\n", 3),
    "one_class": ("data: {path: one.csv, target: answer}\n", 3),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_problems_are_listed_as_in_the_golden_file(nnctl, folder, golden, name):
    text, code = PROBLEMS[name]
    (folder / "it.yaml").write_text(text.lstrip("\n"))
    write_csv(folder / "one.csv", ["a", "answer"], [[place, "yes"] for place in range(20)])
    result = nnctl("check", "it.yaml")
    assert (result.code, result.out) == (code, "")
    golden(f"check_{name}.txt", f"{result.err}exit code {result.code}\n")
    listed = nnctl("check", "it.yaml", "--json")
    assert listed.code == code
    assert len(listed.json["problems"]) == result.err.count("\n") - 1


def test_a_problem_in_json_has_its_place(nnctl):
    found = nnctl("check", "it.yaml", "train.epochs=0", "--json").json
    assert found["schema"] == "nnctl.check/1"
    assert found["task"] is None
    assert found["problems"] == [
        {
            "file": "command line",
            "line": None,
            "column": None,
            "key": "train.epochs",
            "message": "must be a whole number >= 1, got `0`",
        }
    ]


def test_check_shows_columns_and_layers_and_writes_nothing(nnctl, folder):
    result = nnctl("check", "it.yaml")
    lines = result.out.splitlines()
    assert result.code == 0
    assert ["task", "binary"] in [line.split() for line in lines]
    assert ["classes", "no,", "`yes,", "please`"] in [line.split() for line in lines]
    assert any(re.fullmatch(r"colour +category +0 +3 +\w+ \(\d+\), .* one_hot +3", line) for line in lines)
    assert ["layers.0", "dense", "8", "48"] in [line.split() for line in lines]
    assert lines[-1].endswith("parameters. Everything is in order.")
    assert not (folder / "runs").exists()


def test_check_json_is_as_in_the_contract(nnctl):
    found = nnctl("check", "it.yaml", "--json").json
    assert list(found) == ["schema", "task", "rows", "columns", "layers", "parameters", "warnings", "notes", "problems"]
    assert found["rows"] == {"train": 72, "val": 24, "test": 24}
    assert list(found["columns"][0]) == ["name", "type", "missing", "distinct", "transform", "width", "range", "levels"]
    assert list(found["layers"][0]) == ["name", "type", "shape", "parameters"]
    assert found["parameters"] == sum(layer["parameters"] for layer in found["layers"])
    assert found["problems"] == []


def test_the_resolved_config_is_complete_and_checks_too(nnctl, folder):
    result = nnctl("check", "it.yaml", "--resolved", "train.epochs=3")
    resolved = yaml.safe_load(result.out)
    assert resolved["train"]["epochs"] == 3
    assert resolved["loss"]["type"] == "binary_cross_entropy"
    (folder / "all.yaml").write_text(result.out)
    assert nnctl("check", "all.yaml", "--resolved").out == result.out
    assert nnctl("check", "it.yaml", "--resolved", "--json").code == 2


def test_gradcheck_lists_every_parameter(nnctl):
    found = nnctl("gradcheck", "it.yaml", "model.activation=tanh", "--json").json
    assert found["schema"] == "nnctl.gradcheck/1"
    assert found["passed"] is True
    assert [each["name"] for each in found["parameters"]][-1] == "input"
    assert all(each["error"] <= found["tolerance"] and each["passed"] for each in found["parameters"])
    result = nnctl("gradcheck", "it.yaml", "model.activation=tanh")
    assert result.code == 0
    assert len(result.out.splitlines()) == 1 + len(found["parameters"])


def test_a_wrong_gradient_ends_with_1(nnctl, monkeypatch):
    from nnctl.layers.tanh import Tanh

    def backward(self, s):
        s.dx[...] = s.dy

    monkeypatch.setattr(Tanh, "backward", backward)
    result = nnctl("gradcheck", "it.yaml", "model.activation=tanh")
    assert result.code == 1
    assert "WRONG" in result.out
    assert "layers.0.W" in result.err
    assert nnctl("gradcheck", "it.yaml", "model.activation=tanh", "--json").json["passed"] is False


def test_a_column_cannot_paint_the_screen(nnctl, folder):
    names = ["[red]x[/red]", "a\x1b[31mb", "\x9b2Jc", "x\u202ey", "two\nlines", "answer"]
    rows = [[place, -place, place % 7, place % 5, place % 3, place % 2] for place in range(40)]
    write_csv(folder / "table.csv", names, rows)
    (folder / "it.yaml").write_text("data: {path: table.csv, target: answer}\ntrain: {epochs: 2}\n")
    for words in (["check", "it.yaml"], ["train", "it.yaml"], ["check", "it.yaml", "data.drop=['\x1b[31mz']"]):
        result = nnctl(*words)
        printed = result.out + result.err
        assert not {"\x1b", "\x9b", "\u202e"} & set(printed)
    columns = nnctl("check", "it.yaml").out
    assert "[red]x[/red]" in columns
    assert "\nab " in columns
    assert "\ntwo lines " in columns


def test_the_config_of_a_check_is_left_as_it_is(nnctl, folder):
    experiment(folder, CLASSIFY)
    before = {path: path.read_bytes() for path in Path(folder).iterdir()}
    nnctl("check", "it.yaml", "seed=5")
    assert {path: path.read_bytes() for path in Path(folder).iterdir()} == before


def test_strict_ends_with_3_after_everything_is_printed(nnctl, folder):
    lines = (folder / "table.csv").read_text().splitlines()
    (folder / "table.csv").write_text("\n".join([f"{lines[0]},same", *(f"{line},7" for line in lines[1:])]) + "\n")
    warned = nnctl("check", "it.yaml")
    assert (warned.code, warned.out.splitlines()[-1][-11:]) == (0, " 1 warning.")
    sentence = "column `same` has the same value in every row: nothing can be learned from it, list it in `data.drop`"
    assert [line for line in warned.err.splitlines() if not line.startswith(FILLED)] == [f"warning: {sentence}"]
    for words in ([], ["--json"], ["--resolved"]):
        usual, strict = nnctl("check", "it.yaml", *words), nnctl("check", "it.yaml", *words, "--strict")
        assert (usual.code, strict.code) == (0, 3)
        assert (strict.out, strict.err) == (usual.out, usual.err)
    assert nnctl("check", "it.yaml", "--strict", "--json").json["warnings"] == [sentence]


def test_what_was_decided_is_a_note_and_no_warning(nnctl, folder):
    words = ("check", "it.yaml", "data.columns={colour: {encode: embedding}}")
    result, found = nnctl(*words, "--strict"), nnctl(*words, "--json").json
    filled, put_first = found["notes"]
    assert filled.startswith(FILLED)
    assert put_first == "an embedding is put first, for the codes of `colour`"
    assert (result.code, result.err) == (0, f"{filled}\n{put_first}\n")
    assert found["warnings"] == []
