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

    For images and sequences they are those of a channel (the last axis): over the batch and all positions, N values.
    Evaluation uses the running statistics, ``running = momentum running + (1 - momentum) batch`` (PyTorch's momentum
    is one minus this one), with the unbiased variance of the batch (divided by N - 1). A batch of one row, or of one
    value per channel, leaves them alone; PyTorch refuses it.
    Shapes: x (*K, B, ..., I) -> y (*K, B, ..., I);  gamma, beta, running mean and variance (I)
    Source: Ioffe and Szegedy 2015, algorithms 1 and 2.
    """

    momentum: float = option(default=0.9, ge=0, lt=1, stack=True, help="Share of the old running statistics, 0-1.")
    eps: float = option(default=1e-5, gt=0, stack=True, help="Added to the variance.")
    affine: bool = option(default=True, help="Learn a factor gamma and an offset beta for every feature.")

    transparent = True
    couples_rows = True
    overwrites_x = True
    overwrites_dy = True

    def plan(self, inputs: Inputs) -> Plan:
        *axes, features = inputs.shape
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
                "ones": Scratch((ROWS, *axes), fill=1.0),
                "normal": Scratch((ROWS, *inputs.shape)),  # (x - mean) / sqrt(var + eps)
                "batch_mean": per_feature,
                "batch_var": per_feature,
                "factor": per_feature,
                "sum_dy": per_feature,
                "sum_dy_normal": per_feature,
            },
        )

    def bind(self, s: Slot) -> None:
        s.mean, s.var = s.stats.mean[..., None, :], s.stats.var[..., None, :]
        s.x2, s.y2, s.normal = map(s.matrix, (s.x, s.y, s.normal))  # (*K, N, I), N = B for vectors
        s.ones = s.ones.reshape(*s.members, 1, -1)
        s.count = s.ones.shape[-1]
        s.per_value, s.unbiased = s.constant(1 / s.count), s.constant(s.count / max(s.count - 1, 1))
        s.momentum = s.o.momentum.reshape(*s.members, 1, 1) if s.members else s.o.momentum
        s.eps = s.o.eps.reshape(*s.members, 1, 1) if s.members else s.o.eps
        s.rest = (s.one - s.momentum).astype(s.dtype)
        if s.training:
            s.dy2, s.dx2 = s.matrix(s.dy), None if s.dx is None else s.matrix(s.dx)
        if self.affine:
            s.gamma, s.beta = s.p.gamma[..., None, :], s.p.beta[..., None, :]
            s.dgamma, s.dbeta = s.g.gamma[..., None, :], s.g.beta[..., None, :]

    def forward(self, s: Slot) -> None:
        mean, var = s.mean, s.var
        if s.training:
            mean, var = s.batch_mean, s.batch_var
            s.product(s.ones, s.x2, mean)
            np.multiply(mean, s.per_value, mean)
        np.subtract(s.x2, mean, s.normal)
        if s.training:
            np.multiply(s.normal, s.normal, s.y2)
            s.product(s.ones, s.y2, var)
            np.multiply(var, s.per_value, var)
            if s.count > 1:
                _track(s.mean, mean, s.one, s)
                _track(s.var, var, s.unbiased, s)
        np.add(var, s.eps, s.factor)
        np.sqrt(s.factor, s.factor)
        np.divide(s.one, s.factor, s.factor)
        np.multiply(s.normal, s.factor, s.normal)
        if self.affine:
            np.multiply(s.normal, s.gamma, s.y2)
            np.add(s.y2, s.beta, s.y2)
        else:
            np.copyto(s.y2, s.normal)

    def backward(self, s: Slot) -> None:
        """``dx = gamma / sqrt(var + eps) (dy - mean(dy) - normal mean(dy normal))``."""
        np.multiply(s.dy2, s.normal, s.y2)
        s.product(s.ones, s.y2, s.sum_dy_normal)
        s.product(s.ones, s.dy2, s.sum_dy)
        if self.affine:
            np.copyto(s.dgamma, s.sum_dy_normal)
            np.copyto(s.dbeta, s.sum_dy)
            np.multiply(s.factor, s.gamma, s.factor)
        if s.dx2 is None:
            return
        np.multiply(s.sum_dy, s.per_value, s.sum_dy)
        np.multiply(s.sum_dy_normal, s.per_value, s.sum_dy_normal)
        np.multiply(s.normal, s.sum_dy_normal, s.normal)
        np.subtract(s.dy2, s.sum_dy, s.dx2)
        np.subtract(s.dx2, s.normal, s.dx2)
        np.multiply(s.dx2, s.factor, s.dx2)


def _track(running: Array, batch: Array, correction: Array, s: Slot) -> None:
    np.multiply(running, s.momentum, running)
    np.multiply(batch, correction, s.factor)
    np.multiply(s.factor, s.rest, s.factor)
    np.add(running, s.factor, running)
