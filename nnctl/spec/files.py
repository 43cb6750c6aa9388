"""Reading a YAML file: its bytes, then its nodes."""

from __future__ import annotations

import os
import re
from pathlib import Path

from nnctl.errors import Place, Problem, SpecError
from nnctl.spec.nodes import MAX_BYTES, TOO_LARGE, Mapping, parse
from nnctl.spec.problems import shown, suggest

STDIN = "-"  # as a path: the standard input


def content_of(path: str | Path) -> bytes:
    """The bytes of a YAML file. Raises: SpecError if it cannot be read or is too large."""
    source = os.fspath(path)
    try:
        with open(source, "rb") as file:
            content = file.read(MAX_BYTES + 1)  # a pipe has no size to ask for
    except (OSError, ValueError) as error:  # ValueError: a NUL or a lone surrogate in the path
        raise SpecError(Problem(_unopened(Path(source), error), place=Place(source))) from None
    if len(content) > MAX_BYTES:
        raise SpecError(Problem(TOO_LARGE, place=Place(source)))
    return content


def parse_bytes(content: bytes, source: str) -> Mapping:
    """The nodes of a file of that content. Raises: SpecError if it is not UTF-8, or not what ``parse`` accepts."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise SpecError(_not_utf8(content, error.start, source)) from None
    return parse(text, source)


def _unopened(path: Path, error: Exception) -> str:
    if isinstance(error, IsADirectoryError):
        return "this is a folder, expected a YAML file"
    if not isinstance(error, FileNotFoundError):
        return f"cannot be read: {getattr(error, 'strerror', None) or error}"
    if not path.parent.is_dir():
        return f"no such file, there is no folder {shown(path.parent)}"
    named = {file.stem: file for file in sorted(path.parent.glob("*.y*ml"))}
    meant = suggest(path.stem, named)
    return f"no such file, did you mean {shown(named[meant])}?" if meant else "no such file"


def _not_utf8(content: bytes, at: int, source: str) -> Problem:
    lines = re.split(rb"\r\n|\r|\n", content[:at])
    utf16 = ", it looks like UTF-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
    message = f"byte {len(lines[-1]) + 1} of the line (0x{content[at]:02x}) is not UTF-8{utf16}, save the file as UTF-8"
    return Problem(message, place=Place(source, len(lines), len(lines[-1].decode()) + 1))
