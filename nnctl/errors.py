"""Every error that nnctl raises on purpose, and the places in files that they point to.

    NnctlError                  exit_code, problems
    ├── SpecError        2      the command line or the YAML is wrong in itself
    ├── DataError        3      a data file is missing, unreadable, or not what the YAML says
    ├── DivergedError    4      training produced a number that is not finite
    ├── WorkerDied       5      a process that trained trials of a sweep has died
    ├── RunError         6      a run or checkpoint is there, but damaged or not one
    └── OutputError     74      a file could not be written

Any other exception that leaves nnctl is a bug (exit code 1). A ``PluginWarning`` ends nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import ClassVar, Self

MAX_PROBLEMS = 50  # told at once


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written: ``configs/a.yaml:14:5``, ``data/a.csv:7``, or ``command line``."""

    source: str
    line: int | None = None  # from 1
    column: int | None = None  # from 1

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.source, self.line, self.column) if part is not None)


@dataclass(frozen=True, slots=True)
class Problem:
    """One sentence about one thing that is wrong.

    ``key`` is the dotted key of the experiment it belongs to (``optimizer.lr``, ``model.layers[2].units``), empty
    where there is none. ``place`` may still be unknown when a lower room finds the problem.
    """

    message: str
    key: str = ""
    place: Place | None = None

    def __str__(self) -> str:
        return ": ".join(str(part) for part in (self.place, self.key, self.message) if part)


class NnctlError(Exception):
    """A problem that the user can do something about; ``str(error)`` is what the command prints.

    Of many problems only the first ``MAX_PROBLEMS`` are taken, and no more of them are looked for where an iterator
    finds them: whoever has lost a whole file is not helped by a million lines.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, problems: str | Problem | Iterable[Problem]) -> None:
        if isinstance(problems, str):
            problems = Problem(problems)
        self.problems = [problems] if isinstance(problems, Problem) else [*itertools.islice(problems, MAX_PROBLEMS)]
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)

    def within(self, key: str) -> Self:
        """The same error, every key taken as one inside ``key``."""
        return type(self)(
            replace(problem, key=f"{key}.{problem.key}" if problem.key else key) for problem in self.problems
        )

    def placed(self, place_of: Callable[[str], Place | None]) -> Self:
        """The same error, with a place for every problem that names a key and has no place yet."""
        return type(self)(
            replace(problem, place=place_of(problem.key)) if problem.place is None and problem.key else problem
            for problem in self.problems
        )


class SpecError(NnctlError):
    """The command line or the YAML is wrong in itself."""

    exit_code = 2


class DataError(NnctlError):
    """A data file is missing, unreadable, or not what the YAML says."""

    exit_code = 3


class DivergedError(NnctlError):
    """Training produced a number that is not finite."""

    exit_code = 4


class WorkerDied(NnctlError):
    """A process that trained trials of a sweep has died, or has been stopped."""

    exit_code = 5


class RunError(NnctlError):
    """A run or checkpoint is there, but damaged or not one."""

    exit_code = 6


class OutputError(NnctlError):
    """A file could not be written."""

    exit_code = 74


class PluginWarning(UserWarning):
    """A package that brings components cannot be loaded; nnctl works without it."""
