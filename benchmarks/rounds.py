"""Time and memory of what is compared: sides take turns, so that both meet the same neighbours on a busy machine."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent

ROUND = 0.1  # seconds, for sides that are much slower than others

# What a process runs whose peak is asked for.
PEAK = """
import sys
try:
    from nnctl.cli import main
    main()
finally:
    try:
        with open("/proc/self/status") as file:
            peak = next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
    except OSError:
        import resource
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # of macOS, in bytes
    print("peak", peak, file=sys.stderr)
"""

Timed = tuple[float, float]  # seconds of the clock and of the processors

WARM = 0.1  # seconds


def warm(step: Callable[[], Any]) -> None:
    """Run a side before its round, for as long as a processor takes to its full pace after it has slept.

    A process that waits while others have their rounds was seen to take 1.6 times as long in the first milliseconds.
    """
    end = time.perf_counter() + WARM
    step()
    while time.perf_counter() < end:
        step()


def timed(step: Callable[[], Any], steps: int) -> Timed:
    """The seconds that one of so many calls takes."""
    cpu, began = time.process_time(), time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - began) / steps, (time.process_time() - cpu) / steps


def watched(command: list[str], env: Mapping[str, str] | None = None) -> tuple[dict[str, float], float]:
    """What a process prints as JSON, and the peak of its anonymous memory in MB."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=env)
    peak = 0.0

    def sample() -> None:
        nonlocal peak
        while process.poll() is None:
            try:
                status = Path(f"/proc/{process.pid}/status").read_text()
            except OSError:
                return
            peak = max([peak, *(int(line.split()[1]) / 1000 for line in status.splitlines() if "RssAnon" in line)])
            time.sleep(0.02)

    sampler = threading.Thread(target=sample)
    sampler.start()
    found = json.loads(process.communicate()[0])
    sampler.join()
    return found, peak


def command(
    *words: str, first: Callable[[], None] = lambda: None, env: Mapping[str, str] | None = None, cwd: Any = None
) -> Timed:
    """The seconds that a process takes, and those that it and its children worked; what it prints goes nowhere."""
    first()
    before, began = os.times(), time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env, cwd=cwd)
    after, seconds = os.times(), time.perf_counter() - began
    return seconds, sum(after[2:4]) - sum(before[2:4])


def peak_of(words: Sequence[str], env: Mapping[str, str]) -> int:
    """The most memory that nnctl had in RAM for a command, in bytes, maps of files included.

    It is asked for inside the process: what the kernel tells a parent counts the parent, too, as it was at the fork.
    """
    done = subprocess.run([sys.executable, "-c", PEAK, *words], capture_output=True, text=True, env=env, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return int(done.stderr.rpartition("peak ")[2])


def affordable(steps: int, seconds: float) -> int:
    """So many steps of so many seconds that a round stays short, but never fewer than a tenth of those wanted."""
    return max(1, steps // 10, min(steps, int(ROUND / seconds)))


def here(side: Callable[[], Any]) -> Timed:
    """The seconds that a function takes."""
    return timed(side, 1)


def in_turns(
    sides: Mapping[str, Callable[[], Any]], rounds: int, timed: Callable[[Callable[[], Any]], Timed] = here
) -> dict[str, list[Timed]]:
    """The seconds of every side in every round; the first round warms up."""
    found: dict[str, list[Timed]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name, side in sides.items():
            seconds = timed(side)
            if number:
                found[name].append(seconds)
    return found


def medians(times: Sequence[Timed]) -> Timed:
    return statistics.median(clock for clock, _ in times), statistics.median(cpu for _, cpu in times)


def ratios(own: Sequence[Timed], peer: Sequence[Timed]) -> Timed:
    """The medians over the rounds of how many times as long the one takes as the other."""
    pairs = list(zip(own, peer, strict=True))
    return statistics.median(a[0] / b[0] for a, b in pairs), statistics.median(a[1] / b[1] for a, b in pairs)


def load() -> str:
    return f"{os.getloadavg()[0]:>7.1f}"
