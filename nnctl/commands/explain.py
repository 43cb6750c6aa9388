"""``nnctl explain``."""

from __future__ import annotations

from typing import Annotated

import typer


def explain(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A component, or a key of the YAML: adam, data.numeric.")],
) -> None:
    """Explain a component or a key of the YAML.

    Example: nnctl explain adam
    """
    from nnctl.component import KINDS, Component, registry
    from nnctl.console import explained
    from nnctl.errors import Place, Problem, SpecError
    from nnctl.spec.problems import unknown
    from nnctl.spec.synonyms import SYNONYMS

    components = [found for kind in KINDS if (found := registry.all(kind, Component).get(name)) is not None]
    option = explained.option_at(name)
    if not components and option is None:
        names = [*(each for kind in KINDS for each in registry.all(kind, Component)), *explained.keys()]
        raise SpecError(Problem(unknown("name", name, names, SYNONYMS), place=Place("command line")))
    if components:
        explained.show_components(components)
    if option is not None:
        explained.show_option(name, option)
