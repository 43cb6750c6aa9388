"""A convolutional network of nnctl against the same one in PyTorch, on one thread.

    pip install torch
    python benchmarks/cnn.py

Convolutions of 32 and 64 filters (3 x 3, same, relu), each followed by max-pooling, a dense layer of 64 and one of 10,
on images of 28 x 28 pixels; cross entropy, Adam, batches of 64. Both sides do all that a step of training does: gather
a shuffled batch, forward, loss, backward, optimizer. The rounds alternate, so that both meet the same neighbours on a
busy machine; medians of processor time are compared.

Half of nnctl's time goes into three matrix products, and OpenBLAS has kernels of several ages for them: the first line
names those in use. The variable OPENBLAS_CORETYPE chooses them, where it is set.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from nnctl.data.batches import Batches, Examples
from nnctl.layers import InputColumn
from nnctl.layers.conv2d import Conv2d
from nnctl.layers.dense import Dense
from nnctl.layers.flatten import Flatten
from nnctl.layers.max_pool2d import MaxPool2d
from nnctl.layers.relu import Relu
from nnctl.layers.reshape import Reshape
from nnctl.losses.cross_entropy import CrossEntropy
from nnctl.network.descent import optimizer_slot
from nnctl.network.members import Streams, stream
from nnctl.network.workspace import Workspace
from nnctl.optimizers.adam import Adam
from nnctl.preparing.architecture import architecture
from nnctl.spec.schema import Model

BATCH, ROWS, EPOCH, CLASSES, SIDE = 64, 4096, 60_000, 10, 28
LR = 1e-3

Step = Callable[[int], float]  # takes the number of a batch, gives its loss


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=9, help="rounds of every side")
    options.add_argument("--steps", type=int, default=20, help="steps in a round")
    given = options.parse_args()
    pixels, labels = data()
    sides: dict[str, Step] = {"nnctl": nnctl_side(pixels, labels)}
    try:
        import torch
    except ImportError:
        print("torch is not installed (pip install torch): timing nnctl alone", file=sys.stderr)
    else:
        torch.set_num_threads(1)
        sides["torch"] = torch_side(torch, pixels, labels, channels_last=False, fused=False)
        sides["torch, channels last"] = torch_side(torch, pixels, labels, channels_last=True, fused=False)
        sides["torch, fused Adam"] = torch_side(torch, pixels, labels, channels_last=False, fused=True)
    with threadpool_limits(1):
        report(timed(sides, given.rounds, given.steps))


def data() -> tuple[np.ndarray, np.ndarray]:
    """Random images (N, 784) in [0, 1), a fifth of the pixels not zero as in handwritten digits, and labels."""
    rng = stream(0, "benchmark")
    pixels = rng.random((ROWS, SIDE * SIDE), dtype=np.float32)
    pixels *= rng.random(pixels.shape) < 0.2
    return pixels, rng.integers(0, CLASSES, ROWS)


def nnctl_side(pixels: np.ndarray, labels: np.ndarray) -> Step:
    layers = (
        Reshape(shape=(SIDE, SIDE, 1)),
        Conv2d(filters=32, kernel=3, padding="same", activation=Relu()),
        MaxPool2d(size=2),
        Conv2d(filters=64, kernel=3, padding="same", activation=Relu()),
        MaxPool2d(size=2),
        Flatten(),
        Dense(units=64, activation=Relu()),
    )
    columns = [InputColumn(f"pixel_{place}", "number") for place in range(SIDE * SIDE)]
    network = architecture(Model(layers=layers), CrossEntropy(), columns=columns, width=CLASSES).network
    arena = network.arena()
    network.initialise(arena, [stream(0, "init")])
    space = Workspace(network, [CrossEntropy()], arena, BATCH, training=True)
    examples = Examples(pixels, np.eye(CLASSES, dtype=np.float32)[labels], labels)
    batches = Batches(examples, BATCH, shuffle=True, streams=Streams.single(0, "shuffle"))
    batches.shuffle()
    adam = Adam(lr=LR)
    slot = optimizer_slot([adam], arena.theta, arena.grad, decayed=arena.decayed.shape[-1])

    def step(number: int) -> float:
        run = space.at(BATCH)
        batches.load(number % len(batches), run)
        run.forward()
        loss = float(run.loss_sum()) / BATCH
        run.backward()
        adam.advance(slot, 1.0)
        return loss

    return step


def torch_side(torch: Any, pixels: np.ndarray, labels: np.ndarray, *, channels_last: bool, fused: bool) -> Step:
    torch.manual_seed(0)
    nn = torch.nn
    net = nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(64 * 49, 64), nn.ReLU(), nn.Linear(64, CLASSES)),
    )
    form = torch.channels_last if channels_last else torch.contiguous_format
    net = net.to(memory_format=form)
    x = torch.from_numpy(pixels).reshape(-1, 1, SIDE, SIDE).contiguous(memory_format=form)
    t = torch.from_numpy(labels)
    order = torch.randperm(len(x))
    adam = torch.optim.Adam(net.parameters(), lr=LR, fused=fused)
    criterion = nn.CrossEntropyLoss()

    def step(number: int) -> float:
        start = number * BATCH % len(x)
        rows = order[start : start + BATCH]
        adam.zero_grad(set_to_none=True)
        loss = criterion(net(x[rows]), t[rows])
        loss.backward()
        adam.step()
        return float(loss.detach())

    return step


def timed(sides: dict[str, Step], rounds: int, steps: int) -> dict[str, list[float]]:
    """The seconds of a step of every side, the median of each round."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds + 1):  # the first one warms up
        for name, step in sides.items():
            seconds = []
            for place in range(steps):
                start = time.process_time()
                step(number * steps + place)
                seconds.append(time.process_time() - start)
            if number:
                found[name].append(statistics.median(seconds))
    return found


def report(found: dict[str, list[float]]) -> None:
    kernels = {f"{library['internal_api']} {library.get('architecture', '')}" for library in threadpool_info()}
    print("matrix products by", ", ".join(sorted(kernels)))
    own = statistics.median(found["nnctl"])
    print(f"{'':24}{'step':>10}{'epoch of 60,000':>20}{'nnctl takes':>16}")
    for name, seconds in found.items():
        step = statistics.median(seconds)
        epoch = step * -(-EPOCH // BATCH)
        print(f"{name:24}{step * 1e3:>7.1f} ms{epoch:>18.1f} s{own / step:>14.2f} x")


if __name__ == "__main__":
    main()
