"""The tasks of a small sweep."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from nnctl.spec.reading import read_experiment, written
from tests.stacks.helpers import SAME_ROWS, SETTINGS, Tasks
from tests.tables import experiment


@pytest.fixture
def tasks(tmp_path: Path) -> Tasks:
    """Makes the task of some trials of one sweep; ``changes`` are said of each of its members."""
    sweep = tmp_path / "runs/it/20261122-000000-aaaa"
    (sweep / "trials").mkdir(parents=True)
    (sweep / "config.yaml").write_bytes(experiment(tmp_path).read_bytes())

    def task(settings: Sequence[Sequence[str]] = SETTINGS, **changes: Any) -> dict[str, Any]:
        members = []
        for number, words in enumerate(settings, 1):
            spec = read_experiment(tmp_path / "it.yaml", [*words, SAME_ROWS])
            own = {"path": str(sweep / f"trials/{number:04}"), "overrides": spec.document.overrides}
            values = json.loads(json.dumps(written(spec.experiment)))
            members.append({"number": number, **own, "spec": values, "until": None, "drop": "", **changes})
        about = {"argv": ["nnctl", "sweep"], "git": None, "sweep": sweep.name}
        runs = str(tmp_path / "runs")
        return {"schema": "nnctl.task/1", "sweep": str(sweep), "runs": runs, "about": about, "members": members}

    return task
