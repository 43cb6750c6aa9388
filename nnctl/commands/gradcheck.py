"""``nnctl gradcheck``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from nnctl.commands import AsJson, Config, Overrides
from nnctl.console import output

if TYPE_CHECKING:
    from nnctl.network.gradcheck import Checked


def gradcheck(config: Config, overrides: Overrides = None, *, as_json: AsJson = False) -> None:
    """Check every gradient numerically.

    Example: nnctl gradcheck configs/iris.yaml model.activation=tanh
    """
    from nnctl import experiment

    found = experiment.gradcheck(config, overrides or ())
    if as_json:
        output.write_json(_as_json(found))
    else:
        from nnctl.console import results

        results.show_gradcheck(found)
    wrong = [checked.name for checked in found if not checked.passed]
    if wrong:
        from nnctl.console import problems

        problems.sentence(f"the gradient of {', '.join(wrong)} is not that of the loss: a backward pass is wrong")
        raise typer.Exit(1)


def _as_json(found: list[Checked]) -> dict[str, Any]:
    from nnctl.network.gradcheck import TOLERANCE

    parameters = [
        {"name": checked.name, "shape": checked.shape, "error": checked.error, "passed": checked.passed}
        for checked in found
    ]
    passed = all(checked.passed for checked in found)
    return {"schema": "nnctl.gradcheck/1", "passed": passed, "tolerance": TOLERANCE, "parameters": parameters}
