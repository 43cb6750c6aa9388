"""The networks whose steps are compared: dense layers with ReLU, cross entropy, one batch of random numbers; images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

LR, BETA1, BETA2, EPS = 1e-3, 0.9, 0.999, 1e-8  # of Adam, on every side
MOST_STEPS = 400  # from one start: moments of units that never fire would become denormal numbers


@dataclass(frozen=True)
class Workload:
    """A dense network I - H - ... - O and a batch of B rows; one output is a sigmoid's, several are a softmax'."""

    name: str
    sizes: tuple[int, ...]
    batch: int
    microseconds: float  # about what a step takes, to choose how many make a round

    @property
    def steps(self) -> int:
        """Steps in a round: about 30 ms."""
        return max(1, min(MOST_STEPS, round(30_000 / self.microseconds)))

    @property
    def rounds(self) -> int:
        """At most so many of them."""
        return 25 if self.microseconds < 50_000 else 7

    @property
    def title(self) -> str:
        return f"{self.name} {'-'.join(map(str, self.sizes))}, {self.batch}"

    @property
    def layers(self) -> list[tuple[int, int]]:
        """Inputs and outputs of every layer."""
        return list(zip(self.sizes, self.sizes[1:], strict=False))

    def rows(self) -> tuple[Array, Array]:
        """The inputs (B, I) in float32 and the classes (B,)."""
        rng = np.random.default_rng(0)
        x = rng.standard_normal((self.batch, self.sizes[0])).astype(np.float32)
        return x, rng.integers(0, max(2, self.sizes[-1]), self.batch)

    def targets(self, codes: Array) -> Array:
        """The classes as the loss compares with them: (B, 1) zeros and ones, or (B, O) one-hot."""
        if self.sizes[-1] == 1:
            return codes[:, None].astype(np.float32)
        return np.eye(self.sizes[-1], dtype=np.float32)[codes]

    def start(self) -> Array:
        """The weights to begin with, all W before all b, by He et al. 2015; the b are 0."""
        rng = np.random.default_rng(1)
        weights = [rng.standard_normal((i, o)) * math.sqrt(2 / i) for i, o in self.layers]
        parts = [*(w.ravel() for w in weights), np.zeros(sum(self.sizes[1:]))]
        return np.concatenate(parts).astype(np.float32)


WORKLOADS = {
    each.name: each
    for each in (
        Workload("xor", (2, 8, 1), 4, 20),
        Workload("small", (30, 64, 64, 2), 32, 60),
        Workload("mnist", (784, 128, 10), 128, 750),
        Workload("mnistL", (784, 512, 512, 10), 128, 6000),
        Workload("wide", (784, 2048, 2048, 10), 512, 180_000),
    )
}

MIDDLE = Workload("middle", (100, 256, 256, 1), 256, 1500)
THREADED = (WORKLOADS["mnistL"], WORKLOADS["wide"], MIDDLE)  # networks that two threads share
ALL = {**WORKLOADS, MIDDLE.name: MIDDLE}


@dataclass(frozen=True)
class Images:
    """Random images and a convolutional network on batches of them."""

    name: str = "cnn"
    batch: int = 64
    rows: int = 4096
    side: int = 28
    classes: int = 10
    steps: int = 10
    sides: tuple[str, ...] = ("PyTorch", "PyTorch, channels last", "PyTorch, fused Adam")

    def data(self) -> tuple[Array, Array]:
        """Images (N, 784) in [0, 1), a fifth of the pixels not zero as in handwritten digits, and classes (N,)."""
        rng = np.random.default_rng(0)
        pixels = rng.random((self.rows, self.side * self.side), dtype=np.float32)
        pixels *= rng.random(pixels.shape) < 0.2
        return pixels, rng.integers(0, self.classes, self.rows)


IMAGES = Images()
