"""The first row in which two runs differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnctl.errors import RunError
from nnctl.runs.rows import RowDifference, first_difference

HEAD = "epoch,step,lr,seconds,train_loss,val_loss\n"
ROWS = ["1,3,0.1,0.5,0.25,0.5\n", "2,6,0.1,0.9,0.2,0.4\n", "4,12,0.1,1.2,0.1,\n"]


def difference(folder: Path, a: str, b: str) -> RowDifference | None:
    (folder / "a").write_text(a)
    (folder / "b").write_text(b)
    found = first_difference(folder / "a", folder / "b")
    again = first_difference(folder / "b", folder / "a")
    assert again == found
    return found


@pytest.mark.parametrize(
    ("rows", "epoch", "columns"),
    [
        (ROWS, None, ()),
        ([row.replace("0.9", "77.0") for row in ROWS], None, ()),  # time alone
        ([ROWS[0], "2,6,0.1,0.9,0.2,0.40000000000000002\n", ROWS[2]], 2, ("val_loss",)),
        ([ROWS[0], "2,7,0.1,0.9,0.3,0.4\n", ROWS[2]], 2, ("step", "train_loss")),
        (ROWS[:2], 4, ()),
        ([ROWS[0], ROWS[2]], 2, ("epoch", "step", "train_loss", "val_loss")),
        ([*ROWS[:2], "4,12,0.1,1.2,0.1,0.0\n"], 4, ("val_loss",)),
        ([], 1, ()),
    ],
)
def test_the_first_difference_is_found(
    tmp_path: Path, rows: list[str], epoch: int | None, columns: tuple[str, ...]
) -> None:
    found = difference(tmp_path, HEAD + "".join(ROWS), HEAD + "".join(rows))
    assert found == (None if epoch is None else RowDifference(epoch, columns))


def test_another_header_is_a_difference_of_the_first_row(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(HEAD + ROWS[0])
    (tmp_path / "b").write_text(HEAD.replace("val_loss", "val_f1") + ROWS[0])
    found = first_difference(tmp_path / "a", tmp_path / "b")
    assert found is not None
    assert found.epoch == 1
    assert set(found.columns) == {"val_loss", "val_f1"}


@pytest.mark.parametrize("content", [b"epoch\nx\n", b"epoch\n\xff\n", b'epoch\n"1\n'])
def test_a_damaged_table_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_text(HEAD + ROWS[0])
    (tmp_path / "b").write_bytes(content)
    with pytest.raises(RunError, match="is damaged"):
        first_difference(tmp_path / "a", tmp_path / "b")
    with pytest.raises(RunError, match="cannot be read"):
        first_difference(tmp_path / "a", tmp_path / "nothing")
