"""The name of a run: the folder under runs/ that it shares with the other runs of its experiment."""

from __future__ import annotations

from dataclasses import replace

from nnctl.arguments import ARGUMENTS, check_text
from nnctl.errors import SpecError
from nnctl.runs.run_dir import name_from_stem, validate_name
from nnctl.spec.overrides import COMMAND_LINE
from nnctl.spec.reading import Spec


def run_name(name: str | None, spec: Spec) -> str:
    """The folder under runs/: the given name, else the key ``name``, else the stem of the config's file name.

    Raises: SpecError if the key cannot be a folder's name.
    """
    if name is not None:
        return name
    if spec.experiment.name is not None:
        try:
            return validate_name(spec.experiment.name)
        except SpecError as error:
            raise error.placed(spec.place) from None
    return name_from_stem(spec.document.path.stem)


def check_name(name: str, *, from_command_line: bool) -> None:
    """Raise SpecError if the name that was given as an argument cannot be a folder's."""
    check_text("name", name, "text, the name of a folder")
    key, place = ("--name", COMMAND_LINE) if from_command_line else ("name", ARGUMENTS)
    try:
        validate_name(name)
    except SpecError as error:
        raise SpecError(replace(problem, key=key, place=place) for problem in error.problems) from None
