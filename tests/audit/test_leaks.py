"""A feature that alone predicts the target is named; strong features and those that only memorise are not."""

from __future__ import annotations

import numpy as np
import pytest

from nnctl.audit.explained import explained
from nnctl.audit.one_rule import intervals, right
from nnctl.network.members import stream

ROWS = 400


def rng():
    return stream(0, "leaks")


def noise():
    return rng().standard_normal(ROWS).round(6)


def leaking(found) -> list[str]:
    return [text.split("`")[1] for text in found if " alone predict" in text]


def test_a_copy_of_the_class_is_found_whatever_it_is_written_as(audited) -> None:
    y = rng().integers(0, 3, ROWS)
    copies = {
        "words": [["low", "middle", "high"][each] for each in y],
        "codes": [7 * each - 5 for each in y],
        "score": y + 0.4 * rng().random(ROWS),
        "day": [f"201{each}-0{month}-01" for each, month in zip(y, rng().integers(1, 10, ROWS), strict=True)],
    }
    found = audited({**copies, "a": noise(), "y": y}, columns={"day": {"type": "date"}})
    assert sorted(leaking(found)) == ["codes", "day", "score", "words"]


def test_the_sentence_says_how_often_it_is_right(audited) -> None:
    y = rng().integers(0, 2, ROWS)
    (found,) = audited({"alive": ["no" if each else "yes" for each in y], "a": noise(), "y": y}, split={"val": 100})
    usual = max(round((y == each).mean() * 100) for each in (0, 1))
    assert found == (
        "column `alive` alone predicts `y`: by its value 100 of 100 validation rows are right (100.0 %), by the "
        f"commonest class {usual}; this is often a copy of the target, or known only after it: list it in `data.drop`, "
        "unless new rows have it when you predict"
    )


@pytest.mark.parametrize(("wrong", "told"), [(0, True), (1, True), (12, False)])
def test_a_few_rows_may_be_wrong(audited, wrong, told) -> None:
    y = np.arange(ROWS) % 2
    copy = y.copy()
    copy[np.arange(wrong) * 30] ^= 1
    assert bool(leaking(audited({"copy": copy, "a": noise(), "y": y}))) is told


def test_cells_that_are_missing_in_one_class_alone_are_told(audited) -> None:
    y = rng().integers(0, 2, ROWS)
    boat = [str(number) if alive else "" for number, alive in zip(rng().integers(0, 9, ROWS), y, strict=True)]
    assert leaking(audited({"boat": boat, "a": noise(), "y": y})) == ["boat"]


def test_memory_is_no_leak(audited) -> None:
    y = rng().integers(0, 2, ROWS)
    key = [f"k{place}" for place in range(ROWS)]
    columns = {"key": key, "place": np.arange(ROWS) * 17 % 1009, "a": noise(), "y": y}
    assert not leaking(audited(columns, columns={"key": {"type": "category"}}))


def test_a_row_number_that_tells_the_class_is_one(audited) -> None:
    y = np.sort(rng().integers(0, 3, ROWS))
    assert leaking(audited({"place": np.arange(ROWS), "a": noise(), "y": y})) == ["place"]


def test_a_strong_feature_of_a_rare_class_is_no_leak(audited) -> None:
    y = (np.arange(ROWS) % 20 == 0).astype(int)
    strong = y.copy()
    strong[1::100] = 1  # 99 % of the rows are right, 95 % without it
    assert not leaking(audited({"strong": strong, "a": noise(), "y": y}))
    assert leaking(audited({"strong": y, "a": noise(), "y": y})) == ["strong"]


def test_an_only_feature_and_few_rows_are_left_alone(audited) -> None:
    y = np.arange(ROWS) % 2
    assert not leaking(audited({"copy": y, "y": y}))
    assert not leaking(audited({"copy": y[:24], "a": noise()[:24], "y": y[:24]}))


def test_without_other_rows_half_of_the_training_rows_are_held_out(audited) -> None:
    y = rng().integers(0, 2, ROWS)
    (found,) = audited({"copy": y + 10, "a": noise(), "y": y}, split="none")
    assert f"of {ROWS // 2} training rows held out are right" in found


def test_labels_and_several_numbers_are_looked_at_one_by_one(audited) -> None:
    one, two = rng().integers(0, 2, ROWS), (noise() > 0.3).astype(int)
    columns = {"copy": two, "a": noise(), "b": -noise(), "one": one, "two": two}
    found = [text for text in audited(columns, target=["one", "two"]) if text.startswith("column `copy`")]
    assert len(found) == 1
    assert "predicts `two`" in found[0]


@pytest.mark.parametrize(
    "curve", [lambda y: 32 + 1.8 * y, lambda y: np.exp(3 * y), lambda y: -np.cbrt(y)], ids=["line", "exp", "cbrt"]
)
def test_a_number_in_other_units_is_found(audited, curve) -> None:
    y = noise()
    found = audited({"copy": curve(y), "a": rng().random(ROWS), "y": y})
    assert leaking(found) == ["copy"]
    assert "of the variance of its " in found[0]


def test_a_line_is_found_where_few_rows_have_most_of_the_variance(audited) -> None:
    y = np.where(np.arange(ROWS) % 10, noise(), 1000 * np.arange(ROWS))
    price = y + 3 * rng().standard_normal(ROWS)
    assert leaking(audited({"price": price, "a": noise(), "y": y})) == ["price"]


def test_a_number_that_explains_95_per_cent_is_none(audited) -> None:
    y = noise()
    assert not leaking(audited({"strong": y + 0.23 * rng().random(ROWS) ** 0.1 * y[::-1], "a": y[::-1] ** 2, "y": y}))


def test_a_first_look_at_few_rows_finds_the_same(audited, monkeypatch) -> None:
    y = rng().integers(0, 2, ROWS)
    columns = {"score": y + rng().random(ROWS), "copy": np.where(y, "x", "z"), "a": noise(), "y": y}
    found = audited(columns)
    monkeypatch.setattr("nnctl.audit.leaks.FIRST_LOOK", 200)
    monkeypatch.setattr("nnctl.audit.leaks.ERRORS", 3)
    assert audited(columns) == found
    assert sorted(leaking(found)) == ["copy", "score"]


def test_many_are_listed_in_one_sentence(audited) -> None:
    y = rng().integers(0, 2, ROWS)
    found = audited({**{f"copy{place}": y for place in range(9)}, "a": noise(), "y": y})
    assert len(found) == 6
    assert found[-1] == "4 more columns alone predict `y`, too: `copy5`, `copy6`, `copy7`, `copy8`"


def test_the_intervals_of_a_number_end_where_the_commonest_class_changes() -> None:
    values = np.array([1, 2, 3, 3, 3, 4, 5, 6, 7, 8, 9, np.nan])
    codes = np.array([0, 0, 0, 1, 0, 0, 1, 1, 0, 1, 1, 1])
    assert intervals(values, codes).tolist() == [4.5]  # the row at 7 is no interval
    assert right(values, codes, np.array([3, 7, np.nan, 99]), is_category=False, answer=np.array([0, 0, 1, 1])) == (
        10,
        3,
    )


def test_what_a_line_explains_is_the_squared_correlation() -> None:
    x, y = rng().standard_normal((2, 200))
    y += x
    (_, _, _), (what, learned, _) = explained(x, y, x, y, is_category=False)
    assert what == "of its numbers"
    assert learned == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2, rel=1e-12)
