"""F5: configs with faults in them, and every option with values that nobody should try: a sentence, soon."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

from tests.safety import extremes
from tests.safety.checked import HANGS, Outcome, check
from tests.safety.mutations import at_home, check_mutated, mutated_configs
from tests.torture.tally import Plan, Tally

LIMIT = 2.0  # seconds that a check may take; on a machine that does other things it is not held to it
OUTCOMES = {0: "right", 2: "the config refused", 3: "the data refused"}


def mutate(tally: Tally, folder: Path, chance: random.Random) -> None:
    """The configs of the repository, each changed in one to four places."""
    home = at_home(folder)
    for mutated in mutated_configs(tally.at_least, chance.randrange(2**32)):
        _judge(tally, mutated.name, check_mutated(mutated, home))


def exhaust(tally: Tally, folder: Path, chance: random.Random) -> None:
    """Every option with values of all kinds and sizes, those at its bounds among them."""
    with contextlib.chdir(folder):
        extremes.tables(Path())
        cases = list(extremes.cases())
        for case in chance.sample(cases, min(len(cases), tally.at_least)):
            _judge(tally, case.name, check(case.content))


def _judge(tally: Tally, what: str, outcome: Outcome) -> None:
    tally.note(OUTCOMES.get(outcome.code, f"exit {outcome.code}"))
    faults = outcome.faults(seconds=LIMIT if tally.full else HANGS)
    tally.check(not faults, f"{what}: {'; '.join(faults)}")


MARK = "exit 0, 2 or 3, no traceback, none over 2 s"
MUTATED = Plan("F5", "mutated configs", MARK, 5_000, 300, mutate)
EXTREMES = Plan("F5", "values of options", MARK, 25_000, 400, exhaust)
