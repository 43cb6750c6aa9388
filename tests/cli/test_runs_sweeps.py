"""A sweep and its trials in the other commands."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest


@pytest.fixture
def swept(nnctl):
    """The folder of a sweep of four trials, two settings with two seeds each."""
    done = nnctl("sweep", "it.yaml", "optimizer.lr=0.001,0.1", "--seeds", "2", "--jobs", "1", "-q")
    assert done.code == 0, done.err
    assert done.err == ""
    best = done.out.strip()
    assert re.fullmatch(r"runs/it/[0-9a-f-]{20}/trials/000[1-4]", best)
    return best.rpartition("/trials/")[0]


def trial(swept, number):
    return f"{swept}/trials/{number:04}"


def test_a_sweep_is_seen_by_every_command_that_takes_runs(nnctl, swept):
    alone = nnctl("train", "it.yaml", "-q", "optimizer.lr=0.01").out.strip()

    listed = {each["run"]: each for each in nnctl("runs", "ls", "--json").json["runs"]}
    assert set(listed) == {swept, alone}
    assert (listed[swept]["status"], listed[swept]["trials"]) == ("completed", 4)
    trials = nnctl("runs", "ls", "--trials", "--where", f"name={Path(swept).parent.name}", "--json").json["runs"]
    assert {each["run"] for each in trials} == {alone, *(trial(swept, number) for number in range(1, 5))}
    assert {each["overrides"]["optimizer.lr"] for each in trials if each["sweep"]} == {0.001, 0.1}

    best = nnctl("runs", "best", "--trials").out.strip()
    assert listed[swept]["metrics"] == json.loads((Path(swept) / "sweep.json").read_text())["best"]["metrics"]
    assert nnctl("runs", "best").out.strip() == alone
    refused = nnctl("eval", swept)
    assert refused.code == 2
    assert f"is a sweep of 4 trials: name one of them, such as `{trial(swept, 1)[:-1]}" in refused.err
    assert nnctl("eval", best, "--json").json["run"] == best
    assert nnctl("predict", swept.replace("runs/", "") + "/trials/0002", "table.csv").code == 0

    compared = nnctl("runs", "compare", trial(swept, 1), trial(swept, 3), "--json").json
    assert compared["config"] == {"optimizer.lr": [0.001, 0.1]}
    assert compared["pairs"][0]["measured"][0]["noise"]["runs"] == [2, 2]
    verified = nnctl("runs", "verify", swept, "--json").json
    assert (verified["runs"], verified["damaged"]) == (5, [])

    assert nnctl("runs", "rm", trial(swept, 1)).code == 2
    assert nnctl("runs", "rm", "--where", "val_loss>0").out.split() == [alone]
    assert nnctl("runs", "rm", swept).out.split() == [swept]
    assert not Path(swept).exists()


def test_show_ranks_the_settings_of_a_sweep(nnctl, swept):
    shown = nnctl("runs", "show", swept)
    assert shown.out.startswith(f"{swept}\nstatus   completed")
    lines = shown.out.splitlines()
    assert "trials   4 completed" in lines
    assert lines[-1].startswith(f"{swept}/trials/")
    header = next(line for line in lines if "seeds" in line)
    assert header.split() == ["mean", "val_loss", "std", "(n", "-", "1)", "seeds", "tied", "optimizer.lr"]

    found = nnctl("runs", "show", swept, "--json").json
    assert found["schema"] == "nnctl.sweep/1"
    assert found["name"] == "it"
    assert [each["seeds"] for each in found["settings"]] == [2, 2]
    assert {each["run"] for each in found["trials"]} == {trial(swept, number) for number in range(1, 5)}


def test_a_trial_is_reproduced_as_a_run_beside_its_sweep(nnctl, swept):
    found = nnctl("reproduce", trial(swept, 2), "--json").json
    assert found["identical"], found
    assert Path(found["run"]).parent == Path(swept).parent
