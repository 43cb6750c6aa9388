"""One picture of a training: a few lines that fit into any width."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from nnctl.console.text import clock, number, sparkline
from nnctl.training.job import Job
from nnctl.training.trainer import Epoch, Tick

LAST = 5  # epochs in the table
SPEED_OVER = 20  # redraws that the steps per second are measured over
MOST = 60  # columns of the bar and of the sparkline
GAP = "  "
NUMBER = 9  # columns of a number, at least


class History:
    """Values spread evenly over all that were added, never more than ``most``: thinned out instead of growing."""

    def __init__(self, most: int = 512) -> None:
        self.values: list[float] = []
        self._most, self._every, self._added = most, 1, 0

    def add(self, value: float) -> None:
        self._added += 1
        if self._added % self._every:
            return
        self.values.append(value)
        if len(self.values) >= self._most:
            del self.values[::2]
            self._every *= 2


class Frame:
    """Where a training stands. ``add`` is called for every evaluated epoch and only keeps it."""

    def __init__(self, job: Job, max_time: float | None, fold: str = "") -> None:
        self.fold = f"{fold}{GAP}" if fold else ""
        self.epochs, self.steps, self.max_time = job.epochs, job.epochs * job.epoch_steps, max_time
        self.columns = job.columns
        self.loss = "val_loss" if "val_loss" in job.columns else "train_loss"
        self.monitor = job.monitor or "train_loss"
        self.last: deque[Epoch] = deque(maxlen=LAST)
        self.best: Epoch | None = None
        self.history = History()
        self.now: Epoch | Tick = Tick(0, 0, 0.0)
        self.ended = False
        self._places: deque[tuple[float, int]] = deque([(0.0, 0)], maxlen=SPEED_OVER)

    def add(self, event: Epoch) -> None:
        self.last.append(event)
        self.history.add(event.values[self.loss])
        if event.improved:
            self.best = event

    def move_to(self, event: Epoch | Tick) -> None:
        """Say how far the training is, before a redraw."""
        self.now = event
        self._places.append((event.seconds, event.step))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        drawable = options.encoding.startswith("utf")
        for words, style in self.lines(options.max_width, drawable=drawable):
            yield Text(words[: options.max_width], style=style, no_wrap=True, overflow="crop")

    def lines(self, width: int, *, drawable: bool = True) -> Iterator[tuple[str, str]]:
        """The lines with their styles; not ``drawable`` is a terminal that has ASCII only."""
        yield self._bar(width, "━─" if drawable else "#-"), "cyan"
        yield f"{self.fold}epoch {self.now.epoch}/{self.epochs}{GAP}{self._speed():,.0f} steps/s", ""
        yield from self._table(width)
        if self.best is not None:
            value = number(self.best.values[self.monitor])
            yield f"best: epoch {self.best.epoch}{GAP}{self.monitor} {value}", "green"
        room = min(MOST, width - len(self.loss) - len(GAP))
        if drawable and room > 0 and len(self.history.values) > 1:
            yield f"{self.loss}{GAP}{sparkline(self.history.values, room)}", ""

    def _bar(self, width: int, signs: str) -> str:
        share = min(1.0, self.now.step / self.steps)
        behind = f"{GAP}{share:4.0%}{self._left(share)}"
        room = max(0, min(MOST, width - len(behind)))
        done = int(share * room)
        return signs[0] * done + signs[1] * (room - done) + behind

    def _left(self, share: float) -> str:
        if self.ended or not share:
            return ""
        left = self.now.seconds * (1 - share) / share
        if self.max_time is not None:
            left = min(left, max(0.0, self.max_time - self.now.seconds))
        return f"{GAP}{clock(left)} left"

    def _speed(self) -> float:
        (start, before), (stop, after) = self._places[0], self._places[-1]
        return (after - before) / (stop - start) if stop > start else 0.0

    def _table(self, width: int) -> Iterator[tuple[str, str]]:
        """The last evaluated epochs, in as many columns as there is room for."""
        widths = [max(len(name), NUMBER) for name in self.columns]
        shown = 0
        used = NUMBER
        while shown < len(widths) and used + len(GAP) + widths[shown] <= width:
            used += len(GAP) + widths[shown]
            shown += 1
        names = self.columns[:shown]
        yield self._row("epoch", names, widths), "bold"
        for event in self.last:
            cells = [number(event.values[name]) for name in names]
            yield self._row(str(event.epoch), cells, widths), "green" if event.improved else ""

    def _row(self, first: str, cells: list[str], widths: list[int]) -> str:
        columns = [cell.rjust(width) for cell, width in zip(cells, widths, strict=False)]
        return GAP.join([first.rjust(NUMBER), *columns])
