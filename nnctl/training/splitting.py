"""Into how many parts a batch is best split, by what a step has to multiply and to add up."""

from __future__ import annotations

import math

from nnctl.network.network import Network, Node
from nnctl.network.shards import splits
from nnctl.training.job import Job

# From the times of networks of 0.05 to 180 ms a step, on one thread and on two (benchmarks/threads.py measures them).
MULTIPLIED = 20e9  # multiplications of the forward pass in a second, the time of those backward put in
ADDED = 0.5e9  # parameters whose gradients a further part writes, and whose parts are added up, in a second
HANDED = 5e-5  # seconds until a further thread is at work
GAIN = 0.95  # of the time with one part less: what a further one must at least save


def best_split(job: Job, threads: int) -> int:
    """The number of parts, at most one for each thread and row, beyond which a further one does not pay.

    A step of n parts is taken to last ``work / n``, and where it is split ``parameters`` to add up and so much for each
    thread that has to be woken.
    """
    if not splits(job.network, job.loss):
        return 1
    rows = min(job.batch_size, len(job.train))
    work = rows * multiplications(job.network) / MULTIPLIED

    def seconds(parts: int) -> float:
        return work / parts + (parts > 1) * job.network.parameters / ADDED + (parts - 1) * HANDED

    parts = 1
    while parts < min(threads, rows) and seconds(parts + 1) <= GAIN * seconds(parts):
        parts += 1
    return parts


def multiplications(network: Network) -> int:
    """Those that one row takes on its way forward, about: each parameter at every position that it is used at."""
    return sum(node.size * _positions(node) for node in network.walk() if node.layer.multiplies)


def _positions(node: Node) -> int:
    """The pixels of an image, the steps of a sequence; 1 for a vector."""
    return max(math.prod(node.inputs.shape[:-1]), math.prod(node.plan.output[:-1]))
