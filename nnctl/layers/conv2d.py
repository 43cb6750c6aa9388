"""Two-dimensional convolution."""

from __future__ import annotations

from nnctl.component import component
from nnctl.layers.convolution import Convolution


@component(
    "conv2d",
    examples=[
        {"filters": 3, "kernel": 3, "padding": "same", "activation": "tanh"},
        {"filters": 2, "kernel": [3, 2], "stride": [2, 1], "bias": False},
        {"filters": 2, "kernel": 2, "padding": 2, "dilation": [2, 1], "stride": 2},
    ],
)
class Conv2d(Convolution):
    """Convolution over rows and columns, ``y[r, c] = sum_ij x[r s + i d - p, c s + j d - p] @ W[i, j] + b``.

    As in all frameworks the kernel is not flipped. PyTorch has the channels first: its weights are this
    ``W.transpose(3, 2, 0, 1)``. ``padding: same`` gives ceil(size / stride) outputs, as TensorFlow does.
    Shapes: x (*K, B, H, W, C) -> y (*K, B, H', W', F);  W (kernel rows, kernel columns, C, F), b (F)
    Source: LeCun et al. 1989; fans for the initializers as in He et al. 2015.
    """

    dimensions = 2
    example_input = (6, 5, 2)
