"""Configs made to hurt whoever reads them; run as a program, it checks all of them and measures what each one costs."""

from __future__ import annotations

import contextlib
import io
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

START = b"data: {path: table.csv, target: answer, id: [id]}\n"
MANY = 90_000  # values, under the limit of nodes
LONG = 990_000  # bytes, under the limit of a file

# What it does: its bytes, and a part of the sentence that refuses it.
BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "aliases, nine to the ninth": (lambda: _aliases(), "x.yaml:1:4: a: `&a`: anchors are not supported"),
    "an alias of itself": (lambda: b"a: &a [*a]\n", "x.yaml:1:4: a: `&a`: anchors are not supported"),
    "many anchors": (lambda: b"- &a 1\n" * 60_000, "x.yaml:1:3: [0]: `&a`: anchors are not supported"),
    "an endless anchor": (lambda: b"a: &" + b"a" * LONG + b" 1\n", "x.yaml:1:4: a: `&aaa"),
    "a merge key": (lambda: b"a: {<<: {x: 1}}\n", "x.yaml:1:5: a.<<: merge keys are not supported"),
    "a merge key with an alias": (lambda: b"a: &a {x: 1}\nb: {<<: *a}\n", "anchors are not supported"),
    "a million open lists": (lambda: b"a: " + b"[" * 10**6, "x.yaml: must be at most 1 MB, is larger"),
    "open lists": (lambda: b"a: " + b"[" * LONG, "x.yaml:1:67: must be nested at most 64 deep"),
    "open mappings": (lambda: b"{a: " * (LONG // 4), "x.yaml:1:257: must be nested at most 64 deep"),
    "open and closed lists": (lambda: b"a: " + b"[" * (LONG // 2) + b"]" * (LONG // 2), "nested at most 64 deep"),
    "lists in lists, as blocks": (lambda: b"- " * (LONG // 2), "x.yaml:1:129: must be nested at most 64 deep"),
    "mappings in mappings, as blocks": (
        lambda: b"".join(b" " * depth + b"a:\n" for depth in range(1_300)),
        "x.yaml:65:65: must be nested at most 64 deep",
    ),
    "keys in keys": (lambda: b"? " * (LONG // 2), "x.yaml:1:3: a key must be a single name or number"),
    "50 MB of keys": (lambda: b"a: 1\n" * 10**7, "x.yaml: must be at most 1 MB, is larger"),
    "50 MB of a comment": (lambda: b"#" + b"x" * 50_000_000, "x.yaml: must be at most 1 MB, is larger"),
    "a call of a function": (
        lambda: b"a: !!python/object/apply:os.system [touch boom]\n",
        "x.yaml:1:4: a: `!!python/object/apply:os.system`: tags are not supported",
    ),
    "a Python object": (lambda: b"!!python/object/new:os.system [touch boom]\n", "tags are not supported"),
    "a Python name": (lambda: b"a: !!python/name:os.system\n", "tags are not supported"),
    "a Python tuple": (lambda: b"a: !!python/tuple [1]\n", "tags are not supported"),
    "an endless tag": (lambda: b"a: " + b"!" * LONG, "tags are not supported"),
    "escapes in a tag": (lambda: b"a: !" + b"%41" * (LONG // 3), "tags are not supported"),
    "many tag directives": (
        lambda: b"".join(b"%%TAG !x%d! y\n" % place for place in range(40_000)) + b"---\na: 1\n",
        "x.yaml:1:1: tags are not supported",
    ),
    "a NUL": (lambda: START + b"name: a\0b\n", "x.yaml:2:8: the character U+0000 can be written only as an escape"),
    "a byte order mark in the middle": (lambda: "a: 1\nb: \ufeff2\n".encode(), "x.yaml:2:4: the character U+FEFF"),
    "UTF-16 with a mark": (lambda: START.decode().encode("utf-16"), "it looks like UTF-16, save the file as UTF-8"),
    "UTF-16 without one": (lambda: START.decode().encode("utf-16-le"), "x.yaml:1:2: the character U+0000"),
    "UTF-32": (lambda: START.decode().encode("utf-32"), "x.yaml:1:1: byte 1 of the line (0xff) is not UTF-8"),
    "Latin-1": (lambda: b"name: \xe4\n", "x.yaml:1:7: byte 7 of the line (0xe4) is not UTF-8"),
    "half a character": (lambda: b"name: \xed\xa0\x80\n", "x.yaml:1:7: byte 7 of the line (0xed) is not UTF-8"),
    "the escape of half a character": (lambda: b'name: "\\ud800"\n', "x.yaml:1:10: no such escape"),
    "tabs": (lambda: b"data:\n\tpath: x\n", "x.yaml:2:1: a tab in the indentation, use spaces"),
    "a list as a key": (lambda: b"? [a]\n: 1\n", "x.yaml:1:3: a key must be a single name or number"),
    "a mapping as a key": (lambda: b"? {a: 1}\n: 1\n", "x.yaml:1:3: a key must be a single name or number"),
    "100,000 keys": (
        lambda: b"".join(b"k%d: 1\n" % place for place in range(10**5)),
        "must have at most 100,000 values, has more",
    ),
    "unknown keys": (lambda: b"".join(b"k%d: 1\n" % place for place in range(MANY // 2)), "x.yaml:1:1: k0: unknown"),
    "one key again and again": (lambda: b"seed: 1\n" * MANY, "x.yaml:2:1: seed: is written twice"),
    "whole numbers of 100,000 digits": (
        lambda: START + b"seed: " + b"9" * 10**5 + b"\n",
        "x.yaml:2:7: seed: must be a whole number >= 0, got `9999",
    ),
    "the same below zero": (lambda: START + b"seed: -" + b"9" * 10**5, "x.yaml:2:7: seed: must be a whole number"),
    "the same as hexadecimals": (lambda: START + b"seed: 0x" + b"f" * 10**5, "x.yaml:2:7: seed: must be a whole"),
    "too many digits once read": (lambda: START + b"seed: 0x" + b"f" * 4_000, "x.yaml:2:7: seed: must be a whole"),
    "an endless exponent": (lambda: START + b"optimizer: {lr: 1e" + b"9" * 10**5 + b"}", "x.yaml:2:17: optimizer.lr:"),
    "an endless line": (lambda: START + b"optimizer: " + b"x" * LONG, "x.yaml:2:12: optimizer.type: unknown optimizer"),
    "an endless key": (lambda: b"x" * LONG + b": 1\n", "x.yaml:1:990001: no `:` is expected here"),
    "a quote that never ends": (lambda: b'a: "' + b"x" * LONG, "x.yaml:1:4: the quote that opens here is never closed"),
    "a quote of quotes": (lambda: b"'" * LONG, "x.yaml:1:1: expected lines such as `seed: 0` at the top level"),
    "colons": (lambda: b":" * LONG, "no `:` is expected here"),
    "commas": (lambda: b"a: [" + b"," * LONG + b"]", "x.yaml:1:5: expected a value"),
    "many documents": (lambda: b"---\na: 1\n" * MANY, "x.yaml:3:1: a second document starts here"),
    "many hidden layers": (
        lambda: START + b"model: {hidden: [" + b"1," * MANY + b"]}",
        "x.yaml:2:17: model.hidden: stands for over 1,000 layers",
    ),
    "many layers": (
        lambda: START + b"model: {layers: [" + b"relu," * MANY + b"]}",
        "x.yaml:2:17: model.layers: must have at most 1,000 items",
    ),
    "many layers inside": (
        lambda: (
            START + b"model: {layers: [" + b"{type: residual, layers: [relu, {type: dense, units: 1}]}," * 7_000 + b"]}"
        ),
        "model.layers: must have at most 1,000 items",
    ),
    "many wrong layers": (lambda: START + b"model: {layers: [" + b"rleu," * 900 + b"]}", "did you mean `relu`?"),
    "many metrics": (
        lambda: START + b"metrics: [" + b"accuracy," * MANY + b"]",
        "metrics: must have at most 1,000 items",
    ),
    "many columns that are not there": (
        lambda: b"data: {path: table.csv, target: answer, drop: [" + b",".join(b"a%d" % i for i in range(MANY)) + b"]}",
        "data.drop[0]: table.csv has no column `a0`, did you mean `a`?",
    ),
    "many options of such columns": (
        lambda: (
            b"data:\n  path: table.csv\n  target: answer\n  columns:\n"
            + b"".join(b"    k%d:\n" % place for place in range(MANY // 2))
        ),
        "data.columns.k0: table.csv has no column `k0`",
    ),
    "many holes": (lambda: START + b"name: " + b"${" * (LONG // 2), "name: only `${env:NAME}` is filled in"),
    "one long value, many times": (
        lambda: START + b"metrics: [" + b"'${env:LONG}'," * 20_000 + b"]",
        "with the environment variable `LONG` filled in: must be at most 1 MB",
    ),
}


def _aliases() -> bytes:
    """A kilobyte that stands for nine to the ninth values."""
    lines = [b"a: &a [x,x,x,x,x,x,x,x,x]\n"]
    for before, name in zip(b"abcdefgh", b"bcdefghi", strict=True):
        lines.append(b"%c: &%c [%s]\n" % (name, name, b",".join([b"*%c" % before] * 9)))
    return b"".join(lines)


def main() -> None:
    """Check every bomb in the current folder, which has a table; a line of JSON for each."""
    from nnctl.cli import main as nnctl

    start = _cost(nnctl, "plain", ["check", "it.yaml"])
    start["seconds"] = time.process_time()  # with the imports
    print(json.dumps(start), flush=True)
    for name, (content, _) in BOMBS.items():
        Path("x.yaml").write_bytes(content())
        cost = _cost(nnctl, name, ["check", "x.yaml"])
        if cost["seconds"] > start["seconds"] / 2:  # others may have had the processor's caches
            cost["seconds"] = min(cost["seconds"], _cost(nnctl, name, ["check", "x.yaml"])["seconds"])
        print(json.dumps(cost), flush=True)


def _cost(nnctl: Callable[[list[str]], int], name: str, words: list[str]) -> dict[str, Any]:
    out, err = io.StringIO(), io.StringIO()
    before = time.process_time()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = nnctl(words)
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)
    seconds = time.process_time() - before
    return {"name": name, "code": code, "seconds": seconds, "kilobytes": kilobytes, "err": err.getvalue()}


if __name__ == "__main__":
    main()
