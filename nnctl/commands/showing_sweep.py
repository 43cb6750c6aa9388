"""What `sweep` shows: its events as they come, the result, the exit code; or the trials that there would be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from nnctl.commands.showing import Mode
from nnctl.console import output

if TYPE_CHECKING:
    from nnctl.sweeps.coordinating import SweepEvent
    from nnctl.sweeps.result import Sweep

FAILED = 5
AGAIN = "the same command again goes on with it"


def show(events: Iterator[SweepEvent], *, quiet: bool, as_json: bool, progress: Mode) -> None:
    """Show a sweep to its end, and print its result, whatever became of it.

    Raises: Exit with the code of a signal, or 5 where trials have failed, after the result was printed.
    """
    from nnctl.console import problems
    from nnctl.console.sweep_progress import sweep_display
    from nnctl.running.interrupts import Terminated

    shown = sweep_display(progress, quiet=quiet)
    status, hint = "failed", ""
    try:
        with shown:
            for event in events:
                shown.show(event)
    except (KeyboardInterrupt, Terminated):
        status, hint = "interrupted", f"ended at once, as a signal asked; {AGAIN}, from the last saves"
        raise
    finally:
        sweep = shown.so_far(status)
        if sweep is not None:
            _print(sweep, quiet=quiet, as_json=as_json)
            if hint:
                problems.sentence(f"{sweep.path}: {hint}")
        elif status == "interrupted":
            problems.sentence("stopped before training began: nothing was run")
    if shown.finished is None or sweep is None:
        return
    if shown.finished.signal is not None:
        problems.sentence(f"{sweep.path}: stopped by {sweep.reason}; its trials are saved, {AGAIN}")
        raise typer.Exit(128 + shown.finished.signal)
    if sweep.status == "failed":
        from nnctl.console.sweep_progress import first_failure

        why = first_failure(sweep)
        problems.sentence(f"{sweep.path}: {sweep.reason}; {why}; the same command again tries them once more")
        raise typer.Exit(FAILED)


def _print(sweep: Sweep, *, quiet: bool, as_json: bool) -> None:
    """The result on stdout; the best run comes last."""
    if as_json:
        from nnctl.sweeps.report import sweep_json

        output.write_json(sweep_json(sweep))
    else:
        from nnctl.console import sweep_results

        (sweep_results.show_best if quiet else sweep_results.show_sweep)(sweep)


def listed(config: str, words: Sequence[str], asked: Mapping[str, Any], *, plan: bool, as_json: bool) -> None:
    """Print the trials that there would be, checked, or a command for each."""
    from nnctl.console import problems
    from nnctl.console.sweep_trials import show_commands, show_trials, trials_json
    from nnctl.sweeps.ready import made_ready

    ready = made_ready(config, words, **asked, from_command_line=True)
    for text in ready.doubts:
        problems.sentence(text)
    if plan:
        options = [word for name in ("name", "runs_dir") if asked[name] for word in (_option(name), asked[name])]
        show_commands(config, ready, options)
    elif as_json:
        output.write_json(trials_json(ready))
    else:
        show_trials(ready)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
