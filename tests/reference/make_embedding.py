"""The embedding layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from tests.reference.records import Record, numbers
from tests.reference.with_torch import TORCH, passed

COLUMNS = [["age", "number", 0], ["town", "code", 4], ["job", "code", 3], ["income", "number", 0]]
X = np.stack([numbers("age", 6), [0, 3, 1, 1, 2, 0], [2, 0, 0, 1, 2, 2], numbers("income", 6)], axis=1)
AUTO = tuple(min(50, round(1.6 * n**0.56)) for n in (4, 3))


def records() -> list[Record]:
    source = f"{TORCH} nn.Embedding"
    rule = "the width of auto is min(50, round(1.6 n^0.56)), fastai's rule with a lower cap"
    return [
        _record({"dim": 2}, source, (2, 2)),
        _record({"dim": 2, "columns": ["town", "job"]}, source, (2, 2)),
        _record({}, f"{source}; {rule}", AUTO),
    ]


def _record(options: Mapping[str, Any], source: str, widths: tuple[int, int]) -> Record:
    """Numbers pass, codes become vectors in their place; codes have no gradient."""

    def forward(x: torch.Tensor, W_town: torch.Tensor, W_job: torch.Tensor) -> torch.Tensor:
        vectors = F.embedding(x[:, 1].long(), W_town), F.embedding(x[:, 2].long(), W_job)
        return torch.cat([x[:, :1], *vectors, x[:, 3:]], -1)

    parameters = {"W.town": numbers("W town", 4, widths[0]), "W.job": numbers("W job", 3, widths[1])}
    return passed("embedding", source, forward, X, parameters, options=options, columns=COLUMNS)
