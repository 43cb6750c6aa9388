"""A clock around what a run does, put there from outside: without it there is nothing that could cost."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from nnctl.data.batches import Examples
from nnctl.network.chain import Product, Run
from nnctl.network.network import Node
from nnctl.running.loop import Event, Finished, Found, Note, Started
from nnctl.running.profile import LayerTime, Profile
from nnctl.running.recording import Recorder
from nnctl.runs import atomic
from nnctl.training.evaluation import Scoring
from nnctl.training.trainer import Trainer

PARTS = (
    "start",  # config, data and network are made ready, up to the first batch
    "layers",
    "loss",
    "check",  # whether the gradient is finite
    "optimizer",
    "gather",  # the rows of a batch out of the data
    "shuffle",
    "evaluation",  # scores and loss of whole parts
    "metrics",
    "rows",  # of metrics.csv
    "saves",
    "fsync",  # waiting for the disk, in rows and saves
    "display",  # whoever takes the events of the run
    "other",  # the loop itself
)


class Spent:
    """The seconds of one thing: all of them, and those in which nothing else that is measured ran inside it."""

    __slots__ = ("own", "whole")

    def __init__(self) -> None:
        self.own = self.whole = 0.0


class Profiler:
    """Measures a run, or the folds of one together.

    Its clocks take the place of methods of the run's own objects, and of the steps of its passes. What runs inside
    something else counts for itself alone: so what is measured and the rest add up to the whole.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._spent: dict[tuple[str, ...], Spent] = defaultdict(Spent)
        self._products = 0.0
        self._inside = 0.0  # what has been measured inside of what runs now; outside of everything, all so far
        self._nodes: Sequence[Node] = ()

    def over(self, events: Iterable[Event]) -> Iterator[Event]:
        """The same events, a profile with the run that has ended. Until the next is asked for, the display works."""
        with self._syncing():
            for event in events:
                if isinstance(event, Started) and event.recorder is not None:
                    self._attach(event.recorder)
                elif isinstance(event, Finished):
                    self._pause = self._clock(), self._inside
                    event = event._replace(run=replace(event.run, profile=self.profile()))
                outer, start = self._inside, self._clock()
                yield event
                took = self._clock() - start
                self._spent["display",].own += took
                self._inside = outer + took
                if isinstance(event, Found):
                    yield Note("--profile: nothing was trained, so there is nothing to measure")

    @contextmanager
    def _syncing(self) -> Iterator[None]:
        """Measure from now on, and leave no clock behind in what lives longer than the run."""
        self._begun = self._clock()
        self._pause = self._begun, self._inside
        fsync = atomic.fsync
        self.watch(atomic, "fsync", "fsync")
        try:
            yield
        finally:
            atomic.fsync = fsync

    def watch(self, owner: Any, method: str, *part: str) -> None:
        """From now on a method of this object counts for the part."""
        setattr(owner, method, self.timed(getattr(owner, method), *part))

    def timed(self, run: Callable[..., Any], *part: str) -> Callable[..., Any]:
        """The same function, which counts for the part."""
        clock, spent = self._clock, self._spent[part]

        def measured(*given: Any, **named: Any) -> Any:
            outer, self._inside = self._inside, 0.0
            start = clock()
            try:
                return run(*given, **named)
            finally:
                took = clock() - start
                spent.own += took - self._inside
                spent.whole += took
                self._inside = outer + took

        return measured

    def layer(self, node: Node, way: str, run: Run) -> Run:
        return self.timed(run, "layers", node.name, way)

    def loss(self, way: str, run: Callable[..., Any]) -> Callable[..., Any]:
        return self.timed(run, "loss", way)

    def product(self, product: Product) -> Product:
        """The same product: its time is that of its layer as before, and is added up once more."""
        clock = self._clock

        def measured(a: Any, b: Any, out: Any) -> Any:
            start = clock()
            found = product(a, b, out)
            self._products += clock() - start
            return found

        return measured

    def profile(self) -> Profile:
        """What has been found so far."""
        seconds = self._clock() - self._begun
        parts = dict.fromkeys(PARTS, 0.0)
        for (part, *_), spent in self._spent.items():
            parts[part] += spent.own
        parts["other"] = seconds - sum(parts.values())
        loss = self._spent["loss", "forward"].whole, self._spent["loss", "backward"].whole
        return Profile(seconds, parts, tuple(self._layers(self._nodes, 0)), loss, self._products)

    def _layers(self, nodes: Sequence[Node], depth: int) -> Iterator[LayerTime]:
        for node in nodes:
            forward, backward = (self._spent["layers", node.name, way].whole for way in ("forward", "backward"))
            yield LayerTime(node.name, node.layer.name, depth, forward, backward)
            for chain in node.chains:
                yield from self._layers(chain, depth + 1)

    def _attach(self, recorder: Recorder) -> None:
        """Training begins, for the first time or with another fold."""
        since, inside = self._pause
        took = self._clock() - since - (self._inside - inside)
        self._spent["start",].own += took
        self._inside += took
        trainer = recorder.trainer
        self._nodes = trainer.job.network.nodes
        trainer.stepping.team.working = 1  # the parts of a batch run one after the other: to the same weights
        for space in trainer.stepping.spaces:
            space.timer = self
        if trainer.stepping.shards is not None:
            self.watch(trainer.stepping.shards.reduction, "add", "optimizer")
        self.watch(trainer.stepping, "_finite", "check")
        for method in ("gather", "close", "step"):
            self.watch(trainer.descent, method, "optimizer")
        self.watch(trainer.batches, "load", "gather")
        self.watch(trainer.batches, "shuffle", "shuffle")
        self._attach_evaluation(trainer)
        self.watch(recorder, "judge", "evaluation")
        for method in ("epoch", "keep_up"):
            self.watch(recorder, method, "rows")
        for method in ("save", "finish", "interrupt"):
            self.watch(recorder, method, "saves")

    def _attach_evaluation(self, trainer: Trainer) -> None:
        evaluator = trainer.evaluator
        evaluator.space.timer = self
        begin = self.timed(evaluator.begin, "evaluation")

        def begun(examples: Examples) -> Scoring:
            scoring: Scoring = begin(examples)
            self.watch(scoring, "advance", "evaluation")
            return scoring

        vars(evaluator)["begin"] = begun
        self.watch(evaluator, "measure", "metrics")
        for waiting in trainer.judging.waiting.values():
            self.watch(waiting, "settle", "metrics")
