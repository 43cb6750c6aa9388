"""Layers that own layers, and the embedding of codes: shapes, names, keys of errors, and gradients together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nnctl.errors import SpecError
from nnctl.initializers.constant import Constant
from nnctl.layers import InputColumn, Layer
from nnctl.layers.concat import Concat
from nnctl.layers.dense import Dense
from nnctl.layers.dropout import Dropout
from nnctl.layers.embedding import Embedding
from nnctl.layers.flatten import Flatten
from nnctl.layers.relu import Relu
from nnctl.layers.reshape import Reshape
from nnctl.layers.residual import Residual
from nnctl.layers.tanh import Tanh
from nnctl.losses.mse import Mse
from nnctl.network.gradcheck import gradcheck
from nnctl.network.network import build
from nnctl.network.workspace import Workspace
from nnctl.preparing.architecture import Architecture, architecture
from nnctl.spec.schema import Model
from nnctl.testing.harness import dense, rows_for, targets
from nnctl.training.evaluation import rows_at_once

COLUMNS = (InputColumn("age", "number"), InputColumn("town", "code", 5), InputColumn("job", "code", 3))


def built(*layers: Layer, columns: tuple[InputColumn, ...] = COLUMNS) -> Architecture:
    return architecture(Model(layers=layers), Mse(), columns=columns, width=1)


def node_names(found: Architecture) -> list[str]:
    return [node.name for node in found.network.walk()]


def test_parameters_inside_a_block_are_named_by_their_place() -> None:
    block = Residual(layers=(Dense(units=4, activation=Relu()), Dense(units=7)))
    network = build([("layers.0", dense(5)), ("layers.1", replace(block, layers=(dense(4), dense(7))))], (3,))
    names = {segment.name for segment in network.segments}
    assert {"layers.1.layers.0.W", "layers.1.layers.1.b", "layers.1.projection.W"} <= names
    assert "layers.1.projection.b" not in names


def test_a_block_of_the_same_width_adds_its_input() -> None:
    network = build([("layers.0", Residual(layers=(Tanh(),))), ("output", dense(1))], (3,))
    assert network.nodes[0].plan.output == (3,)
    assert len(network.nodes[0].chains) == 1


@pytest.mark.parametrize(
    ("layers", "key"),
    [
        ((Residual(layers=(Dense(units=2),), projection=None),), "model.layers[0]"),
        ((Dense(units=2), Residual(layers=(Tanh(), Embedding()))), "model.layers[1].layers[1]"),
        ((Concat(branches=((Tanh(),), (Tanh(), Embedding()))),), "model.layers[0].branches[1][1]"),
        ((Concat(branches=()),), "model.layers[0].branches"),
    ],
)
def test_what_does_not_fit_inside_a_block_is_named_by_its_key(layers: tuple[Layer, ...], key: str) -> None:
    with pytest.raises(SpecError) as caught:
        built(*layers, columns=(InputColumn("a", "number"), InputColumn("b", "number"), InputColumn("c", "number")))
    assert [problem.key for problem in caught.value.problems] == [key]


def test_codes_get_an_embedding_where_no_layer_takes_them() -> None:
    found = built(Dense(units=3))
    assert node_names(found) == ["layers.0", "layers.1", "output"]
    assert isinstance(found.network.nodes[0].layer, Embedding)
    assert found.notes == ("an embedding is put first, for the codes of `town`, `job`",)


def test_codes_that_an_embedding_leaves_get_another_one() -> None:
    found = built(Embedding(columns=("job",), dim=2), Dense(units=3))
    assert [node.layer.name for node in found.network.nodes[:3]] == ["embedding", "embedding", "dense"]
    assert found.network.nodes[1].plan.output == (1 + 4 + 2,)


def test_every_branch_of_a_first_concat_gets_its_embedding() -> None:
    found = built(Concat(branches=((Embedding(),), (Dense(units=3),), ())))
    chains = found.network.nodes[0].chains
    assert [chain[0].layer.name for chain in chains] == ["embedding"] * 3


def test_keys_of_problems_do_not_count_the_added_embedding() -> None:
    with pytest.raises(SpecError) as caught:
        built(Dense(units=3), Residual(layers=(Dense(units=2),), projection=None))
    assert [problem.key for problem in caught.value.problems] == ["model.layers[1]"]


def test_an_embedding_that_is_not_first_says_so() -> None:
    with pytest.raises(SpecError, match="must be the first layer"):
        built(Dense(units=2), Embedding(), columns=COLUMNS[:1])


def test_an_unknown_column_of_an_embedding_is_listed_with_those_allowed() -> None:
    with pytest.raises(SpecError, match="`age` is no column of codes, allowed: `town`, `job`") as caught:
        built(Embedding(columns=("age",)))
    assert caught.value.problems[0].key == "model.layers[0].columns[0]"


def test_the_gradient_of_a_vector_is_the_sum_over_the_rows_of_its_level() -> None:
    network = build(
        [("layers.0", Embedding(dim=1)), ("output", Dense(units=1, init=Constant(value=1.0)))], (3,), COLUMNS
    )
    arena = network.arena(np.float64)
    arena.named(arena.theta)["output.W"][...] = 1.0
    run = Workspace(network, [Mse()], arena, 4, training=True).at(4)
    run.x[...] = [[0, 1, 0], [0, 1, 2], [0, 4, 0], [0, 1, 1]]
    run.t[...] = [[1], [2], [3], [4]]
    run.forward()
    run.backward()
    gradient = arena.named(arena.grad)["layers.0.W.town"][:, 0]
    assert gradient.tolist() == [0, -2 * (1 + 2 + 4) / 4, 0, 0, -2 * 3 / 4]


def test_an_automatic_width_follows_the_rule() -> None:
    network = build([("layers.0", Embedding()), ("output", dense(1))], (1,), (InputColumn("city", "code", 10_000),))
    assert network.nodes[0].plan.output == (50,)
    network = build([("layers.0", Embedding()), ("output", dense(1))], (1,), (InputColumn("city", "code", 7),))
    assert network.nodes[0].plan.output == (round(1.6 * 7**0.56),)


def test_the_gradients_of_embeddings_inside_branches_are_right() -> None:
    block = Residual(layers=(dense(4), Tanh(), Dropout(rate=0.3)))
    branches = Concat(branches=((Embedding(dim=2), block), (Embedding(columns=("job",)), Embedding(), dense(2))))
    network = build(
        [("layers.0", branches), ("layers.1", Residual(layers=(Tanh(),))), ("output", dense(3))], (3,), COLUMNS
    )
    for checked in gradcheck(network, Mse(), rows_for(network), targets()):
        assert checked.passed, f"{checked.name}: {checked.error}"


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (Model(hidden=(4,), norm="layer"), ["dense", "layer_norm", "relu", "dense"]),
        (Model(hidden=(4,), norm="batch", dropout=0.5), ["dense", "batch_norm", "relu", "dropout", "dense"]),
        (Model(hidden=(4,), residual=True), ["residual", "dense", "relu", "dense", "dense"]),
    ],
)
def test_the_shorthand_stands_for_these_layers(model: Model, names: list[str]) -> None:
    found = architecture(model, Mse(), columns=COLUMNS[:1], width=1)
    assert [node.layer.name for node in found.network.walk()] == names
    again = architecture(found.model, Mse(), columns=COLUMNS[:1], width=1)
    assert [node.layer for node in again.network.walk()] == [node.layer for node in found.network.walk()]


def test_a_large_image_is_evaluated_in_fewer_rows_at_once() -> None:
    small = build([("output", dense(3))], (5,))
    large = build(
        [("layers.0", Reshape(shape=(64, 64, 4))), ("layers.1", dense(32)), ("layers.2", Flatten())], (16384,)
    )
    assert (rows_at_once(small), rows_at_once(large)) == (4096, 8)


def test_the_planned_memory_is_what_a_workspace_allocates() -> None:
    network = build([("layers.0", dense(4)), ("layers.1", Residual(layers=(Tanh(),))), ("output", dense(2))], (3,))
    space = Workspace(network, [Mse()], network.arena(), 8, training=True)
    space.at(8)
    assert space.memory.bytes == sum(flat.nbytes for flat in space.memory.flat.values())
