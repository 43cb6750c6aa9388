"""Conformance checks for every kind of component: used by nnctl's own tests, and by authors of plugins.

Each check takes a component class, runs over its examples and raises AssertionError with a sentence. ``conforms``
runs all that fit the kind:

    def test_my_optimizer():
        nnctl.testing.conforms(MyOptimizer)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnctl.component import Component
from nnctl.testing import (
    components,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    schedules,
    splits,
    transforms,
)

Check = Callable[[Any], None]

BY_KIND: dict[str, tuple[Check, ...]] = {
    "initializers": initializers.CHECKS,
    "layers": layers.CHECKS,
    "losses": losses.CHECKS,
    "metrics": metrics.CHECKS,
    "optimizers": optimizers.CHECKS,
    "schedules": schedules.CHECKS,
    "splits": splits.CHECKS,
}


def checks(cls: type[Component]) -> tuple[Check, ...]:
    """Every check for the kind of the class."""
    of_role = (found for role, found in transforms.BY_ROLE.items() if issubclass(cls, role))
    return components.CHECKS + BY_KIND.get(cls.kind, ()) + sum(of_role, ())


def conforms(cls: type[Component]) -> None:
    """Run every check for the kind of the class."""
    for check in checks(cls):
        check(cls)
