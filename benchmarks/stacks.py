"""(h) Many networks at once: stacks beside the same networks one after the other, and whole sweeps beside others.

    python -m benchmarks.stacks [--only xor,breast_cancer,folds,search]

A stack trains K networks along one axis, each with its own weights, batches, and end. Both sides begin with trainers
that are made, and end when the last network has: training and evaluation, on one core; that they have the same winner
is checked. What a sweep does beside that, start-up, run folders and their saves, is the same for both, and shown apart.
The search tries 100 settings of breast_cancer for 20 epochs each, on one split and two cores.
"""

from __future__ import annotations

import json
import shlex
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from threadpoolctl import threadpool_limits

from benchmarks.children import environment, has, nnctl
from benchmarks.command import Options, run_alone
from benchmarks.report import Mark, Table, number, times
from benchmarks.rounds import ROOT, Timed, command, in_turns, medians, ratios
from nnctl.data.cache import Cache
from nnctl.preparing.preparation import prepare
from nnctl.running.stacking import train_stack
from nnctl.spec.reading import read_experiment, written
from nnctl.training.job import Job
from nnctl.training.stack import Stack
from nnctl.training.trainer import Trainer

SCRIPTS = Path(__file__).parent / "scripts"
XOR, CANCER = SCRIPTS / "xor_sweep.yaml", SCRIPTS / "breast_cancer.yaml"
XOR_RATES = (0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3)
CANCER_RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
SEEDS = 8
FASTER = {"xor": 12, "breast_cancer": 1.6}
MOST_ROUNDS, SEARCHES = 7, 3
STACK, ALONE = "stack", "one after the other"
SETTINGS, LOOPED = 100, 10
SPACE = ("optimizer.lr=log(1e-4,1e-1)", "regularization.l2=log(1e-6,1e-2)", "model.hidden=[32],[64],[64, 64]")


def stack_tables(options: Options) -> list[Table]:
    """The tables of stacks and of whole sweeps."""
    made = []
    with tempfile.TemporaryDirectory() as name:
        if options.wants("xor") or options.wants("breast_cancer"):
            made.append(_stacks(options, Path(name)))
        if options.wants("folds"):
            made.append(_folds(options, Path(name)))
        if options.wants("search"):
            made.append(_search(options, Path(name)))
    return made


def _stacks(options: Options, folder: Path) -> Table:
    table = Table(
        "Networks in one stack, milliseconds for all of them on one core",
        ["", "networks", ALONE, STACK, "faster, clock", "faster, cpu", "run folders and start"],
        notes=[
            "The last column: what `train_stack` takes beside the training, for all trials: the same without stacks."
        ],
    )
    for name, config, rates in (("xor", XOR, XOR_RATES), ("breast_cancer", CANCER, CANCER_RATES)):
        if not options.wants(name):
            continue
        words = [[f"optimizer.lr={rate}", f"seed={seed}", *_pin(name)] for rate in rates for seed in range(SEEDS)]
        cache = Cache(folder / "cache")
        with threadpool_limits(1):
            jobs = [prepare(read_experiment(config, each).experiment, cache=cache).job for each in words]
            sides = {ALONE: lambda jobs=jobs: alone(jobs), STACK: lambda jobs=jobs: together(jobs)}
            winners: dict[str, set[int]] = {side: set() for side in sides}
            found: dict[str, list[Timed]] = {side: [] for side in sides}
            for place in range(min(options.rounds, MOST_ROUNDS) + 1):  # the first one warms up
                for side, train in sides.items():
                    taken, winner = train()
                    winners[side].add(winner)
                    found[side] += [taken] if place else []
            if winners[ALONE] != winners[STACK] or len(winners[STACK]) > 1:
                raise AssertionError(f"{name}: the winners differ: {winners}")
            beside = _beside(config, words, folder / name)
        clock, cpu = ratios(found[ALONE], found[STACK])
        cells = [number(1e3 * medians(found[side])[0]) for side in (ALONE, STACK)]
        table.rows.append([name, str(len(jobs)), *cells, times(clock), times(cpu), number(1e3 * beside)])
        what = f"{name}: {len(jobs)} networks in a stack, times faster, processor time"
        table.marks.append(Mark(what, cpu, FASTER[name], kind=">="))
        options.tell(table.text())
    return table


def _pin(name: str) -> list[str]:
    """What makes all trials split the rows alike: XOR has no split."""
    return [] if name == "xor" else ["data.split.seed=0"]


def alone(jobs: Sequence[Job]) -> tuple[Timed, int]:
    """The seconds that the jobs take one after the other, and the place of the best one."""
    trainers = [Trainer(job) for job in jobs]

    def train() -> None:
        for trainer in trainers:
            for _ in trainer.run():
                pass

    return _timed(train), _winner(trainers)


def together(jobs: Sequence[Job]) -> tuple[Timed, int]:
    """The same in stacks, ever smaller ones."""
    trainers = [Trainer(job) for job in jobs]

    def train() -> None:
        left = trainers
        while left:
            stack = Stack(left)
            for _ in stack.run():
                pass
            left = [left[place] for place in stack.live]

    return _timed(train), _winner(trainers)


def _timed(train: Callable[[], None]) -> Timed:
    cpu, began = time.process_time(), time.perf_counter()
    train()
    return time.perf_counter() - began, time.process_time() - cpu


def _winner(trainers: Sequence[Trainer]) -> int:
    """The place of the trainer with the best value, the earliest of equals."""
    return min(range(len(trainers)), key=lambda place: (trainers[place].best.value, place))


def _beside(config: Path, words: Sequence[Sequence[str]], folder: Path) -> float:
    """The seconds that a task takes beside the training of its trials, which take one epoch of it."""
    sweep = folder / "runs/it/20260101-000000-0000"
    (sweep / "trials").mkdir(parents=True)
    (sweep / "config.yaml").write_bytes(config.read_bytes())
    members = []
    for place, each in enumerate(words, 1):
        spec = read_experiment(config, [*each, "train.epochs=1"])
        values = json.loads(json.dumps(written(spec.experiment)))
        own = {"path": str(sweep / f"trials/{place:04}"), "overrides": spec.document.overrides}
        members.append({"number": place, **own, "spec": values, "until": None, "drop": ""})
    task = {"schema": "nnctl.task/1", "sweep": str(sweep), "runs": str(folder / "runs")}
    began = time.perf_counter()
    train_stack({**task, "about": {"argv": [], "git": None, "sweep": sweep.name}, "members": members})
    return time.perf_counter() - began


def _folds(options: Options, folder: Path) -> Table:
    """A cross-validation in one pass, and one fold after the other."""
    own = [*nnctl(), "train", str(CANCER), "--folds", "10", "-q", "--runs-dir", str(folder / "folds")]
    own += ["data.split.val=0.2", "train.epochs=100", "train.threads=1"]
    sides = {STACK: own, ALONE: [*own, "train.max_time=1e6"]}
    calls = {side: lambda words=words: command(*words, env=environment()) for side, words in sides.items()}
    found = in_turns(calls, min(options.rounds, SEARCHES), timed=lambda side: side())
    table = Table("10 folds of breast_cancer, 100 epochs, whole process", ["", "seconds", "processor"])
    table.rows = [[side, *(number(each) for each in medians(taken))] for side, taken in found.items()]
    table.notes = [
        f"In one pass where they have as many rows: {times(ratios(found[STACK], found[ALONE])[0])} the time."
    ]
    return table


def _search(options: Options, folder: Path) -> Table:
    """100 settings on two cores: nnctl sweep, scikit-learn, and nnctl train in the shell's loop."""
    data = ROOT / "data" / "breast_cancer.csv"
    where = ["--runs-dir", str(folder / "search"), "-q"]
    sweep = [*nnctl(), "sweep", str(CANCER), *SPACE, "--method", "random", "--trials", str(SETTINGS), "--jobs", "2"]
    sides = {"nnctl sweep": lambda: command(*sweep, *where, env=environment())}
    table = Table(
        f"{SETTINGS} settings of breast_cancer, 20 epochs each, on one split and two cores",
        ["", "seconds", "processor", "of nnctl sweep"],
    )
    if has(options.peers, "sklearn") and has(options.peers, "pandas"):
        words = str(options.peers), "-W", "ignore", str(SCRIPTS / "sklearn_search.py"), str(data)
        sides["scikit-learn, n_jobs=2"] = lambda: command(*words, env=environment())
    else:
        table.notes.append("Not installed, so not here: scikit-learn.")
    found = in_turns(sides, min(options.rounds, SEARCHES), timed=lambda side: side())
    own = shlex.join([*nnctl(), "train", str(CANCER), *where, "optimizer.lr=0.001"])
    loop = f"for seed in $(seq {LOOPED}); do {own} seed=$seed || exit 1; done"
    looped = [command("sh", "-c", loop, env=environment()) for _ in range(2)]
    found[f"nnctl train, {SETTINGS} times in a loop"] = [
        (clock * SETTINGS / LOOPED, cpu * SETTINGS / LOOPED) for clock, cpu in looped
    ]
    table.notes.append(f"The loop was measured for {LOOPED} runs, the second time they were made, and multiplied.")
    fastest = medians(found["nnctl sweep"])[0]
    for side, taken in found.items():
        clock, cpu = medians(taken)
        table.rows.append([side, number(clock), number(cpu), times(clock / fastest)])
        if side.startswith("scikit"):
            table.marks.append(Mark("nnctl sweep against RandomizedSearchCV", fastest / clock, 1.0))
    return table


if __name__ == "__main__":
    run_alone("benchmarks.stacks", __doc__, stack_tables)
