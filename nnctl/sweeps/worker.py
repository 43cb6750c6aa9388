"""``python -m nnctl.sweeps.worker``: trains the stacks that come as lines of JSON on stdin, one after the other."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from nnctl.running.interrupts import Terminated
from nnctl.sweeps.engines.answers import answer, failure, name_of

GRACE = 30.0  # seconds that a training has to save itself once the coordinator is gone
BEGUN = "{}\n"  # a call that had not begun before the worker died has lost nothing


class Calls:
    """The calls of a coordinator over stdin, the answers over stdout, which nobody else may use.

    The end of stdin, which the kernel sees to when the coordinator is killed, is SIGTERM: the training saves itself.
    A signal comes as a line like the calls, so that it never overtakes the one it is meant for.
    """

    def __init__(self) -> None:
        self._input = os.fdopen(os.dup(0), "rb")
        self._output = os.dup(1)
        self._calls: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._running, self._stopped = False, 0
        _guard_streams()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._heed)
        threading.Thread(target=self._listen, daemon=True).start()

    def serve(self, *functions: Callable[..., Any]) -> None:
        """Carry out the calls of these functions, until there are no more."""
        known = {name_of(function): function for function in functions}
        with contextlib.suppress(BrokenPipeError):  # the coordinator is gone
            while (call := self._calls.get()) is not None:
                self._tell(BEGUN)
                self._tell(self._carry_out(known.get(call["call"]), call))

    def _carry_out(self, function: Callable[..., Any] | None, call: dict[str, Any]) -> str:
        try:
            self._running = True
            if self._stopped:
                raise Terminated(self._stopped)
            if function is None:
                return failure(LookupError(f"{call['call']} is no function of this worker"))
            return answer(function, call["args"])
        except Terminated as error:  # it came between two lines of this function
            return failure(error)
        finally:
            self._running = False

    def _tell(self, line: str) -> None:
        data = memoryview(line.encode())
        while data:
            data = data[os.write(self._output, data) :]

    def _heed(self, number: int, frame: FrameType | None) -> None:
        # In the main thread. While a training heeds signals itself, this handler is out of force.
        if self._running:
            raise Terminated(number)
        self._stopped = number

    def _listen(self) -> None:
        for line in self._input:
            message = json.loads(line)
            if "signal" in message:
                os.kill(os.getpid(), message["signal"])
            else:
                self._calls.put(message)
        self._calls.put(None)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE)
        os._exit(128 + signal.SIGTERM)


def _guard_streams() -> None:
    """Let whatever reads stdin find its end, and whatever prints write to stderr."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    faulthandler.enable()  # a crash in C code says where it was


def main() -> None:
    """Load all that a training needs, also while there is nothing to do yet, then train."""
    calls = Calls()
    from threadpoolctl import threadpool_limits

    from nnctl.running.stacking import train_stack

    with threadpool_limits(1):
        calls.serve(train_stack)
    os._exit(0)  # all is written; the interpreter would take its time to clear up


if __name__ == "__main__":
    main()
