"""How the tests hold nnctl against the records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from nnctl.component import Component, registry
from nnctl.testing.harness import made
from tests.reference.records import Record, label

# Largest |a - b| / max |b| by dtype.
TOLERANCE = {"float32": 1e-5, "float64": 1e-10}
DTYPES = pytest.mark.parametrize("dtype", TOLERANCE)


def component(kind: str, record: Record) -> Any:
    """The component that a record is of, read as the YAML would be."""
    cls: type[Component] = registry.get(kind, record["name"])
    return made(cls, record["options"])


def params(records: Iterable[Record]) -> list[Any]:
    """Records as parameters of a test."""
    return [pytest.param(record, id=label(record)) for record in records]


def assert_agrees(found: Any, expected: Any, tolerance: float, what: str) -> None:
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    assert found.shape == expected.shape, f"{what} has the shape {found.shape}, not {expected.shape}"
    scale = np.abs(expected).max(initial=0.0) or 1.0
    error = np.abs(found - expected).max(initial=0.0) / scale
    assert error <= tolerance, f"{what} is off by {error:.1e} of {scale:g}, allowed are {tolerance:g}"
