"""Dates as cells write them, and as seconds since the start of 1970 in UTC."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product

_START = datetime(1970, 1, 1)
FIRST = (datetime.min - _START).total_seconds()  # of the dates that there are
LAST = (datetime.max - _START).total_seconds()
# Of what ISO 8601 allows, that which is nothing else: 20240131 is a number, too.
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d([T ]\d\d(:?\d\d(:?\d\d([.,]\d+)?)?)?|)|\d{8}T\d\d(\d\d(\d\d([.,]\d+)?)?)?|\d{4}-W\d\d(-\d)?)"
    r"(Z|[-+]\d\d(:?\d\d)?)?",
    re.ASCII,
)
_DAYS: tuple[str, ...] = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d")
_DAYS += ("%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%b %d %Y", "%d %B %Y", "%B %d, %Y", "%d-%b-%y")
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
FORMATS = tuple(day + time for time, day in product(_TIMES, _DAYS))
SHORT: tuple[str, ...] = (
    "%Y-%m",
    "%Y/%m",
    "%m/%Y",
    "%b %Y",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%d.%m.%y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%H:%M:%S",
)
SHORT += ("%H:%M",)
_SHAPE = re.compile(r"\w{1,9}[-./: ]\w{1,9}([-./: ]|, )?", re.ASCII)  # of all formats: others need not be tried


def date_seconds(text: str, form: str | None) -> float | None:
    """The seconds from the start of 1970 to a date; one with an offset is moved to UTC. None if it is no date."""
    try:
        moment = datetime.strptime(text, form) if form else datetime.fromisoformat(text)
        moment = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return None
    return (moment - _START).total_seconds()


def date_text(seconds: float) -> str:
    """A date as ISO 8601 writes it."""
    return (_START + timedelta(seconds=seconds)).isoformat()


def day_text(seconds: float) -> str:
    """A date as ISO 8601 writes it, without the time if it is midnight."""
    return date_text(seconds).removesuffix("T00:00:00")


def is_iso(text: str) -> bool:
    """Whether a text is a date of ISO 8601 and nothing else that one might take it for."""
    return bool(_ISO.fullmatch(text)) and date_seconds(text, None) is not None


def formats(texts: Collection[str], among: Sequence[str] = FORMATS) -> list[str]:
    """The formats, in the words of strptime, that read every one of the texts."""
    found = list(among)
    for text in texts:
        if not _SHAPE.match(text) or not any(letter.isdigit() for letter in text):
            return []
        found = [form for form in found if date_seconds(text, form) is not None]
        if not found:
            break
    return found
