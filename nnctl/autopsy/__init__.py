"""The autopsy of a run that diverged, for `autopsy.md`: what was no longer finite, where it began, what to try."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nnctl.autopsy.advice import advice
from nnctl.autopsy.examination import examine
from nnctl.autopsy.page import Page
from nnctl.autopsy.rows import rows_of
from nnctl.autopsy.scene import scene_of
from nnctl.preparing.preparation import Prepared
from nnctl.training.trainer import Trainer


def autopsy(trainer: Trainer, prepared: Prepared, reason: str, metrics_csv: Path) -> str:
    """What is to be said of a trainer whose run has ended as diverged, in Markdown.

    The batch is run once more, in the trainer's own buffers. Its streams and statistics are left as they were.
    """
    with np.errstate(all="ignore"):
        scene = scene_of(trainer)
        found = examine(trainer, scene)
        rows = rows_of(trainer, prepared, scene, found)
        page = Page(trainer, prepared, scene, found, rows)
        return page.text(reason, metrics_csv, advice(trainer, prepared, scene, found, rows))
