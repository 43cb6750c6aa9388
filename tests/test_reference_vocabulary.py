"""`nnctl list` holds every name and alias that the vocabulary promises."""

from __future__ import annotations

import json

import pytest

from nnctl.cli import main
from nnctl.component import KINDS, registry
from tests.reference.records import FOLDER

VOCABULARY = json.loads((FOLDER.parent / "vocabulary.json").read_text(encoding="utf-8"))


def test_the_kinds_are_those_of_the_vocabulary() -> None:
    assert set(VOCABULARY) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_name_and_alias_is_listed(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", kind, "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)[kind]
    names, aliases = VOCABULARY[kind]["names"], VOCABULARY[kind]["aliases"]
    assert not {*names, *aliases} - set(listed)
    for alias, name in aliases.items():
        assert registry.get(kind, alias).name == name
