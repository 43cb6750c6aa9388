"""stdout, which carries the result and nothing else, and plain lines on stderr."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import Iterable, Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

from nnctl.console.text import clean
from nnctl.errors import OutputError, Place, Problem
from nnctl.runs import atomic

_CONTROLS = re.compile("[\x7f-\x9f]")  # of C1, which JSON does not escape, and some terminals obey
BROKEN_PIPE = 128 + signal.SIGPIPE  # what a shell reports of other tools whose reader has gone


def prepare() -> None:
    """Have letters that the terminal's encoding lacks written as escapes instead of failing on them."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def stdout() -> Iterator[TextIO]:
    """stdout for a result, written out at the end.

    Raises: OutputError if it cannot be written; SystemExit if nobody reads it any longer, which is no error to tell.
    """
    if sys.stdout is None:  # the shell's `>&-`
        raise OutputError(Problem("cannot be written: it is closed", place=Place("stdout")))
    try:
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:
        abandon(sys.stdout)
        raise SystemExit(BROKEN_PIPE) from None
    except OutputError:  # of the library, which has written to stdout itself
        abandon(sys.stdout)
        raise
    except OSError as error:
        abandon(sys.stdout)
        raise atomic.cannot_write(Path("stdout"), error) from error


def write(text: str) -> None:
    """Write a text and the end of its line to stdout."""
    with stdout() as stream:
        stream.write(f"{text}\n")


def write_path(path: str) -> None:
    """Write a path to stdout as the bytes that it is made of, for scripts."""
    write_bytes(os.fsencode(path) + b"\n")


def write_bytes(data: bytes) -> None:
    """Write bytes to stdout as they are, whatever its encoding; a terminal gets nothing to obey."""
    with stdout() as stream:
        if stream.isatty():
            stream.write("\n".join(map(clean, data.decode(errors="surrogateescape").split("\n"))))
            return
        stream.flush()
        stream.buffer.write(data)


def write_json(values: Any) -> None:
    """Write one JSON object to stdout: a line for scripts, indented for eyes; ``null`` where a number is not finite."""
    with stdout() as stream:
        indent = 2 if stream.isatty() else None
        # UTF-8 is what JSON is written in; a terminal that speaks something else gets escapes.
        ascii_only = stream.encoding.lower().replace("-", "") != "utf8"
        text = json.dumps(atomic.finite(values), indent=indent, ensure_ascii=ascii_only, allow_nan=False)
        stream.write((_escaped(text) if stream.isatty() else _CONTROLS.sub(_escape, text)) + "\n")


def _escaped(text: str) -> str:
    """JSON with everything escaped that cannot be seen, such as a change of the direction that letters run in."""
    return "\n".join(line if line.isprintable() else re.sub(r"[^ -~]", _unseen, line) for line in text.split("\n"))


def _unseen(found: re.Match[str]) -> str:
    return found[0] if found[0].isprintable() else _escape(found)


def _escape(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1] if ord(found[0]) > 0x7F else f"\\u{ord(found[0]):04x}"


class Enduring:
    """A stream that is led nowhere once it can no longer be written: a closed window ends no training."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError:
            abandon(self._stream)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            abandon(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def note(text: str) -> None:
    """Write a line to stderr."""
    tell(clean(text))


def notes(texts: Iterable[str]) -> None:
    """Write a line for each text to stderr."""
    for text in texts:
        note(text)


def warnings(texts: Iterable[str]) -> None:
    """Write a line for each text to stderr that begins with the word."""
    for text in texts:
        note(f"warning: {text}")


def tell(text: str) -> None:
    """Write clean text and the end of its line to stderr; a stderr that is gone costs no run."""
    if sys.stderr is None:
        return
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        abandon(sys.stderr)


def abandon(stream: TextIO) -> None:
    """Lead a stream nowhere: what is still in its buffer would fail a second time when Python ends."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
