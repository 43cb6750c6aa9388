"""Numbers as cells write them: what is one, what was meant to be one, and what stands in the way."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.ASCII | re.IGNORECASE)
_DIGITS = re.compile(r"\d+", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?(inf|infinity|nan|∞)", re.IGNORECASE)

_MONEY = r"(?:(?:US\$|\$|USD|EUR|GBP|JPY|CHF|CNY|INR|CAD|AUD|SEK|NOK|DKK|PLN|BRL)[ ]?)"
_GROUPS = r"\d{1,3}(?:,\d{2,3})*,\d{3}|\d{1,3}(?:[' ]\d{3})+|\d{1,3}(?:\.\d{3})+(?=[.,])\.?\d*|\d+(?:_\d+)+"
_BODY = rf"(?:{_GROUPS}|\d+|(?=[.,]\d))(?:[.,]\d*)?(?:e[-+]?\d+|d[-+]\d+)?"
# In the signs that `_plain` leaves.
_MEANT = re.compile(
    rf"(?:[-+][ ]?)?{_MONEY}?[-+]?{_BODY}(?:[ ]?%|[ ]?{_MONEY})?-?|\({_MONEY}?{_BODY}%?\)", re.ASCII | re.IGNORECASE
)
_ODDITIES = {
    "thousands separators": re.compile(r"\d[' ]\d{3}|,\d{2,3}[,.]|\.\d{3}[.,]|(?<!\d)\d{1,3},\d{3}(?!\d)"),
    "a currency": re.compile(_MONEY, re.IGNORECASE),
    "per cent": re.compile("%"),
    "underscores": re.compile("_"),
    "parentheses": re.compile(r"\("),
    "a minus sign at the end": re.compile(r"-$"),
    "a blank after the sign": re.compile(r"^[-+] "),
}
# What other scripts and typesetters write for the signs of ASCII.
_SIGNS = dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d", "-") | dict.fromkeys("\ufe62\uff0b", "+")
_MARKS = {"\uff0e": ".", "\u066b": ".", "\uff0c": ",", "\u066c": ","} | dict.fromkeys("\u2018\u2019\u00b4\uff07", "'")
_SHARES = dict.fromkeys("\uff05\ufe6a\u066a\u2030", "%")
_PLAIN = _SIGNS | _MARKS | _SHARES | {"\uff08": "(", "\uff09": ")"}


def number(text: str, decimal: str = ".") -> float | None:
    """The number that a text is, infinite if it is out of range."""
    if decimal != ".":
        text = "" if "." in text else text.replace(decimal, ".")
    return float(text) if _NUMBER.fullmatch(text) else None


def meant(text: str) -> bool:
    """Whether a text is no number, but looks as if it was meant to be one: ``$1,288.5``, ``1_000``, ``inf``."""
    return bool(_NOT_FINITE.fullmatch(text) or _MEANT.fullmatch(_plain(text)))


def not_finite(text: str) -> bool:
    """Whether a text is a word for something that is no finite number."""
    return bool(_NOT_FINITE.fullmatch(text))


def are_codes(texts: Collection[str]) -> bool:
    """Whether texts, numbers all of them or not, are codes: one is an integer with leading zeros, as ``007`` is.

    A number with a sign, a fraction or an exponent among them says that they are quantities, whatever their zeros.
    """
    zeros = any(text[0] == "0" and len(text) > 1 and _DIGITS.fullmatch(text) for text in texts if text)
    return zeros and not any(_NUMBER.fullmatch(text) and not _DIGITS.fullmatch(text) for text in texts)


def advice(texts: Collection[str], decimal: str) -> str:
    """The end of a message about texts that were meant as numbers: how numbers are written, and what is odd about them.

    Empty where there is nothing to say.
    """
    those = [text for text in texts if not _NOT_FINITE.fullmatch(text) and _MEANT.fullmatch(_plain(text))]
    ends = []
    if decimal == "." and any("," in text for text in those) and all(number(text, ",") is not None for text in those):
        ends.append("where the comma is the decimal sign, set `data.format.decimal`")
    found = _oddities(those)
    if found:
        ends.append(f"a number is written with the digits 0-9 and `{decimal}` alone, here are {' and '.join(found)}")
    return "".join(f"; {end}" for end in ends)


def _oddities(texts: Collection[str]) -> list[str]:
    found = []
    if any(letter.isdecimal() and not letter.isascii() for text in texts for letter in text):
        found.append("other digits")
    if any(letter in _SIGNS for text in texts for letter in text):
        found.append("other signs")
    plain = [_plain(text) for text in texts]
    return found + [name for name, shows in _ODDITIES.items() if any(shows.search(text) for text in plain)]


def _plain(text: str) -> str:
    """A text with the digits, blanks, signs and currencies of all scripts as those of ASCII, all currencies as $."""
    return text if text.isascii() else "".join(map(_plain_letter, text))


def _plain_letter(letter: str) -> str:
    if letter in _PLAIN:
        return _PLAIN[letter]
    if letter.isdecimal():
        return str(unicodedata.decimal(letter))
    category = unicodedata.category(letter)
    return {"Zs": " ", "Sc": "$"}.get(category, letter)
