"""A config from a stranger costs no more than a sentence: neither time nor memory, and nothing in it is run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import nnctl
from nnctl.errors import MAX_PROBLEMS
from tests.safety.bombs import BOMBS, START
from tests.tables import experiment

ROOT = Path(nnctl.__file__).parents[1]


@pytest.fixture(scope="module")
def costs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What every bomb cost in one process: as the peak of its memory only grows, each is under what it grew in all."""
    folder = tmp_path_factory.mktemp("bombs")
    experiment(folder)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "LONG": "x" * 100_000}
    done = subprocess.run(
        [sys.executable, "-m", "tests.safety.bombs"], cwd=folder, env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert not (folder / "boom").exists(), "something in a config was run"
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {each["name"]: each for each in found}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_by_a_sentence(costs, name):
    cost, (_, sentence) = costs[name], BOMBS[name]
    *lines, last = cost["err"].splitlines()
    assert cost["code"] == (3 if "columns" in name else 2), cost["err"]
    assert sentence in cost["err"]
    assert last.endswith("Nothing was run.")
    assert 1 <= len(lines) <= MAX_PROBLEMS
    assert all(len(line) < 500 for line in lines)


def test_no_bomb_costs_more_time_than_three_plain_starts(costs):
    """A start takes a third of a second where a megabyte of YAML takes half of one."""
    start, *bombs = costs.values()
    slowest = max(bombs, key=lambda cost: cost["seconds"])
    assert slowest["seconds"] < 3 * start["seconds"], slowest["name"]


def test_no_bomb_takes_a_hundred_megabytes(costs):
    peaks = [cost["kilobytes"] for cost in costs.values()]
    assert max(peaks) - peaks[0] < 100 * 1024


@pytest.mark.parametrize("words", [["optimizer=" + "[" * 100_000], ["a=&a [*a]"], ["seed=" + "9" * 100_000]])
def test_a_bomb_as_an_override_is_refused(folder, nnctl, words):
    done = nnctl("check", "it.yaml", *words)
    assert done.code == 2
    assert done.err.startswith("command line: ")
    assert len(done.err) < 1_000


def test_a_bomb_in_an_override_of_the_python_api_is_refused(folder):
    from nnctl import checking

    endless: list[Any] = []
    endless.append(endless)
    for value in (endless, 10**5_000, -(10**5_000)):
        assert checking.check("it.yaml", {"seed": value}).problems


def test_a_circle_of_files_is_refused(folder, nnctl):
    for name, parent in (("a", "b"), ("b", "c"), ("c", "./a")):
        (folder / f"{name}.yaml").write_text(f"extends: {parent}.yaml\n")
    done = nnctl("check", "a.yaml")
    assert done.code == 2
    assert "c.yaml:1:10: extends: the files extend one another in a circle: a.yaml -> b.yaml" in done.err


def test_a_chain_of_files_is_refused_where_a_bomb_is_in_it_or_it_is_one(folder, nnctl):
    (folder / "bomb.yaml").write_bytes(b"a: &a [*a]\n")
    (folder / "a.yaml").write_text("extends: bomb.yaml\n")
    done = nnctl("check", "a.yaml")
    assert done.code == 2
    assert "bomb.yaml:1:4: a: `&a`: anchors are not supported" in done.err
    for place in range(3):
        (folder / f"{place}.yaml").write_text(f"extends: {place + 1}.yaml\n#" + "x" * 400_000)
    done = nnctl("check", "0.yaml")
    assert done.code == 2
    assert "1.yaml:1:10: extends: with the files it extends: must be at most 1 MB, is larger" in done.err


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/dev/zero", "/dev/zero: must be at most 1 MB, is larger"),
        ("/dev/null", "/dev/null: nothing is written here"),
        (".", ".: this is a folder, expected a YAML file"),
        ("it.yaml/", "it.yaml/: cannot be read: Not a directory"),
        ("no\0ne.yaml", "cannot be read: embedded null byte"),
        ("a" * 300, "cannot be read: File name too long"),
    ],
)
def test_what_is_no_file_is_refused(folder, nnctl, path, sentence):
    done = nnctl("check", path)
    assert done.code == 2
    assert sentence in done.err


def test_a_pipe_is_a_config(folder, nnctl):
    os.mkfifo(folder / "pipe")
    for content, code in (((folder / "it.yaml").read_bytes(), 0), (b"x" * 2_000_000, 2)):
        writer = threading.Thread(target=_write, args=(folder / "pipe", content))
        writer.start()
        done = nnctl("check", "pipe")
        writer.join()
        assert done.code == code, done.err


def test_standard_input_is_a_config(process, folder):
    running = process("check", "/dev/stdin", "data.path=table.csv", stdin=subprocess.PIPE)
    _, err = running.communicate(START.decode().replace("id: [id]", "drop: [id]"), timeout=60)
    assert running.returncode == 0, err


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except BrokenPipeError:  # the reader has seen enough
        return
