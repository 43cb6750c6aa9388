"""The results of the commands as tables on stdout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.table import Table

from nnctl.console import output
from nnctl.console.columns_table import columns_table
from nnctl.console.tables import fits, line, pairs, show, table
from nnctl.console.text import count, named

if TYPE_CHECKING:
    from nnctl.checking import Checked
    from nnctl.judging import Evaluation
    from nnctl.network.gradcheck import Checked as CheckedGradient
    from nnctl.running.folding import Folded
    from nnctl.running.run import Run

PARTS = ("train", "val", "test")
BLANK = line("")


def show_run(run: Run) -> None:
    """The folder of a run, and its metrics by part; those of a cross-validation fold by fold."""
    from nnctl.running.folding import Folded

    if isinstance(run, Folded):
        show_folds(run)
    else:
        show(line(run.path, "bold"), *([by_part(run.metrics)] if run.metrics else []))


def show_folds(run: Folded) -> None:
    """The metrics of every fold on the rows that its network has not learned from, their means and deviations."""
    names = [name for name in run.metrics if not name.startswith("train_")]
    shown = len(names)
    while shown > 1 and not fits(_by_fold(run, names[:shown])):
        shown -= 1
    show(line(run.path, "bold"), _by_fold(run, names[:shown]))
    if shown < len(names):
        output.note(f"not shown, for want of width: {', '.join(names[shown:])}; see folds.json or --json")


def _by_fold(run: Folded, names: Sequence[str]) -> Table:
    rows: list[Sequence[object]] = [
        (str(number), fold.status.replace("_", " "), *(fold.metrics.get(name) for name in names))
        for number, fold in enumerate(run.folds, 1)
    ]
    for what, values in (("mean", run.metrics), ("std (n - 1)", run.std)):
        rows.append((what, "", *(values[name] for name in names)))
    return table(["fold", "status", *names], rows, words=["fold", "status"])


def by_part(metrics: dict[str, Any]) -> RenderableType:
    """Flat metrics as a table: a row for each part, a column for each metric."""
    split = {part: _of_part(metrics, part) for part in PARTS}
    names = list(dict.fromkeys(name for found in split.values() for name in found))
    rows = [(part, *(found.get(name) for name in names)) for part, found in split.items() if found]
    return table(["", *names], rows, words=[""])


def show_evaluation(found: Evaluation) -> None:
    """The metrics of an evaluation; for classes how they were told apart."""
    what = f"{found.split} rows of {found.data}" if found.split else found.data
    parts: list[RenderableType] = [line(f"{found.run} on {what}: {count(found.rows, 'row')}", "bold")]
    parts.append(pairs(found.metrics.items()))
    if found.labels:
        header = ["true \\ predicted", *found.labels]
        confusion = table(
            header, [(label, *row) for label, row in zip(found.labels, found.confusion, strict=True)], words=header[:1]
        )
        too_wide = line("the confusion matrix is wider than this terminal: see --json")
        classes = table(
            ["class", "rows", "precision", "recall", "f1"],
            [list(row.values()) for row in found.classes],
            words=["class"],
        )
        parts += [BLANK, confusion if fits(confusion) else too_wide, BLANK, classes]
    show(*parts)


def show_check(checked: Checked) -> None:
    """The columns of the table, the layers of the network, and what they are for."""
    about = {
        "task": checked.task,
        "target": _listed(checked.target),
        "classes": _listed(checked.classes),
        "loss": checked.loss,
        "rows": ", ".join(f"{rows:,} {part}" for part, rows in checked.rows.items() if rows),
    }
    columns = columns_table(checked.columns)
    about |= {role: _listed(names) for role, names in checked.others.items()}
    layers = table(
        ["layer", "type", "shape", "parameters"],
        [(layer.name, layer.type, _shape(layer.shape), f"{layer.parameters:,}") for layer in checked.layers],
        words=["layer", "type"],
    )
    ends = f"{count(len(checked.warnings), 'warning')}." if checked.warnings else "Everything is in order."
    total = line(f"{count(checked.parameters, 'parameter')}. {ends}")
    show(pairs((name, text) for name, text in about.items() if text), BLANK, columns, BLANK, layers, BLANK, total)


def show_gradcheck(found: Sequence[CheckedGradient]) -> None:
    """The relative error of every gradient."""
    rows = [(each.name, _shape(each.shape), f"{each.error:.1e}", "ok" if each.passed else "WRONG") for each in found]
    show(table(["gradient of", "shape", "relative error", ""], rows, words=["gradient of", ""]))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(named, names))


def _of_part(metrics: dict[str, Any], part: str) -> dict[str, Any]:
    return {name.removeprefix(f"{part}_"): value for name, value in metrics.items() if name.startswith(f"{part}_")}


def _shape(shape: Sequence[int]) -> str:
    return " x ".join(f"{size}" for size in shape)
