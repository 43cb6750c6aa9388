"""Every run is listed, whatever state it is in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nnctl
from nnctl.errors import SpecError
from nnctl.runs import atomic
from nnctl.runs.listing import Summary, as_json, describe, differing_columns, ls
from nnctl.runs.run_dir import RunDir
from nnctl.runs.selection import select
from tests.runs.helpers import RUNS, make, make_five


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def runs() -> list[Summary]:
    return make_five()


def ids(summaries: list[Summary]) -> list[str]:
    return [summary.id[-4:] for summary in summaries]


# --- ls ---


def test_a_run_is_summed_up() -> None:
    make("20261121-115407-3fa9", metrics={"val_loss": 0.1, "val_f1": None}, overrides={"optimizer.lr": 0.1})
    assert ls(RUNS) == [
        Summary(
            run="runs/xor/20261121-115407-3fa9",
            id="20261121-115407-3fa9",
            name="xor",
            status="completed",
            reason="all epochs done",
            started="2026-11-21T11:54:07Z",
            finished="2026-11-21T12:00:00Z",
            seconds=1.5,
            epochs=100,
            best_epoch=90,
            parameters=33,
            seed=0,
            overrides={"optimizer.lr": 0.1},
            metrics={"val_loss": 0.1, "val_f1": None},
        )
    ]


def test_the_newest_run_of_all_names_comes_first() -> None:
    make("20261121-115407-0001", started="2026-11-21T11:54:07.2Z")
    make("20261121-115407-0002", "iris", started="2026-11-21T11:54:07.1Z")
    make("20261122-000000-0003")
    make("20251122-000000-0004", "iris")
    make("renamed-0005", started="2026-01-01T00:00:00Z")
    assert ids(ls(RUNS)) == ["0003", "0001", "0002", "0005", "0004"]


def test_paths_are_as_seen_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make("20261121-115407-3fa9")
    assert ls(tmp_path / "runs")[0].run == "runs/xor/20261121-115407-3fa9"
    monkeypatch.chdir(RUNS / "xor")
    assert ls(tmp_path / "runs")[0].run == "20261121-115407-3fa9"


def test_what_is_no_run_is_skipped() -> None:
    make("20261121-115407-3fa9")
    (RUNS / "xor" / "latest").symlink_to("20261121-115407-3fa9")
    (RUNS / "xor" / "favourite").symlink_to("20261121-115407-3fa9")
    (RUNS / "xor" / "20261121-115408-0000" / "checkpoints").mkdir(parents=True)
    (RUNS / "xor" / "notes").mkdir()
    (RUNS / "xor" / ".hidden").mkdir()
    (RUNS / "xor" / "20261121-115407-file").write_text("x")
    (RUNS / ".gitkeep").write_text("")
    (RUNS / "empty").mkdir()
    assert ids(ls(RUNS)) == ["3fa9"]


def test_a_run_that_was_moved_to_another_disk_and_linked_is_listed(tmp_path: Path) -> None:
    run = make("20261121-115407-3fa9")
    run.path.rename(tmp_path / "20261121-115407-3fa9")
    run.path.symlink_to(tmp_path / "20261121-115407-3fa9")
    assert ids(ls(RUNS)) == ["3fa9"]


def test_no_folder_has_no_runs() -> None:
    assert ls(Path("nowhere")) == []
    assert as_json(ls(Path("nowhere"))) == {"schema": "nnctl.runs/1", "runs": []}


def test_a_file_for_the_folder_is_a_spec_error() -> None:
    Path("file").write_text("")
    with pytest.raises(SpecError, match="not a directory"):
        ls(Path("file"))


def test_a_running_run_is_running_as_long_as_its_process_holds_the_lock() -> None:
    run = make("20261121-115407-3fa9", status="running", reason="", finished=None)
    with run.lock():
        assert describe(run).status == "running"
    assert describe(run).status == "interrupted"
    assert "without a word" in str(describe(run).reason)


def test_a_run_that_ends_while_we_look_is_not_called_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make("20261121-115407-3fa9", status="running")

    def ends_now(self: RunDir) -> bool:
        make_over = json.loads(run.run_json.read_text())
        atomic.write_json(run.run_json, {**make_over, "status": "early_stopped"})
        return False

    monkeypatch.setattr(RunDir, "is_locked", ends_now)
    assert describe(run).status == "early_stopped"


DAMAGES = {
    "": "run.json is damaged: it is not JSON",
    '{"schema": "nnctl.run/1", "sta': "run.json is damaged: it is not JSON",
    "[]": "run.json is damaged: it holds no JSON object",
    "{}": "run.json is damaged: it has no `schema`",
    '{"schema": "nnctl.run/9"}': "run.json was made by another version of nnctl (nnctl.run/9)",
    '{"schema": "nnctl.run/1"}': "run.json is damaged: `status` is not a text",
    '{"schema": "nnctl.run/1", "status": ["completed"]}': "run.json is damaged: `status` is not a text",
    '{"schema": "nnctl.run/1", "status": "failed", "epochs": "x"}': "run.json is damaged: `epochs` is not a number",
    '{"schema": "nnctl.run/1", "status": "failed", "seed": true}': "run.json is damaged: `seed` is not a number",
    '{"schema": "nnctl.run/1", "status": "failed", "overrides": []}': None,
    '{"schema": "nnctl.run/1", "status": "failed", "overrides": [1]}': "`overrides` is not an object",
}


@pytest.mark.parametrize(("text", "message"), DAMAGES.items())
def test_a_damaged_run_is_listed_as_damaged_and_breaks_nothing(text: str, message: str | None) -> None:
    make("20261121-115407-0001")
    make("20261121-115408-0002").run_json.write_text(text)
    summaries = ls(RUNS)
    assert ids(summaries) == ["0002", "0001"]
    assert summaries[1].damaged is None
    if message is None:
        assert summaries[0].damaged is None
    else:
        assert summaries[0].status == "damaged"
        assert message in str(summaries[0].damaged)


@pytest.mark.parametrize("text", ["", "{}", '{"metrics": []}', '{"metrics": {"val_loss": "x"}}', "\xff"])
def test_a_run_with_damaged_metrics_is_damaged(text: str) -> None:
    run = make("20261121-115407-3fa9")
    run.metrics_json.write_text(text, encoding="latin-1")
    assert describe(run).status == "damaged"
    assert str(describe(run).damaged).startswith("metrics.json is damaged")


def test_a_run_that_lost_its_run_json_is_damaged() -> None:
    for number, leave in enumerate(("metrics_json", "best")):
        run = make(f"20261121-115407-000{number}")
        run.run_json.unlink()
        getattr(run, leave).write_text("x")
    assert [summary.damaged for summary in ls(RUNS)] == ["run.json cannot be read: no such file or directory"] * 2


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=60) | st.dictionaries(st.sampled_from(["status", "seed", "overrides"]), st.text()).map(repr))
def test_whatever_is_in_run_json_it_is_listed(data: bytes | str) -> None:
    run = RunDir(RUNS / "xor" / "20261121-115407-3fa9")
    run.checkpoints.mkdir(parents=True, exist_ok=True)
    run.run_json.write_bytes(data if isinstance(data, bytes) else data.encode())
    assert [summary.status for summary in ls(RUNS)] == ["damaged"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["status", "seed", "metrics", "schema", "val_loss"]), inner, max_size=4)
        ),
        max_leaves=8,
    ),
    st.sampled_from(["run_json", "metrics_json", "folds_json"]),
    st.sampled_from(["status", "reason", "seed", "overrides", "metrics", "mean", "started", "epochs"]),
)
def test_whatever_a_field_holds_the_other_runs_are_listed(content: object, file: str, name: str) -> None:
    shutil.rmtree(RUNS, ignore_errors=True)
    make("20261121-115407-0001", metrics={"val_loss": 0.5})
    run = make("20261121-115408-0002")
    whole = json.loads(run.run_json.read_text()) if file == "run_json" else {}
    getattr(run, file).write_text(json.dumps({**whole, name: content}))
    summaries = select(ls(RUNS), sort="started")
    assert sorted(ids(summaries)) == ["0001", "0002"]
    json.dumps(as_json(summaries), allow_nan=False)
    assert ids(select(summaries, ["val_loss<=0.5"]))[:1] in (["0001"], ["0002"])


def test_listing_while_runs_come_and_go_never_fails(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from nnctl.runs import atomic
from nnctl.runs.run_dir import RunDir
from nnctl.runs.selection import select
for _ in range(60):
    run = RunDir.create(Path(sys.argv[1]), "xor")
    with run.lock():
        atomic.write_json(run.run_json, {"schema": "nnctl.run/1", "status": "running"})
        atomic.write_json(run.metrics_json, {"metrics": {"val_loss": 1.0}})
        atomic.write_json(run.run_json, {"schema": "nnctl.run/1", "status": "completed"})
"""
    env = {**os.environ, "PYTHONPATH": str(Path(nnctl.__file__).parents[1])}
    command = [sys.executable, "-c", code, str(tmp_path / "runs")]
    processes = [subprocess.Popen(command, env=env) for _ in range(4)]
    seen = set()
    while any(process.poll() is None for process in processes):
        seen |= {summary.status for summary in ls(RUNS)}
    assert [process.returncode for process in processes] == [0] * 4
    assert seen <= {"running", "completed"}
    assert [summary.status for summary in ls(RUNS)] == ["completed"] * 240


def test_a_thousand_runs_are_listed() -> None:
    for number in range(1_000):
        run = RunDir(RUNS / f"n{number % 7}" / f"20261121-{number:06d}-3fa9")
        run.path.mkdir(parents=True)
        about = {"schema": "nnctl.run/1", "status": "completed", "argv": ["x"] * 20, "overrides": {"a.b": number}}
        run.run_json.write_text(json.dumps(about, indent=2))
        run.metrics_json.write_text(json.dumps({"metrics": {f"val_{name}": 0.5 for name in "abcdefgh"}}, indent=2))
    summaries = select(ls(RUNS), ["val_a>=0.5", "a.b!=7"], "-a.b")
    assert len(as_json(summaries)["runs"]) == len(summaries) == 999


# --- columns and JSON ---


def test_only_settings_that_differ_are_columns(runs: list[Summary]) -> None:
    assert differing_columns(runs[:1]) == []
    assert differing_columns([]) == []
    assert differing_columns(runs[:2]) == ["seed", "epochs", "optimizer.lr"]
    assert differing_columns([runs[0], runs[0], runs[4]]) == []
    assert differing_columns(runs[1:3])[:3] == ["name", "status", "epochs"]


def test_json_has_everything_and_null_for_what_is_not_finite() -> None:
    make("20261121-115407-3fa9", metrics={"val_loss": 0.1}, overrides={"a": 1}, seconds=float("inf"))
    run = make("20261121-115408-3fa9")
    run.metrics_json.write_text('{"metrics": {"val_loss": NaN, "val_f1": 1e999}}')
    printed = as_json(ls(RUNS))
    assert json.loads(json.dumps(printed, allow_nan=False)) == printed
    assert printed["schema"] == "nnctl.runs/1"
    assert printed["runs"][0]["metrics"] == {"val_loss": None, "val_f1": None}
    assert printed["runs"][1] == {
        "run": "runs/xor/20261121-115407-3fa9",
        "id": "20261121-115407-3fa9",
        "name": "xor",
        "status": "completed",
        "reason": "all epochs done",
        "started": "2026-11-21T11:54:07Z",
        "finished": "2026-11-21T12:00:00Z",
        "seconds": None,
        "epochs": 100,
        "best_epoch": 90,
        "parameters": 33,
        "seed": 0,
        "trials": None,
        "sweep": None,
        "overrides": {"a": 1},
        "metrics": {"val_loss": 0.1},
        "damaged": None,
    }
