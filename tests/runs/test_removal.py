"""Runs are removed whole or not at all, and nothing but runs is."""

from __future__ import annotations

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from nnctl.errors import NnctlError, SpecError
from nnctl.runs import removal
from nnctl.runs.listing import ls
from nnctl.runs.removal import remove, to_remove
from nnctl.runs.run_dir import RunDir
from tests.runs.helpers import RUNS, make

ONE, TWO, THREE = (f"20261121-000000-000{number}" for number in (1, 2, 3))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)


@pytest.fixture
def three() -> list[RunDir]:
    runs = [full(ONE), full(TWO), full(THREE, "iris")]
    (RUNS / "xor" / "latest").symlink_to(TWO)
    (RUNS / "iris" / "latest").symlink_to(THREE)
    return runs


def full(run_id: str, name: str = "xor", **about: Any) -> RunDir:
    run = make(run_id, name, metrics={"val_loss": int(run_id[-1], 16) / 10}, **about)
    run.metrics_csv.write_text("epoch\n")
    run.best.write_bytes(b"x")
    run.last.write_bytes(b"x")
    return run


def rm(*references: str, where: tuple[str, ...] = ()) -> list[str]:
    return list(remove(to_remove(RUNS, references, where)))


def left() -> list[str]:
    return sorted(summary.id for summary in ls(RUNS))


def everything() -> list[str]:
    return sorted(str(path) for path in Path().rglob("*"))


# --- what is removed ---


@pytest.mark.parametrize(
    "reference", [f"runs/xor/{TWO}", f"runs/xor/{TWO}/", f"xor/{TWO}", "xor/latest", "runs/xor/latest", TWO]
)
def test_a_run_is_removed_and_latest_moves_to_the_newest_left(three: list[RunDir], reference: str) -> None:
    assert rm(reference) == [f"runs/xor/{TWO}"]
    assert left() == [ONE, THREE]
    assert os.readlink(RUNS / "xor" / "latest") == ONE
    assert sorted(os.listdir(RUNS / "xor")) == [ONE, "latest"]


def test_with_its_last_run_the_folder_of_a_name_goes(three: list[RunDir]) -> None:
    assert rm(THREE) == [f"runs/iris/{THREE}"]
    assert os.listdir(RUNS) == ["xor"]
    (RUNS / "xor" / "notes.txt").write_text("mine")
    assert len(rm(ONE, TWO)) == 2
    assert os.listdir(RUNS / "xor") == ["notes.txt"]


def test_an_older_run_leaves_latest_alone(three: list[RunDir]) -> None:
    rm(ONE, ONE, f"xor/{ONE}")
    assert os.readlink(RUNS / "xor" / "latest") == TWO


def test_conditions_choose_among_all_runs_or_among_those_named(three: list[RunDir]) -> None:
    assert rm(where=("val_loss>0.7",)) == []
    assert rm(ONE, TWO, where=("val_loss>0.1",)) == [f"runs/xor/{TWO}"]
    assert rm(where=("name=iris",)) == [f"runs/iris/{THREE}"]
    assert left() == [ONE]


def test_damaged_runs_and_what_a_killed_start_left_can_be_removed(three: list[RunDir]) -> None:
    three[0].run_json.write_text("{")
    assert rm(where=("status=damaged",)) == [f"runs/xor/{ONE}"]
    leftover = RUNS / "xor" / "20261121-000000-000a"
    (leftover / "checkpoints").mkdir(parents=True)
    assert rm(str(leftover)) == [str(leftover)]


def test_folds_go_with_their_parent(three: list[RunDir]) -> None:
    for fold in (1, 2):
        make(f"{ONE}/fold-{fold}")
    assert rm(ONE) == [f"runs/xor/{ONE}"]
    assert left() == [TWO, THREE]


def test_links_are_removed_and_never_followed(three: list[RunDir]) -> None:
    precious = Path("precious")
    precious.mkdir()
    (precious / "thesis.txt").write_text("years")
    shutil.rmtree(three[0].checkpoints)
    three[0].checkpoints.symlink_to(precious.absolute(), target_is_directory=True)
    (three[0].path / "note").symlink_to((precious / "thesis.txt").absolute())
    rm(ONE)
    assert (precious / "thesis.txt").read_text() == "years"


# --- what is refused, all of it before anything is removed ---


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("runs", "is the folder of all runs"),
        ("runs/", "is the folder of all runs"),
        (".", "lies outside"),
        ("..", "lies outside"),
        ("/", "lies outside"),
        ("runs/..", "lies outside"),
        ("runs/xor", "is the folder of a name"),
        ("xor", "`--where name=xor` chooses all"),
        (f"runs/xor/{TWO}/..", "is the folder of a name"),
        (f"runs/xor/{TWO}/../..", "is the folder of all runs"),
        ("../elsewhere/xor/20261121-000000-0009", "lies outside"),
        (f"runs/xor/{TWO}/checkpoints", "lies outside"),
        (f"runs/xor/{TWO}/run.json", "lies outside"),
        (f"runs/xor/{TWO}/checkpoints/best.safetensors", "lies outside"),
        (f"runs/cv/{ONE}/fold-1", "is a fold"),
        ("runs/xor/moved", "is a link"),
        ("runs/xor/20261121-000000-0009", "is a link"),
        ("runs/out/20261121-000000-0009", "lies outside"),
        ("runs/xor/mine", "is a folder, but not a run"),
        ("runs/.cache", "lies outside"),
        ("runs/.cache/entry", "is a folder, but not a run"),
        ("nothing", "names no run"),
        ("xor/../../x", "names no run"),
        ("", "names no run"),
        ("a\0b", "names no run"),
        ("20261121", "fits 6 runs"),
        ("\x1b[31m", "names no run"),
    ],
)
def test_what_is_no_run_in_the_folder_is_refused_and_nothing_is_removed(
    three: list[RunDir], reference: str, words: str
) -> None:
    elsewhere = full("20261121-000000-0009")
    Path("../elsewhere/xor").mkdir(parents=True)
    elsewhere.path.rename("../elsewhere/xor/20261121-000000-0009")
    (RUNS / "xor" / "20261121-000000-0009").symlink_to(Path("../elsewhere/xor/20261121-000000-0009").absolute())
    (RUNS / "xor" / "moved").symlink_to(TWO)
    (RUNS / "out").symlink_to(Path("../elsewhere/xor").absolute())
    (RUNS / "xor" / "mine").mkdir()
    (RUNS / ".cache" / "entry").mkdir(parents=True)
    full(ONE, "cv")
    make(f"{ONE}/fold-1", "cv")
    before = everything()
    with pytest.raises(SpecError) as caught:
        rm(f"xor/{ONE}", reference)
    assert words in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert everything() == before


@pytest.mark.parametrize("fold", [False, True])
def test_a_run_in_training_is_refused_with_its_process(three: list[RunDir], fold: bool) -> None:
    run = make(f"{TWO}/fold-1") if fold else three[1]
    with run.lock(), pytest.raises(SpecError, match=f"is being trained by process {os.getpid()} on .*Nothing was rem"):
        rm(ONE, TWO)
    assert left() == [ONE, TWO, THREE]
    assert rm(TWO) == [f"runs/xor/{TWO}"]


def test_a_run_that_somebody_begins_to_train_meanwhile_is_left_alone(three: list[RunDir]) -> None:
    chosen = to_remove(RUNS, [ONE, TWO])
    with three[1].lock(), pytest.raises(SpecError, match="is being trained"):
        list(remove(chosen))
    assert left() == [TWO, THREE]


def test_neither_run_nor_condition_removes_nothing(three: list[RunDir]) -> None:
    with pytest.raises(SpecError, match="names no run to remove"):
        rm()


def test_what_is_kept_is_never_touched(three: list[RunDir]) -> None:
    before = {path: path.read_bytes() for path in three[0].path.rglob("*") if path.is_file()}
    rm(TWO, THREE)
    assert {path: path.read_bytes() for path in before} == before
    assert json.loads(three[0].run_json.read_text())["status"] == "completed"
    assert removal.remains(RUNS / "xor") == []


def test_errors_are_those_of_nnctl() -> None:
    with pytest.raises(NnctlError):
        to_remove(Path("nowhere"), ["x"])


def test_removals_at_once_are_in_nobodys_way() -> None:
    for _ in range(5):
        runs = [full(f"20261121-000000-00{number:02x}") for number in range(1, 9)]
        with ThreadPoolExecutor(len(runs)) as pool:
            removed = [path for paths in pool.map(lambda run: list(remove([run])), runs) for path in paths]
        assert sorted(removed) == [str(run.path) for run in runs]
        assert not (RUNS / "xor").exists()
