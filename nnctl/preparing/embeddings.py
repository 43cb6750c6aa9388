"""Where the columns of codes meet the network: an embedding stands before every layer that would read them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from nnctl.errors import Problem, SpecError
from nnctl.layers import InputColumn, Inputs, Layer
from nnctl.layers.composite import bracketed


class Embeddings:
    """Puts embeddings into lists of layers, such as ``layers.0.branches.1``, and remembers where."""

    def __init__(self, columns: Sequence[InputColumn]) -> None:
        self.columns = tuple(columns)
        self.added: list[tuple[str, int]] = []  # the list's name, and the place of the embedding in it

    def before(self, layers: Sequence[Layer], name: str) -> list[Layer]:
        """The list of that name, with an embedding where codes would reach another layer as numbers."""
        return self._before(list(layers), 0, self.columns, name)

    def as_written(self, error: SpecError) -> SpecError:
        """The error with its keys counted as in the YAML, which does not have the added embeddings."""
        return SpecError(replace(problem, key=self._key_as_written(problem.key)) for problem in error.problems)

    def _before(self, layers: list[Layer], place: int, columns: Sequence[InputColumn], name: str) -> list[Layer]:
        if not any(column.kind == "code" for column in columns):
            return layers
        from nnctl.layers.concat import Concat
        from nnctl.layers.embedding import Embedding

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
        self.added.append((name, place))
        for later, layer in enumerate(layers[place:], place):
            if isinstance(layer, Embedding):
                message = "takes the columns of the table: put it in front of all other layers"
                raise SpecError(Problem(message, f"model.{bracketed(f'{name}.{later}')}"))
        return [*layers[:place], Embedding(), *layers[place:]]

    def _key_as_written(self, key: str) -> str:
        for name, place in self.added:
            start = f"model.{bracketed(name)}"
            found = re.match(rf"{re.escape(start)}\[(\d+)\]", key)
            if found and int(found[1]) > place:
                key = f"{start}[{int(found[1]) - 1}]{key[found.end() :]}"
        return key
