"""The engine of this machine: what is lost with a worker, and what its coordinator hears and says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import CancelledError, wait
from pathlib import Path

import pytest

from nnctl.errors import DataError, WorkerDied
from nnctl.running.stacking import train_stack
from nnctl.sweeps.engines.answers import WorkerBug
from nnctl.sweeps.engines.local import Processes
from tests.sweeps import calls
from tests.sweeps.cluster import until, written
from tests.sweeps.tasks import sweep_folder, task

PATIENCE = 20.0


@pytest.fixture(scope="module")
def engine() -> Iterator[Processes]:
    with Processes(2, command=calls.COMMAND) as engine:
        yield engine


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return (
        Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z" if sys.platform == "linux" else True
    )


def test_values_go_there_and_back(engine: Processes) -> None:
    value = {"a": [1, 0.1, None, True, "\udcff é\n"], "b": {"c": []}, "large": "x" * 3_000_000, "inf": float("inf")}
    assert engine.submit(calls.echo, value).result(PATIENCE) == value
    assert list(engine.map(calls.echo, range(100), timeout=PATIENCE)) == [*range(100)]


def test_two_processes_share_the_calls_and_are_used_again(engine: Processes) -> None:
    pids = [future.result(PATIENCE) for future in [engine.submit(calls.pid, 0.02) for _ in range(10)]]
    assert set(pids) == set(engine.pids)
    assert len(set(pids)) == 2


def test_what_is_printed_breaks_nothing(engine: Processes, capfd: pytest.CaptureFixture[str]) -> None:
    found = engine.submit(calls.noisy).result(PATIENCE)
    assert (found["stdin"], found["threads"]) == ("", "1")
    assert found["session"] != os.getsid(0)
    assert capfd.readouterr() == ("", "")


def test_a_problem_of_the_user_arrives_as_it_was_raised(engine: Processes) -> None:
    with pytest.raises(DataError) as caught:
        engine.submit(calls.refuse).result(PATIENCE)
    assert str(caught.value) == "table.csv:1: data.target: has no column `b`\nis empty"


def test_a_bug_arrives_with_its_traceback(engine: Processes) -> None:
    with pytest.raises(WorkerBug, match=r"^ZeroDivisionError: something is zero") as caught:
        engine.submit(calls.stumble).result(PATIENCE)
    assert 'raise ZeroDivisionError("something is zero")' in caught.value.__notes__[0]
    with pytest.raises(WorkerBug, match="is not JSON serializable"):
        engine.submit(calls.unsendable).result(PATIENCE)


def test_only_the_functions_of_the_worker_are_called(engine: Processes) -> None:
    with pytest.raises(WorkerBug, match=r":system is no function of this worker"):
        engine.submit(os.system, "true").result(PATIENCE)


def test_a_killed_worker_costs_its_own_call(tmp_path: Path, engine: Processes) -> None:
    killed = engine.submit(calls.train, str(tmp_path / "begun"), str(tmp_path / "ended"))
    others = [engine.submit(calls.pid, 0.05) for _ in range(12)]
    pid = int(written(tmp_path / "begun"))
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(WorkerDied, match=rf"pid {pid}\) was ended by SIGKILL: perhaps because memory ran out"):
        killed.result(PATIENCE)
    assert pid not in [future.result(PATIENCE) for future in others]
    assert engine.submit(calls.pid).result(PATIENCE) != pid


def test_twenty_kills_cost_twenty_calls_and_no_other(tmp_path: Path) -> None:
    with Processes(2, command=calls.COMMAND) as engine:
        victims = [engine.submit(calls.leave, 9) for _ in range(10)]
        others = [engine.submit(calls.echo, number) for number in range(10)]
        assert [future.result(PATIENCE) for future in others] == [*range(10)]
        for future in victims:
            with pytest.raises(WorkerDied, match=r"ended with exit code 9; it said last: the last words$"):
                future.result(PATIENCE)


def test_a_worker_that_dies_idle_costs_nothing(engine: Processes) -> None:
    before = set(engine.pids)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
        until(lambda pid=pid: not is_running(pid))
    assert [future.result(PATIENCE) for future in [engine.submit(calls.echo, 1) for _ in range(4)]] == [1] * 4


def test_a_crash_in_c_code_says_so(engine: Processes) -> None:
    with pytest.raises(WorkerDied, match="ended by SIGSEGV; it said last: Fatal Python error: Segmentation fault"):
        engine.submit(calls.crash).result(PATIENCE)


def test_workers_that_cannot_begin_fail_their_calls() -> None:
    with Processes(1, command=(sys.executable, "-c", "import nothing_of_this_name")) as engine:
        future = engine.submit(calls.echo, 1)
    with pytest.raises(WorkerDied, match="exit code 1; it said last: ModuleNotFoundError: No module named"):
        future.result(PATIENCE)
    with pytest.raises(WorkerDied, match="no worker process can be started: no such file"):
        Processes(1, command=("/no/such/program",))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_of_the_coordinator_lets_the_training_save_itself(tmp_path: Path, number: signal.Signals) -> None:
    with Processes(1, command=calls.COMMAND) as engine:
        running = engine.submit(calls.train, str(tmp_path / "begun"), str(tmp_path / "ended"))
        waiting = engine.submit(calls.echo, 1)
        written(tmp_path / "begun")
        engine.interrupt(number)
        assert running.result(PATIENCE) == number.name
        with pytest.raises(CancelledError):
            waiting.result(PATIENCE)
        with pytest.raises(RuntimeError, match="after shutdown"):
            engine.submit(calls.echo, 1)


def test_a_signal_never_overtakes_its_call() -> None:
    for _ in range(5):
        with Processes(1, command=calls.COMMAND) as engine:  # not up yet: the call and the signal wait in the pipe
            running = engine.submit(calls.pid, PATIENCE)
            until(running.running)
            engine.interrupt(signal.SIGINT)
            with pytest.raises(WorkerDied, match="stopped by SIGINT"):
                running.result(PATIENCE)


def test_a_second_interrupt_ends_at_once(tmp_path: Path) -> None:
    engine = Processes(1, command=calls.COMMAND)
    running = engine.submit(calls.deaf, str(tmp_path / "begun"))
    pid = int(written(tmp_path / "begun"))
    engine.interrupt(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), engine:
        raise KeyboardInterrupt
    with pytest.raises(WorkerDied, match=f"pid {pid}.*SIGKILL$"):
        running.result(PATIENCE)
    assert not is_running(pid)


def test_an_error_of_the_coordinator_lets_trainings_save_themselves(tmp_path: Path) -> None:
    engine = Processes(1, command=calls.COMMAND)
    engine.submit(calls.train, str(tmp_path / "begun"), str(tmp_path / "ended"))
    written(tmp_path / "begun")
    with pytest.raises(ZeroDivisionError), engine:
        raise ZeroDivisionError
    assert (tmp_path / "ended").read_text() == "SIGTERM"


def test_shutdown_without_waiting_finishes_what_was_submitted() -> None:
    engine = Processes(1, command=calls.COMMAND)
    futures = [engine.submit(calls.echo, number) for number in range(3)]
    engine.shutdown(wait=False)
    assert [future.result(PATIENCE) for future in futures] == [0, 1, 2]
    engine.shutdown()
    engine.shutdown(cancel_futures=True)
    assert not wait(futures, PATIENCE).not_done


COORDINATOR = """
import sys
from nnctl.sweeps.engines.local import Processes
from tests.sweeps import calls
from tests.sweeps.cluster import until, written
from tests.sweeps.tasks import sweep_folder, task
engine = Processes(2, command=calls.COMMAND)
engine.submit(calls.train, sys.argv[1] + "/begun", sys.argv[1] + "/ended")
print(*engine.pids, flush=True)
input()
"""


def test_workers_of_a_killed_coordinator_save_themselves_and_end(tmp_path: Path) -> None:
    command = [sys.executable, "-c", COORDINATOR, str(tmp_path)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as coordinator:
        assert coordinator.stdout is not None
        pids = [int(pid) for pid in coordinator.stdout.readline().split()]
        assert int(written(tmp_path / "begun")) in pids
        coordinator.kill()
    assert written(tmp_path / "ended") == "SIGTERM"
    until(lambda: not any(is_running(pid) for pid in pids))


def test_a_worker_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "from tests.sweeps.calls import deaf; import nnctl.sweeps.worker as w; w.GRACE = 0.1; w.Calls().serve(deaf)"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=env)
    assert process.stdin is not None
    with process.stdin:
        call = {"call": "tests.sweeps.calls:deaf", "args": [str(tmp_path / "begun")]}
        process.stdin.write(json.dumps(call).encode() + b"\n")
        process.stdin.flush()
        written(tmp_path / "begun")
    assert process.wait(PATIENCE) == 143


def test_the_worker_trains_stacks_and_ends_them_at_a_signal(tmp_path: Path) -> None:
    sweep = sweep_folder(tmp_path)
    with Processes(2) as engine:
        short = engine.submit(train_stack, task(sweep, [1, 2]))
        long = engine.submit(train_stack, task(sweep, [3], "train.epochs=100000000"))
        assert [member["status"] for member in short.result(PATIENCE)["members"]] == ["completed"] * 2
        written(sweep / "trials/0003/run.json")
        engine.interrupt(signal.SIGINT)
        (member,) = long.result(PATIENCE)["members"]
        assert member["status"] == "interrupted"
        assert member["reason"].startswith("SIGINT in epoch ")
    assert json.loads((sweep / "trials/0002/run.json").read_text())["id"] == f"{sweep.name}/trials/0002"
