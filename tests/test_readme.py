"""Everything that the README says to type works as it is typed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import nnctl.testing
from nnctl.component import registry
from nnctl.layers import InputColumn
from nnctl.losses.cross_entropy import CrossEntropy
from nnctl.preparing.architecture import architecture
from nnctl.spec.reading import read_experiment
from nnctl.sweeps.request import read_request

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


TOUR = re.findall(r"^<!-- tour -->\n```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("configs", "data"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "nnctl"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m nnctl "$@"\n')
    command.chmod(0o755)
    return tmp_path


def shell(project: Path, script: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PATH": f"{project / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
    }
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=project, env=environment, capture_output=True, text=True
    )


def test_the_tour_runs_from_top_to_bottom(project: Path) -> None:
    assert len(TOUR) >= 6
    for script in TOUR:
        if "jq" in script and shutil.which("jq") is None:
            continue
        done = shell(project, script)
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        if "runs best grid --metric" in script:
            assert len(done.stdout.split()) == 3
            assert len(set(done.stdout.split())) == 1, "three ways to one winner"
    assert (project / "predictions.csv").read_text().count("\n") == 151
    assert len(list((project / "runs" / "wine").iterdir())) == 6
    assert not (project / "runs" / "grid").exists()


@pytest.mark.skipif(shutil.which("parallel") is None, reason="GNU parallel is not installed")
def test_what_is_shown_of_gnu_parallel_trains_the_grid(project: Path) -> None:
    (script,) = re.findall(r"^<!-- tour with parallel -->\n```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    done = shell(project, script)
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.split()) == sorted(
        f"runs/grid/{path.name}" for path in (project / "runs/grid").glob("2*")
    )
    assert len(done.stdout.split()) == 4


def test_the_commands_that_set_up_are_make_targets() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^make (\w+)", README, re.MULTILINE)) <= targets


def test_the_yaml_that_is_shown_is_valid(project: Path) -> None:
    whole, layers, images, extending = (text for text in blocks("yaml") if not text.startswith("sweep:"))
    configs = project / "configs"
    (configs / "penguins.yaml").write_text(whole)
    assert read_experiment(configs / "penguins.yaml").experiment.train.epochs == 200
    for shown, names in (
        (layers, ["dense", "batch_norm", "relu", "dropout"]),
        (images, ["reshape", "conv2d", "max_pool2d", "residual", "global_avg_pool"]),
    ):
        (configs / "layers.yaml").write_text(re.sub(r"model:\n(  .*\n)+", shown, whole))
        model = read_experiment(configs / "layers.yaml").experiment.model
        assert [layer.name for layer in model.layers or ()] == names
        columns = [InputColumn(f"pixel{place}", "number") for place in range(784)]
        architecture(model, CrossEntropy(), columns=columns, width=3)
    (configs / "child.yaml").write_text(extending)
    child = read_experiment(configs / "child.yaml").experiment
    assert (child.name, child.optimizer.name, child.optimizer.lr) == ("penguins-adamw", "adamw", 3e-3)


def test_the_section_that_is_shown_is_what_the_words_beside_it_say(project: Path) -> None:
    (section,) = (text for text in blocks("yaml") if text.startswith("sweep:"))
    config = project / "configs" / "wine.yaml"
    config.write_text(f"{config.read_text()}\n{section}")
    request = read_request(config, ())
    assert (request.method, request.metric, request.count) == ("random", "val_loss", 20)
    assert request.params == ("optimizer.lr", "model.dropout", "model.hidden")


def test_the_words_that_are_shown_are_words_of_a_sweep(project: Path) -> None:
    (table,) = re.findall(r"^\| word \| tries \|\n(?:\|.*\n)+", README, re.MULTILINE)
    (project / "trials.csv").write_text("optimizer.lr,train.epochs\n0.1,3\n0.2,4\n")
    words = [shlex.split(word) for row in table.splitlines()[2:] for word in re.findall(r"`(.+?)`", row.split("|")[1])]
    assert len(words) == 8
    for (word,) in words:
        given = [word, "seed=1,2"] if word == "train.epochs=50" else [word.replace("@", f"@{project}/")]
        assert read_request(project / "configs" / "wine.yaml", given).params


def test_the_python_that_is_shown_runs(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    exec(blocks("python")[0], {})
    assert "['setosa']" in capsys.readouterr().out


def test_the_component_that_is_shown_conforms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "arctan.py").write_text(blocks("python")[1])
    monkeypatch.syspath_prepend(tmp_path)
    known = registry._by_kind["layers"].copy()
    import arctan  # type: ignore[import-not-found]

    try:
        nnctl.testing.conforms(arctan.Arctan)
    finally:
        registry._by_kind["layers"] = known
