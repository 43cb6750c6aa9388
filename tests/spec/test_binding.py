"""From YAML to the experiment: what is accepted, and every refusal with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnctl.component import option, options, plain, section
from nnctl.errors import SpecError
from nnctl.spec.binding import Binder
from nnctl.spec.dump import dump
from nnctl.spec.nodes import parse
from nnctl.spec.problems import Problems
from nnctl.spec.reading import Spec, read_experiment, written
from nnctl.spec.schema import Experiment, Train

DATA = "data: {path: t.csv, target: y}\n"


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def spec(text: str, *overrides: str, name: str = "a.yaml") -> Spec:
    Path(name).write_text(text)
    return read_experiment(name, overrides)


def problems(text: str, *overrides: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        spec(text, *overrides)
    return str(caught.value).splitlines()


def test_only_path_and_target_are_required() -> None:
    experiment = spec(DATA).experiment
    assert (experiment.optimizer.name, experiment.train.epochs, experiment.early_stopping) == ("adam", 100, None)
    assert [line.split(":")[3] for line in problems("data: {}\n")] == [" data.path", " data.target"]


def test_all_problems_are_told_at_once_with_their_places() -> None:
    text = (
        DATA
        + "optimizer: {type: adam, learning_rte: 0.1}\nmodel:\n  layers: [{type: tahn}, dense]\ntrain: {epochs: 0}\n"
    )
    assert problems(text) == [
        "a.yaml:2:25: optimizer.learning_rte: unknown option, did you mean `lr`?",
        "a.yaml:4:19: model.layers[0].type: unknown layer `tahn`, did you mean `tanh`?",
        "a.yaml:4:26: model.layers[1].units: is required: number of outputs O",
        "a.yaml:5:17: train.epochs: must be a whole number >= 1, got `0`",
    ]


def test_a_bare_name_means_all_defaults() -> None:
    one = spec(DATA + "optimizer: nesterov\n").experiment.optimizer
    other = spec(DATA + "optimizer: {type: nesterov}\n").experiment.optimizer
    assert one == other
    assert one.name == "nesterov"


def test_options_without_a_type_are_those_of_the_default() -> None:
    experiment = spec(DATA + "optimizer: {lr: 0.5}\nearly_stopping: {patience: 3}\n").experiment
    assert (experiment.optimizer.name, experiment.optimizer.lr) == ("adam", 0.5)
    assert experiment.early_stopping is not None
    assert experiment.early_stopping.name == "patience"


@pytest.mark.parametrize("word", ["none", "null", "~", ""])
def test_none_and_null_mean_the_same(word: str) -> None:
    text = f"early_stopping: {word}\nmodel: {{norm: {word or 'null'}}}\ndata: {{path: t.csv, target: y, split: none}}\n"
    experiment = spec(text).experiment
    assert experiment.early_stopping is None
    assert experiment.model.norm is None
    assert experiment.data.split.name == "none"


def test_what_is_not_built_yet_is_refused_never_ignored() -> None:
    @section
    class Later:
        cloud: bool = option(default=False, available=False, help="Train elsewhere.")

    found = Problems()
    Binder(found).section(Later, parse("cloud: true\n", "a.yaml"), ())
    (problem,) = found.found
    assert problem.message == "`true` is not available yet, leave it out or write `false`"


def test_an_option_that_a_new_type_lacks_is_an_error_that_names_its_line() -> None:
    text = DATA + "optimizer: {type: adam, beta1: 0.8}\n"
    assert problems(text, "optimizer.type=sgd") == problems(text, "optimizer=sgd")
    (found,) = problems(text, "optimizer=sgd")
    assert found.startswith("a.yaml:2:25: optimizer.beta1: sgd has no such option")
    assert "optimizer='{type: sgd, ...}'" in found


def test_the_same_holds_under_extends() -> None:
    Path("base.yaml").write_text(DATA + "optimizer: {type: adam, beta1: 0.8}\n")
    assert problems("extends: base.yaml\noptimizer: sgd\n")[0].startswith("base.yaml:2:25: optimizer.beta1: sgd has no")


def test_names_and_labels_may_be_written_as_numbers() -> None:
    data = spec(
        "data: {path: t.csv, target: 7, id: [1, 2.50], positive: 010, columns: {3: {type: category}}}\n"
    ).experiment.data
    assert (data.target, data.id, data.positive, list(data.columns)) == ("7", ("1", "2.50"), "010", ["3"])


def test_a_path_is_relative_to_the_file_that_it_is_written_in() -> None:
    Path("sub").mkdir()
    assert spec(DATA, name="sub/b.yaml").experiment.data.path == "sub/t.csv"
    assert spec(DATA, "data.path=u.csv", name="sub/b.yaml").experiment.data.path == "u.csv"


def test_layers_and_their_shorthand_exclude_each_other() -> None:
    (found,) = problems(DATA + "model: {hidden: [3], layers: [relu]}\n")
    assert (
        found == "a.yaml:2:9: model.hidden: cannot stand beside `layers`: write it into the list, or leave out `layers`"
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("train: {epochs: 1.5}", "must be a whole number >= 1, got `1.5`"),
        ("train: {epochs: '3'}", "must be a whole number >= 1, got `3`"),
        ("train: {shuffle: yes}", "must be true or false, got `yes`"),
        ("train: {batch_size: ful}", "must be a whole number >= 1 or `full`, got `ful`, did you mean `full`?"),
        ("optimizer: {lr: .inf}", "must be a number > 0, got `.inf`"),
        ("model: {hidden: [3, 0]}", "must be a whole number >= 1, got `0`"),
        ("model: {hidden: 3}", "must be a list of which each item is a whole number >= 1, got `3`"),
        ("model: {dtype: float16}", "must be `float32` or `float64`, got `float16`"),
        ("train: 5", "must be a mapping of options"),
        ("optimizer: [adam]", "must be a name or a mapping with `type`"),
        ("metrics: accuracy", "must be a list of names, or of mappings with `type`"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_allowed(line: str, message: str) -> None:
    (found,) = problems(DATA + line + "\n")
    assert message in found


def test_what_is_written_reads_back_as_the_same_experiment() -> None:
    text = DATA + (
        "model: {layers: [{type: dense, units: 3, init: {type: values, values: [[1, 2e-3, 3]]}}, gelu]}\n"
        "schedule: {type: step, every: 3, warmup: 0.1}\nmetrics: [accuracy]\nearly_stopping: {diverge: 1e10}\n"
    )
    experiment = spec(text).experiment
    assert spec(dump(written(experiment)), name="b.yaml").experiment == experiment


def test_every_option_of_a_section_can_be_set_to_its_default() -> None:
    shown = plain(Train())
    assert set(shown) == set(options(Train))
    again = spec(DATA + dump({"train": shown})).experiment
    assert again == spec(DATA).experiment
    assert isinstance(again, Experiment)


@pytest.mark.parametrize(
    ("line", "meant"),
    [("learning_rate: 0.1", "optimizer.lr"), ("epochs: 3", "train.epochs"), ("hidden: [4]", "model.hidden")],
)
def test_a_key_at_the_top_level_is_told_its_section(line: str, meant: str) -> None:
    (found,) = problems(DATA + line + "\n")
    assert found.endswith(f"unknown option, did you mean `{meant}`?")
