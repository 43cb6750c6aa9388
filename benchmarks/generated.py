"""Tables of any size, the same ones each time: numbers of the kind of HIGGS, texts, and a label that they decide."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np

NUMBERS, TEXTS, LEVELS = 28, 2, 100
BLOCK = 50_000  # rows that are generated together
DIGITS = 4  # decimals


@dataclass(frozen=True)
class Dress:
    """How a table is written."""

    delimiter: str = ","
    decimal: str = "."
    end: str = "\n"
    text: str = "L{}"  # a cell of texts, of the number of its level
    missing: float = 0.0  # the fraction of empty cells among the numbers
    packed: bool = False


DRESSES = {
    "plain": Dress(),
    "quoted": Dress(text='"L{}"'),
    "quoted, delimiters": Dress(text='"L, {}"'),
    "quoted, line ends": Dress(text='"L\n{}"'),
    "CRLF": Dress(end="\r\n"),
    "CRLF, quoted": Dress(end="\r\n", text='"L{}"'),
    "semicolon, comma": Dress(delimiter=";", decimal=","),
    "missing cells": Dress(missing=0.02),
    "gz": Dress(packed=True),
}


def write_table(path: Path, rows: int, dress: Dress, *, texts: int = TEXTS) -> None:
    """Write a table of numbers as in HIGGS, texts, and a label that the numbers decide."""
    names = [f"x{i + 1}" for i in range(NUMBERS)] + [f"c{i + 1}" for i in range(texts)] + ["y"]
    with gzip.open(path, "wb", compresslevel=1) if dress.packed else path.open("wb") as file:
        file.write((dress.delimiter.join(names) + dress.end).encode())
        for number, start in enumerate(range(0, rows, BLOCK)):
            file.write(_block(number, min(BLOCK, rows - start), dress, texts))


def _block(number: int, rows: int, dress: Dress, texts: int) -> bytes:
    rng = np.random.default_rng([0, number])
    x = rng.standard_normal((rows, NUMBERS))
    x[:, 21], x[:, 22], x[:, 23] = x[:, 0] * x[:, 1], x[:, 4] ** 2, np.exp(x[:, 8])
    x[:, 24] *= 1000
    score = 1.6 * (x[:, 21] - x[:, 2] * x[:, 3]) + 1.2 * np.sin(2 * x[:, 4]) + 0.5 * x[:, 7]
    labels = (rng.random(rows) * (1 + np.exp(-score)) < 1).astype(int)
    missing = rng.random(x.shape) < dress.missing
    levels = (LEVELS * rng.random((rows, texts)) ** 3).astype(int)
    words = np.array([dress.text.format(level) for level in range(LEVELS)], "S")
    cells = [_numbers(x, missing, dress.decimal), _padded(words[levels]), _padded(labels.astype("S1")[:, None])]
    ends = [_column(dress.delimiter, rows), _column(dress.end, rows)]
    parts = [part for each in cells for cell in np.moveaxis(each, 1, 0) for part in (cell, ends[0])]
    return _dense(np.concatenate([*parts[:-1], ends[1]], axis=1))


def _numbers(x: np.ndarray, missing: np.ndarray, decimal: str) -> np.ndarray:
    """Numbers (N, C) as bytes (N, C, 11) with NUL where there is none: a sign, at least one digit, four decimals."""
    units = np.rint(np.abs(x) * 10**DIGITS).astype(np.int64)
    made = np.zeros((*x.shape, 11), np.uint8)
    made[..., 0] = np.where(x < 0, ord("-"), 0)
    places = [10, 9, 8, 7, 5, 4, 3, 2, 1]
    for power, place in enumerate(places):
        digit = units // 10**power % 10
        shown = (units >= 10**power) | (power <= DIGITS)
        made[..., place] = np.where(shown, digit + ord("0"), 0)
    made[..., 6] = ord(decimal)
    made[missing] = 0
    return made


def _padded(texts: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(texts).view(np.uint8).reshape(*texts.shape, texts.dtype.itemsize)


def _column(text: str, rows: int) -> np.ndarray:
    return np.tile(np.frombuffer(text.encode(), np.uint8), (rows, 1))


def _dense(padded: np.ndarray) -> bytes:
    return padded[padded != 0].tobytes()
