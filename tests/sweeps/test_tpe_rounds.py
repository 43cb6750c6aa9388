"""The rounds of TPE in a sweep that is gone on with."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from nnctl.sweeps.trial import Outcome, Trial
from tests.sweeps.test_searches import CUBE, Curves, search


@pytest.fixture(autouse=True)
def config(in_folder: Path) -> None:
    Path("it.yaml").write_text("data: {path: t.csv, target: y}\n")


def test_a_round_of_tpe_that_was_begun_stays_what_was_tried() -> None:
    """The best of the first round had failed when the second was asked for; trained anew, it changes the scores."""
    pytest.importorskip("optuna")
    words = (*CUBE, "(model.norm,model.hidden)=(none,[8]),(batch,[8,8])")
    curves = Curves(lambda params: params["optimizer.lr"])
    begun: dict[int, Trial] = {}
    tpe = search(*words, method="tpe", trials=24, seeds=2)
    for _ in range(2):
        orders = tpe.orders(curves.outcomes, begun)
        begun |= {order.trial.number: order.trial for order in orders}
        curves.outcomes |= {each.trial.number: Outcome("completed", curves.at(each.trial, 9), 9) for each in orders}
        if len(begun) == 16:
            best = min(curves.outcomes, key=lambda number: curves.outcomes[number].value)
            result, curves.outcomes[best] = curves.outcomes[best], Outcome("failed", math.nan, 0)
    del curves.outcomes[best]
    read = {each["number"]: Trial(**each) for each in json.loads(json.dumps([asdict(each) for each in begun.values()]))}
    known = {number: replace(each, overrides=tuple(each.overrides)) for number, each in read.items()}
    again = search(*words, method="tpe", trials=24, seeds=2)
    assert again.orders(curves.outcomes, known) == [(begun[best], None, "")]
    curves.outcomes[best] = result
    assert not {order.trial.number for order in again.orders(curves.outcomes, known)} & begun.keys()
    other = search(*words, method="tpe", trials=24, seeds=2)
    changed = other.orders({number: each for number, each in curves.outcomes.items() if number <= 16})
    assert [order.trial for order in changed] != [begun[number] for number in range(17, 33)]
