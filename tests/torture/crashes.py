"""F3: the process ends at the n-th call about a file, for all n, in `train` and in `resume`."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from tests.torture import recovery, scene
from tests.torture.scene import Scene
from tests.torture.shim import CRASHED, Call, Crash
from tests.torture.subject import SHORT, Subject
from tests.torture.tally import Plan, Tally

STRIDE = 6  # in `make test` a run goes on after so many crashes


def inject(tally: Tally, folder: Path, chance: random.Random, broken: Callable[[], object] | None = None) -> None:
    """Crash in the place of every call, in full also in the middle of every write, and then go on."""
    subject = Subject.known(folder, SHORT)
    resumed = scene.resuming(subject, broken)
    scenes = {
        "train": scene.training(subject, broken),
        "resume": resumed,
        "resume from last.prev": scene.falling_back(resumed),
    }
    first = chance.randrange(STRIDE)
    for name, played in scenes.items():
        for call in played.calls:
            for torn in (False, True) if call.name == "write" else (False,):
                turn = call.number % STRIDE == first
                if tally.full or turn or not (torn or played.damaged):
                    crash(tally, played, call, f"`{name}`", torn=torn, go_on=tally.full or turn)


def crash(tally: Tally, played: Scene, call: Call, name: str, *, torn: bool, go_on: bool) -> None:
    what = f"{name}, {'torn' if torn else 'crashed'} at {call}"
    ended = played.play(Crash(call.number, torn=torn))
    tally.check(ended.code == CRASHED, f"{what}: exit {ended.code}: {ended.err}")
    begun = recovery.left_whole(tally, played.subject, what, damaged=played.damaged)
    tally.note(f"{name}: {'whole' if begun else 'not begun'}")
    if go_on:
        recovery.go_on(tally, played.subject, what)
        tally.outcomes["of them gone on with" if begun else "of them trained anew"] += 1


PLAN = Plan("F3", "crash at the n-th call", "before or after, then the same bits", 300, 150, inject)
