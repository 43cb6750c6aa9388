"""Initializers: the distribution that values are drawn from, or the values themselves."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch.nn import init

from tests.reference.records import Record, make
from tests.reference.with_torch import TORCH

Fill = Callable[[torch.Tensor], torch.Tensor]

SHAPE = (300, 200)  # inputs, outputs
DRAWN = SHAPE[0] * SHAPE[1]
# The variance of a standard normal that is cut off at -2 and 2.
CUT = 1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2))


def records() -> list[Record]:
    return [*_drawn(), *_scaling(), *_fixed()]


def _drawn() -> list[Record]:
    """The deviations are those of the papers; a sample of PyTorch's is held against each here."""
    fan_in, fan_out = SHAPE
    glorot, he, lecun = math.sqrt(2 / (fan_in + fan_out)), math.sqrt(2 / fan_in), math.sqrt(1 / fan_in)
    lecun_limit = math.sqrt(3) * lecun
    families: list[tuple[tuple[str, ...], str, str, float, Fill]] = [
        (("glorot_uniform", "xavier_uniform"), "xavier_uniform_", "uniform", glorot, init.xavier_uniform_),
        (("glorot_normal", "xavier_normal"), "xavier_normal_", "normal", glorot, init.xavier_normal_),
        (("he_uniform", "kaiming_uniform"), "kaiming_uniform_", "uniform", he, init.kaiming_uniform_),
        (("he_normal", "kaiming_normal"), "kaiming_normal_", "normal", he, init.kaiming_normal_),
        (("lecun_uniform",), "uniform_", "uniform", lecun, lambda W: init.uniform_(W, -lecun_limit, lecun_limit)),
        (("lecun_normal",), "kaiming_normal_(nonlinearity='linear')", "normal", lecun, _linear),
        (("normal",), "normal_", "normal", 0.05, lambda W: init.normal_(W, std=0.05)),
        (("uniform",), "uniform_", "uniform", 0.05 / math.sqrt(3), lambda W: init.uniform_(W, -0.05, 0.05)),
        (("truncated_normal",), "trunc_normal_", "truncated", 0.05 * math.sqrt(CUT), _truncated),
    ]
    made = []
    for names, function, distribution, std, fill in families:
        _agree(fill, distribution, std)
        made += [_record(name, {}, f"{TORCH} init.{function}", distribution, std) for name in names]
    made.append(_record("normal", {"std": 0.3}, f"{TORCH} init.normal_", "normal", 0.3))
    made.append(_record("uniform", {"limit": 0.3}, f"{TORCH} init.uniform_", "uniform", 0.3 / math.sqrt(3)))
    std = 0.3 * math.sqrt(CUT)
    made.append(_record("truncated_normal", {"std": 0.3}, f"{TORCH} init.trunc_normal_", "truncated", std))
    return made


def _record(name: str, options: Mapping[str, Any], source: str, distribution: str, std: float) -> Record:
    """With the limit that no value lies beyond, where there is one."""
    limits = {"uniform": math.sqrt(3) * std, "truncated": 2 * std / math.sqrt(CUT), "normal": None}
    drawn = {"distribution": distribution, "std": std, "limit": limits[distribution]}
    return make("initializers", name, source, options, shape=SHAPE, **drawn)


def _linear(W: torch.Tensor) -> torch.Tensor:
    return init.kaiming_normal_(W, nonlinearity="linear")


def _truncated(W: torch.Tensor) -> torch.Tensor:
    return init.trunc_normal_(W, std=0.05, a=-0.1, b=0.1)


def _agree(fill: Fill, distribution: str, std: float) -> None:
    """PyTorch's weight is (outputs, inputs). The deviation of n values is off by about std / sqrt(2 n)."""
    torch.manual_seed(0)
    W = fill(torch.empty(SHAPE[1], SHAPE[0], dtype=torch.float64)).numpy()
    assert abs(W.std() / std - 1) < 5 / math.sqrt(2 * DRAWN), (distribution, W.std(), std)


def _scaling() -> list[Record]:
    fan_in, fan_out = SHAPE
    source = "Keras' VarianceScaling: variance = scale / n"
    return [
        _record("variance_scaling", {}, source, "truncated", math.sqrt(1 / fan_in)),
        _record(
            "variance_scaling",
            {"scale": 2.0, "mode": "fan_out", "distribution": "untruncated_normal"},
            source,
            "normal",
            math.sqrt(2 / fan_out),
        ),
        _record(
            "variance_scaling",
            {"scale": 0.5, "mode": "fan_avg", "distribution": "uniform"},
            source,
            "uniform",
            math.sqrt(0.5 / ((fan_in + fan_out) / 2)),
        ),
    ]


def _fixed() -> list[Record]:
    """Values that are not drawn, and orthogonal: of it the product W^T W (or W W^T) is recorded."""
    made = []
    for name, options, fill in (
        ("zeros", {}, init.zeros_),
        ("ones", {}, init.ones_),
        ("constant", {"value": 0.3}, lambda W: init.constant_(W, 0.3)),
        ("identity", {}, init.eye_),
        ("identity", {"gain": 0.5}, lambda W: init.eye_(W) * 0.5),
    ):
        for shape in ((3, 2), (2, 4)):
            values = fill(torch.empty(*reversed(shape))).numpy().T
            made.append(
                make("initializers", name, f"{TORCH} init", options, shape=shape, values=values, case=str(shape))
            )
    for options in ({}, {"gain": 1.5}):
        for shape in ((5, 3), (3, 5)):
            torch.manual_seed(0)
            W = init.orthogonal_(torch.empty(*reversed(shape)), options.get("gain", 1.0)).numpy().T
            gram = np.round(W.T @ W if shape[0] >= shape[1] else W @ W.T, 12)
            content = {"shape": shape, "gram": gram, "case": str(shape)}
            made.append(make("initializers", "orthogonal", f"{TORCH} init.orthogonal_", options, **content))
    return made
