"""What a sweep shows while it runs, and what it prints at its end; the pictures are golden files."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace

import pytest
from rich.console import Console

from nnctl.console.sweep_frame import SweepFrame
from nnctl.console.sweep_live import SweepLive
from nnctl.console.sweep_names import setting, short_names
from nnctl.console.sweep_progress import SweepDisplay, SweepPlain, sweep_display
from nnctl.console.sweep_results import show_best, show_sweep
from nnctl.running.loop import Note
from nnctl.sweeps.events import SweepFinished, SweepStarted, TrialEnded, TrialsAdded, Working
from nnctl.sweeps.leaderboard import settings_of
from nnctl.sweeps.report import sweep_json
from tests.sweeps.made import PATH, sweep, tried

NAN = "train_loss is not finite in epoch 3, step 12"
KILLED = "its process was killed (signal 9)"


def grid(seeds=3):
    """Trials of four learning rates and two shapes, one of which diverges and one of which fails."""
    trials = []
    for lr in (0.001, 0.01, 0.1, 3.0):
        for hidden in ([8], [64, 64, 64, 64, 64, 64, 64]):
            for seed in range(seeds):
                number = len(trials) + 1
                params = {"optimizer.lr": lr, "model.hidden": hidden, "seed": seed}
                value = abs(math.log10(lr) + 1) + 0.1 + (seed * 7 + number) % 5 * 0.01
                if lr == 3:
                    trials.append(tried(number, params, None, reason=NAN, epochs=3, best_epoch=0))
                elif number == 5:
                    trials.append(tried(number, params, None, status="failed", reason=KILLED, epochs=60))
                else:
                    trials.append(tried(number, params, value, status="early_stopped" if seed else "completed"))
    return trials


def began(trials, ended=()):
    return SweepStarted(PATH, len(trials), "val_loss", "minimize", ("optimizer.lr", "model.hidden", "seed"), ended)


def picture(width, done, drawable=True):
    trials = grid()
    frame = SweepFrame(began(trials))
    frame.move_to({}, Working(2, 0, 2400), 0.0)
    frame.move_to({each.number: each for each in trials[:done]}, Working(2, 100 * done, 2400), 10.0)
    return "".join(f"{words[:width]}\n" for words, _ in frame.lines(width, drawable=drawable))  # as the console cuts it


@pytest.mark.parametrize("width", [40, 80, 160])
def test_the_picture_of_a_sweep_is_as_in_the_golden_file(golden, width):
    shown = picture(width, 20)
    assert max(map(len, shown.splitlines())) <= width
    golden(f"sweep_frame_{width}.txt", shown)


@pytest.mark.parametrize("width", [1, 5, 20, 300])
def test_no_picture_is_wider_than_its_terminal(width):
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    frame = SweepFrame(began(grid()))
    frame.move_to({each.number: each for each in grid()}, Working(1, 20, 2400), 1.0)
    console.print(frame)
    assert max(map(len, console.file.getvalue().splitlines())) <= width


def test_a_terminal_of_ascii_gets_ascii():
    assert picture(80, 20, drawable=False).isascii()
    assert not picture(80, 20).isascii()


def test_time_left_goes_by_the_epochs_of_this_start_alone():
    frame = SweepFrame(began(grid()))
    frame.move_to({}, Working(2, 1200, 2400), 0.0)  # trained before
    assert "left" not in next(frame.lines(80))[0]
    frame.move_to({}, Working(2, 1500, 2400), 10.0)
    assert "0:30 left" in next(frame.lines(80))[0]


def test_plain_is_a_line_for_each_trial_on_stderr(capsys, golden):
    trials = grid()
    shown = SweepPlain()
    with shown:
        shown.show(began(trials, tuple(trials[:2])))
        for each in trials[2:]:
            shown.show(TrialEnded(each))
            shown.show(Working(1, 10, 20))
        shown.show(SweepFinished(sweep(trials), None))
    found = capsys.readouterr()
    assert found.out == ""
    golden("sweep_plain.txt", found.err)


def test_quiet_shows_nothing(capsys):
    shown = sweep_display("bar", quiet=True)
    trials = grid()
    with shown:
        shown.show(began(trials))
        shown.show(TrialEnded(trials[4]))
        shown.show(SweepFinished(sweep(trials), None))
    assert tuple(capsys.readouterr()) == ("", "")
    assert shown.finished is not None


def test_none_tells_failures_and_the_end(capsys):
    shown = sweep_display("none", quiet=False)
    trials = grid()
    with shown:
        shown.show(began(trials))
        shown.show(TrialEnded(trials[0]))
        shown.show(Note("trial 5 is tried again"))
        shown.show(TrialEnded(trials[4]))
    assert capsys.readouterr().err.splitlines() == [
        "trial 5 is tried again",
        f"trial 5 failed: {KILLED}  optimizer.lr=0.001 model.hidden=[64, 64, 64, 64, 64, ... seed=1",
    ]


def test_auto_is_plain_where_stderr_is_no_terminal():
    assert type(sweep_display("auto", quiet=False)) is SweepPlain


def test_a_live_sweep_tells_a_failure_at_once_above_its_picture():
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None, highlight=False)
    times = iter(range(100))
    trials = grid()
    with SweepLive(console, clock=lambda: float(next(times))) as shown:
        shown.show(began(trials))
        shown.show(Note("a note"))
        for each in trials[:5]:
            shown.show(TrialEnded(each))
        seen = console.file.getvalue()
        shown.show(SweepFinished(sweep(trials), None))
    assert KILLED in seen
    assert "a note" in seen
    assert "5/24 trials" in seen
    assert "1 failed" in seen
    assert "completed in 0:12, 24 trials" in console.file.getvalue()


def test_a_sweep_that_broke_off_has_the_trials_that_ended_and_those_that_were_to_come():
    times = iter((100.0, 107.0))
    shown = SweepDisplay(clock=lambda: next(times))
    assert shown.so_far() is None
    trials = grid()
    waiting = [replace(each, status="waiting", metrics={}, path="") for each in trials]
    known = (waiting[0], trials[1], *waiting[2:5])
    shown.show(began(trials, (trials[1],))._replace(known=known, seconds=20.0))
    shown.show(TrialsAdded((waiting[5],)))
    shown.show(TrialEnded(trials[0]))
    for each in trials[3:6]:
        shown.show(TrialEnded(each))
    found = shown.so_far("interrupted")
    assert found is not None
    assert (found.status, found.seconds) == ("interrupted", 27.0)
    assert found.trials == (*trials[:2], waiting[2], *trials[3:6])
    assert [each.whole for each in settings_of(found)] == [False, False]


def test_the_bar_goes_by_the_epochs_while_all_trials_are_trained_together():
    frame = SweepFrame(began(grid()))
    frame.move_to({}, Working(24, 1200, 2400), 10.0)
    assert " 50%" in next(frame.lines(80))[0]
    frame.move_to({1: grid()[0]}, Working(0, 0, 0), 10.0)  # nothing is known of its epochs
    assert "  4%" in next(frame.lines(80))[0]
    frame.move_to({each.number: each for each in grid()}, Working(1, 2300, 2400), 10.0)  # told a moment ago
    assert "100%" in next(frame.lines(80))[0]


def test_names_are_cut_to_what_tells_them_apart():
    keys = ["optimizer.lr", "model.layers[0].units", "model.layers[1].units", "a.scale", "b.scale", "seed"]
    assert list(short_names(keys).values()) == [
        "lr",
        "layers[0].units",
        "layers[1].units",
        "a.scale",
        "b.scale",
        "seed",
    ]
    assert short_names(["lr", "optimizer.lr"]) == {"lr": "lr", "optimizer.lr": "optimizer.lr"}


def test_values_are_short_and_obeyed_by_no_terminal():
    assert [setting(each) for each in (0.00031622776, 1e-7, 3, True, None)] == [
        "0.0003162",
        "1e-07",
        "3",
        "true",
        "null",
    ]
    assert setting([64, 64]) == "[64, 64]"
    assert setting("\x1b[31mred") == "red"
    assert len(setting(list(range(50)))) == 24


@pytest.mark.parametrize("width", [50, 80])
def test_the_result_fits_a_terminal(capsys, monkeypatch, golden, width):
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    show_sweep(sweep(grid()))
    found = capsys.readouterr()
    assert "\x1b[3" not in found.out  # bold is no colour
    golden(f"sweep_result_{width}.txt", f"{found.out}{found.err}")


def test_the_result_ends_with_the_path_of_the_best_run(capsys):
    show_sweep(sweep(grid()))
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"{PATH}/trials/0016"
    assert "[64, 64, 64, 64, 64, 64, 64]" in "\n".join(lines)  # nothing is cut where nobody looks


def test_one_seed_of_each_makes_no_claim_about_ties(capsys):
    show_sweep(sweep([tried(n, {"lr": n / 10}, n * 1.0) for n in range(1, 5)]))
    found = capsys.readouterr()
    assert "one seed tells no luck from merit; `--seeds 5` tries more" in found.out
    assert "tied  " not in found.out
    assert "importance of the parameters: not shown, it takes 10 trials" in found.err


def test_a_sweep_without_a_best_prints_its_own_folder(capsys):
    show_sweep(sweep([tried(1, {"lr": 9.0}, None, reason=NAN)]))
    show_best(sweep([tried(1, {"lr": 9.0}, None, reason=NAN)]))
    found = capsys.readouterr()
    assert found.out == f"{PATH}\n{PATH}\n"
    assert "no trial has a value of val_loss" in found.err


def test_quietly_the_path_of_the_best_run_is_all(capsys):
    show_best(sweep(grid()))
    assert capsys.readouterr().out == f"{PATH}/trials/0016\n"


def test_the_json_holds_trials_settings_ties_and_importance():
    found = json.loads(json.dumps(sweep_json(sweep(grid())), allow_nan=False))
    assert found["schema"] == "nnctl.sweep/1"
    assert found["sweep"] == PATH
    assert found["metric"] == {"name": "val_loss", "goal": "minimize"}
    assert found["best"]["run"] == f"{PATH}/trials/0016"
    assert found["best"]["params"] == found["settings"][0]["params"] | {"seed": 0}
    assert set(found["best"]["metrics"]) == {"train_loss", "val_loss"}
    assert [each["number"] for each in found["trials"]] == list(range(1, 25))
    assert found["trials"][4] | {"metrics": {}, "reason": KILLED} == found["trials"][4]
    assert found["counts"] == {"completed": 6, "early_stopped": 11, "failed": 1, "diverged": 6}
    assert found["tied"][0] == 0
    assert found["settings"][0]["seeds"] == 3
    assert found["settings"][0]["runs"][0].startswith(PATH)
    assert found["settings"][-1]["mean"] is None
    assert set(found["importance"]["shares"]) == {"optimizer.lr", "model.hidden"}


def test_the_json_of_a_sweep_without_a_best_says_so():
    found = sweep_json(sweep([tried(1, {"lr": 9.0}, None)]))
    assert found["best"] is None
    assert found["tied"] is None
    assert found["importance"] is None
    assert len(found["notes"]) == 2
