"""Two-dimensional max-pooling."""

from __future__ import annotations

from nnctl.component import component
from nnctl.layers.pooling import MaxPooling


@component(
    "max_pool2d",
    examples=[{"size": 2}, {"size": [3, 2], "stride": [2, 1], "padding": "same"}, {"size": 3, "padding": 1}],
)
class MaxPool2d(MaxPooling):
    """Largest input of every window of rows and columns, ``y[r, c] = max_ij x[r s + i - p, c s + j - p]``, by channel.

    Padding is never the largest. The gradient goes to the first of equal inputs, as in PyTorch.
    Shapes: x (*K, B, H, W, C) -> y (*K, B, H', W', C)
    """

    dimensions = 2
    example_input = (6, 5, 2)
