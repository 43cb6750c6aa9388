"""The parameters of a sweep in little room: their keys and their values."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from nnctl.console.text import clean

LONGEST = 24  # letters of a value


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """Each key by its last word, ``lr`` for ``optimizer.lr``, or by as many as tell it from others."""
    words = {key: key.split(".") for key in keys}
    kept = dict.fromkeys(keys, 1)
    while True:
        names = {key: ".".join(words[key][-kept[key] :]) for key in keys}
        often = Counter(names.values())
        longer = [key for key in keys if often[names[key]] > 1 and kept[key] < len(words[key])]
        if not longer:
            return names
        for key in longer:
            kept[key] += 1


def setting(value: Any, longest: int | None = LONGEST) -> str:
    """The value of a parameter: a number with four digits, others as in YAML, cut to ``longest`` letters."""
    if isinstance(value, float):
        return f"{value:.4g}"
    text = clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))
    return text if longest is None or len(text) <= longest else text[: longest - 3] + "..."


def assignments(params: Mapping[str, Any]) -> str:
    """All parameters of a trial in a line: ``optimizer.lr=0.1 seed=3``."""
    return " ".join(f"{clean(key)}={setting(value)}" for key, value in params.items())
