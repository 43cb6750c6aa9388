"""The command line: the typer app, and how errors leave it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

import nnctl
from nnctl.commands import check, eval, explain, gradcheck, list, predict, runs, schema, train
from nnctl.errors import NnctlError

DEBUG = "--debug"

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: starts faster, and reads the same in a pipe
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (train, eval, predict, check, gradcheck, list, explain, schema):
    app.command(command.__name__.rpartition(".")[2])(command.command)
app.add_typer(runs.app, name="runs")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code."""
    words = sys.argv[1:] if argv is None else [*argv]
    from nnctl.console import output

    output.prepare()
    try:
        code = _run([word for word in words if word != DEBUG])
        with output.stdout():
            return code
    except NnctlError as error:
        if DEBUG in words:
            raise
        from nnctl.console import problems

        problems.show(error)
        return error.exit_code
    except Exception as error:
        if DEBUG in words:
            raise
        from nnctl.console import problems

        problems.bug(error, shlex.join(["nnctl", *words, DEBUG]))
        return 1
    except SystemExit as error:
        return error.code


def _run(words: Sequence[str]) -> int:
    try:
        app(args=words, prog_name="nnctl")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


def _version(wanted: bool) -> None:
    if wanted:
        from nnctl.console import output

        output.write(nnctl.__version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    # main() takes it from any place of the command line; here it is for the help.
    debug: Annotated[bool, typer.Option(DEBUG, help="Show the traceback of an error.")] = False,
) -> None:
    """Train neural networks on tables: one YAML file and one CSV are one experiment.

    Example: nnctl train configs/xor.yaml optimizer.lr=0.1
    """
