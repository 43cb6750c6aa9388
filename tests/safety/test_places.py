"""Folders, names and surroundings of all kinds: a command works there, or says why not before it trains."""

from __future__ import annotations

import json
import os
import re
import resource
import stat
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import nnctl as package
from tests.tables import experiment

PROC = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="only Linux has /proc")
LONG = "é" * 127  # 254 bytes
NAMES = ["a b", "a\nb", "😀", LONG, "-x", "--help", "[red]", "'", '"', "$HOME", "a=b", "#", "%s", " ", "\udcff"]


@pytest.mark.parametrize(
    "runs", ["file", "file/inside", "taken", pytest.param("/proc/self/x", marks=PROC), pytest.param("/dev/null")]
)
def test_a_runs_folder_that_cannot_be_is_told_before_training(folder, nnctl, monkeypatch, runs):
    (folder / "file").touch()
    (folder / "taken").mkdir()
    (folder / "taken" / "it").touch()
    monkeypatch.setattr("nnctl.training.trainer.Trainer.run", lambda *_: pytest.fail("it trained"))
    result = nnctl("train", "it.yaml", "-q", "--runs-dir", runs)
    assert (result.code, result.out) == (74, "")
    assert result.err.startswith(f"{runs}/it: cannot be made: ")
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    "words", [["runs", "ls"], ["runs", "show", "it/latest"], ["eval", "it/latest"], ["runs", "verify"]]
)
def test_a_runs_folder_that_is_a_file_is_told_by_readers(folder, nnctl, words):
    (folder / "file").touch()
    result = nnctl(*words, "--runs-dir", "file")
    assert result.code in (2, 6)
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_path_may_be_called_anything(folder, nnctl, monkeypatch, name):
    (folder / name).mkdir()
    monkeypatch.chdir(folder / name)
    experiment(Path())
    for words in (
        ["train", "./it.yaml", "-q", "--runs-dir", f"./{name}"],
        ["eval", "it/latest", "--runs-dir", f"./{name}"],
        ["predict", "it/latest", "./table.csv", "-o", f"./{name[:120]}.csv", "--runs-dir", f"./{name}"],
        ["runs", "ls", "--runs-dir", f"./{name}"],
        ["runs", "verify", "--runs-dir", f"./{name}"],
        ["init", "./table.csv", "--target", "answer", "-o", f"./{name[:120]}.yaml"],
        ["check", f"./{name[:120]}.yaml"],
    ):
        result = nnctl(*words)
        assert result.code == 0, (words, result.err)
    if name == "\udcff":
        return  # which YAML cannot write into resolved.yaml, and what that is refused by says so
    (run,) = Path(name).glob("it/2*")
    result = nnctl("train", str(run.absolute() / "resolved.yaml"), "-q", "train.epochs=1")
    assert result.code == 0, result.err


def test_names_of_255_bytes_are_written_and_longer_ones_are_told(folder, nnctl, trained):
    fits, over = "x" * 251 + ".csv", "x" * 252 + ".csv"
    assert nnctl("predict", "it/latest", "table.csv", "-o", fits).code == 0
    assert Path(fits).exists()
    result = nnctl("predict", "it/latest", "table.csv", "-o", over)
    assert result.code == 74
    assert "File name too long" in result.err
    Path("y" * 250 + ".yaml").write_bytes(Path("it.yaml").read_bytes())
    result = nnctl("train", "y" * 250 + ".yaml", "-q")
    assert result.code == 0
    assert Path(result.out.strip()).parent.name == "y" * 64
    assert not [path for path in folder.rglob("*.tmp")]


@pytest.mark.parametrize(
    ("mask", "file", "directory"), [(0o077, 0o600, 0o700), (0o000, 0o666, 0o777), (0o027, 0o640, 0o750)]
)
def test_modes_follow_the_umask(folder, nnctl, mask, file, directory):
    before = os.umask(mask)
    try:
        for words in (
            ["train", "it.yaml", "-q"],
            ["predict", "it/latest", "table.csv", "-o", "out.csv"],
            ["init", "table.csv", "--target", "answer", "-o", "mine.yaml"],
        ):
            assert nnctl(*words).code == 0
    finally:
        os.umask(before)
    made = [Path("out.csv"), Path("mine.yaml"), Path("runs"), *Path("runs").rglob("*")]
    wrong = {
        str(path): oct(mode)
        for path in made
        if not path.is_symlink()
        and (mode := stat.S_IMODE(path.stat().st_mode)) != (directory if path.is_dir() else file)
    }
    assert not wrong
    assert len(made) > 12


@pytest.mark.parametrize("words", [["check"], ["train", "-q", "--runs-dir", "{runs}"]], ids=" ".join)
def test_a_home_is_not_needed(folder, nnctl, monkeypatch, words):
    monkeypatch.delenv("HOME")
    words = [word.replace("{runs}", str(folder / "r")) for word in words]
    assert nnctl(words[0], "it.yaml", *words[1:]).code == 0
    result = nnctl("check", "it.yaml", "data.path=~no_such_user/x.csv")
    assert result.code == 3
    assert "~no_such_user/x.csv: no such file" in result.err


COMMANDS = [
    ["check", "{}/it.yaml"],
    ["train", "{}/it.yaml", "-q", "--runs-dir", "{}/runs"],
    ["resume", "it/latest", "train.epochs=9", "--runs-dir", "{}/runs", "-q"],
    ["eval", "it/latest", "--runs-dir", "{}/runs"],
    ["predict", "it/latest", "{}/table.csv", "-o", "{}/out.csv", "--runs-dir", "{}/runs"],
    ["runs", "ls", "--runs-dir", "{}/runs"],
    ["runs", "ls"],
    ["runs", "show", "it/latest", "--runs-dir", "{}/runs"],
    ["runs", "verify", "--runs-dir", "{}/runs"],
    ["init", "{}/table.csv", "--target", "answer"],
    ["list"],
    ["schema"],
]
TOLD = [
    (["check", "it.yaml"], 2, "it.yaml: no such file"),
    (["train", "{}/it.yaml"], 74, "runs/it: cannot be made: no such file or directory"),
    (["runs", "best", "it", "--runs-dir", "{}/runs"], 74, "the current folder has been removed"),
]


def test_a_current_folder_that_was_removed_stops_only_what_needs_it(folder, nnctl, monkeypatch, trained):
    (folder / "gone").mkdir()
    monkeypatch.chdir(folder / "gone")
    (folder / "gone").rmdir()
    for words in COMMANDS:
        result = nnctl(*(word.replace("{}", str(folder)) for word in words))
        assert result.code == 0, (words, result.err)
    for words, code, sentence in TOLD:
        result = nnctl(*(word.replace("{}", str(folder)) for word in words))
        assert (result.code, sentence in result.err) == (code, True), (words, result.err)


def test_a_current_folder_that_goes_while_it_trains_costs_no_run(folder, monkeypatch):
    (folder / "gone").mkdir()
    monkeypatch.chdir(folder / "gone")
    from nnctl.experiment import training

    run = None
    for event in training(folder / "it.yaml", runs_dir=folder / "runs"):
        if (folder / "gone").exists():
            (folder / "gone").rmdir()
        run = getattr(event, "run", run)
    assert run.status == "completed"
    assert json.loads(Path(run.path, "run.json").read_text())["status"] == "completed"


def test_a_clock_that_jumps_back_loses_nothing(folder, nnctl, monkeypatch):
    """Ids sort otherwise, and a run ends before it began; `latest` is still the newest, and nothing is overwritten."""
    before = nnctl("train", "it.yaml", "-q").out.strip()
    gmtime, real = time.gmtime, time.time
    monkeypatch.setattr(time, "time", lambda: real() - 3_600)
    monkeypatch.setattr(time, "gmtime", lambda seconds=None: gmtime(real() - 3_600 if seconds is None else seconds))

    class Late(datetime):
        @classmethod
        def now(cls, tz=None):
            return super().now(tz) - timedelta(hours=1)

    monkeypatch.setattr("nnctl.running.recording.datetime", Late)
    result = nnctl("train", "it.yaml", "-q")
    assert result.code == 0, result.err
    after = result.out.strip()
    assert Path(after).name < Path(before).name
    assert os.path.realpath("runs/it/latest") == os.path.realpath(after)
    for words in (["runs", "ls"], ["runs", "show", "it/latest"], ["resume", "it/latest", "train.epochs=9", "-q"]):
        assert nnctl(*words).code == 0
    assert len(list(Path("runs/it").glob("2*"))) == 2


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Pacific/Kiritimati", "No/Where", ""])
def test_the_time_zone_changes_nothing(folder, nnctl, monkeypatch, zone):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        result = nnctl("train", "it.yaml", "-q")
    finally:
        monkeypatch.undo()
        time.tzset()
    path = Path(folder, result.out.strip())
    about = json.loads((path / "run.json").read_text())
    assert about["started"].endswith("Z")
    assert about["started"].replace("-", "").replace(":", "").replace("T", "-")[:13] == path.name[:13]


def started(folder: Path, *words: str, limit: int | None = None, **env: str) -> subprocess.CompletedProcess[bytes]:
    """A command line in a process of its own, whose files may be at most so large, in bytes."""
    surroundings = {**os.environ, "PYTHONPATH": str(Path(package.__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-m", "nnctl", *words],
        cwd=folder,
        env={**surroundings, **env},
        capture_output=True,
        timeout=120,
        preexec_fn=None if limit is None else lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )


def test_letters_that_a_locale_lacks_are_escaped(folder):
    table = (folder / "table.csv").read_text().replace("yes, please", "größe😀")
    (folder / "table.csv").write_text(table, encoding="utf-8")
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = started(folder, "train", "it.yaml", **plain)
    assert done.returncode == 0, done.stderr
    done = started(folder, "eval", "it/latest", **plain)
    assert done.returncode == 0
    assert b"gr\\xf6\\xdfe" in done.stdout
    done = started(folder, "predict", "it/latest", "table.csv", **plain)
    assert "größe😀" in done.stdout.decode()


@pytest.mark.parametrize("limit", [0, 500, 1_500, 3_000, 6_000])
def test_a_file_that_may_not_grow_is_told(folder, limit):
    done = started(folder, "train", "it.yaml", "-q", limit=limit)
    assert done.returncode == 74, done.stderr
    assert re.fullmatch(rb"runs/it/\S+: cannot be (written|locked): file too large\n", done.stderr)
    assert not list(folder.rglob("*.tmp"))
