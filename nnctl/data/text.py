"""Where the text of a table lies: in the file itself, or in a copy that is decoded and unpacked."""

from __future__ import annotations

import io
import os
import tempfile
import weakref
from pathlib import Path

from nnctl.data.room import unnamed
from nnctl.data.source import changed, stamp_of
from nnctl.errors import OutputError, Problem

HELD = 1 << 26  # bytes of a copy that are held in memory; a longer one lies in an unnamed file


class FileText:
    """A file that is its own text."""

    def __init__(self, path: Path, skipped: int, stamp: tuple[int, ...]) -> None:
        self._path, self._skipped, self._stamp = path, skipped, stamp

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from one place to another. Raises: DataError if the file has changed."""
        try:
            with self._path.open("rb") as stream:
                if stamp_of(os.fstat(stream.fileno())) != self._stamp:
                    raise changed(self._path)
                stream.seek(self._skipped + start)
                data = stream.read(stop - start)
        except OSError:
            raise changed(self._path) from None
        if len(data) < stop - start:
            raise changed(self._path)
        return data


class CopiedText:
    """A text that was read from what cannot be read twice, or not as text."""

    def __init__(self) -> None:
        self._held = io.BytesIO()
        self._file: int | None = None

    def append(self, text: bytes) -> None:
        """Add a piece at the end. Raises: OutputError if the disk is full."""
        if self._file is None and self._held.tell() + len(text) > HELD:
            self._file = unnamed(None)
            weakref.finalize(self, os.close, self._file)
            _write(self._file, self._held.getbuffer())
            self._held = io.BytesIO()
        if self._file is None:
            self._held.write(text)
        else:
            _write(self._file, memoryview(text))

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from one place to another."""
        if self._file is None:
            return bytes(self._held.getbuffer()[start:stop])
        return os.pread(self._file, stop - start, start)


Text = FileText | CopiedText


def _write(file: int, text: memoryview) -> None:
    try:
        while text:
            text = text[os.write(file, text) :]
    except OSError as error:
        message = f"{tempfile.gettempdir()}: no room for the text of the table ({error.strerror}); free some space"
        raise OutputError(Problem(message)) from None
