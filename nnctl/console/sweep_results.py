"""The result of a sweep on stdout: its settings ranked, what each parameter matters, and the path of the best run."""

from __future__ import annotations

from collections.abc import Sequence

from nnctl.console import output
from nnctl.console.grid import Grid
from nnctl.console.sweep_names import LONGEST, setting, short_names
from nnctl.console.tables import UNBOUNDED, line, show, table, width
from nnctl.console.text import count
from nnctl.sweeps.leaderboard import Setting
from nnctl.sweeps.report import Report, report
from nnctl.sweeps.result import Sweep
from nnctl.sweeps.ties import WORTH

SHOWN = 10  # settings
FIXED = 2  # columns that are never left away
WORDS = ("tied", "status")
REST = "(the rest)"


def show_sweep(sweep: Sweep) -> None:
    """The leaderboard, the settings that may be the best, the importance of parameters; the best run comes last."""
    found = report(sweep)
    if any(each.values for each in found.settings):
        _show_settings(sweep, found)
        show(line(""), *(line(each) for each in _about_ties(found)))
        _show_importance(sweep, found)
        show(line(""))
    else:
        output.note(f"no trial has a value of {sweep.metric}: there is no best one")
    show(line(_folder(sweep), "bold"))


def show_best(sweep: Sweep) -> None:
    """The folder of the best run and nothing else; that of the sweep where there is none."""
    output.write_path(_folder(sweep))


def _folder(sweep: Sweep) -> str:
    best = sweep.best
    return sweep.path if best is None else best.path


def _show_settings(sweep: Sweep, found: Report) -> None:
    """As many columns as there is room for, the keys in full if they all fit, else by their last words."""
    having = [each for each in found.settings if each.values]
    keys = list(dict.fromkeys(key for each in having for key in each.params))
    full = _grid(sweep, found, having[:SHOWN], {key: key for key in keys})
    short = _grid(sweep, found, having[:SHOWN], short_names(keys))
    columns = len(full.header)
    grid = full if full.grid.room() >= columns else short
    shown = max(grid.grid.room(), FIXED)
    grid.grid.show(shown)
    if shown < columns:
        output.note(f"not shown, for want of width: {', '.join(full.header[shown:])}; see trials.csv or --json")
    rest = len(found.settings) - len(having[:SHOWN])
    if rest:
        output.note(f"{count(rest, 'setting')} more: see trials.csv or --json")


class _Named:
    """A grid, and the header that it was made with."""

    def __init__(self, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        self.header = header
        self.grid = Grid(header, rows, words=WORDS)


def _grid(sweep: Sweep, found: Report, settings: Sequence[Setting], names: dict[str, str]) -> _Named:
    longest = None if width() >= UNBOUNDED else LONGEST
    rows: list[list[object]] = []
    header = ["", f"mean {sweep.metric}", "std (n - 1)", "seeds"] if found.repeated else ["trial", sweep.metric]
    header += ["tied"] if found.ties.known else []
    header += [] if found.repeated else ["status"]
    for place, each in enumerate(settings):
        rows.append([place + 1, each.mean, *_spread(each)] if found.repeated else [each.trials[0].number, each.mean])
        rows[-1] += [("yes" if place in found.ties.places else "")] if found.ties.known else []
        rows[-1] += [] if found.repeated else [each.trials[0].status.replace("_", " ")]
        rows[-1] += [setting(each.params.get(key), longest) for key in names]
    return _Named([*header, *names.values()], rows)


def _spread(each: Setting) -> tuple[object, str]:
    values, trials = len(each.values), len(each.trials)
    return (each.std if values > 1 else None), str(values) if values == trials else f"{values} of {trials}"


def _about_ties(found: Report) -> list[str]:
    ties = found.ties
    if not ties.known:
        return [f"which settings are tied with the best: {ties.why}"]
    others = len(ties.places) - 1
    if not others:
        what = "no other setting is tied with the best"
    else:
        what = f"{count(others, 'other setting')} {'is' if others == 1 else 'are'} tied with the best"
    more = f"; of {ties.seeds} seeds only great differences stand out" if ties.seeds < WORTH else ""
    return [f"{what} (paired t test over {ties.seeds} seeds, corrected for the number of settings){more}"]


def _show_importance(sweep: Sweep, found: Report) -> None:
    importance = found.importance
    if importance.why:
        output.note(f"importance of the parameters: not shown, {importance.why}")
        return
    shares = [(name, f"{share:.0%}") for name, share in importance.shares.items()]
    what = f"share in the ranks by {sweep.metric}"
    show(line(""), table(["parameter", what], [*shares, (REST, f"{importance.rest:.0%}")], words=["parameter"]))
