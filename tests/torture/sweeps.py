"""F10: coordinators and workers of a sweep killed at random moments, and the same command again until it has ended."""

from __future__ import annotations

import csv
import math
import os
import random
import shutil
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nnctl.runs.atomic import read_json
from nnctl.runs.sweep_dir import SweepDir
from nnctl.sweeps.result import Sweep
from nnctl.sweeps.standing import read_sweep
from tests.tables import mixed_csv
from tests.torture import processes
from tests.torture.processes import Child, Ended
from tests.torture.tally import Plan, Tally

CONFIG = """
data: {path: table.csv, target: answer, id: [id], drop: [amount], split: {val: 0.25}}
model: {hidden: [8], dropout: 0.1}
optimizer: {type: adam, lr: 0.01}
train: {batch_size: 32}
"""
TRIALS = 40
GRID = ["optimizer.lr=1e-4,3e-4,1e-3,3e-3,1e-2", "model.dropout=0.05,0.1,0.2,0.4", "model.hidden=[8],[6]"]
RANDOM = ["optimizer.lr=log(1e-4,1e-2)", "model.dropout=uniform(0,0.5)", "model.hidden=[8],[6]", "--trials", "40"]
METHODS = {"grid": GRID, "random": RANDOM}
EPOCHS = 8000  # of a trial, so that all kills hit one sweep; few where the suite wants to be quick
PAUSE = 0.1, 1.4  # seconds between two kills
FAILED, KILLED = 5, 137
CLOSE = 1e-5  # relative: a trial may go on beside others than those it began with
MOST_RUNS = 60


def inject(tally: Tally, folder: Path, chance: random.Random) -> None:
    """Sweep undisturbed, then kill a coordinator for every two workers, and compare what came of both."""
    share = tally.at_least // len(METHODS) if tally.full else tally.at_least
    for method, words in list(METHODS.items())[: len(METHODS) if tally.full else 1]:
        place = folder / method
        place.mkdir()
        mixed_csv(place / "table.csv", 160)
        (place / "it.yaml").write_text(CONFIG)
        epochs = EPOCHS if tally.full else EPOCHS // 50
        command = ["sweep", "it.yaml", *words, f"train.epochs={epochs}", "--jobs", "2", "--progress", "none"]
        undisturbed = _undisturbed(tally, place, command)
        if undisturbed is not None:
            kills = ["coordinator"] * (share // 3 or 1) + ["worker"] * (share - (share // 3 or 1))
            chance.shuffle(kills)
            _disturbed(tally, Victim(place, command, chance), kills, undisturbed, epochs)


def _undisturbed(tally: Tally, folder: Path, command: Sequence[str]) -> Sweep | None:
    ended = processes.real([*command, "--runs-dir", "undisturbed"], folder).wait()
    if not tally.check(ended.code == 0, f"undisturbed: exit {ended.code}: {ended.err}"):
        return None
    tally.outcomes["seconds undisturbed"] += round(ended.seconds)
    return read_sweep(_folders(folder / "undisturbed")[0])


@dataclass
class Victim:
    """A sweep of which processes are killed."""

    folder: Path
    command: Sequence[str]
    chance: random.Random

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    def start(self) -> Child:
        return processes.real(self.command, self.folder)

    def kill(self, what: str, coordinator: Child) -> bool:
        """Kill a process a while from now; whether it was there to be killed."""
        until = time.perf_counter() + self.chance.uniform(*PAUSE)
        while time.perf_counter() < until and not coordinator.over():
            time.sleep(0.005)
        if coordinator.over():
            return False
        if what == "coordinator":
            coordinator.kill()
            return True
        workers = _children(coordinator.pid)
        with suppress(ProcessLookupError):
            if workers:
                os.kill(self.chance.choice(workers), signal.SIGKILL)
                return True
        return False


def _disturbed(tally: Tally, victim: Victim, kills: list[str], undisturbed: Sweep, epochs: int) -> None:
    """Kill until there have been enough kills, then let it end, and look at what it has left."""
    coordinator, runs = victim.start(), 1
    while kills:
        if victim.kill(kills[-1], coordinator):
            tally.note(f"{kills.pop()} killed")
        if coordinator.over():
            ended = coordinator.wait()
            if ended.code == 0 or _completed(victim.runs):  # too early: another sweep takes the other kills
                _same(tally, victim.runs, undisturbed, epochs)
                shutil.rmtree(victim.runs)
                tally.outcomes["swept anew"] += 1
            elif not _as_it_must(tally, ended) or runs > MOST_RUNS:
                return
            coordinator, runs = victim.start(), runs + 1
    while (ended := coordinator.wait()).code != 0 and not _completed(victim.runs):
        if not _as_it_must(tally, ended) or runs > MOST_RUNS:
            return
        coordinator, runs = victim.start(), runs + 1
    tally.outcomes["commands"] += runs
    _same(tally, victim.runs, undisturbed, epochs)


def _completed(runs: Path) -> bool:
    """Whether the sweep has completed: a coordinator may be killed when all is done but its own end."""
    return any(folder.read_sweep_json()["status"] == "completed" for folder in _folders(runs))


def _as_it_must(tally: Tally, ended: Ended) -> bool:
    """Whether a command ended by a kill, or by trials whose workers were killed twice."""
    if ended.code == FAILED:
        tally.outcomes["ended with failed trials"] += 1
    return tally.check(
        ended.code in (KILLED, FAILED) and not ended.traceback, f"exit {ended.code}: {ended.err[-2000:]}"
    )


def _same(tally: Tally, runs: Path, undisturbed: Sweep, epochs: int) -> None:
    """Check that every trial is there, once, whole, with the result that it would have had."""
    folders = _folders(runs)
    if not tally.check(len(folders) == 1, f"{len(folders)} sweeps, not one"):
        return
    sweep = read_sweep(folders[0])
    tally.check(sweep.status == "completed", f"the sweep is {sweep.status}: {sweep.reason}")
    tally.check(len(list(folders[0].trials.iterdir())) == TRIALS, "there are other folders than those of the trials")
    tally.check(len(sweep.trials) == TRIALS, f"{len(sweep.trials)} trials, not {TRIALS}")
    for ours, theirs in zip(sweep.trials, undisturbed.trials, strict=False):
        name = f"trial {ours.number}"
        rows = _epochs(folders[0].trial(ours.number).metrics_csv)
        tally.check(rows == list(range(1, epochs + 1)), f"{name}: {len(rows)} rows, an epoch twice or not at all")
        tally.check((ours.status, ours.params) == (theirs.status, theirs.params), f"{name}: {ours.status}")
        tally.outcomes["trials the same to the last bit"] += ours.metrics == theirs.metrics
        loss = ours.metrics.get("val_loss", math.nan), theirs.metrics["val_loss"]
        tally.check(math.isclose(*loss, rel_tol=CLOSE), f"{name}: val_loss {loss[0]}, undisturbed {loss[1]}")
    best = [each.best.number if each.best else None for each in (sweep, undisturbed)]
    tally.check(best[0] == best[1], f"the best is trial {best[0]}, undisturbed {best[1]}")
    with folders[0].trials_csv.open(newline="") as file:
        listed = [int(row["trial"]) for row in csv.DictReader(file)]
    tally.check(listed == list(range(1, TRIALS + 1)), f"trials.csv lists {listed}")
    tally.check(read_json(folders[0].sweep_json)["status"] == "completed", "sweep.json does not say that it has ended")
    litter = [str(path.relative_to(runs)) for path in runs.rglob("*.tmp")]
    tally.check(not litter, f"left {litter}")


def _folders(runs: Path) -> list[SweepDir]:
    return [SweepDir(path.parent) for path in runs.glob("*/*/sweep.json")]


def _epochs(path: Path) -> list[int]:
    with path.open(newline="") as file:
        return [int(row["epoch"]) for row in csv.DictReader(file)]


def _children(pid: int) -> list[int]:
    """The worker processes of a coordinator."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):
            fields = entry.read_text().rpartition(")")[2].split()  # the name before it may hold anything
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(entry.parent.name))
    return found


PLAN = Plan("F10", "sweeps whose processes are killed", "all trials, each once, the same best", 60, 2, inject)
