"""The JSON Schema: it accepts what nnctl accepts, and refuses what nnctl can see to be wrong without the data."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from nnctl.component import KINDS, registry
from nnctl.console.explained import PLACES
from nnctl.spec import nodes
from nnctl.spec.json_schema import json_schema

ROOT = Path(__file__).parent.parent.parent
SCHEMA = json_schema()
TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
    "number": int | float,
    "integer": int,
}
LIMITS = {
    "minimum": lambda value, limit: value >= limit,
    "exclusiveMinimum": lambda value, limit: value > limit,
    "maximum": lambda value, limit: value <= limit,
    "exclusiveMaximum": lambda value, limit: value < limit,
}
NOTES = {"$schema", "$defs", "title", "description", "default"}
START = "data: {path: a.csv, target: y}\n"


def valid(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a value fits: the keywords of draft 2020-12 that our schema uses, and no other."""
    return all(_fits(value, keyword, schema) for keyword in schema if keyword not in NOTES)


def _fits(value: Any, keyword: str, schema: dict[str, Any]) -> bool:
    wanted = schema[keyword]
    match keyword:
        case "$ref":
            return valid(value, SCHEMA["$defs"][wanted.removeprefix("#/$defs/")])
        case "anyOf":
            return any(valid(value, each) for each in wanted)
        case "enum" | "const":
            allowed = wanted if keyword == "enum" else [wanted]
            return any(value == each and isinstance(value, bool) == isinstance(each, bool) for each in allowed)
        case "type":
            return any(_is(value, each) for each in ([wanted] if isinstance(wanted, str) else wanted))
        case "pattern":
            return not isinstance(value, str) or re.search(wanted, value) is not None
        case "if":
            return valid(value, schema.get("then" if valid(value, wanted) else "else", {}))
        case "then" | "else":
            return True
        case _ if keyword in LIMITS:
            return not _is(value, "number") or LIMITS[keyword](value, wanted)
        case _ if isinstance(value, list):
            return _fits_list(value, keyword, wanted)
        case _ if isinstance(value, dict):
            return _fits_mapping(value, keyword, wanted, schema)
    assert keyword in ("items", "prefixItems", "minItems", "properties", "required", "additionalProperties"), keyword
    return True


def _fits_list(value: list[Any], keyword: str, wanted: Any) -> bool:
    match keyword:
        case "items":
            return all(valid(item, wanted) for item in value)
        case "prefixItems":
            return all(valid(item, each) for item, each in zip(value, wanted, strict=False))
        case "minItems":
            return len(value) >= wanted
    return True


def _fits_mapping(value: dict[str, Any], keyword: str, wanted: Any, schema: dict[str, Any]) -> bool:
    match keyword:
        case "properties":
            return all(valid(value[name], each) for name, each in wanted.items() if name in value)
        case "required":
            return set(wanted) <= value.keys()
        case "additionalProperties":
            rest = [item for name, item in value.items() if name not in schema.get("properties", {})]
            return not rest if wanted is False else all(valid(item, wanted) for item in rest)
    return True


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def read(text: str) -> Any:
    return nodes.plain(nodes.parse(text, "text"))


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_config_fits(path):
    assert valid(read(path.read_text()), SCHEMA)


def test_a_resolved_config_fits(nnctl):
    assert valid(read(nnctl("check", "it.yaml", "--resolved").out), SCHEMA)


def test_every_example_of_a_component_fits_in_its_place():
    for kind in set(KINDS) & PLACES.keys():
        for cls in registry.classes(kind):
            for example in cls.examples:
                key = f"{kind}.{cls.name}"
                definition = SCHEMA["$defs"].get(key) or SCHEMA["$defs"][f"{key}.usual"]
                assert valid({"type": cls.name, **example}, definition)
                assert not valid({"type": cls.name, **example, "nothing": 1}, definition)


@pytest.mark.parametrize(
    "text",
    [
        "extends: base.yaml\n",
        START + "name: 5\nmodel: null\nearly_stopping: none\nregularization: none\n",
        START + "optimizer: {lr: 0.5}\nloss: mse\nmodel: {activation: {slope: 0.1, type: leaky_relu}}\n",
        START + "optimizer: {lr: '${env:LR}'}\ntrain: {epochs: '${env:EPOCHS}', batch_size: full}\n",
        "data: {path: a.csv, target: [y, z], positive: 1, split: none, columns: {a: {encode: ordinal, order: [1, 2]}}}",
        START + "model: {layers: [{type: dense, units: 3, activation: tanh}, relu], output: none}\n",
        "data: {path: a.csv, target: y, numeric: {missing: {constant: 0}, clip: [null, 3]}}",
        "data: {path: a.csv, target: y, columns: {a: {scale: none}}}",
        "data: {path: a.csv, target: y, columns: {a: {type: date, encode: {type: parts, parts: [month]}}}}",
        START + "sweep: {method: tpe, metric: {name: val_loss, goal: minimize}, run_cap: 9, parameters: {"
        "optimizer.lr: {distribution: log_uniform_values, min: 1e-4, max: 1}, "
        "model.hidden: {values: [[8], none]}, seed: {value: 1}}}",
    ],
)
def test_what_nnctl_reads_fits(text):
    assert valid(read(text), SCHEMA)


@pytest.mark.parametrize(
    "text",
    [
        "seed: 1\n",
        "data: {path: a.csv}\n",
        START + "tran: {epochs: 1}\n",
        START + "train: {epochs: 0}\n",
        START + "train: {epochs: 1.5}\n",
        START + "train: {shuffle: maybe}\n",
        START + "train: {on_nan: leave}\n",
        START + "optimizer: tahn\n",
        START + "optimizer: {type: adam, momentum: 0.9}\n",
        START + "optimizer: {momentum: 0.9}\n",
        START + "model: {layers: [dense]}\n",
        START + "model: {layers: [{units: 3}]}\n",
        START + "model: {activation: dense}\n",
        START + "model: {hidden: [0]}\n",
        START + "checkpoint: {keep: 0}\n",
        START + "sweep: {method: bayes}\n",
        START + "sweep: {parameters: {optimizer.lr: [1, 2]}}\n",
        "data: {path: a.csv, target: y, numeric: {missing: {constant: x}}}",
        "data: {path: a.csv, target: y, numeric: {missing: {constant: 0, value: 0}}}",
    ],
)
def test_what_nnctl_refuses_does_not_fit(text):
    assert not valid(read(text), SCHEMA)


def test_every_key_has_a_description():
    for name, definition in SCHEMA["$defs"].items():
        for key, value in definition.get("properties", {}).items():
            assert (key == "type" and name.count(".")) or value["description"], f"{name}: {key}"
