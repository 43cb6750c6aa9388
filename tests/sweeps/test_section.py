"""The section ``sweep`` of the file, in the words of Weights & Biases."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nnctl.errors import SpecError
from nnctl.spec.dump import dump
from nnctl.spec.nodes import parse, plain
from nnctl.spec.overrides import COMMAND_LINE, value_node
from nnctl.spec.reading import read_experiment, written
from nnctl.sweeps.request import Request, read_request
from nnctl.sweeps.space.flow import flow

START = """\
data: {path: t.csv, target: y}
model: {hidden: [8]}
sweep:
"""


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def request(section: str, *words: str, name: str = "it.yaml", **options: Any) -> Request:
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text(START + section)
    return read_request(name, words, **options)


def overrides(request: Request) -> list[tuple[str, ...]]:
    return [order.trial.overrides for order in request.search(100, 0, "minimize").orders({})]


EVERYTHING = """\
  method: random
  metric: {name: val_accuracy, goal: maximize}
  run_cap: 6
  parameters:
    optimizer.lr: {distribution: log_uniform_values, min: 1e-4, max: 0.1}
    model.dropout: {min: 0.0, max: 0.5}
    train.batch_size: {min: 8, max: 64}
    model.hidden: {values: [[8], [8, 8]]}
    train.epochs: {value: 5}
"""


def test_the_words_of_weights_and_biases() -> None:
    read = request(EVERYTHING)
    assert (read.method, read.metric, read.goal, read.count) == ("random", "val_accuracy", "maximize", 6)
    assert read.params == ("optimizer.lr", "model.dropout", "train.batch_size", "model.hidden")
    assert read.fixed == ("train.epochs=5",)
    assert [axis["distribution"] for axis in read.as_json()["axes"][:3]] == ["log", "uniform", "int"]
    assert all(words[-1] == "train.epochs=5" for words in overrides(read))


def test_the_command_line_wins() -> None:
    read = request(EVERYTHING, "optimizer.lr=1,2", "model.dropout=0", "train.batch_size=8,16", method="grid")
    assert (read.method, read.count) == ("grid", 8)


def test_the_command_line_wins_key_by_key() -> None:
    read = request(EVERYTHING, "optimizer.lr=1,2", "train.epochs=7", trials=4)
    assert read.params == ("model.dropout", "train.batch_size", "model.hidden", "optimizer.lr")
    assert read.count == 4
    assert all(words[-1] == "train.epochs=7" for words in overrides(read))


def test_values_keep_their_letters() -> None:
    read = request('  parameters: {data.positive: {values: [007, "7", "none", no, "a, b", {}]}}\n'.replace(", {}", ""))
    assert [words[0] for words in overrides(read)] == [
        "data.positive=007", 'data.positive="7"', 'data.positive="none"', "data.positive=no", 'data.positive="a, b"'
    ]  # fmt: skip
    told = [read_experiment("it.yaml", words).experiment.data.positive for words in overrides(read)]
    assert told == ["007", "7", "none", "no", "a, b"]


def test_a_path_is_relative_to_the_file_that_it_is_written_in() -> None:
    read = request("  parameters: {data.path: {values: [a.csv, sub/b.csv]}}\n", name="configs/it.yaml")
    assert [words[0] for words in overrides(read)] == [
        f'data.path="{os.path.join("configs", name)}"' for name in ("a.csv", "sub/b.csv")
    ]
    told = [read_experiment("configs/it.yaml", words).experiment.data.path for words in overrides(read)]
    assert told == ["configs/a.csv", "configs/sub/b.csv"]


def test_hyperband_makes_a_halving() -> None:
    read = request("  parameters: {optimizer.lr: {values: [1, 2, 3]}}\n  early_terminate: {min_iter: 5, eta: 2}\n")
    assert (read.method, read.early.min_iter, read.early.eta) == ("halving", 5, 2)


FAULTS = """\
  method: tpe
  early_terminate: {type: hyperband, min_iter: 3, s: 2}
  parameters:
    optimizer.lrr: {values: [1, 2]}
    optimizer.lr:
      values: [0.1, fast, -1]
    train.epochs: {}
    train.batch_size: {min: 8}
    model.dropout: {distribution: uniform, min: 0.5, max: 0.1}
    model.hidden: {values: []}
    model..norm: {value: batch}
    loss.label_smoothing: {distribution: log_uniform_values, min: 0, max: 0.1}
    regularization.l2: {distribution: categorical, min: 0, max: 1}
    seed: {values: [1, 1]}
"""


def test_every_fault_of_the_section_is_placed(golden: Any) -> None:
    with pytest.raises(SpecError) as caught:
        request(FAULTS)
    golden("sweep_section.txt", f"{caught.value}\n")


def test_training_ignores_the_section() -> None:
    request(EVERYTHING)
    with_section = read_experiment("it.yaml").experiment
    Path("without.yaml").write_text(START.replace("sweep:\n", ""))
    assert written(with_section) == written(read_experiment("without.yaml").experiment)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1), inner, max_size=3),
    max_leaves=6,
)


@given(ANY)
@example("a, b")
@example("- ")
@example("\x85\u2028\U0010ffff")
@example({"a: b": ["#", "'", "[", None, "none"]})
def test_a_value_of_the_file_is_the_same_value_as_a_word(value: Any) -> None:
    node = parse(dump({"key": value}), "it.yaml").items["key"]
    again = value_node("key", flow(node), COMMAND_LINE)
    assert plain(again) == plain(node) == value
    assert "\n" not in flow(node)
