"""Whether a search can decide by a metric when it has to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nnctl.errors import Place, Problem, SpecError
from nnctl.spec.problems import listed, shown
from nnctl.sweeps.checking import Checked, Gathered
from nnctl.sweeps.trial import Criterion
from nnctl.training.job import Job


def check_criterion(checked: Sequence[Checked], criterion: Criterion, place: Callable[[str], Place | None]) -> None:
    """Raise SpecError if trials do not measure during training what decides then."""
    problems = Gathered(len(checked))
    for each in checked if criterion.early else ():
        known = measured(each.prepared.job)
        if criterion.metric not in known:
            message = (
                f"halving decides during training, and {shown(criterion.metric)} is measured only at the end: "
                f"take {listed(known)}"
            )
            problems.take(each.trial, SpecError(Problem(message, "sweep.metric.name")).placed(place))
    problems.raise_if_any()


def measured(job: Job) -> list[str]:
    """The columns of metrics.csv by which the weights are judged after an epoch.

    With a validation part `train_loss` is none of them: it is the mean over the epoch while the weights move. Without
    one it is all there is of the loss.
    """
    return [name for name in job.columns if job.val is None or name.startswith("val_")]
