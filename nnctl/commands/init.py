"""``nnctl init``."""

from __future__ import annotations

from typing import Annotated

import typer

from nnctl.console import output


def init(
    csv: Annotated[str, typer.Argument(metavar="CSV", help="Table to start from.")],
    *,
    target: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="COLUMN", help="Column to predict; give it again for several."),
    ] = None,
    to: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="Where to write, never over a file; - is stdout.")
    ] = "-",
    encoding: Annotated[str, typer.Option(metavar="NAME", help="Encoding of the table, such as latin-1.")] = "utf-8",
) -> None:
    """Write a starter config for a table, with what was found in it as comments.

    Example: nnctl init data/penguins.csv --target species -o penguins.yaml
    """
    from nnctl import starting

    started = starting.start(csv, target or (), to, encoding=encoding)
    output.warnings(started.warnings)
    if to == starting.STDOUT:
        output.write_bytes(started.text.encode())
