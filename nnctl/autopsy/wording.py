"""A user's own words in Markdown."""

from __future__ import annotations

MOST = 200  # letters


def code(text: str) -> str:
    """The text as code on one line, whatever is in it."""
    text = text if len(text) <= MOST else f"{text[: MOST - 3]}..."
    text = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
    if "`" not in text:
        return f"`{text}`"
    # The longest run of backticks inside ends at a longer one around it.
    fence = "`" * (1 + max(len(run) for run in "".join(each if each == "`" else " " for each in text).split()))
    return f"{fence} {text} {fence}"
