"""Whether a training fits into the memory of the machine: asked before anything of it is taken."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nnctl.errors import Problem, SpecError
from nnctl.losses import Loss
from nnctl.network.network import Network
from nnctl.network.workspace import memory_for
from nnctl.optimizers import Optimizer
from nnctl.preparing.sizes import gigabytes, machine_memory, many
from nnctl.training.evaluation import rows_at_once


class Need(NamedTuple):
    """The bytes that a training takes at once, beside its data."""

    vectors: int  # as long as the parameters
    activations: int

    def fits(self) -> bool:
        return sum(self) <= machine_memory()


def need(network: Network, loss: Loss, optimizer: Optimizer, *, dtype: str, batch: int, shards: int = 1) -> Need:
    """What a training takes, each batch in so many parts: every further one has a gradient of its own."""
    vectors = 3 + shards + optimizer.size()  # theta, the gradients, best, a copy
    activations = memory_for(network, loss, batch, dtype=dtype, training=True).bytes
    activations += memory_for(network, loss, rows_at_once(network), dtype=dtype, training=False).bytes
    return Need(network.parameters * vectors * np.dtype(dtype).itemsize, activations)


def check_memory(
    network: Network, loss: Loss, optimizer: Optimizer, *, dtype: str, batch: int, shards: int = 1
) -> None:
    """Raise SpecError where a training would not fit."""
    found = need(network, loss, optimizer, dtype=dtype, batch=batch, shards=shards)
    if found.fits():
        return
    there = machine_memory()
    message = (
        f"{many(network.parameters)} parameters need {gigabytes(found.vectors)} with {optimizer.name}, "
        f"and batches of {batch:,} rows {gigabytes(found.activations)}; this machine has {gigabytes(there)}: "
    )
    if shards > 1 and need(network, loss, optimizer, dtype=dtype, batch=batch).fits():
        raise SpecError(Problem(message + "each of the threads has a gradient of its own, use fewer", "train.threads"))
    if found.vectors > min(found.activations, there):
        raise SpecError(Problem(message + "use fewer units", "model"))
    raise SpecError(Problem(message + "make the batches smaller", "train.batch_size"))
