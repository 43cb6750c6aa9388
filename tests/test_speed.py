"""No regressions of speed: against the bare loop of the benchmark in the same process, and in calls; never in seconds.

The sides take turns, and the fastest round of each counts, by the time of the processor: what neighbours do to a round
makes it slower, never faster. Rounds go on until the ratio is within its bound, so that noise costs time alone.

A call of a function costs 50 to 100 ns, of 15 us that a step of XOR takes: too little for a clock on a busy machine. So
calls are counted, exactly: one more per layer, such as an `np.asarray`, is found. What is slow inside of NumPy is not
seen there, but by the clock: the bounds are about 1.3 times what is measured. Counted are calls that nnctl's own code
makes, and functions of nnctl that anyone calls: not what the standard library or NumPy do in Python inside of one, nor
comprehensions, which are calls up to Python 3.11 alone. Both differ from one version of Python to the next.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from threadpoolctl import threadpool_limits

import nnctl
from benchmarks.bare import BareLoop
from benchmarks.epoch import bare_epoch, cases, whole_epoch
from benchmarks.own import own_rows, stepper
from benchmarks.rounds import timed
from benchmarks.workloads import WORKLOADS
from nnctl.console.progress import Display
from nnctl.experiment import open_experiment
from nnctl.training.trainer import Trainer

STEP_CALLS = {"xor": 57, "small": 69}  # of functions in Python, and of built-in ones; ufuncs are not counted
EPOCH_CALLS = {"xor": 152, "breast_cancer": 932}  # in the mean
STEP = {"xor": 0.85, "small": 1.05}  # of the time of the bare loop, which takes no loss and checks nothing
EPOCH = {"xor": 2.6, "breast_cancer": 1.15}  # with validation, early stopping, metrics, saves, of the bare steps
MOST_ROUNDS = 40
OWN = nnctl.__path__[0] + os.sep
COMPREHENSIONS = {"<listcomp>", "<setcomp>", "<dictcomp>"}


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    with threadpool_limits(1):
        yield


def is_own(frame: FrameType | None) -> bool:
    return frame is not None and frame.f_code.co_filename.startswith(OWN)


def calls(run: Callable[[], Any]) -> int:
    """The calls of functions that nnctl makes, and of functions of nnctl, in one call of this."""
    found = 0

    def count(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal found
        if event == "call":
            found += frame.f_code.co_name not in COMPREHENSIONS and (is_own(frame) or is_own(frame.f_back))
        elif event == "c_call":
            found += is_own(frame)

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(before)
    return found


def best_ratio(own: Callable[[], float], bare: Callable[[], float], bound: float) -> float:
    """The ratio of the fastest rounds, once it is within the bound or there have been enough of them."""
    least_own = least_bare = math.inf
    for _ in range(MOST_ROUNDS):
        least_own, least_bare = min(least_own, own()), min(least_bare, bare())
        if least_own <= bound * least_bare:
            break
    return least_own / least_bare


@pytest.mark.parametrize("name", STEP_CALLS)
def test_a_step_makes_no_more_calls_than_it_needs(name: str) -> None:
    step = stepper(own_rows(WORKLOADS[name], 1))
    for _ in range(3):
        step()  # the first ones make the passes
    assert STEP_CALLS[name] / 2 < calls(step) <= STEP_CALLS[name], "if all of them are needed, raise the number"


@pytest.mark.parametrize("name", STEP)
def test_a_step_takes_its_share_of_the_time_of_the_bare_loop(name: str) -> None:
    workload = WORKLOADS[name]
    own, bare, start, steps = stepper(own_rows(workload, 1)), BareLoop(workload), workload.start(), 100

    def bare_round() -> float:
        bare.reset(start)  # moments of units that never fire would become denormal numbers
        return timed(bare.step, steps)[1]

    assert best_ratio(lambda: timed(own, steps)[1], bare_round, STEP[name]) <= STEP[name]


@pytest.mark.parametrize("name", EPOCH)
def test_an_epoch_makes_no_more_calls_than_it_needs(name: str, tmp_path: Path) -> None:
    case = next(case for case in cases(tmp_path) if case.workload.name == name)
    events = Trainer(open_experiment(case.config(tmp_path)).prepared.job).run()
    list(islice(events, 3))  # the first ones make the passes
    found = calls(lambda: list(islice(events, 20))) / 20
    assert EPOCH_CALLS[name] / 2 < found <= EPOCH_CALLS[name], "if all of them are needed, raise the number"


@pytest.mark.parametrize("name", EPOCH)
def test_a_whole_epoch_takes_its_share_of_the_time_of_the_bare_steps(name: str, tmp_path: Path) -> None:
    case = next(case for case in cases(tmp_path) if case.workload.name == name)
    case = replace(case, epochs=5000 if name == "xor" else 200)
    config = case.config(tmp_path)
    rows = len(open_experiment(config).prepared.job.train)
    ratio = best_ratio(
        lambda: whole_epoch(config, tmp_path / "runs", Display)[1], lambda: bare_epoch(case, rows)[1], EPOCH[name]
    )
    assert ratio <= EPOCH[name]
