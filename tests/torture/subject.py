"""The experiments that are tortured, what they end with when nobody disturbs them, and what they may hold meanwhile."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnctl.errors import NnctlError
from nnctl.runs import checkpoint
from nnctl.runs.run_dir import RunDir
from tests.tables import mixed_csv
from tests.torture import processes
from tests.torture.shim import Call, Quiet, Watch

ROWS = 48
DATA = "data: {path: table.csv, target: answer, id: [id], drop: [amount], split: {val: 0.25}}"
NUMBERS = "data: {path: table.csv, target: amount, id: [id], drop: [answer], split: {val: 0.25}}"

STEP = f"""
{DATA}
model: {{hidden: [4]}}
optimizer: {{type: sgd, lr: 0.1}}
schedule: {{type: step, every: 3}}
train: {{epochs: 8, batch_size: 12}}
checkpoint: {{every: 1 epochs}}
"""
COSINE = f"""
{DATA}
model: {{hidden: [6], dropout: 0.2, norm: batch}}
optimizer: {{type: adam, lr: 0.02, ema: 0.9}}
schedule: {{type: cosine, warmup: 1}}
train: {{epochs: 8, batch_size: 12}}
checkpoint: {{every: 1 epochs, keep: 3}}
"""
PLATEAU = f"""
{DATA}
model: {{hidden: [4]}}
optimizer: {{type: nesterov, lr: 0.3}}
schedule: {{type: plateau, patience: 1}}
early_stopping: {{type: patience, patience: 3}}
train: {{epochs: 12, batch_size: 12}}
checkpoint: {{every: 1 epochs}}
"""
REGRESSION = f"""
{NUMBERS}
model: {{hidden: [4], activation: tanh}}
optimizer: {{type: rmsprop, lr: 0.01}}
train: {{epochs: 6, batch_size: 2}}
checkpoint: {{every: 20 steps, keep: 2}}
"""
SHORT = f"""
{DATA}
model: {{hidden: []}}
optimizer: sgd
train: {{epochs: 3, batch_size: full}}
checkpoint: {{every: 1 epochs, keep: 2}}
"""
SUBJECTS = {
    "sgd-step": STEP,
    "adam-cosine-dropout": COSINE,
    "plateau-early-stopping": PLATEAU,
    "saves-in-an-epoch": REGRESSION,
}

SECONDS = "seconds"  # the only thing that differs from one run to the next
KEPT = ("kind", "epoch", "state", "monitor", "last_row", "best_row", "stop")  # of what a checkpoint says
LITTER = (".tmp", ".unfinished")


@dataclass
class Subject:
    """A config beside its table in a folder of its own, and what is known of the run that nobody disturbs."""

    folder: Path
    legal: dict[str, tuple[int, int]] = field(default_factory=dict)  # what `last` may be, and its epoch and batch
    bests: set[str] = field(default_factory=set)
    ending: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0  # that it takes

    @classmethod
    def make(cls, folder: Path, text: str) -> Subject:
        """Write the table and the config; nothing is trained yet."""
        folder.mkdir(parents=True, exist_ok=True)
        mixed_csv(folder / "table.csv", ROWS)
        (folder / "it.yaml").write_text(text)
        return cls(folder)

    @classmethod
    def known(cls, folder: Path, text: str) -> Subject:
        """The same, trained undisturbed to know what it ends with, and once more with a save at every step."""
        subject = cls.make(folder, text)
        for override in ("checkpoint.every=1 steps", ""):
            states = folder / "states"
            watched = Watch(subject.runs, States(states))
            ended = processes.run(processes.nnctl(*subject.train_words(override), prepare=watched.install), folder)
            assert ended.code == 0, ended.err
            subject._gather(states)
            subject.ending, subject.seconds = subject.ended(), ended.seconds
        return subject

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    def train_words(self, *overrides: str) -> list[str]:
        return ["train", "it.yaml", "-q", *filter(None, overrides)]

    def resume_words(self, run: RunDir) -> list[str]:
        return ["resume", os.path.relpath(run.path, self.folder), "-q"]

    def train(self, *overrides: str) -> RunDir:
        """Train undisturbed, and give back the folder of the run."""
        ended = processes.run(processes.nnctl(*self.train_words(*overrides)), self.folder)
        assert ended.code == 0, ended.err
        return RunDir(self.folder / ended.out.strip())

    def forget(self) -> None:
        """Remove all runs; what was prepared from the table stays."""
        shutil.rmtree(self.runs / "it", ignore_errors=True)

    def folders(self) -> list[RunDir]:
        """The folders of all runs, those included that were never begun."""
        return [RunDir(path) for path in sorted(self.runs.glob("it/*")) if not path.is_symlink()]

    def begun(self) -> list[RunDir]:
        """The runs that say of themselves that they are runs."""
        return [run for run in self.folders() if run.is_run()]

    def ended(self) -> dict[str, Any]:
        (run,) = self.begun()
        found = ending(run)
        self.forget()
        return found

    def litter(self) -> list[str]:
        """What should be gone once a run has ended."""
        return [str(path.relative_to(self.folder)) for path in self.runs.rglob("*") if path.name.endswith(LITTER)]

    def wrong(self, run: RunDir, *, damaged: bool = False) -> list[str]:
        """What is wrong with the checkpoints of a run at any time between two calls: nothing, or the run is lost.

        ``damaged``: one of `last` and `last.prev` was damaged before.
        """
        wrong = []
        found = [name for name in (run.last, run.previous) if os.path.lexists(name)]
        states = [state_of(path) for path in found]
        if not any(state in self.legal for state in states):
            wrong.append(f"neither `last` nor `last.prev` is a state the run was in: {states}")
        pairs = zip(found, states, strict=True)
        wrong += [
            f"{path.name} is no state the run was in"
            for path, state in pairs
            if state not in self.legal and not damaged
        ]
        if os.path.lexists(run.best) and state_of(run.best) not in self.bests:
            wrong.append("`best` is none that the run had")
        return wrong

    def _gather(self, states: Path) -> None:
        for line in states.read_text().splitlines():
            kind, state, epoch, batch = line.split()
            if kind == "best.safetensors":
                self.bests.add(state)
            else:
                self.legal[state] = int(epoch), int(batch)


class States(Quiet):
    """Writes down the state in every checkpoint of this process, once it is in its place."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def after(self, call: Call, result: Any) -> None:
        if call.name == "replace" and call.path.name in ("last.safetensors", "best.safetensors"):
            with self.path.open("a") as file:
                progress = checkpoint.load(call.path).meta.get("state", {}).get("progress", {"epoch": 0, "batch": 0})
                place = f"{progress['epoch']} {progress['batch']}"
                file.write(f"{call.path.name} {state_of(call.path)} {place}\n")


def state_of(path: Path) -> str:
    """A digest of the arrays and the counters in a checkpoint, times aside; empty if it cannot be loaded."""
    try:
        found = checkpoint.load(path)
    except NnctlError:
        return ""
    digest = hashlib.sha256()
    for name, array in sorted(found.tensors.items()):
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    kept = {name: timeless(found.meta.get(name)) for name in KEPT} | {"rows": found.meta.get("metrics", [0, 0])[1]}
    digest.update(json.dumps(kept, sort_keys=True).encode())
    return digest.hexdigest()[:16]


def timeless(value: Any) -> Any:
    """A copy without what depends on the clock."""
    if isinstance(value, dict):
        return {key: timeless(inner) for key, inner in value.items() if key != SECONDS}
    return [timeless(inner) for inner in value] if isinstance(value, list) else value


def ending(run: RunDir) -> dict[str, Any]:
    """All that a run ends with, times aside."""
    about = run.read_run_json()
    with run.metrics_csv.open(newline="") as file:
        rows = [{key: cell for key, cell in row.items() if key != SECONDS} for row in csv.DictReader(file)]
    names = ("status", "reason", "epochs", "best_epoch", "weights_sha256", "rows")
    return {
        "last": state_of(run.last),
        "best": state_of(run.best),
        "rows": rows,
        "metrics": timeless(json.loads(run.metrics_json.read_text())),
        "run": {name: about[name] for name in names},
        "checkpoints": sorted(path.name for path in run.checkpoints.iterdir()),
    }


def differences(found: dict[str, Any], expected: dict[str, Any]) -> str:
    """Which of the parts of two endings differ; empty if none does."""
    differing = [key for key in expected if found[key] != expected[key]]
    return ", ".join(f"{key}: {found[key]} instead of {expected[key]}"[:400] for key in differing)
