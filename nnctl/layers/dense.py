"""The dense (fully connected) layer."""

from __future__ import annotations

from typing import Literal

import numpy as np

from nnctl.component import component, option
from nnctl.initializers import Initializer
from nnctl.initializers.zeros import Zeros
from nnctl.layers import ROWS, Activation, Inputs, Layer, Parameter, Plan, Scratch, Slot
from nnctl.layers.identity import Identity


@component("dense", examples=[{"units": 3}, {"units": 2, "bias": False}, {"units": 4, "activation": "tanh"}])
class Dense(Layer):
    """Affine map, ``y = x @ W + b``, and then its activation.

    The activation is a layer of its own in the network's chain, directly behind this one. ``init: auto`` looks at
    it (or, where it is the identity, at the activation that follows in the list).
    Shapes: x (*K, B, I) -> y (*K, B, O);  W (I, O), b (O), O = units
    Source: Glorot and Bengio 2010, He et al. 2015 for the default initializers.
    """

    units: int = option(ge=1, help="Number of outputs O.")
    activation: Activation = option(default_factory=Identity, help="Activation applied to the outputs.")
    bias: bool = option(default=True, help="Add a learned offset b.")
    init: Initializer | Literal["auto"] = option(
        default="auto", help="Initializer of W; auto: he_normal before relu-like activations, else glorot_uniform."
    )
    bias_init: Initializer = option(default_factory=Zeros, help="Initializer of b.")

    def plan(self, inputs: Inputs) -> Plan:
        if isinstance(self.init, str):
            raise AssertionError("`init: auto` is decided before the network is planned")
        fan_in, fan_out = inputs.shape[-1], self.units
        parameters = {"W": Parameter((fan_in, fan_out), self.init, fan_in, fan_out)}
        if self.bias:
            parameters["b"] = Parameter((fan_out,), self.bias_init, fan_in, fan_out, decay=False)
        return Plan(
            (*inputs.shape[:-1], fan_out),
            parameters=parameters,
            scratch={"ones": Scratch((1, ROWS), fill=1.0)},
            reads=frozenset({"x"}),
        )

    def bind(self, s: Slot) -> None:
        s.xT, s.WT = s.x.mT, s.p.W.mT
        if self.bias:
            s.b, s.db = s.p.b[..., None, :], s.g.b[..., None, :]

    def forward(self, s: Slot) -> None:
        s.product(s.x, s.p.W, s.y)
        if self.bias:
            np.add(s.y, s.b, s.y)

    def backward(self, s: Slot) -> None:
        s.product(s.xT, s.dy, s.g.W)
        if self.bias:
            s.product(s.ones, s.dy, s.db)  # a product with ones sums over the batch faster than a reduction
        if s.dx is not None:
            s.product(s.dy, s.WT, s.dx)
