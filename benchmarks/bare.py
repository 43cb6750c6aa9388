"""The bare loop: what an expert writes in NumPy for one fixed network, without a framework.

Flat vectors with views for the parameters, ``out=`` on every operation, buffers made once, ReLU in place, Adam in the
order of its textbook with the bias corrections folded into scalars. It computes no loss value and looks for no
infinities, and it can do nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from benchmarks.workloads import BETA1, BETA2, EPS, LR, Array, Workload


class BareLoop:
    """A network with one or two hidden layers; ``step`` is forward, backward and Adam on the batch."""

    def __init__(self, workload: Workload, rows: int | None = None, dtype: type = np.float32) -> None:
        self.theta = workload.start().astype(dtype)
        self.grad = np.zeros_like(self.theta)
        self.m, self.v, self.spare = (np.zeros_like(self.theta) for _ in range(3))
        self.t = 0
        x, codes = workload.rows()
        self.x, self.targets = x[:rows].astype(dtype), workload.targets(codes)[:rows].astype(dtype)
        self.link = _sigmoid if workload.sizes[-1] == 1 else _softmax
        parameters, gradients = _views(self.theta, workload), _views(self.grad, workload)
        make = one_hidden if len(workload.sizes) == 3 else two_hidden
        self.pass_over = make(self, parameters, gradients)

    def reset(self, theta: Array) -> None:
        """Begin anew with these weights."""
        self.theta[...] = theta
        self.m[...] = self.v[...] = 0
        self.t = 0

    def step(self) -> None:
        self.pass_over()
        self.adam()

    def adam(self) -> None:
        """Adam by Kingma and Ba 2015, algorithm 1."""
        grad, m, v, spare = self.grad, self.m, self.v, self.spare
        self.t += 1
        np.multiply(m, BETA1, out=m)
        np.multiply(grad, 1 - BETA1, out=spare)
        np.add(m, spare, out=m)
        np.multiply(v, BETA2, out=v)
        np.multiply(grad, grad, out=grad)
        np.multiply(grad, 1 - BETA2, out=grad)
        np.add(v, grad, out=v)
        np.divide(v, 1 - BETA2**self.t, out=spare)
        np.sqrt(spare, out=spare)
        np.add(spare, EPS, out=spare)
        np.divide(m, spare, out=spare)
        np.multiply(spare, LR / (1 - BETA1**self.t), out=spare)
        np.subtract(self.theta, spare, out=self.theta)


def one_hidden(net: BareLoop, parameters: list[Array], gradients: list[Array]) -> Callable[[], None]:
    """Forward and backward through one hidden layer."""
    x, t, link, rows = net.x, net.targets, net.link, len(net.x)
    w1, w2, b1, b2 = parameters
    dw1, dw2, db1, db2 = gradients
    h, y = np.empty((rows, len(b1)), x.dtype), np.empty((rows, len(b2)), x.dtype)
    dh, mask, row = np.empty_like(h), np.empty(h.shape, bool), np.empty((rows, 1), x.dtype)

    def run() -> None:
        np.matmul(x, w1, out=h)
        np.add(h, b1, out=h)
        np.maximum(h, 0, out=h)
        np.matmul(h, w2, out=y)
        np.add(y, b2, out=y)
        link(y, row)
        np.subtract(y, t, out=y)
        np.divide(y, rows, out=y)
        np.matmul(h.T, y, out=dw2)
        np.sum(y, axis=0, out=db2)
        np.matmul(y, w2.T, out=dh)
        np.greater(h, 0, out=mask)
        np.multiply(dh, mask, out=dh)
        np.matmul(x.T, dh, out=dw1)
        np.sum(dh, axis=0, out=db1)

    return run


def two_hidden(net: BareLoop, parameters: list[Array], gradients: list[Array]) -> Callable[[], None]:
    """Forward and backward through two hidden layers."""
    x, t, link, rows = net.x, net.targets, net.link, len(net.x)
    w1, w2, w3, b1, b2, b3 = parameters
    dw1, dw2, dw3, db1, db2, db3 = gradients
    g, h, y = (np.empty((rows, len(b)), x.dtype) for b in (b1, b2, b3))
    dg, dh, row = np.empty_like(g), np.empty_like(h), np.empty((rows, 1), x.dtype)
    mask1, mask2 = np.empty(g.shape, bool), np.empty(h.shape, bool)

    def run() -> None:
        np.matmul(x, w1, out=g)
        np.add(g, b1, out=g)
        np.maximum(g, 0, out=g)
        np.matmul(g, w2, out=h)
        np.add(h, b2, out=h)
        np.maximum(h, 0, out=h)
        np.matmul(h, w3, out=y)
        np.add(y, b3, out=y)
        link(y, row)
        np.subtract(y, t, out=y)
        np.divide(y, rows, out=y)
        np.matmul(h.T, y, out=dw3)
        np.sum(y, axis=0, out=db3)
        np.matmul(y, w3.T, out=dh)
        np.greater(h, 0, out=mask2)
        np.multiply(dh, mask2, out=dh)
        np.matmul(g.T, dh, out=dw2)
        np.sum(dh, axis=0, out=db2)
        np.matmul(dh, w2.T, out=dg)
        np.greater(g, 0, out=mask1)
        np.multiply(dg, mask1, out=dg)
        np.matmul(x.T, dg, out=dw1)
        np.sum(dg, axis=0, out=db1)

    return run


def products(workload: Workload) -> Callable[[], None]:
    """The matrix products of a step and nothing else: forward, and backward to all weights and hidden layers."""
    rng = np.random.default_rng(2)

    def matrix(*shape: int) -> Array:
        return rng.standard_normal(shape).astype(np.float32)

    calls: list[tuple[Array, Array, Array]] = []
    for place, (i, o) in enumerate(workload.layers):
        x, w, y = matrix(workload.batch, i), matrix(i, o), matrix(workload.batch, o)
        calls += [(x, w, np.empty_like(y)), (x.T, y, np.empty_like(w))]
        if place:
            calls.append((y, w.T, np.empty_like(x)))

    def run() -> None:
        for a, b, out in calls:
            np.dot(a, b, out)

    return run


def _softmax(y: Array, row: Array) -> None:
    np.max(y, axis=1, keepdims=True, out=row)
    np.subtract(y, row, out=y)
    np.exp(y, out=y)
    np.sum(y, axis=1, keepdims=True, out=row)
    np.divide(y, row, out=y)


def _sigmoid(y: Array, _row: Array) -> None:
    np.negative(y, out=y)
    np.exp(y, out=y)
    np.add(y, 1, out=y)
    np.divide(1, y, out=y)


def _views(flat: Array, workload: Workload) -> list[Array]:
    """The W and then the b of a flat vector."""
    found, start = [], 0
    for shape in (*workload.layers, *((o,) for _, o in workload.layers)):
        stop = start + math.prod(shape)
        found.append(flat[start:stop].reshape(shape))
        start = stop
    return found
