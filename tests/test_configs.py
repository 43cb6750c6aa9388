"""Every config that ships runs as its first line says, and states what to expect."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import nnctl
from nnctl.component import Component, options, plain
from nnctl.spec.document import load
from nnctl.spec.nodes import plain as plain_node
from nnctl.spec.reading import read_experiment
from nnctl.spec.schema import Data, Experiment, Model

ROOT = Path(__file__).parent.parent
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))

# The figure each config must reach with its own seed; the means over seeds 0-4 are in the first lines of the configs.
LEAST = {
    "xor": ("train_accuracy", 1.0),
    "textbook_xor": ("train_accuracy", 1.0),
    "linear_regression": ("train_r2", 0.615),
    "logistic_regression": ("train_accuracy", 0.987),
    "linear_svm": ("train_accuracy", 0.987),
    "iris": ("test_accuracy", 0.86),
    "wine": ("test_accuracy", 0.91),
    "breast_cancer": ("test_accuracy", 0.93),
    "penguins": ("test_accuracy", 0.94),
    "digits": ("test_accuracy", 0.96),
    "mushrooms": ("test_accuracy", 0.995),
    "auto_mpg": ("test_r2", 0.8),
    "concrete": ("test_r2", 0.8),
    "reference": ("val_accuracy", 0.8),
}


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_config_trains_to_its_figure(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    run = nnctl.train(config.relative_to(ROOT), runs_dir=tmp_path)
    metric, least = LEAST[config.stem]
    assert run.metrics[metric] >= least


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_config_opens_with_its_command_and_what_to_expect(config: Path) -> None:
    first, second = config.read_text().splitlines()[:2]
    assert first == f"# nnctl train configs/{config.name}"
    assert re.match(r"# expect: .*[0-9]", second)


def test_the_reference_shows_every_key_with_its_default() -> None:
    path = ROOT / "configs" / "reference.yaml"
    shown = plain_node(load(path).root)
    default = plain(Experiment(data=Data(path="p", target="t"), name="reference"))
    commented = {"layers", "sweep"}
    for section, values in default.items():
        if section in commented or not isinstance(values, dict):
            continue
        known = set(values) - commented
        if section == "data":
            known -= {"path", "target"}
        assert known <= set(shown[section]), f"{section}: {known - set(shown[section])} are not shown"


def test_the_reference_reads_as_the_defaults() -> None:
    experiment = read_experiment(ROOT / "configs" / "reference.yaml").experiment
    default = Experiment(data=Data(path=experiment.data.path, target="species"), name="reference", model=Model())
    assert experiment == default


def test_every_option_of_the_schema_has_help() -> None:
    def walk(cls: type) -> None:
        for name, option in options(cls).items():
            assert option.help[:1].isupper(), f"{cls.__name__}.{name}"
            assert option.help.endswith("."), f"{cls.__name__}.{name}"
            if hasattr(option.default, "__dataclass_fields__") and not isinstance(option.default, Component):
                walk(type(option.default))

    walk(Experiment)
