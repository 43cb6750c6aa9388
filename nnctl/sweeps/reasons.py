"""Why trials failed, told once for all that failed alike."""

from __future__ import annotations

import re
from collections.abc import Sequence

_FOLDER = re.compile(r"(?<=trials/)\d{4,}")  # of a trial


def alike(reason: str) -> str:
    """A reason without the trial that it is about: equal for those that failed alike."""
    return _FOLDER.sub("*", reason)


def named(numbers: Sequence[int]) -> str:
    """Trials, as a sentence begins with them."""
    if len(numbers) == 1:
        return f"trial {numbers[0]}"
    more = f" and {len(numbers) - 12} more" if len(numbers) > 12 else ""
    return f"trials {', '.join(map(str, numbers[:12]))}{more}"
