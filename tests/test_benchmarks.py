"""The benchmark: its pieces run, and what is compared computes the same. No time is judged here."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import __main__ as pages
from benchmarks import epoch, machine, step, tables, threads
from benchmarks.bare import BareLoop
from benchmarks.children import Peers, environment
from benchmarks.command import Options
from benchmarks.generated import Dress
from benchmarks.machine import OtherWork, described
from benchmarks.own import own_rows, stepper
from benchmarks.report import Mark, Table, summary
from benchmarks.rounds import affordable, peak_of
from benchmarks.workloads import WORKLOADS, Workload
from nnctl.console.progress import Plain
from nnctl.experiment import open_experiment


@pytest.mark.parametrize("name", ["xor", "small", "mnist"])
def test_the_bare_loop_and_nnctl_come_to_the_same_weights(name: str) -> None:
    step.check_same(WORKLOADS[name])


def test_weights_that_differ_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.bare.BETA2", 0.99)
    with pytest.raises(AssertionError, match="xor: weights differ by"):
        step.check_same(WORKLOADS["xor"])


def test_the_step_table_has_a_row_for_each_workload_asked_for() -> None:
    (table,) = step.step_tables(Options(rounds=1, only=("xor",)))
    assert [row[0] for row in table.rows] == ["xor 2-8-1, 4"]
    assert len(table.rows[0]) == len(table.head)
    assert {mark.what.partition(":")[0] for mark in table.marks} == {"xor"}


def test_no_weight_comes_near_a_denormal_number_in_a_round() -> None:
    workload = WORKLOADS["small"]
    bare = BareLoop(workload)
    for _ in range(workload.steps + workload.steps // 4):
        bare.step()
    tiny = np.finfo(np.float32).tiny
    for vector in (bare.theta, bare.m, bare.v):
        assert not ((vector != 0) & (np.abs(vector) < tiny)).any()


def test_a_peer_answers_rounds_or_is_named_as_missing() -> None:
    with Peers(sys.executable, ["torch"]) as peers:
        if peers.missing:
            assert (peers.sides, peers.missing) == ([], ["torch"])
            return
        clock, cpu = peers.round("PyTorch eager", "xor", 2)
        assert clock > 0
        assert cpu > 0


def test_a_workload_takes_at_least_one_step_in_a_round() -> None:
    assert Workload("huge", (2, 3, 1), 4, 1e9).steps == 1


def test_a_mark_that_is_missed_says_so() -> None:
    assert str(Mark("xor: a", 0.5, 0.7)) == "met: xor: a 0.5 x, mark <= 0.7 x"
    missed = Mark("xor: b", 12.5, 20, ">=")
    assert str(missed) == "MISSED: xor: b 12.5 x, mark >= 20 x"
    table = Table("T", ["a", "b"], [["1", "2"]], [missed])
    assert "- **MISSED" in table.markdown()
    assert "MISSED" in table.text()


def test_a_mark_that_says_nothing_is_neither_met_nor_missed() -> None:
    marks = [
        Mark("a", 0.5, 0.7),
        Mark("b", 0.9, 0.7),
        Mark("c", 0.5, 0.7, unclear="why"),
        Mark("d", 9, 7, unclear="so"),
    ]
    table = Table("T", ["a"], [["1"]], marks)
    assert str(marks[2]) == "not measurable here: c 0.5 x, mark <= 0.7 x; why"
    counts, *listed = summary([table])
    assert counts == "1 of 4 marks are met, 1 missed, 2 not measurable here."
    assert [line.split(":")[0] for line in listed] == ["- MISSED", "- not measurable here", "- not measurable here"]
    assert table.markdown().count("**") == 2  # the missed one alone


@pytest.mark.parametrize(
    ("percent", "verdict"), [(-46.1, "not measurable here"), (-1.5, "met"), (10, "met"), (10.1, "MISSED")]
)
def test_parts_that_take_longer_than_the_whole_are_no_measurement(percent: float, verdict: str) -> None:
    assert epoch.rest_mark("breast_cancer", percent).verdict == verdict


def test_the_marks_of_an_epoch_are_judged_on_processor_time() -> None:
    whole, rest = (Table("T", []) for _ in range(2))
    workload = Workload("breast_cancer", (30, 64, 64, 1), 32, 60)
    found = {"bare": [(1.0, 2.0)], "bar": [(9.0, 1.0)], "lines": [(9.0, 9.0)]}
    found |= {"arithmetic": [(1.0, 0.95)], "without validation": [(1.0, 0.5)]}
    epoch._add_whole(whole, workload, found)
    epoch._add_rest(rest, workload, found)
    assert [mark.value for mark in (*whole.marks, *rest.marks)] == pytest.approx([0.5, 5.0])


def test_the_pieces_of_an_epoch_run(tmp_path: Path) -> None:
    case = replace(epoch.cases(tmp_path)[0], epochs=3)
    config = case.config(tmp_path)
    assert epoch.bare_epoch(case, 4) > (0, 0)
    for display in (epoch.bar, Plain):
        assert epoch.whole_epoch(config, tmp_path / "runs", display) > (0, 0)
    assert epoch.arithmetic(open_experiment(config).prepared, 2, validation=True) > (0, 0)


def test_two_threads_step_as_the_bare_loop_does() -> None:
    workload, bare = WORKLOADS["small"], BareLoop(WORKLOADS["small"])
    sides = {name: own_rows(workload, count) for name, count in ((threads.ONE, 1), (threads.TWO, 2))}
    with Peers(None) as peers:
        found = threads.measured(workload, sides, 1, peers)
    assert {name: len(taken) for name, taken in found.items()} == {threads.ONE: 1, threads.TWO: 1, threads.BARE: 1}
    for _ in range(3):
        bare.step()
    for stepping in sides.values():
        threads.anew(stepping, workload)()
        step = stepper(stepping)
        for _ in range(3):
            step()
        np.testing.assert_allclose(stepping.arena.theta, bare.theta, atol=1e-6)
        stepping.team.close()


def test_the_bare_loop_on_two_threads_may_not_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "BARE_SECONDS", 0.0)
    with Peers(None) as peers:
        found = threads.measured(WORKLOADS["xor"], {}, 5, peers)
    assert len(found[threads.BARE]) == 1


def test_a_slow_side_takes_fewer_steps_in_a_round() -> None:
    assert affordable(400, 1e-6) == 400
    assert affordable(400, 1e-3) == 100
    assert affordable(400, 1.0) == 40
    assert affordable(1, 60.0) == 1


def test_reading_is_timed_beside_pandas() -> None:
    found = tables.parse(200, 1, {"plain": Dress()})
    assert [row[0] for row in found.rows] == ["plain"]
    assert len(found.rows[0]) == len(found.head)


def test_the_stages_of_a_large_table_are_timed() -> None:
    found = {row[0]: float(row[1]) for row in tables.big(400, 1).rows}
    assert found["until training begins (all)"] >= found["second pass: parse"]
    assert found["whole run"] >= found["until training begins (all)"] > 0


def test_the_peak_of_a_process_is_its_own_and_not_that_of_its_parent() -> None:
    held = bytearray(200_000_000)
    assert 1_000_000 < peak_of(["--version"], environment()) < len(held)


def test_no_process_sees_what_chooses_kernels_or_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert "OPENBLAS_CORETYPE" not in environment()
    assert "OMP_NUM_THREADS" not in environment()
    assert environment(2)["OMP_NUM_THREADS"] == "2"


def test_the_results_name_the_machine_and_every_mark_that_is_missed() -> None:
    marks = [Mark("kept", 0.5, 0.7), Mark("broken", 0.9, 0.7)]
    page = "\n".join(pages.page(described(Options()), [Table("T", ["a"], [["1"]], marks)], 1.0))
    assert "1 of 2 marks are met" in page
    assert page.count("MISSED: broken") == 2  # on top, and beside its table
    assert "numpy" in page


def test_what_others_do_to_the_machine_is_told() -> None:
    assert "cores busy" in str(OtherWork()) or "Load of the machine" in str(OtherWork())


@pytest.mark.parametrize(
    ("worked", "own", "said"),
    [
        (0.1, 0.0, ""),
        (10.0, 10.0, ""),  # our own work keeps nothing busy
        (10.6, 10.0, "other processes kept 0.6 of 2 cores busy, which left fewer than 1.8"),
        (0.0, 10.0, ""),  # a system that tells nothing
    ],
)
def test_two_threads_are_not_judged_where_others_keep_the_cores_busy(
    worked: float, own: float, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"_worked": iter((100.0, 100.0 + worked)), "_own": iter((5.0, 5.0 + own)), "monotonic": iter((0.0, 1.0))}
    monkeypatch.setattr(machine, "_worked", lambda: next(told["_worked"]))
    monkeypatch.setattr(machine, "_own", lambda: next(told["_own"]))
    monkeypatch.setattr(machine.time, "monotonic", lambda: next(told["monotonic"]))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert OtherWork().unclear == said


def test_a_busy_machine_leaves_the_marks_of_two_threads_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OtherWork, "unclear", "others")
    (table,) = threads.thread_tables(Options(rounds=1, only=("middle",)))
    assert {mark.verdict for mark in table.marks} == {"not measurable here"}
