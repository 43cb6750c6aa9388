"""F1: SIGKILL at random times, again and again until the run is done: then it is as if nobody had killed it."""

from __future__ import annotations

import itertools
import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnctl.data.batches import Batches
from tests.torture import processes, recovery
from tests.torture.phases import PHASES, KillIn, Phase, kill_myself
from tests.torture.shim import Watch
from tests.torture.subject import SUBJECTS, Subject
from tests.torture.tally import Plan, Tally

KILLED = 137
REAL = 6  # every so many kills one hits a process of its own
TIMED = 3  # ... and every so many one comes by the clock
A_PHASE = 20  # of so many kills one hits each phase, at least
LIVES = 12  # deaths of a run that follow the order; after those it is left alone


def inject(tally: Tally, folder: Path, chance: random.Random, broken: Callable[[], object] | None = None) -> None:
    """Kill runs of four kinds until there are enough kills, the same number of each."""
    share = -(-tally.at_least // len(SUBJECTS))
    killer = Killer(chance, broken)
    for name, text in SUBJECTS.items():
        subject = Subject.known(folder / name, text)
        until = tally.injected + share
        while tally.injected < until and len(tally.failures) < 100:
            _life(tally, Victim(subject, killer), until)
    spread(tally, killer.phases)


def spread(tally: Tally, phases: Counter[str]) -> None:
    """Check that the kills are spread over the phases: a check that never kills in one says nothing about it."""
    enough = max(tally.at_least // A_PHASE, 1)
    for phase in PHASES:
        tally.outcomes[f"in {phase}"] = phases[phase]
        tally.check(phases[phase] >= enough, f"{phases[phase]} kills in the phase `{phase}`, not {enough}")


@dataclass
class Killer:
    """What is common to all kills: when and where they come, and how many came where."""

    chance: random.Random
    broken: Callable[[], object] | None  # what is wrong with the writer
    phases: Counter[str] = field(default_factory=Counter)  # in which a process was killed
    misses: Counter[str] = field(default_factory=Counter)  # one after the other, by phase
    kills: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def next_phase(self) -> str:
        """The phase that was hit least often so far; one that is missed again and again waits."""
        phase = min(PHASES, key=lambda name: self.phases[name] + self.misses[name] / 2)
        self.misses[phase] += 1
        return phase

    def hit(self, phase: str) -> None:
        """A process was killed in this phase."""
        self.phases[phase] += 1
        self.misses[phase] = 0


class Victim:
    """A run that is killed now and then."""

    def __init__(self, subject: Subject, killer: Killer) -> None:
        self.subject, self.killer, self.chance = subject, killer, killer.chance
        shutil.rmtree(subject.runs, ignore_errors=True)

    def live(self) -> tuple[processes.Ended, str]:
        """Train, or resume what there is, until the end or a kill; how that was done."""
        words, number = recovery.words_to_go_on(self.subject), next(self.killer.kills)
        if number % REAL == 0:
            return self._real(words)
        if number % TIMED == 0:
            return self._timed(words)
        phase = self.killer.next_phase()
        if phase == "epoch":
            return self._forked(words, Phase(), self._in_a_step, f"in an epoch of `{words[0]}`")
        if phase == "data" and words[0] == "resume":
            phase = self.chance.choice(PHASES[3:])  # what was prepared is there
        at = self.chance.choice((1, 1, 2, 3, 5, 8, 12, 17))
        return self._forked(words, KillIn(phase, at), None, f"at call {at} of {phase} in `{words[0]}`")

    def _forked(
        self, words: list[str], phase: Phase, more: Callable[[], object] | None, how: str, after: float | None = None
    ) -> tuple[processes.Ended, str]:
        watch = Watch(self.subject.runs, phase)

        def prepare() -> None:
            for step in (self.killer.broken, watch.install, more):
                if step is not None:
                    step()

        child = processes.start(processes.nnctl(*words, prepare=prepare), self.subject.folder)
        if after is not None:
            child.kill_after(after)
        ended = child.wait()
        if ended.code == KILLED:
            self.killer.hit(phase.name)
        return ended, how

    def _timed(self, words: list[str]) -> tuple[processes.Ended, str]:
        after = self.chance.uniform(0, self.subject.seconds)
        return self._forked(words, Phase(), None, f"{after:.3f} s after the start of `{words[0]}`", after)

    def _real(self, words: list[str]) -> tuple[processes.Ended, str]:
        """A process of its own: what it was doing is told by what it left."""
        child = processes.real(words, self.subject.folder)
        after = self.chance.uniform(0.5, 1.1) * (self.subject.seconds + processes.start_up())
        child.kill_after(after)
        ended = child.wait()
        if ended.code == KILLED:
            self.killer.hit("epoch" if self.subject.begun() else "start")
        return ended, f"a process of its own, {after:.3f} s after `{words[0]}`"

    def _in_a_step(self) -> None:
        load, left = Batches.load, itertools.count(-self.chance.choice((1, 2, 3, 5, 8, 13)))

        def loading(batches: Batches, *args: Any) -> None:
            if next(left) == 0:
                kill_myself()
            load(batches, *args)

        Batches.load = loading


def _life(tally: Tally, victim: Victim, until: int) -> None:
    """Kill a run and let it go on until it has ended."""
    for _ in range(LIVES):
        if tally.injected >= until:
            break
        ended, how = victim.live()
        if ended.code == 0:
            recovery.ends_the_same(tally, victim.subject, how)
            return
        if not tally.check(ended.code == KILLED, f"{how}: exit {ended.code}: {ended.err}"):
            return
        tally.note("killed")
        recovery.left_whole(tally, victim.subject, f"killed {how}")
        if recovery.is_done(victim.subject):
            break
    recovery.go_on(tally, victim.subject, "after the last kill")


PLAN = Plan("F1", "SIGKILL until the run is done", "all whole, all endings the same, every phase hit", 240, 50, inject)
