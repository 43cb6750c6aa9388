"""Command lines in a folder of their own, as the tests of the commands have them."""

from tests.cli.conftest import folder, nnctl, process, trained

__all__ = ["folder", "nnctl", "process", "trained"]
