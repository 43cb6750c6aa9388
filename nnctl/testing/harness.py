"""What the conformance checks stand on: small networks, rows and targets, the same for everybody."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.component import Component
from nnctl.errors import Place
from nnctl.initializers.lecun_normal import LecunNormal
from nnctl.initializers.uniform import Uniform
from nnctl.layers import InputColumn, Layer, Shape
from nnctl.layers.dense import Dense
from nnctl.layers.flatten import Flatten
from nnctl.layers.identity import Identity
from nnctl.layers.reshape import Reshape
from nnctl.layers.weighted import Weighted
from nnctl.losses import Loss
from nnctl.losses.mse import Mse
from nnctl.network.gradcheck import TOLERANCE, gradcheck
from nnctl.network.members import Streams, stream
from nnctl.network.network import Network, build, stack
from nnctl.network.workspace import Pass, Workspace
from nnctl.spec.binding import Binder
from nnctl.spec.overrides import from_plain
from nnctl.spec.problems import Problems

Array = NDArray[Any]

BATCH, INPUTS, OUTPUTS = 7, 5, 3
SEEDS = (1, 2, 3)
CLOSE = 1e-6  # relative, for sums that a BLAS may take in another order


def made(cls: type[Component], example: Mapping[str, Any]) -> Any:
    """The component that an example describes, read as the YAML would be."""
    problems = Problems()
    node = from_plain({"type": cls.name, **example}, Place("example"))
    component = Binder(problems).component(cls, node, (cls.kind,), usual="")
    problems.raise_if_any()
    return component


def rows(count: int = BATCH, shape: Shape = (INPUTS,), columns: Sequence[InputColumn] = ()) -> Array:
    """Inputs (B, *shape) away from the kinks of activations: none is near 0. Columns of codes hold codes."""
    x = stream(0, "rows").standard_normal((count, *shape))
    x += np.copysign(0.05, x)
    for place, column in enumerate(columns):
        if column.kind == "code":
            x[:, place] = stream(0, column.name).integers(column.levels, size=count)
    return x


def rows_for(network: Network, count: int = BATCH) -> Array:
    """Inputs that fit a network."""
    return rows(count, network.input, network.nodes[0].inputs.columns)


def spread() -> Array:
    """Inputs (B, I) from -7 to 7, odd multiples of 0.05: between the kinks of activations, at multiples of 0.1."""
    return np.floor(np.linspace(-7, 7, BATCH * INPUTS).reshape(BATCH, INPUTS) * 10) / 10 + 0.05


def targets(width: int = OUTPUTS, count: int = BATCH) -> Array:
    """Targets (B, O) for regression."""
    return stream(0, "targets").standard_normal((count, width))


def dense(units: int) -> Dense:
    """A dense layer whose bias is not zero, so that a missing bias shows."""
    return Dense(units=units, init=LecunNormal(), bias_init=Uniform(limit=0.5))


def around(layer: Layer, *, width: int = INPUTS) -> Network:
    """A network with the layer in the middle: behind a dense layer of that width, or of its own example's shape."""
    if layer.example_columns:
        return in_front(layer)
    shape = layer.example_input if layer.example_input != (INPUTS,) else (width,)
    front: list[Layer] = [dense(math.prod(shape))]
    if len(shape) > 1:
        front.append(Reshape(shape=shape))
    return _ending_in_dense([*front, layer], (INPUTS,))


def in_front(layer: Layer) -> Network:
    """A network with the layer in front, where it meets the network's input."""
    return _ending_in_dense([layer], layer.example_input, layer.example_columns)


def _ending_in_dense(layers: Sequence[Layer], inputs: Shape, columns: Sequence[InputColumn] = ()) -> Network:
    named = [(f"layers.{place}", _decided(layer)) for place, layer in enumerate(layers)]
    if len(build([*named, ("output", dense(OUTPUTS))], inputs, columns).output) > 1:
        named.append((f"layers.{len(named)}", Flatten()))
    return build([*named, ("output", dense(OUTPUTS))], inputs, columns)


def prepared(
    network: Network,
    losses: Sequence[Loss],
    count: int,
    *,
    training: bool = True,
    dtype: Any = np.float64,
    seeds: Sequence[int] = SEEDS[:1],
    weighted: bool = False,
) -> Workspace:
    """A workspace for so many rows, its arena initialised; every member from a seed of its own."""
    arena = network.arena(dtype)
    network.initialise(arena, [stream(seed, "init") for seed in seeds])
    streams = Streams([stream(seed, "dropout") for seed in seeds], network.members)
    return Workspace(network, losses, arena, count, training=training, streams=streams, weighted=weighted)


def trained(network: Network, holds: int, uses: int) -> tuple[Array, Array]:
    """Scores and gradient of a pass over ``uses`` rows in a workspace that holds more."""
    space = prepared(network, [Mse()], holds)
    space.at(holds)  # the wide pass is made first, as in training
    run = _filled(space.at(uses), rows_for(network, uses), targets(count=uses))
    run.forward()
    scores = run.scores.copy()
    run.backward()
    return scores, space.arena.grad


def evaluated(network: Network, x: Array, *, passes: int = 1) -> Array:
    """The scores in evaluation, of the last of some passes."""
    space = prepared(network, [Mse()], len(x), training=False)
    statistics = space.arena.stats.copy()
    run = _filled(space.at(len(x)), x, 0.0)
    for _ in range(passes):
        run.forward()
    assert np.array_equal(statistics, space.arena.stats), "evaluation moved the running statistics"
    return run.scores.copy()


def loss_of(loss: Loss, scores: Array, t: Array, w: Array | None = None) -> tuple[Array, Array]:
    """The loss of every row, times its weight, and the gradient of the given scores: through an identity layer."""
    width = scores.shape[-1]
    network = build([("output", Dense(units=width, init=LecunNormal()))], (width,))
    arena = network.arena(np.float64)
    arena.named(arena.theta)["output.W"][...] = np.eye(width)
    space = Workspace(network, [loss], arena, len(t), training=True, input_gradient=True, weighted=w is not None)
    run = _filled(space.at(len(t)), scores, t, w)
    run.forward()
    losses = run.losses.copy()
    run.backward()
    return losses, run.dx


def assert_gradients(network: Network, loss: Loss, x: Array, t: Array, what: str, w: Array | None = None) -> None:
    for checked in gradcheck(network, loss, x, t, w):
        assert checked.passed, f"{what}: the gradient of {checked.name} is off by {checked.error:.1e} (> {TOLERANCE})"


def assert_close(found: Array, expected: Array, message: str) -> None:
    scale = max(float(np.abs(expected).max(initial=0.0)), 1e-12)
    error = float(np.abs(found - expected).max(initial=0.0)) / scale
    assert error <= CLOSE, f"{message} (relative error {error:.1e})"


def assert_members(
    networks: Sequence[Network], losses: Sequence[Loss], what: str, t: Array | None = None, w: Array | None = None
) -> None:
    """One step of a stack leaves each member with the scores, losses, gradient and statistics that it has alone."""
    t = targets() if t is None else t
    together = _one_pass(stack(networks), losses, t, w, SEEDS)
    for member, (network, loss) in enumerate(zip(networks, losses, strict=True)):
        alone = _one_pass(network, [loss], t, w, SEEDS[member : member + 1])
        for name, value in alone.items():
            assert_close(together[name][member], value, f"{what}: {name} of member {member} is not that of it alone")


def assert_no_allocation(network: Network, what: str, loss: Loss | None = None, t: Array | None = None) -> None:
    """Further passes allocate far less than one batch of activations."""
    count = 16_384 if t is None else len(t)
    run = prepared(network, [loss or Mse()], count, dtype=np.float32, weighted=t is not None).at(count)
    _filled(
        run, rows_for(network, count), targets(count=count) if t is None else t, None if t is None else np.ones(count)
    )
    batch = count * max(int(np.prod(node.plan.output)) for node in network.nodes) * 4
    run.forward()
    run.backward()
    tracemalloc.start()
    try:
        for _ in range(5):
            run.forward()
            run.backward()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < batch / 4, f"{what}: a step allocates {peak} bytes, one activation of the batch has {batch}"


def _decided(layer: Layer) -> Layer:
    """The layer with what the architecture decides in its place."""
    return replace(layer, activation=Identity(), init=LecunNormal()) if isinstance(layer, Weighted) else layer


def _filled(run: Pass, x: Array, t: Array | float, w: Array | None = None) -> Pass:
    run.x[...] = x
    run.t[...] = t
    if w is not None:
        run.w[...] = w
    return run


def _one_pass(
    network: Network, losses: Sequence[Loss], t: Array, w: Array | None, seeds: Sequence[int]
) -> dict[str, Array]:
    space = prepared(network, losses, BATCH, seeds=seeds, weighted=w is not None)
    run = _filled(space.at(BATCH), rows_for(network), t, w)
    run.forward()
    found = {"the scores": run.scores.copy(), "the losses": run.losses.copy()}
    run.backward()
    return {**found, "the gradient": space.arena.grad, "the statistics": space.arena.stats}
