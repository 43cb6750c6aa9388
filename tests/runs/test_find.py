"""RUN is found by folder, file, name and id, and what is not found is explained."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnctl.errors import RunError, SpecError
from nnctl.runs import atomic
from nnctl.runs.find import find, find_run
from nnctl.runs.folders import all_runs
from nnctl.runs.run_dir import RunDir

RUNS = Path("runs")
OLD, MIDDLE, NEW = "20261120-235959-beef", "20261121-115407-3fa9", "20261121-115407-77aa"


def make(name: str, run_id: str, *, runs_dir: Path = RUNS, checkpoint: bool = True) -> RunDir:
    run = RunDir(runs_dir / name / run_id)
    run.checkpoints.mkdir(parents=True)
    atomic.write_json(run.run_json, {"schema": "nnctl.run/1", "status": "completed"})
    if checkpoint:
        run.best.write_bytes(b"weights")
    return run


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make("xor", OLD)
    make("xor", NEW)
    (RUNS / "xor" / "latest").symlink_to(NEW)
    make("iris", MIDDLE)
    (RUNS / "iris" / "latest").symlink_to(MIDDLE)


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        ("xor", f"runs/xor/{NEW}"),
        ("xor/", f"runs/xor/{NEW}"),
        ("xor/latest", f"runs/xor/{NEW}"),
        (f"xor/{OLD}", f"runs/xor/{OLD}"),
        ("xor/20261120", f"runs/xor/{OLD}"),
        ("xor/beef", f"runs/xor/{OLD}"),
        ("runs/xor", f"runs/xor/{NEW}"),
        ("runs/xor/", f"runs/xor/{NEW}"),
        ("runs/xor/latest", f"runs/xor/{NEW}"),
        (f"runs/xor/{OLD}", f"runs/xor/{OLD}"),
        (f"./runs/xor/{OLD}/", f"runs/xor/{OLD}"),
        (OLD, f"runs/xor/{OLD}"),
        ("20261120", f"runs/xor/{OLD}"),
        ("20261121-115407-3", f"runs/iris/{MIDDLE}"),
        ("3fa9", f"runs/iris/{MIDDLE}"),
    ],
)
def test_a_run_is_found_by_folder_name_and_id(reference: str, path: str) -> None:
    found = find(RUNS, reference)
    assert found.run is not None
    assert found.run.path == Path(path)
    assert found.checkpoint == Path(path) / "checkpoints" / "best.safetensors"
    assert find_run(RUNS, reference).path == Path(path)


def test_a_run_is_found_from_inside_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(RUNS / "xor" / OLD)
    assert find_run(Path("../.."), ".").id == OLD
    assert find_run(Path("../.."), f"../{NEW}").id == NEW
    monkeypatch.chdir("..")
    assert find_run(Path(".."), "latest").id == NEW


def test_runs_may_lie_anywhere(tmp_path: Path) -> None:
    make("deep", OLD, runs_dir=tmp_path / "else where")
    assert find_run(tmp_path / "else where", "deep").path == tmp_path / "else where" / "deep" / OLD


@pytest.mark.parametrize("name", ["best.safetensors", "epoch-000050.safetensors", "weights.bin"])
def test_a_checkpoint_file_is_itself_and_has_no_run(name: str) -> None:
    path = RUNS / "xor" / OLD / "checkpoints" / name
    path.write_bytes(b"weights")
    found = find(RUNS, str(path))
    assert found.checkpoint == path
    assert found.run is None
    with pytest.raises(SpecError, match="is a file, expected a run"):
        find_run(RUNS, str(path))


def test_a_name_wins_over_a_file_and_a_folder_that_are_called_the_same() -> None:
    Path("xor").write_text("a file")
    Path("iris").mkdir()
    assert find_run(RUNS, "xor").id == NEW
    assert find_run(RUNS, "iris").id == MIDDLE
    assert find(RUNS, "./xor").checkpoint == Path("xor")


def test_a_run_with_a_name_of_its_own_is_found() -> None:
    (RUNS / "xor" / OLD).rename(RUNS / "xor" / "good-one")
    assert find_run(RUNS, "xor/good-one").path == RUNS / "xor" / "good-one"


@pytest.mark.parametrize("link", [None, "gone", "."])
def test_without_a_good_link_the_newest_id_is_the_latest(link: str | None) -> None:
    (RUNS / "xor" / "latest").unlink()
    if link == ".":
        (RUNS / "xor" / "latest").mkdir()
    elif link is not None:
        (RUNS / "xor" / "latest").symlink_to(link)
    (RUNS / "xor" / "20300101-000000-0000").mkdir()  # begun, and killed at once
    for reference in ("xor", "xor/latest", "runs/xor/latest"):
        assert find_run(RUNS, reference).id == NEW


@pytest.mark.parametrize(
    ("reference", "named"),
    [
        ("2026", [OLD, MIDDLE, NEW]),
        ("20261121-1154", [MIDDLE, NEW]),
        ("xor/2026", [OLD, NEW]),
    ],
)
def test_a_part_that_several_ids_have_names_them_all(reference: str, named: list[str]) -> None:
    with pytest.raises(SpecError, match=f"`{reference}` fits {len(named)} runs") as caught:
        find(RUNS, reference)
    for run_id in (OLD, MIDDLE, NEW):
        assert (run_id in str(caught.value)) == (run_id in named)


def test_many_matches_are_not_all_listed() -> None:
    for number in range(20):
        make("many", f"20270101-000000-{number:04x}")
    with pytest.raises(SpecError, match=r"fits 20 runs: .* and 15 more; write more of the id"):
        find(RUNS, "2027")


def test_an_empty_folder_that_a_crash_left_is_in_nobodys_way() -> None:
    (RUNS / "xor" / "20261120-000000-0000").mkdir()
    assert find_run(RUNS, "20261120").id == OLD


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        ("xro", "xor"),
        ("irs/latest", "iris/latest"),
        ("runs/xr/latest", "runs/xor/latest"),
        ("xor/20261120-235959-beee", f"xor/{OLD}"),
        (f"runs/irs/{MIDDLE}", f"runs/iris/{MIDDLE}"),
    ],
)
def test_what_was_probably_meant_is_said(reference: str, meant: str) -> None:
    with pytest.raises(SpecError) as caught:
        find(RUNS, reference)
    assert f"`{reference}` names no run and no checkpoint, did you mean `{meant}`?" in str(caught.value)
    assert "`nnctl runs ls` lists the runs" in str(caught.value)


@pytest.mark.parametrize(
    "reference",
    [
        "",
        "nothing",
        "nothing.safetensors",
        "../..x",
        "xor/..x",
        "a/b/c/d",
        "ffff",
        "\0",
        "x" * 5_000,
        "\x1b[31m",
        "a\nb",
    ],
)
def test_what_names_nothing_is_a_spec_error(reference: str) -> None:
    with pytest.raises(SpecError) as caught:
        find(RUNS, reference)
    assert str(caught.value).isprintable()
    assert caught.value.exit_code == 2


def test_a_reference_cannot_leave_the_folder_of_runs(tmp_path: Path) -> None:
    make("secret", OLD, runs_dir=tmp_path / "outside")
    for reference in ("../outside/secret", f"../outside/secret/{OLD}", "xor/../../outside/secret", ".././outside/"):
        with pytest.raises(SpecError):
            find(tmp_path / "runs", reference)


def test_where_there_are_no_runs_the_next_step_is_to_train() -> None:
    with pytest.raises(SpecError, match=r"there are none in `empty`; `nnctl train CONFIG` makes one"):
        find(Path("empty"), "xor")


def test_the_way_to_list_names_the_folder_of_the_runs(tmp_path: Path) -> None:
    make("deep", OLD, runs_dir=tmp_path / "else where")
    with pytest.raises(SpecError, match=r"`nnctl runs ls --runs-dir '.*else where'` lists the runs"):
        find(tmp_path / "else where", "depe")


@pytest.mark.parametrize("reference", [".", "runs", "data", "runs/xor/20270101-000000-0000", "xor/20270101", "0000"])
def test_a_folder_that_is_no_run_is_a_run_error(reference: str) -> None:
    Path("data").mkdir()
    (RUNS / "xor" / "20270101-000000-0000").mkdir()
    with pytest.raises(RunError, match=r"not a run: it has no run\.json"):
        find(RUNS, reference)


def test_a_run_without_checkpoint_is_a_run_error_that_says_why() -> None:
    run = make("bare", OLD, checkpoint=False)
    assert find_run(RUNS, "bare").path == run.path
    with pytest.raises(RunError, match="it ended before the first save"):
        find(RUNS, "bare")
    with run.lock(), pytest.raises(RunError, match="it is being trained"):
        find(RUNS, "bare")


def test_a_folder_of_runs_that_is_a_file_is_a_spec_error() -> None:
    Path("file").write_text("x")
    with pytest.raises(SpecError, match="cannot be read: not a directory"):
        list(all_runs(Path("file")))


def test_runs_that_are_closed_to_us_break_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def closed(path: Path) -> object:
        if Path(path).name == "iris":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    assert {run.id for run in all_runs(RUNS)} == {OLD, NEW}
    assert find_run(RUNS, "20261121-1154").id == NEW


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(max_size=40) | st.text("xor/irs.latest-0123456789abcdef", max_size=30))
def test_any_reference_is_found_or_explained(reference: str) -> None:
    with contextlib.suppress(SpecError, RunError):
        assert os.path.lexists(find(RUNS, reference).checkpoint)
