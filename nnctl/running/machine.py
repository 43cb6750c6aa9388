"""What of the machine and its libraries decides about the last bits of a training."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

import nnctl

MACHINE = ("versions", "blas", "simd")  # what `machine` says
BLAS = ("internal_api", "version", "architecture", "num_threads")
WORDS = {
    "nnctl": "nnctl",
    "numpy": "NumPy",
    "architecture": "the BLAS kernel",
    "version": "the BLAS library",
    "num_threads": "the threads of BLAS",
    "simd": "NumPy's instruction sets",
}


def machine() -> dict[str, Any]:
    """Versions, BLAS libraries and instruction sets at work now, as plain values."""
    versions = {"nnctl": nnctl.__version__, "numpy": np.__version__, "python": platform.python_version()}
    every = [library for library in threadpool_info() if library["user_api"] == "blas"]
    # Other packages may bring a BLAS of their own, which trains nothing here; one that is shared lies elsewhere.
    own = [library for library in every if any(part.startswith("numpy") for part in Path(library["filepath"]).parts)]
    libraries = own or every
    blas = [{key: library.get(key) for key in BLAS} for library in libraries]
    return {"versions": versions, "blas": blas, "simd": _instruction_sets()}


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What has changed since, of what decides about bits: ``the BLAS kernel: Haswell, now SkylakeX``."""
    before, after = _facts(then), _facts(now)
    return [
        f"{WORDS[name]}: {before.get(name)}, now {after[name]}" for name in after if before.get(name) != after[name]
    ]


def _facts(machine: Mapping[str, Any]) -> dict[str, Any]:
    blas = [dict(library) for library in machine.get("blas") or ()]
    facts = {name: (machine.get("versions") or {}).get(name) for name in ("nnctl", "numpy")}
    facts |= {name: ", ".join(str(library.get(name)) for library in blas) for name in BLAS if name in WORDS}
    return facts | {"simd": " ".join(machine.get("simd") or ())}


def _instruction_sets() -> list[str]:
    """Those that NumPy was built for and those beyond that it found on this machine."""
    found: Any = np.show_config(mode="dicts")
    sets = found.get("SIMD Extensions") or {}
    return [*sets.get("baseline", ()), *sets.get("found", ())]
