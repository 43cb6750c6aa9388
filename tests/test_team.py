"""A team of threads runs every task once, tells what fails, and leaves no thread behind."""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from nnctl.network.team import Team


def names() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def wait_for(there: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not there():
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_every_task_runs_once_in_every_call(threads: int) -> None:
    team = Team(threads)
    counts = [0] * 7

    def task(place: int) -> Callable[[], None]:
        def count() -> None:
            counts[place] += 1

        return count

    tasks = [task(place) for place in range(7)]
    for _ in range(300):
        team.run(tasks)
    assert counts == [300] * 7
    team.close()


def test_tasks_run_at_the_same_time() -> None:
    team = Team(3)
    meeting = threading.Barrier(3, timeout=10)
    team.run([meeting.wait] * 3)  # returns only if all three are there
    team.close()


@pytest.mark.parametrize("place", [0, 1])
def test_what_a_task_raises_comes_out_and_the_team_goes_on(place: int) -> None:
    team = Team(2)
    meeting = threading.Barrier(2, timeout=10)  # so that each thread has one of the tasks
    done = []

    def good() -> None:
        meeting.wait()
        done.append(1)

    def bad() -> None:
        meeting.wait()
        raise ValueError("no such row")

    with pytest.raises(ValueError, match="no such row"):
        team.run([bad, good] if place == 0 else [good, bad])
    assert done == [1]
    team.run([good, good])
    assert done == [1, 1, 1]
    team.close()


def test_tasks_behind_one_that_fails_are_left_out() -> None:
    def bad() -> None:
        raise ValueError("no such row")

    done: list[int] = []
    team = Team(1)
    with pytest.raises(ValueError, match="no such row"):
        team.run([bad, lambda: done.append(1)])
    assert not done


def test_floating_point_errors_are_ignored_in_the_other_threads() -> None:
    team = Team(2)
    meeting = threading.Barrier(2, timeout=10)
    found = []

    def look() -> None:
        meeting.wait()
        found.append((threading.current_thread() is threading.main_thread(), np.geterr()["over"]))

    with np.errstate(all="raise"):
        team.run([look, look])
    assert dict(found) == {True: "raise", False: "ignore"}
    team.close()


def test_no_thread_is_left_once_it_is_closed() -> None:
    before, interval = names(), sys.getswitchinterval()
    team = Team(3)
    team.run([time.monotonic] * 3)
    assert len(names() - before) == 2
    assert sys.getswitchinterval() < interval
    team.close()
    assert names() == before
    assert sys.getswitchinterval() == interval


def test_no_thread_and_no_task_is_left_once_it_is_dropped() -> None:
    before = names()

    class Work:
        def __init__(self) -> None:
            self.team = Team(2)  # a cycle, as in a trainer
            self.meeting = threading.Barrier(2, timeout=10)
            self.team.run([self.meeting.wait, self.meeting.wait])

    Work()
    gc.collect()
    wait_for(lambda: names() == before)
