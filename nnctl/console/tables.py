"""Tables, as wide as they need to be where nobody looks at a screen."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from io import StringIO

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from nnctl.console import output
from nnctl.console.text import clean, number

UNBOUNDED = 100_000  # columns; a table in a pipe or file is never folded


def table(header: Sequence[str], rows: Iterable[Sequence[object]], *, words: Sequence[str] = ()) -> Table:
    """A table without lines. The columns in ``words`` hold text and stand left; numbers stand right."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in header:
        left = name in words
        made.add_column(Text(clean(name)), justify="left" if left else "right", overflow="fold")
    for row in rows:
        made.add_row(*(Text(number(cell)) for cell in row))
    return made


def pairs(values: Iterable[tuple[str, object]]) -> Table:
    """Names and what they are, one below the other."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    made.add_column(no_wrap=True, style="bold")
    made.add_column(overflow="fold")
    for name, value in values:
        made.add_row(Text(clean(name)), Text(number(value)))
    return made


def line(text: str, style: str = "") -> Text:
    """A user's text as a line, which the terminal may break, but nnctl does not: a path must stay one word."""
    return Text(clean(text), style=style, no_wrap=True, overflow="ignore")


def fits(made: Table) -> bool:
    """Whether a table can be shown on stdout without squeezing it."""
    console = _console()
    return console.measure(made, options=console.options.update(max_width=UNBOUNDED)).maximum <= console.width


def width() -> int:
    """The letters that a line of stdout has room for."""
    return _console().width


def room(made: Table) -> int:
    """The letters that stdout leaves beside a table, if any."""
    console = _console()
    taken = console.measure(made, options=console.options.update(max_width=UNBOUNDED)).maximum
    return max(0, console.width - taken)


def show(*parts: RenderableType) -> None:
    """Write tables and lines to stdout."""
    text = StringIO()
    console = _console(text)
    console.print(Group(*parts), crop=False)
    lines = text.getvalue().splitlines()
    if not console.is_terminal:
        lines = [line.rstrip() for line in lines]
    while lines and not lines[-1]:
        del lines[-1]
    output.write("\n".join(lines))


def _console(file: StringIO | None = None) -> Console:
    """A console that lays out for stdout. It writes elsewhere: what stdout's errors mean, `output` knows."""
    tty = sys.stdout is not None and sys.stdout.isatty()
    return Console(file=file, highlight=False, force_terminal=tty or None, width=None if tty else UNBOUNDED)
