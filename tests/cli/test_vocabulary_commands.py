"""``nnctl list``, ``explain`` and ``schema``."""

from __future__ import annotations

import json

import pytest

from nnctl.component import KINDS, registry
from nnctl.console import explained
from nnctl.spec import dump, nodes


def test_list_json_names_every_component(nnctl):
    found = nnctl("list", "--json").json
    assert list(found) == list(KINDS)
    assert found == {kind: list(registry.all(kind)) for kind in KINDS}
    assert nnctl("list", "optimizers", "--json").json == {"optimizers": found["optimizers"]}


def test_list_prints_kinds_and_one_kind(nnctl):
    lines = nnctl("list").out.splitlines()
    assert [line.split()[0] for line in lines] == list(KINDS)
    layers = nnctl("list", "layers").out
    assert "dense " in layers
    assert "alias of identity" in layers


def test_an_unknown_kind_or_name_is_answered_with_what_was_meant(nnctl):
    result = nnctl("list", "optimizer")
    assert (result.code, result.out) == (2, "")
    assert "did you mean `optimizers`?" in result.err
    result = nnctl("explain", "tahn")
    assert (result.code, result.out) == (2, "")
    assert result.err == "command line: unknown name `tahn`, did you mean `tanh`?\n"


def test_every_component_is_explained_with_examples_that_are_yaml(nnctl):
    for kind in KINDS:
        for cls in registry.classes(kind):
            result = nnctl("explain", cls.name)
            assert result.code == 0, result.err
            assert f"{kind}: {cls.name}" in result.out
            _, _, examples = result.out.partition(f"{kind}: {cls.name}")
            _, _, examples = examples.partition("\nexamples\n")
            shown = examples.partition("\n\n")[0].splitlines()
            assert len(shown) == len(cls.examples)
            for example in shown:
                assert nodes.parse(example, "example").items


def test_a_name_in_several_kinds_is_explained_in_all_of_them(nnctl):
    out = nnctl("explain", "mse").out
    assert "losses: mse" in out
    assert "metrics: mse" in out


def test_every_key_is_explained(nnctl):
    for key in [*explained.keys(), "train.epochs", "data.target"]:
        result = nnctl("explain", key)
        assert (result.code, result.err) == (0, "")
        assert result.out.split()[0] == (key if explained.section_in(explained.option_at(key).annotation) else "option")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"type": "dense", "units": 3, "bias": False}, "{type: dense, units: 3, bias: false}"),
        ([[0.1, -2.0], []], "[[0.1, -2.0], []]"),
        (["", "NA", "null", "?", None, True, 1e-8], '["", NA, "null", "?", null, true, 1e-08]'),
    ],
)
def test_values_on_one_line_read_back(value, text):
    assert explained.flow(value) == text
    assert nodes.plain(nodes.parse(f"it: {text}", "text"))["it"] == value
    assert dump.dump({"it": value})


def test_schema_is_one_object(nnctl):
    result = nnctl("schema")
    assert json.loads(result.out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
