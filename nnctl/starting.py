"""``nnctl init``: a table looked at, and a config that trains on it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nnctl.arguments import check_path
from nnctl.audit import audit
from nnctl.component import options
from nnctl.data.labels import labels
from nnctl.data.refusals import no_column
from nnctl.data.source import STDIN
from nnctl.data.table import Table, open_table, read_table
from nnctl.data.task import decide_task, other_tasks
from nnctl.drafting import Draft, Plan, written
from nnctl.errors import DataError, Place, Problem, SpecError
from nnctl.preparing.preparation import prepare
from nnctl.purposes import Role, roles_of
from nnctl.runs import atomic
from nnctl.spec.nodes import parse
from nnctl.spec.problems import listed, shown
from nnctl.spec.reading import bind
from nnctl.spec.scalars import UNWRITABLE
from nnctl.spec.schema import Data

STDOUT = "-"
MOST_CLASSES = 8  # in a comment
MOST_NAMED = 40  # columns of a table in one sentence
THOUSANDS = 3  # digits behind a comma that may as well separate thousands


@dataclass(frozen=True, slots=True)
class Start:
    """A starter config, and what is to be said about the table."""

    text: str
    warnings: tuple[str, ...]


def start(csv: str | Path, targets: Sequence[str], output: str | Path = STDOUT, *, encoding: str = "utf-8") -> Start:
    """A config for a table, written to ``output`` unless that is ``-``; it has been checked as ``check`` does.

    Raises: SpecError if there is no target, or ``output`` is there already; DataError if the table cannot be read or
            learned from; OutputError if the file cannot be written.
    """
    check_path("csv", csv, "the path of a CSV or parquet file")
    source, target = Path(csv), Path(output)
    _check_names(source, targets)
    if str(output) != STDOUT and os.path.lexists(target):
        message = "is there already, and nothing is written over it; choose another name, or remove it"
        raise SpecError(Problem(message, "-o", Place(str(target))))
    if not targets:
        raise _no_target(source, encoding)
    draft = _draft(source, targets, target, encoding)
    folder = Path() if str(output) == STDOUT else target.parent
    experiment = bind(parse(written(draft), str(folder / "start.yaml")))
    prepared = prepare(replace(experiment, name="start"))
    warnings = (*prepared.warnings, *audit(prepared))
    text = written(replace(draft, warnings=warnings))
    if str(output) != STDOUT:
        _write_new(target, text)
    return Start(text, warnings)


def _draft(source: Path, targets: Sequence[str], target: Path, encoding: str) -> Draft:
    table, decimal = _read(source, targets, encoding)
    missing = [name for name in targets if name not in table.columns]
    if missing:
        raise DataError(Problem(no_column(table, missing[0], "the target"), "--target"))
    columns = [table.columns[name] for name in targets]
    empty = [column.name for column in columns if column.missing == table.rows]
    if empty:
        raise DataError(Problem(f"{source}: column {shown(empty[0])} has no value in any row", "--target"))
    task = decide_task(columns, "auto")
    roles = roles_of(table, targets)
    rows = table.rows - columns[0].missing
    plan = planned(rows)
    words = ["nnctl", "init", str(source), *(word for name in targets for word in ("--target", name))]
    words += ["--encoding", encoding] if encoding != "utf-8" else []
    words += ["-o", str(target)] if str(target) != STDOUT else []
    form = {"delimiter": "tab" if table.delimiter == "\t" else table.delimiter} if table.delimiter != "," else {}
    form |= {"encoding": encoding} if encoding != "utf-8" else {}
    form |= {"decimal": decimal} if decimal != "." else {}
    return Draft(
        command=shlex.join(words),
        source=source.name,
        path=_path(source, target),
        rows=table.rows,
        targets=targets,
        task=task,
        says=_comments(table, targets, task, roles, plan),
        roles=roles,
        format=form,
        plan=plan,
    )


def planned(rows: int) -> Plan:
    """A plan for so many rows: the fewer they are, the more epochs they need and the less can be held back."""
    if rows < 20:
        return Plan(None, [16], 500, "full", 0)
    if rows < 100:
        return Plan({"val": 0.2}, [16], 300, 16, 30)
    if rows < 5_000:
        return Plan({"val": 0.2, "test": 0.2}, [32, 32], 200, 32, 20)
    if rows < 100_000:
        return Plan({"val": 0.1, "test": 0.2}, [64, 64], 60, 128, 8)
    return Plan({"val": 0.05, "test": 0.1}, [128, 128], 20, 256, 3)


def _comments(table: Table, targets: Sequence[str], task: str, roles: Sequence[Role], plan: Plan) -> dict[str, str]:
    """What is said behind keys."""
    columns = [table.columns[name] for name in targets]
    says = {}
    if task in ("binary", "multiclass"):
        names = labels(columns[0]).names
        more = ", ..." if len(names) > MOST_CLASSES else ""
        says["target"] = f"{len(names)} classes: {listed(names[:MOST_CLASSES])}{more}"
        if task == "binary":
            says["target"] += f"; the positive one is {shown(names[-1])}"
    if columns[0].missing:
        without = f"{columns[0].missing:,} rows have none and are left out"
        says["target"] = f"{says['target']}; {without}" if "target" in says else without
    others = set(other_tasks(columns, "multiclass" if task == "binary" else task))
    others -= {"multilabel"} if len(columns) == 1 else set()
    if others:
        says["task"] = f"or {' or '.join(sorted(others))}"
    dates = [role.column.name for role in roles if role.type == "date" and role.purpose == "feature"]
    if plan.split is None:
        says["split"] = "too few rows to hold any back"
    elif dates:
        says["split"] = f"rows in the order of time: {{type: time, column: {dates[0]}, ...}}"
    return says


def _read(source: Path, targets: Sequence[str], encoding: str) -> tuple[Table, str]:
    """The table, and its decimal mark: a comma where only that makes numbers of all that are meant as numbers."""

    def read(decimal: str, types: dict[str, str] | None = None) -> Table:
        usual: Any = options(Data)["missing_values"].default
        return read_table(
            source,
            missing_values=usual,
            types=types,
            only=types,
            delimiter="auto",
            encoding=encoding,
            decimal=decimal,
            others=targets,
        )

    try:
        return read("."), "."
    except DataError as error:
        # Those without a place are columns that somebody has to decide about, which is done here.
        first = _with_way_out(DataError([each for each in error.problems if each.place] or error.problems))
    try:
        table = read(",")
    except DataError:
        raise first from None
    numbers = {name: "category" for name, column in table.columns.items() if column.type == "number"}
    texts = read(",", numbers).columns.values() if numbers else ()
    parts = [text.partition(",")[2] for column in texts for text in column.levels if "," in text]
    if any(len(part) != THOUSANDS for part in parts):
        return table, ","
    raise first


def _with_way_out(error: DataError) -> DataError:
    """The error with the option of `init` beside the key of a config that is not there yet."""
    return DataError(
        replace(problem, message=f"{problem.message} (here: `--encoding`)")
        if "`data.format.encoding" in problem.message
        else problem
        for problem in error.problems
    )


def _no_target(source: Path, encoding: str) -> SpecError:
    try:
        header = open_table(source, delimiter="auto", encoding=encoding).header
    except DataError as error:
        raise _with_way_out(error) from None
    names = [name for name in header if name]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    message = f"name the column to predict; {source} has {listed(names[:MOST_NAMED])}{more}"
    return SpecError(Problem(message, "--target"))


def _check_names(source: Path, targets: Sequence[str]) -> None:
    """Raise SpecError for what a config cannot say."""
    if source == STDIN:
        raise SpecError(Problem("must be a file, which the config can name, not the standard input", "CSV"))
    for key, text in (("CSV", str(source)), *(("--target", name) for name in targets)):
        if "${" in text or (key == "CSV" and UNWRITABLE.search(text)):
            raise SpecError(Problem(f"{shown(text)} cannot be written into a config, rename it", key))
    if len(set(targets)) < len(targets):
        raise SpecError(Problem("names a column twice", "--target"))


def _path(source: Path, target: Path) -> str:
    """The table as a config at ``target`` names it: relative, unless it was given otherwise."""
    if source.is_absolute():
        return os.path.normpath(source)
    folder = Path() if str(target) == STDOUT else target.parent
    found = os.path.relpath(source, folder)
    return os.path.abspath(source) if found.startswith("~") else found  # `~t.csv` would be the home of t.csv


def _write_new(target: Path, text: str) -> None:
    """Write a file that must not be there."""
    try:
        with target.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise atomic.cannot_write(target, error) from error
