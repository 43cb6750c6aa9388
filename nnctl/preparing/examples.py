"""From the rows of tables to what a network is trained and judged on, block by block: any number of rows fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnctl.data.batches import Examples
from nnctl.data.features import Features
from nnctl.data.room import Arrays, Layout, arrays
from nnctl.data.target import Target
from nnctl.data.weights import row_weights
from nnctl.data.wording import code
from nnctl.errors import DataError, Place, Problem
from nnctl.losses import Loss
from nnctl.preparing.cutting import Part

if TYPE_CHECKING:
    from nnctl.data.table import Table

Array = NDArray[Any]

BLOCK = 1 << 16  # rows that are made together


@dataclass(frozen=True, slots=True)
class Recipe:
    """How rows become examples."""

    features: Features
    target: Target
    loss: Loss
    width: int  # scores of the network
    weight: str | None  # the column of row weights
    dtype: str

    def make(self, table: Table, rows: Array, weights: Array | None) -> tuple[dict[str, Array], dict[str, int]]:
        """The arrays of ``Examples`` for some rows by name, and the cells of each column with an unseen level."""
        block = table.take(rows, {*self.features.types, *self.target.names})
        x, unseen = self.features.matrix(block, self.dtype)
        if self.target.reconstructs:
            truth = x.astype(np.float64)
        else:
            truth = self.target.truth([block.columns[name] for name in self.target.names])
        with np.errstate(over="ignore"):  # whoever asks for wrong targets finds what is beyond the dtype
            made = {"x": x, "t": self.target.encode(truth, self.width, x.dtype), "truth": truth}
        w = weights
        if self.target.class_weights:
            of_class = np.array(self.target.class_weights)[truth]
            w = of_class if w is None else w * of_class
        if w is not None:
            made["w"] = w.astype(x.dtype)
        if weights is not None:
            made["weight"] = weights
        return made, unseen

    def wrong_targets(self, made: Mapping[str, Array]) -> Array:
        """The places (row, column) of targets that the loss does not learn."""
        if self.target.task != "regression":
            return np.empty((0, 2), np.intp)
        asked, finite = self.loss.asked, np.isfinite(made["t"])
        return np.argwhere(~(asked.holds(made["t"]) & (finite.all(-1, keepdims=True) if asked.of_rows else finite)))


def make_examples(
    recipe: Recipe,
    parts: Mapping[str, Part],
    *,
    room: Callable[[Layout], Arrays] = arrays,
    about: Callable[[str], AbstractContextManager[None]] = lambda part: nullcontext(),
) -> tuple[Arrays, dict[str, dict[str, int]]]:
    """The examples of every part, as arrays called PART.x and so on, and its cells with an unseen level by column.

    Raises: DataError if a label is unknown, a target none that its scale takes or the loss learns, or a weight wrong.
    """
    found: Arrays | None = None
    unseen: dict[str, dict[str, int]] = {}
    for name, part in parts.items():
        unseen[name] = {}
        with about(name):
            for row, made, strange in _blocks(recipe, part):
                if found is None:  # the first block shows the shapes of all
                    sizes = {each: len(other.rows) for each, other in parts.items()}
                    found = room(
                        {
                            f"{each}.{array}": (values.dtype.str, (size, *values.shape[1:]))
                            for each, size in sizes.items()
                            for array, values in made.items()
                        }
                    )
                for array, values in made.items():
                    found.write(f"{name}.{array}", row, values)
                for column, count in strange.items():
                    unseen[name][column] = unseen[name].get(column, 0) + count
    assert found is not None
    return found, unseen


def examples_in(found: Arrays) -> dict[str, Examples]:
    """The examples of every part of arrays that ``make_examples`` has made."""
    names = [name.split(".") for name in found.layout]
    return {
        part: Examples(**{array: found.read(f"{part}.{array}") for each, array in names if each == part})
        for part in dict.fromkeys(part for part, _ in names)
    }


def part_examples(recipe: Recipe, table: Table, rows: Array) -> Examples:
    """The examples of some rows of one table. Raises: DataError as ``make_examples``."""
    return examples_in(make_examples(recipe, {"rows": Part(table, rows)})[0])["rows"]


def _blocks(recipe: Recipe, part: Part) -> Iterator[tuple[int, dict[str, Array], dict[str, int]]]:
    table, rows = part.table, part.rows
    recipe.features.check(table)
    recipe.target.check(table, rows)
    weights = None if recipe.weight is None else row_weights(table, recipe.weight, rows)
    some, wrong = False, _Wrong(recipe, table)
    for start in range(0, max(len(rows), 1), BLOCK):
        here = slice(start, start + BLOCK)
        made, unseen = recipe.make(table, rows[here], None if weights is None else weights[here])
        wrong.look(made, rows[here])
        some = some or "w" not in made or bool(made["w"].any())
        if not wrong.count:
            yield start, made, unseen
    wrong.raise_if_any()
    if not some:
        message = f"{table.path}: all {len(rows)} rows of a part get the weight 0, one must be above 0"
        raise DataError(Problem(message, "loss.class_weight"))


class _Wrong:
    """Rows whose targets the loss does not learn: the first of them, and how many there are."""

    def __init__(self, recipe: Recipe, table: Table) -> None:
        self.count = 0
        self._recipe, self._table = recipe, table
        self._message, self._row = "", 0

    def look(self, made: Mapping[str, Array], rows: Array) -> None:
        wrong = self._recipe.wrong_targets(made)
        if len(wrong) and not self.count:
            row, column = wrong[0].tolist()
            self._message, self._row = self._sentence(made, row, column), int(rows[row])
        self.count += len(np.unique(wrong[:, 0]))

    def raise_if_any(self) -> None:
        if self.count:
            more = f" (and {self.count - 1} more rows like it)" if self.count > 1 else ""
            scaled = "; scale by another `data.numeric.scale`" if self._recipe.target.reconstructs else ""
            place = Place(str(self._table.path), self._table.line(self._row))
            raise DataError(Problem(f"{self._message}{more}{scaled}", "data.target", place))

    def _sentence(self, made: Mapping[str, Array], row: int, column: int) -> str:
        asked, target = self._recipe.loss.asked, self._recipe.target
        names, truth = target.names or self._recipe.features.names, made["truth"][row].tolist()
        beyond = ~np.isfinite(made["t"][row])
        if beyond.any():
            column, dtype = int(beyond.argmax()), made["t"].dtype
            what = f"column {code(names[column])} is beyond the range of {dtype}, got {truth[column]:g}"
            return f"{what}; write `data.target_scale: standardize` or `model.dtype: float64`"
        if asked.of_rows:
            named, got = f"columns {', '.join(map(code, names))}", ", ".join(f"{value:g}" for value in truth)
        else:
            named, got = f"column {code(names[column])}", f"{truth[column]:g}"
        scaled = ", after scaling," if target.reconstructs else ""
        return f"{named} must{scaled} {asked.what} for the loss {self._recipe.loss.name}, got {got}"
