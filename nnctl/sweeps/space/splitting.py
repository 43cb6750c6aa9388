"""Text is cut at the commas that stand outside of brackets and quotes."""

from __future__ import annotations

from nnctl.errors import Problem, SpecError
from nnctl.spec.problems import shown

_CLOSING = {"(": ")", "[": "]", "{": "}"}


def split(text: str) -> list[str]:
    """The parts between commas, without the spaces around them; a text without a comma is its own only part.

    Quotes count where YAML would read them, at the start of a value: `it's` holds none.
    Raises: SpecError if a bracket or a quote is left open, or a part between commas is empty.
    """
    if "," not in text:
        return [text.strip()]
    parts, begin = [], 0
    for at in _commas(text):
        parts.append(text[begin:at].strip())
        begin = at + 1
    parts.append(text[begin:].strip())
    if len(parts) > 1 and "" in parts:
        place = "after the last" if not parts[-1] else "before the first" if not parts[0] else "between two"
        hint = "" if parts[-1] else ": write no space after a comma, or quotes around it all"
        raise SpecError(Problem(f"a value is missing {place} of the commas in {shown(text)}{hint}"))
    return parts


def enclosed(text: str) -> str | None:
    """What stands between the round brackets around the whole text; None where there are none."""
    if not (text.startswith("(") and text.endswith(")")):
        return None
    return text[1:-1].strip()


def _commas(text: str) -> list[int]:
    """The places of the commas outside of brackets and quotes."""
    commas: list[int] = []
    closing: list[str] = []  # the brackets that are open
    at, fresh = 0, True  # fresh: a value may start here
    while at < len(text):
        letter = text[at]
        if letter in "'\"" and fresh:
            at = _end_of_quotes(text, at)
            fresh = False
            continue
        if letter in _CLOSING:
            closing.append(_CLOSING[letter])
        elif closing and letter == closing[-1]:
            closing.pop()
        elif letter == "," and not closing:
            commas.append(at)
        fresh = letter in ",([{:" or (fresh and letter.isspace()) or (letter == " " and text[at - 1 : at] == ":")
        at += 1
    if closing:
        raise SpecError(Problem(f"a bracket is never closed in {shown(text)}, `{closing[-1]}` is missing"))
    return commas


def _end_of_quotes(text: str, at: int) -> int:
    """The place after the quotes that open at a place."""
    quote, end = text[at], at + 1
    while end < len(text):
        if quote == '"' and text[end] == "\\":
            end += 1
        elif text[end] == quote:
            if quote == "'" and text[end + 1 : end + 2] == "'":
                end += 1  # two of them stand for one
            else:
                return end + 1
        end += 1
    raise SpecError(Problem(f"the quote that opens at {shown(text[at:])} is never closed"))
