"""F3: the process ends at the n-th call about a file, for all n, in `train` and in `resume`."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from tests.torture import recovery, scene
from tests.torture.shim import CRASHED, Crash
from tests.torture.subject import SHORT, Subject
from tests.torture.tally import Plan, Tally


def inject(
    tally: Tally, folder: Path, chance: random.Random, broken: Callable[[], object] | None = None
) -> None:
    """Crash in the place of every call, and in full also in the middle of every write."""
    subject = Subject.known(folder, SHORT)
    scenes = [scene.training(subject, broken), scene.resuming(subject, broken)]
    points = [
        (played, call, torn)
        for played in scenes
        for call in played.calls
        for torn in (False, True)
        if not torn or call.name == "write"
    ]
    if not tally.full:
        points = sorted(chance.sample(points, tally.at_least), key=lambda point: (point[0] is scenes[1], point[1].number))
    for played, call, torn in points:
        what = f"`{played.words[0]}`, {'torn' if torn else 'crashed'} at {call}"
        ended = played.play(Crash(call.number, torn=torn))
        tally.check(ended.code == CRASHED, f"{what}: exit {ended.code}: {ended.err}")
        begun = recovery.left_whole(tally, subject, what)
        tally.note(f"{played.words[0]}: {'resumed' if begun else 'not begun, trained anew'}")
        recovery.go_on(tally, subject, what)


PLAN = Plan("F3", "crash at the n-th call", "before or after, then the same bits", 250, 100, inject)
