"""The long short-term memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component, option
from nnctl.initializers import Initializer
from nnctl.layers import ROWS, Array, Scratch, Slot
from nnctl.layers.recurrence import Recurrence


@component(
    "lstm",
    examples=[
        {"units": 3},
        {"units": 2, "bidirectional": True, "init": "normal", "forget_bias": 0.5},
        {"units": 2, "return_sequences": True, "bidirectional": True, "recurrent_init": "glorot_uniform"},
    ],
)
class Lstm(Recurrence):
    """Long short-term memory: a cell state c beside the output h, both 0 before the first step.

    With ``i, f, g, o = x_t W + h_(t-1) R + b`` cut into four: ``c_t = sigmoid(f) c_(t-1) + sigmoid(i) tanh(g)`` and
    ``h_t = sigmoid(o) tanh(c_t)``. Gives the last h, or with ``return_sequences`` that of every step. In both
    directions the outputs of the second cell, which reads from the last step to the first, follow on the last axis:
    its last h is that after step 0. The gates i, f, g, o are PyTorch's and Keras' (whose g is c); PyTorch has two
    biases, which add up to b, and no offset of the forget gate.
    Shapes: x (*K, B, T, D) -> y (*K, B, U), or (*K, B, T, U); bidirectional 2 U;  W (D, 4 U), R (U, 4 U), b (4 U)
    Source: Hochreiter and Schmidhuber 1997, Gers et al. 2000 (forget gate), Jozefowicz et al. 2015 (its bias of 1);
            initializers as in Keras (PyTorch draws all from +-1 / sqrt(U)).
    """

    forget_bias: float = option(default=1.0, help="Bias that the forget gate starts with; other biases start at 0.")

    # Blocks of the sums: o i f g. The sigmoids are neighbours, and so are the three that act through c.
    from_state = from_input = (1, 2, 3, 0)
    sigmoids = (0, 1, 2)

    def bias_init(self) -> Initializer:
        return _ForgetBias(self.forget_bias)

    def scratch(self, steps: int) -> dict[str, Scratch]:
        state = self.per_way(self.units, ROWS)
        return {
            "c": self.per_step(steps, self.units, ROWS),
            "tanh_c": self.per_step(steps, self.units, ROWS),
            "no_c": self.per_way(self.units, ROWS, fill=0.0),  # before the first step; and its gradient after the last
            "part": state,
            "slopes": self.per_way(4 * self.units, ROWS),
            "dc": state,
            "dc_before": state,
        }

    def bind_cell(self, s: Slot) -> None:
        s.slope_o, s.slope_i, s.slope_f, s.slope_g = (s.slopes[..., self.block(block), :] for block in range(4))
        s.sigmoid_slopes, s.slopes_ifg = s.slopes[..., self.block(0, 2), :], self._ifg(s.slopes)
        s.dc_for_all = s.dc[..., None, :, :]

    def forward_step(self, s: Slot, t: int) -> tuple[Any, ...]:
        sums, c_before = self.at(s, s.sums, t), self.at(s, s.c, t - 1) if t else s.no_c
        o, i, f, g = (sums[..., self.block(block), :] for block in range(4))
        c, tanh_c, h = self.at(s, s.c, t), self.at(s, s.tanh_c, t), s.told[..., t + 1, : self.units, :]
        return *self.product_of(s, t), sums, sums[..., self.block(0, 2), :], i, f, g, o, c_before, c, tanh_c, h

    def backward_step(self, s: Slot, t: int) -> tuple[Any, ...]:
        _, _, sums, sigmoids, i, f, g, o, c_before, _, tanh_c, h = s.steps[t]
        dc_later = s.dc_before if t < len(s.steps) - 1 else s.no_c
        return t, sums, sigmoids, self._ifg(sums), i, f, g, o, c_before, tanh_c, h, dc_later

    def forward(self, s: Slot) -> None:
        self.read_inputs(s)
        for weights, told, sums, sigmoids, i, f, g, o, c_before, c, tanh_c, h in s.steps:
            s.times(weights, told, sums)
            np.tanh(sums, sums)
            np.multiply(sigmoids, s.half, sigmoids)
            np.add(sigmoids, s.half, sigmoids)
            np.multiply(f, c_before, c)
            np.multiply(i, g, s.part)
            np.add(c, s.part, c)
            np.tanh(c, tanh_c)
            np.multiply(o, tanh_c, h)
        self.write_output(s)

    def backward(self, s: Slot) -> None:
        """The gradients of the sums take the places of the gates."""
        self.read_gradient(s)
        for t, sums, sigmoids, ifg, i, f, g, o, c_before, tanh_c, h, dc_later in s.steps_back:
            np.multiply(sums, sums, s.slopes)
            np.subtract(sigmoids, s.sigmoid_slopes, s.sigmoid_slopes)  # y - y^2
            np.subtract(s.one, s.slope_g, s.slope_g)  # 1 - y^2
            np.multiply(h, tanh_c, s.dc)
            np.subtract(o, s.dc, s.dc)  # o (1 - tanh(c)^2)
            np.multiply(s.dh, s.dc, s.dc)
            np.add(s.dc, dc_later, s.dc)
            np.multiply(s.dh, tanh_c, o)
            np.multiply(o, s.slope_o, o)
            np.multiply(s.slope_i, g, s.slope_i)
            np.multiply(s.slope_f, c_before, s.slope_f)
            np.multiply(s.slope_g, i, s.slope_g)
            np.multiply(s.dc, f, s.dc_before)
            np.multiply(s.slopes_ifg, s.dc_for_all, ifg)
            if t:
                self.pass_back(s, sums, t)
        self.write_gradients(s)

    def _ifg(self, sums: Array) -> Array:
        """The last three blocks (*K, 3, U, B)."""
        return sums[..., self.units :, :].reshape(*sums.shape[:-2], 3, self.units, sums.shape[-1])


@dataclass(frozen=True)
class _ForgetBias(Initializer):
    """0 but for the second quarter, the bias of the forget gate."""

    value: float

    def draw(
        self, shape: tuple[int, ...], rng: np.random.Generator, *, fan_in: int, fan_out: int
    ) -> NDArray[np.float64]:
        bias = np.zeros(shape)
        bias[shape[-1] // 4 : shape[-1] // 2] = self.value
        return bias
