"""A run's folder is its own."""

from __future__ import annotations

import errno
import os
import re
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.errors import OutputError, RunError, SpecError
from nnctl.runs import atomic
from nnctl.runs.run_dir import RunDir, link_latest, name_from_stem, validate_name
from tests.runs.helpers import start

CREATE = """
import sys
from pathlib import Path
from nnctl.runs.run_dir import RunDir, link_latest
print("ready", flush=True)
sys.stdin.readline()
for _ in range(4):
    run = RunDir.create(Path(sys.argv[1]), "xor")
    link_latest(run.path)
    print(run.path, flush=True)
"""


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return RunDir.create(tmp_path / "runs", "xor")


# --- the folder ---


def test_a_new_run_has_a_folder_of_its_own(run: RunDir, tmp_path: Path) -> None:
    assert re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{4}", run.id)
    assert run.path == tmp_path / "runs" / "xor" / run.id
    assert run.name == "xor"
    assert run.checkpoints.is_dir()
    assert sorted(os.listdir(run.path)) == ["checkpoints"]
    assert not run.is_run()


def test_the_id_starts_with_the_time_in_utc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    before = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    made = RunDir.create(tmp_path, "xor").id
    monkeypatch.undo()
    time.tzset()
    assert before <= made[:15] <= time.strftime("%Y%m%d-%H%M%S", time.gmtime())


def test_id_and_name_are_known_however_the_folder_is_reached(run: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.path)
    link_latest(run.path)
    for path in (Path(), Path("../latest"), run.path.parent / "latest", Path(f"../{run.id}")):
        assert (RunDir(path).id, RunDir(path).name) == (run.id, "xor")


def test_latest_points_to_the_newest_by_a_link_that_may_move(tmp_path: Path) -> None:
    made = [RunDir.create(tmp_path / "runs", "xor") for _ in range(3)]
    for run in made:
        link_latest(run.path)
    assert os.readlink(tmp_path / "runs" / "xor" / "latest") == made[-1].id
    (tmp_path / "runs").rename(tmp_path / "moved")
    assert RunDir(tmp_path / "moved" / "xor" / "latest").id == made[-1].id


def test_a_link_that_cannot_be_made_is_not_fatal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tmp_path / "xor" / "one"
    run.mkdir(parents=True)

    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    with monkeypatch.context() as patch:
        patch.setattr(os, "symlink", fail)
        assert link_latest(run) == []
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        assert link_latest(run) == []
    assert os.listdir(tmp_path / "xor") == ["one"]
    (tmp_path / "xor" / "latest").mkdir()
    assert link_latest(run) == [f"warning: {tmp_path}/xor/latest: does not lead to this run: is a directory"]
    assert sorted(os.listdir(tmp_path / "xor")) == ["latest", "one"]
    assert os.listdir(run) == []


def test_a_link_to_an_older_run_that_stays_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older, newer = (RunDir.create(tmp_path, "xor") for _ in range(2))
    link_latest(older.path)

    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "symlink", fail)
    (told,) = link_latest(newer.path)
    assert told.endswith("latest: does not lead to this run: operation not permitted")


def test_a_taken_folder_is_never_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter([b"\x00\x01", b"\x00\x01", b"\x00\x01", b"\x00\x02"])
    urandom = os.urandom
    monkeypatch.setattr(os, "urandom", lambda n: next(drawn) if n == 2 else urandom(n))
    monkeypatch.setattr(time, "gmtime", lambda: time.struct_time((2026, 11, 21, 11, 54, 7, 5, 325, 0)))
    made = [RunDir.create(tmp_path, "xor").id for _ in range(2)]
    assert made == ["20261121-115407-0001", "20261121-115407-0002"]


def test_when_every_name_is_taken_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    urandom = os.urandom
    monkeypatch.setattr(os, "urandom", lambda n: bytes(n) if n == 2 else urandom(n))
    monkeypatch.setattr(time, "gmtime", lambda: time.struct_time((2026, 11, 21, 11, 54, 7, 5, 325, 0)))
    RunDir.create(tmp_path, "xor")
    with pytest.raises(OutputError, match="1,000 names tried"):
        RunDir.create(tmp_path, "xor")


def test_sixteen_processes_at_once_get_folders_of_their_own(tmp_path: Path) -> None:
    processes = [start(CREATE, tmp_path) for _ in range(16)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    made = [line for process in processes for line in process.communicate()[0].splitlines()]
    assert [process.returncode for process in processes] == [0] * 16
    assert len(set(made)) == len(made) == 64
    assert sorted(os.listdir(tmp_path / "xor")) == sorted([*(Path(path).name for path in made), "latest"])


def test_sixteen_threads_at_once_get_folders_of_their_own(tmp_path: Path) -> None:
    barrier = threading.Barrier(16)
    made: list[Path] = []

    def create() -> None:
        barrier.wait()
        made.append(RunDir.create(tmp_path, "xor").path)

    threads = [threading.Thread(target=create) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 16


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(OutputError, match="cannot be made") as caught:
        RunDir.create(tmp_path / "runs", "xor")
    assert str(tmp_path / "runs" / "xor") in str(caught.value)


@pytest.mark.parametrize("name", ["xor", "0", "Churn_2.v-1", "a" * 64, "latest.1"])
def test_a_name_of_plain_characters_is_allowed(name: str) -> None:
    assert validate_name(name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "-x", "_x", ".x", "a/b", "../x", "a b", "ä", "a" * 65, "x\n", "x\0", "latest", "\x1b[31m"]
)
def test_a_name_that_could_lead_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        RunDir.create(tmp_path, name)
    assert str(caught.value).isprintable()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("xor", "xor"),
        ("my config", "my-config"),
        ("größe", "gr--e"),
        ("_base", "base"),
        ("日本", "run"),
        ("a" * 99, "a" * 64),
    ],
)
def test_a_stem_becomes_a_name(stem: str, name: str) -> None:
    assert name_from_stem(stem) == name


@given(st.text())
def test_every_stem_becomes_a_name_that_is_allowed(stem: str) -> None:
    validate_name(name_from_stem(stem))
    validate_name(name_from_stem("latest"))


# --- run.json ---


def test_run_json_is_read_back(run: RunDir) -> None:
    fields = {"schema": "nnctl.run/1", "status": "completed", "argv": ["nnctl", "train"]}
    atomic.write_json(run.run_json, fields)
    assert run.is_run()
    assert run.read_run_json() == fields


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is damaged"),
        ('{"schema": "nnctl.run/1", ', "is damaged"),
        ("{}", "no `schema`"),
        ('{"schema": 1}', "no `schema`"),
        ('{"schema": "nnctl.run/2"}', "another version"),
    ],
)
def test_a_damaged_run_json_is_a_run_error(run: RunDir, text: str, message: str) -> None:
    run.run_json.write_text(text)
    with pytest.raises(RunError, match=message):
        run.read_run_json()


def test_a_missing_run_json_is_a_run_error(run: RunDir) -> None:
    with pytest.raises(RunError, match="cannot be read: no such file"):
        run.read_run_json()
