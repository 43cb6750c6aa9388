"""F9: two processes resume one run at once: one goes on, the other is told who does."""

from __future__ import annotations

import os
import random
import re
from pathlib import Path

from tests.torture import processes, recovery, scene
from tests.torture.scene import Scene
from tests.torture.shim import Call, Quiet, Watch
from tests.torture.subject import SHORT, Subject
from tests.torture.tally import Plan, Tally

HELD = re.compile(r"is being trained by process (\d+) on ")


class Hold(Quiet):
    """A process that waits, once it trains, until a pipe is closed."""

    def __init__(self, pipe: int) -> None:
        self.pipe = pipe

    def before(self, call: Call) -> None:
        if call.name == "replace" and call.path.name == "last.safetensors":
            os.read(self.pipe, 1)


def inject(tally: Tally, folder: Path, chance: random.Random) -> None:
    """Let two processes go at once; the one that trains is killed every other time, and waited for the other times."""
    played = scene.resuming(Subject.known(folder, SHORT))
    for number in range(tally.at_least):
        played.reset()
        _meet(tally, played, f"meeting {number}", kill=number % 2 == 0)


def _meet(tally: Tally, played: Scene, what: str, *, kill: bool) -> None:
    subject = played.subject
    (gate, open_gate), (hold, release) = os.pipe(), os.pipe()

    def prepare() -> None:
        os.close(open_gate)
        os.close(release)
        Watch(subject.runs, Hold(hold)).install()
        os.read(gate, 1)

    both = [processes.start(processes.nnctl(*played.words, prepare=prepare), subject.folder) for _ in range(2)]
    os.close(open_gate)
    while not any(child.over() for child in both):
        pass
    loser, winner = sorted(both, key=lambda child: not child.over())
    ended = loser.wait()
    if kill:
        winner.kill()
    for handle in (release, gate, hold):
        os.close(handle)
    last = winner.wait()
    tally.note(f"exit {last.code} and {ended.code}")
    tally.check(ended.code == 2, f"{what}: the second ended with {ended.code}: {ended.err}")
    named = HELD.search(ended.err)
    right = named is not None and int(named[1]) == winner.pid
    tally.check(right, f"{what}: does not name process {winner.pid}: {ended.err}")
    tally.check(last.code == (137 if kill else 0), f"{what}: the first ended with {last.code}: {last.err}")
    if kill:
        recovery.left_whole(tally, subject, what)
        recovery.go_on(tally, subject, what)
    else:
        recovery.ends_the_same(tally, subject, what)


PLAN = Plan("F9", "two resumes of one run", "one goes on, the other exits 2 with its pid", 50, 8, inject)
