"""A desk on which hostile files are put: they train, or are refused with nothing written."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

import nnctl
from nnctl.errors import DataError
from nnctl.running.run import Run
from tests.data.dirty.clean import text

CONFIG = """\
data: {path: t.csv, target: y, split: none}
model: {hidden: [8]}
optimizer: {lr: 0.05}
train: {epochs: 25, batch_size: 16}
"""


@dataclass
class Desk:
    """Trains the small network on one file after another."""

    clean: dict[str, float]  # the metrics on the clean table

    def train(self, content: str | bytes, *overrides: str, name: str = "t.csv") -> Run:
        Path("t.yaml").write_text(CONFIG)
        Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
        return nnctl.train("t.yaml", [f"data.path={name}", *overrides])

    def is_clean(self, content: str | bytes, *overrides: str, name: str = "t.csv") -> None:
        """The file trains to the last digit as the clean table does."""
        assert self.train(content, *overrides, name=name).metrics == self.clean

    def refusal(self, content: str | bytes, *overrides: str, name: str = "t.csv") -> str:
        """What is said of a file, alone on the desk, that is refused before anything is written."""
        for path in Path().iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        with pytest.raises(DataError) as caught:
            self.train(content, *overrides, name=name)
        assert caught.value.exit_code == 3
        assert sorted(path.name for path in Path().iterdir()) == sorted({"t.yaml", name})
        return str(caught.value)


@pytest.fixture(scope="session")
def clean_metrics(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("clean"))
        run = Desk({}).train(text())
    assert run.metrics["train_accuracy"] > 0.95
    return run.metrics


@pytest.fixture
def desk(clean_metrics: dict[str, float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NNCTL_RUNS_DIR", raising=False)
    return Desk(clean_metrics)
