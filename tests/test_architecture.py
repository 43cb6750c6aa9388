"""From the section ``model`` to a network: which lists are complete, which weights, and the keys of what is wrong."""

from __future__ import annotations

import pytest

from nnctl.errors import SpecError
from nnctl.layers import InputColumn
from nnctl.losses import Loss
from nnctl.losses.cross_entropy import CrossEntropy
from nnctl.losses.mse import Mse
from nnctl.preparing.architecture import Architecture, architecture
from nnctl.spec.binding import Binder
from nnctl.spec.nodes import parse
from nnctl.spec.problems import Problems
from nnctl.spec.schema import Model

NUMBERS = tuple(InputColumn(f"x{place}", "number") for place in range(12))
CODES = (InputColumn("age", "number"), InputColumn("town", "code", 5))


def built(
    layers: str, loss: Loss | None = None, columns: tuple[InputColumn, ...] = NUMBERS, width: int = 3
) -> Architecture:
    problems = Problems()
    model: Model = Binder(problems).section(Model, parse(f"layers: {layers}", "written"), ())
    problems.raise_if_any()
    return architecture(model, loss or CrossEntropy(), columns=columns, width=width)


def keys(layers: str, columns: tuple[InputColumn, ...] = CODES) -> list[str]:
    with pytest.raises(SpecError) as caught:
        built(layers, columns=columns)
    return [problem.key for problem in caught.value.problems]


@pytest.mark.parametrize(
    "layers",
    [
        "[{type: dense, units: 3}, softmax]",
        "[{type: dense, units: 3, activation: softmax}]",
        "[{type: reshape, shape: [2, 2, 3]}, {type: conv2d, filters: 3, kernel: 1}, global_avg_pool, softmax]",
        "[{type: reshape, shape: [4, 3]}, {type: gru, units: 3}, softmax]",
        "[{type: residual, layers: [{type: dense, units: 3}]}, softmax]",
    ],
)
def test_a_list_that_ends_in_the_link_at_the_targets_width_is_complete(layers: str) -> None:
    found = built(layers)
    assert found.network.nodes[-1].name != "output"
    assert "the layers end in softmax of the target's width: no output layer is added" in found.notes


@pytest.mark.parametrize(
    "layers",
    [
        "[{type: dense, units: 3}, {type: concat, branches: [[], [tanh]]}, softmax]",
        "[{type: dense, units: 5, activation: softmax}]",
    ],
)
def test_a_link_of_another_width_gets_an_output_layer_and_a_note(layers: str) -> None:
    found = built(layers)
    assert found.network.nodes[-1].name == "output"
    assert any("an output layer is added behind it" in note for note in found.notes)


@pytest.mark.parametrize(
    ("layers", "init"),
    [
        ("[{type: dense, units: 4}, relu]", "he_normal"),
        ("[{type: dense, units: 4}, batch_norm, {type: dropout}, relu]", "he_normal"),
        ("[{type: dense, units: 12}, {type: reshape, shape: [4, 3]}, {type: gru, units: 4}, relu]", "glorot_uniform"),
        ("[{type: dense, units: 4}, selu]", "lecun_normal"),
    ],
)
def test_automatic_weights_suit_the_activation_that_reads_them(layers: str, init: str) -> None:
    first = (built(layers).model.layers or ())[0]
    assert first.init.name == init  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("layers", "key"),
    [
        ("[{type: dense, units: 3}, {type: dense, units: 3, activation: sigmoid}]", "model.layers[1]"),
        ("[{type: dense, units: 3, init: {type: values, values: [1.0]}}, relu]", "model.layers[0].init"),
        ("[relu, {type: dense, units: 3, bias_init: identity}]", "model.layers[1].bias_init"),
        (
            "[{type: concat, branches: [[], [relu, {type: dense, units: 2, init: {type: values, values: [1.0]}}]]}]",
            "model.layers[0].branches[1][1].init",
        ),
        ("[{type: dropout, rate: 0.1}, embedding]", "model.layers[1]"),
        ("[{type: embedding, columns: [town, town]}]", "model.layers[0].columns[1]"),
    ],
)
def test_keys_are_those_of_the_file_where_an_embedding_was_put_first(layers: str, key: str) -> None:
    assert keys(layers) == [key]


def test_an_initializer_that_does_not_fit_is_found_without_drawing_a_number() -> None:
    with pytest.raises(SpecError, match="the numbers have the shape"):
        built("[{type: dense, units: 3, init: {type: values, values: [[1.0]]}}]", Mse())
