"""Errors as sentences on stderr."""

from __future__ import annotations

import sys
from typing import IO, cast

from rich.console import Console
from rich.text import Text

from nnctl.console.output import Enduring
from nnctl.console.text import clean, count
from nnctl.errors import MAX_PROBLEMS, DataError, NnctlError, Problem, SpecError


def show(error: NnctlError, *, of_config: bool) -> None:
    """Write a line for each problem; one more where a config or its data is wrong, which stops nnctl at the start."""
    lines = [_line(problem) for problem in error.problems]
    if of_config and isinstance(error, SpecError | DataError):
        found = count(len(error.problems), "problem")
        told = f"{found}." if len(error.problems) < MAX_PROBLEMS else f"The first {found}, there may be more."
        lines.append(Text(f"{told} Nothing was run."))
    _write(lines)


def sentence(text: str) -> None:
    """Write one sentence about something that went wrong."""
    _write([Text(clean(text))])


def bug(error: Exception, again: str) -> None:
    """Write that nnctl itself has failed, and the command that shows where."""
    what = clean(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
    sentence(f"this is a bug in nnctl ({what}); to see where it failed, run again with --debug: {clean(again)}")


def _line(problem: Problem) -> Text:
    """The problem as one line, its place in bold so that the eye finds it."""
    line = Text(style="")
    if problem.place is not None:
        line.append(f"{clean(problem.place)}: ", style="bold")
    if problem.key:
        line.append(f"{clean(problem.key)}: ", style="cyan")
    return line.append(clean(problem.message))


def _write(lines: list[Text]) -> None:
    if sys.stderr is None:
        return
    console = Console(file=cast(IO[str], Enduring(sys.stderr)), highlight=False)
    for line in lines:
        console.print(line, soft_wrap=True)  # not folded: a line is what scripts and editors look for
