"""What is known from the training rows before there is a network, kept as plain values and made again from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from nnctl.component import plain
from nnctl.data.features import Features, features_of, features_state
from nnctl.data.target import Target
from nnctl.errors import NnctlError, Place
from nnctl.losses import Loss
from nnctl.spec.binding import Binder
from nnctl.spec.nodes import Mapping as Node
from nnctl.spec.overrides import from_plain
from nnctl.spec.problems import Problems
from nnctl.spec.reading import bind, written
from nnctl.spec.schema import Data, Experiment
from nnctl.transforms import Encoding, Scaler

SAVED = Place("saved state")


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What is known from the data alone."""

    data: Data  # the section, every `auto` replaced by what it chose, but for the delimiter
    delimiters: tuple[str, ...]  # of the files
    loss: Loss
    features: Features
    target: Target
    rows: dict[str, int]  # of every part
    sha256: dict[str, str]  # of the file that each part's rows came from
    data_sha256: str  # of all files
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def width(self) -> int:
        """The scores of the network."""
        count = len(self.target.names) or self.features.width
        return self.loss.width(task=self.target.task, classes=len(self.target.classes), targets=count)


class Known(NamedTuple):
    """What an earlier run has fitted, for one that takes it over."""

    features: Features
    target: Target


def fitted_state(fitted: Fitted, experiment: Experiment) -> dict[str, Any]:
    """All of it as plain values, from which ``restored`` makes it again."""
    names = ("delimiters", "rows", "sha256", "data_sha256", "notes", "warnings")
    return {
        **{name: plain(getattr(fitted, name)) for name in names},
        "spec": written(replace(experiment, data=fitted.data, loss=fitted.loss)),
        "features": plain(features_state(fitted.features)),
        "target": target_state(fitted.target),
    }


def restored(state: Mapping[str, Any]) -> Fitted | None:
    """What was fitted before; None if the state is not one of this nnctl."""
    try:
        experiment = experiment_from(state["spec"])
        return Fitted(
            data=experiment.data,
            delimiters=tuple(state["delimiters"]),
            loss=experiment.loss,
            features=features_from(state["features"]),
            target=target_from(state["target"], experiment),
            rows=state["rows"],
            sha256=state["sha256"],
            data_sha256=state["data_sha256"],
            notes=tuple(state["notes"]),
            warnings=tuple(state["warnings"]),
        )
    except (NnctlError, KeyError, TypeError, ValueError, AttributeError):
        return None


def experiment_from(spec: Mapping[str, Any]) -> Experiment:
    """The experiment that was written down as plain values."""
    root = from_plain(spec, SAVED, quoted=True)
    assert isinstance(root, Node)
    return bind(root)


def features_from(state: list[dict[str, Any]]) -> Features:
    """The features that ``features_state`` wrote down."""
    return features_of([_with_transform(entry) for entry in state])


def target_state(target: Target) -> dict[str, Any]:
    """The fitted target as plain values; its scaler is ``data.target_scale``."""
    names = ("names", "task", "classes", "positive", "states", "pairs", "class_weights")
    return {name: plain(getattr(target, name)) for name in names}


def target_from(state: Mapping[str, Any], experiment: Experiment) -> Target:
    """The target that ``target_state`` wrote down."""
    assert not isinstance(experiment.data.target_scale, str)
    return Target(
        tuple(state["names"]),
        state["task"],
        classes=tuple(state["classes"]),
        positive=state["positive"],
        scaler=experiment.data.target_scale,
        states=tuple(state["states"]),
        pairs=tuple((first, last) for first, last in state["pairs"]),
        class_weights=tuple(state["class_weights"]),
    ).fitted_to(experiment.loss)


def _with_transform(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A saved feature with its transform made again."""
    role, base = ("encode", Encoding) if "encode" in entry else ("scale", Scaler)
    problems = Problems()
    transform = Binder(problems).component(base, from_plain(entry[role], SAVED), ("features", role), usual="")
    problems.raise_if_any()
    return {**entry, role: transform}
