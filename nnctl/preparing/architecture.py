"""From the section ``model`` to a network: shorthand written out, the output layer added, the link recognised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nnctl import losses
from nnctl.component import registry
from nnctl.errors import Problem, SpecError
from nnctl.initializers import Initializer
from nnctl.initializers.zeros import Zeros
from nnctl.layers import Activation, InputColumn, Inputs, Layer
from nnctl.layers.composite import Composite, output_of
from nnctl.layers.dense import Dense
from nnctl.layers.identity import Identity
from nnctl.layers.weighted import Weighted
from nnctl.losses import Loss
from nnctl.network.network import Network, build, key_of
from nnctl.preparing.embeddings import Embeddings
from nnctl.spec.schema import Model, Output

W = TypeVar("W", bound=Weighted)

LINKS = ("sigmoid", "softmax", "exponential")  # activations that are the link of some loss
PRIOR = "model.output.bias_init"
MAX_LAYERS = 1_000  # of a chain, written out


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network, and the section ``model`` with everything in it decided."""

    model: Model
    network: Network
    notes: tuple[str, ...]

    @property
    def wants_prior(self) -> bool:
        """Whether the last offsets are to be what the training rows' targets say."""
        return self.model.output is not None and self.model.output.bias_init == "prior"


@dataclass(frozen=True, slots=True)
class Ending:
    """The final activation of a list of layers, where it might be the link of the loss."""

    activation: str
    width: int

    def completes(self, width: int) -> bool:
        """Whether no output layer is needed behind it."""
        return self.width == width


def architecture(
    model: Model,
    loss: Loss,
    *,
    columns: Sequence[InputColumn],
    width: int,
    prior: NDArray[Any] | None = None,
) -> Architecture:
    """The network for the columns of a feature matrix, with ``width`` scores for the loss.

    ``prior`` are the offsets that ``bias_init: prior`` stands for; without them those are 0.
    Raises: SpecError if the list of layers does not end in the width of the target, or contradicts the loss.
    """
    layers = list(_written_out(model) if model.layers is None else model.layers)
    if model.output is None and not layers:
        raise SpecError(Problem("`output: none` needs a list of layers", "model.output"))
    put = Embeddings(columns)
    layers = put.before(layers, "layers")
    named = [(f"layers.{place}", layer) for place, layer in enumerate(_with_initializers(layers, Identity()))]
    try:
        ending = None if model.layers is None else _ending(named, loss, columns)
        return _ended(model, named, loss, ending, columns=columns, width=width, prior=prior, embedded=bool(put.added))
    except SpecError as error:
        raise put.as_written(error) from None


def _ended(
    model: Model,
    named: list[tuple[str, Layer]],
    loss: Loss,
    ending: Ending | None,
    *,
    columns: Sequence[InputColumn],
    width: int,
    prior: NDArray[Any] | None,
    embedded: bool,
) -> Architecture:
    """The network of the layers and, where they are not complete, the output layer."""
    output, notes = model.output, []
    if embedded:
        codes = ", ".join(f"`{column.name}`" for column in columns if column.kind == "code")
        notes.append(f"an embedding is put first, for the codes of {codes}")
    if output is not None and ending is not None and ending.completes(width):
        if output.bias_init == "prior":
            message = "prior is for the output layer that is added, and the list of layers is complete: end it before"
            raise SpecError(Problem(message, PRIOR))
        output = None
        notes.append(f"the layers end in {ending.activation} of the target's width: no output layer is added")
    elif output is not None and ending is not None:
        wide = f"the final {ending.activation} of the layers has {ending.width} outputs, the target needs {width}"
        notes.append(f"{wide}: an output layer is added behind it")
    if output is not None:
        added = _output_layer(output, loss, width, prior)
        output = Output(activation=added.activation, init=_init(added), bias_init=output.bias_init)
        named = [*named, ("output", added)]
    decided = replace(model, layers=tuple(layer for name, layer in named if name != "output"), output=output)
    chain, fused = _without_link(named, loss)
    if fused and (model.output is None or output is None or model.output.activation != "auto"):
        notes.append(f"the final {loss.link} is the link of {loss.name}: both are computed as one, from the raw scores")
    network = build(chain, (len(columns),), columns)
    _check_width(network, named[-1][0], width)
    return Architecture(decided, network, tuple(notes))


def _written_out(model: Model) -> list[Layer]:
    """The layers that ``hidden`` and its companions stand for. Raises: SpecError if they are too many."""
    layers: list[Layer] = []
    for units in model.hidden:
        if len(layers) >= MAX_LAYERS:
            message = f"stands for over {MAX_LAYERS:,} layers, more than a network can have: make it shorter"
            raise SpecError(Problem(message, "model.hidden"))
        block = _block(model, units)
        layers += [_layer("residual", layers=tuple(block))] if model.residual else block
    return layers


def _block(model: Model, units: int) -> list[Layer]:
    """One hidden layer with its normalisation, activation and dropout."""
    if model.norm == "batch":
        layers: list[Layer] = [
            Dense(units=units, bias=False),
            _layer("batch_norm"),
            model.activation,
        ]  # beta is its bias
    elif model.norm == "layer":
        layers = [Dense(units=units), _layer("layer_norm"), model.activation]
    else:
        layers = [Dense(units=units, activation=model.activation)]
    return [*layers, _layer("dropout", rate=model.dropout)] if model.dropout > 0 else layers


def _final(layer: Layer) -> Layer:
    """The last thing a layer does: its activation, if it has one."""
    return layer.activation if isinstance(layer, Weighted) and not isinstance(layer.activation, Identity) else layer


def _ending(named: Sequence[tuple[str, Layer]], loss: Loss, columns: Sequence[InputColumn]) -> Ending | None:
    """What a list ends in: a sigmoid or softmax, or an exponential that is the link; None for anything else.

    Without a loss that has it as its link, an exponential may as well be a hidden activation.
    """
    ends = ("sigmoid", "softmax", *(link for link in LINKS if link == loss.link))
    if not named or _final(named[-1][1]).name not in ends:
        return None
    try:
        shape = output_of(named, Inputs((len(columns),), tuple(columns))).shape
    except SpecError as error:
        raise error.within("model") from None
    return Ending(_final(named[-1][1]).name, shape[-1]) if len(shape) == 1 else None


def _with_initializers(layers: Sequence[Layer], follower: Layer) -> list[Layer]:
    """The layers with every ``init: auto`` decided by the activation that follows, ``follower`` behind the last."""
    decided: list[Layer] = []
    for layer in reversed(layers):
        if isinstance(layer, Weighted):
            activation = follower if isinstance(layer.activation, Identity) else layer.activation
            decided.append(_with_initializer(layer, activation))
            follower = Identity()
        elif isinstance(layer, Composite):
            lists = [tuple(_with_initializers(each, Identity())) for each in layer.lists().values()]
            decided.append(layer.with_lists(lists))
            follower = Identity()
        else:
            decided.append(layer)
            if not layer.transparent:
                follower = layer if isinstance(layer, Activation) else Identity()
    return decided[::-1]


def _with_initializer(layer: W, activation: Layer) -> W:
    if layer.init != "auto":
        return layer
    weights = activation.weights if isinstance(activation, Activation) else Activation.weights
    return replace(layer, init=_initializer(weights))


def _output_layer(output: Output, loss: Loss, width: int, prior: NDArray[Any] | None) -> Dense:
    activation = output.activation
    if isinstance(activation, str):
        activation = _activation(loss.link)
    bias_init = output.bias_init
    if isinstance(bias_init, str):
        _check_undone(activation, loss)
        bias_init = Zeros() if prior is None else _initializer("values", values=_offsets(prior, activation, loss))
    layer = Dense(units=width, activation=activation, init=output.init, bias_init=bias_init)
    return _with_initializer(layer, activation)


def _check_undone(activation: Activation, loss: Loss) -> None:
    """Raise SpecError if no offsets can be found that give a prior behind the activation."""
    if activation.name not in ("identity", loss.link, *LINKS):
        ways_out = ", ".join(f"`{name}`" for name in ("identity", *LINKS))
        message = f"prior cannot be led back through {activation.name}, only through {ways_out}: leave one of them out"
        raise SpecError(Problem(message, PRIOR))


def _offsets(prior: NDArray[Any], activation: Activation, loss: Loss) -> tuple[float, ...]:
    """The offsets that give the scores ``prior`` behind the activation, which the link of the loss is not."""
    if activation.name in ("identity", loss.link):
        return tuple(prior.tolist())
    offsets = losses.UNDONE[activation.name](prior)
    if not np.allclose(losses.LINKS[activation.name](offsets), prior, rtol=1e-9, atol=0):
        listed = ", ".join(f"{score:g}" for score in prior.tolist())
        message = f"the prior {listed} lies outside of what {activation.name} gives: leave one of them out"
        raise SpecError(Problem(message, PRIOR))
    return tuple(offsets.tolist())


def _without_link(named: Sequence[tuple[str, Layer]], loss: Loss) -> tuple[list[tuple[str, Layer]], bool]:
    """The chain without a final activation that is the loss's link, and whether there was one.

    Raises: SpecError if the final activation is the link of another kind of loss.
    """
    name, layer = named[-1]
    final = _final(layer)
    if final.name in LINKS and loss.link in LINKS and final.name != loss.link:
        message = f"a final {final.name} contradicts {loss.name}, whose link is {loss.link}: leave it out"
        raise SpecError(Problem(message, key_of(name)))
    if final.name not in LINKS or final.name != loss.link:
        return list(named), False
    rest: list[tuple[str, Layer]] = []
    if isinstance(layer, Weighted):
        rest = [(name, replace(layer, activation=Identity()))]
    return [*named[:-1], *rest], True


def _check_width(network: Network, name: str, width: int) -> None:
    *axes, given = network.output
    if axes:
        message = f"needs rows of numbers, got the shape {network.nodes[-1].inputs.shape}: put `flatten` in front"
        raise SpecError(Problem(message, key_of(name)))
    if given != width:
        message = f"gives {given} outputs, the target needs {width}: make it {width}, or leave out `output: none`"
        raise SpecError(Problem(message, key_of(name)))


def _layer(name: str, **options: Any) -> Layer:
    return registry.all("layers", Layer)[name](**options)


def _activation(name: str) -> Activation:
    return registry.all("layers", Activation)[name]()


def _initializer(name: str, **options: Any) -> Initializer:
    return registry.all("initializers", Initializer)[name](**options)


def _init(layer: Dense) -> Initializer:
    assert isinstance(layer.init, Initializer)
    return layer.init
