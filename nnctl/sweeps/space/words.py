"""What a sweep varies, from the words of its command line."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence

from nnctl.errors import Problem, SpecError
from nnctl.spec.overrides import COMMAND_LINE, halves
from nnctl.spec.problems import Problems, shown, suggest
from nnctl.spec.scalars import resolve
from nnctl.sweeps.space.axes import Axis, Distribution, between, choices
from nnctl.sweeps.space.listing import read_listing
from nnctl.sweeps.space.splitting import enclosed, split
from nnctl.sweeps.space.values import Row, at_key, key_of, value_of
from nnctl.sweeps.trial import SEED

RANGES: dict[str, Distribution] = {"log": "log", "uniform": "uniform", "int": "int"}
FORMS = {"log": "log(1e-4,1e-1)", "uniform": "uniform(0,0.5)", "int": "int(8,256)", "choice": "choice(a,b)"}
# What other tools call them.
SYNONYMS = {
    "loguniform": "log",
    "log_uniform_values": "log",
    "randint": "int",
    "int_uniform": "int",
    "integer": "int",
    "float": "uniform",
    "categorical": "choice",
}
_CALL = re.compile(r"([A-Za-z_]+)\((.*)\)", re.DOTALL)
_SPAN = re.compile(r"([0-9]{1,6})(?:\.\.|-|:)([0-9]{1,6})")  # what others write for all seeds from one to another
_GROUP = re.compile(r"""\(((?:[^()"']|"[^"]*"|'[^']*')*)\)\s*=(.*)""", re.DOTALL)


def read_words(words: Sequence[str], problems: Problems) -> list[Axis]:
    """The axes in the order of the words, single values among them; what is wrong goes to the problems."""
    axes: list[Axis] = []
    for word in words:
        try:
            axes.append(_axis(word))
        except SpecError as error:
            problems.extend(error)
    return axes


def _axis(word: str) -> Axis:
    if word.startswith("@"):
        return read_listing(word[1:])
    group = _GROUP.fullmatch(word)
    if group is not None:
        return _group(group[1], group[2])
    written = halves(word)
    if written is None:
        message = f"expected KEY=VALUE, KEY=VALUE,VALUE or @FILE.csv, got {shown(word)}"
        raise SpecError(Problem(message, place=COMMAND_LINE))
    key = key_of(written[0])
    try:
        return _of_one_key(key, written[1])
    except SpecError as error:
        raise at_key(key, error) from None


def _of_one_key(key: str, text: str) -> Axis:
    span = _SPAN.fullmatch(text) if key == SEED else None
    if span is not None and int(span[1]) < int(span[2]):
        count = int(span[2]) - int(span[1]) + 1
        raise SpecError(Problem(f"{shown(text)} is no seed: for {count:,} of them write `--seeds {count}`"))
    parts = split(text)
    calls = [_called(key, part) for part in parts]
    if len(parts) == 1 and calls[0] is not None:
        return calls[0]
    if any(call is not None for call in calls):
        message = "a range or `choice` stands alone, without further values: take one of the two"
        raise SpecError(Problem(message))
    rows: list[Row] = [(value_of(key, part),) for part in parts]
    return choices((key,), (COMMAND_LINE,), rows, fixed=len(rows) == 1)


def _called(key: str, text: str) -> Axis | None:
    """The axis of ``log(1e-4,1e-1)`` and the like; None for a value."""
    call = _CALL.fullmatch(text)
    if call is None:
        return None
    name, arguments = call[1], split(call[2])
    numbers = [value for value in map(resolve, arguments) if isinstance(value, int | float) and value is not True]
    two = len(arguments) == len(numbers) == 2
    if name == "choice":
        return choices((key,), (COMMAND_LINE,), [(value_of(key, part),) for part in arguments])
    if name in RANGES and two:
        return between(key, COMMAND_LINE, RANGES[name], *numbers)
    meant = name if name in RANGES else suggest(name, FORMS, SYNONYMS)
    if meant is None or (name not in RANGES and not two):
        return None  # a text such as the name of a column
    quoted = shlex.quote(f"{key}={json.dumps(text, ensure_ascii=False)}")
    if name in RANGES:
        message = f"`{name}` takes two numbers, such as `{FORMS[name]}`, got {shown(text)}; as a text it is {quoted}"
    else:
        message = (
            f"unknown range {shown(name)}, did you mean `{meant}`, as in `{FORMS[meant]}`? As a text it is {quoted}"
        )
    raise SpecError(Problem(message))


def _group(keys_text: str, text: str) -> Axis:
    """Keys that vary together: ``(model.hidden,train.epochs)=([64],100),([256,256],60)``."""
    keys = tuple(key_of(part) for part in split(keys_text))
    name = f"({','.join(keys)})"
    try:
        rows = [_row(keys, part) for part in split(text)]
        return choices(keys, (COMMAND_LINE,) * len(keys), rows)
    except SpecError as error:
        raise at_key(name, error) from None


def _row(keys: tuple[str, ...], text: str) -> Row:
    inside = enclosed(text)
    if inside is None:
        message = f"expected a value for each key in round brackets, such as `([64],100)`, got {shown(text)}"
        raise SpecError(Problem(message))
    parts = split(inside)
    if len(parts) != len(keys):
        message = f"{len(keys)} keys need {len(keys)} values, {shown(text)} has {len(parts)}"
        raise SpecError(Problem(message))
    return tuple(value_of(key, part) for key, part in zip(keys, parts, strict=True))
