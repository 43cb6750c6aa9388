"""What a run is doing when it is killed, told by the calls that it makes about its files."""

from __future__ import annotations

import mmap
import os
import signal
from typing import Any

from tests.torture.shim import Call, Quiet
from tests.torture.subject import LITTER

PHASES = ("start", "data", "epoch", "metrics write", "temp write", "rename", "prune", "final")


class Phase(Quiet):
    """Follows a process by its calls; another process can read where it is."""

    def __init__(self) -> None:
        self._board = mmap.mmap(-1, 1)  # shared with what is forked from here
        self._between = "start"

    @property
    def name(self) -> str:
        return PHASES[self._board[0]]

    def before(self, call: Call) -> None:
        self._show(self.of(call))

    def after(self, call: Call, result: Any) -> None:
        self._between = self._next(call)
        self._show(self._between)

    def of(self, call: Call) -> str:
        """The phase that a call belongs to."""
        if ".cache" in call.path.parts:
            return "data"
        if self._between == "final" or ".metrics.json." in call.path.name:
            return "final"
        if self._between != "epoch":
            return "start"
        if call.path.name == "metrics.csv":
            return "metrics write"
        temporary = call.path.name.endswith(LITTER)
        if call.name == "unlink" and not temporary:
            return "prune"
        writes = call.name in ("open", "write", "fsync") and call.path.name != "checkpoints"
        return "temp write" if writes else "rename"

    def _next(self, call: Call) -> str:
        """What follows a call: the phase until the next one."""
        if self.of(call) in ("data", "final"):
            return self.of(call)
        if call.name == "mkdir":
            return "start"
        begun = call.name in ("replace", "fsync") and call.path.name == "run.json"
        return "epoch" if begun or self._between == "epoch" else "start"

    def _show(self, phase: str) -> None:
        self._board[0] = PHASES.index(phase)


class KillIn(Phase):
    """A process that kills itself in the place of the n-th call of a phase."""

    def __init__(self, phase: str, at: int) -> None:
        super().__init__()
        self._wanted, self._left = phase, at

    def before(self, call: Call) -> None:
        super().before(call)
        self._left -= self.name == self._wanted
        if self._left == 0:
            kill_myself()


def kill_myself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
