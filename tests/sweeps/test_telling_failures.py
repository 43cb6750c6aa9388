"""What a sweep tells of trials that failed."""

from __future__ import annotations

from nnctl.console.sweep_progress import SweepPlain, endings, sweep_display
from nnctl.sweeps.events import SweepFinished, SweepStarted, TrialEnded
from nnctl.sweeps.report import sweep_json
from tests.sweeps.made import PATH, sweep, tried


def began(trials):
    return SweepStarted(PATH, len(trials), "val_loss", "minimize", ("lr",), ())


def lost(numbers, reason):
    return [tried(n, {"lr": n / 10}, None, status="failed", reason=reason.format(n), path="") for n in numbers]


def test_trials_that_failed_alike_are_told_once_and_named_at_the_end(capsys):
    full = "/runs/trials/{:04}/metrics.csv: cannot be written: No space left on device"
    trials = [*lost(range(1, 8), full), *lost([8], "no memory")]
    shown = sweep_display("none", quiet=False)
    shown.show(began(trials))
    for each in trials:
        shown.show(TrialEnded(each))
    assert capsys.readouterr().err.splitlines() == [
        f"trial 1 failed: {full.format(1)}  lr=0.1",
        "trial 8 failed: no memory  lr=0.8",
    ]
    shown.show(SweepFinished(sweep(trials), None))
    assert capsys.readouterr().err.splitlines()[1:] == [
        "trials 1, 2, 3, 4, 5, 6, 7 failed: /runs/trials/*/metrics.csv: cannot be written: No space left on device",
        "trial 8 failed: no memory  lr=0.8",
    ]


def test_plain_tells_that_a_trial_failed_like_another(capsys):
    trials = lost([1, 2], "no memory")
    shown = SweepPlain()
    shown.show(began(trials))
    for each in trials:
        shown.show(TrialEnded(each))
    assert capsys.readouterr().err.splitlines()[-1] == "[2/2] trial 2 failed like one before"


def test_a_trial_without_a_folder_is_named_by_its_number():
    trials = lost([5], "no memory")
    assert "trial 5 failed: no memory" in "\n".join(endings(sweep(trials)))
    found = sweep_json(sweep(trials))
    assert found["trials"][0]["run"] is None
    assert found["settings"][0]["runs"] == []
