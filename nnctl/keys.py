"""The key of what is prepared from data: the same where everything that it depends on is the same."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import nnctl
from nnctl.component import Component, registry
from nnctl.data.source import sha256_of
from nnctl.errors import DataError
from nnctl.spec.files import STDIN
from nnctl.spec.reading import written
from nnctl.spec.schema import Experiment
from nnctl.splits import DrawnSplit


def key_of(experiment: Experiment) -> str | None:
    """The key; None where nothing is to be kept, or the files cannot be read, which reading them will explain."""
    data = experiment.data
    paths = [path for path in (data.path, data.val_path, data.test_path) if path is not None]
    if not data.cache or STDIN in paths:
        return None
    try:
        files = [sha256_of(Path(path)) for path in paths]
    except DataError:
        return None
    values = written(experiment)
    draws = isinstance(data.split, DrawnSplit) or data.split.folds is not None
    seed = data.split.seed_or(experiment.seed) if draws else None
    depends = {
        "nnctl": nnctl.__version__,
        "plugins": _plugins(),
        "files": files,
        "data": values["data"],
        "loss": values["loss"],
        "seed": seed,
        "dtype": values["model"]["dtype"],
    }
    return hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()


def _plugins() -> list[tuple[str, int]]:
    """The files that components of others come from, and when they were changed."""
    kinds = ("transforms", "splits", "losses")
    modules = {each.__module__ for kind in kinds for each in registry.classes(kind, Component)}
    files: list[Any] = [getattr(sys.modules[name], "__file__", None) for name in modules]
    found = [Path(file) for file in files if file is not None and Path(nnctl.__path__[0]) not in Path(file).parents]
    return sorted((str(path), path.stat().st_mtime_ns) for path in found)
