"""After a fault: is what is left a state the run was in, and does going on end as if nothing had happened?"""

from __future__ import annotations

from collections.abc import Container

from nnctl.errors import NnctlError
from nnctl.runs.run_dir import RunDir
from tests.torture import processes
from tests.torture.processes import Ended
from tests.torture.subject import Subject, differences, ending
from tests.torture.tally import Tally

SAID = "cannot be"  # in every sentence about a file
ADVICE = "once it can be written, go on with `nnctl resume "


def left_whole(tally: Tally, subject: Subject, what: str, *, damaged: bool = False) -> RunDir | None:
    """Check what a fault has left, ``damaged`` if it hit a run with a damaged file; the run, if one was begun."""
    begun = subject.begun()
    if not tally.check(len(begun) <= 1, f"{what}: {len(begun)} runs"):
        return None
    for run in begun:
        for wrong in subject.wrong(run, damaged=damaged):
            tally.fail(f"{what}: {wrong}")
        tally.check(_status(run) != "damaged", f"{what}: run.json is damaged")
    return begun[0] if begun else None


def is_done(subject: Subject) -> bool:
    """Whether a run says of itself that it has ended: a fault came too late to matter."""
    return any(_status(run) in ("completed", "early_stopped") for run in subject.begun())


def _status(run: RunDir) -> str:
    try:
        return str(run.read_run_json()["status"])
    except NnctlError:
        return "damaged"


def words_to_go_on(subject: Subject) -> list[str]:
    """What a user does next: resume the run, or train where none was begun."""
    begun = subject.begun()
    return subject.resume_words(begun[0]) if begun else subject.train_words()


def go_on(tally: Tally, subject: Subject, what: str, *, but: Container[str] = ()) -> None:
    """Resume, or train anew where no run was begun, and compare with the run that nobody has disturbed."""
    if is_done(subject):
        ends_the_same(tally, subject, what, but=but)
        return
    words = words_to_go_on(subject)
    ended = processes.run(processes.nnctl(*words), subject.folder)
    if tally.check(ended.code == 0, f"{what}: then `{words[0]}` ended with {ended.code}: {ended.err}"):
        ends_the_same(tally, subject, what, but=but)


def ends_the_same(tally: Tally, subject: Subject, what: str, *, but: Container[str] = ()) -> None:
    """Compare the run that has ended with the one that nobody has disturbed; nothing half-written is left of it.

    ``but`` are parts of the ending that may differ, and ``litter`` where that may be left.
    """
    begun = subject.begun()
    if not tally.check(len(begun) == 1, f"{what}: {len(begun)} runs in the end"):
        return
    expected = {key: value for key, value in subject.ending.items() if key not in but}
    found = differences(ending(begun[0]), expected)
    tally.check(not found, f"{what}: ended differently: {found}")
    here = begun[0].path.relative_to(subject.folder)
    of_the_run = [path for path in subject.litter() if path.startswith((f"{here}/", f"{here.parent}/."))]
    tally.check(not of_the_run or "litter" in but, f"{what}: left {of_the_run}")


def told(ended: Ended) -> str:
    """How a command that could not write has ended: as it should, in one sentence that names a file, or how not."""
    if ended.traceback:
        return f"a traceback: {ended.err}"
    lines = [line for line in ended.err.splitlines() if ADVICE not in line]
    if ended.code not in (6, 74):
        return f"exit {ended.code}: {ended.err}"
    if len(lines) != 1 or SAID not in lines[0] or "runs" not in lines[0].partition(": ")[0]:
        return f"exit {ended.code} without one sentence that names the file: {ended.err!r}"
    return ""
