"""Conformance checks of layers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnctl.layers import Activation, Layer
from nnctl.losses.mse import Mse
from nnctl.network.members import stack_options
from nnctl.testing.harness import (
    BATCH,
    SEEDS,
    around,
    assert_close,
    assert_gradients,
    assert_members,
    assert_no_allocation,
    evaluated,
    in_front,
    made,
    rows_for,
    spread,
    targets,
    trained,
)


def check_layer_gradients(cls: type[Layer]) -> None:
    """The numeric gradient check, inside a network and as its first layer."""
    for example in cls.examples:
        layer = made(cls, example)
        for network in (around(layer), in_front(layer)):
            assert_gradients(network, Mse(), rows_for(network), targets(), f"{cls.name} {example}")
        if isinstance(layer, Activation):
            assert_gradients(in_front(layer), Mse(), spread(), targets(), f"{cls.name} {example} far from zero")


def check_rows_independent(cls: type[Layer]) -> None:
    """In evaluation a row's output depends on that row alone."""
    for example in cls.examples:
        x = rows_for(around(made(cls, example)))
        together = evaluated(around(made(cls, example)), x)
        alone = np.concatenate([evaluated(around(made(cls, example)), x[i : i + 1]) for i in range(BATCH)])
        assert_close(together, alone, f"{cls.name} {example}: rows of one batch depend on each other")


def check_narrow_pass(cls: type[Layer]) -> None:
    """A pass over fewer rows than the workspace holds gives what a workspace of just that size gives."""
    for example in cls.examples:
        network = around(made(cls, example))
        wide, grad_wide = trained(network, BATCH, 4)
        narrow, grad_narrow = trained(network, 4, 4)
        assert_close(wide, narrow, f"{cls.name} {example}: a ragged batch gives other scores")
        assert_close(grad_wide, grad_narrow, f"{cls.name} {example}: a ragged batch gives other gradients")


def check_layer_members(cls: type[Layer]) -> None:
    """Member k of a stack is the same network trained alone, whatever its ``stack`` options are."""
    for example in cls.examples:
        layers = [_varied(made(cls, example), factor) for factor in (1.0, 0.9, 0.8)]
        networks = [around(layer) for layer in layers]
        assert_members(networks, [Mse() for _ in SEEDS], f"{cls.name} {example}")


def _varied(layer: Layer, factor: float) -> Layer:
    """The layer with other values of the options that may differ between members."""
    values = {name: getattr(layer, name) for name in stack_options(type(layer))}
    return replace(layer, **{name: value * factor for name, value in values.items() if value is not None})


def check_evaluation_repeats(cls: type[Layer]) -> None:
    """Evaluation gives the same twice, and leaves the running statistics alone."""
    for example in cls.examples:
        network = around(made(cls, example))
        first, again = evaluated(network, rows_for(network)), evaluated(network, rows_for(network), passes=2)
        assert np.array_equal(first, again), f"{cls.name} {example}: evaluation differs from time to time"


def check_layer_allocates_nothing(cls: type[Layer]) -> None:
    """Steps allocate nothing that is as large as a batch."""
    for example in cls.examples:
        network = around(made(cls, example), width=64)
        assert_no_allocation(network, f"{cls.name} {example}")


CHECKS = (
    check_layer_gradients,
    check_rows_independent,
    check_narrow_pass,
    check_layer_members,
    check_evaluation_repeats,
    check_layer_allocates_nothing,
)
