"""Learned vectors for the levels of categories."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from nnctl.component import component, option
from nnctl.errors import Problem, SpecError
from nnctl.initializers import Initializer
from nnctl.initializers.uniform import Uniform
from nnctl.layers import ROWS, Array, InputColumn, Inputs, Layer, Parameter, Plan, Scratch, Slot

LARGEST = 50  # of the automatic widths


@component("embedding", examples=[{}, {"dim": 3}, {"dim": 2, "columns": ["town"]}])
class Embedding(Layer):
    """A learned vector for every level of a category, in the place of its code; numbers pass.

    Code 0 stands for unknown and missing levels; its vector is trained like the others. Codes have no gradient.
    Shapes: x (B, F) -> y (*K, B, O);  W.NAME (levels, dim) for each column
    Source: Guo and Berkhahn 2016; the width ``round(1.6 n^0.56)`` for n levels is fastai's rule, with a lower cap.
    """

    dim: int | Literal["auto"] = option(
        default="auto", ge=1, le=65_536, help="Length of the vectors; auto: round(1.6 n^0.56) for n levels, at most 50."
    )
    columns: tuple[str, ...] | None = option(default=None, help="Columns to embed; null: all that hold codes.")
    init: Initializer = option(default_factory=Uniform, help="Initializer of the vectors.")

    multiplies: ClassVar[bool] = False
    example_columns: ClassVar[tuple[InputColumn, ...]] = (
        InputColumn("age", "number"),
        InputColumn("town", "code", 4),
        InputColumn("job", "code", 3),
        InputColumn("income", "number"),
        InputColumn("size", "number"),
    )

    def plan(self, inputs: Inputs) -> Plan:
        self._check(inputs)
        pieces = list(self._pieces(inputs))
        parameters, scratch = {}, {}
        left: list[InputColumn] = []
        for piece in pieces:
            if piece.column is None:
                left += inputs.columns[piece.start : piece.stop]
                continue
            name = piece.column.name
            shape = (piece.column.levels, piece.width)
            parameters[f"W.{name}"] = Parameter(shape, self.init, fan_in=shape[0], fan_out=shape[1])
            scratch[f"codes.{name}"] = Scratch((ROWS,), dtype=np.intp)
            scratch[f"places.{name}"] = Scratch((ROWS, piece.width), dtype=np.intp)
            scratch[f"vectors.{name}"] = Scratch((ROWS, piece.width))
            left += [InputColumn(f"{name}.{place}", "number") for place in range(piece.width)]
        codes = any(column.kind == "code" for column in left)
        return Plan((len(left),), parameters, scratch=scratch, columns=tuple(left) if codes else ())

    def _check(self, inputs: Inputs) -> None:
        codes = [column.name for column in inputs.columns if column.kind == "code"]
        if not inputs.columns:
            raise SpecError(Problem("must be the first layer: it takes the columns of the table"))
        if not codes:
            raise SpecError(
                Problem("no column holds codes: write `data.categorical.encode: embedding`, or leave it out")
            )
        for place, name in enumerate(self.columns or ()):
            if name not in codes:
                listed = ", ".join(f"`{code}`" for code in codes)
                raise SpecError(Problem(f"`{name}` is no column of codes, allowed: {listed}", f"columns[{place}]"))
            if name in (self.columns or ())[:place]:
                raise SpecError(Problem(f"`{name}` is named twice", f"columns[{place}]"))

    def _pieces(self, inputs: Inputs) -> Iterator[_Piece]:
        """The input cut into single embedded columns and stretches of others."""
        start = to = 0
        for place, column in enumerate(inputs.columns):
            if column.kind != "code" or (self.columns is not None and column.name not in self.columns):
                continue
            if start < place:
                yield _Piece(None, start, place, to, place - start)
                to += place - start
            width = self._width(column.levels)
            yield _Piece(column, place, place + 1, to, width)
            start, to = place + 1, to + width
        if start < len(inputs.columns):
            yield _Piece(None, start, len(inputs.columns), to, len(inputs.columns) - start)

    def _width(self, levels: int) -> int:
        return min(LARGEST, max(1, round(1.6 * levels**0.56))) if self.dim == "auto" else self.dim

    def bind(self, s: Slot) -> None:
        """What moves in a pass: stretches that are copied, and columns of codes that are looked up."""
        s.passing, s.lookups = [], []
        for piece in self._pieces(s.inputs):
            inside, out = slice(piece.start, piece.stop), slice(piece.to, piece.to + piece.width)
            x, y = s.x[..., inside], s.y[..., out]
            dy = s.dy[..., out] if s.training else None
            dx = s.dx[..., inside] if s.dx is not None else None
            if piece.column is None:
                s.passing.append((x, y, dy, dx))
            else:
                s.lookups.append(_Lookup(s, piece.column.name, x, y, dy, dx))

    def forward(self, s: Slot) -> None:
        for x, y, _, _ in s.passing:
            np.copyto(y, x)
        for lookup in s.lookups:
            lookup.forward()

    def backward(self, s: Slot) -> None:
        for lookup in s.lookups:
            lookup.backward()
        if s.dx is None:
            return
        for _, _, dy, dx in s.passing:
            np.copyto(dx, dy)


class _Piece(NamedTuple):
    """A column of codes, or neighbouring columns that pass on, in the input and in the output."""

    column: InputColumn | None  # None: passed on
    start: int
    stop: int
    to: int
    width: int


class _Lookup:
    """One embedded column with the arrays of a slot.

    Tables and their gradients are seen as one flat stretch of memory, in which every number of a vector has its
    place: so one gather, and one sum by places, serve a single network and a stack.
    """

    def __init__(self, s: Slot, name: str, x: Array, y: Array, dy: Any, dx: Any) -> None:
        self.table, self.gradient = _flat(vars(s.p)[f"W.{name}"]), _flat(vars(s.g)[f"W.{name}"])
        self.codes, self.places, self.vectors = (vars(s)[f"{what}.{name}"] for what in ("codes", "places", "vectors"))
        self.x, self.y, self.dy, self.dx = x[..., 0], y, dy, dx
        self.steps = _member_starts(vars(s.p)[f"W.{name}"], s.members) + np.arange(y.shape[-1])
        self.width, self.spread = np.intp(y.shape[-1]), self.codes[..., None]
        self.cleared = vars(s.g)[f"W.{name}"]

    def forward(self) -> None:
        np.copyto(self.codes, self.x, casting="unsafe")
        np.multiply(self.spread, self.width, self.places)
        np.add(self.places, self.steps, self.places)
        self.table.take(self.places, 0, self.vectors, "clip")
        np.copyto(self.y, self.vectors)

    def backward(self) -> None:
        """Sum dy by the levels that the rows have."""
        np.copyto(self.vectors, self.dy)
        self.cleared.fill(0)
        np.add.at(self.gradient, self.places.reshape(-1), self.vectors.reshape(-1))
        if self.dx is not None:
            self.dx.fill(0)


def _flat(table: Array) -> Array:
    """The memory of a table (*K, L, D) from its first number to its last, as one axis; members lie apart."""
    size = table.itemsize
    last = sum((length - 1) * stride for length, stride in zip(table.shape, table.strides, strict=True)) // size
    return np.lib.stride_tricks.as_strided(table, (last + 1,), (size,))


def _member_starts(table: Array, members: tuple[int, ...]) -> Any:
    """Where each member's table starts in the flat memory, (K, 1, 1); 0 for a single network."""
    if not members:
        return 0
    return (np.arange(members[0]) * (table.strides[0] // table.itemsize))[:, None, None]
