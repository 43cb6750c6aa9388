"""Names, labels and arguments from strangers: no terminal obeys them, no file breaks, no path leaves the run folder."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nnctl.cli import main

HOSTILE = [
    *("[red]x", "[/]", "[/red]", "[link=http://e.com]x[/link]", "[bold", "\\[x]", ":smile:"),
    *(
        "\x1b[31mred",
        "\x1b[2J",
        "\x1b]0;title\x07",
        "\x1bPq\x1b\\",
        "\x9b31mx",
        "x\x85y",
        "\x08\x08x",
        "x\x7f",
        "a\rb",
        "a\nb",
    ),
    *("\u202eabc\u202c", "\u2066x\u2069", "\u200bx\u200d", "x\u2028y", "x\ufeff", "\ue000", "e\u0301", "\uff41", "😀x"),
    *("<script>alert(1)</script>", "&lt;", "../../up", "/etc/passwd", "..", "~", "$(touch boom)", "`id`", "%s%n{0}"),
    *("=cmd|' /C calc'!A0", "+1+1", "@SUM(1)", "-2+3", 'quo"te', "it's", "com,ma", "semi;colon", "a\tb", "\\n", "#x"),
    *("[a.b]", "a=b", "a: b", "- x", "${env:HOME}", "é" * 127, "a" * 255),
]
ID, LEVELS, TARGET = "\x1b[31mid", "cat\x1b[1m", "target\x1b]0;t\x07"
HEADER = [ID, *HOSTILE, LEVELS, TARGET]
# What rich itself writes to a terminal: styles, and its own moves of the cursor where it redraws.
OURS = re.compile(r"\x1b\[(?:0|1|2|3|36|1;36|3[1-7]|1;3[1-7])?m|\x1b\[\?25[lh]|\r(?=\x1b\[2K)|\x1b\[2K|\x1b\[1A")


class Terminal(io.TextIOWrapper):
    """A stream that says it is a terminal, and keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def isatty(self) -> bool:
        return True

    @property
    def text(self) -> str:
        self.flush()
        kept = self.buffer
        assert isinstance(kept, io.BytesIO)
        return kept.getvalue().decode()


def rows() -> list[list[str]]:
    made = []
    for place in range(3 * len(HOSTILE)):
        numbers = [str(place * (column % 16 + 1) % 17 / 4) for column in range(len(HOSTILE))]
        made.append([f"\x1b[1m{place}", *numbers, HOSTILE[place * 3 % 7], HOSTILE[place % len(HOSTILE)]])
    return made


@pytest.fixture
def table(folder: Path) -> Path:
    """A table whose columns, levels and labels are hostile, and a config that trains on it."""
    with (folder / "hostile.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(rows())
    assert main(["init", "hostile.csv", "--target", TARGET, "-o", "hostile.yaml"]) == 0
    return folder / "hostile.csv"


@pytest.fixture
def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run a command line whose stdout and stderr are terminals; what they are told."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "300")

    def run(*words: str) -> str:
        out, err = Terminal(), Terminal()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            main(words)
        return out.text + err.text

    return run


def obeyed(text: str) -> list[str]:
    """What a terminal would obey, but for our own styles; with what stands before it."""
    rest = OURS.sub("", text)
    return [
        rest[max(0, place - 30) : place + 5]
        for place, letter in enumerate(rest)
        if letter != "\n" and not letter.isprintable()
    ]


COMMANDS = [
    ["init", "hostile.csv", "--target", TARGET],
    ["check", "hostile.yaml"],
    ["check", "hostile.yaml", "--json"],
    ["check", "hostile.yaml", "--resolved"],
    ["gradcheck", "hostile.yaml"],
    ["train", "hostile.yaml", "train.epochs=2", "--progress", "plain"],
    ["train", "hostile.yaml", "train.epochs=2", "--json"],
    ["eval", "hostile/latest"],
    ["eval", "hostile/latest", "--json"],
    ["predict", "hostile/latest", "hostile.csv", "--proba"],
    ["runs", "ls"],
    ["runs", "ls", "--json"],
    ["runs", "ls", "--csv"],
    ["runs", "show", "hostile/latest"],
    ["runs", "show", "hostile/latest", "--json"],
    ["runs", "verify"],
]


def test_a_terminal_obeys_nothing_that_stands_in_a_table(table, nnctl, on_terminal):
    override = 'data.columns["\x1b[31mid"].scale=none'
    assert nnctl("train", "hostile.yaml", "train.epochs=1", "--name", "hostile", override).code in (0, 2)
    for words in (COMMANDS[5], *COMMANDS):
        assert not obeyed(on_terminal(*words)), words
        result = nnctl(*words)
        assert result.code == 0, result.err
        assert not obeyed(result.err), words
        if "--json" in words:
            assert json.loads(result.out)


def test_what_is_written_reads_back_as_it_was(table, nnctl):
    json_of = {words[0]: json.loads(nnctl(*words).out) for words in COMMANDS if words[1:] and words[-1] == "--json"}
    names = {column["name"] for column in json_of["check"]["columns"]}
    assert names == {name.strip() for name in (*HOSTILE, LEVELS)}
    assert {each["label"] for each in json_of["eval"]["classes"]} == set(HOSTILE)
    for words in (["-o", "out.csv"], []):
        result = nnctl("predict", "hostile/latest", "hostile.csv", "--proba", *words)
        text = Path("out.csv").read_bytes().decode() if words else result.out
        header, *cells = csv.reader(io.StringIO(text, newline=""))
        assert header[: len(HEADER)] == HEADER
        assert [row[: len(HEADER)] for row in cells] == rows()  # formulas too: cells are those of the input
        assert {row[len(HEADER)] for row in cells} <= set(HOSTILE)
        assert header[len(HEADER) + 1 :] == [f"p_{label}" for label in sorted(HOSTILE)]


def test_what_was_overridden_reads_back_from_the_listing_as_csv(folder, nnctl, on_terminal):
    value = 'a\rb,"c"\x1b[31m'
    assert nnctl("train", "it.yaml", "train.epochs=1", f"data.missing_values={json.dumps([value, ''])}").code == 0
    assert nnctl("train", "it.yaml", "train.epochs=1", 'data.columns["b"]={scale: robust}').code == 0
    header, *cells = csv.reader(io.StringIO(nnctl("runs", "ls", "--csv").out, newline=""))
    assert [len(row) for row in cells] == [len(header)] * 2
    found = [json.loads(row[header.index("data.missing_values")] or "null") for row in cells]
    assert [value, ""] in found
    for words in (["ls"], ["ls", "--csv"], ["ls", "--json"], ["show", "it/latest"]):
        assert not obeyed(on_terminal("runs", *words)), words


ARGUMENTS = [
    ["check", "{}"],
    ["check", "it.yaml", "{}"],
    ["check", "it.yaml", "{}=1"],
    ["check", "it.yaml", "name={}"],
    ["check", "it.yaml", "optimizer={}"],
    ["check", "it.yaml", "data.target={}"],
    ["check", "it.yaml", "data.path={}"],
    ["train", "{}"],
    ["eval", "{}"],
    ["predict", "{}", "table.csv"],
    ["init", "{}", "--target", "answer"],
    ["init", "table.csv", "--target", "{}"],
    ["runs", "ls", "--where", "{}"],
    ["runs", "ls", "--where", "{}<1"],
    ["runs", "ls", "--sort", "{}"],
    ["runs", "show", "{}"],
    ["runs", "ls", "--runs-dir", "{}"],
    ["explain", "{}"],
    ["list", "{}"],
    ["{}"],
]


@pytest.mark.parametrize("words", ARGUMENTS, ids=" ".join)
def test_an_argument_is_answered_by_a_sentence(folder, on_terminal, words):
    before = sorted(folder.rglob("*"))
    some = HOSTILE[ARGUMENTS.index(words) % 4 :: 4]
    for text in (*some, "\x1b[31mred", "[/]", "a\rb", "a\0b", "\udcff", "\ud800"):
        line = [word.replace("{}", text) for word in words]
        told = on_terminal(*line)
        assert not obeyed(told), line
        assert "Traceback" not in told, line
        assert "a bug in nnctl" not in told, (line, told)
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("text", [*HOSTILE, "latest", "", ".", ".x", "-x", "x" * 65, "a\0b", "\udcff"])
def test_a_run_name_makes_no_folder_elsewhere(folder, nnctl, text):
    """As an option or a key it is refused; as the name of a file it becomes one that is allowed."""
    outside = {path for path in folder.parent.rglob("*") if "runs" not in path.parts}
    for words in (["--name", text], [f"name={json.dumps(text)}"]):
        result = nnctl("train", "it.yaml", "train.epochs=1", "-q", *words)
        if result.code == 0:
            assert Path(result.out.strip()).parts[0] == "runs"
            assert len(Path(result.out.strip()).parts) == 3
        else:
            assert result.code == 2
            assert not obeyed(result.err)
    assert {path for path in folder.parent.rglob("*") if "runs" not in path.parts} == outside


@pytest.mark.parametrize("text", [each for each in HOSTILE if "/" not in each and each not in ("..", "~")])
def test_a_config_may_be_called_anything(folder, nnctl, text):
    path = Path(f"{text[:200].encode()[:240].decode(errors='ignore')}.yaml")
    path.write_bytes(Path("it.yaml").read_bytes())
    result = nnctl("train", f"./{path}", "train.epochs=1")
    assert result.code == 0, result.err
    assert not obeyed(result.err + result.out)
    (run,) = Path("runs").glob("[!.]*/2*")
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", run.parent.name)
    assert nnctl("train", str(run / "resolved.yaml"), "train.epochs=1", "-q").code == 0
