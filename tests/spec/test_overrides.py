"""Overrides from the command line and from Python, and files laid over files."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.errors import Place, Problem, SpecError
from nnctl.spec.dump import dump
from nnctl.spec.nodes import Mapping, Scalar, parse, plain
from nnctl.spec.overrides import COMMAND_LINE, FROM_PYTHON, assigned, from_plain, merge, override
from nnctl.spec.problems import format_key

BASE = """\
seed: 0
data:
  path: a.csv
  columns: {pm2.5: {scale: robust}}
model:
  layers:
    - {type: dense, units: 64}
    - batch_norm
optimizer: adam
schedule: {type: step, every: 10}
early_stopping: none
loss: null
train: {epochs: 5, shuffle: true}
"""


def changed(*assignments, base=BASE):
    return plain(override(parse(base, "a.yaml"), assignments))


def refused(assignments, base=BASE) -> str:
    with pytest.raises(SpecError) as caught:
        override(parse(base, "a.yaml"), assignments)
    return str(caught.value)


def found_in(root: Mapping, assignment: str) -> list[Problem]:
    """The problems of an assignment that may as well have none."""
    try:
        plain(override(root, [assignment]))
    except SpecError as error:
        return error.problems
    return []


@pytest.mark.parametrize(
    ("assignment", "section", "value"),
    [
        ("seed=7", "seed", 7),
        ("seed=", "seed", None),
        ("name=no", "name", "no"),
        ("name='7'", "name", "7"),
        ("name=a=b", "name", "a=b"),
        ("train.epochs=1e2", "train", {"epochs": 100.0, "shuffle": True}),
        ("model.layers[0].units=3", "model", {"layers": [{"type": "dense", "units": 3}, "batch_norm"]}),
        ("model.layers[1]=relu", "model", {"layers": [{"type": "dense", "units": 64}, "relu"]}),
        ("model.layers[1].a=1", "model", {"layers": [{"type": "dense", "units": 64}, {"type": "batch_norm", "a": 1}]}),
        ("model.layers=[relu]", "model", {"layers": ["relu"]}),
        ('data.columns["pm2.5"].scale=none', "data", {"path": "a.csv", "columns": {"pm2.5": {"scale": "none"}}}),
        ("data.columns['a=b']=x", "data", {"path": "a.csv", "columns": {"pm2.5": {"scale": "robust"}, "a=b": "x"}}),
        ("metrics=[f1, accuracy]", "metrics", ["f1", "accuracy"]),
    ],
)  # fmt: skip
def test_one_assignment_sets_one_key(assignment, section, value):
    expected = plain(parse(BASE, "a.yaml")) | {section: value}
    assert changed(assignment) == expected


def test_a_key_below_text_makes_the_text_the_type():
    root = override(parse(BASE, "a.yaml"), ["optimizer.lr=0.1"])
    optimizer = root.items["optimizer"]
    assert plain(optimizer) == {"type": "adam", "lr": 0.1}
    assert optimizer.place == optimizer.items["type"].place == Place("a.yaml", 9, 12)
    assert optimizer.items["lr"].place == optimizer.keys["lr"] == COMMAND_LINE


@pytest.mark.parametrize("key", ["loss", "early_stopping", "regularization"])
def test_a_key_below_null_none_or_nothing_makes_a_mapping(key):
    assert changed(f"{key}.a.b=1")[key] == {"a": {"b": 1}}


def test_text_over_a_mapping_sets_only_its_type():
    assert changed("schedule=cosine")["schedule"] == {"type": "cosine", "every": 10}
    assert changed("train=x")["train"] == {"epochs": 5, "shuffle": True, "type": "x"}


@pytest.mark.parametrize(
    ("value", "expected"), [("null", None), ("none", "none"), ("{type: x}", {"type": "x"}), ("[1]", [1]), ("5", 5)]
)
def test_null_none_numbers_lists_and_mappings_replace_a_mapping(value, expected):
    assert changed(f"schedule={value}")["schedule"] == expected


def test_the_later_of_two_assignments_to_one_key_wins():
    assert changed("seed=1", "seed=2")["seed"] == 2
    assert changed("optimizer={type: sgd, lr: 1}", "optimizer=rprop")["optimizer"] == "rprop"
    assert changed("train.epochs=1", "train={epochs: 2}", "train['epochs']=3")["train"] == {"epochs": 3}


def test_what_was_overridden_knows_it_came_from_the_command_line_and_the_rest_does_not():
    root = override(parse(BASE, "a.yaml"), ["train.epochs={a: [1]}"])
    train = root.items["train"]
    assert train.place == Place("a.yaml", 13, 8)
    assert train.items["epochs"].items["a"].items[0].place == COMMAND_LINE
    assert train.items["shuffle"].place == Place("a.yaml", 13, 29)


def test_the_tree_that_was_given_is_left_alone():
    root = parse(BASE, "a.yaml")
    override(root, ["model.layers[0].units=3", "optimizer.lr=1", "new.a=1", "schedule=cosine"])
    assert root == parse(BASE, "a.yaml")


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("optimizer.lr", "optimizer.lr: expected KEY=VALUE, got `optimizer.lr`"),
        ("=5", 'expected a key such as `a.b`, `a[0].b` or `a["b.c"]`, got ``'),
        ("a..b=5", 'a..b: expected a key such as `a.b`, `a[0].b` or `a["b.c"]`, got `a..b`'),
        ("[0]=5", "[0]: a key starts with a name, the experiment is no list"),
        ("train.epochs.x=5", "train.epochs.x: `train.epochs` is `5`, it has no keys"),
        ("train.shuffle.x=5", "train.shuffle.x: `train.shuffle` is `true`, it has no keys"),
        (
            "model.layers.units=5",
            "model.layers.units: `model.layers` is a list, it has no keys; an item is `model.layers[0].units`",
        ),
        ("model.layers[2].units=5", "model.layers[2].units: `model.layers` has 2 items, counted from `[0]`"),
        ("model.hidden[0]=5", "model.hidden[0]: `model.hidden` is not set, `[0]` needs a list"),
        ("optimizer[0]=5", "optimizer[0]: `optimizer` is `adam`, `[0]` needs a list"),
        ("train[0]=5", "train[0]: `train` is a mapping, `[0]` needs a list"),
        ("train={a: 1, a: 2}", "train.a: is written twice, first at command line, keep one"),
        ("a=[*x]", "a[0]: `*x`: anchors are not supported, use `extends` to share, or quotes for text"),
        ("name=x # y", "name: YAML cannot read `x # y` as it is; write 'name=\"x # y\"'"),
        ("a.delimiter= ", "a.delimiter: YAML cannot read ` ` as it is; write 'a.delimiter=\" \"'"),
        ("a.delimiter=|", "a.delimiter: YAML cannot read `|` as it is; write 'a.delimiter=\"|\"'"),
        (
            "data.columns.d.format=%d.%m.%Y",
            "data.columns.d.format: YAML cannot read `%d.%m.%Y` as it is; write 'data.columns.d.format=\"%d.%m.%Y\"'",
        ),
        (
            "optimizer=lr: 1",
            "optimizer: put text with signs of YAML in quotes, write a mapping as `{a: 1}`, a list as `[1, 2]`",
        ),
        ("a=[1", "a: expected `,` or the end of the brackets opened on line 1"),
        ("a=\udcff", "a: the character U+DCFF can be written only as an escape in double quotes"),
    ],
)  # fmt: skip
def test_an_assignment_that_does_not_fit_says_why(assignment, message):
    assert refused([assignment]) == f"command line: {message}"


def test_one_item_is_counted_as_one():
    assert refused(["a[1]=0"], "a: [x]") == "command line: a[1]: `a` has 1 item, counted from `[0]`"


def test_all_wrong_assignments_are_told_at_once():
    message = refused(["seed", "train.epochs.x=1", "model.layers[9]=relu", "a=[1", "seed=3"])
    assert [line.split(": ")[1] for line in message.splitlines()] == ["seed", "a", "train.epochs.x", "model.layers[9]"]


def test_text_that_is_no_list_of_assignments_is_one_assignment():
    assert plain(override(parse("a: 1", "a.yaml"), "a=2")) == {"a": 2}


def test_assignments_are_known_by_key_and_plain_value():
    assert assigned(["a.b=1e-3", "c['d.e']=[x]", "a['b']=2"]) == {'c["d.e"]': ["x"], "a.b": 2}
    assert assigned({"a.b": (1, 2)}) == {"a.b": [1, 2]}


def test_values_from_python_are_taken_as_they_are():
    values = {
        "optimizer.lr": np.float32(0.5), "seed": np.int64(3), "train.shuffle": np.bool_(False), "name": "1e-3",
        "data.path": Path("x") / "y.csv", "model.hidden": (8, 8), "loss.class_weight": {0: 1.0, "a": None},
        "metrics": np.array([1, 2]), 'data.columns["a.b"]': "text",
    }  # fmt: skip
    root = override(parse("optimizer: adam\n", "a.yaml"), values)
    assert plain(root) == {
        "optimizer": {"type": "adam", "lr": 0.5},
        "seed": 3,
        "train": {"shuffle": False},
        "name": "1e-3",
        "data": {"path": str(Path("x") / "y.csv"), "columns": {"a.b": "text"}},
        "model": {"hidden": [8, 8]},
        "loss": {"class_weight": {"0": 1.0, "a": None}},
        "metrics": [1, 2],
    }
    assert root.items["optimizer"].items["lr"].place == FROM_PYTHON


def test_none_from_python_means_null():
    assert plain(override(parse("a: {type: x, b: 1}", "a.yaml"), {"a": "none"})) == {"a": "none"}


def test_a_value_that_yaml_does_not_have_is_refused():
    message = "must be None, a boolean, a number, text, a list or a mapping"
    assert refused({"seed": object(), "a.b": [{1}], "a.": 1}) == (
        f"overrides: seed: {message}, got `object`\n"
        f"overrides: a.b: {message}, got `set`\n"
        'overrides: a.: expected a key such as `a.b`, `a[0].b` or `a["b.c"]`, got `a.`'
    )


def test_a_list_that_holds_itself_is_refused():
    endless: list = []
    endless.append(endless)
    assert refused({"a": endless}) == "overrides: a: must be nested at most 64 deep, is deeper"


@pytest.mark.parametrize(
    ("base", "over", "merged"),
    [
        ("a: 1\nb: 2", "b: 3\nc: 4", {"a": 1, "b": 3, "c": 4}),
        ("a: {b: {c: 1, d: 2}}", "a: {b: {d: 3}}", {"a": {"b": {"c": 1, "d": 3}}}),
        ("a: [1, 2]", "a: [3]", {"a": [3]}),
        ("a: {type: x, b: 1}", "a: y", {"a": {"type": "y", "b": 1}}),
        ("a: x", "a: {b: 1}", {"a": {"type": "x", "b": 1}}),
        ("a: x", "a: {type: y, b: 1}", {"a": {"type": "y", "b": 1}}),
        ("a: {type: x, b: 1}", "a: {type: y}", {"a": {"type": "y", "b": 1}}),
        ("a: {b: 1}", "a: null", {"a": None}),
        ("a: {b: 1}", "a: none", {"a": "none"}),
        ("a: {b: 1}", "a: [1]", {"a": [1]}),
        ("a: none", "a: {b: 1}", {"a": {"b": 1}}),
        ("a: null", "a: {b: 1}", {"a": {"b": 1}}),
        ("a: 5", "a: {b: 1}", {"a": {"b": 1}}),
    ],
)
def test_a_file_is_laid_over_its_parent(base, over, merged):
    assert plain(merge(parse(base, "base.yaml"), parse(over, "over.yaml"))) == merged


def test_merged_nodes_keep_the_places_of_their_own_files():
    root = merge(parse("a: {b: 1, c: 2}\nd: x", "base.yaml"), parse("a: {c: 3}\nd: {e: 1}", "over.yaml"))
    a, d = root.items["a"], root.items["d"]
    assert [a.items[key].place.source for key in "bc"] == ["base.yaml", "over.yaml"]
    assert [a.keys[key].source for key in "bc"] == ["base.yaml", "over.yaml"]
    assert [d.items[key].place.source for key in ("type", "e")] == ["base.yaml", "over.yaml"]


trees = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
mappings = st.dictionaries(st.text(max_size=4), trees, max_size=3)


@given(mappings, mappings)
def test_nothing_that_the_child_says_is_lost(base, over):
    merged = plain(merge(from_plain(base, Place("b")), from_plain(over, Place("o"))))
    assert set(merged) == set(base) | set(over)
    assert all(merged[key] == over[key] for key in over if not isinstance(over[key], dict | str))


@given(
    mappings,
    st.lists(st.text(max_size=4), min_size=1, max_size=4),
    trees.filter(lambda tree: not isinstance(tree, str)),
)
def test_what_is_set_can_be_read_back(base, parts, value):
    root = from_plain(base, Place("a.yaml"))
    text = dump({"v": value})
    if "\n" in text.rstrip("\n") or '"' in text:  # one value on the command line is written on one line
        return
    assignment = f"{format_key(parts)}={text[3:].strip()}"
    found = found_in(root, assignment)
    if not found:
        node = override(root, [assignment])
        for part in parts:
            node = node.items[part]
        assert plain(node) == value
    assert all("it has no keys" in problem.message for problem in found)


@given(st.text(max_size=30), mappings)
def test_any_text_as_an_assignment_gives_a_tree_or_a_spec_error(text, base):
    assert all(problem.place == COMMAND_LINE for problem in found_in(from_plain(base, Place("a.yaml")), text))


@given(st.text(alphabet="a.[]0\"'=\\ {}:,", max_size=25))
def test_any_text_like_an_assignment_gives_a_tree_or_a_spec_error(text):
    assert all(problem.place == COMMAND_LINE for problem in found_in(parse(BASE, "a.yaml"), text))


@pytest.mark.parametrize("unit", ['["', "['a']", "[", "a.", '\\"', '["\\'])
def test_an_endless_key_is_refused_quickly(unit):
    assert refused([unit * 50_000 + "=1"]).startswith("command line: ")
    assert refused([unit * 50_000]).startswith("command line: ")


def test_a_scalar_from_python_has_the_text_that_yaml_would_have():
    place = Place("x")
    assert from_plain(True, place) == Scalar(place, True, "true")
    assert from_plain(0.1, place) == Scalar(place, 0.1, "0.1")
    assert from_plain(None, place) == Scalar(place, None, "null")
