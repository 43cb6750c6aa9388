"""nnctl trains neural networks on tables: one YAML file is one experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnctl.errors import NnctlError as NnctlError
    from nnctl.experiment import load as load
    from nnctl.experiment import resume as resume
    from nnctl.experiment import sweep as sweep
    from nnctl.experiment import train as train
    from nnctl.judging import evaluate as evaluate
    from nnctl.judging import predict as predict

__version__ = "0.1.0"

# Loaded when first asked for, so that `import nnctl` and `nnctl --help` cost nothing.
_HOMES = {
    "NnctlError": "nnctl.errors",
    "load": "nnctl.experiment",
    "resume": "nnctl.experiment",
    "sweep": "nnctl.experiment",
    "train": "nnctl.experiment",
    "evaluate": "nnctl.judging",
    "predict": "nnctl.judging",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module nnctl has no attribute {name}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
