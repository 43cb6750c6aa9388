"""What dense and convolution have in common: weights, a bias, and an activation behind them."""

from __future__ import annotations

from typing import Literal

from nnctl.component import option, section
from nnctl.initializers import Initializer
from nnctl.initializers.zeros import Zeros
from nnctl.layers import Activation, Layer, Parameter
from nnctl.layers.identity import Identity


@section
class Weighted(Layer):
    """A layer with the weights W and the bias b.

    Its activation is a layer of its own in the network's chain, directly behind this one. ``init: auto`` is decided
    before the network is planned, by that activation (or, where it is the identity, by the one that follows).
    """

    activation: Activation = option(default_factory=Identity, help="Activation applied to the outputs.")
    bias: bool = option(default=True, help="Add a learned offset b.")
    init: Initializer | Literal["auto"] = option(
        default="auto",
        help="Initializer of W; auto: he_normal before relu-like activations, lecun_normal before selu, "
        "else glorot_uniform.",
    )
    bias_init: Initializer = option(default_factory=Zeros, help="Initializer of b.")

    def parameters(self, shape: tuple[int, ...], *, fan_in: int, fan_out: int) -> dict[str, Parameter]:
        """W of that shape and, where it is wanted, b with one number for each output."""
        if isinstance(self.init, str):
            raise AssertionError("`init: auto` is decided before the network is planned")
        found = {"W": Parameter(shape, self.init, fan_in, fan_out)}
        if self.bias:
            found["b"] = Parameter(shape[-1:], self.bias_init, fan_in, fan_out, decay=False)
        return found
