"""Warnings of levels that are probably not meant as they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnctl.checking import check

IF_ONE = "differ only in case, blanks or letters that cannot be seen: write them alike if they are one"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def warnings(cells: list[str], *overrides: str) -> list[str]:
    """What is said of a column ``c`` of these cells beside a number and a target."""
    rows = [f"{cell},{row}.5,{'yes' if row % 2 else 'no'}" for row, cell in enumerate(cells)]
    Path("t.csv").write_text("\n".join(["c,a,y", *rows, ""]))
    Path("t.yaml").write_text("data: {path: t.csv, target: y, split: none}\n")
    checked = check("t.yaml", overrides)
    assert not checked.problems
    return [warning for warning in checked.warnings if "`c`" in warning or "target" in warning]


@pytest.mark.parametrize(
    "token", ["-", "..", "N/a", "None", "nil", "<NA>", "(null)", "#N/A", "#REF!", "1.#QNAN", "\\N"]
)
def test_level_that_other_tools_write_for_a_missing_value_is_named(token: str) -> None:
    (warning,) = warnings(["red", "blue", token, "red", token])
    assert warning == (
        f"column `c` has the level {token!r} in 2 rows: what stands for a missing value belongs into "
        "`data.missing_values`"
    )


@pytest.mark.parametrize(
    ("levels", "shown"),
    [
        (["Cat", "cat", "CAT"], "'CAT', 'Cat', 'cat'"),
        (["cat", "cat\u200b"], r"'cat', 'cat\u200b'"),
        (["c at", "cat"], "'c at', 'cat'"),
        (["c\xa0at", "cat"], r"'cat', 'c\xa0at'"),
        (["cat", "\ufeffcat"], r"'cat', '\ufeffcat'"),
        (["Straße", "STRASSE"], "'STRASSE', 'Straße'"),
        (["e\u0301", "\xe9"], "'e\\u0301', '\xe9'"),
    ],
)
def test_levels_that_look_alike_are_named_together(levels: list[str], shown: str) -> None:
    assert sorted(warnings(["dog", *levels])) == [f"column `c` has the levels {shown}, which {IF_ONE}"]


def test_levels_that_differ_are_not_named() -> None:
    assert warnings(["red", "blue", "reds", "unknown", "missing", "na ïve", "no", "x-y", "a.b"]) == []
    assert warnings(["Cat", "cat", "-"], "data.drop=[c]") == []


def test_labels_of_the_target_are_looked_at_too() -> None:
    assert warnings(["Cat", "cat", "-"] * 9, "data.target=c", "data.drop=[y]") == [
        "column `c` has the level '-' in 9 rows: what stands for a missing value belongs into `data.missing_values`",
        f"column `c` has the levels 'Cat', 'cat', which {IF_ONE}",
    ]


def test_target_that_is_one_number_is_named() -> None:
    (warning,) = warnings(["5.5", "", "5.50"], "data.target=c", "data.task=regression")[1:]
    assert warning == "the target `c` is 5.5 in every row: there is nothing to learn"
