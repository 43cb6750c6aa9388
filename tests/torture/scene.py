"""A command that is disturbed, and the folder that it finds each time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tests.torture import processes
from tests.torture.processes import Ended
from tests.torture.shim import Call, Crash, Fault, Recorded, Watch
from tests.torture.subject import LITTER, Subject


@dataclass
class Scene:
    """A command, the runs it starts from, and the calls that it makes when it is left alone."""

    subject: Subject
    words: list[str]
    before: Path | None  # a copy of the runs folder; None: there is none
    calls: list[Call]
    broken: Callable[[], object] | None = None  # what is wrong with the writer
    damaged: bool = False  # whether `last` is damaged before it starts

    @property
    def litter(self) -> list[str]:
        """What is half-written before it starts."""
        paths = [] if self.before is None else self.before.rglob("*")
        return [str("runs" / path.relative_to(self.before)) for path in paths if path.name.endswith(LITTER)]

    def play(self, *faults: Fault, more: Callable[[], object] | None = None) -> Ended:
        """Set the folder up anew and run the command with faults in it."""
        self.reset()
        watch = Watch(self.subject.runs, *faults)

        def prepare() -> None:
            for step in (self.broken, watch.install, more):
                if step is not None:
                    step()

        return processes.run(processes.nnctl(*self.words, prepare=prepare), self.subject.folder)

    def reset(self) -> None:
        shutil.rmtree(self.subject.runs, ignore_errors=True)
        if self.before is not None:
            shutil.copytree(self.before, self.subject.runs, symlinks=True)


def training(subject: Subject, broken: Callable[[], object] | None = None) -> Scene:
    """`train` where there is nothing yet."""
    scene = Scene(subject, subject.train_words(), None, [], broken)
    scene.calls = _calls(scene)
    return scene


def resuming(subject: Subject, broken: Callable[[], object] | None = None) -> Scene:
    """`resume` of a run that was killed just before it renamed a save, with rows that the last save does not know.

    Only what goes on has a writer that is broken.
    """
    train = training(subject)
    renames = [call.number for call in train.calls if (call.name, call.path.name) == ("replace", "last.safetensors")]
    train.play(Crash(renames[len(renames) // 2]))
    before = subject.folder / "killed"
    shutil.copytree(subject.runs, before, symlinks=True)
    scene = Scene(subject, subject.resume_words(subject.begun()[0]), before, [], broken)
    scene.calls = _calls(scene)
    return scene


def falling_back(resumed: Scene) -> Scene:
    """The same `resume`, of a run whose `last` is damaged."""
    before = resumed.subject.folder / "damaged"
    assert resumed.before is not None
    shutil.copytree(resumed.before, before, symlinks=True)
    (path,) = before.rglob("last.safetensors")
    path.write_bytes(path.read_bytes()[:-1])
    scene = replace(resumed, before=before, damaged=True)
    scene.calls = _calls(scene)
    return scene


def _calls(scene: Scene) -> list[Call]:
    """The calls of the command when nothing happens to it, through a file that its process leaves."""
    path = scene.subject.folder / "calls"
    written = Written(path)
    ended = scene.play(written)
    written.close()
    assert ended.code == 0, ended.err
    lines = [line.split(" ", 1) for line in path.read_text().splitlines()]
    path.unlink()
    return [Call(number, name, Path(file), ()) for number, (name, file) in enumerate(lines, 1)]


class Written(Recorded):
    """Notes every call in a file that outlives the process."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def close(self) -> None:
        os.close(self._file)

    def before(self, call: Call) -> None:
        os.writev(self._file, [f"{call.name} {call.path}\n".encode()])
