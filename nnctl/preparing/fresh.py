"""What no cache has: the tables read, the transforms fitted to them, and the examples made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from nnctl.data.cache import Cache
from nnctl.data.room import Arrays
from nnctl.errors import OutputError
from nnctl.preparing.dataset import Dataset, Reader, about_file, read_dataset, read_tables
from nnctl.preparing.examples import Recipe, make_examples
from nnctl.preparing.fitted import Fitted, Known, fitted_state
from nnctl.preparing.fitting import fit
from nnctl.preparing.keys import Key
from nnctl.spec.schema import Experiment

AS_MISSING = ", and is taken there for a missing one; `data.categorical.min_count` pools rare levels in training, too"


def read(
    experiment: Experiment, tables: Reader | None, cache: Cache | None, known: Known | None
) -> tuple[Dataset, Fitted]:
    """The tables, and what their training rows decide."""
    reader = tables or partial(read_tables, folder=None if cache is None else cache.folder)
    dataset = read_dataset(experiment.data, experiment.seed, reader)
    return dataset, fit(experiment, dataset, known)


def make(
    experiment: Experiment, dataset: Dataset, fitted: Fitted, cache: Cache | None, key: Key | None
) -> tuple[Arrays, Fitted]:
    """The examples of every part, kept in the cache, and what they add to the warnings."""
    recipe = Recipe(
        fitted.features, fitted.target, fitted.loss, fitted.width, experiment.data.weight, experiment.model.dtype
    )
    about = partial(about_file, experiment.data)
    if cache is None or key is None:
        found, unseen = make_examples(recipe, dataset.parts, about=about)
        return found, _warned(fitted, dataset, unseen)
    with cache.new(key.text) as draft:
        try:
            found, unseen = make_examples(recipe, dataset.parts, room=draft.arrays, about=about)
        except OutputError as error:  # the disk of the cache fails after it has promised the room
            draft.fail(error)
            found, unseen = make_examples(recipe, dataset.parts, about=about)
        fitted = _warned(fitted, dataset, unseen)
        if key.sha256.items() <= fitted.sha256.items():  # else a file has changed between key and table
            draft.keep(found, fitted_state(fitted, experiment))
    return found, replace(fitted, notes=(*fitted.notes, *filter(None, [draft.fault])))


def _warned(fitted: Fitted, dataset: Dataset, unseen: Mapping[str, Mapping[str, int]]) -> Fitted:
    """With warnings of levels that the training rows do not show."""
    counts: dict[tuple[str, str], int] = {}
    for part, columns in unseen.items():
        for column, count in columns.items():
            place = str(dataset.parts[part].table.path), column
            counts[place] = counts.get(place, 0) + count
    more = [
        f"{path}: `{column}` has a level in {count} rows that no training row has{AS_MISSING}"
        for (path, column), count in counts.items()
    ]
    return replace(fitted, warnings=(*fitted.warnings, *more))
