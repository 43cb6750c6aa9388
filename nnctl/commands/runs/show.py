"""``nnctl runs show``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.commands import AsJson, RunName, RunsDir
from nnctl.console import output

if TYPE_CHECKING:
    from nnctl.runs.run_dir import RunDir


def show(run: RunName, *, as_json: AsJson = False, runs_dir: RunsDir = None) -> None:
    """Show one run: what it was, how it ended, its metrics; of a sweep its settings ranked, and its best run.

    Example: nnctl runs show iris/latest
    """
    from nnctl.runs import find, listing

    found = find.find_any(find.runs_folder(runs_dir), run)
    if found.is_sweep():
        _show_sweep(found, as_json=as_json)
        return
    about = found.read_run_json()
    summary = listing.describe(found)
    if as_json:
        # run.json, and what is not in it: the folder, the metrics, a status that knows of a killed process.
        output.write_json({**about, **listing.as_json([summary])["runs"][0]})
        return
    from nnctl.console import run_tables

    run_tables.show_summary(summary, about)


def _show_sweep(found: RunDir, *, as_json: bool) -> None:
    """The sweep as its folder and the folders of its trials say."""
    from nnctl.runs import listing
    from nnctl.runs.sweep_dir import SweepDir
    from nnctl.sweeps.standing import read_sweep

    sweep = read_sweep(SweepDir(found.path))
    if as_json:
        from nnctl.sweeps.report import sweep_json

        output.write_json({**SweepDir(found.path).read_sweep_json(), **sweep_json(sweep)})
        return
    from nnctl.console import run_tables, sweep_results

    run_tables.show_sweep_summary(listing.describe(found), sweep)
    sweep_results.show_sweep(sweep)
