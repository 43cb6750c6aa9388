"""Batch normalisation."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.initializers.constant import Constant
from nnctl.initializers.zeros import Zeros
from nnctl.layers import ROWS, Array, Inputs, Layer, Parameter, Plan, Scratch, Slot, Statistic


@component("batch_norm", examples=[{}, {"momentum": 0.5, "eps": 1e-3}, {"affine": False}])
class BatchNorm(Layer):
    """Batch normalisation, ``y = gamma (x - mean) / sqrt(var + eps) + beta``, mean and variance over the batch.

    Evaluation uses the running statistics, ``running = momentum running + (1 - momentum) batch`` (PyTorch's momentum
    is one minus this one), with the unbiased variance of the batch. A batch of one row leaves them alone.
    Shapes: x (*K, B, I) -> y (*K, B, I);  gamma, beta, running mean and variance (I)
    Source: Ioffe and Szegedy 2015, algorithms 1 and 2.
    """

    momentum: float = option(default=0.9, ge=0, lt=1, stack=True, help="Share of the old running statistics, 0-1.")
    eps: float = option(default=1e-5, gt=0, stack=True, help="Added to the variance.")
    affine: bool = option(default=True, help="Learn a factor gamma and an offset beta for every feature.")

    couples_rows = True
    overwrites_dy = True

    def plan(self, inputs: Inputs) -> Plan:
        features = inputs.shape[-1]
        parameters = {}
        if self.affine:
            one = Constant(value=1.0)
            parameters["gamma"] = Parameter((features,), one, features, features, decay=False)
            parameters["beta"] = Parameter((features,), Zeros(), features, features, decay=False)
        per_feature = Scratch((1, features))
        return Plan(
            inputs.shape,
            parameters=parameters,
            statistics={"mean": Statistic((features,), 0.0), "var": Statistic((features,), 1.0)},
            scratch={
                "ones": Scratch((1, ROWS), fill=1.0),
                "normal": Scratch((ROWS, features)),  # (x - mean) / sqrt(var + eps)
                "square": Scratch((ROWS, features)),
                "batch_mean": per_feature,
                "batch_var": per_feature,
                "factor": per_feature,
                "sum_dy": per_feature,
                "sum_dy_normal": per_feature,
            },
        )

    def bind(self, s: Slot) -> None:
        s.mean, s.var = s.stats.mean[..., None, :], s.stats.var[..., None, :]
        s.per_row = s.constant(1 / s.rows)
        s.unbiased = s.constant(s.rows / max(s.rows - 1, 1))
        s.rest = (s.one - s.o.momentum).astype(s.dtype)
        if self.affine:
            s.gamma, s.beta = s.p.gamma[..., None, :], s.p.beta[..., None, :]
            s.dgamma, s.dbeta = s.g.gamma[..., None, :], s.g.beta[..., None, :]

    def forward(self, s: Slot) -> None:
        mean, var = s.mean, s.var
        if s.training:
            mean, var = s.batch_mean, s.batch_var
            s.product(s.ones, s.x, mean)
            np.multiply(mean, s.per_row, mean)
        np.subtract(s.x, mean, s.normal)
        if s.training:
            np.multiply(s.normal, s.normal, s.square)
            s.product(s.ones, s.square, var)
            np.multiply(var, s.per_row, var)
            if s.rows > 1:
                _track(s.mean, mean, s.one, s)
                _track(s.var, var, s.unbiased, s)
        np.add(var, s.o.eps, s.factor)
        np.sqrt(s.factor, s.factor)
        np.divide(s.one, s.factor, s.factor)
        np.multiply(s.normal, s.factor, s.normal)
        if self.affine:
            np.multiply(s.normal, s.gamma, s.y)
            np.add(s.y, s.beta, s.y)
        else:
            np.copyto(s.y, s.normal)

    def backward(self, s: Slot) -> None:
        """``dx = gamma / sqrt(var + eps) (dy - mean(dy) - normal mean(dy normal))``."""
        np.multiply(s.dy, s.normal, s.square)
        s.product(s.ones, s.square, s.sum_dy_normal)
        s.product(s.ones, s.dy, s.sum_dy)
        if self.affine:
            np.copyto(s.dgamma, s.sum_dy_normal)
            np.copyto(s.dbeta, s.sum_dy)
            np.multiply(s.factor, s.gamma, s.factor)
        if s.dx is None:
            return
        np.multiply(s.sum_dy, s.per_row, s.sum_dy)
        np.multiply(s.sum_dy_normal, s.per_row, s.sum_dy_normal)
        np.multiply(s.normal, s.sum_dy_normal, s.normal)
        np.subtract(s.dy, s.sum_dy, s.dx)
        np.subtract(s.dx, s.normal, s.dx)
        np.multiply(s.dx, s.factor, s.dx)


def _track(running: Array, batch: Array, correction: Array, s: Slot) -> None:
    np.multiply(running, s.o.momentum, running)
    np.multiply(batch, correction, s.factor)
    np.multiply(s.factor, s.rest, s.factor)
    np.add(running, s.factor, running)
