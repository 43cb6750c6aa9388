"""Signals: noted when they come, acted on between two batches."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SAVING = signal.SIGUSR1


class Interrupts:
    """While entered, the first ending signal is only noted in ``received``; a second one acts as usual.

    SIGUSR1 asks for a save. An ending signal that the parent process has set to be ignored stays ignored. Outside the
    main thread, where Python allows no handlers, nothing changes.
    """

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        self._save = False
        self._before: dict[signal.Signals, Any] = {}

    def take_save(self) -> bool:
        """Whether a save was asked for since the last call."""
        save, self._save = self._save, False
        return save

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in ENDING:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._note)
            self._before[SAVING] = signal.signal(SAVING, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore(*self._before)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._save = True

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.received = signal.Signals(number)
        self._restore(*ENDING)

    def _restore(self, *numbers: signal.Signals) -> None:
        for number in numbers:
            if number in self._before:
                signal.signal(number, self._before.pop(number))


class Terminated(BaseException):
    """A signal that ends the process, as an exception: what is open is closed, and half-written files are removed."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = signal.Signals(number)


def raise_terminated() -> None:
    """Have SIGTERM and SIGHUP raise `Terminated`, unless the parent process has set them to be ignored.

    SIGUSR1 asks for a save; where there is nothing to save yet, or any longer, it is ignored.
    """

    def end(number: int, frame: FrameType | None) -> None:
        raise Terminated(number)

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, end)
        # No function, which Python takes away before the process ends: the signal would then kill what has succeeded.
        if signal.getsignal(SAVING) is signal.SIG_DFL:
            signal.signal(SAVING, signal.SIG_IGN)
