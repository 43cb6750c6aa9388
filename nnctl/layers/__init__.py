"""Layers: what a layer declares, and the slot it works in.

A layer is a frozen dataclass of options. ``plan`` says, from what it is told of its input, which parameters,
statistics and scratch it needs; ``forward`` and ``backward`` work in a slot, which is all they may touch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from nnctl.component import Component, section
from nnctl.initializers import Initializer

Array = NDArray[Any]
Shape = tuple[int, ...]  # of one row: neither members nor batch

ROWS = -1  # stands for the batch axis in the shape of a scratch array


@dataclass(frozen=True, slots=True)
class InputColumn:
    """A column of the feature matrix: numbers, or the codes of a category, which count up to ``levels`` - 1."""

    name: str
    kind: Literal["number", "code"]
    levels: int = 0


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a layer is told about its input; the columns only where it is the feature matrix itself."""

    shape: Shape
    columns: tuple[InputColumn, ...] = ()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A learned array. ``decay`` says whether penalties and weight decay apply to it."""

    shape: Shape
    init: Initializer
    fan_in: int
    fan_out: int
    decay: bool = True


@dataclass(frozen=True, slots=True)
class Statistic:
    """A running statistic: part of the model, but not learned by gradient."""

    shape: Shape
    fill: float


@dataclass(frozen=True, slots=True)
class Scratch:
    """A working array, one for every member; ``ROWS`` in the shape is the batch axis."""

    shape: Shape
    fill: float | None = None
    dtype: type | None = None  # None: that of the arena
    evaluation: Shape | None = None  # the shape in evaluation, where less is needed; (0,) if nothing is

    def shape_in(self, *, training: bool) -> Shape:
        return self.shape if training or self.evaluation is None else self.evaluation


@dataclass(frozen=True, slots=True)
class Plan:
    """What a layer needs for inputs of one shape.

    ``reads`` names what backward reads of the forward pass: ``x``, ``y``, both or neither. The workspace keeps
    just that, and reuses the other buffers.
    """

    output: Shape
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    statistics: Mapping[str, Statistic] = field(default_factory=dict)
    scratch: Mapping[str, Scratch] = field(default_factory=dict)
    reads: frozenset[str] = frozenset()
    columns: tuple[InputColumn, ...] = ()  # of the output, where it still holds codes


class Slot:
    """Everything a layer (or a loss) may touch in one pass over one number of rows.

    Shapes: x (*K, B, *I), y (*K, B, *O), dx and dy alike; K members (none for a single network), B rows.
    Declared scratch, and what ``bind`` adds, are further attributes. ``dx`` is None in the first layer with parameters
    (no layer before it runs backward), unless somebody asks for the gradient of the network's input.
    """

    inputs: Inputs
    x: Array
    y: Array
    dx: Any  # an array, or None
    dy: Array
    p: SimpleNamespace  # parameters by name
    g: SimpleNamespace  # their gradients
    stats: SimpleNamespace  # running statistics
    o: SimpleNamespace  # options that may differ between members: 0-d, or ready to broadcast (K, 1, 1)
    rng: Any  # `random(out)`, `normal(out)`, `keep(out, rates)` fill an array: see ``Streams``; each member
    # draws from its own stream
    chains: tuple[Any, ...]  # of a composite: see ``Chain`` in composite.py
    training: bool
    rows: int
    members: tuple[int, ...]
    dtype: np.dtype[Any]
    zero: Array  # 0-d constants of the arena's dtype: cheaper than Python floats in a small ufunc call
    one: Array
    product: Callable[[Array, Array, Array], Array]  # matrix product (a, b, out): dot for one network, else matmul
    products: Callable[[Array, Array, Array], Array]  # the same of stacks of matrices, those of a layer's own: matmul

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...

    def constant(self, value: float) -> Array:
        """A 0-d array of the arena's dtype: never turns float32 work into float64."""
        return np.array(value, self.dtype)

    def matrix(self, array: Array) -> Array:
        """A view (*K, N, C) of a contiguous array (*K, B, ..., C): all axes but the last one are rows."""
        return array.reshape(*self.members, -1, array.shape[-1])


@section
class Layer(Component):
    """One step of the network: ``y = f(x)`` and, backwards, the gradients of its parameters and input.

    ``forward`` writes ``s.y``. ``backward`` writes (never adds to) the gradients in ``s.g`` and ``s.dx``; a layer with
    parameters leaves ``s.dx`` out where it is None. A forward pass precedes every backward pass, so ``backward`` may
    use ``s.y`` as scratch.
    """

    kind = "layers"
    overwrites_x: ClassVar[bool] = False  # forward may write y over x
    overwrites_dy: ClassVar[bool] = False  # backward writes dx over dy: both are the same array
    couples_rows: ClassVar[bool] = False  # a row's output depends on the other rows of the batch
    multiplies: ClassVar[bool] = True  # every parameter takes part in the output of every row
    rectifies: ClassVar[bool] = False  # max(x, 0), which may as well come after a layer that takes the largest
    takes_largest: ClassVar[bool] = False  # every output is the largest of some inputs
    transparent: ClassVar[bool] = False  # `init: auto` of the layer before sees the activation behind this one
    example_input: ClassVar[Shape] = (5,)  # the shape of the rows that the conformance checks feed
    example_columns: ClassVar[tuple[InputColumn, ...]] = ()  # those of a layer that has to be the first

    def plan(self, inputs: Inputs) -> Plan:
        """Declare the output shape, parameters, statistics and scratch. Raises SpecError if the input cannot fit."""
        raise NotImplementedError

    def bind(self, s: Slot) -> None:
        """Keep views of the slot's arrays that would be made anew in every pass. Called once for a slot."""

    def forward(self, s: Slot) -> None:
        """Write ``s.y``."""
        raise NotImplementedError

    def backward(self, s: Slot) -> None:
        """Write the gradients of the parameters and of the input."""
        raise NotImplementedError


@section
class Activation(Layer):
    """An element-wise function, as a layer of its own or as the ``activation`` of a dense layer.

    Shapes: x (*K, B, *I) -> y (*K, B, *I)
    """

    overwrites_x = True
    overwrites_dy = True
    reads: ClassVar[frozenset[str]] = frozenset({"y"})
    weights: ClassVar[str] = "glorot_uniform"  # the initializer that suits a dense layer in front of it

    def plan(self, inputs: Inputs) -> Plan:
        return Plan(inputs.shape, scratch=self.scratch(inputs.shape), reads=self.reads)

    def scratch(self, shape: Shape) -> dict[str, Scratch]:
        """Working arrays; most activations need none."""
        return {}
