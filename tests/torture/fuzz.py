"""F17: readers of what anybody may have written are fed with noise: they read it or refuse it in a sentence."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from nnctl.errors import NnctlError
from nnctl.runs import checkpoint
from nnctl.runs.listing import as_json, ls
from nnctl.runs.logs import check_metrics
from nnctl.spec.reading import read_experiment
from tests.torture import damage
from tests.torture.subject import COSINE, Subject
from tests.torture.tally import Plan, Tally

ASSIGNMENTS = (
    "optimizer.lr=0.1",
    "model.hidden=[64, 64]",
    "model.layers[0].units=8",
    'data.columns["a b"].scale=robust',
    "optimizer={type: sgd, lr: 1e-2, clip: {norm: 1}}",
    "schedule.warmup=0.5",
    "early_stopping=none",
    "data.missing_values=['', NA]",
    "checkpoint.every=20 steps",
    "name=${env:HOME}",
    "data.split={val: 0.2, test: 10}",
    "seed=18446744073709551615",
)
PIECES = [
    *"=.[]{}\"'\\:,#&*!|>%@`$~ -\n\t\0\r\x1b",
    "..",
    "[0]",
    "[-1]",
    "[9999999999]",
    "é",
    "\ud800",
    "1e999",
    "null",
    "!!",
]


def inject(tally: Tally, folder: Path, chance: random.Random) -> None:
    """A third of the noise each for command lines, metrics.csv and run.json, and headers of checkpoints."""
    subject = Subject.make(folder / "it", COSINE)
    run = subject.train()
    config, metrics, about = subject.folder / "it.yaml", run.metrics_csv.read_bytes(), run.run_json.read_bytes()
    header, whole = metrics.splitlines()[0].decode().split(","), run.last.read_bytes()

    def assignment() -> object:
        return read_experiment(config, [mutated_text(chance.choice(ASSIGNMENTS), chance)])

    def rows() -> object:
        run.metrics_csv.write_bytes(mutated_bytes(metrics, chance))
        return check_metrics(run.metrics_csv, header, chance.choice((0, 1, len(metrics) // 2, len(metrics))))

    def listing() -> object:
        run.run_json.write_bytes(mutated_bytes(about, chance))
        return as_json(ls(subject.runs))

    def head() -> object:
        run.last.write_bytes(damage.mutated_header(whole, chance, 0, 1))
        return checkpoint.load(run.last)

    readers: dict[str, Callable[[], object]] = {"key=value": assignment, "metrics.csv": rows, "run.json": listing}
    readers["checkpoint header"] = head
    for name, read in readers.items():
        for number in range(tally.at_least // len(readers)):
            _feed(tally, f"{name} {number}", name, read)


def mutated_text(text: str, chance: random.Random) -> str:
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(text) + 1)
        stop = min(len(text), start + chance.choice((0, 0, 1, 3)))
        piece = chance.choice((*PIECES, chance.choice(ASSIGNMENTS)[: chance.randrange(12)], text[start:][:9] * 2))
        text = text[:start] + piece + text[stop:]
    return text


def mutated_bytes(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(changed) + 1)
        stop = min(len(changed), start + chance.choice((0, 1, 1, 7, 4096)))
        noise = (b"", b"\0", b"\xff", b'"', b",", b"\n", b"9" * 400, b"NaN", b"[" * 2000, b"{", chance.randbytes(9))
        changed[start:stop] = chance.choice(noise)
    return bytes(changed)


def _feed(tally: Tally, what: str, name: str, read: Callable[[], object]) -> None:
    try:
        read()
    except NnctlError as error:
        tally.note(f"{name}: refused")
        clear = all(problem.message and "\n" not in problem.message for problem in error.problems)
        tally.check(clear, f"{what}: no sentence: {error!r}")
    except BaseException as error:
        tally.note(f"{name}: a traceback")
        tally.fail(f"{what}: {type(error).__name__} {error}")
    else:
        tally.note(f"{name}: read")


PLAN = Plan("F17", "noise for readers", "read or refused in a sentence", 40_000, 1_200, inject)
