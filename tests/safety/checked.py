"""``nnctl check`` in this process, and what may be wrong with how it ended."""

from __future__ import annotations

import contextlib
import io
import resource
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from nnctl.cli import main

ALLOWED = (0, 2, 3)
HANGS = 30.0  # seconds after which a check is given up
MEGABYTES = 100


class Hangs(BaseException):
    """The check took far too long; no `except Exception` holds it up."""


@dataclass(frozen=True)
class Outcome:
    """How a check ended."""

    code: int
    seconds: float
    megabytes: float  # by which the peak of the process grew
    out: str
    err: str
    warnings: tuple[str, ...]

    def faults(self, *, seconds: float = HANGS, megabytes: float = MEGABYTES) -> list[str]:
        """What is wrong with it, in words."""
        found = [f"warned: {text}" for text in self.warnings]
        if self.code not in ALLOWED:
            found.append(f"exit {self.code}: {self.err}")
        elif self.code and not (self.err and self.err.endswith("Nothing was run.\n")):
            found.append(f"exit {self.code} without a sentence: {self.err!r}")
        if "Traceback" in self.err or "Warning:" in self.err:
            found.append(f"told what nobody wants to know: {self.err}")
        if any(letter < " " and letter != "\n" for letter in self.out + self.err):
            found.append("a control character reached the terminal")
        if self.seconds > seconds:
            found.append(f"took {self.seconds:.1f} s")
        if self.megabytes > megabytes:
            found.append(f"took {self.megabytes:.0f} MB")
        return found


def check(content: bytes, path: Path = Path("x.yaml")) -> Outcome:
    """Check a config of that content, written there, relative to which its data lies."""
    path.write_bytes(content)
    out, err = io.StringIO(), io.StringIO()
    before, start = _peak(), time.perf_counter()
    with (
        warnings.catch_warnings(record=True) as warned,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        _no_longer_than(HANGS),
    ):
        warnings.simplefilter("always")
        try:
            code = main(["check", str(path)])
        except Hangs:
            code = -1
    seconds = time.perf_counter() - start
    told = tuple(f"{each.category.__name__}: {each.message} ({each.filename}:{each.lineno})" for each in warned)
    return Outcome(code, seconds, _peak() - before, out.getvalue(), err.getvalue(), told)


@contextlib.contextmanager
def _no_longer_than(seconds: float) -> Iterator[None]:
    def give_up(number: int, frame: FrameType | None) -> None:
        raise Hangs

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
