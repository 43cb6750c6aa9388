"""Write docs/components.md from the code, in the words of ``nnctl explain``: ``make docs``."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from nnctl.component import KINDS, Component, options, registry
from nnctl.console.explained import OPTION_HEADER, option_rows, written

FILE = Path(__file__).parent / "components.md"

OPENING = """\
# Components

All that a YAML can name, by kind. This page is made from the code (`make docs`), in the words of `nnctl explain NAME`.
A component is written as its bare name, which means all defaults, or as a mapping with `type` and options.
"""


def components() -> str:
    """The whole page."""
    return "\n".join([OPENING, *_contents(), *(line for kind in KINDS for line in _kind(kind))])


def _contents() -> Iterator[str]:
    for kind in KINDS:
        links = ", ".join(f"[{cls.name}](#{_anchor(kind, cls)})" for cls in registry.classes(kind))
        yield f"- **{_title(kind)}**: {links}"
    yield ""


def _kind(kind: str) -> Iterator[str]:
    yield f"## {_title(kind)}\n"
    for cls in registry.classes(kind):
        yield from _component(kind, cls)


def _component(kind: str, cls: type[Component]) -> Iterator[str]:
    # Names occur in several kinds: the anchor says which is meant.
    yield f'<a id="{_anchor(kind, cls)}"></a>\n'
    yield f"### {cls.name}\n"
    if cls.aliases:
        yield f"Also written {', '.join(f'`{alias}`' for alias in cls.aliases)}.\n"
    yield f"{_markdown(inspect.getdoc(cls) or '')}\n"
    rows = option_rows(options(cls))
    if rows:
        yield _line(OPTION_HEADER)
        yield _line(["---"] * len(OPTION_HEADER))
        yield from (_line([f"`{name}`", _default(default), allowed, words]) for name, default, allowed, words in rows)
        yield ""
    examples = list(written(cls))
    yield f"{'Example' if len(examples) == 1 else 'Examples'}: {', '.join(f'`{example}`' for example in examples)}\n"


def _markdown(docstring: str) -> str:
    """A docstring with its parts (Shapes, Raises, Source) as paragraphs, and nothing in it read as markup."""
    text = re.sub(r"\n+(Shapes|Raises|Source):", r"\n\n**\1:**", docstring.replace("``", "`"))
    pieces = re.split(r"(`[^`]*`|\*\*(?:Shapes|Raises|Source):\*\*)", text)
    return "".join(
        re.sub(r"([*<>])", r"\\\1", piece) if place % 2 == 0 else piece for place, piece in enumerate(pieces)
    )


def _default(text: str) -> str:
    return f"`{text}`" if text and text != "required" else text


def _line(cells: list[str] | tuple[str, ...]) -> str:
    escaped = [cell.replace("|", r"\|") for cell in cells]
    return f"| {' | '.join(escaped)} |"


def _title(kind: str) -> str:
    return kind.replace("_", " ").capitalize()


def _anchor(kind: str, cls: type[Component]) -> str:
    return f"{kind}-{cls.name}"


if __name__ == "__main__":
    FILE.write_text(components(), encoding="utf-8")
