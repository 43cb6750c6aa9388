"""Where the columns of codes meet the network: an embedding stands before every layer that would read them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from nnctl.errors import SpecError
from nnctl.layers import InputColumn, Inputs, Layer
from nnctl.layers.composite import bracketed
from nnctl.layers.concat import Concat
from nnctl.layers.embedding import Embedding


class Embeddings:
    """Puts embeddings into lists of layers, and remembers into which: ``names``, such as ``layers.0.branches.1``."""

    def __init__(self, columns: Sequence[InputColumn]) -> None:
        self.columns = tuple(columns)
        self.names: list[str] = []

    def before(self, layers: Sequence[Layer], name: str) -> list[Layer]:
        """The list of that name, with an embedding where codes would reach another layer as numbers."""
        return self._before(list(layers), 0, self.columns, name)

    def as_written(self, error: SpecError) -> SpecError:
        """The error with its keys counted as in the YAML, which does not have the added embeddings."""
        return SpecError(replace(problem, key=self._key_as_written(problem.key)) for problem in error.problems)

    def _before(self, layers: list[Layer], place: int, columns: Sequence[InputColumn], name: str) -> list[Layer]:
        if not any(column.kind == "code" for column in columns):
            return layers
        first = layers[place] if place < len(layers) else None
        if isinstance(first, Embedding):
            try:
                rest = first.plan(Inputs((len(columns),), tuple(columns))).columns
            except SpecError as error:
                raise error.within(f"model.{bracketed(f'{name}.{place}')}") from None
            return self._before(layers, place + 1, rest, name)
        if isinstance(first, Concat):
            branches = [
                tuple(self._before(list(branch), 0, columns, f"{name}.{place}.branches.{number}"))
                for number, branch in enumerate(first.branches)
            ]
            return [*layers[:place], first.with_lists(branches), *layers[place + 1 :]]
        self.names.append(name)
        return [*layers[:place], Embedding(), *layers[place:]]

    def _key_as_written(self, key: str) -> str:
        for name in self.names:
            start = f"model.{bracketed(name)}"
            found = re.match(rf"{re.escape(start)}\[(\d+)\]", key)
            if found and int(found[1]) > 0:
                key = f"{start}[{int(found[1]) - 1}]{key[found.end() :]}"
        return key
