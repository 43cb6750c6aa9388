"""One-dimensional convolution."""

from __future__ import annotations

from nnctl.component import component, option
from nnctl.layers.convolution import Convolution


@component(
    "conv1d",
    examples=[
        {"filters": 3, "kernel": 3, "padding": "same", "activation": "tanh"},
        {"filters": 2, "kernel": 2, "stride": 2, "bias": False},
        {"filters": 2, "kernel": 3, "padding": 2, "dilation": 2},
    ],
)
class Conv1d(Convolution):
    """Convolution over steps, ``y[t] = sum_i x[t s + i d - p] @ W[i] + b``.

    As in all frameworks the kernel is not flipped. PyTorch has the channels first: its weights are this
    ``W.transpose(2, 1, 0)``. ``padding: same`` gives ceil(size / stride) outputs, as TensorFlow does.
    Shapes: x (*K, B, T, C) -> y (*K, B, T', F);  W (kernel, C, F), b (F)
    Source: Waibel et al. 1989; fans for the initializers as in He et al. 2015.
    """

    kernel: int = option(ge=1, help="Size of the window, in steps.")
    stride: int = option(default=1, ge=1, help="Steps between two windows.")
    dilation: int = option(default=1, ge=1, help="Steps between two inputs of a window.")

    dimensions = 1
    example_input = (6, 2)
