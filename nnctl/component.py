"""Components: one class in one file, found by existing.

A component is a frozen dataclass. Its fields are its options (default, bounds and help stated once, with
``option``), its methods are its mathematics. ``@component("dense")`` gives it its YAML name; the registry finds
it in the file of that name, by scanning the folder of its kind, or through the entry point group ``nnctl.components``.
"""

from __future__ import annotations

import dataclasses
import pkgutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass
from functools import cache
from importlib import import_module
from typing import Any, ClassVar, TypeVar, dataclass_transform, get_type_hints

from nnctl.errors import PluginWarning
from nnctl.frozen import frozen

# A folder per YAML word; the order is that of `nnctl list`.
KINDS = (
    "layers",
    "initializers",
    "losses",
    "optimizers",
    "schedules",
    "metrics",
    "early_stopping",
    "transforms",
    "splits",
)
ENTRY_POINTS = "nnctl.components"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Option:
    """What is known of an option beside its name, type and default."""

    help: str
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    stack: bool = False  # may differ between the members of a stack; read from the slot as ``s.o.NAME``
    null: float | None = None  # the number that null counts as, beside members of a stack that have one
    available: bool = True  # False: only the default is accepted, any other value is "not available yet"
    required: bool = False
    default: Any = None
    name: str = ""
    annotation: Any = None

    @property
    def bounds(self) -> dict[str, float]:
        limits = {"ge": self.ge, "gt": self.gt, "le": self.le, "lt": self.lt}
        return {name: limit for name, limit in limits.items() if limit is not None}


def option(
    *,
    help: str,
    default: Any = MISSING,
    default_factory: Any = MISSING,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    stack: bool = False,
    null: float | None = None,
    available: bool = True,
) -> Any:
    """Declare an option: a dataclass field with bounds and help.

    ``help`` is a capitalised sentence with a unit. An option without ``default`` and ``default_factory`` is required.
    """
    option = Option(help, ge, gt, le, lt, stack, null, available)
    keywords: dict[str, Any] = {"metadata": {"option": option}}
    if default is not MISSING:
        keywords["default"] = default
    if default_factory is not MISSING:
        keywords["default_factory"] = default_factory
    return dataclasses.field(**keywords)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(option,))
def section(cls: type[T]) -> type[T]:
    """Make a frozen dataclass of options, without a YAML type of its own (a section of the experiment)."""
    return frozen(cls)


def options(cls: type) -> dict[str, Option]:
    """The options of a component or section, in the order they are declared, with types and defaults filled in."""
    return dict(_options(cls))


@cache  # asked for every column of a table
def _options(cls: type) -> dict[str, Option]:
    hints = get_type_hints(cls, include_extras=True)
    found = {}
    for field in dataclasses.fields(cls):
        declared: Option = field.metadata["option"]
        required = field.default is MISSING and field.default_factory is MISSING
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        found[field.name] = dataclasses.replace(
            declared, name=field.name, annotation=hints[field.name], required=required, default=default
        )
    return found


def plain(value: Any) -> Any:
    """A component, section, or collection of them as plain values; a component gets its ``type`` first."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        start = {"type": value.name} if isinstance(value, Component) else {}
        return start | {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


class Component:
    """What every component has beside its options. The protocol base in each kind's package sets ``kind``."""

    kind: ClassVar[str]
    usual: ClassVar[str] = ""  # the type that is meant where the YAML names none
    short: ClassVar[str] = ""  # the option that is meant by `{NAME: value}`, if there is such a short way to write it
    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ()

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """The options whose values are impossible beside each other: the name of one, and what it must be."""
        return iter(())


C = TypeVar("C", bound=Component)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(option,))
def component(
    name: str, *, aliases: Sequence[str] = (), examples: Sequence[Mapping[str, Any]] = ({},)
) -> Callable[[type[C]], type[C]]:
    """Make a component of a class and register it under its YAML name.

    ``examples`` are sets of options; the conformance tests, the docs and ``nnctl explain`` run over them.
    """

    def register(cls: type[C]) -> type[C]:
        cls.name, cls.aliases, cls.examples = name, tuple(aliases), tuple(examples)
        made = frozen(cls)
        registry.add(made)
        return made

    return register


class Vocabulary(Mapping[str, type[C]]):
    """The components of one kind by name and alias, sorted; with ``base`` only its subclasses.

    To look one up by its name costs one import; to go through them imports them all.
    """

    def __init__(self, registry: Registry, kind: str, base: type[C]) -> None:
        self._registry, self._kind, self._base = registry, kind, base

    def __getitem__(self, name: str) -> type[C]:
        found = self._registry.get(self._kind, name)
        if not issubclass(found, self._base):
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        known = self._registry.known(self._kind)
        return (name for name in sorted(known) if issubclass(known[name], self._base))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Registry:
    """All components by kind and name.

    A component lies in the file of its name. Only where there is none, of an alias, a plug-in or a slip of the pen, and
    where all are asked for, the whole folder is imported, and the entry points are loaded. A name of nnctl's own stays
    its own; a plug-in that takes one, or cannot be loaded, is warned of and left out.
    """

    def __init__(self) -> None:
        self._by_kind: dict[str, dict[str, type[Component]]] = {kind: {} for kind in KINDS}
        self._scanned: set[str] = set()

    def add(self, cls: type[Component]) -> None:
        """Take a component in. Raises: ValueError if another one has its name, or an alias of it."""
        known = self._by_kind[cls.kind]
        if not cls.__module__.startswith("nnctl."):
            _import_folder(cls.kind)  # what is nnctl's own comes first
        for name in (cls.name, *cls.aliases):
            other = known.get(name)
            if other is not None and other.__module__ != cls.__module__:
                raise ValueError(f"{cls.kind}: `{name}` is both {other.__module__} and {cls.__module__}")
        known.update(dict.fromkeys((cls.name, *cls.aliases), cls))

    def all(self, kind: str, base: type[C] = Component) -> Vocabulary[C]:  # type: ignore[assignment]
        """Every component of a kind by name and alias; with ``base`` only its subclasses."""
        return Vocabulary(self, kind, base)

    def classes(self, kind: str, base: type[C] = Component) -> list[type[C]]:  # type: ignore[assignment]
        """Every component of a kind once, sorted by name."""
        return [cls for name, cls in self.all(kind, base).items() if name == cls.name]

    def get(self, kind: str, name: str) -> type[Component]:
        """The component of that name or alias. Raises KeyError if there is none."""
        known = self._by_kind[kind]
        if name not in known and name in _files(kind):
            import_module(f"nnctl.{kind}.{name}")
        return known[name] if name in known else self.known(kind)[name]

    def known(self, kind: str) -> Mapping[str, type[Component]]:
        """Every component of a kind by name and alias, all of them imported."""
        if kind not in self._scanned:
            _import_folder(kind)
            self._load_plugins()
            self._scanned.add(kind)  # at last: other threads that ask meanwhile import, and so wait, too
        return self._by_kind[kind]

    def _load_plugins(self) -> None:
        if ENTRY_POINTS in self._scanned:
            return
        from importlib import metadata  # slow, and most runs need none

        for entry_point in metadata.entry_points(group=ENTRY_POINTS):
            try:
                entry_point.load()
            except Exception as error:  # whatever it is: nobody's run needs all that is installed
                package = f" of the package {entry_point.dist.name}" if entry_point.dist else ""
                reason = f"it cannot be loaded: {type(error).__name__}: {error}"
                text = f"the plug-in `{entry_point.name}`{package} is left out, as {reason}"
                warnings.warn(text, PluginWarning, stacklevel=2)
        self._scanned.add(ENTRY_POINTS)


@cache
def _files(kind: str) -> tuple[str, ...]:
    """The names of the modules in the folder of a kind."""
    return tuple(module.name for module in pkgutil.iter_modules(import_module(f"nnctl.{kind}").__path__))


def _import_folder(kind: str) -> None:
    for name in _files(kind):
        import_module(f"nnctl.{kind}.{name}")


registry = Registry()
