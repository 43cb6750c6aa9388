"""The audit of ``nnctl check``: what in the data of an experiment is probably not meant, a sentence each.

Every finding is a file: its docstring states the statistic, the threshold and their source.
"""

from __future__ import annotations

from nnctl.audit.classes import rare_classes
from nnctl.audit.drift import drifting
from nnctl.audit.duplicates import copies
from nnctl.audit.identifiers import identifiers
from nnctl.audit.leaks import leaking
from nnctl.audit.rows import looked_at
from nnctl.preparing.preparation import Prepared


def audit(prepared: Prepared) -> tuple[str, ...]:
    """The findings about the data, the gravest first."""
    seen = looked_at(prepared)
    counting = identifiers(seen)
    others = seen.without(counting)
    return (*leaking(seen), *copies(others), *counting.values(), *rare_classes(prepared), *drifting(others))
