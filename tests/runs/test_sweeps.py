"""Sweeps among the runs: listed as one line or trial by trial, named, judged, removed, verified."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nnctl.errors import RunError, SpecError
from nnctl.running.beginning import resuming
from nnctl.runs.best import best
from nnctl.runs.compare import repeats_of
from nnctl.runs.find import find, find_any, find_run
from nnctl.runs.listing import ls
from nnctl.runs.removal import clear_remains, remove, to_remove
from nnctl.runs.run_dir import RunDir
from nnctl.runs.selection import select
from nnctl.runs.sweep_dir import SweepDir
from nnctl.runs.verification import verify
from tests.runs.helpers import RUNS, make, make_sweep

OLD, NEW, RUN = "20261120-000000-0001", "20261121-000000-0002", "20261119-000000-0003"


@pytest.fixture
def sweep(in_folder: Path) -> SweepDir:
    """A sweep of three trials beside an older run of the same name."""
    make(RUN, metrics={"val_loss": 0.2})
    return make_sweep(NEW, losses=(0.3, 0.1, None))


def test_a_sweep_is_one_line_with_the_metrics_of_its_best_trial(sweep: SweepDir) -> None:
    found = ls(RUNS)
    assert [each.id for each in found] == [NEW, RUN]
    assert (found[0].trials, found[0].status, found[0].metrics) == (3, "completed", {"val_loss": 0.1})
    assert found[1].trials is None
    assert [each.id for each in select(found, ["trials>2"])] == [NEW]
    assert [each.id for each in select(found, sort="val_loss")] == [NEW, RUN]


def test_its_trials_are_listed_if_they_are_asked_for(sweep: SweepDir) -> None:
    found = ls(RUNS, trials=True)
    assert [each.id for each in found if each.sweep == NEW] == [f"{NEW}/trials/000{n}" for n in (3, 2, 1)]
    assert [each.id for each in found if each.sweep is None] == [RUN]
    assert {each.name for each in found} == {"xor"}
    assert [each.status for each in select(found, ["optimizer.lr>0.2"])] == ["diverged"]
    assert len(select(found, [f"sweep={NEW}"])) == 3


def test_listing_a_sweep_opens_none_of_its_trials(sweep: SweepDir, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    own = RunDir.read_run_json
    monkeypatch.setattr(RunDir, "read_run_json", lambda run: read.append(run.id) or own(run))
    ls(RUNS)
    assert read == [RUN]


@pytest.mark.parametrize("status", ["running", "interrupted"])
def test_a_sweep_whose_process_is_gone_is_interrupted(in_folder: Path, status: str) -> None:
    sweep = make_sweep(NEW, status=status, best=None)
    assert [(each.status, each.metrics) for each in ls(RUNS)] == [("interrupted", {})]
    with sweep.lock():
        assert ls(RUNS)[0].status == status


@pytest.mark.parametrize("about", [{"status": 3}, {"best": {"metrics": {"a": "b"}}}, {"best": [1]}, {"total": "many"}])
def test_a_damaged_sweep_is_listed_as_damaged(in_folder: Path, about: dict[str, object]) -> None:
    make_sweep(NEW, **about)
    (found,) = ls(RUNS)
    assert found.status == "damaged"
    assert "sweep.json is damaged" in str(found.damaged)
    assert len(ls(RUNS, trials=True)) == 2


@pytest.mark.parametrize(
    "reference",
    [f"runs/xor/{NEW}/trials/0002", f"xor/{NEW}/trials/0002", f"{NEW[:8]}/trials/0002", "xor/0002/trials/0002"],
)
def test_a_trial_is_named_by_its_path_or_behind_its_sweep(sweep: SweepDir, reference: str) -> None:
    assert find_run(RUNS, reference).id == f"{NEW}/trials/0002"


@pytest.mark.parametrize("reference", [f"runs/xor/{NEW}", NEW[:8], f"xor/{NEW}", f"runs/xor/{NEW}/trials", "xor"])
def test_a_sweep_is_no_run_and_its_best_trial_is_named(sweep: SweepDir, reference: str) -> None:
    for look in (find, find_run):
        with pytest.raises(SpecError, match=rf"is a sweep of 3 trials.*such as `runs/xor/{NEW}/trials/0002`, its best"):
            look(RUNS, reference)
    assert find_any(RUNS, reference).path == sweep.path
    assert find_any(RUNS, RUN).id == RUN


def test_a_sweep_without_a_best_names_any_trial(in_folder: Path) -> None:
    sweep = make_sweep(NEW, best=None)
    with pytest.raises(SpecError, match=rf"such as `runs/xor/{NEW}/trials/0001`$"):
        find_run(RUNS, NEW)
    sweep.sweep_json.write_text("{")
    with pytest.raises(SpecError, match=rf"such as `runs/xor/{NEW}/trials/0001`$"):
        find_run(RUNS, NEW)


def test_resume_says_what_goes_on_with_a_sweep(in_folder: Path) -> None:
    sweep = make_sweep(NEW, argv=["nnctl", "sweep", "xor.yaml", "optimizer.lr=1,2"], status="interrupted")
    with pytest.raises(SpecError, match=r"its own command goes on: `nnctl sweep xor.yaml optimizer.lr=1,2`"):
        next(resuming(NEW))
    with sweep.lock(), pytest.raises(SpecError, match="is a trial of a sweep that is being trained"):
        next(resuming(f"{NEW}/trials/0001"))


@pytest.mark.parametrize("reference", [f"xor/{NEW}/trials/0009", f"{NEW[:8]}/trials/2", f"xor/{RUN}/trials/0001"])
def test_a_trial_that_is_not_there_is_not_found(sweep: SweepDir, reference: str) -> None:
    with pytest.raises(SpecError, match="names no run"):
        find_run(RUNS, reference)


def test_the_best_of_trials_is_found_if_they_are_asked_for(sweep: SweepDir) -> None:
    assert best(RUNS, ()).summary.id == RUN
    found = best(RUNS, ["xor"], trials=True)
    assert (found.summary.id, found.runs, found.left_out) == (f"{NEW}/trials/0002", 3, {"diverged": 1})


def test_where_there_are_sweeps_alone_the_best_asks_for_trials(in_folder: Path) -> None:
    make_sweep(NEW)
    with pytest.raises(SpecError, match="--trials"):
        best(RUNS, ())


def test_trials_that_differ_in_their_seed_alone_repeat_each_other(in_folder: Path) -> None:
    sweep = make_sweep(NEW, losses=(0.3, 0.1, 0.2))
    for number, lr in enumerate((1, 1, 2), 1):
        sweep.trial(number).resolved.write_text(f"seed: {number}\noptimizer:\n  lr: {lr}\n")
    for number in (1, 2, 3):
        make(f"{NEW}x/trials/{number:04}", seed=number, metrics={"val_loss": 0.1})
        os.replace(RUNS / "xor" / f"{NEW}x" / "trials" / f"{number:04}" / "run.json", sweep.trial(number).run_json)
    assert [run.id for run in repeats_of(sweep.trial(1)).runs] == [f"{NEW}/trials/{number:04}" for number in (1, 2)]


def test_a_sweep_is_removed_whole(sweep: SweepDir) -> None:
    assert list(remove(to_remove(RUNS, [NEW[:8]]))) == [f"runs/xor/{NEW}"]
    assert os.listdir(RUNS / "xor") == [RUN]


def test_a_trial_is_not_removed_from_its_sweep(sweep: SweepDir) -> None:
    with pytest.raises(SpecError, match="is a trial and goes with its sweep alone"):
        to_remove(RUNS, [f"xor/{NEW}/trials/0001"])


@pytest.mark.parametrize("busy", ["sweep", "trial"])
def test_a_sweep_that_runs_is_not_removed(sweep: SweepDir, busy: str) -> None:
    held = sweep if busy == "sweep" else sweep.trial(2)
    with held.lock(), pytest.raises(SpecError, match="is being trained"):
        to_remove(RUNS, [NEW])
    assert sweep.is_sweep()


def test_conditions_choose_sweeps_only_by_their_trials(sweep: SweepDir) -> None:
    assert [run.id for run in to_remove(RUNS, (), ["val_loss<9"])] == [RUN]
    assert [run.id for run in to_remove(RUNS, (), ["val_loss<9", "trials>1"])] == [NEW]
    assert [run.id for run in to_remove(RUNS, [NEW], ["val_loss<9"])] == [NEW]
    sweep.sweep_json.write_text("{")
    assert to_remove(RUNS, (), ["status=damaged"]) == []


def test_latest_never_leads_to_a_sweep(sweep: SweepDir) -> None:
    middle = make(OLD)
    link = RUNS / "xor" / "latest"
    link.symlink_to(OLD)
    list(remove([RunDir(middle.path)]))
    assert os.readlink(link) == RUN
    clear_remains(RUNS)
    assert find_run(RUNS, "xor/latest").id == RUN


def test_verifying_a_sweep_reads_its_trials(sweep: SweepDir) -> None:
    for number in (1, 2):
        sweep.trial(number).metrics_json.write_text("{")
    found = list(verify(RUNS, [NEW]))
    assert [each.run for each in found] == [f"runs/xor/{NEW}", *(f"runs/xor/{NEW}/trials/000{n}" for n in (1, 2, 3))]
    assert found[0].faults == []
    assert any("metrics.json" in fault.file for fault in found[1].faults)
    assert {each.run for each in verify(RUNS)} >= {each.run for each in found}


def test_a_trial_that_a_completed_sweep_lacks_is_a_fault(sweep: SweepDir) -> None:
    sweep.trial(3).discard()
    first, *_ = verify(RUNS, [NEW])
    assert [fault.message for fault in first.faults] == ["is missing, and the sweep has ended"]
    sweep.sweep_json.write_text('{"schema": "nnctl.sweep/2"}')
    first, *_ = verify(RUNS, [NEW])
    assert ["another version" in fault.message for fault in first.faults] == [True]
    with pytest.raises(RunError):
        sweep.read_sweep_json()
