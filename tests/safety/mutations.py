"""Configs with faults in them, drawn from a seed: those of the repository, each changed in one to four places."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from nnctl.component import KINDS, options, registry
from nnctl.spec.schema import Experiment
from tests.safety.checked import Outcome, check

ROOT = Path(__file__).parents[2]

HOSTILE = (
    *("0", "-1", "1", "2", "0.5", "1e308", "-1e308", "1e-320", "1e400", ".nan", ".inf", "-.inf", "1e3", "0x7f", "0o17"),
    *("100000000", "2147483648", "9223372036854775808", "1" + "0" * 18, "1" + "0" * 60, "-0", "+1", "1_000", "010"),
    *("null", "~", "none", "auto", "true", "no", "''", '"\\e[31m"', '"\\0"', '"a\\nb"', "[]", "{}", "[[]]", "[1, 2]"),
    *(
        "[1000000, 1000000]",
        "{a: 1}",
        "{type: x}",
        "{type: dense}",
        "[dense]",
        "[a, b]",
        "{0: 1}",
        "!x 1",
        "&a 1",
        "*a",
    ),
    *(
        "../..",
        "/",
        "/dev/null",
        "/dev/zero",
        "-",
        ".",
        "~",
        "x.yaml",
        "../data/iris.csv",
        "../data/digits.csv",
        "[red]",
    ),
    *(
        "${env:HOME}",
        "${env:NO_SUCH}",
        "${",
        "'it''s'",
        "|",
        ">",
        "- a",
        "%",
        "@",
        "`",
        "😀",
        "\u202e",
        "é",
        "a: b",
        "# x",
    ),
    *(
        "full",
        "features",
        "val_loss",
        "train_accuracy",
        "column",
        "group",
        "time",
        "same",
        "valid",
        "embedding",
        "one_hot",
    ),
)
_KEY = re.compile(r"[A-Za-z_0-9]+(?=:)")
_VALUE = re.compile(r"(?<=: )[^\s,{}\[\]#]+")
_TOKEN = re.compile(r"\w+|[^\w\s]")

Change = Callable[[random.Random, str], str]


class Mutated(NamedTuple):
    """A changed config."""

    name: str  # which one it was, and what was done to it
    content: bytes


def mutated_configs(count: int, seed: int) -> Iterator[Mutated]:
    """So many configs, the same for the same seed."""
    originals = sorted((ROOT / "configs").glob("*.yaml"))
    rng = random.Random(seed)
    for number in range(count):
        path = originals[number % len(originals)]
        text, done = path.read_text(), []
        for change in rng.choices(CHANGES, k=rng.choice((1, 1, 1, 2, 3, 4))):
            text = change(rng, text)
            done.append(change.__name__.strip("_"))
        content = text.encode(errors="surrogatepass")
        if rng.random() < 0.1:
            content = _flipped(rng, content)
            done.append("flipped")
        yield Mutated(f"{number}: {path.name}, {' and '.join(done)}", content)


def at_home(folder: Path) -> Path:
    """Where a mutated config stands, in a folder like the repository: beside the others, its data where they say."""
    shutil.copytree(ROOT / "configs", folder / "configs")
    (folder / "data").symlink_to(ROOT / "data")
    home = folder / "configs" / "mutated.yaml"
    check((ROOT / "configs" / "iris.yaml").read_bytes(), home)  # what is imported for the first check counts for none
    return home


def check_mutated(mutated: Mutated, path: Path) -> Outcome:
    """Check a mutated config at its home."""
    return check(mutated.content, path)


def edited(rng: random.Random, word: str) -> str:
    """The word with a letter dropped, doubled, replaced or put in, or two letters swapped."""
    at = rng.randrange(len(word))
    letter = rng.choice("abcdefghijklmnopqrstuvwxyz_")
    swapped = word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :]
    return rng.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + letter + word[at + 1 :],
            word[:at] + letter + word[at:],
            swapped,
        ]
    )


def _typo(rng: random.Random, text: str) -> str:
    return _replaced(rng, text, _KEY, lambda key: edited(rng, key))


def _other_key(rng: random.Random, text: str) -> str:
    return _replaced(rng, text, _KEY, lambda key: rng.choice(_vocabulary()))


def _hostile_value(rng: random.Random, text: str) -> str:
    return _replaced(rng, text, _VALUE, lambda value: rng.choice(HOSTILE))


def _other_name(rng: random.Random, text: str) -> str:
    return _replaced(rng, text, _VALUE, lambda value: rng.choice(_vocabulary()))


def _another_type(rng: random.Random, text: str) -> str:
    forms = ("[{0}]", "{{a: {0}}}", "'{0}'", "{{type: {0}}}", "{0}.0", "-{0}", "[[{0}]]", "{{{0}: {0}}}", "[{0}, {0}]")
    return _replaced(rng, text, _VALUE, lambda value: rng.choice(forms).format(value))


def _swapped_tokens(rng: random.Random, text: str) -> str:
    found = list(_TOKEN.finditer(text))
    if len(found) < 2:
        return text
    first, second = sorted(rng.sample(found, 2), key=lambda match: match.start())
    between = text[first.end() : second.start()]
    return text[: first.start()] + second[0] + between + first[0] + text[second.end() :]


def _deleted_line(rng: random.Random, text: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    del lines[rng.randrange(len(lines))]
    return "".join(lines)


def _doubled_line(rng: random.Random, text: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines))
    return "".join(lines)


def _moved_line(rng: random.Random, text: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    at = rng.randrange(len(lines))
    lines[at] = rng.choice(("  ", "\t", " ", "    ", "- ")) + lines[at].lstrip() * rng.choice((0, 1, 1))
    return "".join(lines)


def _added_option(rng: random.Random, text: str) -> str:
    key = rng.choice(
        ("model", "loss", "optimizer", "schedule", "train", "data.split", "data.numeric", "early_stopping")
    )
    *outer, last = key.split(".")
    line = "".join(f"{name}: {{" for name in outer) + f"{last}: {{{rng.choice(_vocabulary())}: {rng.choice(HOSTILE)}}}"
    return f"{text}\n{line}{'}' * len(outer)}\n"


def _letters_put_in(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    return (
        text[:at]
        + "".join(rng.choice("{}[]:,#&*!|>'\"%@`-?\n\t \0\x1b\x85\u2028\ufeffé😀aZ09") for _ in "abc")
        + text[at:]
    )


def _cut(rng: random.Random, text: str) -> str:
    return text[: rng.randrange(len(text) + 1)]


def _flipped(rng: random.Random, content: bytes) -> bytes:
    """The bytes with a bit turned in up to four of them."""
    changed = bytearray(content)
    for _ in range(rng.randrange(1, 5) if changed else 0):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


CHANGES: tuple[Change, ...] = (
    *(_typo, _other_key, _hostile_value, _hostile_value, _hostile_value, _other_name, _other_name, _another_type),
    *(_swapped_tokens, _deleted_line, _doubled_line, _moved_line, _added_option, _letters_put_in, _cut),
)


def _replaced(rng: random.Random, text: str, what: re.Pattern[str], by: Callable[[str], str]) -> str:
    found = list(what.finditer(text))
    if not found:
        return text
    match = rng.choice(found)
    return text[: match.start()] + by(match[0]) + text[match.end() :]


@cache
def _vocabulary() -> tuple[str, ...]:
    """The names of all components, options and sections."""
    words = {*options(Experiment), "type", "extends"}
    for kind in KINDS:
        for cls in registry.classes(kind):
            words |= {cls.name, *options(cls)}
    return tuple(sorted(words))
