"""The run whose weights and preparation of data a new run begins with."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from nnctl.component import plain
from nnctl.errors import Problem, SpecError
from nnctl.model import Model, restore
from nnctl.network.network import Network
from nnctl.preparing.fitted import Known
from nnctl.running.run import weights_sha256
from nnctl.runs import checkpoint
from nnctl.runs.find import find
from nnctl.runs.places import from_here
from nnctl.spec.flat import leaves
from nnctl.spec.nodes import Mapping as Node
from nnctl.spec.problems import format_key, shown
from nnctl.spec.reading import Spec
from nnctl.spec.schema import Data, Experiment

Array = NDArray[Any]

# What the run has fitted or decided, and the new run takes over.
FITTED = ("target", "task", "positive", "numeric", "categorical", "missing_values", "target_scale")
OPEN = (None, "auto")


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """A trained run, as the beginning of another."""

    run: str
    model: Model

    @property
    def known(self) -> Known:
        return Known(self.model.features, self.model.target)

    @property
    def weights_sha256(self) -> str:
        """As in its run.json."""
        arena = self.model.arena
        return weights_sha256(arena.theta, arena.stats)

    def about(self) -> dict[str, Any]:
        """What run.json says of it."""
        return {"run": os.path.abspath(self.run), "weights_sha256": self.weights_sha256}

    def adopted_by(self, spec: Spec, experiment: Experiment) -> Experiment:
        """The experiment with the columns' types and everything fitted as they are in this run.

        Raises: SpecError with every key of the config that says something else.
        """
        then, now = self.model.experiment.data, experiment.data
        problems = [*self._otherwise(spec, then, now), *self._other_columns(spec, then, now)]
        if problems:
            raise SpecError(problems)
        columns = {**now.columns, **then.columns}
        data = replace(now, columns=columns, **{name: getattr(then, name) for name in FITTED})
        return replace(experiment, data=data)

    def weights_for(self, network: Network) -> dict[str, Array]:
        """The weights and running statistics by name. Raises: SpecError with all that differ in name or shape."""
        arena = self.model.arena
        here = {**arena.named(arena.theta), **arena.named_statistics()}
        wanted = {part.name: part.shape for part in (*network.segments, *network.statistics)}
        found = []
        for name in dict.fromkeys((*wanted, *here)):
            then, now = here.get(name), wanted.get(name)
            if then is None or now is None or then.shape != now:
                there = "none" if then is None else then.shape
                found.append(f"`{name}`: {there} in {self.run}, {'none' if now is None else now} here")
        if found:
            message = f"does not fit the weights of {self.run}; shapes that differ: {'; '.join(found)}"
            raise SpecError(Problem(message, "model"))
        return here

    def _otherwise(self, spec: Spec, then: Data, now: Data) -> Iterator[Problem]:
        section = spec.document.root.items.get("data")
        written = section.items if isinstance(section, Node) else {}
        for name in FITTED:
            old, new = getattr(then, name), getattr(now, name)
            if name not in written or new in OPEN or new == old or (name == "task" and new == "classification" != old):
                continue
            there, here = dict(leaves({name: plain(old)})), dict(leaves({name: plain(new)}))
            for key in dict.fromkeys((*there, *here)):
                if there.get(key) != here.get(key):
                    yield Problem(self._fixed(there.get(key)), f"data.{key}", spec.place(f"data.{key}"))

    def _other_columns(self, spec: Spec, then: Data, now: Data) -> Iterator[Problem]:
        for name, options in now.columns.items():
            known = then.columns.get(name)
            for field in fields(options) if known is not None else ():
                old, new = getattr(known, field.name), getattr(options, field.name)
                if new is not None and new != old:
                    key = format_key(("data", "columns", name, field.name))
                    yield Problem(self._fixed(old), key, spec.place(key))

    def _fixed(self, value: Any) -> str:
        there = shown(json.dumps(plain(value)))
        return f"is fixed by {self.run}, and other there ({there}): leave it out, or train without `--from`"


def open_origin(runs: Path, reference: str) -> Origin:
    """The run, or the checkpoint file, that ``--from`` names. Raises: SpecError, RunError as `find`."""
    found = find(runs, reference)
    model = restore(checkpoint.load(found.checkpoint), found.checkpoint)
    return Origin(from_here(found.checkpoint if found.run is None else found.run.path), model)
