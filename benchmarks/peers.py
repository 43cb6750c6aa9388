"""The steps of others, each library in a process of its own: it waits for a line that asks for a round, and answers.

    python -m benchmarks.peers torch 1        the library, and the threads it may use

It needs no nnctl, so another environment may run it.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.rounds import timed, warm
from benchmarks.workloads import ALL, BETA1, BETA2, EPS, IMAGES, LR, Workload

Step = Callable[[], Any]
Made = dict[str, tuple[Step, Callable[[], None]]]  # by side: a step, and what begins anew

LIBRARIES = {
    "torch": ("PyTorch eager", "PyTorch fused"),  # and the sides of the images
    "jax": ("JAX jit", "JAX scan"),
    "sklearn": ("scikit-learn",),
}


def main() -> None:
    library, threads = sys.argv[1], int(sys.argv[2])
    if library == "jax" and threads == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # it takes every core that it sees
    try:
        make = {"torch": torch_steps, "jax": jax_steps, "sklearn": sklearn_steps}[library](threads)
    except ImportError as error:
        answer({"missing": error.name or str(error)})
        return
    version = getattr(sys.modules[library], "__version__", "")
    answer({"version": version})
    made: dict[str, Made] = {}
    for line in sys.stdin:
        name, side, steps = json.loads(line)
        if name not in made:
            # The one before has had its rounds.
            made = {name: torch_images() if name == IMAGES.name else make(ALL[name])}
        step, anew = made[name][side]
        several = scanned(ALL[name]) if side == "JAX scan" else 1
        anew()
        warm(step)
        clock, cpu = timed(step, max(1, steps // several))
        answer([clock / several, cpu / several])


def answer(value: Any) -> None:
    print(json.dumps(value), flush=True)


def scanned(workload: Workload) -> int:
    """The steps of a whole epoch that JAX takes in one call."""
    return max(2, min(20, workload.steps))


def torch_steps(threads: int) -> Callable[[Workload], Made]:
    import torch

    torch.set_num_threads(threads)
    nn = torch.nn

    def network(workload: Workload) -> Any:
        layers: list[Any] = []
        for i, o in workload.layers:
            layers += [nn.Linear(i, o), nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    def side(workload: Workload, *, fused: bool) -> tuple[Step, Callable[[], None]]:
        x, codes = (torch.from_numpy(array) for array in workload.rows())
        single = workload.sizes[-1] == 1
        t = codes[:, None].float() if single else codes
        criterion = nn.BCEWithLogitsLoss() if single else nn.CrossEntropyLoss()
        now: dict[str, Any] = {}

        def anew() -> None:
            torch.manual_seed(0)
            now["net"] = network(workload)
            now["adam"] = torch.optim.Adam(
                now["net"].parameters(), lr=LR, betas=(BETA1, BETA2), eps=EPS, fused=fused or None
            )

        def step() -> None:
            net, adam = now["net"], now["adam"]
            adam.zero_grad(set_to_none=True)
            criterion(net(x), t).backward()
            adam.step()

        return step, anew

    return lambda workload: {
        "PyTorch eager": side(workload, fused=False),
        "PyTorch fused": side(workload, fused=True),
    }


def torch_images() -> Made:
    """Steps on the next batch of the images, gathering and loss included, in three manners."""
    import torch

    nn = torch.nn
    pixels, codes = (torch.from_numpy(array) for array in IMAGES.data())

    def side(*, channels_last: bool, fused: bool) -> tuple[Step, Callable[[], None]]:
        torch.manual_seed(0)
        flat = 64 * (IMAGES.side // 4) ** 2
        net = nn.Sequential(
            *(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(flat, 64), nn.ReLU(), nn.Linear(64, IMAGES.classes)),
        )
        form = torch.channels_last if channels_last else torch.contiguous_format
        net = net.to(memory_format=form)
        x = pixels.reshape(-1, 1, IMAGES.side, IMAGES.side).contiguous(memory_format=form)
        starts = itertools.cycle(range(0, len(x), IMAGES.batch))
        order = torch.randperm(len(x))
        adam = torch.optim.Adam(net.parameters(), lr=LR, fused=fused or None)
        criterion = nn.CrossEntropyLoss()

        def step() -> float:
            start = next(starts)
            rows = order[start : start + IMAGES.batch]
            adam.zero_grad(set_to_none=True)
            loss = criterion(net(x[rows]), codes[rows])
            loss.backward()
            adam.step()
            return float(loss.detach())

        return step, lambda: None

    plain, last, fused = IMAGES.sides
    return {
        plain: side(channels_last=False, fused=False),
        last: side(channels_last=True, fused=False),
        fused: side(channels_last=False, fused=True),
    }


def jax_steps(threads: int) -> Callable[[Workload], Made]:
    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax
    import jax.numpy as jnp

    def make(workload: Workload) -> Made:
        rows, codes = workload.rows()
        x, t = jnp.asarray(rows), jnp.asarray(workload.targets(codes))
        keys = jax.random.split(jax.random.key(0), len(workload.layers))
        start = [
            (jax.random.normal(key, shape) * (2 / shape[0]) ** 0.5, jnp.zeros(shape[1]))
            for key, shape in zip(keys, workload.layers, strict=True)
        ]

        def loss(parameters: Any, x: Any, t: Any) -> Any:
            for w, b in parameters[:-1]:
                x = jax.nn.relu(x @ w + b)
            w, b = parameters[-1]
            y = x @ w + b
            if t.shape[-1] == 1:
                return jnp.mean(jnp.maximum(y, 0) - y * t + jnp.log1p(jnp.exp(-jnp.abs(y))))
            return -jnp.mean(jnp.sum(t * jax.nn.log_softmax(y), axis=-1))

        def step(state: Any, x: Any, t: Any) -> Any:
            parameters, m, v, count = state
            tree = jax.tree.map
            grads = jax.grad(loss)(parameters, x, t)
            count += 1
            m = tree(lambda a, g: BETA1 * a + (1 - BETA1) * g, m, grads)
            v = tree(lambda a, g: BETA2 * a + (1 - BETA2) * g * g, v, grads)
            rate, scale = LR / (1 - BETA1**count), 1 / (1 - BETA2**count)
            parameters = tree(lambda p, a, b: p - rate * a / (jnp.sqrt(b * scale) + EPS), parameters, m, v)
            return parameters, m, v, count

        def epoch(state: Any, x: Any, t: Any) -> Any:
            return jax.lax.scan(lambda now, _: (step(now, x, t), None), state, length=scanned(workload))[0]

        def side(run: Callable[..., Any]) -> tuple[Step, Callable[[], None]]:
            compiled, now = jax.jit(run, donate_argnums=0), {}

            def anew() -> None:
                copy = jax.tree.map(jnp.array, start)
                zeros = jax.tree.map(jnp.zeros_like, copy), jax.tree.map(jnp.zeros_like, copy)
                now["state"] = copy, *zeros, jnp.float32(0)

            def one() -> None:
                now["state"] = compiled(now["state"], x, t)
                jax.block_until_ready(now["state"])

            return one, anew

        return {"JAX jit": side(step), "JAX scan": side(epoch)}

    return make


def sklearn_steps(threads: int) -> Callable[[Workload], Made]:
    import numpy as np
    import sklearn  # noqa: F401  # whose version is told
    from sklearn.neural_network import MLPClassifier

    def make(workload: Workload) -> Made:
        x, codes = workload.rows()
        classes = np.arange(max(2, workload.sizes[-1]))
        now: dict[str, Any] = {}

        def anew() -> None:
            now["net"] = MLPClassifier(workload.sizes[1:-1], batch_size=workload.batch, alpha=0, random_state=0)

        def step() -> None:
            now["net"].partial_fit(x, codes, classes=classes)

        return {"scikit-learn": (step, anew)}

    return make


if __name__ == "__main__":
    main()
