"""``nnctl runs compare``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture
def two(nnctl):
    return [nnctl("train", "it.yaml", "-q", f"optimizer.lr={lr}").out.strip() for lr in (1e-6, 0.05)]


def test_compare_shows_settings_metrics_and_what_the_difference_is_worth(nnctl, two):
    result = nnctl("runs", "compare", *two)
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0].split() == ["A", two[0], "completed"]
    assert ["optimizer.lr", "1e-06", "0.05"] in [line.split() for line in lines]
    assert sum("*" in line for line in lines) >= 6
    assert any(line.startswith("B against A, on the same 24 test rows") for line in lines)
    assert "McNemar: " in result.out
    assert "95 % interval" in result.out
    assert "for s in 1 2 3 4; do nnctl train" in result.out


def test_compare_json_is_one_object(nnctl, two):
    found = nnctl("runs", "compare", *two, "--json", "--metric", "val_accuracy").json
    assert found["schema"] == "nnctl.compare/1"
    (measured,) = found["pairs"][0]["measured"]
    assert measured["metric"] == "val_accuracy"
    assert measured["difference"] == measured["b"] - measured["a"]


def test_three_runs_are_compared_with_the_first(nnctl, two):
    third = nnctl("train", "it.yaml", "-q", "model.hidden=[4]").out.strip()
    result = nnctl("runs", "compare", *two, third)
    assert [line[:11] for line in result.out.splitlines() if "against A," in line] == ["B against A", "C against A"]


def test_compare_refuses_with_2_and_6(nnctl, two):
    assert nnctl("runs", "compare", two[0]).code == 2
    assert nnctl("runs", "compare", *two, "--metric", "nothing").code == 2
    Path(two[0], "resolved.yaml").write_text("{")
    result = nnctl("runs", "compare", *two)
    assert (result.code, result.out) == (6, "")


def test_hostile_settings_do_not_reach_the_terminal(nnctl, two):
    path = Path(two[0], "resolved.yaml")
    path.write_text(path.read_text().replace("name: it", 'name: "\\e[31m[red]x\\n"'))
    about = json.loads(Path(two[0], "run.json").read_text())
    Path(two[0], "run.json").write_text(json.dumps({**about, "overrides": {"\x1b[31m": 1}}))
    result = nnctl("runs", "compare", *two)
    assert result.code == 0
    assert "\x1b" not in result.out + result.err
    assert "[red]x" in result.out
