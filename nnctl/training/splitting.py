"""Into how many parts a batch is best split, by what a step has to multiply and to add up."""

from __future__ import annotations

import math

from nnctl.network.network import Network, Node
from nnctl.network.shards import splits
from nnctl.training.job import Job

# From the times of networks of 0.05 to 180 ms a step, on one thread and on two (benchmarks/threads.py measures them).
MULTIPLIED = 25e9  # multiplications of the forward pass in a second, the time of those backward put in
ADDED = 1e9  # parameters whose gradients the parts write beside each other, and add up, in a second
HANDED = 5e-5  # seconds until a further thread is at work
USED = 0.65  # share of the threads' time that is left for the work that one thread would have: the least that pays
LONG = 2**20  # parameters from which on threads pay for the optimizer's step alone


def best_split(job: Job, threads: int) -> int:
    """The largest number of parts that pays, at most one for each thread and row.

    A step of n parts is taken to last ``work / n``, and where it is split ``parameters`` to add up and so much for each
    thread that has to be woken.
    """
    if not splits(job.network, job.loss):
        return 1
    rows = min(job.batch_size, len(job.train))
    work = rows * multiplications(job.network) / MULTIPLIED

    def seconds(parts: int) -> float:
        return work / parts + (parts > 1) * job.network.parameters / ADDED + (parts - 1) * HANDED

    pays = (parts for parts in range(min(threads, rows), 1, -1) if seconds(1) >= USED * parts * seconds(parts))
    return next(pays, 1)


def multiplications(network: Network) -> int:
    """Those that one row takes on its way forward, about: each parameter at every position that it is used at."""
    return sum(node.size * _positions(node) for node in network.walk() if node.layer.multiplies)


def _positions(node: Node) -> int:
    """The pixels of an image, the steps of a sequence; 1 for a vector."""
    return max(math.prod(node.inputs.shape[:-1]), math.prod(node.plan.output[:-1]))
