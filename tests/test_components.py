"""Every component of every kind passes the conformance checks of its kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nnctl.component import KINDS, Component, registry
from nnctl.testing import checks

CASES = [
    pytest.param(cls, check, id=f"{kind}-{cls.name}-{check.__name__}")
    for kind in KINDS
    for cls in registry.classes(kind)
    for check in checks(cls)
]


@pytest.mark.parametrize(("cls", "check"), CASES)
def test_component_conforms(cls: type[Component], check: Any) -> None:
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        check(cls)
