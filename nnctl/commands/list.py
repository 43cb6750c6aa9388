"""``nnctl list``."""

from __future__ import annotations

from typing import Annotated

import typer

from nnctl.commands import AsJson
from nnctl.console import output


def vocabulary(
    kind: Annotated[str | None, typer.Argument(metavar="KIND", help="One kind, such as optimizers.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the components that a YAML can name.

    Example: nnctl list optimizers
    """
    from nnctl.component import KINDS, Component, registry
    from nnctl.errors import Place, Problem, SpecError
    from nnctl.spec.problems import unknown

    if kind is not None and kind not in KINDS:
        raise SpecError(Problem(unknown("kind", kind, KINDS), place=Place("command line")))
    found = {each: registry.all(each, Component) for each in (KINDS if kind is None else [kind])}
    if as_json:
        output.write_json({each: list(names) for each, names in found.items()})
        return
    from nnctl.console import explained

    if kind is None:
        explained.show_kinds(found)
    else:
        explained.show_kind(found[kind])
