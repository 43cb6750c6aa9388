"""A team of threads: tasks that run side by side, since NumPy lets go of the interpreter's lock in its loops."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from typing import Any

import numpy as np

from nnctl.errors import Problem, SpecError

PATIENCE = 1e-4  # seconds that a thread waits for the interpreter's lock before it asks for it; 5 ms cost 5 % of a step

Task = Callable[[], object]
Call = tuple[Iterator[Task] | None, SimpleQueue[BaseException | None]]  # tasks to share (None: end), and the answers


class Team:
    """The calling thread and ``threads - 1`` others, which wait for tasks until the team is closed or dropped.

        team = Team(2)
        team.run([one, other])  # returns when both are done
        team.close()

    ``run`` takes functions without arguments; make the list once and hand in the same one in every step. Whoever is
    free takes the next, the calling thread the first one: a thread that the machine does not wake in time costs
    nothing but its help. So tasks write to places of their own, and no result may depend on who takes which. Between
    calls the other threads sleep: a call costs 15 us, so a task should last 50 us or more. A team of one thread runs
    its tasks one after the other, and has no others. ``working`` may be set to fewer threads at any time.

    The other threads begin with the first call, and with the first one after ``close``. While they are there, the
    threads of Python take turns more often (``sys.setswitchinterval``).

    What a task raises, ``run`` raises, once no task runs any more; those that nobody has begun are left out. Errors of
    floating point are ignored in the other threads, as in the training loop, whatever ``np.errstate`` says here.
    """

    def __init__(self, threads: int) -> None:
        self.threads = self.working = threads
        self._calls: list[SimpleQueue[Call]] = []  # to each of the others
        self._others: list[threading.Thread] = []
        self._usual = 0.0  # how long threads wait for each other where no team is at work

    def run(self, tasks: Sequence[Task]) -> None:
        """Run all tasks, and return when they are done."""
        if self.working > 1 and not self._calls:
            self._begin()
        left = iter(tasks)  # the interpreter's lock makes its `next` one operation: no task is taken twice
        answers: SimpleQueue[BaseException | None] = SimpleQueue()
        for calls in self._calls[: min(self.working, len(tasks)) - 1]:
            calls.put((left, answers))
        own = 0
        error = None
        try:
            for task in left:
                own += 1
                task()
        finally:
            own += sum(1 for _ in left)  # if one has failed: nobody begins those
            for _ in range(len(tasks) - own):
                error = answers.get() or error
        if error is not None:
            raise error

    def close(self) -> None:
        """End the other threads."""
        self._dismiss()
        for other in self._others:
            other.join()
        self._others = []

    def __del__(self) -> None:
        self._dismiss()

    def _begin(self) -> None:
        # Of all ways to hand over, locks, conditions and semaphores included, none is faster than this queue.
        self._calls = [SimpleQueue() for _ in range(self.threads - 1)]
        # Threads that knew the team would keep it alive.
        self._others = [threading.Thread(target=_wait, args=(calls,), daemon=True) for calls in self._calls]
        for place, other in enumerate(self._others):
            try:
                other.start()
            except RuntimeError as error:
                self._calls, self._others = self._calls[:place], self._others[:place]
                message = f"the system starts no more than {place + 1} of {self.threads} threads here: ask for fewer"
                raise SpecError(Problem(message, "train.threads")) from error
        self._usual = sys.getswitchinterval()
        sys.setswitchinterval(min(self._usual, PATIENCE))

    def _dismiss(self) -> None:
        calls, self._calls = self._calls, []
        for each in calls:
            each.put((None, SimpleQueue()))
        if calls and self._usual > PATIENCE:  # else it is another team's, which is still at work
            sys.setswitchinterval(self._usual)


def _wait(calls: SimpleQueue[Call]) -> None:
    """What a thread of a team does all its life."""
    with np.errstate(all="ignore"):
        while _help(*calls.get()):  # nothing is kept here, or what is done would live until the next call
            pass


def _help(left: Iterator[Task] | None, answers: SimpleQueue[Any]) -> bool:
    """Take tasks until none is left; False where the thread is to end."""
    if left is None:
        return False
    for task in left:
        try:
            task()
        except BaseException as error:
            answers.put(error)
        else:
            answers.put(None)
    return True
