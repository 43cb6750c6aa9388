"""``train --profile``: where the time went, without a trace in what is trained."""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter

import numpy as np
import pytest

import nnctl as library
from nnctl.component import registry
from nnctl.console.profile import lines
from nnctl.layers import Layer
from nnctl.losses.mse import Mse
from nnctl.running.beginning import training
from nnctl.running.loop import Finished
from nnctl.running.profile import LayerTime, Profile
from nnctl.running.profiling import PARTS, Profiler
from nnctl.runs import atomic
from nnctl.testing.harness import BATCH, around, made, prepared, rows_for
from tests.tables import experiment

LAYERS = {
    "model": {
        "layers": [
            {"type": "dense", "units": 4, "activation": "relu"},
            {"type": "residual", "layers": ["batch_norm", {"type": "dense", "units": 4}, "tanh"]},
        ]
    }
}


@pytest.fixture
def config(in_folder):
    return experiment(in_folder)


def trained(config, **options):
    return library.train(config, {**LAYERS, "train.epochs": 3, "checkpoint.every": "1 epochs"}, **options)


def test_the_numbers_are_the_same_bits_with_and_without(config):
    plain, measured = trained(config), trained(config, profile=True)
    assert plain.profile is None
    assert plain.metrics == measured.metrics
    one, other = (library.load(run).arena for run in (plain, measured))
    assert np.array_equal(one.theta, other.theta)
    assert np.array_equal(one.stats, other.stats)


def test_every_part_is_measured_and_all_add_up_to_the_whole(config):
    found = trained(config, profile=True).profile
    assert list(found.parts) == list(PARTS)
    assert all(seconds > 0 for seconds in found.parts.values()), found.parts
    assert sum(found.parts.values()) == pytest.approx(found.seconds, rel=1e-9)
    outer = sum(layer.forward + layer.backward for layer in found.layers if layer.depth == 0)
    assert outer == pytest.approx(found.parts["layers"], rel=1e-9)
    assert sum(found.loss) == pytest.approx(found.parts["loss"], rel=1e-9)
    assert 0 < found.products < found.parts["layers"] + found.parts["evaluation"]


def test_layers_stand_in_the_order_of_the_network_and_hold_those_inside(config):
    found = trained(config, profile=True).profile.layers
    names = [f"{'  ' * layer.depth}{layer.name} {layer.type}" for layer in found]
    assert names == [
        "layers.0 dense",
        "layers.0.activation relu",
        "layers.1 residual",
        "  layers.1.layers.0 batch_norm",
        "  layers.1.layers.1 dense",
        "  layers.1.layers.2 tanh",
        "output dense",
    ]
    assert all(layer.forward > 0 and layer.backward > 0 for layer in found)
    composite, *inside = found[2:6]
    assert composite.forward > sum(layer.forward for layer in inside)
    assert composite.backward > sum(layer.backward for layer in inside)


def test_what_runs_inside_something_else_counts_for_itself_alone():
    profiler = Profiler(clock=itertools.count().__next__)  # a second passes from one look at the clock to the next
    profiler._begun = 0.0
    inner = profiler.timed(lambda: None, "fsync")
    outer = profiler.timed(lambda: (inner(), inner()), "saves")
    outer()
    found = profiler.profile()
    assert found.parts["fsync"] == 2
    assert found.parts["saves"] == 5 - 2
    assert found.seconds == 6
    assert found.parts["other"] == 1


def test_the_checks_inside_a_line_search_are_measured(config):
    searching = {"optimizer": "lbfgs", "train.batch_size": "full"}
    found = library.train(config, {**LAYERS, **searching, "train.epochs": 3}, profile=True).profile
    assert found.parts["check"] > 0
    assert found.parts["optimizer"] > 0


def test_folds_are_measured_together(config):
    events = training(str(config), [f"model={json.dumps(LAYERS['model'])}", "train.epochs=3"], folds=2, together=False)
    profiler = Profiler(clock=itertools.count().__next__)  # so that both folds take equally long
    one, two, both = (event.run.profile for event in profiler.over(events) if isinstance(event, Finished))
    assert 0 < 1.9 * one.parts["layers"] < two.parts["layers"] == both.parts["layers"] < 2.1 * one.parts["layers"]
    assert one.seconds < two.seconds < both.seconds == sum(both.parts.values())
    assert trained(config, folds=2, profile=True).as_json()["profile"]["parts"].keys() == both.parts.keys()


def test_no_clock_is_left_behind_in_what_lives_longer_than_a_run(config):
    before = atomic.fsync
    trained(config, profile=True)
    assert atomic.fsync is before
    with pytest.raises(library.NnctlError):
        trained(config, profile=True, name="a/b")
    assert atomic.fsync is before


class Counting:
    """A timer that counts the multiplications of matrix products, by the layer and way that they run in."""

    def __init__(self) -> None:
        self.found: Counter[tuple[str, str]] = Counter()
        self.now = ("", "")

    def layer(self, node, way, run):
        def running(slot):
            before, self.now = self.now, (node.name, way)
            run(slot)
            self.now = before

        return running

    def loss(self, way, run):
        return run

    def product(self, product):
        def counting(a, b, out):
            self.found[self.now] += out.size * a.shape[-1]
            return product(a, b, out)

        return counting


@pytest.mark.parametrize("cls", registry.classes("layers", Layer), ids=lambda cls: cls.name)
def test_the_products_of_every_layer_with_matrices_are_measured(cls):
    for example in cls.examples:
        network = around(made(cls, example))
        space = prepared(network, [Mse()], BATCH)
        space.timer = counting = Counting()
        run = space.at(BATCH)
        run.x[...], run.t[...] = rows_for(network), 0
        run.forward()
        run.backward()
        for node in network.walk():
            own = node.plan.parameters
            size = sum(math.prod(own[name].shape) for name in own if name.startswith(("W", "R")) and "." not in name)
            for way in ("forward", "backward") if size else ():
                # The first h of a recurrent layer is 0, and its product is left out.
                assert counting.found[node.name, way] >= BATCH * size, f"{cls.name} {example}: {node.name} {way}"


def report() -> Profile:
    parts = dict(
        zip(PARTS, (0.41, 2.5, 0.1, 0.02, 0.28, 0.05, 0.01, 0.2, 0.03, 0.02, 0.1, 0.08, 0.0, 0.2), strict=True)
    )
    layers = (
        LayerTime("layers.0", "conv2d", 0, 0.6, 0.9),
        LayerTime("layers.0.activation", "leaky_relu", 0, 0.1, 0.05),
        LayerTime("layers.1", "residual", 0, 0.3, 0.4),
        LayerTime("layers.1.layers.0", "dense", 1, 0.2, 0.25),
        LayerTime("layers.1.layers.1", "concat", 1, 0.05, 0.05),
        LayerTime("layers.1.layers.1.branches.0.0", "dense", 2, 0.025, 0.025),
        LayerTime("layers.1.projection", "a_layer_of_a_package_with_quite_a_name", 1, 0.05, 0.1),
        LayerTime("output", "dense", 0, 0.05, 0.1),
    )
    return Profile(sum(parts.values()), parts, layers, (0.06, 0.04), 1.5)


def test_the_table_fits_into_80_columns(golden):
    text = "\n".join(lines(report())) + "\n"
    assert max(map(len, text.splitlines())) <= 80
    golden("profile.txt", text)


def test_json_holds_the_figures_and_only_where_they_are_asked_for(nnctl):
    result = nnctl("train", "it.yaml", "--json", "--profile")
    found = result.json["profile"]
    assert list(found) == ["seconds", "parts", "products", "layers"]
    assert list(found["parts"]) == list(PARTS)
    assert [list(layer) for layer in found["layers"]] == [["name", "type", "forward", "backward"]] * len(
        found["layers"]
    )
    assert "layers.0 dense" in result.err
    assert "profile" not in nnctl("train", "it.yaml", "--json").json


def test_what_was_trained_earlier_has_nothing_to_measure(nnctl):
    said = "--profile: nothing was trained, so there is nothing to measure"
    assert said not in nnctl("train", "it.yaml", "--once", "--profile").err
    again = nnctl("train", "it.yaml", "--once", "--profile", "--json")
    assert again.code == 0
    assert said in again.err.splitlines()
    assert "profile" not in again.json
    assert said not in nnctl("train", "it.yaml", "--once").err


def test_quiet_leaves_no_place_for_the_table(nnctl):
    result = nnctl("train", "it.yaml", "--profile", "-q")
    assert (result.code, result.out) == (2, "")
    assert "--profile: prints a table, which `-q` leaves out" in result.err
    both = nnctl("train", "it.yaml", "--profile", "-q", "--json")
    assert (both.code, both.err) == (0, "")
    assert both.json["profile"]["parts"]["optimizer"] > 0
