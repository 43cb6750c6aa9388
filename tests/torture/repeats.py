"""F15: the same experiment ends with the same bits, whatever else differs; where it cannot, `resume` says so."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from tests.torture import processes, recovery, scene
from tests.torture.processes import Ended
from tests.torture.subject import COSINE, SHORT, Subject
from tests.torture.tally import Plan, Tally

REPEATS = 5
KERNELS = ("Haswell", "Nehalem", "SkylakeX", "ARMV8", "NEOVERSEN1")
SAID = "the BLAS kernel: "


def inject(tally: Tally, folder: Path, chance: random.Random) -> None:
    """Repeat it, with other hashes, from another folder, and on another kernel."""
    subject = Subject.known(folder / "it", COSINE)
    for number in range(REPEATS if tally.full else 2):
        _same(
            tally, subject, processes.run(processes.nnctl(*subject.train_words()), subject.folder), f"repeat {number}"
        )
    for hashes in range(REPEATS) if tally.full else (3,):
        child = processes.real(subject.train_words(), subject.folder, {"PYTHONHASHSEED": str(hashes)})
        _same(tally, subject, child.wait(), f"PYTHONHASHSEED={hashes}")
    words = ["train", "it/it.yaml", "-q", "--runs-dir", "it/runs"]
    _same(tally, subject, processes.run(processes.nnctl(*words), folder), "from another folder")
    _other_kernel(tally, Subject.known(folder / "short", SHORT))


def _same(tally: Tally, subject: Subject, ended: Ended, what: str) -> None:
    if tally.check(ended.code == 0, f"{what}: exit {ended.code}: {ended.err}"):
        recovery.ends_the_same(tally, subject, what)
    tally.note("the same bits")
    shutil.rmtree(subject.runs)


def _other_kernel(tally: Tally, subject: Subject) -> None:
    """Resume on another kernel, where this BLAS has one that this machine can run."""
    played = scene.resuming(subject)
    own = _kernel({}, subject.folder)
    other = next(
        (name for name in KERNELS if _kernel({"OPENBLAS_CORETYPE": name}, subject.folder) not in ("", own)), ""
    )
    if not other:
        tally.outcomes["no other kernel here"] += 1
        return
    env = {"OPENBLAS_CORETYPE": other}
    played.reset()
    exact = processes.real([*played.words, "--exact"], subject.folder, env).wait()
    tally.check(exact.code == 2 and SAID in exact.err, f"--exact on {other}: exit {exact.code}: {exact.err}")
    tally.note("--exact refused another kernel")
    words = [word for word in played.words if word != "-q"]
    ended = processes.real(words, subject.folder, env).wait()
    tally.check(ended.code == 0 and SAID in ended.err, f"on {other}: exit {ended.code}, no warning: {ended.err}")
    tally.note("another kernel was said")


def _kernel(env: dict[str, str], folder: Path) -> str:
    """The kernel that BLAS takes in such an environment; empty if it does not say."""
    code = "import numpy, threadpoolctl as t; print(*{i.get('architecture') for i in t.threadpool_info()})"
    return processes.python(code, folder, env).out.strip()


PLAN = Plan("F15", "determinism", "the same bits, or a warning that they may differ", 13, 6, inject)
