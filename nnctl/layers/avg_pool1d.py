"""One-dimensional average-pooling."""

from __future__ import annotations

from nnctl.component import component, option
from nnctl.layers.pooling import AvgPooling


@component(
    "avg_pool1d",
    examples=[{"size": 2}, {"size": 3, "stride": 2, "padding": "same"}, {"size": 4, "stride": 3, "padding": 1}],
)
class AvgPool1d(AvgPooling):
    """Mean of every window of steps, ``y[t] = mean_i x[t s + i - p]``, by channel.

    The padding counts for nothing, as in Keras; PyTorch counts it as zeros unless ``count_include_pad`` is off.
    Shapes: x (*K, B, T, C) -> y (*K, B, T', C)
    """

    size: int = option(ge=1, help="Size of the window, in steps.")
    stride: int | None = option(default=None, ge=1, help="Steps between two windows; null: the size.")

    dimensions = 1
    example_input = (6, 2)
