"""The numeric gradient check: backward against differences of the loss, along random directions, in float64."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.losses import Loss
from nnctl.network.members import Streams, stream
from nnctl.network.network import Network
from nnctl.network.workspace import Pass, Workspace

Array = NDArray[Any]

TOLERANCE = 1e-6  # relative
MOVE = 0.1
# A wrong derivative is wrong at every step size; a right one may meet a kink or rounding at some of them.
STEP_SIZES = (1e-3, 1e-4, 1e-5, 1e-6)


@dataclass(frozen=True, slots=True)
class Checked:
    """The result for one parameter, or for the network's input."""

    name: str
    shape: tuple[int, ...]
    error: float  # relative, the worst over the directions

    @property
    def passed(self) -> bool:
        return self.error <= TOLERANCE


def gradcheck(
    network: Network, loss: Loss, x: Array, t: Array, w: Array | None = None, *, seed: int = 0, directions: int = 3
) -> list[Checked]:
    """Check the gradient of every parameter and of the input on the rows x, t, weighted by w.

    Along a random direction v, ``<grad, v>`` must equal the derivative of the loss there, taken by differences of
    fourth order. The network is initialised from the seed and then moved a little, since biases of 0 and factors of 1
    hide terms; dropout draws the same mask in every evaluation.

    Shapes: x (B, *I), t (B, T), w (B,)
    Source: the five-point formula, Abramowitz and Stegun 25.3.6.
    """
    arena = network.arena(np.float64)
    network.initialise(arena, [stream(seed, "init")])
    rng = stream(seed, "gradcheck")
    arena.theta += MOVE * rng.standard_normal(arena.theta.shape)
    streams = Streams.single(seed, "dropout")
    space = Workspace(
        network,
        [loss],
        arena,
        len(x),
        training=True,
        streams=streams,
        input_gradient=True,
        weighted=w is not None,
    )
    run = space.at(len(x))
    run.t[...] = t
    if w is not None:
        run.w[...] = w
    evaluate = _Evaluation(run, streams, np.array(x, np.float64))
    evaluate()
    arena.grad.fill(1.0)  # a backward pass writes gradients: what it adds to them shows
    run.backward()
    theta, grad, dx = arena.named(arena.theta), arena.named(arena.grad.copy()), run.dx.copy()
    found = []
    for name, view in theta.items():
        found.append(Checked(name, view.shape, _error(view, grad[name], evaluate, rng, directions)))
    numbers = [column.kind == "number" for column in network.nodes[0].inputs.columns] or [True] * x.shape[-1]
    error = _error(evaluate.x, dx, evaluate, rng, directions, moves=np.array(numbers))
    found.append(Checked("input", evaluate.x.shape[1:], error))
    return found


class _Evaluation:
    """Gives the loss at the present parameters and input, with the same dropout masks every time."""

    def __init__(self, run: Pass, streams: Streams, x: Array) -> None:
        self.run, self.streams, self.x, self.state = run, streams, x, streams.state

    def __call__(self) -> float:
        self.streams.state = self.state
        self.run.x[...] = self.x
        self.run.forward()
        return float(self.run.loss_sum()) / float(self.run.weight())


def _error(
    view: Array,
    grad: Array,
    evaluate: Callable[[], float],
    rng: np.random.Generator,
    directions: int,
    *,
    moves: Array | bool = True,
) -> float:
    """The worst relative error over some directions, each at the step size that suits it best.

    ``moves`` is false where a number stays as it is: codes of categories.
    """
    start = view.copy()
    worst = 0.0
    for _ in range(directions):
        v = rng.standard_normal(view.shape) * moves
        claimed = float(np.vdot(grad, v))

        def loss_at(h: float, v: Array = v) -> float:
            view[...] = start + h * v
            return evaluate()

        errors = [_relative(claimed, _derivative(loss_at, h)) for h in STEP_SIZES]
        worst = max(worst, min(errors))
        view[...] = start
    return worst


def _derivative(f: Callable[[float], float], h: float) -> float:
    return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h)


def _relative(claimed: float, measured: float) -> float:
    # Below 1e-5 the rounding of the loss itself is no longer small beside the derivative.
    return abs(claimed - measured) / max(abs(claimed), abs(measured), 1e-5)
