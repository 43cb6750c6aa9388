"""The best run is the best by the metric's own direction, among those that have ended."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from nnctl.component import registry
from nnctl.errors import SpecError
from nnctl.metrics import Metric
from nnctl.runs.best import Best, best
from nnctl.runs.ranking import better_of
from tests.runs.helpers import RUNS, make


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def place(number: int, name: str = "xor", status: str = "completed", **metrics: float | None) -> None:
    make(f"20261121-000000-{number:04d}", name, status=status, metrics=dict(metrics))


def digit(found: Best) -> int:
    return int(found.summary.id[-1])


@pytest.fixture
def runs() -> None:
    place(1, val_loss=0.3, val_accuracy=0.9, train_loss=0.1, test_loss=0.2)
    place(2, val_loss=0.1, val_accuracy=0.8, train_loss=0.3, test_loss=None)
    place(3, val_loss=0.1, val_accuracy=0.9, train_loss=0.2, test_loss=0.1)
    place(4, "iris", "early_stopped", val_loss=0.05, val_accuracy=0.1, train_loss=0.4)
    place(5, status="interrupted", val_loss=0.01, val_accuracy=1.0)
    place(6, status="diverged", val_loss=0.02)
    make("20261121-000000-0007", status="failed")
    make("20261121-000000-0008").run_json.write_text("{")


@pytest.mark.parametrize(
    ("metric", "number"),
    [
        (None, 2),  # the earliest of two
        ("val_loss", 2),
        ("loss", 2),
        ("accuracy", 1),
        ("val_accuracy", 1),
        ("train_loss", 1),
        ("test_loss", 3),
    ],
)
def test_the_metric_knows_its_direction_and_the_earliest_wins_a_tie(
    runs: None, metric: str | None, number: int
) -> None:
    assert digit(best(RUNS, ["xor"], metric)) == number


def test_without_a_name_all_runs_count_and_with_several_those_of_each(runs: None) -> None:
    assert digit(best(RUNS, [])) == digit(best(RUNS, ["xor", "iris"])) == 4
    assert digit(best(RUNS, ["runs/xor/"])) == digit(best(RUNS, [str(RUNS.absolute() / "xor")])) == 2


def test_only_runs_that_ended_count_unless_the_status_is_asked_for(runs: None) -> None:
    found = best(RUNS, ["xor"])
    assert found.left_out == {"damaged": 1, "failed": 1, "diverged": 1, "interrupted": 1}
    assert found.runs == 3
    asked = best(RUNS, ["xor"], where=["status!=completed"])
    assert (digit(asked), asked.left_out) == (5, {})
    assert digit(best(RUNS, ["xor"], where=["val_loss>0.1"])) == 1


def test_json_is_the_run_and_why_it_is_this_one(runs: None) -> None:
    printed = best(RUNS, ["xor"], "accuracy").as_json()
    assert json.loads(json.dumps(printed, allow_nan=False)) == printed
    wanted = {"schema": "nnctl.best/1", "metric": "val_accuracy", "better": "higher", "value": 0.9, "among": 3}
    assert printed | wanted == printed
    assert printed["run"] == "runs/xor/20261121-000000-0001"


def test_without_validation_rows_the_training_loss_counts() -> None:
    place(1, train_loss=0.3, train_accuracy=0.7)
    place(2, train_loss=0.2, train_accuracy=0.6)
    assert best(RUNS, []).metric == "train_loss"
    assert digit(best(RUNS, [], "accuracy")) == 1


def test_values_that_are_not_finite_are_never_the_best() -> None:
    place(1, val_loss=0.3, val_r2=-5.0)
    place(2, val_loss=None, val_r2=None)
    make("20261121-000000-0003").metrics_json.write_text('{"metrics": {"val_loss": -1e999, "val_r2": 1e999}}')
    assert digit(best(RUNS, [])) == digit(best(RUNS, [], "r2")) == 1
    with pytest.raises(SpecError, match="is not a finite number in any of these runs"):
        best(RUNS, [], where=["val_r2=null"])


def test_the_best_of_many_is_that_of_a_plain_loop() -> None:
    rng = random.Random(0)
    values = [rng.choice([-1.0, 0.0, 0.5, 0.5, 1.0]) for _ in range(40)]
    for number, value in enumerate(values):
        place(number, val_loss=value, val_f1=value)
    assert best(RUNS, []).summary.id.endswith(f"{values.index(min(values)):04d}")
    assert best(RUNS, [], "f1").summary.id.endswith(f"{values.index(max(values)):04d}")


@pytest.mark.parametrize(
    ("names", "metric", "where", "words"),
    [
        (["xro"], None, [], "no run in `runs` has the name `xro`, did you mean `xor`?"),
        (["xor"], "val_acuracy", [], "no run has `val_acuracy`, did you mean `val_accuracy`?"),
        (["xor"], "acuracy", [], "no run has `val_acuracy`, did you mean `val_accuracy`?"),
        (["xor"], "val_rmsle", [], "no run has `val_rmsle`, allowed: `val_loss`, `val_accuracy`, `train_loss`"),
        (["xor"], "", [], None),
        (["xor"], None, ["val_loss>7"], "no run of `xor` in `runs` fits `val_loss>7`"),
        (["xor"], None, ["status=failed"], "no run of `xor` has metrics"),
        (["../xor"], None, [], "no run in `runs` has the name `../xor`"),
        (["\x1b[31mxor"], None, [], "no run in `runs` has the name `\\x1b[31mxor`"),
    ],
)
def test_what_names_nothing_is_explained(
    runs: None, names: list[str], metric: str | None, where: list[str], words: str | None
) -> None:
    if words is None:
        assert digit(best(RUNS, names, metric, where)) == 2
        return
    with pytest.raises(SpecError) as caught:
        best(RUNS, names, metric, where)
    assert words in str(caught.value)


def test_runs_that_have_not_ended_are_counted_in_the_message() -> None:
    place(1, status="interrupted", val_loss=0.1)
    with pytest.raises(SpecError, match=r"has ended with metrics yet \(1 interrupted\); `--where status="):
        best(RUNS, [])
    with pytest.raises(SpecError, match="there are no runs at all"):
        best(Path("nowhere"), ["xor"])
    with pytest.raises(SpecError, match="no run in `nowhere`"):
        best(Path("nowhere"), [])


def test_every_metric_has_the_direction_of_its_class() -> None:
    for cls in registry.classes("metrics", Metric):
        assert better_of(f"val_{cls.name}") == cls.better
    assert better_of("test_loss") == "lower"
    with pytest.raises(SpecError, match="no metric has the name `splendour`"):
        better_of("val_splendour")
