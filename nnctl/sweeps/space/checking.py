"""Checks of a space against the schema: every key exists and may have each of its values, before a trial starts."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace

from nnctl.errors import Place, Problem, SpecError
from nnctl.spec.document import Document, filled
from nnctl.spec.nodes import Mapping, Node, Scalar
from nnctl.spec.nodes import Sequence as Nodes
from nnctl.spec.overrides import COMMAND_LINE, changed, is_null
from nnctl.spec.problems import Problems, parse_key, shown
from nnctl.spec.reading import bind
from nnctl.spec.scalars import scalar_text
from nnctl.spec.schema import Experiment
from nnctl.sweeps.space.axes import Axis, Range
from nnctl.sweeps.space.values import Row

Key = tuple[str | int, ...]
RESERVED = "belongs to the sweep itself: write it into the file, or as `--method`, `--trials` and `--seeds`"


def check_keys(axes: Sequence[Axis], problems: Problems) -> None:
    """Note every key that no sweep can vary, that is given twice, or that a later word would undo."""
    written: dict[str, Axis] = {}
    for axis in axes:
        for key, place in zip(axis.keys, axis.places, strict=True):
            if parse_key(key)[0] == "sweep":
                problems.add(key, RESERVED, place)
            elif key == "name" and not axis.fixed:
                problems.add(key, "is the name of the whole sweep: give it one value", place)
            elif key in written:
                problems.add(key, "is given twice: leave one out", place)
            _check_undone(key, axis, written, problems)
        written |= dict.fromkeys(axis.keys, axis)


def check_values(document: Document, axes: Sequence[Axis], problems: Problems) -> list[Experiment]:
    """The valid experiments among those that together show every value; what is wrong goes to the problems.

    A value is tried beside the first ones of the other keys; of a range both ends are.
    """
    first = {key: node for axis in axes for key, node in _nodes(axis, next(axis.samples())).items()}
    experiments = []
    told: set[tuple[str, str, Place | None]] = set()
    for changes in _settings(axes, first):
        try:
            experiments.append(bound(document, changes, axes))
        except SpecError as error:
            fresh = [each for each in error.problems if (each.key, each.message, each.place) not in told]
            told |= {(each.key, each.message, each.place) for each in fresh}
            problems.take(_with_lists(fresh, axes))
    return experiments


def _with_lists(problems: Sequence[Problem], axes: Sequence[Axis]) -> Iterator[Problem]:
    """The problems; where a key of the command line needs lists and was given numbers, with the way to write them."""
    for problem in problems:
        axis = next((each for each in axes if each.keys == (problem.key,)), None)
        if axis is None or problem.place != COMMAND_LINE or not problem.message.startswith("must be a list"):
            yield problem
            continue
        if isinstance(axis, Range):
            value = f"[0]={axis.distribution}({','.join(map(_bound, (axis.low, axis.high)))})"
        else:
            value = "=" + ",".join(row[0].text if _is_list(row[0].node) else f"[{row[0].text}]" for row in axis.rows)
        yield replace(problem, message=f"{problem.message}; write {shlex.quote(problem.key + value)}")


def _bound(number: float) -> str:
    return scalar_text(int(number) if number.is_integer() else number)


def _is_list(node: Node) -> bool:
    return isinstance(node, Nodes)


def bound(document: Document, changes: dict[Key, Node], axes: Sequence[Axis] = ()) -> Experiment:
    """The experiment with some changes. Raises: SpecError with every problem, placed."""
    problems = Problems()
    root = document.root
    for parts, node in changes.items():
        try:
            root = changed(root, {parts: node})
        except SpecError as error:
            problems.extend(error)
    for axis in axes:
        for key, place in zip(axis.keys, axis.places, strict=True):
            _name_placed(root, parse_key(key), changes, place)
    root = filled(root)
    experiment = None
    try:
        experiment = bind(root)
    except SpecError as error:
        problems.extend(error.placed(replace(document, root=root).place))
    problems.raise_if_any()
    assert experiment is not None
    return experiment


def _settings(axes: Sequence[Axis], first: dict[Key, Node]) -> Iterator[dict[Key, Node]]:
    """The first setting, then the others that together show every value."""
    yield first
    for axis in axes:
        rows = axis.samples()
        next(rows)
        for row in rows:
            yield first | _nodes(axis, row)


def _nodes(axis: Axis, row: Row) -> dict[Key, Node]:
    return {parse_key(key): value.node for key, value in zip(axis.keys, row, strict=True)}


def _name_placed(root: Mapping, parts: Key, changes: dict[Key, Node], place: Place) -> None:
    """Put the names that a change brought to the place of its key: an unknown one is wrong there, not at its value."""
    value = changes.get(parts)
    node: Node | None = root
    for part in parts:
        if not isinstance(node, Mapping) or value is None:
            return
        if node.keys.get(str(part)) == value.place:
            node.keys[str(part)] = place
        node = node.items.get(str(part))


def _check_undone(key: str, axis: Axis, written: dict[str, Axis], problems: Problems) -> None:
    """Note a key below this one that stands before it and would be lost: a mapping replaces all that is there."""
    parts = parse_key(key)
    place = axis.keys.index(key)
    if all(_is_text(row[place].node) for row in axis.samples()):
        return
    for other, before in written.items():
        below = parse_key(other)
        if len(below) > len(parts) and below[: len(parts)] == parts:
            message = f"would be lost, as {shown(key)} after it replaces all below it: write it after {shown(key)}"
            problems.add(other, message, before.places[before.keys.index(other)])


def _is_text(node: Node) -> bool:
    return isinstance(node, Scalar) and isinstance(node.value, str) and not is_null(node)
