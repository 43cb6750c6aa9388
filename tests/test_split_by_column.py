"""Splits by groups and by time: what the column says is kept, and parts come as close to their sizes as they can."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from nnctl.checking import Checked, check
from nnctl.errors import DataError
from nnctl.preparing.preparation import Prepared, prepare
from nnctl.spec.reading import read_experiment
from nnctl.splits import Parts, Rows
from nnctl.splits.group import Group
from nnctl.splits.time import Time
from tests.tables import write_csv

group_sizes = st.lists(st.integers(1, 30), min_size=3, max_size=9)


def rows_of(sizes: list[int]) -> Rows:
    names = [f"g{place}" for place, size in enumerate(sizes) for _ in range(size)]
    return Rows(len(names), column=[names[row] for row in np.random.default_rng(5).permutation(len(names))])


def cut(split: Group | Time, rows: Rows, seed: int = 0) -> Parts:
    return split.cut(rows, np.random.default_rng(seed))


def groups(rows: Rows, part: np.ndarray) -> set[str]:
    assert rows.column is not None
    return {rows.column[row] for row in part.tolist()}


@given(sizes=group_sizes, val=st.floats(0, 0.5), test=st.floats(0, 0.45), seed=st.integers(0, 5))
def test_no_group_is_in_two_parts(sizes: list[int], val: float, test: float, seed: int) -> None:
    rows = rows_of(sizes)
    split = Group(column="g", val=val, test=test)
    try:
        split.sizes(rows.count)
    except DataError:  # so few rows that the parts, each rounded to one at least, leave none for training
        reject()
    parts = cut(split, rows, seed)
    found = [groups(rows, part) for part in (parts.train, parts.val, parts.test)]
    assert sum(map(len, found)) == len(sizes)
    assert [bool(names) for names in found] == [True, val > 0, test > 0]
    assert sorted(np.concatenate([parts.train, parts.val, parts.test]).tolist()) == list(range(rows.count))


@given(sizes=group_sizes, test=st.integers(1, 60), val=st.sampled_from([0, 1]), seed=st.integers(0, 5))
def test_the_size_is_met_as_closely_as_any_choice_of_groups_can(
    sizes: list[int], test: int, val: int, seed: int
) -> None:
    rows = rows_of(sizes)
    try:
        parts = cut(Group(column="g", val=val, test=test), rows, seed)
    except DataError:
        assert test + val >= rows.count
        return
    most = len(sizes) - 1 - val  # the other parts need a group each
    best = min(abs(sum(chosen) - test) for count in range(1, most + 1) for chosen in combinations(sizes, count))
    assert abs(len(parts.test) - test) == best


def test_one_large_group_leaves_the_others_for_the_parts() -> None:
    parts = cut(Group(column="g", val=1, test=50), rows_of([1, 1, 98]))
    assert [len(parts.train), len(parts.val), len(parts.test)] == [1, 1, 98]


def test_many_groups_meet_the_sizes_exactly() -> None:
    sizes = np.random.default_rng(1).integers(1, 40, size=5000).tolist()
    rows = rows_of(sizes)
    parts = cut(Group(column="g", val=0.15, test=0.1), rows)
    assert (len(parts.test), len(parts.val)) == (round(0.1 * rows.count), round(0.15 * rows.count))
    # Groups of all sizes are drawn, not the large or the small ones.
    drawn = np.array([sizes[int(name[1:])] for name in groups(rows, parts.test)])
    assert abs(drawn.mean() - np.mean(sizes)) < 5 * np.std(sizes) / np.sqrt(len(drawn))


def test_the_test_groups_do_not_depend_on_val_nor_on_the_order_of_the_rows() -> None:
    rows = rows_of([3, 4, 5, 6, 7, 8])
    parts = cut(Group(column="g", val=0.2, test=0.3), rows)
    assert groups(rows, parts.test) == groups(rows, cut(Group(column="g", val=0, test=0.3), rows).test)
    assert rows.column is not None
    turned = Rows(rows.count, column=rows.column[::-1])
    assert groups(turned, cut(Group(column="g", val=0.2, test=0.3), turned).test) == groups(rows, parts.test)
    drawn = {frozenset(groups(rows, cut(Group(column="g"), rows, seed).val)) for seed in range(20)}
    assert len(drawn) > 1


def test_fewer_groups_than_parts_are_refused() -> None:
    with pytest.raises(
        DataError, match=r"data.split.column: `g` makes 2 groups of the 9 rows, the split needs one for"
    ):
        cut(Group(column="g", val=2, test=2), rows_of([4, 5]))


@given(times=st.lists(st.integers(0, 5), min_size=5, max_size=30))
def test_time_sorts_by_its_column_and_keeps_the_file_order_of_equals(times: list[int]) -> None:
    rows = Rows(len(times), times=np.array(times, float))
    parts = cut(Time(column="t", val=1, test=2), rows)
    order = sorted(range(len(times)), key=lambda row: times[row])
    assert parts.train.tolist() == sorted(order[:-3])
    assert parts.val.tolist() == order[-3:-2]
    assert parts.test.tolist() == sorted(order[-2:])


# --- from the YAML ---

DAYS = ["2024-03-01", "2024-01-15", "2023-12-31", "2024-02-01", "2024-01-02", "2023-11-05", "2024-02-20", "2024-01-20"]
CONFIG = "data:\n  path: table.csv\n  target: y\n  task: regression\n  split: {split}\n  {more}\n"


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    german = [f"{day[8:]}.{day[5:7]}.{day[:4]}" for day in DAYS]
    rows = [[place / 7, day, german[place], f"p{place % 3}", place * 1.5] for place, day in enumerate(DAYS)]
    return write_csv(tmp_path / "table.csv", ["x", "day", "tag", "who", "y"], rows)


def written(split: str, more: str = "") -> Path:
    path = Path("it.yaml")
    unused = "" if "tag" in split else "  drop: [tag]\n"  # German dates, which are to be declared
    path.write_text(CONFIG.format(split=split, more=more) + unused)
    return path


def prepared(split: str, more: str = "") -> Prepared:
    return prepare(read_experiment(written(split, more)).experiment)


def problem(found: Checked) -> str:
    assert found.error is not None
    return str(found.error)


@pytest.mark.parametrize(
    ("column", "more"),
    [("day", ""), ("day", "columns: {day: {type: date}}"), ("tag", 'columns: {tag: {type: date, format: "%d.%m.%Y"}}')],
)
def test_dates_order_the_rows(table: Path, column: str, more: str) -> None:
    found = prepared(f"{{type: time, column: {column}, val: 2, test: 1}}", more)
    assert found.dataset.parts["test"].rows.tolist() == [0]
    assert found.dataset.parts["val"].rows.tolist() == [3, 6]
    assert column not in found.features.types


def test_the_column_of_a_split_is_a_feature_if_its_options_say_so(table: Path) -> None:
    found = prepared("{type: time, column: day, val: 2}", "columns: {day: {type: date, encode: cyclic}}")
    assert found.features.types["day"] == "date"
    found = prepared("{type: group, column: who, val: 2}", "columns: {who: {encode: one_hot}}")
    assert found.features.types["who"] == "category"


def test_texts_that_are_no_dates_do_not_order_rows(table: Path) -> None:
    assert problem(check(written("{type: time, column: tag, val: 2}"))) == (
        "it.yaml:5:31: data.split.column: column `tag` does not say when: `01.02.2024` is neither a number nor a date "
        "as ISO 8601 writes it; declare it, `data.columns.tag: {type: date, format: ...}`"
    )


@pytest.mark.parametrize(("kind", "column"), [("time", "day"), ("group", "who")])
def test_a_row_without_a_time_or_a_group_is_refused_by_its_line(table: Path, kind: str, column: str) -> None:
    table.write_text(table.read_text().replace("2024-02-01", "NA").replace("p0", "?"))
    line = {"day": 5, "who": 2}[column]
    found = problem(check(written(f"{{type: {kind}, column: {column}, val: 2}}")))
    assert found.startswith(f"table.csv:{line}: data.split.column: column `{column}` is missing in ")


def test_too_few_groups_point_into_the_yaml(table: Path) -> None:
    found = problem(check(written("{type: group, column: who, val: 2, test: 2}", "missing_values: [p1, p2]")))
    assert "is missing in 5 rows" in found
    table.write_text(table.read_text().replace("p1", "p0").replace("p2", "p0"))
    found = problem(check(written("{type: group, column: who, val: 2}")))
    assert found.startswith(
        "it.yaml:5:32: data.split.column: `who` makes 1 group of the 8 rows, the split needs one for"
    )
