"""The kinds of faults whose tests stand elsewhere: the full counts of them, in the same table."""

from __future__ import annotations

import contextlib
import functools
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from xml.etree import ElementTree

from tests.safety import extremes
from tests.safety.checked import Outcome, check
from tests.safety.mutations import at_home, mutated_configs
from tests.torture.processes import ROOT
from tests.torture.tally import SEED, Plan, Tally

SLOW = 2.0  # seconds
MUTATED, EXTREME = 5_000, 25_000


def mutate(tally: Tally, folder: Path, chance: random.Random) -> None:
    """Check configs that were mutated."""
    home = at_home(folder)
    for mutated in mutated_configs(MUTATED, tally.seed):
        _check(tally, mutated.name, check(mutated.content, home))


def exaggerate(tally: Tally, folder: Path, chance: random.Random) -> None:
    """Check every option with every value that nobody should try."""
    with contextlib.chdir(folder):
        extremes.tables(Path())
        for case in extremes.cases():
            _check(tally, case.name, check(case.content))


def _check(tally: Tally, name: str, outcome: Outcome) -> None:
    tally.note(f"exit {outcome.code}")
    faults = outcome.faults(seconds=SLOW)
    tally.check(not faults, f"{name}: {faults}")


def suite(files: Iterable[str], more: dict[str, str], tally: Tally, folder: Path, chance: random.Random) -> None:
    """Run the tests in some files; each test counts as one."""
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={folder / 'tmp'}"]
    env = {**os.environ, **more, "PYTHONPATH": str(ROOT), SEED: str(tally.seed)}
    done = subprocess.run(
        [*command, f"--junit-xml={report}", *files], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    if not tally.check(
        report.exists(), f"pytest ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    ):
        return
    for case in ElementTree.parse(report).iter("testcase"):
        outcome = next((child.tag for child in case if child.tag in ("failure", "error", "skipped")), "passed")
        if outcome != "skipped":
            tally.note(outcome)
        tally.check(outcome in ("passed", "skipped"), f"{case.get('classname')} {case.get('name')}: {outcome}")


def _tests(*files: str, **more: str) -> Callable[[Tally, Path, random.Random], None]:
    return functools.partial(suite, [f"tests/{name}" for name in files], more)


CHECKED = "exit 0, 2 or 3, no traceback, none over 2 s"
PASSED = "all tests pass"
PLANS = (
    Plan("F5", "options with extreme values", CHECKED, EXTREME - 1_000, 0, exaggerate),
    Plan("F5", "mutated configs", CHECKED, MUTATED, 0, mutate),
    Plan(
        "F5",
        "bombs, and files with code in them",
        PASSED,
        20,
        0,
        _tests("safety/test_bombs.py", "safety/test_no_code_in_files.py"),
    ),
    Plan("F11", "streams that are closed, full, unread", PASSED, 5, 0, _tests("safety/test_streams.py")),
    Plan(
        "F14",
        "resume, every optimizer and schedule",
        PASSED,
        50,
        0,
        _tests("test_continuing.py", "test_continuing_matrix.py", "test_rollback_resumed.py", "resuming"),
    ),
    Plan(
        "F16",
        "numbers that are not finite",
        PASSED,
        50,
        0,
        _tests("test_faults.py", "test_extreme_numbers.py", "test_autopsy.py"),
    ),
    Plan("F18", "hostile strings", PASSED, 40, 0, _tests("safety/test_hostile_strings.py")),
    Plan(
        "sweep", "examples/sweep.sh interrupted", PASSED, 1, 0, _tests("test_sweep_script.py", NNCTL_SWEEP_ROUNDS="10")
    ),
)
