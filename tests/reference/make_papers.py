"""Optimizers that PyTorch lacks, from the algorithms of their papers, in plain float64.

Each takes the start, the gradients of the steps, the number of leading elements that decay and the places where
parameters begin and end, and yields theta after each step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from tests.reference.records import Array

Path = Callable[..., Iterator[Array]]


def lion(
    theta: Array,
    gradients: Array,
    decayed: int,
    segments: Sequence[int],
    *,
    lr: float = 1e-4,
    beta1: float = 0.9,
    beta2: float = 0.99,
    weight_decay: float = 0.0,
) -> Iterator[Array]:
    m, decay = np.zeros_like(theta), _decay(theta, decayed, weight_decay)
    for g in gradients:
        update = np.sign(beta1 * m + (1 - beta1) * g)
        theta = theta - lr * (update + decay * theta)
        m = beta2 * m + (1 - beta2) * g
        yield theta


def adabelief(
    theta: Array,
    gradients: Array,
    decayed: int,
    segments: Sequence[int],
    *,
    lr: float = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-16,
    weight_decay: float = 0.0,
) -> Iterator[Array]:
    m, s, decay = np.zeros_like(theta), np.zeros_like(theta), _decay(theta, decayed, weight_decay)
    for t, g in enumerate(gradients, start=1):
        theta = theta - lr * decay * theta
        m = beta1 * m + (1 - beta1) * g
        s = beta2 * s + (1 - beta2) * (g - m) ** 2 + eps
        theta = theta - lr * (m / (1 - beta1**t)) / (np.sqrt(s / (1 - beta2**t)) + eps)
        yield theta


def lamb(
    theta: Array,
    gradients: Array,
    decayed: int,
    segments: Sequence[int],
    *,
    lr: float = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-6,
    weight_decay: float = 0.0,
) -> Iterator[Array]:
    """The decay is decoupled, as for every optimizer here; in the paper it is a part of the direction."""
    m, v, decay = np.zeros_like(theta), np.zeros_like(theta), _decay(theta, decayed, weight_decay)
    for t, g in enumerate(gradients, start=1):
        theta = theta - lr * decay * theta
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        r = (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
        for start, stop in pairwise(segments):
            length, step = np.linalg.norm(theta[start:stop]), np.linalg.norm(r[start:stop])
            trust = length / step if length > 0 and step > 0 else 1.0
            theta[start:stop] -= lr * trust * r[start:stop]
        yield theta


def schedule_free_adamw(
    theta: Array,
    gradients: Array,
    decayed: int,
    segments: Sequence[int],
    *,
    lr: float = 0.0025,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
) -> Iterator[Array]:
    """Without warmup; theta is y, where the gradient is taken."""
    x, z, y, v = theta.copy(), theta.copy(), theta.copy(), np.zeros_like(theta)
    decay = _decay(theta, decayed, weight_decay)
    for t, g in enumerate(gradients, start=1):
        v = beta2 * v + (1 - beta2) * g**2
        z = z - lr * g / (np.sqrt(v / (1 - beta2**t)) + eps) - lr * decay * y
        x = (1 - 1 / t) * x + z / t
        y = (1 - beta1) * z + beta1 * x
        yield y


def prodigy(
    theta: Array,
    gradients: Array,
    decayed: int,
    segments: Sequence[int],
    *,
    lr: float = 1.0,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    d0: float = 1e-6,
    weight_decay: float = 0.0,
) -> Iterator[Array]:
    """Algorithm 4, with beta3 = sqrt(beta2). The way from the start is at first smaller than theta's last digits."""
    start, moved, d, r = theta, np.zeros_like(theta), d0, 0.0
    m, v, s = np.zeros_like(theta), np.zeros_like(theta), np.zeros_like(theta)
    beta3, decay = beta2**0.5, _decay(theta, decayed, weight_decay)
    for g in gradients:
        m = beta1 * m + (1 - beta1) * d * g
        v = beta2 * v + (1 - beta2) * d**2 * g**2
        r = beta3 * r + (1 - beta3) * lr * d**2 * float(g @ moved)
        s = beta3 * s + (1 - beta3) * lr * d**2 * g
        estimate = r / np.abs(s).sum()
        moved = moved + lr * d * decay * theta + lr * d * m / (np.sqrt(v) + d * eps)
        theta = start - moved
        d = max(d, estimate)
        yield theta


def _decay(theta: Array, decayed: int, weight_decay: float) -> Array:
    """The decay of each element."""
    return np.where(np.arange(len(theta)) < decayed, weight_decay, 0.0)


_BETAS = {"beta1": 0.8, "beta2": 0.99}

VARIANTS: list[tuple[str, Mapping[str, Any], str, Path]] = [
    ("lion", {}, "Chen et al. 2023, algorithm 2", lion),
    ("lion", {"lr": 0.01, **_BETAS, "weight_decay": 0.1}, "Chen et al. 2023, algorithm 2", lion),
    ("adabelief", {}, "Zhuang et al. 2020, algorithm 2", adabelief),
    (
        "adabelief",
        {"lr": 0.01, **_BETAS, "eps": 1e-8, "weight_decay": 0.1},
        "Zhuang et al. 2020, algorithm 2",
        adabelief,
    ),
    ("lamb", {}, "You et al. 2020, algorithm 2", lamb),
    ("lamb", {"lr": 0.01, **_BETAS, "eps": 1e-3, "weight_decay": 0.1}, "You et al. 2020, algorithm 2", lamb),
    ("schedule_free_adamw", {}, "Defazio et al. 2024, algorithm 1", schedule_free_adamw),
    (
        "schedule_free_adamw",
        {"lr": 0.01, **_BETAS, "eps": 1e-3, "weight_decay": 0.1},
        "Defazio et al. 2024, algorithm 1",
        schedule_free_adamw,
    ),
    ("prodigy", {}, "Mishchenko and Defazio 2023, algorithm 4", prodigy),
    ("prodigy", {"d0": 1e-4, "eps": 1e-3}, "Mishchenko and Defazio 2023, algorithm 4", prodigy),
    ("prodigy", {"lr": 0.5, **_BETAS, "weight_decay": 0.1}, "Mishchenko and Defazio 2023, algorithm 4", prodigy),
]
