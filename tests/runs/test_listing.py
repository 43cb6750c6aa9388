"""Every run is listed, whatever state it is in, and can be selected by what is known about it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nnctl
from nnctl.errors import SpecError
from nnctl.runs import atomic, listing
from nnctl.runs.listing import Summary, as_json, describe, differing_columns, ls, select, value
from nnctl.runs.run_dir import RunDir

RUNS = Path("runs")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def make(run_id: str, name: str = "xor", *, metrics: dict[str, Any] | None = None, **about: Any) -> RunDir:
    run = RunDir(RUNS / name / run_id)
    run.checkpoints.mkdir(parents=True)
    fields = {
        "schema": "nnctl.run/1",
        "name": name,
        "id": run_id,
        "status": "completed",
        "reason": "all epochs done",
        "argv": ["nnctl", "train"],
        "overrides": {},
        "seed": 0,
        "versions": {"nnctl": "0.1.0"},
        "started": f"{run_id[:4]}-{run_id[4:6]}-{run_id[6:8]}T{run_id[9:11]}:{run_id[11:13]}:{run_id[13:15]}Z",
        "finished": "2026-11-21T12:00:00Z",
        "seconds": 1.5,
        "epochs": 100,
        "best_epoch": 90,
        "rows": {"train": 4, "val": 0, "test": 0},
        "parameters": 33,
        "pid": 1,
        "host": "h",
    }
    atomic.write_json(run.run_json, {**fields, **about})
    if metrics is not None:
        atomic.write_json(run.metrics_json, {"schema": "nnctl.metrics/1", "metrics": metrics})
    return run


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
    for number, leave in enumerate(("metrics_csv", "last")):
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


def test_listing_while_runs_come_and_go_never_fails(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from nnctl.runs import atomic
from nnctl.runs.run_dir import RunDir
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


def test_a_thousand_runs_are_listed_within_a_second() -> None:
    for number in range(1_000):
        run = RunDir(RUNS / f"n{number % 7}" / f"20261121-{number:06d}-3fa9")
        run.path.mkdir(parents=True)
        about = {"schema": "nnctl.run/1", "status": "completed", "argv": ["x"] * 20, "overrides": {"a.b": number}}
        run.run_json.write_text(json.dumps(about, indent=2))
        run.metrics_json.write_text(json.dumps({"metrics": {f"val_{name}": 0.5 for name in "abcdefgh"}}, indent=2))
    start = time.perf_counter()
    summaries = select(ls(RUNS), ["val_a>=0.5", "a.b!=7"], "-a.b")
    as_json(summaries)
    taken = time.perf_counter() - start
    assert len(summaries) == 999
    assert taken < 1


# --- select ---


@pytest.fixture
def runs() -> list[Summary]:
    make(
        "20261121-000000-0001",
        metrics={"val_loss": 0.3, "val_f1": 0.9},
        overrides={"optimizer.lr": 0.1, "seed": 1},
        seed=1,
    )
    make("20261121-000000-0002", metrics={"val_loss": 0.1, "val_f1": None}, overrides={"optimizer.lr": 1e-3}, epochs=7)
    make("20261121-000000-0003", "iris", status="failed", overrides={"model.hidden": [64, 64], "optimizer.type": "sgd"})
    make("20261121-000000-0004", "7", metrics={"val_loss": 0.2}, overrides={'data.columns["a<=b"].scale': "robust"})
    make("20261121-000000-0005").run_json.write_text("")
    return sorted(ls(RUNS), key=lambda summary: summary.id)


@pytest.mark.parametrize(
    ("where", "chosen"),
    [
        ([], "1 2 3 4 5"),
        (["val_loss<0.2"], "2"),
        (["val_loss<=0.2"], "2 4"),
        (["val_loss>0.2"], "1"),
        (["val_loss>=2e-1"], "1 4"),
        (["val_loss=.1"], "2"),
        (["val_loss==0.1"], "2"),
        (["val_loss!=0.1"], "1 3 4 5"),
        (["val_loss=null"], "3 5"),
        (["val_f1=none"], "2 3 4 5"),
        (["val_loss!=null"], "1 2 4"),
        ([" val_loss  <\t0.2 "], "2"),
        (["val_loss<inf"], "1 2 4"),
        (["status=completed"], "1 2 4"),
        (["status!=completed"], "3 5"),
        (["status=damaged"], "5"),
        (["name=xor"], "1 2 5"),
        (['name="xor"'], "1 2 5"),
        (["name=7"], "4"),
        (["seed=1"], "1"),
        (["epochs<100"], "2"),
        (["started>=2026-11-21"], "1 2 3 4"),
        (["id<20261121-000000-0003"], "1 2"),
        (["optimizer.lr=0.1"], "1"),
        (["optimizer.lr=0.001"], "2"),
        (["optimizer.lr<1"], "1 2"),
        (["optimizer.type=sgd"], "3"),
        (["optimizer.type!=sgd"], "1 2 4 5"),
        (["model.hidden=[64,64]"], "3"),
        (["model.hidden>1"], ""),
        (['data.columns["a<=b"].scale=robust'], "4"),
        (["val_loss<0.25", "name=xor"], "2"),
        (["val_loss<0.2", "val_loss>0.2"], ""),
    ],
)
def test_conditions_choose_runs(runs: list[Summary], where: list[str], chosen: str) -> None:
    assert [summary.id[-1] for summary in select(runs, where)] == chosen.split()


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("val_loss", "2 4 1 3 5"),
        ("-val_loss", "1 4 2 3 5"),
        ("id", "1 2 3 4 5"),
        ("-id", "5 4 3 2 1"),
        ("name", "4 3 1 2 5"),
        ("optimizer.lr", "2 1 3 4 5"),
        ("-epochs", "1 3 4 2 5"),
        ("model.hidden", "3 1 2 4 5"),
    ],
)
def test_runs_are_sorted_those_without_a_value_last(runs: list[Summary], sort: str, order: str) -> None:
    assert [summary.id[-1] for summary in select(runs, sort=sort)] == order.split()


def test_values_of_different_kinds_can_be_sorted() -> None:
    kinds: list[Any] = ["b", 2, "a", 1.5, True, [1], {"x": 1}, None]
    runs = [Summary(run="", id=str(i), name="", status="", overrides={"k": kind}) for i, kind in enumerate(kinds)]
    assert [value(summary, "k") for summary in select(runs, sort="k")] == [1.5, 2, [1], "a", "b", True, {"x": 1}, None]


@pytest.mark.parametrize(("limit", "count"), [(None, 5), (0, 0), (2, 2), (99, 5)])
def test_only_the_first_are_kept(runs: list[Summary], limit: int | None, count: int) -> None:
    assert select(runs, limit=limit) == runs[:count]


def test_the_limit_applies_after_sorting(runs: list[Summary]) -> None:
    assert [summary.id[-1] for summary in select(runs, sort="val_loss", limit=1)] == ["2"]


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("val_los<0.1", ["--where: no run has `val_los`", "did you mean `val_loss`?", "`status`", "`optimizer.lr`"]),
        ("optimizer.momentum=0.9", ["no run has `optimizer.momentum`", "allowed: "]),
        ("val_loss", ["expected a name, one of < <= > >= = !=, and a value", "got `val_loss`"]),
        ("<0.1", ["expected a name"]),
        ("val_loss<", ["expected a name"]),
        ("", ["expected a name"]),
        ("val_loss<low", ["`val_loss` is a number", "got `low`"]),
        ("val_loss<nan", ["`val_loss` is a number"]),
        ("epochs=many", ["`epochs` is a number"]),
        ("val_loss=<0.1", ["`val_loss` is a number", "got `<0.1`"]),
        ("status=complete", ["`status` is one of running, completed", "got `complete`"]),
        ("\x1b[31m<1", ["no run has"]),
    ],
)
def test_a_bad_condition_is_explained(runs: list[Summary], where: str, words: list[str]) -> None:
    with pytest.raises(SpecError) as caught:
        select(runs, [where])
    assert all(word in str(caught.value) for word in words)
    assert str(caught.value).isprintable()


def test_a_bad_sort_or_limit_is_explained(runs: list[Summary]) -> None:
    with pytest.raises(SpecError, match="--sort: no run has `val_los`, did you mean `val_loss`"):
        select(runs, sort="-val_los")
    with pytest.raises(SpecError, match="--limit: must be >= 0, got -1"):
        select(runs, limit=-1)


def test_among_no_runs_any_name_will_do_but_not_any_text() -> None:
    assert select([], ["val_loss<0.1", "optimizer.lr=1"], "anything") == []
    with pytest.raises(SpecError):
        select([], ["val_loss"])


def test_before_any_run_has_metrics_none_is_unknown() -> None:
    make("20261121-000000-0001", status="failed")
    assert select(ls(RUNS), ["val_loss<0.1"], "val_accuracy") == []
    with pytest.raises(SpecError):
        select(ls(RUNS), ["loss<0.1"])


@settings(deadline=None)
@given(st.text(max_size=20) | st.from_regex(r"\A(val_loss|name|k)(<|<=|=|!=|==|>).{0,8}\Z"))
def test_any_condition_is_understood_or_explained(where: str) -> None:
    runs = [
        Summary(run="r", id="i", name="xor", status="completed", metrics={"val_loss": 0.5}, overrides={"k": [1, "a"]}),
        Summary(run="r", id="i", name="xor", status="damaged"),
    ]
    try:
        chosen = select(runs, [where])
    except SpecError:
        return
    assert all(summary in runs for summary in chosen)


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
        "overrides": {"a": 1},
        "metrics": {"val_loss": 0.1},
        "damaged": None,
    }


def test_every_status_that_a_run_can_have_can_be_asked_for() -> None:
    assert set(listing.STATUSES) >= {"running", "completed", "early_stopped", "interrupted", "diverged", "failed"}
    for status in listing.STATUSES:
        assert select([], [f"status={status}"]) == []


def test_reading_leaves_no_trace(runs: list[Summary]) -> None:
    before = sorted((path, path.lstat().st_mtime_ns) for path in RUNS.rglob("*"))
    select(ls(RUNS), ["val_loss<1"])
    assert sorted((path, path.lstat().st_mtime_ns) for path in RUNS.rglob("*")) == before
    assert not any(name == "run.lock" for _, _, names in os.walk(RUNS) for name in names)
