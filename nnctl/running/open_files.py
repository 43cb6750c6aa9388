"""How many runs one process can have open at once."""

from __future__ import annotations

import os
import resource
from contextlib import suppress

OPEN = 3  # files of a run that stay open: its lock, metrics.csv and log.txt
OTHERS = 32  # that are open for a moment, beside those that are already
OPEN_NOW = "/dev/fd"  # where Linux and macOS list them


def room_for(runs: int) -> int:
    """How many of so many runs can be open at once, at least one; the system's limit is raised as far as it lets us.

    Some systems let a process have 256 files at first, and many more when it asks.
    """
    others = OTHERS + _open_now()
    wanted = OPEN * runs + others
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return runs if soft == resource.RLIM_INFINITY else max(1, min(runs, (soft - others) // OPEN))


def _open_now() -> int:
    """The files that this process has open."""
    try:
        return len(os.listdir(OPEN_NOW))
    except OSError:
        return OTHERS
