"""``nnctl runs best``."""

from __future__ import annotations

import pytest

from tests.cli.test_start import modules_after


@pytest.fixture
def three(nnctl):
    """Three runs, the oldest first."""
    return [nnctl("train", "it.yaml", "-q", f"optimizer.lr={lr}").out.strip() for lr in (0.001, 0.01, 0.1)]


def test_best_prints_the_path_alone(nnctl, three):
    runs = nnctl("runs", "ls", "--sort", "val_loss", "--json").json["runs"]
    assert nnctl("runs", "best", "it") == nnctl("runs", "best")
    result = nnctl("runs", "best", "it", "--metric", "val_loss")
    assert (result.code, result.out, result.err) == (0, runs[0]["run"] + "\n", "")
    highest = max(runs, key=lambda run: run["metrics"]["val_roc_auc"])
    found = nnctl("runs", "best", "it", "--metric", "roc_auc", "--json").json
    assert found["metrics"]["val_roc_auc"] == found["value"] == highest["metrics"]["val_roc_auc"]
    assert nnctl("runs", "best", "it", "--where", "optimizer.lr=0.1").out == three[2] + "\n"


def test_what_is_left_out_is_said_on_stderr(nnctl, trained):
    nnctl("train", "it.yaml", "optimizer={type: sgd, lr: 1e30}", "train.epochs=3")
    result = nnctl("runs", "best")
    assert (result.code, result.out) == (0, trained + "\n")
    assert result.err == "left out: 1 diverged; see --where status=diverged\n"


def test_nothing_to_choose_from_ends_with_2(nnctl):
    result = nnctl("runs", "best", "it")
    assert (result.code, result.out) == (2, "")
    assert "there are no runs at all" in result.err


def test_the_best_loss_is_found_without_numpy(trained, folder):
    (modules,) = modules_after("runs best --runs-dir runs", cwd=folder)
    assert "nnctl.runs.ranking" in modules
    assert modules.isdisjoint({"numpy", "pandas", "yaml", "rich"})
