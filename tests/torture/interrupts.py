"""F11: signals at random times: saved, told how to go on, and going on ends as if there had been none."""

from __future__ import annotations

import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.torture import processes, recovery
from tests.torture.processes import Child
from tests.torture.subject import COSINE, Subject
from tests.torture.tally import Plan, Tally

LONG = COSINE.replace("epochs: 8", "epochs: 60")
KINDS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGINT twice", "SIGINT that is ignored")
LIMIT = 2.0  # seconds from a signal to the end
REAL = 10  # every so many hits a process of its own
EARLY = 4  # every so many may come before there is a run


def inject(tally: Tally, folder: Path, chance: random.Random) -> None:
    """Send every kind of signal the same number of times."""
    subject = Subject.known(folder, LONG)
    for number in range(tally.at_least):
        kind = KINDS[number % len(KINDS)]
        shutil.rmtree(subject.runs, ignore_errors=True)
        child = _start(subject, kind, real=number // len(KINDS) % REAL == REAL - 1)
        early = number // len(KINDS) % EARLY == 0
        _send(tally, subject, kind, child, chance.random() * subject.seconds / 2, chance.random() / 100, early=early)


def _start(subject: Subject, kind: str, *, real: bool) -> Child:
    number = signal.Signals[kind.split()[0]]
    ignored = kind.endswith("ignored")
    words = subject.train_words()
    if real:
        return processes.real(words, subject.folder, ignore=(number,) if ignored else ())
    prepare: Callable[[], object] = (lambda: signal.signal(number, signal.SIG_IGN)) if ignored else (lambda: None)
    return processes.start(processes.nnctl(*words, prepare=prepare), subject.folder)


def _send(tally: Tally, subject: Subject, kind: str, child: Child, after: float, pause: float, *, early: bool) -> None:
    """Send a signal so long after the start, or after there is a run, and see what comes of it."""
    number = signal.Signals[kind.split()[0]]
    ignored = kind.endswith("ignored")
    while not (early or child.over() or subject.begun()):
        time.sleep(0.001)
    after += 0 if early else time.perf_counter() - child.started
    what = f"{kind} after {after:.3f} s"
    child.kill_after(after, number)
    if kind.endswith("twice"):
        child.kill_after(after + pause, number)
    ended = child.wait()
    begun = subject.begun()
    tally.check(not ended.traceback, f"{what}: {ended.err}")
    slow = ended.seconds - after if ended.code else 0.0
    # Not in `make test`, which may run on a machine that is busy with other things.
    tally.check(slow < LIMIT or not tally.full, f"{what}: took {slow:.1f} s to end")
    if ended.code == 0:
        tally.note("ended before" if number != signal.SIGUSR1 and not ignored else f"{kind}: went on")
        recovery.ends_the_same(tally, subject, what)
        return
    tally.note(f"{kind}: exit {ended.code}{'' if begun else ' before it began'}")
    goes_on = ignored or (number == signal.SIGUSR1 and bool(begun))
    tally.check(not goes_on, f"{what}: ended with {ended.code}")
    tally.check(ended.code == 128 + number, f"{what}: exit {ended.code}: {ended.err}")
    recovery.left_whole(tally, subject, what)
    if begun and not kind.endswith("twice") and begun[0].read_run_json()["status"] == "interrupted":
        told = f"nnctl resume {begun[0].path.relative_to(subject.folder)}" in ended.err
        tally.check(told, f"{what}: does not say how to go on: {ended.err}")
    recovery.go_on(tally, subject, what)


PLAN = Plan("F11", "signals", "exit 130, 143, 129 within 2 s, or 0; same bits", 300, 24, inject)
