"""Every component has a record, but for those that nobody else defines."""

from __future__ import annotations

import pytest

from nnctl.component import registry
from tests.reference.records import FOLDER, load

# Under which kinds the records of a kind of component stand.
RECORDED = {
    "layers": ("layers", "noise"),
    "initializers": ("initializers",),
    "losses": ("losses",),
    "optimizers": ("optimizers", "minima"),
    "schedules": ("schedules", "plateau"),
    "metrics": ("metrics",),
    "transforms": ("scalers", "imputers", "encoders", "dates"),
}
WITHOUT = {
    ("losses", "auto"): "is one of the others",
    ("initializers", "values"): "gives back the numbers that the YAML holds",
    ("transforms", "error"): "computes nothing, it refuses",
}
RECORDS = [record for path in FOLDER.glob("*.json") for record in load(path.stem)]


@pytest.mark.parametrize("kind", RECORDED)
def test_every_component_has_a_record(kind: str) -> None:
    found = {record["name"] for record in RECORDS if record["kind"] in RECORDED[kind]}
    exempt = {name for other, name in WITHOUT if other == kind}
    names = {cls.name for cls in registry.classes(kind)}
    assert not names - found - exempt
    assert not exempt - names
