"""F12: the disk is full at many sizes: exit 74, the old state whole, nothing half-written; with room the same end."""

from __future__ import annotations

import random
import resource
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.torture import processes, recovery, scene
from tests.torture.scene import Scene
from tests.torture.subject import SHORT, Subject
from tests.torture.tally import Plan, Tally

SMALLEST = 64  # bytes
PAGE = 4096


def inject(tally: Tally, folder: Path, chance: random.Random) -> None:
    """Limit the size of a file in `train` and in `resume`; as root also the size of a disk."""
    subject = Subject.known(folder, SHORT)
    scenes = (scene.training(subject), scene.resuming(subject))
    largest = max(path.stat().st_size for path in scenes[1].before.rglob("*") if path.is_file())
    each = tally.at_least // 2
    for played in scenes:
        for number in range(each):
            size = round(SMALLEST * (largest * 1.1 / SMALLEST) ** (number / (each - 1)))
            ended = played.play(more=_limit(size))
            _judge(tally, played, ended, f"`{played.words[0]}` with files of {size} bytes")
    _small_disks(tally, scenes[0], largest)


def _limit(size: int) -> Callable[[], object]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def _judge(tally: Tally, played: Scene, ended: processes.Ended, what: str) -> None:
    subject = played.subject
    if ended.code == 0:
        tally.note("fits")
        recovery.ends_the_same(tally, subject, what)
        return
    tally.note(f"exit {ended.code}")
    wrong = recovery.told(ended)
    tally.check(not wrong and ended.code == 74, f"{what}: {wrong or ended.code}")
    left = set(subject.litter()) - set(played.litter)
    tally.check(not left, f"{what}: left {left}")
    recovery.left_whole(tally, subject, what)
    recovery.go_on(tally, subject, what)


def _small_disks(tally: Tally, played: Scene, largest: int) -> None:
    """The runs folder on a disk of its own, where one can be mounted; then a larger one."""
    runs = played.subject.runs
    for pages in (2, 6, 10, 14, 20, 30):
        shutil.rmtree(runs, ignore_errors=True)
        runs.mkdir()
        if not _mount(runs, f"size={pages * PAGE}"):
            return
        try:
            ended = processes.run(processes.nnctl(*played.words), played.subject.folder)
            _mount(runs, "remount,size=64m")
            _judge(tally, played, ended, f"a disk of {pages} pages")
        finally:
            subprocess.run(["umount", str(runs)], check=True)


def _mount(path: Path, options: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


PLAN = Plan("F12", "full disk", "exit 74, old state whole; with room the same bits", 40, 16, inject)
