"""nnctl's own step on the networks of the benchmark: what its trainer calls for a batch that is in its buffers."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from benchmarks.workloads import BETA1, BETA2, EPS, IMAGES, LR, Array, Workload
from nnctl.data.batches import Examples
from nnctl.data.target import Target
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
from nnctl.network.network import Network
from nnctl.network.workspace import Workspace
from nnctl.optimizers.adam import Adam
from nnctl.preparing.architecture import architecture
from nnctl.schedules.constant import Constant
from nnctl.spec.schema import Model
from nnctl.training.job import Job
from nnctl.training.progress import Progress
from nnctl.training.stepping import Stepping

ADAM = Adam(lr=LR, beta1=BETA1, beta2=BETA2, eps=EPS)


def own_network(workload: Workload) -> tuple[Network, Loss]:
    """The network of a workload, and its loss."""
    loss: Loss = BinaryCrossEntropy() if workload.sizes[-1] == 1 else CrossEntropy()
    return _built(Model(hidden=workload.sizes[1:-1], activation=Relu()), loss, workload.sizes[0], workload.sizes[-1])


def own_rows(workload: Workload, threads: int) -> Stepping:
    """What the trainer steps with, on the one batch of a workload, which is in its buffers from the first step on."""
    x, codes = workload.rows()
    return _stepping(*own_network(workload), Examples(x, workload.targets(codes), codes), workload.batch, threads)


def own_images(threads: int) -> Stepping:
    """What the trainer steps with, on batches of the images."""
    layers = (
        Reshape(shape=(IMAGES.side, IMAGES.side, 1)),
        Conv2d(filters=32, kernel=3, padding="same", activation=Relu()),
        MaxPool2d(size=2),
        Conv2d(filters=64, kernel=3, padding="same", activation=Relu()),
        MaxPool2d(size=2),
        Flatten(),
        Dense(units=64, activation=Relu()),
    )
    x, codes = IMAGES.data()
    examples = Examples(x, np.eye(IMAGES.classes, dtype=np.float32)[codes], codes)
    network, loss = _built(Model(layers=layers), CrossEntropy(), x.shape[1], IMAGES.classes)
    return _stepping(network, loss, examples, IMAGES.batch, threads)


def stepper(stepping: Stepping) -> Callable[[], None]:
    """One step after the other, epoch after epoch, with the value of the loss and the look at what is finite."""
    progress, batches = stepping.progress, stepping.batches
    progress.batch = len(batches)

    def step() -> None:
        if progress.batch == len(batches):
            progress.batch = 0
            batches.shuffle()
        if stepping.take(due=0.0, save=math.inf) not in ("", "tick"):  # the clock is beyond 0 after one batch
            raise FloatingPointError

    return step


def _built(model: Model, loss: Loss, inputs: int, outputs: int) -> tuple[Network, Loss]:
    columns = [InputColumn(f"x{place}", "number") for place in range(inputs)]
    return architecture(model, loss, columns=columns, width=outputs).network, loss


def _stepping(network: Network, loss: Loss, train: Examples, batch: int, threads: int) -> Stepping:
    job = Job(
        network=network,
        loss=loss,
        optimizer=ADAM,
        schedule=Constant(),
        early_stopping=None,
        target=Target(("y",), "multiclass"),
        metrics=(),
        monitor=None,
        better="lower",
        schedule_better="lower",
        train=train,
        val=None,
        epochs=1_000_000,
        batch_size=batch,
        shuffle=True,
        eval_every=1,
        seed=0,
        dtype="float32",
        threads=threads,
        shards=threads,
    )
    return Stepping(job, Progress())


class OwnLoop:
    """A network of nnctl with its workspace and its optimizer."""

    def __init__(self, workload: Workload, dtype: type = np.float32) -> None:
        network, loss = own_network(workload)
        self.arena = network.arena(dtype)
        space = Workspace(network, [loss], self.arena, workload.batch, training=True)
        self.run = space.at(workload.batch)
        self.descent = Descent([ADAM], self.arena)
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
