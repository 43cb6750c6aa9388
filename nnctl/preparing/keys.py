"""The key of what is prepared from data: the same where everything that it depends on is the same."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nnctl
from nnctl.component import Component, plain
from nnctl.data.features import features_state
from nnctl.data.source import sha256_of
from nnctl.errors import DataError
from nnctl.preparing.fitted import Known, target_state
from nnctl.spec.files import STDIN
from nnctl.spec.reading import written
from nnctl.spec.schema import Data, Experiment
from nnctl.splits import DrawnSplit


@dataclass(frozen=True, slots=True)
class Key:
    """The key of what one experiment prepares."""

    text: str
    sha256: dict[str, str]  # of the files, by the part whose rows come from there


def key_of(experiment: Experiment, known: Known | None = None) -> Key | None:
    """The key; None where nothing is to be kept, or the files cannot be read, which reading them will explain."""
    sha256 = hashes(files_of(experiment.data)) if experiment.data.cache else None
    return None if sha256 is None else key_with(sha256, experiment, known)


def key_with(sha256: dict[str, str], experiment: Experiment, known: Known | None) -> Key:
    """The key where the files have these hashes."""
    values, data = written(experiment), experiment.data
    draws = isinstance(data.split, DrawnSplit) or data.split.folds is not None
    seed = data.split.seed_or(experiment.seed) if draws else None
    depends = {
        "nnctl": nnctl.__version__,
        "plugins": _plugins(data, experiment.loss, known),
        "files": sha256,
        "paths": {part: str(path) for part, path in files_of(data).items()},  # what is prepared names them
        "data": values["data"],
        "loss": values["loss"],
        "seed": seed,
        "dtype": values["model"]["dtype"],
        "known": None if known is None else [plain(features_state(known.features)), target_state(known.target)],
    }
    return Key(hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest(), sha256)


def files_of(data: Data) -> dict[str, Path]:
    """The files of the data by the part whose rows come from there."""
    given = {"train": data.path, "val": data.val_path, "test": data.test_path}
    return {part: Path(STDIN) if path == STDIN else Path(path).absolute() for part, path in given.items() if path}


def hashes(paths: Mapping[str, Path]) -> dict[str, str] | None:
    """The sha256 of each; None where one is no file, such as a pipe, that can be read more than once."""
    if Path(STDIN) in paths.values() or not all(path.is_file() for path in paths.values()):
        return None
    try:
        return {part: sha256_of(path) for part, path in paths.items()}
    except DataError:
        return None


def _plugins(*parts: Any) -> list[tuple[str, int]]:
    """The files that the components of others in some parts of an experiment come from, and when they were changed."""
    modules = {type(each).__module__ for part in parts for each in _components(part)}
    files: list[Any] = [getattr(sys.modules[name], "__file__", None) for name in modules]
    found = [Path(file) for file in files if file is not None and Path(nnctl.__path__[0]) not in Path(file).parents]
    return sorted((str(path), path.stat().st_mtime_ns) for path in found)


def _components(value: Any) -> Iterator[Component]:
    """A component, and those inside it; those of a section or a collection."""
    if isinstance(value, Component):
        yield value
    if dataclasses.is_dataclass(value):
        value = [getattr(value, field.name) for field in dataclasses.fields(value)]
    elif isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return
    for item in value:
        yield from _components(item)
