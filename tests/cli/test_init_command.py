"""``nnctl init``: a starter config for any table, which trains as it is; the configs are golden files."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnctl.checking import check
from nnctl.errors import NnctlError
from nnctl.spec.reading import read_experiment
from nnctl.starting import start
from tests.tables import mixed_csv, write_csv

SHIPPED = Path(__file__).parent.parent.parent / "data"
TARGETS = {
    "auto_mpg": "mpg",
    "breast_cancer": "diagnosis",
    "digits": "digit",
    "iris": "species",
    "mushrooms": "class",
    "penguins": "species",
    "wine": "cultivar",
    "xor": "y",
    "concrete": "strength",
}
ODD = ["pm2.5", "a: b", "#x", " yes", "größe", "${x}", "it's", '"q"', "- c", "none", "1", "line\nbreak", "*a", "e\x1bc"]


def odd_rows(count: int) -> list[list[object]]:
    return [[(row * (place + 3)) % (place + 2) for place in range(len(ODD))] + [row % 2] for row in range(count)]


def test_the_config_is_as_in_the_golden_file(nnctl, folder, golden):
    found = nnctl("init", "table.csv", "--target", "answer")
    assert found.code == 0
    golden("init_mixed.txt", found.out)


def test_a_table_of_everything_is_as_in_the_golden_file(nnctl, folder, golden):
    names = ["key", "note", "day", "iso", "either", "price", "same", "none", "code", "place", "sold at"]
    rows = [
        [
            f"K{row:03}x",
            f"a sentence that says of row {row} what nobody can learn",
            f"{13 + row % 15}.{1 + row % 12:02}.2023",
            f"2023-{1 + row % 12:02}-{1 + row % 28:02}",
            f"{1 + row % 12:02}/{1 + row % 9:02}/2023",
            f"{row / 7:.2f}".replace(".", ","),
            7,
            "",
            f"{row % 9:03}",
            row + 1,
            ("low", "high", "")[row % 3],
        ]
        for row in range(60)
    ]
    with (folder / "shop.csv").open("w", newline="") as file:
        csv.writer(file, delimiter=";").writerows([names, *rows])
    found = nnctl("init", "shop.csv", "--target", "sold at")
    assert found.code == 0
    golden("init_everything.txt", found.out)


@pytest.mark.parametrize("name", TARGETS)
def test_a_shipped_table_trains_as_it_is(nnctl, folder, name):
    table = next(SHIPPED.rglob(f"{name}.csv"))
    shutil.copy(table, folder / "shipped.csv")
    assert nnctl("init", "shipped.csv", "--target", TARGETS[name], "-o", "start.yaml").code == 0
    trained = nnctl("train", "start.yaml", "train.epochs=2", "--json")
    assert trained.code == 0, trained.err
    assert trained.json["epochs"] == 2


def test_without_a_target_the_columns_are_listed(nnctl, folder):
    found = nnctl("init", "table.csv")
    columns = "`id`, `a`, `b`, `colour`, `member`, `answer`, `amount`"
    assert (found.code, found.out) == (2, "")
    assert found.err == f"--target: name the column to predict; table.csv has {columns}\n"
    misspelt = nnctl("init", "table.csv", "--target", "Answer")
    assert misspelt.err.endswith(f"did you mean `answer`? It has {columns}\n")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["table.csv", "--target", "answers"], 3, "no column `answers`, the target, did you mean `answer`?"),
        (["nowhere.csv", "--target", "y"], 3, "nowhere.csv: no such file"),
        (["nowhere.csv"], 3, "nowhere.csv: no such file"),
        (["-", "--target", "y"], 2, "not the standard input"),
        (["table.csv", "--target", "answer", "-o", "it.yaml"], 2, "it.yaml: -o: is there already"),
        (["table.csv", "--target", "answer", "-o", "link.yaml"], 2, "link.yaml: -o: is there already"),
        (["table.csv", "--target", "answer", "-o", "no/it.yaml"], 74, "no/it.yaml: cannot be written"),
        (["table.csv", "--target", "a", "--target", "a"], 2, "names a column twice"),
        (["empty.csv", "--target", "y"], 3, "column `y` has no value in any row"),
        (["latin.csv", "--target", "y"], 3, "such as latin-1 or cp1252 (here: `--encoding`)"),
        (["holes.csv", "--target", "${y}"], 2, "cannot be written into a config"),
        (["thousands.csv", "--target", "y"], 3, "3 of 3 values are not numbers"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(nnctl, folder, words, code, sentence):
    (folder / "link.yaml").symlink_to("nowhere")
    write_csv(folder / "empty.csv", ["x", "y"], [[1, ""], [2, ""]])
    (folder / "latin.csv").write_bytes("x,y\nä,1\nö,2\n".encode("latin-1"))
    write_csv(folder / "holes.csv", ["x", "${y}"], [[1, 2], [2, 1]])
    (folder / "thousands.csv").write_text("x;y\n1,234;a\n2,345;b\n3,456;a\n")
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    found = nnctl("init", *words)
    assert found.code == code
    assert sentence in found.err
    assert found.out == ""
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


@pytest.mark.parametrize("place", ["c.yaml", "configs/c.yaml", "../other/c.yaml"])
def test_the_table_is_found_from_the_folder_of_the_config(nnctl, folder, place, monkeypatch):
    (folder / "deep" / "data").mkdir(parents=True)
    (folder / "deep" / "configs").mkdir()
    (folder / "other").mkdir()
    mixed_csv(folder / "deep" / "data" / "~t.csv")
    monkeypatch.chdir(folder / "deep")
    for source in ("data/~t.csv", str(folder / "deep" / "data" / "~t.csv")):
        Path(place).unlink(missing_ok=True)
        assert nnctl("init", source, "--target", "answer", "-o", place).code == 0
        assert nnctl("check", place).code == 0
    monkeypatch.chdir(folder / "deep" / "data")
    Path("printed.yaml").write_text(nnctl("init", "~t.csv", "--target", "answer").out)
    assert nnctl("check", "printed.yaml").code == 0


def test_names_that_yaml_would_misread_are_quoted(nnctl, folder):
    write_csv(folder / "odd.csv", [*ODD, "y"], odd_rows(60))
    for target in (name.strip() for name in [*ODD, "y"] if "${" not in name):
        Path("odd.yaml").unlink(missing_ok=True)
        assert nnctl("init", "odd.csv", "--target", target, "-o", "odd.yaml").code == 0
        assert read_experiment("odd.yaml").experiment.data.targets == (target,)
        assert check("odd.yaml").problems == []


def test_a_column_of_the_name_features_is_a_column(nnctl, folder):
    write_csv(folder / "odd.csv", ["x", "features"], [[row % 7, row % 2] for row in range(40)])
    Path("odd.yaml").write_text(nnctl("init", "odd.csv", "--target", "features").out)
    assert read_experiment("odd.yaml").experiment.data.targets == ("features",)


def test_another_encoding_is_written_down(nnctl, folder):
    rows = "".join(f"{'äöü'[row % 3]};{row},5;{row % 2}\n" for row in range(40))
    (folder / "latin.csv").write_bytes(f"größe;x;y\n{rows}".encode("latin-1"))
    assert nnctl("init", "latin.csv", "--target", "y", "--encoding", "latin-1", "-o", "l.yaml").code == 0
    form = read_experiment("l.yaml").experiment.data.format
    assert (form.delimiter, form.encoding, form.decimal) == (";", "latin-1", ",")
    assert nnctl("train", "l.yaml", "train.epochs=1", "-q").code == 0


def test_several_targets_are_a_list(nnctl, folder):
    found = nnctl("init", "table.csv", "--target", "amount", "--target", "b")
    Path("two.yaml").write_text(found.out)
    assert read_experiment("two.yaml").experiment.data.targets == ("amount", "b")
    assert nnctl("check", "two.yaml").code == 0


def test_a_warning_stands_in_the_config_and_on_stderr(nnctl, folder):
    write_csv(folder / "rare.csv", ["c", "x", "y"], [[f"l{row % 37}", row % 5, row % 2] for row in range(60)])
    found = nnctl("init", "rare.csv", "--target", "y")
    warnings = [line for line in found.err.splitlines() if line.startswith("warning: ")]
    assert warnings
    assert all(f"# {line}" in found.out.splitlines() for line in warnings)


CELLS = st.one_of(
    st.integers(-5, 5).map(str),
    st.floats(-1e6, 1e6, allow_nan=False).map(lambda number: f"{number:.3f}"),
    st.sampled_from(["", "NA", "yes", "no", "a", "b", "2024-01-31", "31.01.2024", "01/02/2024", "007", "1,5", "x y"]),
    st.text("abc-:#'\"{}[], éß\n", max_size=6),
)
KINDS = [
    st.integers(0, 3).map(str),
    st.floats(-9, 9, allow_nan=False).map(repr),
    st.sampled_from(["red", "green", ""]),
    st.sampled_from(["yes", "no"]),
    st.dates().map(str),
    st.uuids().map(str),
    CELLS,
]
NAMES = st.text("ab1: #-.'\"${}[]éß?*&!|>%@,\t", min_size=1, max_size=5)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    names = draw(st.lists(NAMES.filter(str.strip), min_size=1, max_size=5, unique_by=str.strip))
    count = draw(st.sampled_from([1, 3, 25, 120]))
    columns = [draw(st.lists(draw(st.sampled_from(KINDS)), min_size=count, max_size=count)) for _ in names]
    return names, [list(row) for row in zip(*columns, strict=True)]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(tables())
def test_a_config_of_any_table_passes_check_or_the_table_is_refused(folder: Path, table) -> None:
    names, rows = table
    (folder / "any.yaml").unlink(missing_ok=True)
    write_csv(folder / "any.csv", names, rows)
    refused = None
    try:
        start("any.csv", [names[-1].strip()], "any.yaml")
    except NnctlError as error:
        refused = error
    if refused is None:
        assert check("any.yaml").problems == []
    else:
        assert refused.exit_code in (2, 3)
        assert all(problem.message for problem in refused.problems)
        assert not (folder / "any.yaml").exists()
