"""The gated recurrent unit."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from nnctl.component import component
from nnctl.initializers.zeros import Zeros
from nnctl.layers import ROWS, Array, Parameter, Scratch, Slot
from nnctl.layers.recurrence import Recurrence


@component(
    "gru",
    examples=[
        {"units": 3},
        {"units": 2, "bidirectional": True, "init": "normal"},
        {"units": 2, "return_sequences": True, "bidirectional": True, "recurrent_init": "glorot_uniform"},
    ],
)
class Gru(Recurrence):
    """Gated recurrent unit, ``h_t = n + sigmoid(z) (h_(t-1) - n)`` with h = 0 before the first step.

    With ``r, z, n_x = x_t W + b`` and ``r_h, z_h, n_h = h_(t-1) R`` each cut into three: ``r, z`` are the sums of both
    parts and ``n = tanh(n_x + sigmoid(r) (n_h + b_hn))``. That is PyTorch's form and order of the gates, and Keras'
    ``reset_after`` (which orders them z, r, n); in the paper r multiplies h before the product. PyTorch's two biases
    of r and z add up to one. Gives the last h, or with ``return_sequences`` that of every step. In both directions
    the outputs of the second cell, which reads from the last step to the first, follow on the last axis: its last h
    is that after step 0.
    Shapes: x (*K, B, T, D) -> y (*K, B, U), or (*K, B, T, U); bidirectional 2 U;
            W (D, 3 U), R (U, 3 U), b (3 U), b_hn (U)
    Source: Cho et al. 2014, as in PyTorch; initializers as in Keras (PyTorch draws all from +-1 / sqrt(U)).
    """

    # Blocks of the sums: n_h r z n_x. What comes from h are the first three, from x the last three.
    from_state = (1, 2, 0)
    from_input = (1, 2, 3)
    sigmoids = (1, 2)

    def parameters(self, features: int) -> dict[str, Parameter]:
        b_hn = Parameter((self.units,), Zeros(), self.units, self.units, decay=False)
        return super().parameters(features) | {"b_hn": b_hn}

    def links(self, p: SimpleNamespace, way: str, weights: Array) -> list[tuple[Array, Array]]:
        b_hn = getattr(p, f"b_hn{way}"), weights[..., self.units, self.block(0)]
        return [*super().links(p, way, weights), b_hn]

    def scratch(self, steps: int) -> dict[str, Scratch]:
        state = self.per_way(self.units, ROWS)
        return {"part": state, "kept": state, "slopes": self.per_way(2 * self.units, ROWS)}

    def bind_cell(self, s: Slot) -> None:
        s.slope_r, s.slope_z = s.slopes[..., : self.units, :], s.slopes[..., self.units :, :]

    def forward_step(self, s: Slot, t: int) -> tuple[Any, ...]:
        sums = self.at(s, s.sums, t)
        n_h, r, z, n = (sums[..., self.block(block), :] for block in range(4))
        h_before, h = s.told[..., t, : self.units, :], s.told[..., t + 1, : self.units, :]
        return *self.product_of(s, t), sums, sums[..., self.block(1, 2), :], n_h, r, z, n, h_before, h

    def backward_step(self, s: Slot, t: int) -> tuple[Any, ...]:
        _, _, sums, gates, n_h, r, z, n, h_before, _ = s.steps[t]
        return t, sums[..., self.block(0, 2), :], gates, n_h, r, z, n, h_before

    def forward(self, s: Slot) -> None:
        self.read_inputs(s)
        for weights, told, sums, gates, n_h, r, z, n, h_before, h in s.steps:
            s.times(weights, told, sums)
            np.tanh(gates, gates)
            np.multiply(gates, s.half, gates)
            np.add(gates, s.half, gates)
            np.multiply(r, n_h, s.part)
            np.add(n, s.part, n)
            np.tanh(n, n)
            np.subtract(h_before, n, h)
            np.multiply(z, h, h)
            np.add(n, h, h)
        self.write_output(s)

    def backward(self, s: Slot) -> None:
        """The gradients of the sums take the places of the gates."""
        self.read_gradient(s)
        for t, dsums, gates, n_h, r, z, n, h_before in s.steps_back:
            np.multiply(gates, gates, s.slopes)
            np.subtract(gates, s.slopes, s.slopes)  # y - y^2
            np.subtract(h_before, n, s.part)
            np.multiply(s.slope_z, s.part, s.slope_z)
            np.multiply(s.slope_r, n_h, s.slope_r)
            np.multiply(s.dh, z, s.kept)
            np.multiply(s.dh, s.slope_z, z)
            np.subtract(s.dh, s.kept, s.part)
            np.multiply(n, n, n)
            np.subtract(s.one, n, n)
            np.multiply(s.part, n, n)
            np.multiply(n, r, n_h)
            np.multiply(n, s.slope_r, r)
            if t:
                self.pass_back(s, dsums, t)
                np.add(s.dh, s.kept, s.dh)
        self.write_gradients(s)
