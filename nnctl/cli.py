"""The command line: the typer app, and how errors leave it."""

from __future__ import annotations

import errno
import os
import shlex
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, TextIO

import typer

import nnctl
from nnctl.commands.check import check
from nnctl.commands.eval import evaluate
from nnctl.commands.explain import explain
from nnctl.commands.gradcheck import gradcheck
from nnctl.commands.init import init
from nnctl.commands.list import vocabulary
from nnctl.commands.predict import predict
from nnctl.commands.reproduce import reproduce
from nnctl.commands.resume import resume
from nnctl.commands.runs import runs
from nnctl.commands.schema import schema
from nnctl.commands.sweep import sweep
from nnctl.commands.train import train
from nnctl.console import output
from nnctl.errors import NnctlError, OutputError, PluginWarning
from nnctl.running.interrupts import Terminated, raise_terminated
from nnctl.runs import atomic, places

DEBUG = "--debug"
HELP = {"-h", "--help"}
INTERRUPTED = 130
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
TAKE_CONFIG = ("train", "sweep", "check", "gradcheck")

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help starts faster, and reads the same in a pipe
    context_settings={"help_option_names": sorted(HELP)},
)


def _version(wanted: bool) -> None:
    if wanted:
        output.write(nnctl.__version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    # main() takes it from any place in the command line; it stands here for the help.
    debug: Annotated[bool, typer.Option(DEBUG, help="Show the traceback of an error.")] = False,
) -> None:
    """Train neural networks on tables: one YAML file and one CSV are one experiment.

    Example: nnctl train configs/xor.yaml optimizer.lr=0.1
    """


app.command("init")(init)
app.command("train")(train)
app.command("sweep")(sweep)
app.command("resume")(resume)
app.command("reproduce")(reproduce)
app.command("eval")(evaluate)
app.command("predict")(predict)
app.command("check")(check)
app.command("gradcheck")(gradcheck)
app.add_typer(runs, name="runs")
app.command("list")(vocabulary)
app.command("explain")(explain)
app.command("schema")(schema)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and give back its exit code."""
    words = sys.argv[1:] if argv is None else [*argv]
    # Every command keeps BLAS to one thread. To start the others with NumPy, only to let them wait, takes 30 ms.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    output.prepare()
    raise_terminated()
    try:
        with _warning():
            return _run([word for word in words if word != DEBUG])
    except KeyboardInterrupt:
        return INTERRUPTED
    except Terminated as error:
        return 128 + error.signal
    except Exception as error:
        if DEBUG in words:
            traceback.print_exc()
        return _tell(error, words)


@contextmanager
def _warning() -> Iterator[None]:
    """Show what is wrong with a plug-in in one line, without the place in nnctl that found it."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", PluginWarning)
        usual = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, PluginWarning):
                output.warnings([str(message)])
            else:
                usual(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        yield


def _run(words: Sequence[str]) -> int:
    streams = sys.stdout, sys.stderr
    try:
        app(args=words, prog_name="nnctl")
    except SystemExit as end:
        if sys.stdout is not streams[0]:  # typer wraps them when it meets a pipe whose reader has gone, and ends with 1
            sys.stdout, sys.stderr = streams
            for stream in filter(None, streams):
                output.abandon(stream)
            return output.BROKEN_PIPE
        code = end.code if isinstance(end.code, int) else 0
        if sys.stdout is None and HELP.isdisjoint(words):  # whoever had a result has refused already
            return code
        with output.stdout():  # a full disk shows itself only when the last lines are written out
            return code
    raise AssertionError("typer ends by SystemExit")


def _tell(error: Exception, words: Sequence[str]) -> int:
    """Say what went wrong, and give back the exit code."""
    from nnctl.console import problems

    if isinstance(error, NnctlError):
        command = next((word for word in words if not word.startswith("-")), "")
        problems.show(error, of_config=command in TAKE_CONFIG)
        return error.exit_code
    if isinstance(error, BrokenPipeError):  # met by typer, when it says what is wrong with the words
        for stream in filter(None, (sys.stdout, sys.stderr)):
            output.abandon(stream)
        return output.BROKEN_PIPE
    if isinstance(error, OSError) and error.errno in FULL:  # met by typer, when it prints help
        output.abandon(sys.stdout)
        return _tell(OutputError(f"the output cannot be written: {atomic.reason(error)}"), words)
    if isinstance(error, FileNotFoundError) and not places.is_somewhere():
        return _tell(OutputError("the current folder has been removed: change to one that is there"), words)
    problems.bug(error, shlex.join(["nnctl", *(word for word in words if word != DEBUG), DEBUG]))
    return 1
