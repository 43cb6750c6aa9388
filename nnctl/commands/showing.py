"""What `train` and `resume` share: events are shown as they come, the result printed, the exit code found."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nnctl.console import output

if TYPE_CHECKING:
    from nnctl.running.loop import Event
    from nnctl.running.run import Run

Mode = Literal["auto", "bar", "plain", "none"]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print the run folder and nothing else.")]
Progress = Annotated[Mode, typer.Option(help="Display; auto: a bar on a terminal, else lines.")]


def show(events: Iterator[Event], *, quiet: bool, as_json: bool, progress: Mode) -> None:
    """Show a training to its end, and print its run, whatever became of it.

    Raises: DivergedError, and Exit with the code of a signal, after the run was printed.
    """
    from nnctl.console.progress import display
    from nnctl.errors import OutputError
    from nnctl.running.interrupts import Terminated

    shown = display(progress, quiet=quiet)
    status: Literal["failed", "interrupted"] = "failed"
    hint = ""
    try:
        with shown:
            for event in events:
                shown.show(event)
    except OutputError:
        hint = "once it can be written, go on with"
        raise
    except (KeyboardInterrupt, Terminated):
        status, hint = "interrupted", "ended at once, as a signal asked; go on from the last save with"
        raise
    finally:
        run = shown.so_far(status)
        if run is not None:
            _print(run, quiet=quiet, as_json=as_json)
            if run.profile is not None and not quiet:
                from nnctl.console.profile import show_profile

                show_profile(run.profile)
            if hint:
                _tell(f"{run.path}: {hint} `{_resume(run)}`")
        elif status == "interrupted":
            _tell("stopped before training began: nothing was run")
    if shown.finished is not None and shown.finished.signal is not None:
        interrupted(shown.finished.run, shown.finished.signal)
    if run is not None and run.status == "diverged":
        from nnctl.experiment import diverged

        raise diverged(run)


def _print(run: Run, *, quiet: bool, as_json: bool) -> None:
    """The result on stdout; it names the run folder."""
    if as_json:
        output.write_json(run.as_json())
    elif quiet:
        output.write_path(run.path)
    else:
        from nnctl.console import results

        results.show_run(run)


def interrupted(run: Run, signal: int) -> None:
    """Say what was saved, and end with the code of the signal."""
    _tell(f"{run.path}: stopped by {run.reason}; its state is saved, go on with `{_resume(run)}`")
    raise typer.Exit(128 + signal)


def _tell(text: str) -> None:
    from nnctl.console import problems

    problems.sentence(text)


def _resume(run: Run) -> str:
    return f"nnctl resume {shlex.quote(run.path)}"
