"""What was injected and what came of it: one row of the table for each kind of fault."""

from __future__ import annotations

import os
import random
import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SEED = "NNCTL_FAULT_SEED"
SHOWN = 5  # failures of a kind that are told


def seed() -> int:
    """The seed of the random faults: that of NNCTL_FAULT_SEED, else a new one."""
    return int(os.environ.get(SEED) or secrets.randbelow(10**6))


@dataclass
class Tally:
    """The outcomes of one kind of fault; it has passed when enough was injected and nothing failed."""

    fault: str  # F1 ...
    title: str
    mark: str
    at_least: int
    full: bool  # the full counts, or those of `make test`
    seed: int
    injected: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0
    skipped: str = ""

    def note(self, outcome: str) -> None:
        """One fault was injected, and this came of it."""
        self.injected += 1
        self.outcomes[outcome] += 1

    def fail(self, what: str) -> None:
        """Something is not as it must be."""
        self.failures.append(what)

    def check(self, holds: bool, what: str) -> bool:
        if not holds:
            self.fail(what)
        return holds

    @property
    def passed(self) -> bool:
        return not self.failures and (self.injected >= self.at_least or bool(self.skipped))

    def told(self) -> str:
        """Why it has not passed."""
        few = [f"only {self.injected} of {self.at_least} injected"] if self.injected < self.at_least else []
        more = [f"... and {len(self.failures) - SHOWN} more"] if len(self.failures) > SHOWN else []
        shown = self.failures if os.environ.get("NNCTL_FAULT_ALL") else self.failures[:SHOWN]
        lines = "\n  ".join([*few, *shown, *more])
        return f"{self.fault} {self.title} ({SEED}={self.seed}):\n  {lines}"


@dataclass(frozen=True)
class Plan:
    """A kind of fault: how often it is injected in full and in `make test`, and the function that does it."""

    fault: str
    title: str
    mark: str
    full: int
    fast: int
    inject: Callable[[Tally, Path, random.Random], None] = field(repr=False)

    def run(self, folder: Path, *, fast: bool = False, seed: int = 0) -> Tally:
        """Inject at least so many faults below an empty folder; ``tally.at_least`` is their number."""
        tally = Tally(self.fault, self.title, self.mark, self.fast if fast else self.full, not fast, seed)
        start = time.perf_counter()
        self.inject(tally, folder, random.Random(f"{seed} {self.fault} {self.title}"))
        tally.seconds = time.perf_counter() - start
        return tally


def table(tallies: Sequence[Tally]) -> str:
    """The table of faults and outcomes."""
    rows = [("fault", "injected", "seconds", "mark", "outcomes")]
    for tally in tallies:
        outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in tally.outcomes.most_common())
        rows.append(
            (
                f"{tally.fault} {tally.title}",
                f"{tally.injected:,}",
                f"{tally.seconds:.0f}",
                tally.skipped or (f"{tally.mark}: {'met' if tally.passed else 'MISSED'}"),
                outcomes,
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return "\n".join("  ".join([*map(str.ljust, row, widths), row[-1]]).rstrip() for row in rows)
