"""A sweep trains what it has read: files that are edited meanwhile mix nothing into it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nnctl.errors import SpecError
from nnctl.runs.atomic import read_json
from nnctl.sweeps.ready import made_ready
from nnctl.sweeps.trial import Trial
from tests.sweeps.in_process import Now, folder_of, swept
from tests.tables import experiment, mixed_csv

CHANGED = "the data has changed since the sweep began; put the old file back"
TWO_STACKS = ["train.batch_size=16,32", "train.epochs=2"]


@pytest.fixture
def config(in_folder: Path) -> Path:
    return experiment(in_folder)


class Editing(Now):
    """Edits a file when the first task is done."""

    def __init__(self, edit: Callable[[], object]) -> None:
        super().__init__()
        self._edit: Callable[[], object] | None = edit

    def carry_out(self, fn: Callable[..., Any], task: dict[str, Any]) -> Any:
        found = fn(task)
        if self._edit is not None:
            self._edit()
        self._edit = None
        return found


def test_trials_that_come_later_are_those_of_the_config_as_it_was(config: Path) -> None:
    (config.parent / "child.yaml").write_text("extends: it.yaml\ntrain: {epochs: 3}\n")
    ready = made_ready("child.yaml", ["optimizer.lr=0.1,0.2"])
    config.write_text(config.read_text().replace("hidden: [8]", "hidden: [9]"))
    Path("child.yaml").write_text("model: {hidden: [9]}\n")
    (later,) = ready.checker.check([Trial(3, {"optimizer.lr": 0.3}, ("optimizer.lr=0.3",))])
    assert later.experiment.model == ready.checked[0].experiment.model
    assert later.experiment.train.epochs == 3
    with pytest.raises(SpecError, match=r"^it\.yaml:\d+:\d+: model\.hidden: cannot stand beside"):
        ready.checker.check([Trial(4, {}, ("model.layers=[]",))])


def test_trials_that_come_later_are_refused_on_other_data(config: Path) -> None:
    ready = made_ready(config, ["optimizer.lr=0.1,0.2"])
    mixed_csv(config.parent / "table.csv", 130, seed=1)
    with pytest.raises(Exception, match=CHANGED):
        ready.checker.check([Trial(3, {"optimizer.lr": 0.3}, ("optimizer.lr=0.3",))])


def test_a_trial_of_which_the_data_have_changed_fails_until_they_are_back(config: Path) -> None:
    table = config.parent / "table.csv"
    before = table.read_bytes()
    executor = Editing(lambda: mixed_csv(table, 130, seed=1))
    sweep = swept(config, TWO_STACKS, executor=executor)
    assert [trial.status for trial in sweep.trials] == ["completed", "failed"]
    assert CHANGED in sweep.trials[1].reason
    table.write_bytes(before)
    again = swept(config, TWO_STACKS)
    assert (again.path, again.status) == (sweep.path, "completed")
    rows = [read_json(folder_of(again).trial(number).run_json)["rows"] for number in (1, 2)]
    assert rows[0] == rows[1]
