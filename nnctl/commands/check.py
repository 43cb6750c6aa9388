"""``nnctl check``."""

from __future__ import annotations

from typing import Annotated

import typer

from nnctl.commands import AsJson, Config, Overrides
from nnctl.console import output
from nnctl.errors import DataError


def check(
    config: Config,
    overrides: Overrides = None,
    *,
    resolved: Annotated[bool, typer.Option("--resolved", help="Print the complete config instead.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="End with 3 where there are warnings.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check an experiment and its data without training.

    Example: nnctl check configs/iris.yaml model.hidden='[16, 16]'
    """
    from nnctl import checking

    if resolved and as_json:
        raise typer.BadParameter("cannot stand beside --json", param_hint="--resolved")
    checked = checking.check(config, overrides or ())
    if as_json:
        output.write_json(checking.checked_json(checked))
    if checked.error is not None:
        raise checked.error
    output.notes(checked.notes)
    if resolved:
        output.write_bytes(checked.resolved.encode())
    elif not as_json:
        from nnctl.console import results

        results.show_check(checked)
    output.warnings(checked.warnings)
    if strict and checked.warnings:
        raise typer.Exit(DataError.exit_code)
