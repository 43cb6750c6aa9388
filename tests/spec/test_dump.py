"""Values as YAML text, and which text is which value."""

import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nnctl.spec import nodes
from nnctl.spec.dump import dump
from nnctl.spec.nodes import Scalar, parse, plain
from nnctl.spec.scalars import resolve, scalar_text

CONFUSING = [
    "no",
    "on",
    "1e-3",
    "0o17",
    "0x1F",
    "010",
    "12:30",
    "null",
    "~",
    "",
    ".inf",
    ".nan",
    "true",
    "<<",
    "=",
    "- a",
]
CONFUSING += [
    "${env:A}",
    "a: b",
    "#",
    "a #b",
    "'",
    '"',
    "*a",
    "&a",
    "!a",
    "@",
    "?",
    "-",
    "a\nb",
    " a ",
    "\u2028",
    "1" * 5_000,
]
texts = (
    st.sampled_from(CONFUSING)
    | st.text()
    | st.text(alphabet="ab:#-?,[]{}'\" \n\t&*!|>%@`~0.e+x\x85\ufeff😀", max_size=12)
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return math.copysign(1, a) == math.copysign(1, b) and a == b if not math.isnan(a) else math.isnan(b)
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


@given(values)
def test_what_is_written_is_read_back(value):
    assert same(plain(parse(dump({"value": value}), "a.yaml")), {"value": value})


@given(values)
def test_what_is_written_is_read_back_without_libyaml_too(value):
    loader, nodes._LOADER = nodes._LOADER, yaml.SafeLoader
    try:
        assert same(plain(parse(dump({"value": value}), "a.yaml")), {"value": value})
    finally:
        nodes._LOADER = loader


@given(scalars.filter(lambda value: not isinstance(value, str)))
def test_the_text_of_a_scalar_is_read_as_that_scalar(value):
    assert same(resolve(scalar_text(value)), value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[(text, None) for text in ["", "~", "null", "Null", "NULL"]],
        *[(text, True) for text in ["true", "True", "TRUE"]],
        *[(text, False) for text in ["false", "False", "FALSE"]],
        *[("0", 0), ("010", 10), ("-12", -12), ("+12", 12), ("0o17", 15), ("0x1F", 31), ("9" * 40, int("9" * 40))],
        *[("1e-3", 0.001), (".5", 0.5), ("5.", 5.0), ("-1.5E+2", -150.0), ("1e3", 1000.0), ("+.5", 0.5)],
        *[(".inf", math.inf), ("-.Inf", -math.inf), ("+.INF", math.inf), (".nan", math.nan), (".NaN", math.nan)],
    ],
)
def test_plain_text_is_read_by_the_core_schema(text, value):
    assert same(resolve(text), value)


@pytest.mark.parametrize(
    "text",
    ["no", "yes", "on", "off", "y", "12:30", "1_000", "0b1", "0o8", "-0x1", "nUll", "tRue", "inf", "nan", "-.nan", "1e",
     ".", "+", "-", "1.2.3", "2020-01-01", "=", "<<", "٣", "1\n"],
)  # fmt: skip
def test_all_other_text_is_text(text):
    assert resolve(text) == text


def test_a_number_too_long_for_python_is_text():
    assert resolve("1" * 5_000) == "1" * 5_000


def test_mappings_are_blocks_in_their_own_order_and_short_lists_stand_on_one_line():
    value = {
        "seed": 0,
        "model": {"hidden": [64, 64], "layers": [{"type": "dense", "units": 3}, "batch_norm"]},
        "id": [],
    }
    assert dump(value) == (
        "seed: 0\nmodel:\n  hidden: [64, 64]\n  layers:\n    - type: dense\n      units: 3\n    - batch_norm\nid: []\n"
    )


def test_floats_are_written_as_short_as_they_can_be():
    assert dump({"a": [0.1, 1e-3, 1e-5, 1e22, 2.0, math.inf, -math.inf, math.nan]}) == (
        "a: [0.1, 0.001, 1e-05, 1e+22, 2.0, .inf, -.inf, .nan]\n"
    )


def test_text_that_reads_like_another_value_is_quoted_and_other_text_is_not():
    value = {"a": "1e-3", "b": "no", "c": "0o17", "d": "0", "e": "null", "0": "", "g": "Ünï 😀", "h": "12:30"}
    assert dump(value) == "a: '1e-3'\nb: no\nc: '0o17'\nd: '0'\ne: 'null'\n'0': ''\ng: Ünï 😀\nh: 12:30\n"


def test_long_text_stays_on_one_line():
    assert dump({"a": "word " * 100 + "end"}).count("\n") == 1


def test_a_value_that_stands_twice_is_written_twice():
    shared = [1, 2]
    assert dump({"a": shared, "b": shared}) == "a: [1, 2]\nb: [1, 2]\n"


def test_the_word_none_is_kept_apart_from_null() -> None:
    text = dump({"label": "none", "nothing": None})
    assert text == "label: 'none'\nnothing: null\n"
    label = parse(text, "written").items["label"]
    assert isinstance(label, Scalar)
    assert (label.value, label.quoted) == ("none", True)
