"""A few faults of every kind; `make torture` injects the full counts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.torture import processes
from tests.torture.plans import PLANS
from tests.torture.tally import SEED, Plan


@pytest.fixture(autouse=True)
def warm() -> None:
    processes.warm()


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: f"{plan.fault}-{plan.title}")
def test_every_fault_ends_as_it_must(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NNCTL_RUNS_DIR", raising=False)
    tally = plan.run(tmp_path, fast=True, seed=int(os.environ.get(SEED, "0")))
    if tally.skipped:
        pytest.skip(tally.skipped)
    assert tally.passed, tally.told()
