"""The section ``sweep`` of the experiment, in the words of Weights & Biases. Only ``nnctl sweep`` reads it."""

from __future__ import annotations

from typing import Any, Literal, get_args

from nnctl.component import option, section

Method = Literal["grid", "random", "sobol", "halving", "tpe"]
METHODS: tuple[str, ...] = get_args(Method)
MOST_TRIALS = 100_000


@section
class SweepMetric:
    """What decides which trial is the best."""

    name: str = option(help="Metric that decides, as in metrics.json, such as val_loss.")
    goal: Literal["minimize", "maximize"] | None = option(
        default=None, help="What is better; null: as the metric itself says."
    )


@section
class SweepParameter:
    """What is tried for one key: ``value``, ``values``, or numbers from ``min`` to ``max``."""

    value: Any = option(default=None, help="The one value of all trials.")
    values: tuple[Any, ...] | None = option(default=None, help="All that is tried.")
    distribution: Literal["constant", "categorical", "uniform", "log_uniform_values", "int_uniform"] | None = option(
        default=None,
        help="How it is drawn; null: as what else is given says, whole numbers between two whole ones.",
    )
    min: float | None = option(default=None, help="Smallest number.")
    max: float | None = option(default=None, help="Largest number.")


@section
class EarlyTerminate:
    """When trials are left that others are ahead of: successive halving, one bracket of hyperband."""

    type: Literal["hyperband"] = option(default="hyperband", help="The rule.")
    min_iter: int | None = option(
        default=None, ge=1, help="Epochs before the first decision; null: so many that one setting is left at the end."
    )
    eta: int = option(default=3, ge=2, help="One in so many settings goes on, for so many times the epochs.")
    s: int | None = option(default=None, ge=1, help="Number of decisions; null: as min_iter says.")


@section
class SweepOptions:
    """What `nnctl sweep` tries; the command line wins over it."""

    method: Method | None = option(
        default=None, help="Search; null: grid where everything is listed, random where something is drawn."
    )
    metric: SweepMetric | None = option(default=None, help="What decides; null: what early stopping monitors.")
    parameters: dict[str, SweepParameter] = option(default_factory=dict, help="What is tried, by key.")
    run_cap: int | None = option(
        default=None, ge=1, le=MOST_TRIALS, help="Settings that are drawn; null: 20, or all that there are."
    )
    early_terminate: EarlyTerminate | None = option(default=None, help="Makes of grid and random a halving.")
