"""The cells of the column that a split looks at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from nnctl.blocks import taken

Codes = NDArray[np.integer[Any]]


class Cells(Sequence[str]):
    """Texts, one a row, as the places of their names: a row costs no text of its own.

    A code of -1 is the last name.
    """

    def __init__(self, names: Sequence[str], codes: Codes) -> None:
        self.names, self.codes = names, codes

    @classmethod
    def of(cls, texts: Sequence[str]) -> Cells:
        """Any texts as such cells."""
        if isinstance(texts, Cells):
            return texts
        place: dict[str, int] = {}
        codes = np.fromiter((place.setdefault(text, len(place)) for text in texts), np.int32, len(texts))
        return cls(tuple(place), codes)

    def only(self, rows: Codes) -> Cells:
        """The cells of some rows."""
        return Cells(self.names, taken(self.codes, rows))

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> Cells: ...
    def __getitem__(self, row: int | slice) -> str | Cells:
        return Cells(self.names, self.codes[row]) if isinstance(row, slice) else self.names[self.codes[row]]
