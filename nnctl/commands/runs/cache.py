"""``nnctl runs cache``."""

from __future__ import annotations

from typing import Annotated

import typer

from nnctl.commands import AsJson, RunsDir
from nnctl.console import output
from nnctl.console.text import clean


def cache(
    *,
    clear: Annotated[bool, typer.Option("--clear", help="Remove all of it.")] = False,
    as_json: AsJson = False,
    runs_dir: RunsDir = None,
) -> None:
    """Say what is kept of prepared data, so that later runs start at once; or remove it.

    Example: nnctl runs cache --clear
    """
    from nnctl.data.cache import Cache
    from nnctl.runs.find import cache_folder

    found = Cache(cache_folder(runs_dir))
    entries = found.entries()
    count, size = found.clear() if clear else (len(entries), sum(size for _, _, size in entries))
    if as_json:
        about = {"schema": "nnctl.cache/1", "folder": str(found.folder), "entries": count, "bytes": size}
        output.write_json({**about, "cleared": clear})
        return
    kept = "entry" if count == 1 else "entries"
    output.write(f"{clean(found.folder)}: {count} {kept}, {size / 1e6:,.1f} MB{' removed' if clear else ''}")
