"""Sizes beyond any machine, and slips in keys; `tests/torture` checks mutated configs and any value of any option."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from nnctl.component import KINDS, Component, options, registry
from nnctl.errors import SpecError
from nnctl.spec.leaves import alternatives
from nnctl.spec.reading import read_experiment
from nnctl.spec.schema import Data, Experiment
from tests.safety import extremes
from tests.safety.checked import check
from tests.safety.mutations import edited, mutated_configs
from tests.tables import CLASSIFY, experiment


def test_mutated_configs_are_of_all_kinds(tmp_path):
    again = [list(mutated_configs(50, seed=1)) for _ in range(2)]
    assert again[0] == again[1]
    assert again[0] != list(mutated_configs(50, seed=2))
    assert len({mutated.content for mutated in again[0]}) > 45


def test_values_are_tried_in_every_option(in_folder):
    extremes.tables(Path())
    assert len({case.option for case in extremes.cases()}) > 450


HUGE = [
    ("model.hidden=[1000000000]", "parameters need "),
    ("model.hidden=[1000000000, 1000000000]", "over 1,000,000,000,000,000 parameters"),
    (f"model.hidden=[{10**40}]", "over 1,000,000,000,000,000 parameters need over 1,000,000 GB"),
    (f"model.hidden=[{10**900}]", "over 1,000,000,000,000,000 parameters need over 1,000,000 GB"),
    ("model.layers=[{type: reshape, shape: [6, 1]}, {type: conv1d, filters: 1000000000, kernel: 1}, flatten]", " GB"),
    ("model.layers=[{type: dense, units: 1000000000}]", " GB"),
    ("model.layers=[{type: embedding, dim: 1000000000}]", "must be a whole number >= 1 and <= 65536 or `auto`"),
    ("data.categorical.encode={type: hash, buckets: 1000000000000}", "must be a whole number >= 1 and <= 65536"),
    ("model.hidden=[" + "1, " * 100_000 + "1]", "must have at most 100,000 values, has more"),
]


@pytest.mark.parametrize(("override", "sentence"), HUGE, ids=[text[:40] for text, _ in HUGE])
def test_a_size_beyond_the_machine_is_refused_before_memory_is_taken(in_folder, override, sentence):
    from nnctl import checking

    experiment(in_folder)
    text = CLASSIFY.replace("hidden: [8]", "").replace("dropout: 0.1", "").replace("norm: batch", "")
    problems = checking.check(experiment(in_folder, text.replace("model:\n", "model: {}\n")), [override]).problems
    assert sentence in problems[0].message


def test_a_size_beyond_the_machine_names_its_bytes_and_the_machine_s(in_folder):
    experiment(in_folder)
    outcome = check(b"data: {path: table.csv, target: answer, id: [id]}\nmodel: {hidden: [1000000000]}\n")
    assert outcome.code == 2
    assert "x.yaml:2:8: model: " in outcome.err
    assert "GB with adam" in outcome.err
    assert "this machine has " in outcome.err


def test_what_is_only_long_or_late_is_no_fault(in_folder):
    extremes.tables(Path())
    section = "data: {path: table.csv, target: answer, id: [id], drop: [day], cache: false}\n"
    for more in (
        f"train: {{epochs: {10**18}}}",
        f"train: {{batch_size: {10**18}}}",
        f"train: {{eval_every: {10**18}}}",
        f"seed: {10**18}",
        f"optimizer: {{accumulate: {10**18}}}",
        f"early_stopping: {{patience: {10**18}}}",
        f"optimizer: {{type: lbfgs, history: {10**4}}}\ntrain: {{batch_size: full}}",
    ):
        outcome = check(f"{section}{more}\n".encode())
        assert (outcome.code, outcome.faults()) == (0, []), more


def keys() -> Iterator[tuple[str, str, list[str]]]:
    """Every key of the schema: the section or component it stands in, its name, and all names there."""
    yield from _keys("", Experiment)
    for section, option in options(Experiment).items():
        cls = Data if section == "data" else type(option.default)
        if issubclass(cls, Component) or not hasattr(cls, "__dataclass_fields__"):
            continue
        yield from _keys(section, cls)
        for name, inner in options(cls).items():
            for found in alternatives(inner.annotation):
                if hasattr(found, "__dataclass_fields__") and not issubclass(found, Component):
                    yield from _keys(f"{section}.{name}", found)


def _keys(where: str, cls: type) -> Iterator[tuple[str, str, list[str]]]:
    names = list(options(cls))
    for name in names:
        yield where, name, names


def test_a_slip_in_a_key_is_answered_with_the_key(in_folder):
    path, rng = experiment(in_folder), random.Random(0)
    right, wrong = 0, []
    for (where, name, names), _ in itertools.product(list(keys()), range(4)):
        slip = edited(rng, name)
        if slip in names or not slip:
            continue
        key = f"{where}.{slip}" if where else slip
        with pytest.raises(SpecError) as caught:
            read_experiment(path, [f"{key}=1"])
        if f"did you mean `{name}`?" in str(caught.value):
            right += 1
        else:
            wrong.append((key, name))
    assert right > 200
    assert right / (right + len(wrong)) >= 0.95, wrong


def test_a_slip_in_an_option_or_a_name_is_answered_with_it():
    from nnctl.spec.problems import suggest
    from nnctl.spec.synonyms import SYNONYMS

    rng = random.Random(0)
    groups = [list(registry.all(kind)) for kind in KINDS]
    groups += [list(options(cls)) for kind in KINDS for cls in registry.classes(kind)]
    found = [(slip, name, names) for names in groups for name in names for slip in {edited(rng, name) for _ in "abc"}]
    slips = [(slip, name, names) for slip, name, names in found if slip and slip not in names]
    right = sum(suggest(slip, names, SYNONYMS) == name for slip, name, names in slips)
    assert len(slips) > 1_000
    assert right / len(slips) >= 0.95
