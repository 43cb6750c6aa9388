"""The configs of the papers' protocols and of the ordinary tables are valid, and each has its row in the table."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from nnctl.spec.reading import read_experiment

ROOT = Path(__file__).parent.parent
TABLES = sorted((ROOT / "configs" / "tables").glob("*.yaml"))
CONFIGS = [*sorted((ROOT / "configs" / "papers").glob("*.yaml")), *TABLES]


def written(config: Path) -> str:
    """How the rows of the table name a config."""
    return f"{config.parent.name}/{config.stem}"


@pytest.fixture(autouse=True)
def _papers_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERS_DATA", "somewhere")


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_config_is_valid_and_says_what_to_expect(config: Path) -> None:
    assert read_experiment(config).experiment.name == config.stem
    first, second = config.read_text().splitlines()[:2]
    row = f"tables_{config.stem}" if config in TABLES else config.stem
    assert first == f"# make papers DATA=FOLDER ONLY={row}"
    assert re.match(r"# expect: .*[0-9]", second)


@pytest.mark.parametrize("config", TABLES, ids=lambda path: path.stem)
def test_ordinary_tables_need_a_dozen_lines_at_most(config: Path) -> None:
    assert len(config.read_text().splitlines()) <= 12


def test_every_row_of_the_table_has_its_config_and_valid_runs() -> None:
    rows = list(runpy.run_path(str(ROOT / "benchmarks" / "papers.py"))["protocols"]())
    assert {row.config for row in rows} == {written(path) for path in CONFIGS}
    for row in rows:
        for overrides in row.runs[:1]:
            read_experiment(ROOT / "configs" / f"{row.config}.yaml", list(overrides))


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_config_quotes_the_mark_of_its_row(config: Path) -> None:
    rows = list(runpy.run_path(str(ROOT / "benchmarks" / "papers.py"))["protocols"]())
    marks = {row.mark for row in rows if row.config == written(config)}
    numbers = {float(number) for number in re.findall(r"\d+(?:\.\d+)?", config.read_text().splitlines()[1])}
    assert marks & numbers or 0.015 in numbers
