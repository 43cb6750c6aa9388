"""Runs chosen and sorted by what is known about them: ``--where``, ``--sort``, ``--limit``."""

from __future__ import annotations

import difflib
import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nnctl.errors import Problem, SpecError
from nnctl.runs.listing import FIELDS, NUMBERS, Summary, is_number, value
from nnctl.runs.run_dir import shown

STATUSES = ("running", "completed", "early_stopped", "interrupted", "diverged", "failed", "damaged")
PARTS = ("train_", "val_", "test_")
MAX_LISTED = 40

_SIGNS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}
_REST = re.compile(r"\s*(<=|>=|!=|==?|<|>)\s*(.*\S)\s*", re.DOTALL)
_CONDITION = re.compile(r"\s*(.*?\S)" + _REST.pattern, re.DOTALL)


def select(
    summaries: Sequence[Summary], where: Sequence[str] = (), sort: str | None = None, limit: int | None = None
) -> list[Summary]:
    """The runs for which every condition (`val_loss<0.1`, `status=completed`, `optimizer.lr=0.1`) holds.

    They are sorted by a field, a metric or an overridden key (`val_loss`; `-val_accuracy`: the highest first), those
    that have none last; then cut to the first ``limit``.
    Raises: SpecError if a condition is not one, or names what no run has.
    """
    names = _names(summaries)
    conditions = [_condition(text, summaries, names) for text in where]
    chosen = [each for each in summaries if all(condition.holds(each) for condition in conditions)]
    if sort is not None:
        name = sort.removeprefix("-")
        _check_name("--sort", name, summaries, names)
        having = [each for each in chosen if value(each, name) is not None]
        having.sort(key=lambda each: _rank(value(each, name)), reverse=sort.startswith("-"))
        chosen = having + [each for each in chosen if value(each, name) is None]
    if limit is not None and limit < 0:
        raise SpecError(Problem(f"must be >= 0, got {limit}", key="--limit"))
    return chosen[:limit]


def is_about(condition: str, name: str) -> bool:
    """Whether a condition is about this field, such as ``status``."""
    parts = _CONDITION.fullmatch(condition)
    return parts is not None and parts[1] == name


@dataclass(frozen=True, slots=True)
class _Condition:
    name: str
    sign: str
    text: str  # the value as it is written, without quotes
    wanted: Any  # the value that it means

    def holds(self, summary: Summary) -> bool:
        actual = value(summary, self.name)
        # A text is compared as it is written: a run may have the name `7`.
        wanted = self.text if isinstance(actual, str) else self.wanted
        if self.sign in ("=", "!="):
            return bool(_SIGNS[self.sign](actual, wanted))
        comparable = isinstance(actual, str) or (is_number(actual) and is_number(wanted))
        return comparable and bool(_SIGNS[self.sign](actual, wanted))


def _condition(text: str, summaries: Sequence[Summary], names: Sequence[str]) -> _Condition:
    parts = _CONDITION.fullmatch(text)
    if parts is None:
        expected = f"a name, one of {' '.join(_SIGNS)}, and a value, such as `val_loss<0.1`"
        raise SpecError(Problem(f"expected {expected}, got {shown(text)}", key="--where"))
    name, sign, wanted = parts.groups()
    # A key may hold a sign itself: `data.columns["a<b"].scale`.
    for known in sorted(names, key=len, reverse=True):
        rest = _REST.fullmatch(text.strip().removeprefix(known)) if text.strip().startswith(known) else None
        if rest is not None:
            name, (sign, wanted) = known, rest.groups()
            break
    _check_name("--where", name, summaries, names)
    meaning = _meaning(wanted)
    text = meaning if isinstance(meaning, str) else wanted
    condition = _Condition(name, "=" if sign == "==" else sign, text, meaning)
    _check_value(condition, summaries)
    return condition


def _check_name(option: str, name: str, summaries: Sequence[Summary], names: Sequence[str]) -> None:
    # Where no run has metrics yet (or there is none), nobody can say which names are wrong.
    nothing_known = not summaries or (name.startswith(PARTS) and not any(each.metrics for each in summaries))
    if name in names or nothing_known:
        return
    near = difflib.get_close_matches(name, names, n=1)
    meant = f", did you mean {shown(near[0])}?" if near else ";"
    listed = ", ".join(shown(each) for each in names[:MAX_LISTED])
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    raise SpecError(Problem(f"no run has {shown(name)}{meant} allowed: {listed}{more}", key=option))


def _check_value(condition: _Condition, summaries: Sequence[Summary]) -> None:
    name, wanted = condition.name, condition.wanted
    of_numbers = name in NUMBERS or any(name in each.metrics for each in summaries)
    if of_numbers and wanted is not None and (not is_number(wanted) or wanted != wanted):
        allowed = "a number, or `null` for runs that have none"
        raise SpecError(Problem(f"`{name}` is {allowed}, got {shown(condition.text)}", key="--where"))
    if name == "status" and condition.sign in ("=", "!=") and condition.text not in STATUSES:
        raise SpecError(
            Problem(f"`status` is one of {', '.join(STATUSES)}, got {shown(condition.text)}", key="--where")
        )


def _names(summaries: Sequence[Summary]) -> list[str]:
    """All that can be asked for: fields, metrics, overridden keys."""
    metrics = dict.fromkeys(name for each in summaries for name in each.metrics)
    overrides = dict.fromkeys(name for each in summaries for name in each.overrides)
    return list(dict.fromkeys((*FIELDS, *metrics, *overrides)))


def _meaning(text: str) -> Any:
    """The value that a text means, as in a run's JSON; else the text."""
    for read in (json.loads, float):
        try:
            return read(text)
        except (ValueError, RecursionError):
            continue
    return None if text == "none" else text


def _rank(obj: Any) -> tuple[bool, float, str]:
    """Numbers by size, before all else by its text."""
    return (False, obj, "") if is_number(obj) else (True, 0.0, obj if isinstance(obj, str) else json.dumps(obj))
