"""Judging and using a trained model: ``nnctl eval`` and ``nnctl predict``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from nnctl.arguments import check_path
from nnctl.data.refusals import check_columns, no_column
from nnctl.data.rows import as_lines, check_target, is_replaced, lines_of, write_lines
from nnctl.data.table import Table, open_table
from nnctl.errors import DataError, Place, Problem, SpecError
from nnctl.experiment import open_model
from nnctl.metrics import Predictions, ratio
from nnctl.model import Model, unseen_notes
from nnctl.preparing.cutting import PARTS, cut
from nnctl.preparing.dataset import read, rows_with_target
from nnctl.running.run import Run
from nnctl.runs.places import from_here

Array = NDArray[Any]

CSV = "the path of a CSV or parquet file"
ROWS = 2**14  # predicted together; a multiple of what is evaluated at once, which leaves no trace in the results


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The loss and the metrics of a model on some rows.

    For classes also ``confusion``, rows of true classes by columns of predicted ones, and in ``classes`` how well each
    class was found. Both count rows, whatever they weigh; the loss and the metrics take the weights into account.
    """

    run: str
    data: str
    split: str | None  # None: all rows of the file
    rows: int
    metrics: dict[str, float]
    labels: tuple[str, ...] = ()
    confusion: list[list[int]] = field(default_factory=list)
    classes: list[dict[str, Any]] = field(default_factory=list)
    notes: tuple[str, ...] = ()


def evaluate(
    run: Run | str | Path,
    csv: str | Path | None = None,
    *,
    split: str | None = None,
    runs_dir: str | Path | None = None,
) -> Evaluation:
    """Judge a run's best model, or the one in a checkpoint file, on a CSV file or on a part of the run's own data.

    Raises: SpecError if a checkpoint file comes without a CSV; DataError if ``split`` is asked of other data than the
            run was trained on.
    """
    if csv is not None:
        check_path("csv", csv, CSV)
    model, run_dir = open_model(run, runs_dir=runs_dir)
    reference = str(run) if run_dir is None else from_here(run_dir.path)
    if csv is None and run_dir is None:
        raise SpecError(Problem(f"{reference}: a checkpoint file alone needs the CSV to judge it on: add its path"))
    if csv is None:
        split = split or next(name for name in ("test", "val", "train") if name in model.data_sha256)
    path = str(csv) if csv is not None else path_of(model, split or "train")
    table, rows, notes = judged_rows(model, path, split)
    if not len(rows):
        known = f" with a known `{model.target.names[0]}`" if model.target.names else ""
        raise DataError(Problem(f"{path}: has no row{known}"))
    with threadpool_limits(1):
        loss, predictions = model.evaluator.judge(model.examples(table, rows), model.target)
    chosen = model.experiment.metrics
    assert not isinstance(chosen, str)
    with np.errstate(all="ignore"):
        metrics = {"loss": loss, **{metric.name: metric.compute(predictions) for metric in chosen}}
        found = Evaluation(reference, path, split, len(rows), metrics, notes=tuple(notes))
        return _with_classes(found, model, predictions) if model.target.classifies else found


def judged_rows(model: Model, path: str, split: str | None) -> tuple[Table, Array, list[str]]:
    """The table and its rows to judge: all that have a target, or one part of the split of training.

    Raises: DataError if the file is not that of training, where a part is asked for.
    """
    data, names = model.experiment.data, model.target.names
    extra = {name for name in (getattr(data.split, "column", None), data.weight) if name is not None}
    table = read(data, path, types=model.features.types, only={*model.features.types, *names, *extra})
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise DataError(Problem(no_column(table, missing[0], "the target that the model is judged by")))
    rows, notes = rows_with_target(data, table, names)
    if split is None:
        return table, rows, notes
    _check_part(model, table, split)
    if getattr(data, f"{split}_path", None) is not None:
        return table, rows, notes
    parts = cut(data, table, rows, names, model.target.task, model.experiment.seed)
    return table, parts[split].rows, notes


def path_of(model: Model, split: str) -> str:
    """The file that the rows of a part came from."""
    data = model.experiment.data
    own: str | None = getattr(data, f"{split}_path", None)
    return own or data.path


def _check_part(model: Model, table: Table, split: str) -> None:
    """Raise DataError unless the table is, byte for byte, the one that the part was cut from."""
    if split not in PARTS:
        raise SpecError(Problem(f"--split: must be one of {', '.join(PARTS)}, got `{split}`"))
    trained_on = model.data_sha256.get(split)
    if trained_on is None:
        there = ", ".join(model.data_sha256)
        raise DataError(Problem(f"{table.path}: the run has no {split} rows, it has {there}"))
    if table.sha256 != trained_on:
        message = f"is not the file that the run's {split} rows came from; without --split all of its rows are judged"
        raise DataError(Problem(f"{table.path}: {message}"))


def _with_classes(found: Evaluation, model: Model, predictions: Predictions) -> Evaluation:
    """The evaluation with its confusion matrix and a row for each class."""
    confusion = predictions.confusion
    classes = []
    for code, label in enumerate(model.classes):
        hits, said, rows = confusion[code, code], confusion[:, code].sum(), confusion[code].sum()
        precision, recall = ratio(hits, said), ratio(hits, rows)
        f1 = ratio(2 * hits, said + rows)
        classes.append({"label": label, "rows": int(rows), "precision": precision, "recall": recall, "f1": f1})
    return replace(found, labels=model.classes, confusion=confusion.tolist(), classes=classes)


@dataclass(frozen=True, slots=True)
class Predicted:
    """What `predict` has written."""

    rows: int
    notes: tuple[str, ...]


def predict(
    run: Run | str | Path,
    csv: str | Path,
    output: str | Path,
    *,
    proba: bool = False,
    runs_dir: str | Path | None = None,
) -> Predicted:
    """Write a CSV with the input's cells as they were and the predictions behind them; ``-`` is stdin and stdout.

    The input is read and checked as a whole, then predicted and written block by block: it may be larger than memory.
    Raises: DataError if a feature column is missing, or a column has the name of one that would be added.
    """
    check_path("csv", csv, f"{CSV}; for a table in memory there is `nnctl.load(run).predict`")
    check_path("output", output, "the path of the file to write, `-` for the standard output")
    model, _ = open_model(run, runs_dir=runs_dir)
    form, target = model.experiment.data.format, Path(output)
    names = prediction_columns(model, proba=proba)
    check_target(target, Path(csv))
    file = open_table(Path(csv), delimiter=form.delimiter, encoding=form.encoding)
    taken = [name for name in names if name in file.header]
    if taken:
        place = Place(str(csv), 1)
        raise DataError(Problem(f"has a column `{taken[0]}`, a name that predictions get; rename it", place=place))
    check_columns(file.path, model.features.types, file.header)
    table = model.read(file)  # all of it, before the first row is written
    model.features.check(table)
    if not is_replaced(target):
        for block in _blocks(model, table):  # what is written there cannot be taken back
            model.features.matrix(block, model.arena.dtype)
    unseen: Counter[str] = Counter()
    cells = (_added(model, block, unseen, file.delimiter, proba=proba) for block in _blocks(model, table))
    with threadpool_limits(1):
        lines = _joined(lines_of(file), chain.from_iterable(cells))
        write_lines(target, [*file.header, *names], lines, delimiter=file.delimiter)
    in_order = {name: unseen[name] for name in model.features.types if unseen[name]}
    return Predicted(table.rows, tuple(unseen_notes(str(table.path), in_order)))


def _blocks(model: Model, table: Table) -> Iterator[Table]:
    """The rows of a table, some after the other."""
    for start in range(0, table.rows, ROWS):
        yield table.take(np.arange(start, min(start + ROWS, table.rows)), model.features.types)


def _joined(blocks: Iterator[list[str]], added: Iterator[str]) -> Iterator[list[str]]:
    """The lines of every block with what is added to them."""
    for lines in blocks:
        yield [line + more for line, more in zip(lines, islice(added, len(lines)), strict=True)]
    assert next(added, None) is None, "there are more predictions than rows"


def _added(model: Model, block: Table, unseen: Counter[str], delimiter: str, *, proba: bool) -> Iterator[str]:
    """What the lines of a block get; its cells with unseen levels are counted by column."""
    outputs, strange = model.outputs(block)
    unseen.update(strange)
    return map("".join, zip(*_cells(model, outputs, delimiter, proba=proba), strict=True))


def prediction_columns(model: Model, *, proba: bool) -> list[str]:
    """The names of the columns that predictions get."""
    if proba and (reason := model.no_probabilities) is not None:
        raise SpecError(Problem(f"--proba: {reason}"))
    return [*model.target.columns(model.experiment.loss), *(model.target.probability_columns() if proba else ())]


def _cells(model: Model, outputs: Array, delimiter: str, *, proba: bool) -> Iterator[list[str]]:
    """The added columns, a delimiter before every cell; numbers as the shortest decimals that read back exactly."""
    target = model.target
    if target.classifies or target.task == "multilabel":
        codes = target.codes(outputs)
        labels = [target.classes] if target.classifies else target.pairs
        for column, names in zip(codes.reshape(len(codes), -1).T.tolist(), labels, strict=True):
            cells = as_lines([("", name) for name in names], delimiter)
            yield [cells[code] for code in column]
    else:
        values = model.values(outputs)
        yield from _numbers(values.reshape(len(values), -1), delimiter)
    if proba:
        yield from _numbers(target.probability(outputs), delimiter)


def _numbers(values: Array, delimiter: str) -> Iterator[list[str]]:
    for column in values.T.tolist():
        cells = map(repr, column)
        if delimiter in "+-.":
            yield as_lines([("", cell) for cell in cells], delimiter)
        else:
            yield [delimiter + cell for cell in cells]
