"""What all tests share: golden files, and how hypothesis looks for examples."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.tables import CLASSIFY, REGRESS, experiment

GOLDEN = Path(__file__).parent / "golden"

# An example that is slow on a busy machine is no failure.
settings.register_profile("nnctl", deadline=None)
settings.load_profile("nnctl")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write tests/golden anew, to be read in the diff")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with a file in tests/golden, or write it there with --update-golden."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.write_text(text)
        assert path.exists(), f"{path} is missing: run pytest with --update-golden"
        assert text == path.read_text(), f"differs from {path}; if that is right, run pytest with --update-golden"

    return compare


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, an empty one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(params=[CLASSIFY, REGRESS], ids=["classes", "numbers"])
def config(request: pytest.FixtureRequest, in_folder: Path) -> Path:
    """The path of a small experiment in the current folder, of classes and of numbers."""
    return experiment(in_folder, request.param)


@pytest.fixture
def heeded() -> Iterator[None]:
    """Ctrl-C is not ignored, as it is where the tests were started with `&`."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
