"""Configs, tables and checkpoints are data: nothing in them is run, imported, or called by its name."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nnctl
from tests.tables import experiment

PACKAGE = Path(nnctl.__file__).parent

# Modules that make objects of bytes, or run what they are given.
MODULES = {"pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "copyreg", "runpy"}
MODULES |= {"codeop", "pty", "ctypes", "xmlrpc", "imp", "zipimport"}
BUILTINS = {"eval", "exec", "compile", "__import__", "input", "breakpoint", "execfile"}
# By the name behind the dot, whatever stands before it.
CALLS = {"read_pickle", "to_pickle", "Unpickler", "find_class", "system", "popen", "import_module", "load_module"}
CALLS |= {"exec_module", "unsafe_load", "full_load", "run_path", "run_module", "allow_pickle", "find_spec"}
CALLS |= {"UnsafeLoader", "FullLoader", "spawnl", "spawnv", "execv", "execvp", "query", "from_pretrained"}

# What looks like it and is not: file, name, why no word of a user's gets there.
KNOWN = {
    ("__init__.py", "import_module"): "the names of the Python API, from a table in that file",
    ("component.py", "import_module"): "the modules of our own folders; plug-ins come by installed entry points",
}


def found() -> Iterator[tuple[str, str]]:
    """The file and the name of everything that could run what it is given."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(), str(path))
        for node in ast.walk(tree):
            yield from ((str(path.relative_to(PACKAGE)), name) for name in _dangers(node))


def _dangers(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        module = getattr(node, "module", None) or ""
        names = {module, *(alias.name for alias in node.names)}
        yield from sorted({name.partition(".")[0] for name in names} & MODULES)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        yield from {node.func.id} & BUILTINS | {node.func.id} & CALLS
    elif isinstance(node, ast.Attribute):
        yield from {node.attr} & CALLS
        if isinstance(node.value, ast.Name) and (node.value.id, node.attr) in {("yaml", "load"), ("yaml", "load_all")}:
            yield "yaml.load"
    elif isinstance(node, ast.keyword):
        yield from {node.arg or ""} & {"shell", "allow_pickle", "preexec_fn"}


def test_nothing_in_the_code_runs_what_it_reads():
    strange = sorted({each for each in found() if each not in KNOWN})
    assert not strange
    assert set(KNOWN) <= set(found()), "known by name, and no longer there"


def test_the_search_finds_what_it_looks_for():
    for text in (
        "import pickle",
        "from pickle import loads",
        "import os; os.system('x')",
        "eval(x)",
        "yaml.load(x)",
        "np.load(x, allow_pickle=True)",
        "subprocess.run(x, shell=True)",
        "from importlib import import_module; import_module(x)",
        "yaml.UnsafeLoader",
    ):
        assert any(list(_dangers(node)) for node in ast.walk(ast.parse(text))), text


def test_the_only_programs_that_are_run_are_git_and_our_own_worker():
    texts = {path.name: path.read_text() for path in PACKAGE.rglob("*.py")}
    assert {name for name, text in texts.items() if "subprocess" in text} == {"recording.py", "process.py"}
    assert 'COMMAND = (sys.executable, "-P", "-m", "nnctl.sweeps.worker")' in texts["process.py"]
    assert 'command: Sequence[str] = ("git", "-C", str(folder), "rev-parse", "HEAD")' in texts["recording.py"]


BLOCKED = """
import sys, pickle, _pickle

def refuse(*args, **options):
    raise AssertionError("something was unpickled, or was about to be")

def hook(event, args):
    if event.startswith("pickle."):
        refuse()

class Refused:  # may have heirs: a library that knows how to pickle is no danger as long as nobody asks it to
    def __init__(self, *args, **options):
        refuse()

for module in (pickle, _pickle):
    for name in ("load", "loads", "dump", "dumps"):
        setattr(module, name, refuse)
    for name in ("Unpickler", "Pickler"):
        setattr(module, name, Refused)
sys.addaudithook(hook)

import nnctl
from nnctl.cli import main
for words in COMMANDS:
    code = main(words)
    assert code == 0, (words, code)
assert nnctl.load("it/latest").predict({"a": [1.0], "b": [0.5], "colour": ["red"], "member": ["true"]}).size
print("done")
"""
COMMANDS = [
    ["check", "it.yaml"],
    ["train", "it.yaml", "-q"],
    ["train", "it.yaml", "-q", "optimizer=lbfgs", "train.batch_size=full", "model.dropout=0"],  # with the cache
    ["resume", "it/latest", "train.epochs=12", "-q"],
    ["eval", "it/latest"],
    ["predict", "it/latest", "table.csv", "-o", "out.csv"],
    ["runs", "ls"],
    ["runs", "show", "it/latest"],
    ["runs", "verify"],
]


def test_everything_works_where_nothing_can_be_unpickled(tmp_path):
    experiment(tmp_path)
    env = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    code = f"COMMANDS = {COMMANDS!r}\n{BLOCKED}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("done\n")
