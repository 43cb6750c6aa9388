"""Which metrics fit what is learned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nnctl.component import registry
from nnctl.metrics import Metric


class Fitting(Mapping[str, type[Metric]]):
    """The metrics by name that can judge a task's predictions; one that is looked up is imported alone."""

    def __init__(self, task: str, *, probabilities: bool) -> None:
        self.task, self.probabilities = task, probabilities

    def __getitem__(self, name: str) -> type[Metric]:
        found = registry.all("metrics", Metric)[name]
        if found.name != name or not self._holds(found):
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return (cls.name for cls in registry.classes("metrics", Metric) if self._holds(cls))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _holds(self, cls: type[Metric]) -> bool:
        return self.task in cls.tasks and (self.probabilities or not cls.needs_probability)
