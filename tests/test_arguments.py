"""The Python API with arguments of a wrong kind: each is refused by a sentence that says what, got and allowed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

import nnctl
from tests.tables import CLASSIFY, REGRESS, experiment

FRAME = pandas.DataFrame({"a": [1]})


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A run of each task, with its config."""
    folder = tmp_path_factory.mktemp("trained")
    found = {}
    for name, text in (("classes", CLASSIFY), ("numbers", REGRESS)):
        (folder / name).mkdir()
        config = experiment(folder / name, text)
        found[name] = str(Path(nnctl.train(config, ["train.epochs=1"], runs_dir=folder / "runs").path).resolve())
        found[f"{name}.yaml"] = str(config)
    return found


def refused(call: Callable[[], Any]) -> str:
    with pytest.raises(nnctl.NnctlError) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize("frame", [None, [1.0], "t.csv", np.zeros((2, 2)), pandas.Series([1]), 3], ids=repr)
def test_only_tables_are_predicted(trained: dict[str, str], frame: Any) -> None:
    model = nnctl.load(trained["classes"])
    for call in (model.predict, model.predict_proba):
        assert refused(lambda call=call: call(frame)).startswith(  # type: ignore[misc]
            'arguments: frame: must be a DataFrame, or a dict of columns such as {"a": [1, 2]}, got '
        )


def test_a_regression_has_no_probabilities(trained: dict[str, str]) -> None:
    model = nnctl.load(trained["numbers"])
    assert refused(lambda: model.predict_proba({"a": [1]})) == "a regression has no class probabilities"


@pytest.mark.parametrize(
    ("config", "options", "message"),
    [
        (None, {}, "config: must be the path of a YAML file, got `None`"),
        (3, {}, "config: must be the path of a YAML file, got `3`"),
        ({}, {}, "config: must be the path of a YAML file, got a value of type `dict`"),
        ("it.yaml", {"overrides": 3}, "overrides: must be a dict such as "),
        ("it.yaml", {"overrides": b"a=1"}, "overrides: must be a dict such as "),
        ("it.yaml", {"overrides": [3]}, 'overrides[0]: must be text such as "optimizer.lr=0.1", got `3`'),
        ("it.yaml", {"name": 3}, "name: must be text, the name of a folder, got `3`"),
        ("it.yaml", {"name": "a/b"}, "name: expected at most 64 letters"),
        ("it.yaml", {"runs_dir": 3}, "runs_dir: must be the path of a folder, got `3`"),
    ],
)
def test_training_refuses(
    trained: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: Any, options: Any, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    config = trained["classes.yaml"] if config == "it.yaml" else config
    assert refused(lambda: nnctl.train(config, **options)).startswith(f"arguments: {message}")
    assert list(tmp_path.iterdir()) == []


def test_none_as_overrides_means_none(trained: dict[str, str], tmp_path: Path) -> None:
    run = nnctl.train(trained["classes.yaml"], None, runs_dir=tmp_path)
    assert run.status == "completed"


@pytest.mark.parametrize("run", [None, 3, {}])
def test_a_run_is_named_or_handed_over(run: Any) -> None:
    for call in (nnctl.load, nnctl.evaluate, lambda run: nnctl.predict(run, "t.csv", "o.csv")):
        assert refused(lambda call=call: call(run)).startswith("arguments: run: must be a run: ")  # type: ignore[misc]


def test_files_are_named_by_their_paths(trained: dict[str, str]) -> None:
    run = trained["classes"]
    csv = "arguments: csv: must be the path of a CSV or parquet file"
    for wrong in (3, FRAME, None):
        assert refused(lambda wrong=wrong: nnctl.predict(run, wrong, "o")).startswith(csv)  # type: ignore[misc]
    assert refused(lambda: nnctl.predict(run, "t.csv", None)).startswith("arguments: output: must be the path of")  # type: ignore[arg-type]
    assert refused(lambda: nnctl.evaluate(run, FRAME)) == f"{csv}, got a value of type `DataFrame`"  # type: ignore[arg-type]
    assert refused(lambda: nnctl.load(run, runs_dir=3)).startswith("arguments: runs_dir: ")  # type: ignore[arg-type]


def test_levels_unseen_in_training_are_a_warning(trained: dict[str, str]) -> None:
    model = nnctl.load(trained["classes"])
    rows = {"a": [1.0, 2.0], "b": [1.0, 2.0], "colour": ["puce", "red"], "member": [True, False]}
    for call in (model.predict, model.predict_proba):
        with pytest.warns(UserWarning, match="^frame: `colour` holds levels unseen in training, in 1 row$") as caught:
            call(rows)
        assert caught[0].filename == __file__
