"""What one process remembers of the data it has prepared, for many experiments on the same data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from nnctl.data.batches import Examples
from nnctl.data.source import sha256_of, stamp_of
from nnctl.errors import DataError
from nnctl.preparing.fitted import Fitted, Known
from nnctl.preparing.keys import Key, files_of, key_with
from nnctl.spec.schema import Experiment


class Remembered(NamedTuple):
    """What was prepared from one set of data."""

    fitted: Fitted
    examples: Mapping[str, Examples]
    key: Key | None  # of what the cache keeps


class Memory:
    """Prepared data by all that they depend on; a file is hashed again only when its size or time has changed."""

    def __init__(self) -> None:
        self._kept: dict[str, Remembered] = {}
        self._sha256: dict[tuple[Path, tuple[int, ...]], str] = {}

    def find(self, experiment: Experiment, known: Known | None) -> Remembered | None:
        """What was prepared from the data of such an experiment, or None."""
        if not self._kept:
            return None
        key = self._key(experiment, known)
        return None if key is None else self._kept.get(key)

    def keep(self, experiment: Experiment, known: Known | None, prepared: Remembered) -> None:
        """Remember what was prepared for an experiment, unless its data can be read only once."""
        key = self._key(experiment, known)
        if key is not None:
            self._kept.setdefault(key, prepared)

    def _key(self, experiment: Experiment, known: Known | None) -> str | None:
        paths = files_of(experiment.data)
        try:
            if not all(path.is_file() for path in paths.values()):
                return None
            return key_with({part: self._hash(path) for part, path in paths.items()}, experiment, known).text
        except (OSError, DataError):
            return None

    def _hash(self, path: Path) -> str:
        place = path, stamp_of(path.stat())
        if place not in self._sha256:
            self._sha256[place] = sha256_of(path)
        return self._sha256[place]
