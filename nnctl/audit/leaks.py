"""Features that alone predict the target."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnctl.audit.explained import explained
from nnctl.audit.one_rule import commonest, right
from nnctl.audit.rows import Sample, Seen, evenly
from nnctl.audit.wording import first_few, percent
from nnctl.data.wording import code

Array = NDArray[Any]

FEWEST = 20  # training rows
ERRORS = 5  # that the commonest class makes in the rows held out: with fewer, being right there says nothing
LEARNED, HELD = 0.99, 0.98  # of what there is to tell, in the training rows and in those held out
FIRST_LOOK, AT_FIRST = 2_000, 0.9  # rows, and of what there is to tell in them


class Told(NamedTuple):
    """How well a feature alone does in the rows held out, and what is said of it."""

    score: float
    says: str


class Halves(NamedTuple):
    """Training rows and rows held out, with one of the targets in each."""

    fit: Sample
    held: Sample
    truth: Array
    answer: Array  # the truth of the rows held out
    called: str  # the rows held out
    enough: tuple[float, float] = (LEARNED, HELD)

    def first_look(self) -> Halves:
        """Few of the rows, in which little is enough."""
        fit, held = (evenly(len(part), FIRST_LOOK) for part in (self.fit, self.held))
        few = (self.fit.at(fit), self.held.at(held), self.truth[fit], self.answer[held])
        return Halves(*few, self.called, (AT_FIRST, AT_FIRST))


def leaking(seen: Seen) -> list[str]:
    """Features from which alone a target can be told, in the training rows and in rows held out of them.

    A class is told by the commonest one at the feature's level (``one_rule``), a number by a line or the means of bins
    (``explained``). A feature alone predicts the target if it removes 99 % of the errors of always naming the
    commonest class (Goodman and Kruskal's lambda), or explains 99 % of the variance, in the training rows, and 98 % in
    the rows held out; there one error is allowed, however few rows they are. The odor of mushrooms, right for 98.5 %
    of them by nature, is none: its lambda is 0.969.
    Held out are the validation rows, or the test rows, whichever first make the commonest class err 5 times or have 10
    numbers; without such, every second training row. So a column that numbers the rows, or is nearly all distinct, is
    found only where it goes on telling the target, as in a file sorted by it.
    Features that tell less than 90 % in 2,000 evenly spaced rows are left at that, if the commonest class errs there
    ten times as often as is needed.
    Nothing is said with fewer than 20 training rows, or of an only feature.
    Source: Goodman and Kruskal 1954 for lambda; the thresholds are ours.
    """
    target = seen.prepared.target
    if target.reconstructs or len(seen.features) < 2 or len(seen.train) < FEWEST:
        return []
    found = []
    for place, name in enumerate(target.names):
        halves = _halves(seen, place)
        told = {} if halves is None else _of_target(seen, halves)
        ranked = sorted(told, key=lambda feature: -told[feature].score)
        sentences = [
            f"column {code(feature)} alone predicts {code(name)}: {told[feature].says}; this is often a copy of the "
            "target, or known only after it: list it in `data.drop`, unless new rows have it when you predict"
            for feature in ranked
        ]
        found += first_few(sentences, ranked, f"alone predict {code(name)}, too")
    return found


def _halves(seen: Seen, place: int) -> Halves | None:
    """The rows to learn from and those held out; None if there are none that show anything."""
    found = [(seen.train, other, f"{len(other):,} {other.called}") for other in seen.others]
    even, odd = (seen.train.at(np.arange(first, len(seen.train), 2)) for first in (0, 1))
    for fit, held, called in (*found, (even, odd, f"{len(odd):,} training rows held out")):
        truth, answer = (part.truth if part.truth.ndim == 1 else part.truth[:, place] for part in (fit, held))
        halves = Halves(fit, held, truth, answer, called)
        if _shows(seen, halves, ERRORS):
            return halves
    return None


def _shows(seen: Seen, halves: Halves, errors: int) -> bool:
    """Whether to be right in the rows held out is hard enough."""
    truth, answer = halves.truth, halves.answer
    if seen.prepared.target.task == "regression":
        return len(answer) >= 2 * errors and bool((answer != answer[0]).any())
    return int(np.count_nonzero(answer != commonest(truth))) >= errors


def _of_target(seen: Seen, halves: Halves) -> dict[str, Told]:
    """The features that alone predict one target."""
    first = halves.first_look()
    looks = [first, halves] if _shows(seen, first, 10 * ERRORS) else [halves]
    found = {}
    for name in seen.features:
        told = None
        for look in looks:
            told = _told(seen, look, name)
            if told is None:
                break
        if told is not None:
            found[name] = told
    return found


def _told(seen: Seen, halves: Halves, name: str) -> Told | None:
    """What one feature tells, if it is enough."""
    tell, column = _number if seen.prepared.target.task == "regression" else _class, seen.column(name)
    return tell(halves, halves.fit.cells(name, column), halves.held.cells(name, column), column.type == "category")


def _class(halves: Halves, fit: Array, held: Array, is_category: bool) -> Told | None:
    truth, answer = halves.truth, halves.answer
    learned, told = right(fit, truth, held, is_category=is_category, answer=answer)
    usual = commonest(truth)
    wrong, usually = (truth.size - learned, answer.size - told), ((truth != usual).sum(), (answer != usual).sum())
    learn, hold = halves.enough
    if wrong[0] > (1 - learn) * usually[0] or wrong[1] > max(1, (1 - hold) * usually[1]):
        return None
    says = f"by its value {told:,} of {halves.called} are right ({percent(told / answer.size)}), by the commonest class"
    return Told(1 - wrong[1] / float(usually[1]), f"{says} {answer.size - usually[1]:,}")


def _number(halves: Halves, fit: Array, held: Array, is_category: bool) -> Told | None:
    best, (learn, hold) = None, halves.enough
    for what, learned, told in explained(fit, halves.truth, held, halves.answer, is_category=is_category):
        if learned >= learn and told >= hold and (best is None or told > best.score):
            best = Told(told, f"by its value {percent(told)} of the variance {what} in {halves.called} is explained")
    return best
