"""Parsing: the blocks of a CSV file become the cells of its columns, by pandas' reader."""

from __future__ import annotations

import codecs
import io
import re
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from nnctl.data.cells import CsvFile
from nnctl.data.columns import Notation, Numbers, Texts
from nnctl.data.room import Columns
from nnctl.data.scanning import Block

if TYPE_CHECKING:
    import pandas


def parse(file: CsvFile, kinds: Mapping[int, str | None], notation: Notation, store: Columns) -> dict[int, Gathered]:
    """The cells of some columns by their places in the header, given the declared type of each, or None.

    A column is numbers if all of its cells are finite ones, or missing; else it is texts.
    """
    found = {column: Gathered(notation, store, place) for place, column in enumerate(kinds)}
    wanted = dict(kinds)
    while wanted:  # twice at most: a column with numbers in one block and texts in another is read as texts throughout
        for block in file.blocks:
            cells = _parse_block(file, block, wanted, notation)
            for column in wanted:
                found[column].add(block.row, cells[column])
        wanted = {column: "category" for column in wanted if found[column].kind == "mixed"}
        for column in wanted:
            found[column].clear()
    file.check_unchanged()
    return found


class Gathered:
    """The cells of a column, block after block."""

    def __init__(self, notation: Notation, store: Columns, place: int) -> None:
        self.kind: Literal["missing", "numbers", "texts", "mixed"] = "missing"
        self._some = self._fractions = False  # whether any number is present; whether one is not whole
        self._notation = notation
        self._store, self._place = store, place
        self._codes: dict[str, int] = {}

    def clear(self) -> None:
        """Forget all cells."""
        self.kind = "missing"

    def add(self, row: int, cells: Numbers | Texts) -> None:
        """Take the cells of the next rows, from that one on."""
        if isinstance(cells, Texts):
            self._become("texts", row)
            if self.kind == "texts":
                codes = [self._codes.setdefault(text, len(self._codes)) for text in cells.texts]
                self._write(row, np.array([*codes, -1], np.int32)[cells.codes])
            return
        if not np.isnan(cells).all():  # among texts a number that stands for a missing value is one as it is written
            self._become("numbers", row)
        if self.kind == "texts":
            self._write(row, np.full(len(cells), -1, np.int32))
        elif self.kind != "mixed":
            self._write_numbers(row, self._notation.known(cells))

    @property
    def whole(self) -> bool:
        """Whether there are numbers, and all of them are whole ones."""
        return self.kind == "numbers" and self._some and not self._fractions

    @property
    def cells(self) -> Numbers | Texts:
        """All cells."""
        if self.kind == "texts":
            return Texts(self._store.read(self._place, np.int32), list(self._codes))
        return self._store.read(self._place, np.float64)

    def _write_numbers(self, row: int, cells: Numbers) -> None:
        missing = np.isnan(cells)
        self._some |= not bool(missing.all())
        self._fractions |= not bool(((np.floor(cells) == cells) | missing).all())
        self._write(row, cells)

    def _write(self, row: int, cells: NDArray[Any]) -> None:
        self._store.write(self._place, row, cells)

    def _become(self, kind: Literal["numbers", "texts"], rows: int) -> None:
        """Know the kind from the first cell that is not missing; the ones in so many rows before it are."""
        if self.kind == "missing":
            if kind == "texts":
                self._write(0, np.full(rows, -1, np.int32))
            self.kind = kind
        elif self.kind != kind:
            self.kind = "mixed"


def _parse_block(
    file: CsvFile, block: Block, kinds: Mapping[int, str | None], notation: Notation
) -> dict[int, Numbers | Texts]:
    """The cells of some columns in a block."""
    content = file.content(block)
    as_texts = {i for i, kind in kinds.items() if kind not in (None, "number") or (kind is None and i in block.coded)}
    frame = _read_csv(file, block, content, notation, dict.fromkeys(as_texts, str), list(kinds))
    numbers = {i: None if i in as_texts else _numbers(frame[i]) for i in kinds}
    # pandas decides one thing only: whether all of a column are finite numbers. It hands over the texts otherwise.
    unclear = {i: str for i, values in numbers.items() if values is None and frame[i].dtype != "str"}
    texts = _read_csv(file, block, content, notation, unclear, list(unclear)) if unclear else frame
    return {
        i: _texts(texts[i] if i in unclear else frame[i]) if values is None else values for i, values in numbers.items()
    }


def _read_csv(
    file: CsvFile,
    block: Block,
    content: bytes,
    notation: Notation,
    types: Mapping[int, type[str]],
    columns: list[int],
) -> pandas.DataFrame:
    import pandas

    # Texts are those of Python also where pyarrow is installed: what is found in a file depends on nothing else.
    with warnings.catch_warnings(), pandas.option_context("mode.string_storage", "python"):
        # It types a column piece by piece, and warns where they differ; such a column is read again as texts.
        warnings.simplefilter("ignore", pandas.errors.DtypeWarning)
        frame = pandas.read_csv(
            io.BytesIO(b"\n" + content if content.startswith(codecs.BOM_UTF8) else content),  # it would drop the mark
            sep=file.delimiter,
            header=None,
            names=range(len(file.header)),  # places in the header, since pandas changes names
            index_col=False,
            usecols=columns if len(columns) < len(file.header) else None,
            dtype=types,
            keep_default_na=False,
            # A number among them would count in columns of texts, too, and in any spelling: see Notation.
            na_values=[text for text in notation.missing if not re.search(r"\d|inf", text, re.IGNORECASE)],
            skipinitialspace=file.delimiter != " " and b" " in content,
            decimal=notation.decimal,
            encoding="utf-8",
            compression=None,
        )
    assert len(frame) == block.rows, "pandas and the csv module differ in what a row is"
    return frame


def _numbers(series: pandas.Series[Any]) -> Numbers | None:
    """The column as pandas read it, if it is nothing but finite numbers and missing values."""
    if series.dtype.kind not in "iuf":
        return None
    values = series.to_numpy(np.float64)
    return None if np.isinf(values).any() else values


def _texts(series: pandas.Series[Any]) -> Texts:
    codes, texts = series.factorize()
    return Texts(codes, [str(text) for text in texts])
