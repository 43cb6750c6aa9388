"""A sweep's folder lies beside the runs of its name, and holds those of its trials."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from nnctl.errors import RunError, SpecError
from nnctl.runs import atomic
from nnctl.runs.listing import ls
from nnctl.runs.run_dir import RunDir
from nnctl.runs.sweep_dir import SweepDir, sweeps_of_name


@pytest.fixture
def sweep(tmp_path: Path) -> SweepDir:
    return SweepDir.create(tmp_path / "runs", "xor")


def test_a_new_sweep_has_a_folder_of_its_own(sweep: SweepDir, tmp_path: Path) -> None:
    assert re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{4}", sweep.id)
    assert (sweep.path, sweep.name) == (tmp_path / "runs" / "xor" / sweep.id, "xor")
    assert os.listdir(sweep.path) == ["trials"]
    assert not sweep.is_sweep()
    assert not sweep.is_locked()


def test_the_run_of_a_trial_knows_whose_it_is(sweep: SweepDir) -> None:
    run = sweep.trial(7)
    run.create_here()
    assert (run.name, run.id) == ("xor", f"{sweep.id}/trials/0007")
    assert run.is_part()
    assert not run.is_fold()
    assert sweep.trial(12345).path.name == "12345"


def test_a_name_that_no_folder_can_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="expected at most 64 letters"):
        SweepDir.create(tmp_path, "../elsewhere")
    assert not list(tmp_path.iterdir())


def test_only_one_process_trains_the_trials_of_a_sweep(sweep: SweepDir) -> None:
    with sweep.lock():
        assert sweep.is_locked()
        with pytest.raises(SpecError, match=f"{sweep.id}: is being trained by process {os.getpid()}"):
            sweep.lock()
    assert not sweep.is_locked()


def test_a_sweep_of_another_version_is_refused(sweep: SweepDir) -> None:
    atomic.write_json(sweep.sweep_json, {"schema": "nnctl.sweep/2"})
    with pytest.raises(RunError, match=r"was made by another version of nnctl \(nnctl.sweep/2\)"):
        sweep.read_sweep_json()


def test_sweeps_are_found_among_the_runs_of_a_name_the_newest_first(sweep: SweepDir, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    RunDir.create(runs, "xor")
    older = SweepDir(runs / "xor" / "20250101-000000-0000")
    damaged = SweepDir(runs / "xor" / "20250101-000000-0001")
    for each in (older, damaged):
        each.trials.mkdir(parents=True)
    for each in (sweep, older):
        atomic.write_json(each.sweep_json, {"schema": "nnctl.sweep/1", "id": each.id})
    damaged.sweep_json.write_text("{")
    assert [about["id"] for _, about in sweeps_of_name(runs / "xor")] == [sweep.id, older.id]
    assert list(sweeps_of_name(runs / "nothing")) == []
    assert {each.status for each in ls(runs)} == {"damaged"}  # they say nothing of themselves
