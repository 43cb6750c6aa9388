"""What a worker answers to a call, as plain values: the result, the user's problem, or a bug."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from nnctl.errors import (
    DataError,
    DivergedError,
    NnctlError,
    OutputError,
    Place,
    Problem,
    RunError,
    SpecError,
    WorkerDied,
)
from nnctl.running.interrupts import Terminated

_ERRORS = {cls.__name__: cls for cls in (SpecError, DataError, DivergedError, RunError, OutputError, WorkerDied)}


class WorkerBug(Exception):
    """An error in a worker that nnctl did not raise on purpose; its traceback there is a note of it."""


class Stopped(WorkerDied):
    """A call that a signal has ended, or has kept from beginning, of which nothing is lost."""


def name_of(function: Callable[..., Any]) -> str:
    """What a function is called in a call."""
    return f"{function.__module__}:{function.__qualname__}"


def answer(function: Callable[..., Any], args: Iterable[Any]) -> str:
    """Carry out a call; a line of JSON about what came of it."""
    try:
        return _line({"result": function(*args)})
    except BaseException as error:  # whatever a plug-in raises ends this call alone
        return failure(error)


def failure(error: BaseException) -> str:
    """The answer that is an error."""
    if isinstance(error, Terminated):
        return _line({"stopped": error.signal.name})
    if isinstance(error, NnctlError):
        return _line({"error": type(error).__name__, "problems": [asdict(problem) for problem in error.problems]})
    trace = "".join(traceback.format_exception(error))
    return _line({"bug": "".join(traceback.format_exception_only(error)).strip(), "traceback": trace})


def result_of(line: str) -> Any:
    """The result in an answer, or else its error is raised here."""
    answer: dict[str, Any] = json.loads(line)
    if "result" in answer:
        return answer["result"]
    if "stopped" in answer:
        raise Stopped(f"was stopped by {answer['stopped']}")
    if "error" in answer:
        raise _ERRORS.get(answer["error"], NnctlError)(_problem(**problem) for problem in answer["problems"])
    bug = WorkerBug(answer["bug"])
    bug.add_note(f"In the worker:\n{answer['traceback']}")
    raise bug


def _problem(message: str, key: str, place: Mapping[str, Any] | None) -> Problem:
    return Problem(message, key, None if place is None else Place(**place))


def _line(message: Mapping[str, Any]) -> str:
    # In ASCII: a path that is no UTF-8 holds lone surrogates, which go through as escapes.
    return json.dumps(message) + "\n"
