"""F4b: the calls of a real process as the kernel sees them: synced before renamed, the folder after, nothing cut."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.torture.processes import ROOT
from tests.torture.subject import COSINE, Subject
from tests.torture.tally import Plan, Tally

CALLS = "openat,write,writev,fsync,fdatasync,rename,renameat,renameat2"
_CALL = re.compile(r"^(?:\d+ +)?(\w+)\((.*)\) += (-?\d+)")
_HANDLE = re.compile(r"^\d+<([^>]*)>")
_NAME = re.compile(r'"((?:[^"\\]|\\.)*)"')


def inject(tally: Tally, folder: Path, chance: random.Random) -> None:
    """Follow one training; every rename in it counts."""
    strace = shutil.which("strace")
    if strace is None:
        tally.skipped = "no strace here"
        return
    subject = Subject.make(folder / "it", COSINE)
    log = folder / "trace"
    command = [strace, "-f", "-y", "-s", "0", "-e", f"trace={CALLS}", "-o", str(log)]
    done = subprocess.run(
        [*command, sys.executable, "-m", "nnctl", *subject.train_words()],
        cwd=subject.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if not log.exists() or "ptrace" in done.stderr:
        tally.skipped = f"strace is not allowed here: {done.stderr.strip()[:80]}"
        return
    tally.check(done.returncode == 0, f"exit {done.returncode}: {done.stderr}")
    runs = str(subject.runs / "it")
    follow(tally, [line for line in log.read_text(errors="replace").splitlines() if runs in line or "runs/it" in line])


def follow(tally: Tally, lines: list[str]) -> None:
    """Check the order of what was done to the files of a run."""
    unsynced, untold = set[str](), set[str]()
    for line in lines:
        found = _CALL.match(line)
        if found is None or int(found[3]) < 0:
            continue
        name, words = found[1], found[2]
        handle = _HANDLE.match(words)
        path = os.path.basename(handle[1]) if handle else ""
        if name in ("write", "writev"):
            unsynced.add(path)
        elif name in ("fsync", "fdatasync"):
            unsynced.discard(path)
            if path == "checkpoints" or untold:
                untold.clear()
        elif name.startswith("rename"):
            old, new = (os.path.basename(each) for each in _NAME.findall(words))
            tally.note("renamed whole" if old not in unsynced else "renamed unsynced")
            tally.check(old not in unsynced, f"{new} was renamed before it was synced")
            untold.add(new)
        elif name == "openat":
            tally.check("O_TRUNC" not in words, f"cut while it was live: {words}")
            if "O_WRONLY" in words and untold & {"last.safetensors", "best.safetensors", "run.json"}:
                tally.fail(f"{untold}: the folder was not synced before {words} was opened")
    tally.check(not untold - {"latest"}, f"{untold}: the folder was not synced")


PLAN = Plan("F4b", "calls of a process", "sync < rename < sync of the folder; no O_TRUNC", 10, 10, inject)
