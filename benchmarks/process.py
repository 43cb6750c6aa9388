"""(b) Whole processes from the shell: a table learned by nnctl and by the script that one writes instead; a sweep.

    python -m benchmarks.process [--only table,sweep]

The scripts lie in benchmarks/scripts. All of them read breast_cancer.csv, split off a fifth, standardise, train
30-64-64-1 with Adam for 20 epochs in batches of 32, and print losses and metrics; nnctl also leaves its run folder. A
cold cache is none: the CSV is parsed. The sweep learns XOR from 20 seeds, one process after the other, and from 4, two
processes at a time. Seconds are those of the clock: what one waits for.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.children import environment, has, nnctl
from benchmarks.command import Options, run_alone
from benchmarks.machine import OtherWork
from benchmarks.report import Mark, Table, number, times
from benchmarks.rounds import ROOT, Timed, command, in_turns, medians, ratios

SCRIPTS = Path(__file__).parent / "scripts"
CANCER, XOR = ROOT / "data" / "breast_cancer.csv", ROOT / "data" / "xor.csv"
MOST_ROUNDS, FEW_ROUNDS, SWEEPS, SEEDS = 3, 2, 1, 20
ONE_BY_ONE, TWO_AT_A_TIME = "4 of nnctl", "4 of nnctl, xargs -P 2"
AT_A_TIME = 0.6  # half is the work divided by the cores; a tenth for xargs, and for two that share caches and memory
COLD, WARM, SKLEARN, TORCH, LUDWIG = "nnctl, cold cache", "nnctl, warm cache", "scikit-learn", "PyTorch", "Ludwig"
MARKS = ((COLD, SKLEARN, 0.5), (COLD, TORCH, 0.2), (COLD, LUDWIG, 0.05), (WARM, SKLEARN, 0.35))


def process_tables(options: Options) -> list[Table]:
    """The tables of whole processes."""
    with tempfile.TemporaryDirectory() as name:
        made = []
        if options.wants("table"):
            made.append(_table(options, Path(name)))
        if options.wants("sweep"):
            made.append(_sweep(options, Path(name)))
    return made


def _table(options: Options, folder: Path) -> Table:
    """A table learned by whole processes."""
    runs, config = folder / "runs", SCRIPTS / "breast_cancer.yaml"
    own = [*nnctl(), "train", str(config), "--runs-dir", str(runs)]
    sides: dict[str, Callable[[], Timed]] = {
        COLD: lambda: command(*own, env=environment(), first=lambda: shutil.rmtree(runs, ignore_errors=True)),
        WARM: lambda: command(*own, env=environment()),
    }
    notes, slow = [], {}
    for side, script, needs in (
        (SKLEARN, "sklearn_table.py", ("pandas", "sklearn")),
        (TORCH, "torch_table.py", ("pandas", "sklearn", "torch")),
    ):
        if all(has(options.peers, module) for module in needs):
            words = str(options.peers), "-W", "ignore", str(SCRIPTS / script), str(CANCER)
            sides[side] = lambda words=words: command(*words, env=environment())
        else:
            notes.append(f"Not installed, so not here: {side} ({', '.join(needs)}).")
    ludwig = options.peers and shutil.which("ludwig", path=str(Path(options.peers).parent))
    if ludwig:
        words = ludwig, "train", "--config", str(SCRIPTS / "ludwig.yaml"), "--dataset", str(CANCER)
        place = ("--output_directory", str(folder / "ludwig"), "--logging_level", "error")
        slow[LUDWIG] = lambda: command(*words, *place, env=environment())
    else:
        notes.append("Not installed, so not here: Ludwig.")
    rounds = min(options.rounds, MOST_ROUNDS)
    found = in_turns(sides, rounds, timed=lambda side: side())
    found |= in_turns(slow, min(rounds, FEW_ROUNDS), timed=lambda side: side())
    table = Table(
        "Whole process, breast_cancer: CSV, split, standardisation, 30-64-64-1, 20 epochs, metrics",
        ["", "seconds", "processor", "of scikit-learn", "of PyTorch"],
        notes=notes,
    )
    for side, taken in found.items():
        against = [times(_ratio(found, side, peer)) if peer in found else "" for peer in (SKLEARN, TORCH)]
        table.rows.append([side, *(number(each) for each in medians(taken)), *against])
    for side, peer, bound in MARKS:
        if peer in found:
            table.marks.append(Mark(f"{side}, against {peer}", _ratio(found, side, peer), bound))
    return table


def _ratio(found: Mapping[str, Sequence[Timed]], side: str, peer: str) -> float:
    """How many times as long one side takes as another, which may have had fewer rounds."""
    if len(found[side]) == len(found[peer]):
        return ratios(found[side], found[peer])[0]
    return medians(found[side])[0] / medians(found[peer])[0]


def _sweep(options: Options, folder: Path) -> Table:
    """20 runs in a shell's loop."""
    runs = folder / "sweep"
    train = f"{' '.join(nnctl())} train {ROOT / 'configs' / 'xor.yaml'} seed=$seed -q --runs-dir {runs}"
    loop = f"for seed in $(seq {SEEDS}); do {{}} || exit 1; done"
    at_a_time = f"seq 4 | xargs -P 2 -I SEED {train.replace('$seed', 'SEED')}"
    one_by_one = f"for seed in $(seq 4); do {train} || exit 1; done"
    fours = {ONE_BY_ONE: lambda: _shell(one_by_one), TWO_AT_A_TIME: lambda: _shell(at_a_time)}
    others = OtherWork()
    few = in_turns(fours, min(options.rounds, MOST_ROUNDS), timed=lambda side: side())
    unclear = others.unclear
    sides = {"nnctl": loop.format(train)}
    if has(options.peers, "sklearn") and has(options.peers, "pandas"):
        script = f"{options.peers} -W ignore {SCRIPTS / 'sklearn_xor.py'} {XOR} $seed"
        sides[SKLEARN] = loop.format(script)
    found: dict[str, list[Timed]] = {side: [] for side in sides}
    for _ in range(min(options.rounds, SWEEPS)):
        for side, words in sides.items():
            found[side].append(_shell(words))
    table = Table(
        f"A sweep in the shell: XOR, 500 epochs, {SEEDS} seeds one after the other",
        ["", "seconds", "processor"],
        [[side, *(number(each) for each in medians(taken))] for side, taken in (found | few).items()],
    )
    if SKLEARN in found:
        table.notes.append(f"nnctl takes {times(ratios(found['nnctl'], found[SKLEARN])[0])} scikit-learn's time.")
    ratio = ratios(few[TWO_AT_A_TIME], few[ONE_BY_ONE])[0]
    table.marks = [Mark("4 of nnctl, two at a time, against one after the other", ratio, AT_A_TIME, unclear=unclear)]
    table.notes.append(
        f"Two at a time on two cores take half the time at best; {AT_A_TIME - 0.5:.1f} is left for xargs, and for the "
        "caches and the memory that two share."
    )
    return table


def _shell(words: str) -> Timed:
    return command("sh", "-c", words, env=environment())


if __name__ == "__main__":
    run_alone("benchmarks.process", __doc__, process_tables)
