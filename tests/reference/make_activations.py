"""The activations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from tests.reference.records import Array, Record, numbers
from tests.reference.with_torch import TORCH, passed

Function = Callable[..., torch.Tensor]

# Zero, the kinks of the piecewise functions, and numbers to both sides of them.
KINKS = [0.0, 0.5, -0.5, 1.0, -1.0, 3.0, -3.0, 6.0]
USUAL: Array = np.concatenate([np.array(KINKS), numbers("usual", 32, scale=2.0)]).reshape(8, 5)
# The last row is there so that errors are judged by gradients that are not tiny.
FAR: Array = np.array([[-1000, -200, -90, -30, -10], [1000, 200, 90, 30, 10], [-0.7, 0.6, -0.2, 0.9, 0.1]])

# name, options, function, its name, whether it is finite far from zero
FUNCTIONS: list[tuple[str, Mapping[str, Any], Function, str, bool]] = [
    ("identity", {}, lambda x: x * 1, "nn.Identity", True),
    ("relu", {}, F.relu, "nn.ReLU", True),
    ("leaky_relu", {}, F.leaky_relu, "nn.LeakyReLU", True),
    ("leaky_relu", {"slope": 0.2}, lambda x: F.leaky_relu(x, 0.2), "nn.LeakyReLU", True),
    ("relu6", {}, F.relu6, "nn.ReLU6", True),
    ("elu", {}, F.elu, "nn.ELU", True),
    ("elu", {"alpha": 0.5}, lambda x: F.elu(x, 0.5), "nn.ELU", True),
    ("celu", {}, F.celu, "nn.CELU", True),
    ("celu", {"alpha": 0.5}, lambda x: F.celu(x, 0.5), "nn.CELU", True),
    ("selu", {}, F.selu, "nn.SELU", True),
    ("gelu", {}, F.gelu, "nn.GELU", True),
    ("gelu", {"approximate": "tanh"}, lambda x: F.gelu(x, approximate="tanh"), "nn.GELU", True),
    ("silu", {}, F.silu, "nn.SiLU", True),
    ("swish", {}, F.silu, "nn.SiLU", True),
    ("mish", {}, F.mish, "nn.Mish", True),
    ("softplus", {}, lambda x: F.softplus(x, threshold=40), "nn.Softplus", True),
    ("softplus", {"beta": 2.0}, lambda x: F.softplus(x, 2.0, threshold=40), "nn.Softplus", True),
    ("softsign", {}, F.softsign, "nn.Softsign", True),
    ("sigmoid", {}, torch.sigmoid, "nn.Sigmoid", True),
    ("log_sigmoid", {}, F.logsigmoid, "nn.LogSigmoid", True),
    ("tanh", {}, torch.tanh, "nn.Tanh", True),
    ("hard_tanh", {}, F.hardtanh, "nn.Hardtanh", True),
    # relu6(x + 3) / 6 and not F.hardsigmoid, of which the gradient has 1/6 in float32 whatever the input is.
    ("hard_sigmoid", {}, lambda x: F.relu6(x + 3) / 6, "nn.ReLU6 for nn.Hardsigmoid", True),
    ("hard_swish", {}, F.hardswish, "nn.Hardswish", True),
    ("soft_shrink", {}, F.softshrink, "nn.Softshrink", True),
    ("soft_shrink", {"threshold": 1.0}, lambda x: F.softshrink(x, 1.0), "nn.Softshrink", True),
    ("hard_shrink", {}, F.hardshrink, "nn.Hardshrink", True),
    ("hard_shrink", {"threshold": 1.0}, lambda x: F.hardshrink(x, 1.0), "nn.Hardshrink", True),
    ("exponential", {}, torch.exp, "exp", False),
    ("sine", {}, torch.sin, "sin (as an activation: Sitzmann et al. 2020, without their factor)", False),
    ("softmax", {}, lambda x: F.softmax(x, -1), "nn.Softmax", True),
    ("log_softmax", {}, lambda x: F.log_softmax(x, -1), "nn.LogSoftmax", True),
]


def records() -> list[Record]:
    made = []
    for name, options, function, source, far in FUNCTIONS:
        made.append(passed(name, f"{TORCH} {source}", function, USUAL, options=options))
        if far:
            made.append(passed(name, f"{TORCH} {source}", function, FAR, options=options, case="far"))
    return [*made, *_prelu()]


def _prelu() -> list[Record]:
    x, slope = numbers("prelu", 6, 5, scale=2.0), np.array([0.1])
    return [passed("prelu", f"{TORCH} nn.PReLU", lambda x, slope: F.prelu(x, slope), x, {"slope": slope})]
