"""What differs between runs is read off their files."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from nnctl.errors import RunError
from nnctl.runs.compare import Values, differing, metrics_of, repeats_of, settings_of
from nnctl.runs.listing import read
from nnctl.runs.run_dir import RunDir
from tests.runs.helpers import make

RESOLVED = """name: xor
seed: {seed}
data:
  path: /x.csv
  split:
    val: 0.2
    seed: {split}
model:
  layers:
    - type: dense
      units: {units}
  hidden: [8, 4]
optimizer:
  lr: {lr}
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def place(number: int, *, seed: int = 0, split: str = "null", units: int = 8, lr: str = "0.1", **about: str) -> RunDir:
    run = make(f"20261121-000000-{number:04d}", metrics={"val_loss": number / 10}, seed=seed, **about)
    run.resolved.write_text(RESOLVED.format(seed=seed, split=split, units=units, lr=lr))
    return run


def test_settings_are_dotted_keys_and_only_those_that_differ_are_told() -> None:
    a, b = settings_of(place(1)), settings_of(place(2, units=16, lr="0.01"))
    assert a["model.layers[0].units"] == 8
    assert a["model.hidden"] == [8, 4]
    assert differing([a, b]) == {"model.layers[0].units": [8, 16], "optimizer.lr": [0.1, 0.01]}
    assert differing([a, a]) == {}
    assert differing([{"a": 1}, {"b": 1}, {"a": 1}]) == {"a": [1, None, 1], "b": [None, 1, None]}
    assert differing([{"a": 1}, {"a": True}]) == {"a": [1, True]}


@pytest.mark.parametrize("content", [b"{", b"\xff", b"a: &x 1\nb: *x\n", b"- 1\n", b"a: 1\n" * 500_000, None])
def test_a_damaged_config_is_a_sentence(content: bytes | None) -> None:
    run = place(1)
    run.resolved.unlink()
    if content is not None:
        run.resolved.write_bytes(content)
    with pytest.raises(RunError, match=r"resolved\.yaml"):
        settings_of(run)


def test_the_best_is_marked_by_the_direction_of_the_metric() -> None:
    summaries = [read(place(number)) for number in (1, 2, 3)]
    assert metrics_of(summaries)["val_loss"].best == [0]
    assert Values("higher", [0.1, None, 0.3, 0.3]).best == [2, 3]
    assert Values("lower", [math.nan, 2.0, math.inf, 1.0]).best == [3]
    assert Values("lower", [1.0, 1.0]).best == Values("lower", [None, 1.0]).best == Values(None, [1.0, 2.0]).best == []


def ids(run: RunDir) -> tuple[list[int], bool]:
    found = repeats_of(run)
    return sorted(int(each.id[-4:]) for each in found.runs), found.same_rows


def test_repeats_differ_in_the_seed_alone() -> None:
    first = place(1, seed=0)
    place(2, seed=1, split="0")  # the same rows
    place(3, seed=2, split="0")
    place(4, seed=3)  # other rows
    place(5, seed=4, split="0", lr="0.2")
    place(6, seed=4, split="0", units=9)
    place(7, seed=5, split="0", status="interrupted")
    make("20261121-000000-0008", status="failed")
    make("20261121-000000-0009").run_json.write_text("{")
    assert ids(first) == ([1, 2, 3], True)


def test_the_same_seed_twice_is_no_repeat() -> None:
    place(1, seed=0)
    second = place(2, seed=0)
    assert ids(second) == ([2], True)
    place(3, seed=1, split="0")
    place(4, seed=1, split="0")
    assert ids(second) == ([2, 3], True)


def test_where_the_rows_move_with_the_seed_that_is_said() -> None:
    first = place(1, seed=0)
    place(2, seed=1)
    assert ids(first) == ([1, 2], False)
    assert ids(place(3, seed=0, lr="7")) == ([3], True)


def test_a_run_without_a_config_has_no_repeats() -> None:
    run = place(1)
    os.unlink(run.resolved)
    assert ids(run) == ([], True)
