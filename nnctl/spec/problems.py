"""Problems of a spec: the dotted keys they name, what the user may have meant, and raising them all at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from nnctl.errors import MAX_PROBLEMS, NnctlError, Place, Problem, SpecError
from nnctl.spec.synonyms import NO_SYNONYMS

MAX_PARTS = 64  # of a dotted key, as deep as a file may nest
MAX_COMPARED = 5_000  # names compared by spelling; a table may have a million columns
MAX_LISTED = 12
MAX_SHOWN = 60

_JOINTS = str.maketrans("", "", "-_ ")
_EDGE, _INNER = r"""[^\s.\[\]"'=\x00-\x1f]""", r"""[^.\[\]"'=\x00-\x1f]"""
_BARE = re.compile(rf"{_EDGE}(?:{_INNER}*{_EDGE})?")
_PART = re.compile(
    rf"""\.(?P<name>{_BARE.pattern})|\[(?P<index>[0-9]{{1,9}})\]"""
    r"""|\[(?P<quote>["'])(?P<text>(?:\\.|(?!(?P=quote))[^\\])*)(?P=quote)\]""",
    re.DOTALL,
)


class Problems:
    """Problems gathered so far; they leave together, in one SpecError, at the latest when they are many."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def __len__(self) -> int:
        return len(self.found)

    def add(self, key: str, message: str, place: Place | None = None) -> None:
        """Note a problem. Raises: SpecError if it is one too many to go on."""
        self.take([Problem(message, key, place)])

    def take(self, problems: Iterable[Problem]) -> None:
        """Note more problems, as many as are told at once. Raises: SpecError where that is not all of them."""
        for problem in problems:
            self.found.append(problem)
            if len(self.found) >= MAX_PROBLEMS:
                self.raise_if_any()

    def extend(self, error: NnctlError) -> None:
        """Take over the problems of an error that was caught."""
        self.take(error.problems)

    def raise_if_any(self) -> None:
        """Raise what was found, in the order of the lines of each file."""
        if self.found:
            raise SpecError(sorted(self.found, key=_line_in_file))


def _line_in_file(problem: Problem) -> tuple[str, int, int]:
    place = problem.place
    return (place.source, place.line or 0, place.column or 0) if place else ("", 0, 0)


def parse_key(text: str) -> tuple[str | int, ...]:
    """The parts of a dotted key: ``data.columns["pm2.5"].scale``, ``model.layers[0].units``.

    Raises: SpecError if the text is no such key; its problem has no key and no place yet.
    """
    rest = text if text.startswith("[") else f".{text}"
    parts: list[str | int] = []
    at = 0
    while at < len(rest):
        part = _PART.match(rest, at)
        if part is None or len(parts) >= MAX_PARTS:
            raise SpecError(Problem(_not_a_key(text, too_deep=part is not None)))
        parts.append(_part(part))
        at = part.end()
    return tuple(parts)


def format_key(parts: Iterable[str | int]) -> str:
    """The dotted key of these parts; ``parse_key`` reads it back."""
    written = ""
    for part in parts:
        if isinstance(part, int):
            written += f"[{part}]"
        elif _BARE.fullmatch(part):
            written += f".{part}" if written else part
        else:
            quote = "'" if '"' in part and "'" not in part else '"'
            written += "[" + quote + part.replace("\\", r"\\").replace(quote, "\\" + quote) + quote + "]"
    return written


def shown(value: object) -> str:
    """A user's own words as a message shows them: in backticks, on one line, not endless."""
    text = str(value)
    if len(text) >= MAX_SHOWN:
        text = text[: MAX_SHOWN - 3] + "..."
    return "`" + "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text) + "`"


def listed(names: Iterable[str]) -> str:
    """Names one after another, each in backticks."""
    return ", ".join(shown(name) for name in names)


def some(names: Sequence[str]) -> str:
    """Names one after another; of many, the first ones and how many more there are."""
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return listed(names[:MAX_LISTED]) + more


def unknown(what: str, word: str, known: Iterable[str], synonyms: Mapping[str, str] = NO_SYNONYMS) -> str:
    """The message for a word that is not known: what was probably meant, else what is allowed.

    An option is not named again, since the key of its problem ends with it.
    """
    start = f"unknown {what}" if what == "option" else f"unknown {what} {shown(word)}"
    return f"{start}, {instead(word, known, synonyms)}"


def instead(word: str, known: Iterable[str], synonyms: Mapping[str, str] = NO_SYNONYMS) -> str:
    """The end of a message for a word that is not known: what was probably meant, else what is allowed."""
    names = list(dict.fromkeys(known))
    meant = suggest(word, names, synonyms)
    if meant is not None:
        return f"did you mean {shown(meant)}?"
    return f"allowed: {some(names)}" if names else "none is allowed here"


def suggest(word: str, known: Iterable[str], synonyms: Mapping[str, str] = NO_SYNONYMS) -> str | None:
    """The known name that was probably meant: by another tool's word for it, then by spelling; else None."""
    names: dict[str, str] = {}
    for name in known:
        names.setdefault(_folded(name), name)
    folded = _folded(word)
    if folded in names:
        return names[folded]
    meant: dict[str, str] = {}
    for synonym, targets in synonyms.items():
        target = next((name for name in targets.split() if names.get(_folded(name)) == name), None)
        if target is not None:
            meant[_folded(synonym)] = target
    if folded in meant:
        return meant[folded]
    # Short synonyms (`p`, `ce`) are too near to everything to be looked for by spelling.
    long = {synonym: target for synonym, target in meant.items() if len(synonym) >= 5}
    return _closest(folded, long | names)


def _folded(word: str) -> str:
    """The word without case, `_`, `-` and spaces: ``BatchSize``, ``batch-size`` and ``batch_size`` are one."""
    return word.casefold().translate(_JOINTS)


def _closest(word: str, names: Mapping[str, str]) -> str | None:
    limit = min(3, max(1, len(word) // 3))
    near = [name for name in names if abs(len(name) - len(word)) <= limit][:MAX_COMPARED]
    # Between equals: swapped letters are the likeliest slip, a wrong first letter the rarest.
    ranked = sorted((_edits(word, name), sorted(word) != sorted(name), word[:1] != name[:1], name) for name in near)
    for edits, *_, name in ranked:
        if edits <= limit and edits < max(len(word), len(name)):
            return names[name]
    begun = {target for name, target in names.items() if len(word) >= 3 and name.startswith(word)}
    return begun.pop() if len(begun) == 1 else None


def _edits(word: str, name: str) -> int:
    """Letters inserted, dropped, replaced, or swapped with their neighbour (Damerau 1964)."""
    before: list[int] = []
    last = list(range(len(name) + 1))
    for i, a in enumerate(word, 1):
        row = [i]
        for j, b in enumerate(name, 1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == name[j - 2] and word[i - 2] == b:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before, last = last, row
    return last[-1]


def _part(match: re.Match[str]) -> str | int:
    if match["index"] is not None:
        return int(match["index"])
    if match["name"] is not None:
        return match["name"]
    return re.sub(rf"\\([{match['quote']}\\])", r"\1", match["text"])


def _not_a_key(text: str, *, too_deep: bool) -> str:
    if too_deep:
        return f"a key has at most {MAX_PARTS} parts"
    return f'expected a key such as `a.b`, `a[0].b` or `a["b.c"]`, got {shown(text)}'
