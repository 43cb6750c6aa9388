"""The kinds of faults whose tests stand elsewhere: the full counts of them, in the same table."""

from __future__ import annotations

import functools
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from xml.etree import ElementTree

from tests.torture.processes import ROOT
from tests.torture.tally import SEED, Plan, Tally


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


PASSED = "all tests pass"
PLANS = (
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
