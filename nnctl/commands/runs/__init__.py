"""``nnctl runs``: a command a file, as above."""

from __future__ import annotations

import typer

from nnctl.commands.runs.best import best
from nnctl.commands.runs.cache import cache
from nnctl.commands.runs.compare import compare
from nnctl.commands.runs.ls import ls
from nnctl.commands.runs.rm import rm
from nnctl.commands.runs.show import show
from nnctl.commands.runs.verify import verify

runs = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="List, compare and tidy runs.")
for command in (ls, show, best, compare, rm, verify, cache):
    runs.command()(command)
