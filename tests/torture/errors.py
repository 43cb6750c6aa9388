"""F2: the n-th call about a file fails, for all n and with every error, in `train` and in `resume`."""

from __future__ import annotations

import errno
import random
import re
from pathlib import Path

from tests.torture import recovery, scene
from tests.torture.scene import Scene
from tests.torture.shim import ERRORS, Call, Fail, Fault, Full
from tests.torture.subject import LITTER, SHORT, Subject
from tests.torture.tally import Plan, Tally

SAID = re.compile("warning|is not kept")
STRIDE = 6  # in `make test` a run goes on after so many errors; `resume`, which writes as `train` does, has as many


def inject(tally: Tally, folder: Path, chance: random.Random) -> None:
    """Fail every call: in full with every error, else with one of them; and have the disk full from some on."""
    subject = Subject.known(folder, SHORT)
    first = chance.randrange(STRIDE)
    for played in (scene.training(subject), scene.resuming(subject)):
        for call in played.calls:
            turn = tally.full or call.number % STRIDE == first
            if turn or played.before is None:
                for code in ERRORS if tally.full else (chance.choice(ERRORS),):
                    _fail(tally, played, call, Fail(call.number, code), errno.errorcode[code], go_on=turn)
            if turn:
                _fail(tally, played, call, Full(call.number), "a disk that is full from there on", go_on=turn)


def _fail(tally: Tally, played: Scene, call: Call, fault: Fault, named: str, *, go_on: bool) -> None:
    subject, what = played.subject, f"`{played.words[0]}`, {named} at {call}"
    ended = played.play(fault)
    if ended.code == 0:
        tally.note("went on")
        wrong = _went_on(played, call, fault)
        tally.check(not wrong, f"{what}: {wrong}")
        stays = call.name == "unlink" and (not call.path.name.endswith(LITTER) or _was_there(played, call))
        recovery.ends_the_same(tally, subject, what, but=("checkpoints", "litter") if stays else ())
        return
    tally.note(f"exit {ended.code}")
    wrong = recovery.told(ended)
    tally.check(not wrong, f"{what}: {wrong}")
    left = set(subject.litter()) - set(played.litter)
    tally.check(not left, f"{what}: left {left}")
    recovery.left_whole(tally, subject, what)
    if go_on:
        recovery.go_on(tally, subject, what)


def _went_on(played: Scene, call: Call, fault: Fault) -> str:
    """What is wrong with a run that did not stop at an error, and ended as if there had been none: nothing was said."""
    if call.name == "unlink" and call.path.name.endswith(LITTER) and not _was_there(played, call):
        return ""  # it was renamed before, and is not there
    if isinstance(fault, Full):
        return ""  # nothing was written any more
    logs = "".join(run.log.read_text() for run in played.subject.begun())
    return "" if SAID.search(logs) else f"went on, and said nothing: {logs!r}"


def _was_there(played: Scene, call: Call) -> bool:
    """Whether a file was half-written before the command, and could not be removed by it."""
    return any(path.endswith(call.path.name) for path in played.litter)


PLAN = Plan(
    "F2", "the n-th call fails", "exit 74 or 6 with the path, or 0 with a warning; old state whole", 1_000, 150, inject
)
