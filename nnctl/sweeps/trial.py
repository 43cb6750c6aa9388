"""A trial: one setting of the keys that a sweep varies, trained as a run of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Goal = Literal["minimize", "maximize"]


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried; ``overrides`` are the words after ``nnctl train CONFIG`` that train it alone."""

    number: int  # from 1; its run folder is trials/0001
    params: Mapping[str, Any]  # every varied key, as it was written, and its value; `seed` where seeds vary
    overrides: tuple[str, ...]


class Order(NamedTuple):
    """That a trial is to be trained: to its end, or until it waits for a decision, or not any further."""

    trial: Trial
    until: int | None = None  # the epoch after which it waits, its state saved
    drop: str = ""  # why it ends where it stands


class Outcome(NamedTuple):
    """Where a trial stands, for a search that decides by it."""

    status: Literal["waiting", "completed", "early_stopped", "diverged", "failed"]
    value: float  # of the metric that decides, at the best epoch so far; nan where there is none
    epochs: int
