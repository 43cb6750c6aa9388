"""nnctl's own step on the networks of the benchmark: what its trainer calls for a batch that is in its buffers."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from benchmarks.workloads import BETA1, BETA2, EPS, LR, Array, Workload
from nnctl.layers import InputColumn
from nnctl.layers.relu import Relu
from nnctl.losses import Loss
from nnctl.losses.binary_cross_entropy import BinaryCrossEntropy
from nnctl.losses.cross_entropy import CrossEntropy
from nnctl.network.descent import Descent
from nnctl.network.finite import Finite
from nnctl.network.workspace import Workspace
from nnctl.optimizers.adam import Adam
from nnctl.preparing.architecture import architecture
from nnctl.spec.schema import Model


class OwnLoop:
    """A network of nnctl with its workspace and its optimizer."""

    def __init__(self, workload: Workload, dtype: type = np.float32) -> None:
        loss: Loss = BinaryCrossEntropy() if workload.sizes[-1] == 1 else CrossEntropy()
        columns = [InputColumn(f"x{place}", "number") for place in range(workload.sizes[0])]
        model = replace(Model(hidden=workload.sizes[1:-1], activation=Relu()), dtype=np.dtype(dtype).name)
        network = architecture(model, loss, columns=columns, width=workload.sizes[-1]).network
        self.arena = network.arena(dtype)
        space = Workspace(network, [loss], self.arena, workload.batch, training=True)
        self.run = space.at(workload.batch)
        self.descent = Descent([Adam(lr=LR, beta1=BETA1, beta2=BETA2, eps=EPS)], self.arena)
        self.finite = Finite(self.arena.grad)
        x, codes = workload.rows()
        self.run.x[...], self.run.t[...] = x, workload.targets(codes)
        self.sum = 0.0

    @property
    def theta(self) -> Array:
        return self.arena.theta

    def reset(self, theta: Array) -> None:
        """Begin anew with these weights."""
        self.arena.theta[...] = theta
        self.descent.begin_anew()

    def step(self) -> None:
        """Forward, backward and the optimizer."""
        self.run.forward()
        self.run.backward()
        self.descent.step(1.0)

    def watched_step(self) -> None:
        """The same with the value of the loss, and a look at whether it and the gradient are finite."""
        self.run.forward()
        loss = float(self.run.loss_sum())
        if not math.isfinite(loss):
            raise FloatingPointError("loss")
        self.sum += loss
        self.run.backward()
        if not self.finite():
            raise FloatingPointError("gradient")
        self.descent.step(1.0)
