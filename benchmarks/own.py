"""nnctl's own step on the networks of the benchmark: what its trainer calls for a batch that is in its buffers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from benchmarks.workloads import BETA1, BETA2, EPS, IMAGES, LR, Array, Workload
from nnctl.data.batches import Batches, Examples
from nnctl.layers import InputColumn
from nnctl.layers.conv2d import Conv2d
from nnctl.layers.dense import Dense
from nnctl.layers.flatten import Flatten
from nnctl.layers.max_pool2d import MaxPool2d
from nnctl.layers.relu import Relu
from nnctl.layers.reshape import Reshape
from nnctl.losses import Loss
from nnctl.losses.binary_cross_entropy import BinaryCrossEntropy
from nnctl.losses.cross_entropy import CrossEntropy
from nnctl.network.descent import Descent
from nnctl.network.finite import Finite
from nnctl.network.members import Streams, stream
from nnctl.network.workspace import Workspace
from nnctl.optimizers.adam import Adam
from nnctl.preparing.architecture import architecture
from nnctl.spec.schema import Model


def own_images(threads: int) -> Callable[[], None]:
    """A step on the next batch of the images, loss included."""
    layers = (
        Reshape(shape=(IMAGES.side, IMAGES.side, 1)),
        Conv2d(filters=32, kernel=3, padding="same", activation=Relu()),
        MaxPool2d(size=2),
        Conv2d(filters=64, kernel=3, padding="same", activation=Relu()),
        MaxPool2d(size=2),
        Flatten(),
        Dense(units=64, activation=Relu()),
    )
    pixels, codes = IMAGES.data()
    columns = [InputColumn(f"pixel_{place}", "number") for place in range(pixels.shape[1])]
    network = architecture(Model(layers=layers), CrossEntropy(), columns=columns, width=IMAGES.classes).network
    arena = network.arena()
    network.initialise(arena, [stream(0, "init")])
    space = Workspace(network, [CrossEntropy()], arena, IMAGES.batch, training=True)
    examples = Examples(pixels, np.eye(IMAGES.classes, dtype=np.float32)[codes], codes)
    batches = Batches(examples, IMAGES.batch, shuffle=True, streams=Streams.single(0, "shuffle"))
    batches.shuffle()
    descent, run = Descent([Adam(lr=LR)], arena), space.at(IMAGES.batch)
    numbers = itertools.cycle(range(len(batches)))

    def step() -> None:
        batches.load(next(numbers), run)
        run.forward()
        float(run.loss_sum())
        run.backward()
        descent.step(1.0)

    return step


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
