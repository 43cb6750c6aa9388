"""Tables that show one fault each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from nnctl.audit import audit
from nnctl.experiment import open_experiment
from nnctl.preparing.preparation import Prepared
from tests.tables import write_csv

Columns = Mapping[str, Sequence[Any]]


def write(path: str, columns: Columns) -> None:
    write_csv(Path(path), list(columns), list(zip(*columns.values(), strict=True)))


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Prepared]:
    """Columns of training rows, options of ``data``, and columns of other files, as what an experiment knows."""
    monkeypatch.chdir(tmp_path)

    def prepare(
        columns: Columns, /, *, val: Columns | None = None, test: Columns | None = None, **data: Any
    ) -> Prepared:
        write("train.csv", columns)
        for name, others in (("val", val), ("test", test)):
            if others is not None:
                write(f"{name}.csv", others)
                data[f"{name}_path"] = f"{name}.csv"
        Path("it.yaml").write_text(json.dumps({"data": {"path": "train.csv", "target": "y", **data}}))
        return open_experiment("it.yaml").prepared

    return prepare


@pytest.fixture
def audited(prepared: Callable[..., Prepared]) -> Callable[..., tuple[str, ...]]:
    """The findings about such tables."""
    return lambda columns, /, **data: audit(prepared(columns, **data))
