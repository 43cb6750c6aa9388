"""Starting and ending: what help costs, how errors leave, what happens when nobody reads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import nnctl as package
from nnctl.cli import app

ROOT = Path(__file__).parent.parent.parent
COMMANDS = [
    "init",
    "train",
    "sweep",
    "resume",
    "reproduce",
    "eval",
    "predict",
    "check",
    "gradcheck",
    "list",
    "explain",
    "schema",
]
COMMANDS += ["runs ls", "runs show", "runs best", "runs compare", "runs rm", "runs verify"]
HEAVY = ("numpy", "pandas", "yaml", "rich", "click")


# Command lines one after the other in one process, and what none of them up to there imports.
UNIMPORTED = {
    "--version": HEAVY,
    "--help": HEAVY,
    "train --help": HEAVY,
    "runs ls --json": ("numpy", "pandas", "yaml", "rich", "safetensors"),
    "list --json": ("pandas", "yaml", "rich"),
    "list": ("pandas", "yaml"),
    "explain adam": ("pandas", "yaml"),
    "explain train.epochs": ("pandas", "yaml"),
}


def modules_after(*lines: str, cwd: Path) -> list[set[str]]:
    """The modules that command lines have imported, one after the other in one process of their own."""
    code = f"""
import sys
from nnctl.cli import main
for line in {lines!r}:
    assert main(line.split()) == 0, line
    print(*sys.modules, file=sys.stderr)
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=cwd, env=env, capture_output=True, text=True, check=True)
    return [set(line.split()) for line in done.stderr.splitlines()]


def test_help_and_vocabulary_import_nothing_heavy(tmp_path):
    for line, modules in zip(UNIMPORTED, modules_after(*UNIMPORTED, cwd=tmp_path), strict=True):
        assert modules.isdisjoint(UNIMPORTED[line]), line


def test_training_imports_only_what_it_needs(nnctl, folder):
    assert nnctl("train", "it.yaml", "-q").code == 0  # the cache has the data now
    (modules,) = modules_after("train it.yaml -q optimizer.type=sgd", cwd=folder)
    assert "numpy" in modules
    assert modules.isdisjoint(("pandas", "rich", "nnctl.data.table", "nnctl.autopsy", "nnctl.running.reopening"))
    optimizers = [name for name in modules if name.startswith("nnctl.optimizers.")]
    assert sorted(optimizers) == ["nnctl.optimizers.adam", "nnctl.optimizers.moments", "nnctl.optimizers.sgd"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(nnctl, command):
    for option in ("-h", "--help"):
        result = nnctl(*command.split(), option)
        assert (result.code, result.err) == (0, "")
        assert f"Example: nnctl {command}" in " ".join(result.out.split())


def test_the_commands_are_those_of_the_contract(nnctl):
    listed = [info.name for info in app.registered_commands] + [info.name for info in app.registered_groups]
    assert set(listed) == {command.split()[0] for command in COMMANDS}
    assert nnctl("--version").out == f"{package.__version__}\n"


@pytest.mark.parametrize(
    "words", [["trian"], ["train"], ["train", "--foo"], ["train", "it.yaml", "--progress", "x"], ["runs", "sl"]]
)
def test_a_wrong_command_line_ends_with_2(nnctl, words):
    result = nnctl(*words)
    assert (result.code, result.out) == (2, "")
    assert "Error: " in result.err
    assert "Traceback" not in result.err


def test_a_bug_is_one_sentence_and_a_traceback_only_with_debug(nnctl, monkeypatch):
    def broken(*args, **options):
        raise KeyError("it \x1b[31mbroke")

    monkeypatch.setattr("nnctl.checking.check", broken)
    result = nnctl("check", "it.yaml")
    assert (result.code, result.out) == (1, "")
    assert result.err.count("\n") == 1
    assert "this is a bug in nnctl (KeyError:" in result.err
    assert result.err.endswith("nnctl check it.yaml --debug\n")
    assert "\x1b" not in result.err
    for words in (["--debug", "check", "it.yaml"], ["check", "it.yaml", "--debug"]):
        assert "Traceback" in nnctl(*words).err


def test_an_error_of_the_user_shows_its_traceback_only_with_debug(nnctl):
    assert "Traceback" not in nnctl("check", "no.yaml").err
    result = nnctl("check", "no.yaml", "--debug")
    assert result.code == 2
    assert "Traceback" in result.err


def test_ctrl_c_before_training_ends_with_130(nnctl, monkeypatch):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("nnctl.checking.check", interrupted)
    assert nnctl("check", "it.yaml") == nnctl("check", "it.yaml").__class__(130, "", "")


def test_python_m_is_the_same_program(process):
    out, err = process("--version").communicate(timeout=60)
    assert (out, err) == (f"{package.__version__}\n", "")


@pytest.mark.parametrize("words", [["list"], ["list", "--json"], ["explain", "adam"], ["runs", "ls", "--csv"], ["-h"]])
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has /dev/full")
def test_a_full_disk_is_74_and_one_sentence(process, words):
    with open("/dev/full", "w") as full:
        started = process(*words, stdout=full)
        _, err = started.communicate(timeout=60)
    assert started.returncode == 74
    assert err.count("\n") == 1
    assert "cannot be written: no space left on device" in err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has /dev/full")
def test_a_run_whose_path_cannot_be_printed_is_still_there(process, folder):
    with open("/dev/full", "w") as full:
        started = process("train", "it.yaml", "-q", stdout=full)
        _, err = started.communicate(timeout=60)
    assert started.returncode == 74
    assert "stdout: cannot be written" in err
    assert list(folder.glob("runs/it/*/metrics.json"))


def test_a_reader_that_goes_ends_a_listing_quietly(process):
    started = process("schema")
    started.stdout.close()
    assert started.wait(timeout=60) == 141
    assert started.stderr.read() == ""
    started.stderr.close()


def test_a_stderr_that_is_gone_costs_no_run(process, folder):
    started = process("train", "it.yaml", "train.epochs=300", "-q")
    loud = process("train", "it.yaml", "train.epochs=300", "--progress", "plain")
    loud.stderr.close()
    assert loud.stdout.read().startswith("runs/it/")
    assert loud.wait(timeout=60) == 0
    loud.stdout.close()
    started.communicate(timeout=60)
    statuses = [path.read_text() for path in folder.glob("runs/it/2*/run.json")]
    assert len(statuses) == 2
    assert all('"completed"' in text for text in statuses)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has /dev/full")
def test_an_error_that_cannot_be_told_keeps_its_code(process):
    with open("/dev/full", "w") as full:
        started = process("train", "no.yaml", stderr=full)
        out, _ = started.communicate(timeout=60)
    assert (started.returncode, out) == (2, "")
    started = process("train", "no.yaml")
    started.stderr.close()
    assert started.wait(timeout=60) == 2
    started.stdout.close()


def test_a_path_that_is_no_utf_8_is_printed_as_it_is(process, folder):
    os.makedirs(os.fsencode(folder) + b"/na\xefve")
    started = process("train", "it.yaml", "-q", "--runs-dir", b"na\xefve", text=False)
    out, _ = started.communicate(timeout=60)
    assert out.startswith(b"na\xefve/it/")
    started = process("train", "it.yaml", "--json", "--runs-dir", b"na\xefve", text=False)
    out, err = started.communicate(timeout=60)
    assert out.decode().startswith('{"schema": "nnctl.train/1", "run": "na\\udcefve/it/')
    assert b"na\\udcefve/it/" in err
