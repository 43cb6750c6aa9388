"""Make the records anew with PyTorch and scikit-learn: ``make reference``. Nothing here imports nnctl.

Two runs at the same versions write the same bytes.
"""

from __future__ import annotations

import platform
from collections.abc import Callable

import numpy as np
import sklearn
import torch

from tests.reference import (
    make_activations,
    make_initializers,
    make_layers,
    make_losses,
    make_metrics,
    make_optimizers,
    make_recurrent,
    make_schedules,
    make_textbook,
    make_transforms,
)
from tests.reference.records import Record, save

VERSIONS = {"torch": "2.13.0", "sklearn": "1.9.1"}

FILES: dict[str, Callable[[], list[Record]]] = {
    "activations": make_activations.records,
    "initializers": make_initializers.records,
    "layers": make_layers.records,
    "losses": make_losses.records,
    "metrics": make_metrics.records,
    "optimizers": make_optimizers.records,
    "recurrent": make_recurrent.records,
    "schedules": make_schedules.records,
    "textbook": make_textbook.records,
    "transforms": make_transforms.records,
}


def main() -> None:
    found = {"torch": torch.__version__.partition("+")[0], "sklearn": sklearn.__version__}
    if found != VERSIONS:
        raise SystemExit(f"the records are those of {VERSIONS}, here are {found}")
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    for file, records in FILES.items():
        save(file, records())
    print(f"made with {found}, numpy {np.__version__}, Python {platform.python_version()}")


if __name__ == "__main__":
    main()
