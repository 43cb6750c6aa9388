"""One picture of a sweep: a bar, how far it is, and the best trials, in lines that fit into any width."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from nnctl.console.sweep_names import setting, short_names
from nnctl.console.text import clean, clock, number
from nnctl.sweeps.events import SweepStarted, Working
from nnctl.sweeps.result import Tried

BEST = 8  # trials in the table
MOST = 60  # columns of the bar
GAP = "  "
WORDS = ("status",)  # columns that stand left


class SweepFrame:
    """Where a sweep stands; ``seconds`` since it began, or went on, are told before a redraw."""

    def __init__(self, started: SweepStarted) -> None:
        self._started = started
        self._names = short_names(started.params)
        self.ended: Mapping[int, Tried] = {}
        self.working = Working(0, 0, 0)
        self.seconds = 0.0
        self.over = False
        self._first: int | None = None  # epochs that were trained before

    def move_to(self, ended: Mapping[int, Tried], working: Working, seconds: float) -> None:
        """Say how far the sweep is, before a redraw."""
        self.ended, self.working, self.seconds = ended, working, seconds
        if self._first is None and working.planned:
            self._first = working.epochs

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        drawable = options.encoding.startswith("utf")
        for words, style in self.lines(options.max_width, drawable=drawable):
            yield Text(set_cell_size(words, min(cell_len(words), options.max_width)), style=style, no_wrap=True)

    def lines(self, width: int, *, drawable: bool = True) -> Iterator[tuple[str, str]]:
        """The lines with their styles; not ``drawable`` is a terminal that has ASCII only."""
        yield self._bar(width, "━─" if drawable else "#-"), "cyan"
        yield self._standing(), ""
        best = self._best()
        if best:
            yield from self._table(best, width)

    def _bar(self, width: int, signs: str) -> str:
        share = self._share()
        behind = f"{GAP}{share:4.0%}{self._left()}"
        room = max(0, min(MOST, width - len(behind)))
        done = int(share * room)
        return signs[0] * done + signs[1] * (room - done) + behind

    def _share(self) -> float:
        """What is done, by the epochs; by the trials as long as nobody knows how many epochs there are."""
        done, total = len(self.ended), self._started.total
        if done < total and self.working.planned:
            done, total = self.working.epochs, self.working.planned
        return min(1.0, done / total) if total else 1.0

    def _left(self) -> str:
        """The time left, by the epochs: a trial that has not ended yet is half done as well."""
        done = self.working.epochs - (self._first or 0)
        if self.over or done <= 0:
            return ""
        return f"{GAP}{clock(max(0, self.working.planned - self.working.epochs) / done * self.seconds)} left"

    def _standing(self) -> str:
        parts = [f"{len(self.ended):,}/{self._started.total:,} trials"]
        if self.working.running and not self.over:
            parts.append(f"{self.working.running:,} running")
        for status in ("diverged", "failed"):
            often = sum(trial.status == status for trial in self.ended.values())
            parts += [f"{often:,} {status}"] if often else []
        if self.working.planned:
            parts.append(f"{self.working.epochs:,}/{self.working.planned:,} epochs")
        return GAP.join(parts)

    def _best(self) -> list[Tried]:
        sign = 1.0 if self._started.goal == "minimize" else -1.0
        metric = self._started.metric
        having = [each for each in self.ended.values() if math.isfinite(each.value(metric))]
        return sorted(having, key=lambda each: (sign * each.value(metric), each.number))[:BEST]

    def _table(self, best: Sequence[Tried], width: int) -> Iterator[tuple[str, str]]:
        """The best trials; parameters that there is no room for are left away."""
        metric = clean(self._started.metric)
        columns = [
            ["trial", *(str(each.number) for each in best)],
            [metric, *(number(float(each.value(self._started.metric))) for each in best)],
            ["epochs", *(f"{each.epochs:,}" for each in best)],
            ["status", *(each.status.replace("_", " ") for each in best)],
        ]
        columns += [
            [clean(name), *(setting(each.params.get(key)) for each in best)] for key, name in self._names.items()
        ]
        widths = [max(map(cell_len, column)) for column in columns]
        ends = accumulate(each + len(GAP) for each in widths)
        shown = sum(end - len(GAP) <= width for end in ends)
        if shown < len(columns):  # the last place says that there are more
            while shown > 1 and sum(widths[:shown]) + len(GAP) * shown + 3 > width:
                shown -= 1
        aligned = [
            [cell.ljust(room) if column[0] in WORDS else " " * (room - cell_len(cell)) + cell for cell in column]
            for column, room in zip(columns[:shown], widths, strict=False)
        ]
        more = ["..."] if shown < len(columns) else []
        for place, cells in enumerate(zip(*aligned, strict=True)):
            yield (
                GAP.join([*cells, *(more if not place else [])]).rstrip(),
                ("bold", "green")[place] if place < 2 else "",
            )
