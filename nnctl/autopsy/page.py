"""The page that tells what was found, in Markdown."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnctl.autopsy.examination import First, Found, Numbers
from nnctl.autopsy.rows import EXTREME, Rows
from nnctl.autopsy.scene import Scene
from nnctl.autopsy.wording import code
from nnctl.preparing.preparation import Prepared
from nnctl.training.trainer import Trainer

RECENT = 5  # evaluated epochs that are told
TAIL = 1 << 16  # bytes at the end of metrics.csv in which they are looked for


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """Writes the sections of the page."""

    trainer: Trainer
    prepared: Prepared
    scene: Scene
    found: Found
    rows: Rows

    def text(self, reason: str, metrics_csv: Path, advice: Sequence[str]) -> str:
        """The whole page."""
        sections = [
            "# Why this run diverged",
            f"It ended because {reason}.",
            "## What went first",
            *self._first(),
            "## What to try",
            "\n".join(f"{number}. {sentence}" for number, sentence in enumerate(advice, 1)),
            "## The rows",
            *self._rows(),
            "## The layers",
            *self._layers(),
            "## Weights and gradients",
            *self._parameters(),
            "## The epochs before",
            *self._epochs(metrics_csv),
        ]
        return "\n\n".join(sections) + "\n"

    def _first(self) -> list[str]:
        fault, scene = self.scene.fault, self.scene
        batch = fault.batch or len(self.trainer.batches)
        seen = f"batch {batch} of epoch {fault.epoch}" if scene.learning else f"the rows of the part `{scene.part}`"
        steps = f"{fault.step or 'no'} optimizer step{'s' * (fault.step > 1)}"
        sentences = [f"After {steps}, {self._what(self.found.first, seen)}"]
        if self.found.redrawn:
            sentences.append(
                "The batch was run again for this page, with other random numbers (dropout, noise) than in training."
            )
        return sentences

    def _what(self, first: First, seen: str) -> str:
        layer = f"the layer `{first.layer}` ({first.type})"
        if first.what == "weights":
            return (
                f"the weights were no longer finite, first `{first.layer}.{first.name}` of {layer}: the step before "
                "was too large for them. The rows below only met them; they are not the cause."
            )
        if first.what == "statistics":
            return f"the running statistics were no longer finite, first `{first.layer}.{first.name}` of {layer}."
        if first.what == "output":
            lost = self.found.outputs[first.layer]
            return (
                f"all weights were finite; in {seen} the first numbers that were not are outputs of {layer}: "
                f"{lost.lost:,} of {lost.count:,}."
            )
        if first.what == "loss":
            lost_rows = sum(not math.isfinite(loss) for loss in self.found.losses.tolist())
            return (
                f"all weights and outputs were finite; in {seen} the loss {self.trainer.job.loss.name} was not, in "
                f"{lost_rows:,} of {self.rows.count:,} rows."
            )
        if first.what == "gradient":
            of = f"of `{first.layer}.{first.name}`" if first.name else "of the input"
            return f"weights, outputs and loss were finite; in {seen} the gradient {of} in {layer} was not."
        return f"{seen} was not finite in training, but was when it was run again for this page."

    def _layers(self) -> list[str]:
        rows = [
            (f"`{name}`", self.found.types[name], each.low, each.high, each.mean, _lost(each))
            for name, each in self.found.outputs.items()
        ]
        return [
            "What each layer gave for these rows, in the order in which they run; all but the last column is said of "
            "the finite numbers.",
            _table(("layer", "type", "lowest", "highest", "mean size", "not finite"), rows),
        ]

    def _parameters(self) -> list[str]:
        rows, header = [], ["parameter", "numbers", "norm", "lowest", "highest", "mean size", "not finite"]
        gradients = self.found.gradients
        if gradients:
            header += ["gradient: norm", "largest size", "mean size", "not finite"]
        for name, each in self.found.weights.items():
            gradient = gradients.get(name)
            row = [f"`{name}`", each.count, each.norm, each.low, each.high, each.mean, _lost(each)]
            if gradient is not None:
                largest = max(abs(gradient.low), abs(gradient.high))
                row += [gradient.norm, largest, gradient.mean, _lost(gradient)]
            rows.append(row + [""] * (len(header) - len(row)))
        return [_table(header, rows)]

    def _rows(self) -> list[str]:
        rows, scene = self.rows, self.scene
        part = "" if scene.part == "train" else f" of the part `{scene.part}`"
        where = f" Lines are those of {code(rows.file)}." if rows.file and not rows.missing else ""
        if rows.missing:
            where = f" Their places in the file: {rows.missing}."
        first = "all of them" if rows.count <= EXTREME else f"the {EXTREME} most unusual ones"
        sentences = [
            f"{rows.count:,} row{'s' * (rows.count != 1)}{part} {'were' if rows.count != 1 else 'was'} looked at "
            f"together; here are {first}, those without a finite loss before the others.{where}",
            _table(
                (rows.unit, "loss", "largest input", "in the feature", "largest target"),
                [
                    ("?" if row.line is None else str(row.line), row.loss, row.size, _cell(row.column), row.target)
                    for row in rows.extreme
                ],
            ),
        ]
        if rows.others:
            told = len(rows.extreme) + len(rows.others)
            more = f", and {rows.count - told:,} more" if rows.count > told else ""
            sentences.append(f"The other {rows.unit}s: {', '.join(map(str, rows.others))}{more}.")
        return sentences

    def _epochs(self, metrics_csv: Path) -> list[str]:
        rate = self.trainer.progress.rate
        halved = f", after rollbacks that left {rate:.3g} of it" if rate < 1 else ""
        sentences = [f"The learning rate of the last step was {float(self.trainer.slot.rate):.6g}{halved}."]
        header, *rows = recent(metrics_csv)
        if not rows:
            return [*sentences, "No epoch was evaluated before."]
        kept = [place for place, name in enumerate(header) if name in ("epoch", "step", "lr") or name.endswith("_loss")]
        return [*sentences, _table([header[place] for place in kept], [[row[place] for place in kept] for row in rows])]


def recent(metrics_csv: Path) -> list[list[str]]:
    """The header of metrics.csv, and its last few rows."""
    try:
        file = metrics_csv.open("rb")
    except OSError:
        return [[]]
    with file:
        header = file.readline().decode()
        start = file.tell()
        end = file.seek(0, 2)
        at = max(start, end - TAIL)
        file.seek(at)
        lines = file.read().decode(errors="replace").splitlines()
    whole = lines if at == start else lines[1:]
    return list(csv.reader([header, *whole[-RECENT:]]))


def _lost(each: Numbers) -> str:
    return f"{each.lost:,} of {each.count:,}" if each.lost else "0"


def _cell(name: str) -> str:
    return code(name) if name else ""


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *([_written(value) for value in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _written(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value).replace("|", "\\|")
