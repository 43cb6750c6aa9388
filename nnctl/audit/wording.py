"""Words that several findings share."""

from __future__ import annotations

from collections.abc import Sequence

from nnctl.data.wording import code

SHOWN = 5  # sentences of one finding; the columns that it concerns beyond them are listed


def percent(share: float) -> str:
    """A share as per cent: ``98.5 %``; one that is not quite 100 never reads as 100."""
    text = f"{100 * share:.1f}"
    return f"{'99.9' if text == '100.0' and share < 1 else text} %"


def listed(names: Sequence[str], most: int = 8) -> str:
    """Names in backticks, the first few of many."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(map(code, names[:most])) + more


def first_few(sentences: Sequence[str], names: Sequence[str], likewise: str) -> list[str]:
    """The sentences about as many columns; of many the first few, and one sentence that lists the others."""
    if len(sentences) <= SHOWN + 1:
        return [*sentences]
    rest = names[SHOWN:]
    return [*sentences[:SHOWN], f"{len(rest)} more columns {likewise}: {listed(rest)}"]
