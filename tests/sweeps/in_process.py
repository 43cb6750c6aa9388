"""Executors that train in this process, and what a sweep says there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

from nnctl.errors import WorkerDied
from nnctl.runs.sweep_dir import SweepDir
from nnctl.sweeps.coordinating import SweepEvent, sweeping
from nnctl.sweeps.events import SweepFinished, Working
from nnctl.sweeps.result import Sweep


class Now(Executor):
    """Carries out each call at once; ``trained`` are the numbers of the trials, task by task."""

    def __init__(self) -> None:
        self.trained: list[list[int]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.trained.append([member["number"] for member in args[0]["members"]])
        future: Future[Any] = Future()
        try:
            future.set_result(self.carry_out(fn, *args))
        except Exception as error:
            future.set_exception(error)
        return future

    def carry_out(self, fn: Callable[..., Any], task: dict[str, Any]) -> Any:
        return fn(task)

    @property
    def numbers(self) -> list[int]:
        """All trials that were trained, in their order."""
        return [number for task in self.trained for number in task]


class Dying(Now):
    """Its worker dies when it is to train one of these trials for the so-manieth time, before it has begun."""

    def __init__(self, *deaths: tuple[int, int]) -> None:
        super().__init__()
        self.deaths = set(deaths)

    def carry_out(self, fn: Callable[..., Any], task: dict[str, Any]) -> Any:
        for member in task["members"]:
            if (member["number"], self.numbers.count(member["number"])) in self.deaths:
                raise WorkerDied("its worker process (pid 7) was ended by SIGKILL")
        return fn(task)


class Stopping(Now):
    """The coordinator is killed when it submits the task after so many: it gets no further."""

    class Killed(BaseException):
        """What ends it; no `except Exception` takes it."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def carry_out(self, fn: Callable[..., Any], task: dict[str, Any]) -> Any:
        if len(self.trained) > self.after:
            raise self.Killed
        return fn(task)


def events_of(config: str | Path, words: Sequence[str], **options: Any) -> list[SweepEvent]:
    """The events of a sweep in this process, but those that only tell of time."""
    options.setdefault("executor", Now())
    return [event for event in sweeping(config, words, **options) if not isinstance(event, Working)]


def swept(config: str | Path, words: Sequence[str], **options: Any) -> Sweep:
    """A sweep in this process, as it ended."""
    last = events_of(config, words, **options)[-1]
    assert isinstance(last, SweepFinished)
    return last.sweep


def folder_of(sweep: Sweep) -> SweepDir:
    return SweepDir(Path(sweep.path))


def sweeps(runs: Path) -> list[Path]:
    """The folders of all sweeps, the newest last: two of one second tell nothing by their names."""
    return [path.parent for path in sorted(runs.glob("*/*/sweep.json"), key=lambda path: path.stat().st_ctime_ns)]
