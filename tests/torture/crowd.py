"""F8: many trainings at once in one runs folder, which is listed all the while."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

from tests.torture import processes
from tests.torture.processes import Child
from tests.torture.subject import SHORT, Subject, differences, ending
from tests.torture.tally import Plan, Tally

REAL = 16  # every so many is a process of its own


def inject(tally: Tally, folder: Path, chance: random.Random) -> None:
    """Start all of them behind a barrier, then let them go at once, and list the runs until the last has ended."""
    subject = Subject.known(folder, SHORT)
    waiting, gate = os.pipe()

    def at_the_gate() -> None:
        os.close(gate)
        os.read(waiting, 1)

    crowd = []
    for number in range(tally.at_least):
        words = subject.train_words()
        if number % REAL == REAL - 1:
            crowd.append(processes.real(words, subject.folder))
        else:
            crowd.append(processes.start(processes.nnctl(*words, prepare=at_the_gate), subject.folder))
    os.close(gate)
    os.close(waiting)
    lists = _list_until_over(tally, subject, crowd)
    paths = [_ended(tally, child) for child in crowd]
    tally.check(len(set(paths)) == len(paths), f"{len(paths)} runs in {len(set(paths))} folders")
    tally.check(len(subject.begun()) == len(crowd), f"{len(subject.begun())} runs of {len(crowd)} are there")
    for run in subject.begun():
        found = differences(ending(run), subject.ending)
        tally.check(not found, f"{run.path.name}: ended differently: {found}")
    tally.check(not subject.litter(), f"left {subject.litter()}")
    tally.outcomes["lists in between, all JSON"] = lists


def _ended(tally: Tally, child: Child) -> str:
    ended = child.wait()
    tally.note("complete" if ended.code == 0 else f"exit {ended.code}")
    tally.check(ended.code == 0, f"exit {ended.code}: {ended.err}")
    return ended.out.strip()


def _list_until_over(tally: Tally, subject: Subject, crowd: list[Child]) -> int:
    lists = 0
    while True:
        over = all(child.over() for child in crowd)
        ended = processes.run(processes.nnctl("runs", "ls", "--json"), subject.folder)
        lists += 1
        found = _json(ended.out)
        whole = ended.code == 0 and found is not None
        tally.check(whole, f"`runs ls --json` ended with {ended.code}: {ended.err} {ended.out[:200]}")
        if over:
            listed = [run["status"] for run in (found or {"runs": []})["runs"]]
            all_there = listed == ["completed"] * len(crowd)
            tally.check(all_there, f"`runs ls` lists {len(listed)} runs of {len(crowd)}: {set(listed)}")
            return lists


def _json(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


PLAN = Plan("F8", "concurrent trainings", "all distinct, all complete, JSON valid all along", 100, 32, inject)
