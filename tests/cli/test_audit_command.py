"""What ``nnctl check`` says about a table with many faults; the sentences are a golden file."""

from __future__ import annotations

import pytest

from nnctl.network.members import stream
from tests.tables import write_csv

HEADER = ["No", "alive", "a", "b", "town", "same", "empty", "trend", "survived"]
CONFIG = """
data:
  path: train.csv
  val_path: val.csv
  target: survived
  split: {type: time, test: 60}
"""


def row(rng, place: int, *, towns: str, shift: float) -> list:
    survived = "lost" if place in (7, 17, 27, 37) else ("no", "yes")[int(rng.random() < 0.4)]
    a, b = (round(float(value), 4) for value in rng.standard_normal(2))
    town = towns[int(rng.integers(len(towns)))]
    alive = {"no": "dead", "yes": "alive", "lost": "gone"}[survived]
    return [place, alive, a, b, town, 7, "", round(place * 0.05 + a + shift, 4), "" if place == 30 else survived]


@pytest.fixture
def faults(folder):
    rng = stream(0, "faults")
    train = [row(rng, place, towns="UVW", shift=0) for place in range(1, 361)]
    val = [row(rng, place, towns="UVWX", shift=-40) for place in range(361, 461)]
    for place in range(12):
        val[place] = [val[place][0], *train[place * 3 + 60][1:]]
    write_csv(folder / "train.csv", HEADER, train)
    write_csv(folder / "val.csv", HEADER, val)
    (folder / "it.yaml").write_text(CONFIG)
    return folder


def test_every_fault_is_told_in_a_sentence(nnctl, faults, golden):
    result = nnctl("check", "it.yaml")
    told = [line for line in result.err.splitlines() if line.startswith("warning: ")]
    golden("check_audit.txt", "".join(f"{line}\n" for line in told))
    assert (result.code, result.out.splitlines()[-1].split(". ")[1]) == (0, f"{len(told)} warnings.")
    listed = nnctl("check", "it.yaml", "--json", "--strict")
    assert listed.code == 3
    assert [f"warning: {text}" for text in listed.json["warnings"]] == told


def test_what_is_mended_is_told_no_longer(nnctl, faults):
    drop = "data.drop=[alive, same, empty, trend, town]"
    mended = nnctl("check", "it.yaml", drop, "data.id=[No]", "data.val_path=null", "data.split=stratified", "--json")
    assert [text.split(":")[0] for text in mended.json["warnings"]] == ["train.csv", "target `survived`"]


def test_train_does_not_audit(nnctl, faults):
    result = nnctl("train", "it.yaml", "train.epochs=1", "--json")
    assert result.code == 0
    assert "alone predicts" not in result.err
    assert "column `same` has the same value in every row" in result.err
