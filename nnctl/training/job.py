"""A job: everything that the training loop needs to know, decided."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from nnctl.data.batches import Examples
from nnctl.data.target import Target
from nnctl.early_stopping import EarlyStopping
from nnctl.losses import Loss
from nnctl.metrics import Metric
from nnctl.network.network import Network
from nnctl.network.penalties import Regularization
from nnctl.optimizers import Optimizer
from nnctl.schedules import Schedule


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """What is to be trained, and on what."""

    network: Network
    loss: Loss
    optimizer: Optimizer
    schedule: Schedule
    early_stopping: EarlyStopping | None
    target: Target
    metrics: tuple[Metric, ...]
    monitor: str | None  # the value that makes an epoch the best; None: the last one is
    better: Literal["lower", "higher"]
    schedule_better: Literal["lower", "higher"]  # the better direction of the value that the schedule watches
    train: Examples
    val: Examples | None
    epochs: int
    batch_size: int
    shuffle: bool
    eval_every: int
    seed: int
    dtype: str
    regularization: Regularization = field(default_factory=Regularization)
    max_time: float | None = None  # seconds of training after which it ends
    on_nan: Literal["stop", "skip", "rollback"] = "stop"  # what is done when a loss or a gradient is not finite
    threads: int = 1  # that work on a step
    shards: int = 1  # parts that a batch is split into; one where its rows hang together
    save_steps: int | None = None  # optimizer steps from one tick that asks for a save to the next
    save_epochs: int | None = None  # epochs from one save to the next

    @property
    def epoch_steps(self) -> int:
        """Optimizer steps in an epoch; the last group of batches may be short."""
        batches = -(-len(self.train) // min(self.batch_size, len(self.train)))
        return -(-batches // self.optimizer.accumulate)

    @property
    def measures_train(self) -> bool:
        """Whether the weights that are kept are judged on the training rows at every evaluation.

        The loss as the weights move says enough, unless others are kept.
        """
        free = {None} if self.optimizer.averages else {None, "train_loss"}
        watched = {self.monitor, self.schedule.watches} - free
        return self.val is None or any(name.startswith("train_") for name in watched if name)

    @property
    def heeds_losses(self) -> bool:
        """Whether no metric decides about anything, and the weights that move are those that are kept."""
        heeded = {self.monitor, self.schedule.watches, self.early_stopping and self.early_stopping.monitor}
        return heeded <= {None, "train_loss", "val_loss"} and not self.optimizer.averages

    @property
    def columns(self) -> list[str]:
        """The values of an evaluated epoch, in the order of metrics.csv."""
        names = [metric.name for metric in self.metrics]
        if self.val is None:
            return ["train_loss", *(f"train_{name}" for name in names)]
        return ["train_loss", "val_loss", *(f"val_{name}" for name in names)]
