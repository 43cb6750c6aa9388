"""``nnctl runs ls`` and ``show``."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest


@pytest.fixture
def three(nnctl):
    """Three runs, the oldest first."""
    return [nnctl("train", "it.yaml", "-q", f"optimizer.lr={lr}").out.strip() for lr in (0.001, 0.01, 0.1)]


def test_ls_shows_what_differs_and_the_metrics(nnctl, three):
    header, *rows = nnctl("runs", "ls").out.splitlines()
    assert header.split()[:3] == ["run", "status", "optimizer.lr"]
    assert {"test_loss", "val_loss"} <= set(header.split())
    assert {row.split()[0] for row in rows} == set(three)


def test_ls_filters_sorts_and_cuts(nnctl, three):
    words = ["runs", "ls", "--where", "optimizer.lr<0.05", "--sort", "-optimizer.lr", "--limit", "1"]
    assert [run["run"] for run in nnctl(*words, "--json").json["runs"]] == [three[1]]
    losses = [run["metrics"]["val_loss"] for run in nnctl("runs", "ls", "--sort", "val_loss", "--json").json["runs"]]
    assert losses == sorted(losses)


def test_ls_json_and_csv_hold_everything(nnctl, three):
    found = nnctl("runs", "ls", "--json").json
    assert found["schema"] == "nnctl.runs/1"
    rows = {row["run"]: row for row in csv.DictReader(io.StringIO(nnctl("runs", "ls", "--csv").out))}
    for run in found["runs"]:
        row = rows[run["run"]]
        assert row["status"] == run["status"] == "completed"
        assert float(row["optimizer.lr"]) == run["overrides"]["optimizer.lr"]
        assert {name: float(row[name]) for name in run["metrics"]} == run["metrics"]


def test_ls_of_nothing_says_so_on_stderr(nnctl):
    result = nnctl("runs", "ls")
    assert (result.code, result.out, result.err) == (0, "", "no run in runs\n")
    assert nnctl("runs", "ls", "--json").json == {"schema": "nnctl.runs/1", "runs": []}
    assert nnctl("runs", "ls", "--csv").out.startswith("run,id,name,status")


@pytest.mark.parametrize("words", ["--sort nothing", "--where val_loss", "--json --csv", "--limit x"])
def test_ls_refuses_what_it_cannot_do(nnctl, three, words):
    result = nnctl("runs", "ls", *words.split())
    assert (result.code, result.out) == (2, "")
    assert result.err


def test_show_tells_the_story_of_a_run(nnctl, trained):
    result = nnctl("runs", "show", "it/latest")
    lines = [line.split() for line in result.out.splitlines()]
    assert lines[0] == [trained]
    assert ["rows", "72", "train,", "24", "val,", "24", "test"] in lines
    assert [line[0] for line in lines[-3:]] == ["train", "val", "test"]
    found = nnctl("runs", "show", "it/latest", "--json").json
    about = json.loads((Path(trained) / "run.json").read_text())
    assert found | about == found
    assert found["run"] == trained
    assert found["metrics"] == json.loads((Path(trained) / "metrics.json").read_text())["metrics"]


def test_show_refuses_with_the_codes_of_the_contract(nnctl, trained):
    assert nnctl("runs", "show", "nothing").code == 2
    (Path(trained) / "run.json").write_text("{")
    result = nnctl("runs", "show", trained)
    assert (result.code, result.out) == (6, "")
    assert "run.json: is damaged" in result.err


def test_a_damaged_run_is_listed_as_damaged(nnctl, trained):
    (Path(trained) / "run.json").write_text("{")
    assert nnctl("runs", "ls").out.splitlines()[1].split() == [trained, "damaged"]


def test_the_cache_is_told_of_and_cleared(nnctl):
    assert nnctl("runs", "cache").out == "runs/.cache: 0 entries, 0.0 MB\n"
    nnctl("train", "it.yaml", "-q")
    assert nnctl("runs", "cache").out.startswith("runs/.cache: 1 entry, 0.")
    found = nnctl("runs", "cache", "--clear", "--json").json
    assert found == {**found, "schema": "nnctl.cache/1", "folder": "runs/.cache", "entries": 1, "cleared": True}
    assert nnctl("runs", "cache", "--json").json["entries"] == 0
    assert len(nnctl("runs", "ls", "--json").json["runs"]) == 1


def test_hostile_and_wide_names_keep_the_columns_in_line(nnctl, trained):
    about = json.loads((Path(trained) / "run.json").read_text())
    for number, word in enumerate(["[red]x[/red]", "\x1b[31mx\x1b[0m", "a\nb", "漢字", "x" * 500, "\u202ex"]):
        folder = Path("runs") / "it" / f"20261121-000000-000{number}"
        (folder / "checkpoints").mkdir(parents=True)
        changed = {**about, "overrides": {"data.target": word, "model.hidden": [8, 8]}, "reason": word}
        (folder / "run.json").write_text(json.dumps(changed))
    result = nnctl("runs", "ls")
    assert result.code == 0
    assert "\x1b" not in result.out
    assert "\u202e" not in result.out
    assert len(result.out.splitlines()) == 8
    assert "[red]x[/red]" in result.out
    assert "漢字" in result.out
    found = {run["overrides"].get("data.target") for run in nnctl("runs", "ls", "--json").json["runs"]}
    assert "a\nb" in found
    rows = list(csv.DictReader(io.StringIO(nnctl("runs", "ls", "--csv").out)))
    assert {row["data.target"] for row in rows} == {each or "" for each in found}
    assert nnctl("runs", "ls", "--where", "data.target=漢字").out.count("\n") == 2


def test_columns_are_as_wide_as_their_letters():
    from nnctl.console.grid import Grid

    assert Grid(["a", "b"], [["漢字", 1], ["x", 22]], words=["a"])._widths == [4, 2]
