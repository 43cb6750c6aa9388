"""``nnctl runs verify``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from nnctl.commands import AsJson, RunsDir
from nnctl.console import output
from nnctl.console.text import clean, count
from nnctl.errors import RunError


def verify(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN]...", help="Runs or checkpoint files; without one all runs."),
    ] = None,
    *,
    as_json: AsJson = False,
    runs_dir: RunsDir = None,
) -> None:
    """Read every checkpoint, table and description of runs; a line for each that is damaged, and the exit code 6.

    Example: nnctl runs verify iris/latest
    """
    from nnctl.runs import verification
    from nnctl.runs.find import runs_folder

    found: dict[str, Any] = {"runs": 0, "files": 0, "damaged": [], "litter": []}
    for verified in verification.verify(runs_folder(runs_dir), runs or ()):
        found["runs"] += verified.files > 0
        found["files"] += verified.files
        found["litter"] += verified.litter
        for fault in verified.faults:
            found["damaged"].append({"run": verified.run, "file": fault.file, "message": fault.message})
            if not as_json:
                output.write(clean(f"{fault.file}: {fault.message}"))
        output.notes(f"{path}: left by a process that was killed; it does no harm" for path in verified.litter)
    damaged = len(found["damaged"])
    if as_json:
        output.write_json({"schema": "nnctl.verify/1", **found})
    else:
        files, of = count(found["files"], "file"), count(found["runs"], "run")
        output.write(f"{files} in {of} read, {damaged or 'none'} damaged")
    if damaged:
        raise typer.Exit(RunError.exit_code)
