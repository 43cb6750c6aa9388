"""Runs are selected and sorted by what is known about them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnctl.errors import SpecError
from nnctl.runs import selection
from nnctl.runs.listing import Summary, ls, value
from nnctl.runs.selection import select
from tests.runs.helpers import RUNS, make, make_five


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def runs() -> list[Summary]:
    return make_five()


@pytest.mark.parametrize(
    ("where", "chosen"),
    [
        ([], "1 2 3 4 5"),
        (["val_loss<0.2"], "2"),
        (["val_loss<=0.2"], "2 4"),
        (["val_loss>0.2"], "1"),
        (["val_loss>=2e-1"], "1 4"),
        (["val_loss=.1"], "2"),
        (["val_loss==0.1"], "2"),
        (["val_loss!=0.1"], "1 3 4 5"),
        (["val_loss=null"], "3 5"),
        (["val_f1=none"], "2 3 4 5"),
        (["val_loss!=null"], "1 2 4"),
        ([" val_loss  <\t0.2 "], "2"),
        (["val_loss<inf"], "1 2 4"),
        (["status=completed"], "1 2 4"),
        (["status!=completed"], "3 5"),
        (["status=damaged"], "5"),
        (["name=xor"], "1 2 5"),
        (['name="xor"'], "1 2 5"),
        (["name=7"], "4"),
        (["seed=1"], "1"),
        (["epochs<100"], "2"),
        (["started>=2026-11-21"], "1 2 3 4"),
        (["id<20261121-000000-0003"], "1 2"),
        (["optimizer.lr=0.1"], "1"),
        (["optimizer.lr=0.001"], "2"),
        (["optimizer.lr<1"], "1 2"),
        (["optimizer.type=sgd"], "3"),
        (["optimizer.type!=sgd"], "1 2 4 5"),
        (["model.hidden=[64,64]"], "3"),
        (["model.hidden>1"], ""),
        (['data.columns["a<=b"].scale=robust'], "4"),
        (["val_loss<0.25", "name=xor"], "2"),
        (["val_loss<0.2", "val_loss>0.2"], ""),
    ],
)
def test_conditions_choose_runs(runs: list[Summary], where: list[str], chosen: str) -> None:
    assert [summary.id[-1] for summary in select(runs, where)] == chosen.split()


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("val_loss", "2 4 1 3 5"),
        ("-val_loss", "1 4 2 3 5"),
        ("id", "1 2 3 4 5"),
        ("-id", "5 4 3 2 1"),
        ("name", "4 3 1 2 5"),
        ("optimizer.lr", "2 1 3 4 5"),
        ("-epochs", "1 3 4 2 5"),
        ("model.hidden", "3 1 2 4 5"),
    ],
)
def test_runs_are_sorted_those_without_a_value_last(runs: list[Summary], sort: str, order: str) -> None:
    assert [summary.id[-1] for summary in select(runs, sort=sort)] == order.split()


def test_values_of_different_kinds_can_be_sorted() -> None:
    kinds: list[Any] = ["b", 2, "a", 1.5, True, [1], {"x": 1}, None]
    runs = [Summary(run="", id=str(i), name="", status="", overrides={"k": kind}) for i, kind in enumerate(kinds)]
    assert [value(summary, "k") for summary in select(runs, sort="k")] == [1.5, 2, [1], "a", "b", True, {"x": 1}, None]


@pytest.mark.parametrize(("limit", "count"), [(None, 5), (0, 0), (2, 2), (99, 5)])
def test_only_the_first_are_kept(runs: list[Summary], limit: int | None, count: int) -> None:
    assert select(runs, limit=limit) == runs[:count]


def test_the_limit_applies_after_sorting(runs: list[Summary]) -> None:
    assert [summary.id[-1] for summary in select(runs, sort="val_loss", limit=1)] == ["2"]


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("val_los<0.1", ["--where: no run has `val_los`", "did you mean `val_loss`?", "`status`", "`optimizer.lr`"]),
        ("optimizer.momentum=0.9", ["no run has `optimizer.momentum`", "allowed: "]),
        ("val_loss", ["expected a name, one of < <= > >= = !=, and a value", "got `val_loss`"]),
        ("<0.1", ["expected a name"]),
        ("val_loss<", ["expected a name"]),
        ("", ["expected a name"]),
        ("val_loss<low", ["`val_loss` is a number", "got `low`"]),
        ("val_loss<nan", ["`val_loss` is a number"]),
        ("epochs=many", ["`epochs` is a number"]),
        ("val_loss=<0.1", ["`val_loss` is a number", "got `<0.1`"]),
        ("status=complete", ["`status` is one of running, completed", "got `complete`"]),
        ("\x1b[31m<1", ["no run has"]),
    ],
)
def test_a_bad_condition_is_explained(runs: list[Summary], where: str, words: list[str]) -> None:
    with pytest.raises(SpecError) as caught:
        select(runs, [where])
    assert all(word in str(caught.value) for word in words)
    assert str(caught.value).isprintable()


def test_a_bad_sort_or_limit_is_explained(runs: list[Summary]) -> None:
    with pytest.raises(SpecError, match="--sort: no run has `val_los`, did you mean `val_loss`"):
        select(runs, sort="-val_los")
    with pytest.raises(SpecError, match="--limit: must be >= 0, got -1"):
        select(runs, limit=-1)


def test_among_no_runs_any_name_will_do_but_not_any_text() -> None:
    assert select([], ["val_loss<0.1", "optimizer.lr=1"], "anything") == []
    with pytest.raises(SpecError):
        select([], ["val_loss"])


def test_before_any_run_has_metrics_none_is_unknown() -> None:
    make("20261121-000000-0001", status="failed")
    assert select(ls(RUNS), ["val_loss<0.1"], "val_accuracy") == []
    with pytest.raises(SpecError):
        select(ls(RUNS), ["loss<0.1"])


@settings(deadline=None)
@given(st.text(max_size=20) | st.from_regex(r"\A(val_loss|name|k)(<|<=|=|!=|==|>).{0,8}\Z"))
def test_any_condition_is_understood_or_explained(where: str) -> None:
    runs = [
        Summary(run="r", id="i", name="xor", status="completed", metrics={"val_loss": 0.5}, overrides={"k": [1, "a"]}),
        Summary(run="r", id="i", name="xor", status="damaged"),
    ]
    try:
        chosen = select(runs, [where])
    except SpecError:
        return
    assert all(summary in runs for summary in chosen)


def test_every_status_that_a_run_can_have_can_be_asked_for() -> None:
    assert set(selection.STATUSES) >= {"running", "completed", "early_stopped", "interrupted", "diverged", "failed"}
    for status in selection.STATUSES:
        assert select([], [f"status={status}"]) == []


def test_reading_leaves_no_trace(runs: list[Summary]) -> None:
    before = sorted((path, path.lstat().st_mtime_ns) for path in RUNS.rglob("*"))
    select(ls(RUNS), ["val_loss<1"])
    assert sorted((path, path.lstat().st_mtime_ns) for path in RUNS.rglob("*")) == before
    assert not any(name == "run.lock" for _, _, names in os.walk(RUNS) for name in names)
