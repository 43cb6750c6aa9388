"""YAML text becomes nodes with places, and nothing else gets out of it."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nnctl.errors import MAX_PROBLEMS, Place, Problem, SpecError
from nnctl.spec import nodes
from nnctl.spec.nodes import MAX_BYTES, MAX_DEPTH, MAX_NODES, Mapping, Scalar, Sequence, parse, parse_value, plain

EXAMPLE = """\
# an experiment
name: churn
data: {path: "../a.csv", target: churned, drop: [notes, 'x y']}
model:
  layers:
    - {type: dense, units: 64}
    - batch_norm
loss: {class_weight: {0: 1, 1: 5}}
optimizer:
  lr: 1e-3
  note: >
    two
    lines
"""


def problems(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        parse(text, "a.yaml")
    return str(caught.value)


def found_in(text: str) -> list[Problem]:
    """The problems of a text that may as well have none."""
    try:
        root = parse(text, "a.yaml")
    except SpecError as error:
        return error.problems
    assert isinstance(plain(root), dict)
    return []


def test_values_are_those_that_were_written():
    assert plain(parse(EXAMPLE, "a.yaml")) == {
        "name": "churn",
        "data": {"path": "../a.csv", "target": "churned", "drop": ["notes", "x y"]},
        "model": {"layers": [{"type": "dense", "units": 64}, "batch_norm"]},
        "loss": {"class_weight": {"0": 1, "1": 5}},
        "optimizer": {"lr": 0.001, "note": "two lines\n"},
    }


def test_every_node_and_key_knows_its_line_and_column():
    root = parse(EXAMPLE, "a.yaml")
    data, model, optimizer = root.items["data"], root.items["model"], root.items["optimizer"]
    assert root.place == Place("a.yaml", 2, 1)
    assert (root.keys["data"], data.place) == (Place("a.yaml", 3, 1), Place("a.yaml", 3, 7))
    assert (data.keys["target"], data.items["target"].place) == (Place("a.yaml", 3, 26), Place("a.yaml", 3, 34))
    assert data.items["drop"].items[1].place == Place("a.yaml", 3, 57)
    layers = model.items["layers"]
    assert [item.place for item in layers.items] == [Place("a.yaml", 6, 7), Place("a.yaml", 7, 7)]
    assert optimizer.items["lr"] == Scalar(Place("a.yaml", 10, 7), 0.001, "1e-3")


def test_columns_count_letters_not_bytes_and_a_leading_byte_order_mark_not_at_all():
    root = parse("\ufeffä: {😀: 1, b: 2}\n", "a.yaml")
    assert root.items["ä"].items["b"].place == Place("a.yaml", 1, 14)


def test_quoted_scalars_are_text():
    root = parse("{a: '1', b: \"null\", c: 1, d: ''}", "a.yaml")
    assert plain(root) == {"a": "1", "b": "null", "c": 1, "d": ""}
    assert [root.items[key].quoted for key in "abcd"] == [True, True, False, True]


def test_a_key_is_its_text_as_written():
    assert list(parse("0: a\n1.50: b\nno: c\n~: d\n'x y': e\n010: f\n", "a.yaml").items) == [
        *["0", "1.50", "no", "~", "x y", "010"]
    ]


def test_a_key_without_value_is_null():
    assert plain(parse("a:\nb: {c, d: }\n", "a.yaml")) == {"a": None, "b": {"c": None, "d": None}}


def test_an_environment_variable_needs_no_quotes_in_a_flow_mapping():
    text = "a: {lr: ${env:LR}, b: [x${env:Q}y, '${env:Z}'], c: 7}\n"
    root = parse(text, "a.yaml")
    assert plain(root) == {"a": {"lr": "${env:LR}", "b": ["x${env:Q}y", "${env:Z}"], "c": 7}}
    assert root.items["a"].items["c"].place == Place("a.yaml", 1, text.index("7") + 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "a.yaml:3:1: a: is written twice, first at a.yaml:1:1, keep one"),
        ("a: {b: 1, 'b': 2}\n", "a.yaml:1:11: a.b: is written twice, first at a.yaml:1:5, keep one"),
        ("0: 1\n'0': 2\n", "a.yaml:2:1: 0: is written twice, first at a.yaml:1:1, keep one"),
        ("a: &x 1\n", "a.yaml:1:4: a: `&x`: anchors are not supported, use `extends` to share, or quotes for text"),
        ("a: [*x]\n", "a.yaml:1:5: a[0]: `*x`: anchors are not supported, use `extends` to share, or quotes for text"),
        ("*x : 1\n", "a.yaml:1:1: *x: `*x`: anchors are not supported, use `extends` to share, or quotes for text"),
        ("a:\n  <<: {b: 1}\n", "a.yaml:2:3: a.<<: merge keys are not supported, use `extends` to share"),
        (
            "a: !!python/object/apply:os.system [ls]\n",
            "a.yaml:1:4: a: `!!python/object/apply:os.system`: tags are not supported, put text that starts with `!` "
            "in quotes",
        ),
        ("a: !x 1\n", "a.yaml:1:4: a: `!x`: tags are not supported, put text that starts with `!` in quotes"),
        ("a: ! 1\n", "a.yaml:1:4: a: `!`: tags are not supported, put text that starts with `!` in quotes"),
        ("%TAG !x! y\n---\na: 1\n", "a.yaml:1:1: tags are not supported"),
        ("? [a]\n: 1\n", "a.yaml:1:3: a key must be a single name or number, not a list or a mapping"),
        ("a:\n  {b: 1}: 2\n", "a.yaml:2:3: a key must be a single name or number, not a list or a mapping"),
        ("a: {?}\n", 'a.yaml:1:6: a[""]: a name is missing'),
        ("a: 1\n---\nb: 2\n", "a.yaml:2:1: a second document starts here, write one experiment in one file"),
        ("", "a.yaml: nothing is written here, expected lines such as `seed: 0`"),
        ("# only this\n", "a.yaml: nothing is written here, expected lines such as `seed: 0`"),
        ("---\n", "a.yaml: nothing is written here, expected lines such as `seed: 0`"),
        ("- a\n", "a.yaml:1:1: expected lines such as `seed: 0` at the top level, got a list"),
        ("\nseed\n", "a.yaml:2:1: expected lines such as `seed: 0` at the top level, got the text `seed`"),
        ("a:\n\tb: 1\n", "a.yaml:2:1: a tab in the indentation, use spaces"),
        ("a:\n  b: 1\n \tc: 1\n", "a.yaml:3:2: a tab in the indentation, use spaces"),
        ("a: [1, 2\nb: 3\n", "a.yaml:2:2: expected `,` or the end of the brackets opened on line 1"),
        ("a: 'x\nb: 1\n", "a.yaml:1:4: the quote that opens here is never closed"),
        ("a: b: c\n", "a.yaml:1:5: no `:` is expected here, check the indentation or quote the text"),
        ("a: - b\n", "a.yaml:1:4: a list of `- ` items starts on a line of its own"),
        ("a: @b\n", "a.yaml:1:4: text cannot start with this character, put it in quotes"),
        ("a: *\n", "a.yaml:1:4: text that starts with `*` or `&` must be in quotes"),
        ("a: ,\n", "a.yaml:1:4: expected a value, put text that starts with this character in quotes"),
        ("a: !x!y 1\n", "a.yaml:1:4: tags are not supported, put text that starts with `!` in quotes"),
        ("a: 1\nb\nc: 2\n", "a.yaml:2:1: expected `name: value`"),
        (
            "a:\n  b: 1\n c: 2\n",
            "a.yaml:3:2: this does not continue the lines above, check the indentation and the quotes",
        ),
        ("%YAML 3.0\n---\na: 1\n", "a.yaml:1:1: not valid YAML: found incompatible YAML document"),
        ("a: 1\nb\x00: 2\n", "a.yaml:2:2: the character U+0000 can be written only as an escape in double quotes"),
        ("a: \ufeff\n", "a.yaml:1:4: the character U+FEFF can be written only as an escape in double quotes"),
        ("a: \u2028\n", "a.yaml:1:4: the character U+2028 can be written only as an escape in double quotes"),
        ("a: \udcff\n", "a.yaml:1:4: the character U+DCFF can be written only as an escape in double quotes"),
    ],
)
def test_what_is_refused_says_where_and_why(text, message):
    assert problems(text) == message


@pytest.mark.parametrize("text", ['a: "\\q"', 'a: "\\ud800"', 'a: "\\U99999999"'])
def test_a_wrong_escape_is_refused_by_both_parsers(text, monkeypatch):
    assert "a.yaml:1:" in problems(text)
    monkeypatch.setattr(nodes, "_LOADER", yaml.SafeLoader)
    assert "a.yaml:1:" in problems(text)


def test_all_problems_are_told_at_once():
    text = "a: &x 1\nb: !!int 2\na: 3\nc: {d: 1, d: 2}\ne: *x\nf: 'open\n"
    assert [line.split(": ")[0] for line in problems(text).splitlines()] == [
        *["a.yaml:1:4", "a.yaml:2:4", "a.yaml:3:1", "a.yaml:4:11", "a.yaml:5:4", "a.yaml:6:4"]
    ]


def test_hundreds_of_problems_are_not_all_told():
    assert len(problems("a: &x 1\n" * 1_000).splitlines()) == MAX_PROBLEMS


def test_nesting_is_allowed_to_a_depth_of_64():
    def nested(depth):
        return "a: " + "[" * (depth - 1) + "]" * (depth - 1)

    assert isinstance(parse(nested(MAX_DEPTH), "a.yaml"), Mapping)
    assert problems(nested(MAX_DEPTH + 1)) == "a.yaml:1:67: must be nested at most 64 deep, is deeper"


def test_no_more_than_100_000_values_are_read():
    def values(count):  # the mapping, its key and the list are values too
        return "a: [" + "1," * (count - 3) + "]"

    assert len(parse(values(MAX_NODES), "a.yaml").items["a"].items) == MAX_NODES - 3
    assert problems(values(MAX_NODES + 1)).endswith("must have at most 100,000 values, has more")


@pytest.mark.parametrize(
    "unit",
    ["[", "{", "{a: ", "- ", "? ", "a,", "a: 1\n", "&a ", "*a,", "!", "%TAG ! x\n", "#\n", "\n", "\t", "\r", '"', "'",
     "\\n", "x", "1", "${env:A}", "${env:", "---\n", ": ", "[],", "\u00e9", "a b\n", "a: |\n", "- a\n  - b\n", "\x00"],
)  # fmt: skip
@pytest.mark.parametrize("start", ["", "a: [", 'a: "'])
def test_a_hostile_megabyte_is_answered_in_a_few_lines(start, unit):
    text = (start + unit * (MAX_BYTES // len(unit)))[:MAX_BYTES]
    found = found_in(text)
    assert len("".join(map(str, found))) <= 10_000


@given(st.text() | st.text(alphabet="ab:#-?,[]{}'\" \n\t&*!|>%@`~0.<\x00\u2028", max_size=40))
def test_any_text_is_either_a_mapping_or_a_spec_error_with_a_place(text):
    assert all(problem.place.source == "a.yaml" for problem in found_in(text))


@given(st.integers(0, len(EXAMPLE) - 1), st.text(max_size=3), st.integers(0, 5), st.booleans())
def test_a_damaged_experiment_never_gives_a_traceback(at, inserted, dropped, libyaml):
    text = EXAMPLE[:at] + inserted + EXAMPLE[at + dropped :]
    loader = nodes._LOADER
    nodes._LOADER = loader if libyaml else yaml.SafeLoader
    try:
        assert all(problem.place.source == "a.yaml" for problem in found_in(text))
    finally:
        nodes._LOADER = loader


def test_both_parsers_give_the_same_nodes(monkeypatch):
    with_libyaml = parse(EXAMPLE, "a.yaml")
    monkeypatch.setattr(nodes, "_LOADER", yaml.SafeLoader)
    assert parse(EXAMPLE, "a.yaml") == with_libyaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[("0.1", 0.1), ("adam", "adam"), ("", None), ("null", None), ("[64, 64]", [64, 64]), ("no", "no")],
        *[("{type: sgd, lr: 0.1}", {"type": "sgd", "lr": 0.1}), ("'1'", "1"), (" 1 ", 1), ("a,b", "a,b")],
        *[("a=b", "a=b"), ("../x y.csv", "../x y.csv"), ('"\\t"', "\t"), ("${env:A}", "${env:A}")],
    ],
)
def test_one_value_is_read_as_yaml(text, value):
    assert plain(parse_value(text, Place("command line"))) == value


@pytest.mark.parametrize(
    "text", ["x # y", "#", " ", "\t", "--- x", "a\nb", "|", ">", "a: b", "- a", ",", "@x", "*", "&a b", "!a"]
)
def test_one_value_that_would_lose_a_part_is_refused(text):
    with pytest.raises(SpecError) as caught:
        parse_value(text, Place("command line"))
    assert str(caught.value).startswith("command line: ")


def test_all_of_one_value_lies_at_one_place():
    place = Place("command line")
    assert parse_value("{a: [1]}", place) == Mapping(
        place, {"a": Sequence(place, [Scalar(place, 1, "1")])}, {"a": place}
    )
