"""The simple (Elman) recurrent layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnctl.component import component
from nnctl.layers import Slot
from nnctl.layers.recurrence import Recurrence


@component(
    "simple_rnn",
    examples=[
        {"units": 3},
        {"units": 2, "bidirectional": True, "init": "normal"},
        {"units": 2, "return_sequences": True, "bidirectional": True, "recurrent_init": "glorot_uniform"},
    ],
)
class SimpleRnn(Recurrence):
    """Simple recurrent layer, ``h_t = tanh(x_t W + h_(t-1) R + b)`` with h = 0 before the first step.

    Gives the last h, or with ``return_sequences`` that of every step. In both directions the outputs of the second
    cell, which reads from the last step to the first, follow on the last axis: its last h is that after step 0.
    PyTorch has two biases, which add up to b.
    Shapes: x (*K, B, T, D) -> y (*K, B, U), or (*K, B, T, U); bidirectional 2 U;  W (D, U), R (U, U), b (U)
    Source: Elman 1990; initializers as in Keras (PyTorch draws all from +-1 / sqrt(U)).
    """

    def forward_step(self, s: Slot, t: int) -> tuple[Any, ...]:
        return *self.product_of(s, t), s.told[..., t + 1, : self.units, :]

    def backward_step(self, s: Slot, t: int) -> tuple[Any, ...]:
        return t, s.told[..., t + 1, : self.units, :], s.sums[..., t, :, :]

    def forward(self, s: Slot) -> None:
        self.read_inputs(s)
        for weights, told, h in s.steps:
            s.times(weights, told, h)
            np.tanh(h, h)
        self.write_output(s)

    def backward(self, s: Slot) -> None:
        self.read_gradient(s)
        for t, h, dsum in s.steps_back:
            np.multiply(h, h, dsum)
            np.subtract(s.one, dsum, dsum)
            np.multiply(s.dh, dsum, dsum)
            if t:
                self.pass_back(s, dsum, t)
        self.write_gradients(s)
