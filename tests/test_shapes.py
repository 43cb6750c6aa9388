"""Layers that change the shape of a row: what they cost, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from nnctl.errors import SpecError
from nnctl.layers import InputColumn, Inputs, Layer
from nnctl.layers.dense import Dense
from nnctl.layers.flatten import Flatten
from nnctl.layers.relu import Relu
from nnctl.layers.reshape import Reshape
from nnctl.losses.mse import Mse
from nnctl.network.network import build
from nnctl.preparing.architecture import architecture
from nnctl.spec.schema import Model
from nnctl.testing.harness import dense, prepared


def network_of(*layers: Layer, inputs: int = 6):
    named = [(f"layers.{place}", layer) for place, layer in enumerate(layers)]
    return build([*named, ("output", dense(3))], (inputs,))


def test_reshape_and_flatten_share_the_memory_of_their_input() -> None:
    space = prepared(network_of(dense(6), Reshape(shape=(3, 2)), Flatten()), [Mse()], 4)
    slots = [slot for _, slot in space.at(4)._forward]
    assert slots[1].y.shape == (4, 3, 2)
    assert np.may_share_memory(slots[0].y, slots[2].y)
    assert np.may_share_memory(slots[0].dy, slots[2].dy)


def test_what_a_backward_pass_reads_is_copied_instead_of_shared() -> None:
    space = prepared(network_of(dense(6), Relu(), Reshape(shape=(3, 2)), Relu(), Flatten()), [Mse()], 4)
    slots = [slot for _, slot in space.at(4)._forward]
    assert not np.may_share_memory(slots[1].y, slots[2].y)


def test_a_reshape_of_another_size_is_refused_with_both_sizes() -> None:
    with pytest.raises(SpecError, match=r"needs a product of 6, .* got \[2, 2\], which is 4"):
        Reshape(shape=(2, 2)).plan(Inputs((6,)))


def test_a_network_whose_rows_keep_several_axes_is_told_to_flatten_them() -> None:
    layers = (Dense(units=6), Reshape(shape=(3, 2)))
    with pytest.raises(SpecError, match=r"model\.output: needs rows of numbers, got the shape \(3, 2\): put `flatten`"):
        architecture(Model(layers=layers), Mse(), columns=[InputColumn(name, "number") for name in "abcd"], width=2)
