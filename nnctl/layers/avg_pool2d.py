"""Two-dimensional average-pooling."""

from __future__ import annotations

from nnctl.component import component
from nnctl.layers.pooling import AvgPooling


@component(
    "avg_pool2d",
    examples=[{"size": 2}, {"size": [3, 2], "stride": [2, 1], "padding": "same"}, {"size": 3, "padding": 1}],
)
class AvgPool2d(AvgPooling):
    """Mean of every window of rows and columns, ``y[r, c] = mean_ij x[r s + i - p, c s + j - p]``, by channel.

    The padding counts for nothing, as in Keras; PyTorch counts it as zeros unless ``count_include_pad`` is off.
    Shapes: x (*K, B, H, W, C) -> y (*K, B, H', W', C)
    """

    dimensions = 2
    example_input = (6, 5, 2)
