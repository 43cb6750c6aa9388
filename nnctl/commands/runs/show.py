"""``nnctl runs show``."""

from __future__ import annotations

from nnctl.commands import AsJson, RunName, RunsDir
from nnctl.console import output


def show(run: RunName, *, as_json: AsJson = False, runs_dir: RunsDir = None) -> None:
    """Show one run: what it was, how it ended, its metrics.

    Example: nnctl runs show iris/latest
    """
    from nnctl.runs import find, listing

    found = find.find_run(find.runs_folder(runs_dir), run)
    about = found.read_run_json()
    summary = listing.describe(found)
    if as_json:
        # run.json, and what is not in it: the folder, the metrics, a status that knows of a killed process.
        output.write_json({**about, **listing.as_json([summary])["runs"][0]})
        return
    from nnctl.console import run_tables

    run_tables.show_summary(summary, about)
