"""The autopsy of a run that diverged names the layer, the batch and the rows where it began."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnctl
from nnctl.autopsy import autopsy
from nnctl.autopsy.wording import code
from nnctl.data.cache import Cache
from nnctl.experiment import open_experiment, resume
from nnctl.network.members import stream
from nnctl.runs import atomic
from nnctl.training.trainer import Epoch, Trainer
from tests.tables import write_csv

ROWS = 60
BAD = 33  # the row, from 0: its line is 35, its batch of ten the fourth

CONFIG = """
data: {path: table.csv, target: y, split: none, numeric: {scale: none}, target_scale: none}
model: {layers: [{type: dense, units: 2, init: ones}], output: {init: ones}}
optimizer: {type: sgd, lr: 1e-6}
train: {batch_size: 10, shuffle: false, epochs: 3}
"""


def table(path: Path, value: float, *, name: str = "b", row: int = BAD) -> Path:
    """Rows that any network can stand, but for one."""
    rng = stream(0, "rows")
    rows = [[f"{a:.4f}", f"{b:.4f}", f"{a:.4f}"] for a, b in rng.standard_normal((ROWS, 2)).tolist()]
    rows[row][1] = str(value)
    return write_csv(path, ["a", name, "y"], rows)


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    table(tmp_path / "table.csv", 1e25)
    path = tmp_path / "it.yaml"
    path.write_text(CONFIG)
    return path


def page_of(config: Path, changes: dict[str, Any] | None = None) -> str:
    """The page of a run that diverges, which the error names."""
    with pytest.raises(nnctl.NnctlError) as caught:
        nnctl.train(config, changes or {})
    assert caught.value.exit_code == 4
    assert str(caught.value).count("\n") == 0
    (named,) = re.findall(r"\S+autopsy\.md", str(caught.value))
    return Path(named).read_text()


def section(page: str, title: str) -> str:
    return page.split(f"## {title}\n")[1].split("\n## ")[0].strip()


def rows_of(text: str) -> list[list[str]]:
    """The cells of a table, its header first."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines if "---" not in line]


def test_a_loss_that_overflows_names_the_batch_the_line_and_the_feature(config: Path) -> None:
    page = page_of(config)
    assert "in epoch 1, batch 4" in page
    assert section(page, "What went first") == (
        "After 3 optimizer steps, all weights and outputs were finite; in batch 4 of epoch 1 the loss mse was not, in "
        "1 of 10 rows."
    )
    header, first, *others = rows_of(section(page, "The rows"))
    assert header == ["line", "loss", "largest input", "in the feature", "largest target"]
    assert first[:4] == ["35", "inf", "1e+25", "`b`"]
    assert {int(row[0]) for row in others} == {*range(32, 42)} - {35}
    advice = section(page, "What to try")
    assert advice.startswith("1. The feature `b` reaches 1e+25 after scaling (line 35)")
    assert "`data.columns.b: {scale: standardize}`" in advice
    assert "`optimizer.lr=1e-07` (it was 1e-06)" in advice


def test_what_the_page_advises_is_a_config_that_trains(config: Path) -> None:
    run = nnctl.train(config, {"data.columns": {"b": {"scale": "robust", "clip": [-10, 10]}}})
    assert run.status == "completed"


def test_an_output_that_overflows_names_its_layer(config: Path) -> None:
    layers = [{"type": "dense", "units": 2, "init": "ones"}, "exponential", {"type": "dense", "units": 3}]
    page = page_of(config, {"model": {"layers": layers}})
    assert "outputs of the layer `layers.1` (exponential): 2 of 20." in section(page, "What went first")
    found = {row[0]: row[-1] for row in rows_of(section(page, "The layers"))[1:]}
    assert found == {"`layers.0`": "0", "`layers.1`": "2 of 20", "`layers.2`": "3 of 30", "`output`": "1 of 10"}


def test_of_layers_inside_another_one_it_is_the_inner_one(config: Path) -> None:
    inner = [{"type": "dense", "units": 2, "init": "ones", "activation": "exponential"}]
    page = page_of(config, {"model": {"layers": [{"type": "residual", "layers": inner}]}})
    assert "outputs of the layer `layers.0.layers.0.activation` (exponential)" in section(page, "What went first")
    names = [row[0] for row in rows_of(section(page, "The layers"))[1:]]
    assert names == ["`layers.0.layers.0`", "`layers.0.layers.0.activation`", "`layers.0`", "`output`"]


def test_a_gradient_that_overflows_names_its_parameter(config: Path, tmp_path: Path) -> None:
    """x w = 1e30 1e-30, but its gradient is the 1e30 1e10 of x and the weight behind it."""
    table(tmp_path / "table.csv", 1e30)
    layers = [{"type": "dense", "units": 1, "bias": False, "init": {"type": "constant", "value": 1e-30}}]
    output = {"init": {"type": "constant", "value": 1e10}}
    page = page_of(config, {"model": {"layers": layers, "output": output}, "loss": "mae", "optimizer.lr": 1e-30})
    assert "the gradient is no longer finite in epoch 1, batch 4" in page
    assert (
        "weights, outputs and loss were finite; in batch 4 of epoch 1 the gradient of `layers.0.W` in the layer "
        "`layers.0` (dense) was not."
    ) in section(page, "What went first")
    found = {row[0]: row[-1] for row in rows_of(section(page, "Weights and gradients"))[1:]}
    assert found == {"`layers.0.W`": "1 of 2", "`output.W`": "0", "`output.b`": "0"}


def test_weights_that_a_step_has_ruined_are_named(config: Path, tmp_path: Path) -> None:
    table(tmp_path / "table.csv", 1.0)
    page = page_of(config, {"optimizer": {"type": "sgd", "lr": 1e38}, "train.batch_size": "full"})
    first = section(page, "What went first")
    assert first.startswith("After 1 optimizer step, the weights were no longer finite, first `layers.0.W`")
    assert "optimizer.lr=0.01` (it was 1e+38)" in section(page, "What to try")
    assert "The learning rate of the last step was 1e+38" in section(page, "The epochs before")


def test_rows_of_validation_have_the_lines_of_their_own_file(config: Path, tmp_path: Path) -> None:
    table(tmp_path / "table.csv", 1.0)
    table(tmp_path / "val.csv", 1e25, row=7)
    page = page_of(config, {"data.val_path": "val.csv"})
    assert "in the rows of the part `val` the loss mse was not, in 1 of 60 rows" in section(page, "What went first")
    rows = section(page, "The rows")
    assert "val.csv`" in rows
    assert rows_of(rows)[1][0] == "9"
    assert rows.endswith(", and 10 more.")
    header, only = rows_of(section(page, "The epochs before"))
    assert header == ["epoch", "step", "lr", "train_loss", "val_loss"]
    assert only[:3] == ["1", "6", "1e-06"]
    assert only[4] == "", "no number"
    assert rows_of(section(page, "Weights and gradients"))[0][-1] == "not finite", "without a backward pass"
    assert len(rows_of(section(page, "Weights and gradients"))[0]) == 7


def test_of_many_rows_the_first_fifty_are_told(config: Path) -> None:
    page = page_of(config, {"train.batch_size": "full"})
    assert section(page, "The rows").endswith(", and 10 more.")
    assert len(rows_of(section(page, "The rows"))) == 11
    assert "no optimizer step" in section(page, "What went first")
    assert "optimizer.lr" not in section(page, "What to try"), "no step was taken"


def test_lines_are_the_same_where_the_examples_came_from_the_cache(config: Path) -> None:
    shuffled = {"train.shuffle": True, "data.split": {"type": "random", "val": 0.2}, "seed": 3}
    pages = [page_of(config, shuffled) for _ in range(2)]
    tables = [rows_of(section(page, "The rows")) for page in pages]
    assert tables[0] == tables[1]
    assert tables[0][1][:2] == ["35", "inf"]


def ended(config: Path, changes: dict[str, Any] | None = None, cache: Cache | None = None) -> tuple[Trainer, Any, str]:
    """A trainer that has diverged, what it was prepared from, and the reason."""
    prepared = open_experiment(config, changes or {}, cache=cache).prepared
    trainer = Trainer(prepared.job)
    *_, last = trainer.run()
    assert isinstance(last, Epoch)
    assert last.stop is not None
    assert last.stop.status == "diverged"
    return trainer, prepared, last.stop.reason


@pytest.mark.parametrize("cached", [False, True])
def test_a_file_that_has_changed_has_no_lines(config: Path, tmp_path: Path, cached: bool) -> None:
    cache = Cache(tmp_path / "cache")
    if cached:
        open_experiment(config, cache=cache)
    prepared = open_experiment(config, cache=cache).prepared
    assert (prepared.tables is None) == cached
    trainer = Trainer(prepared.job)
    list(trainer.run())
    table(tmp_path / "table.csv", 2.0, row=1)
    page = autopsy(trainer, prepared, "it did", tmp_path / "none.csv")
    rows = section(page, "The rows")
    assert "changed" in rows
    assert [row[0] for row in rows_of(rows)[1:]] == ["?"] * 10
    assert "line ?" not in page
    (tmp_path / "table.csv").unlink()
    assert "cannot be told" in section(autopsy(trainer, prepared, "it did", tmp_path / "none.csv"), "The rows")


def test_the_trainer_is_left_as_it_was(config: Path) -> None:
    first = {"type": "dense", "units": 2, "init": "ones", "activation": "exponential"}
    changes = {"model": {"layers": [first, "batch_norm", {"type": "dropout", "rate": 0.5}]}, "train.on_nan": "skip"}
    trainer, prepared, reason = ended(config, {**changes, "train.batch_size": "full"})
    before = (trainer.counters(), trainer.arena.theta.tobytes(), trainer.arena.stats.tobytes())
    page = autopsy(trainer, prepared, reason, config.parent / "none.csv")
    assert (trainer.counters(), trainer.arena.theta.tobytes(), trainer.arena.stats.tobytes()) == before
    assert "with other random numbers (dropout, noise)" in page
    assert "no batch of epoch 1 has a finite loss and gradient" in page


def test_names_stay_what_they_are_in_markdown(config: Path, tmp_path: Path) -> None:
    name = "b|`x`\x1b[31m<script>"
    table(tmp_path / "table.csv", 1e25, name=name)
    page = page_of(config)
    header, first, *_ = rows_of(section(page, "The rows"))
    assert len(first) == len(header)
    assert first[3] == r"`` b\|`x`\x1b[31m<script> ``"
    assert "\x1b" not in page


@pytest.mark.parametrize(
    ("text", "expected"), [("a", "`a`"), ("a`b", "`` a`b ``"), ("``", "``` `` ```"), ("x\ny", r"`x\ny`")]
)
def test_any_text_is_code_on_one_line(text: str, expected: str) -> None:
    assert code(text) == expected


def test_a_disk_that_cannot_take_the_page_is_a_sentence(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = atomic.write

    def full(path: Path, *parts: Any, **options: Any) -> None:
        if path.name == "autopsy.md":
            raise atomic.cannot_write(path, OSError(28, "No space left on device"))
        real(path, *parts, **options)

    monkeypatch.setattr(atomic, "write", full)
    with pytest.raises(nnctl.NnctlError, match=r"autopsy\.md") as caught:
        nnctl.train(config)
    assert caught.value.exit_code == 74


def test_a_run_that_does_not_diverge_has_no_autopsy(config: Path, tmp_path: Path) -> None:
    table(tmp_path / "table.csv", 1.0)
    run = nnctl.train(config)
    assert run.status == "completed"
    assert not (Path(run.path) / "autopsy.md").exists()


def test_the_error_of_a_cross_validation_names_the_page_of_a_fold(config: Path) -> None:
    page = page_of(config, {"data.split": {"type": "random", "folds": 2}, "optimizer.lr": 1e38, "train.epochs": 2})
    assert page.startswith("# Why this run diverged")


def test_numbers_are_those_of_the_finite_ones() -> None:
    from nnctl.autopsy.examination import numbers

    found = numbers(np.array([[1.0, -3.0], [np.nan, np.inf]], np.float32))
    assert (found.count, found.lost, found.low, found.high, found.mean) == (4, 2, -3.0, 1.0, 2.0)
    assert found.norm == pytest.approx(10**0.5)
    assert numbers(np.full(3, np.nan)).lost == 3


def test_a_run_that_goes_on_and_ends_well_has_no_autopsy_any_more(config: Path, tmp_path: Path) -> None:
    table(tmp_path / "table.csv", 1.0)
    with pytest.raises(nnctl.NnctlError):
        nnctl.train(config, {"optimizer.lr": 1e30, "checkpoint.every": "1 epochs"})
    (page,) = (tmp_path / "runs").glob("it/2*/autopsy.md")
    assert resume(page.parent, {"optimizer.lr": 1e-6}).status == "completed"
    assert not page.exists()
