"""Every option of the vocabulary with every value that somebody might try, in an experiment where it stands."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from nnctl.component import KINDS, Component, options, plain, registry
from nnctl.errors import NnctlError
from nnctl.experiment import open_experiment
from nnctl.layers import Layer
from nnctl.spec.dump import dump
from nnctl.spec.reading import read_experiment, written
from nnctl.testing.harness import made
from nnctl.transforms import Imputer, Scaler
from tests.tables import write_csv

NAN, INF = math.nan, math.inf
NUMBERS = (0, 1, -1, 0.5, 2, 3, 7, 100_000, 2**24 + 1, 2**31, 2**63, 10**9, 10**12, 10**18, 10**40, 10**400)
FLOATS = (1e308, -1e308, 1e-300, 5e-324, 1e30, 1 - 2**-53, NAN, INF, -INF)
OTHERS = (
    None,
    "",
    "x",
    "auto",
    "none",
    True,
    False,
    [],
    [1],
    ["x"],
    [[]],
    [0],
    [-1],
    [10**9],
    {},
    {"a": 1},
    {"type": "x"},
)
LARGE = (
    [10**6, 10**6],
    [1] * 3_000,
    [0.5] * 3_000,
    ["x"] * 3_000,
    "x" * 5_000,
    "-",
    "=",
    "../..",
    "a\nb",
    "\0",
    "\ud800",
)


class Case(NamedTuple):
    """A config in which one option has a value that it may not like."""

    option: str
    experiment: dict[str, Any]
    path: tuple[str | int, ...]
    value: Any

    @property
    def name(self) -> str:
        told = f"{self.value:.3e}" if isinstance(self.value, float) else repr(self.value)
        return f"{self.option} = {told[:40]}"

    @property
    def content(self) -> bytes:
        """It, as a file."""
        changed = copy.deepcopy(self.experiment)
        at: Any = changed
        for part in self.path[:-1]:
            inner = at[part] if isinstance(at, list) else at.get(part)
            if not isinstance(inner, dict | list):
                inner = {} if inner is None else {"type": inner}
                at[part] = inner
            at = inner
        at[self.path[-1]] = self.value
        return dump(changed).encode(errors="surrogatepass")


def tables(folder: Path) -> None:
    """Write the tables that the configs name."""
    write_csv(folder / "table.csv", COLUMNS, [_row(place) for place in range(48)])
    header = [*(f"x{place}" for place in range(12)), "amount"]
    numbers = [[(row * 7 + place * 3) % 11 / 10 for place in range(12)] + [row % 9 / 4] for row in range(48)]
    write_csv(folder / "square.csv", header, numbers)


def _row(place: int) -> list[Any]:
    day = f"2024-{place % 12 + 1:02}-{place % 27 + 1:02} {place % 24:02}:30:00"
    a, share, colour = (place * 7 % 48) / 10 + 0.1, place % 4 / 4, ("red", "green", "blue")[place % 3]
    features = [f"i{place}", "" if place == 11 else a, round(place * 11 % 48 / 7, 3), day, colour]
    targets = [
        ("no", "yes")[place * 5 % 7 > 3],
        round(3 * a + place % 3, 3),
        place * 13 % 5,
        place % 2,
        place * 3 % 5 % 2,
    ]
    return [*features, *targets, ("train", "val")[place % 5 == 0], place % 6, share, 1 - share]


COLUMNS = ("id", "a", "b", "day", "colour", "answer", "amount", "n", "good", "bad", "part", "patient", "x", "y")
PLAIN = ("a", "b", "colour")  # features; the others are left out where they are not asked for


def data(target: Any, *keep: str, **more: Any) -> dict[str, Any]:
    """The section of the small table that learns a target."""
    names = target if isinstance(target, list) else [target]
    drop = [name for name in COLUMNS if name not in (*PLAIN, *names, *keep)]
    return {"path": "table.csv", "target": target, "drop": drop, "cache": False, **more}


def wide(**more: Any) -> dict[str, Any]:
    """An experiment with twelve numbers."""
    return {"data": {"path": "square.csv", "target": "amount", "cache": False}, "model": SHORT, **more}


SHORT = {"hidden": [2]}
TASKS = (
    data("answer"),
    data("amount"),
    data("colour"),
    data("n", task="regression"),
    data(["good", "bad"]),
    data(["x", "y"], task="regression"),
)


def around(cls: type[Component], value: dict[str, Any]) -> Iterator[tuple[dict[str, Any], tuple[str | int, ...]]]:
    """Experiments in which a component might stand, and where."""
    kind = cls.kind
    if issubclass(cls, Layer):
        shape = list(made(cls, {name: each for name, each in value.items() if name != "type"}).example_input)
        front = [{"type": "dense", "units": math.prod(shape)}, {"type": "reshape", "shape": shape}]
        for first, back in itertools.product((front[:1], front), ([], ["flatten"])):
            yield wide(model={"layers": [*first, value, *back]}), ("model", "layers", len(first))
        codes = data(
            "amount", "patient", categorical={"encode": "embedding"}, columns={"patient": {"type": "category"}}
        )
        for columns in (value.get("columns"), ["colour"]):
            yield {"data": codes, "model": {"layers": [{**value, "columns": columns}]}}, ("model", "layers", 0)
    elif kind == "initializers":
        for name, units in itertools.product(("init", "bias_init"), (2, 3)):
            layers = [{"type": "dense", "units": 3}, {"type": "dense", "units": units, name: value}]
            yield wide(model={"layers": layers}), ("model", "layers", 1, name)
    elif kind == "metrics":
        for section in TASKS:
            yield {"data": section, "model": SHORT, "metrics": [value]}, ("metrics", 0)
    elif kind == "transforms":
        yield from _transformed(cls, value)
    elif kind == "splits":
        column = value.get("column") or "day"
        section = data("answer", column, split=value, columns={"day": {"type": "date"}} if column == "day" else {})
        yield {"data": section, "model": SHORT}, ("data", "split")
    else:
        name = {"losses": "loss", "optimizers": "optimizer", "schedules": "schedule"}.get(kind, kind)
        for section, size in itertools.product(TASKS, (8, "full")):
            yield {"data": section, "model": SHORT, name: value, "train": {"batch_size": size}}, (name,)


def _transformed(cls: type[Component], value: dict[str, Any]) -> Iterator[tuple[dict[str, Any], tuple[str | int, ...]]]:
    if issubclass(cls, Scaler | Imputer):
        option = "scale" if issubclass(cls, Scaler) else "missing"
        yield {"data": data("answer", numeric={option: value}), "model": SHORT}, ("data", "numeric", option)
        section = data("answer", columns={"b": {option: value}})
        yield {"data": section, "model": SHORT}, ("data", "columns", "b", option)
        return
    yield {"data": data("answer", categorical={"encode": value}), "model": SHORT}, ("data", "categorical", "encode")
    section = data("answer", "day", columns={"day": {"type": "date", "encode": value}})
    yield {"data": section, "model": SHORT}, ("data", "columns", "day", "encode")


def cases() -> Iterator[Case]:
    """A case for every option and value. The tables lie in the current folder."""
    for kind in KINDS:
        for cls in registry.classes(kind):
            yield from _of_component(cls)
    yield from _of_sections()


def _of_component(cls: type[Component]) -> Iterator[Case]:
    told = set()
    for example in cls.examples:
        value = plain(made(cls, example))
        found = _first_valid(cls, value)
        if found is None:
            continue
        experiment, path = found
        for name, option in options(cls).items():
            for place, hostile in enumerate(values(option.bounds)):
                key = (name, place)
                if key not in told:
                    told.add(key)
                    yield Case(f"{cls.kind}.{cls.name}.{name}", experiment, (*path, name), hostile)
    assert told or not options(cls), f"no experiment takes {cls.kind}.{cls.name}"


def _first_valid(cls: type[Component], value: dict[str, Any]) -> tuple[dict[str, Any], tuple[str | int, ...]] | None:
    for experiment, path in around(cls, value):
        Path("around.yaml").write_text(dump(experiment))
        try:
            open_experiment("around.yaml")
        except NnctlError:
            continue
        return experiment, path
    return None


def _of_sections() -> Iterator[Case]:
    """The options of the experiment itself, and of its sections."""
    whole = {"data": data("answer"), "model": SHORT}
    Path("around.yaml").write_text(dump(whole))
    full = written(read_experiment("around.yaml").experiment)
    for path in sorted(_paths(full), key=str):
        for hostile in values({}):
            yield Case(".".join(map(str, path)), whole, path, hostile)


def _paths(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _paths(inner, (*path, name))


def values(bounds: dict[str, float]) -> Iterator[Any]:
    """Values of all kinds and sizes, those at the bounds among them."""
    yield from (*NUMBERS, *FLOATS, *OTHERS, *LARGE)
    for bound in bounds.values():
        for near in (bound, -bound, bound + 1, bound - 1, math.nextafter(bound, INF), math.nextafter(bound, -INF)):
            yield from (near, int(near))
