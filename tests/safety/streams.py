"""Run as a program: command lines with streams that are closed, full, or read by nobody, each in a process of its own.

The processes are forked once everything is imported, so that each costs little more than its command.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from pathlib import Path

FULL, CLOSED, UNREAD, KEPT = "full", "closed", "unread", "kept"
# What is done to stdin, stdout and stderr.
STREAMS = {
    "stdout closed": (KEPT, CLOSED, KEPT),
    "stdout full": (KEPT, FULL, KEPT),
    "stdout unread": (KEPT, UNREAD, KEPT),
    "stderr closed": (KEPT, KEPT, CLOSED),
    "stderr full": (KEPT, KEPT, FULL),
    "stderr unread": (KEPT, KEPT, UNREAD),
    "both closed": (KEPT, CLOSED, CLOSED),
    "both full": (KEPT, FULL, FULL),
    "stdin closed": (CLOSED, KEPT, KEPT),
    "all closed": (CLOSED, CLOSED, CLOSED),
}
COMMANDS = (
    "",
    "--help",
    "--version",
    "list",
    "list --json",
    "explain adam",
    "schema",
    "check it.yaml",
    "check it.yaml --json",
    "check it.yaml --resolved",
    "check wrong.yaml",
    "train it.yaml --name {name}",
    "train it.yaml --name {name} -q",
    "train it.yaml --name {name} --json",
    "train it.yaml --name {name} --progress bar",
    "train it.yaml --name {name} --folds 2",
    "eval base/latest",
    "eval base/latest --json",
    "predict base/latest table.csv",
    "predict base/latest table.csv -o out.csv",
    "runs ls",
    "runs ls --json",
    "runs ls --csv",
    "runs show base/latest --json",
    "runs best base",
    "init table.csv --target answer",
    "gradcheck it.yaml",
    "nosuch",
    "train",
)


def main() -> None:
    """Run every command with every kind of streams in the current folder; a line of JSON for each."""
    from nnctl.cli import main as nnctl

    with open(os.devnull, "w") as null, contextlib.redirect_stdout(null), contextlib.redirect_stderr(null):
        assert nnctl(["train", "it.yaml", "--name", "base"]) == 0
        for command in COMMANDS:  # so that no fork has to import anything
            nnctl(command.format(name="again").split())
    for kind, streams in STREAMS.items():
        for number, command in enumerate(COMMANDS):
            name = f"{kind.replace(' ', '-')}-{number}"
            words = command.format(name=name).split()
            code, told = _forked(words, streams)
            result = {"kind": kind, "command": command, "name": name, "code": code, "told": told}
            print(json.dumps(result), flush=True)


def _forked(words: list[str], streams: tuple[str, str, str]) -> tuple[int, str]:
    """The exit code, and what was written to those streams that are kept."""
    from nnctl.cli import main as nnctl

    kept = Path("kept")
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status), kept.read_text()
    log = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    null = os.open(os.devnull, os.O_RDONLY)
    for number, state in enumerate(streams):
        _lead(number, state, log if number else null)
    os.close(log)
    os.close(null)
    # As Python makes them when it starts.
    sys.stdin, sys.stdout, sys.stderr = (_opened(number, state) for number, state in enumerate(streams))
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
    os._exit(_ended(nnctl(words)))


def _ended(code: int) -> int:
    """The exit code of a Python that ends like this: 120 where its streams cannot be written out then."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            return 120
    return code


def _lead(number: int, state: str, kept: int) -> None:
    os.close(number)
    if state == KEPT:
        os.dup2(kept, number)
    elif state == FULL:
        os.dup2(os.open("/dev/full", os.O_WRONLY), number)
    elif state == UNREAD:
        reader, writer = os.pipe()
        os.dup2(writer, number)
        for end in {reader, writer} - {number}:
            os.close(end)


def _opened(number: int, state: str) -> io.TextIOWrapper | None:
    if state == CLOSED:
        return None
    raw = io.FileIO(number, "w" if number else "r", closefd=False)
    buffer = io.BufferedWriter(raw) if number else io.BufferedReader(raw)
    return io.TextIOWrapper(buffer, encoding="utf-8", line_buffering=number == 2)


if __name__ == "__main__":
    main()
