"""What a sweep varies, from the section ``sweep`` of the file."""

from __future__ import annotations

from dataclasses import replace

from nnctl.errors import Problem, SpecError
from nnctl.spec.binding import INVALID, Binder
from nnctl.spec.document import Document
from nnctl.spec.nodes import Mapping, Node, Scalar, Sequence
from nnctl.spec.overrides import is_null
from nnctl.spec.problems import Problems, format_key, listed, parse_key
from nnctl.spec.sweep import SweepOptions, SweepParameter
from nnctl.sweeps.space.axes import Axis, Distribution, between, choices
from nnctl.sweeps.space.flow import word_value
from nnctl.sweeps.space.values import Row, at_key, key_of

# What each distribution wants to know.
NEEDS = {
    "constant": ["value"],
    "categorical": ["values"],
    "uniform": ["min", "max"],
    "log_uniform_values": ["min", "max"],
    "int_uniform": ["min", "max"],
}
RANGES: dict[str, Distribution] = {"uniform": "uniform", "log_uniform_values": "log", "int_uniform": "int"}


def read_options(document: Document, problems: Problems) -> SweepOptions:
    """The section, all defaults where there is none; what is wrong goes to the problems."""
    node = document.root.items.get("sweep")
    if node is None or is_null(node):
        return SweepOptions()
    before = len(problems)
    options = Binder(problems).section(SweepOptions, node, ("sweep",))
    if options is INVALID or len(problems) > before:
        return SweepOptions()
    assert isinstance(options, SweepOptions)
    early = options.early_terminate
    if early is not None and options.method in ("sobol", "tpe"):
        message = f"{options.method} trains every setting to its end: leave this out, or write `method: halving`"
        problems.add("sweep.early_terminate", message, document.place("sweep.early_terminate"))
    if early is not None and early.s is not None and early.min_iter is not None:
        message = "cannot stand beside `min_iter`, as each follows from the other: leave out one"
        problems.add("sweep.early_terminate.s", message, document.place("sweep.early_terminate.s"))
    return options


def without_section(document: Document) -> Document:
    """The document without its section ``sweep``."""
    items = {key: node for key, node in document.root.items.items() if key != "sweep"}
    return replace(document, root=replace(document.root, items=items))


def read_parameters(root: Mapping, parameters: dict[str, SweepParameter], problems: Problems) -> list[Axis]:
    """The axes in the order of the file, single values among them; what is wrong goes to the problems."""
    section = root.items.get("sweep")
    written = section.items.get("parameters") if isinstance(section, Mapping) else None
    axes: list[Axis] = []
    for name, parameter in parameters.items():
        assert isinstance(written, Mapping)
        node, where = written.items[name], format_key(("sweep", "parameters", name))
        try:
            axes.append(_axis(name, written, node, parameter))
        except SpecError as error:
            problems.extend(at_key(where, error, node.place))
    return axes


def _axis(name: str, written: Mapping, node: Node, parameter: SweepParameter) -> Axis:
    place = written.keys[name]
    key = _key(name, written)
    items = node.items if isinstance(node, Mapping) else {}
    given = ["value"] if "value" in items else []
    given += [option for option in ("values", "min", "max") if getattr(parameter, option) is not None]
    distribution = parameter.distribution or _meant(items, given)
    if given != NEEDS[distribution]:
        had = listed(given) if given else "nothing"
        message = f"{distribution} takes {' and '.join(f'`{need}`' for need in NEEDS[distribution])}, got {had}"
        if not given and parameter.distribution is None:
            message = "says nothing to try: give `values: [...]`, or `min` and `max`"
        raise SpecError(Problem(message, place=place))
    parts = parse_key(key)
    if distribution == "constant":
        return choices((key,), (place,), [(word_value(parts, items["value"]),)], fixed=True)
    if distribution == "categorical":
        values = items["values"]
        rows: list[Row] = [(word_value(parts, item),) for item in values.items] if isinstance(values, Sequence) else []
        if not rows:
            raise SpecError(Problem("`values` is empty, list at least one", place=values.place))
        return choices((key,), (place,), rows)
    assert parameter.min is not None
    assert parameter.max is not None
    return between(key, place, RANGES[distribution], parameter.min, parameter.max)


def _key(name: str, written: Mapping) -> str:
    try:
        return key_of(name)
    except SpecError as error:
        raise SpecError(Problem(problem.message, place=written.keys[name]) for problem in error.problems) from None


def _meant(items: dict[str, Node], given: list[str]) -> str:
    """The distribution where none is named: numbers between two whole ones are whole."""
    if given == ["value"]:
        return "constant"
    if "min" not in given and "max" not in given:
        return "categorical"
    ends = [items[option] for option in ("min", "max") if option in items]
    whole = all(isinstance(end, Scalar) and isinstance(end.value, int) for end in ends)
    return "int_uniform" if whole else "uniform"
