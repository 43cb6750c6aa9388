"""Predictions for files of any size: block by block, whole or not at all, never over the input."""

from __future__ import annotations

import csv
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

import nnctl
from nnctl import judging
from nnctl.data import cells, features
from nnctl.errors import DataError
from tests.tables import CLASSIFY, MIXED, REGRESS, experiment, mixed_csv, mixed_rows, write_csv

ROWS = 3000


@pytest.fixture(scope="module", params=[CLASSIFY, REGRESS], ids=["classes", "numbers"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run = nnctl.train(experiment(folder, request.param), {"train.epochs": 2})
        yield str(folder / run.checkpoint)  # type: ignore[operator]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "ROWS", 1024)
    monkeypatch.setattr(cells, "BLOCK", 20_000)
    monkeypatch.setattr(cells, "PIECE", 5_000)
    monkeypatch.setattr("nnctl.data.source._BESIDE", 5_000)


def test_many_blocks_give_the_same_bytes_as_one(trained: str, request: pytest.FixtureRequest) -> None:
    mixed_csv(Path("table.csv"), ROWS)
    proba = nnctl.load(trained).no_probabilities is None
    nnctl.predict(trained, "table.csv", "one.csv", proba=proba)
    request.getfixturevalue("small_blocks")
    nnctl.predict(trained, "table.csv", "many.csv", proba=proba)
    assert Path("many.csv").read_bytes() == Path("one.csv").read_bytes()
    with open("many.csv", newline="") as file:
        header, *rows = csv.reader(file)
    with open("table.csv", newline="") as file:
        before = list(csv.reader(file))
    assert header[: len(MIXED)] == MIXED
    assert [row[: len(MIXED)] for row in rows] == before[1:]
    columns = {name: [row[place] or None for row in before[1:]] for place, name in enumerate(MIXED)}
    predicted = nnctl.load(trained).predict(columns)
    assert [row[len(MIXED)] for row in rows] == [str(value) for value in predicted.tolist()]


def test_unseen_levels_are_counted_once_for_the_whole_file(trained: str, small_blocks: None) -> None:
    rows = mixed_rows(ROWS)
    for place in (5, 1500, 1501, 2999):
        rows[place][3] = "purple"
    write_csv(Path("table.csv"), MIXED, rows)
    notes = nnctl.predict(trained, "table.csv", "out.csv").notes
    assert notes == ("table.csv: `colour` holds levels unseen in training, in 4 rows",)


@pytest.mark.parametrize("target", ["out.csv", "-"])
def test_bad_cells_in_a_late_block_are_named_before_a_row_is_written(
    trained: str, small_blocks: None, target: str, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = mixed_rows(ROWS)
    rows[40][2], rows[2900][2], rows[2950][4] = "abc", "x", "perhaps"
    write_csv(Path("table.csv"), MIXED, rows)
    Path("out.csv").write_text("old")
    with pytest.raises(DataError) as caught:
        nnctl.predict(trained, "table.csv", target)
    message = str(caught.value)
    assert "table.csv:42: column `b`: 2 of 3000 values are not numbers: 'abc' (line 42), 'x' (line 2902)" in message
    assert "table.csv:2952: column `member`: 1 of 3000 values" in message
    assert Path("out.csv").read_text() == "old"
    assert sorted(os.listdir()) == ["out.csv", "table.csv"]
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("target", ["out.csv", "-"])
def test_a_number_beyond_the_range_in_a_late_block_leaves_nothing(
    trained: str, small_blocks: None, target: str, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = mixed_rows(ROWS)
    rows[2900][2] = "1e300"
    write_csv(Path("table.csv"), MIXED, rows)
    with pytest.raises(DataError, match=r"table\.csv:2902: column `b`: the number is beyond the range of float32"):
        nnctl.predict(trained, "table.csv", target)
    assert os.listdir() == ["table.csv"]
    assert capfd.readouterr().out == ""


def test_a_file_that_changes_meanwhile_leaves_nothing(
    trained: str, small_blocks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixed_csv(Path("table.csv"), ROWS)
    matrix, made = features.Features.matrix, []

    def changing(*args: object) -> object:
        made.append(None)
        if len(made) == 2:
            with open("table.csv", "a") as file:
                file.write("more\n")
        return matrix(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(features.Features, "matrix", changing)
    with pytest.raises(DataError, match=r"table\.csv: the file changed while it was read"):
        nnctl.predict(trained, "table.csv", "out.csv")
    assert os.listdir() == ["table.csv"]


def test_missing_columns_are_named_with_what_was_probably_meant(trained: str) -> None:
    write_csv(Path("table.csv"), ["id", "A", "b", "color", "member"], [["1", "1", "1", "red", "true"]])
    with pytest.raises(DataError) as caught:
        nnctl.predict(trained, "table.csv", "out.csv")
    message = "table.csv: has no column `a`, `colour`, which training used; did you mean `A` (for `a`), `color` (for"
    assert str(caught.value) == f"{message} `colour`)?"
    write_csv(Path("table.csv"), ["id", "A", "b", "colour", "member"], [["1", "1", "1", "red", "true"]])
    with pytest.raises(DataError, match=r"has no column `a`, which training used; did you mean `A`\?$"):
        nnctl.predict(trained, "table.csv", "out.csv")
    write_csv(Path("table.csv"), ["id", "b", "colour", "member"], [["1", "1", "red", "true"]])
    with pytest.raises(DataError, match="has no column `a`, which training used; it has `id`, `b`, `c"):
        nnctl.predict(trained, "table.csv", "out.csv")


def test_the_input_is_not_overwritten_by_any_name(trained: str) -> None:
    before = mixed_csv(Path("table.csv"), 50).read_bytes()
    Path("link.csv").symlink_to("table.csv")
    os.link("table.csv", "hard.csv")
    for target in ("table.csv", "./table.csv", "link.csv", "hard.csv", Path("table.csv").resolve()):
        with pytest.raises(DataError, match="the input would be overwritten; choose another output file"):
            nnctl.predict(trained, "table.csv", target)
    assert Path("table.csv").read_bytes() == before
    assert sorted(os.listdir()) == ["hard.csv", "link.csv", "table.csv"]


def test_memory_does_not_grow_with_the_rows(trained: str, small_blocks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnctl.data.room.HELD", 1000)
    monkeypatch.setattr("nnctl.blocks.BLOCK", 1024)
    peaks = []
    for count in (10_000, 40_000):
        path = write_csv(Path(f"{count}.csv"), MIXED, mixed_rows(1000) * (count // 1000))
        tracemalloc.start()
        nnctl.predict(trained, path, "out.csv")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (peaks[1] - peaks[0]) / 30_000 < 8  # bytes a row
