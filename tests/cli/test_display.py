"""What a training shows while it runs, drawn into terminals that exist only in memory."""

from __future__ import annotations

import io
import math
import re
import sys
from types import SimpleNamespace

import pytest
from rich.console import Console

from nnctl.console import progress
from nnctl.console.frame import History
from nnctl.console.live import Live
from nnctl.console.text import BLOCKS, clean, clock, count, duration, number, sparkline
from nnctl.running.folding import folded
from nnctl.running.loop import Finished, FoldsStarted, Note, Started
from nnctl.running.run import Run
from nnctl.training.trainer import Epoch, Tick

COLUMNS = ["train_loss", "val_loss", "val_accuracy"]


class Screen(io.StringIO):
    """A terminal in memory that counts how often it is written to."""

    writes = 0

    def write(self, text: str) -> int:
        self.writes += bool(text)
        return super().write(text)


def started(epochs: int = 100, steps: int = 10, max_time: float | None = None) -> Started:
    job = SimpleNamespace(epochs=epochs, epoch_steps=steps, columns=COLUMNS, monitor="val_loss")
    prepared = SimpleNamespace(
        job=job,
        experiment=SimpleNamespace(train=SimpleNamespace(max_time=max_time)),
        fitted=SimpleNamespace(rows={"train": 72, "val": 24, "test": 0}),
        network=SimpleNamespace(parameters=1234),
    )
    return Started("runs/[red]x[/red]/1", prepared)


def epoch(number: int, seconds: float) -> Epoch:
    loss = 1 / number
    values = {"train_loss": loss, "val_loss": loss + 0.01, "val_accuracy": 1 - loss / 2}
    return Epoch(number, number * 10, 0.1, seconds, values, number % 2 == 1, None)


def finished(epochs: int) -> Finished:
    run = Run("runs/x/1", "early_stopped", "val_loss has not improved", epochs, 9, {}, 12.5, None)
    return Finished(run, None)


def shown(events, *, width: int = 80, **options) -> str:
    """What a terminal of this width has been sent, without its control sequences."""
    screen = Screen()
    console = Console(file=screen, force_terminal=True, width=width, height=24, highlight=False, **options)
    with Live(console) as display:
        for event in events:
            display.show(event)
    return screen.getvalue()


def lines_of(text: str) -> list[str]:
    """The lines of all pictures; between two of them the cursor goes up, which ends a line as well."""
    return [clean(line).rstrip() for line in re.sub(r"(?:\x1b\[\d*[AK]|\r)+", "\n", text).split("\n")]


def last_picture(text: str) -> list[str]:
    """The lines of the last picture that was drawn."""
    lines = lines_of(text)
    start = max(place for place, line in enumerate(lines) if "%" in line)
    return lines[start:]


def test_the_display_shows_where_the_training_stands():
    lines = last_picture(shown([started(), *(epoch(n, n / 10) for n in range(1, 11)), Tick(11, 105, 1.05)]))
    assert lines[0].endswith("10%  0:09 left")
    assert lines[0].startswith("━━━━━━─")
    assert lines[1] == "epoch 11/100  100 steps/s"
    assert lines[2].split() == ["epoch", *COLUMNS]
    assert lines[3].split() == ["6", "0.1667", "0.1767", "0.9167"]
    assert lines[8] == "best: epoch 9  val_loss 0.1211"
    assert lines[9].startswith("val_loss  █")


def test_the_last_picture_stays_and_the_cursor_comes_back():
    text = shown([started(), Note("a note"), epoch(1, 0.2), epoch(20, 2.0), finished(20)])
    lines = last_picture(text)
    assert lines[0].endswith(" 20%")
    assert "left" not in lines[0]
    assert "early stopped after 20 epochs in 0:12, best epoch 9: val_loss has not improved" in lines
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1
    assert "a note" in text


def test_a_bar_asked_for_in_a_pipe_is_drawn_once():
    screen = Screen()
    with Live(Console(file=screen, width=80)) as display:
        for event in (started(), epoch(1, 0.2), epoch(20, 2.0), finished(20)):
            display.show(event)
    text = screen.getvalue()
    assert "\x1b" not in text
    assert text.count("%") == 1
    assert "\nearly stopped after 20 epochs" in text


def test_a_long_path_is_one_word_whatever_the_width():
    path = "runs/" + "x" * 100
    assert f"{path}: 72 train, 24 val rows, 1,234 parameters\n" in shown([started()._replace(run=path)], width=40)


def test_an_error_leaves_the_terminal_as_it_was():
    screen = Screen()
    display = Live(Console(file=screen, force_terminal=True, width=80))
    display.show(started())
    display.__exit__(RuntimeError, RuntimeError(), None)
    assert screen.getvalue().endswith("\x1b[?25h")


@pytest.mark.parametrize("width", [1, 10, 20, 40, 80, 120])
def test_no_line_is_wider_than_the_terminal(width):
    text = shown([started(), *(epoch(n, n / 3) for n in range(1, 101))], width=width)
    pictures = text.partition("\x1b[?25l")[2]
    assert all(len(line) <= width for line in lines_of(pictures))


def test_a_terminal_without_unicode_or_colour_is_served():
    class Latin(Screen):
        encoding = "latin-1"

    screen = Latin()
    with Live(Console(file=screen, force_terminal=True, width=60, no_color=True)) as display:
        for event in (started(), epoch(1, 0.2), epoch(2, 0.4)):
            display.show(event)
    text = screen.getvalue()
    assert text.isascii()
    assert "\x1b[3" not in text
    assert "-----" in text


def test_time_left_is_bounded_by_max_time():
    text = shown([started(max_time=3.0), epoch(1, 1.0), Tick(2, 15, 2.0)])
    assert last_picture(text)[0].endswith("0:01 left")


def test_a_redraw_goes_by_the_clock_and_never_by_the_epoch():
    screen = Screen()
    display = Live(Console(file=screen, force_terminal=True, width=80))
    display.show(started(epochs=10**6))
    events = [epoch(n, 1 + n * 1e-6) for n in range(1, 20_001)]
    display.show(events[0])
    before, calls = screen.writes, 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event in ("call", "c_call")

    earlier = sys.getprofile()
    sys.setprofile(count)
    try:
        for event in events[1:]:
            display.show(event)
    finally:
        sys.setprofile(earlier)
    assert screen.writes == before, "0.02 s of training is no reason to draw"
    assert calls / len(events) < 16, "an epoch of XOR is about as long as a hundred"
    display.show(epoch(20_001, 2.5))
    assert screen.writes > before
    display.__exit__(None, None, None)


def test_the_history_is_bounded_and_even():
    history = History(most=64)
    for value in range(1, 10_001):
        history.add(float(value))
    assert 32 <= len(history.values) < 64
    steps = {after - before for before, after in zip(history.values, history.values[1:], strict=False)}
    assert len(steps) == 1
    assert history.values[-1] > 9_000


def test_plain_lines_come_for_every_evaluation_in_few_writes(monkeypatch):
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    with progress.display("plain", quiet=False) as display:
        display.show(started(epochs=500))
        for n in range(1, 501):
            display.show(epoch(n, n * 60e-6))
        display.show(finished(500))
    lines = screen.getvalue().splitlines()
    assert lines[0] == "runs/[red]x[/red]/1: 72 train, 24 val rows, 1,234 parameters"
    assert lines[1] == "epoch 1/500  train_loss 1.000  val_loss 1.010  val_accuracy 0.5000"
    assert len(lines) == 502
    assert screen.writes < 10


def test_a_failed_training_is_known_by_what_was_seen_of_it():
    display = progress.Display()
    assert display.so_far() is None
    display.show(started())
    display.show(epoch(3, 0.5))
    assert display.so_far() == Run("runs/[red]x[/red]/1", "failed", "", 3, 0, {}, 0.5, None)


def test_the_clock_of_a_display_starts_anew_with_every_fold():
    screen = Screen()
    with Live(Console(file=screen, force_terminal=True, width=80)) as display:
        display.show(FoldsStarted("runs/x/1", 2))
        for fold, seconds in ((1, 50.0), (2, 0.2)):
            display.show(started()._replace(fold=(fold, 2)))
            display.show(epoch(1, seconds))
            assert f"fold {fold}/2  epoch 1/100" in screen.getvalue()
            display.show(finished(1))
    assert "runs/x/1: 2 folds" in screen.getvalue()


def test_folds_that_an_error_ended_are_known_by_those_that_ended():
    display = progress.Display()
    display.show(FoldsStarted("runs/x/1", 3))
    assert display.so_far() == folded("runs/x/1", [], "failed", "")
    for event in (started(), finished(9), started(), epoch(2, 0.5)):
        display.show(event)
    run = display.so_far()
    assert [fold.status for fold in run.folds] == ["early_stopped", "failed"]
    assert (run.path, run.status, run.epochs) == ("runs/x/1", "failed", 11)


def test_a_pipe_gets_plain_lines_and_a_terminal_a_bar(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stderr", SimpleNamespace(isatty=lambda: True, encoding="utf-8"))
    assert isinstance(progress.display("auto", quiet=False), Live)
    assert type(progress.display("auto", quiet=True)) is progress.Display
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(progress.display("auto", quiet=False), progress.Plain)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123456, "0.1235"),
        (1.0, "1.000"),
        (999.96, "1000."),
        (12345.6, "12346"),
        (1.5e12, "1.500e+12"),
        (1.23456e-7, "1.235e-07"),
        (-0.5, "-0.5000"),
        (math.nan, "nan"),
        (None, "-"),
        (7, "7"),
        ("a\x1b[31mb", "ab"),
    ],
)
def test_numbers_have_four_significant_digits(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain [red]x[/red] ü 漢", "plain [red]x[/red] ü 漢"),
        ("a\x1b[31;1mb\x1b[0m", "ab"),
        ("\x1b]0;title\x07x\x1b]8;;http://a\x1b\\link", "xlink"),
        ("\x9b31mx\x9d", "x"),
        ("a\tb\nc\u00a0d\u2028e", "a b c d e"),
        ("\u202eevil\u200b", "evil"),
        ("na\udcefve", "na\\udcefve"),
        ("\x1b", ""),
    ],
)
def test_nothing_that_a_terminal_obeys_is_left(text, safe):
    assert clean(text) == safe


def test_spans_and_counts_read_well():
    assert [duration(seconds) for seconds in (0.051, 9.99, 75, 3723)] == ["0.05 s", "9.99 s", "1:15", "1:02:03"]
    assert clock(0.4) == "0:00"
    assert [count(1, "row"), count(1797, "row")] == ["1 row", "1,797 rows"]


def test_a_sparkline_is_logarithmic_where_it_can_be():
    assert sparkline([1, 10, 100, 1000], 10) == "▁▃▆█"
    assert sparkline([-1, 0, 1], 10) == "▁▅█"
    assert sparkline([1.0, 1.0], 10) == "▁▁"
    assert sparkline([1, math.nan, 2], 10) == "▁ █"
    assert sparkline([math.nan, math.inf], 10) == ""
    assert sparkline([], 10) == ""
    assert len(sparkline([float(n) for n in range(1, 500)], 37)) == 37
    assert set(sparkline([2.0**n for n in range(8)], 8)) == set(BLOCKS)
