"""F4: the power fails: of what was not put on the disk by an fsync, any part may be there and any may be missing."""

from __future__ import annotations

import itertools
import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import nnctl
from nnctl.errors import NnctlError
from nnctl.runs.checkpoints import Checkpoints
from nnctl.runs.run_dir import RunDir
from tests.torture import recovery
from tests.torture.shim import Call, Quiet, Watch
from tests.torture.subject import COSINE, Subject, state_of
from tests.torture.tally import Plan, Tally

RESUMED = 50  # of so many images one is resumed to the end
SUBSETS = 1 << 10  # of what was pending, at most


@dataclass(eq=False)
class Node:
    """The bytes of a file, and how many of them are on the disk for sure."""

    data: bytearray
    synced: int = 0
    kind: str = "file"  # or folder, or link


class Rename(NamedTuple):
    """A change of names in one folder, which happens as a whole or not at all."""

    folder: str
    names: dict[str, Node | None]


class Moment(NamedTuple):
    """The disk between two calls."""

    safe: dict[str, Node]  # what is surely there, by path
    pending: list[Rename]
    contents: dict[Node, tuple[bytes, int]]
    promised: str  # the state in the last save that has returned

    @property
    def begun(self) -> bool:
        return any(path.endswith("run.json") for path in self.safe)


class Image(NamedTuple):
    """What may be on the disk after a power cut: files by their paths, and folders."""

    files: dict[str, bytes]
    folders: list[str]

    def key(self) -> int:
        return hash((frozenset(self.files.items()), frozenset(self.folders)))


class Journal(Quiet):
    """Follows the disk below a folder that is there: what is surely on it, and what is pending."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.moments: list[Moment] = []
        self._safe: dict[str, Node] = {}
        self._pending: list[Rename] = []
        self._names = {".": Node(bytearray(), kind="folder")}  # as processes see it
        self._promised = self._saved = ""
        self._handles: dict[int, tuple[str, Node]] = {}

    def after(self, call: Call, result: Any) -> None:
        path = str(call.path.relative_to(self.folder))
        if call.name == "open":
            self._open(path, result, "folder" if call.path.is_dir() else "file")
        elif call.name in ("write", "ftruncate"):
            self._change(call, self._handles[call.arguments[0]][1], result)
        elif call.name == "fsync":
            self._sync(*self._handles[call.arguments[0]])
        elif call.name in ("replace", "rename", "link"):
            self._move(call, path)
        elif call.name == "unlink":
            self._name(path, None)
        elif call.name in ("mkdir", "symlink"):
            self._name(path, Node(bytearray(), kind="folder" if call.name == "mkdir" else "link"))
        if call.name != "open":
            self._remember()

    def _open(self, path: str, handle: int, kind: str) -> None:
        if path not in self._names:
            self._name(path, Node(bytearray(), kind=kind))
        self._handles[handle] = path, self._names[path]

    def _change(self, call: Call, node: Node, result: Any) -> None:
        if call.name == "write":
            node.data += bytes(memoryview(call.arguments[1]).cast("B")[:result])
        else:
            del node.data[call.arguments[1] :]
            node.synced = min(node.synced, len(node.data))

    def _sync(self, path: str, node: Node) -> None:
        if node.kind != "folder":
            node.synced = len(node.data)
            return
        for rename in [rename for rename in self._pending if rename.folder == path]:
            _apply(self._safe, rename)
            self._pending.remove(rename)
        if path.endswith("checkpoints"):
            self._promised = self._saved

    def _move(self, call: Call, target: str) -> None:
        source = str(Path(call.arguments[0]).absolute().relative_to(self.folder))
        node = self._names[source]
        self._rename({target: node} if call.name == "link" else {target: node, source: None})
        if call.path.name == "last.safetensors":
            self._saved = state_of(call.path)

    def _name(self, path: str, node: Node | None) -> None:
        self._rename({path: node})

    def _rename(self, names: dict[str, Node | None]) -> None:
        rename = Rename(os.path.dirname(next(iter(names))) or ".", names)
        _apply(self._names, rename)
        self._pending.append(rename)

    def _remember(self) -> None:
        nodes = {*self._names.values(), *self._safe.values()}
        contents = {node: (bytes(node.data), node.synced) for node in nodes if node.kind == "file"}
        self.moments.append(Moment(dict(self._safe), list(self._pending), contents, self._promised))


def _apply(names: dict[str, Node], rename: Rename) -> None:
    for name, node in rename.names.items():
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node


def images(moments: list[Moment], chance: random.Random) -> Iterator[tuple[Image, Moment]]:
    """Every image that a power cut may leave, each once, and the moment of the cut."""
    seen = set()
    for moment in moments:
        pending = moment.pending
        subsets: Iterator[tuple[bool, ...]] = itertools.product((True, False), repeat=len(pending))
        if 1 << len(pending) > SUBSETS:
            subsets = (tuple(chance.random() < 0.5 for _ in pending) for _ in range(SUBSETS))
        for taken, kind in itertools.product(subsets, ("all", "none", "half", "zeros")):
            names = dict(moment.safe)
            for rename in itertools.compress(pending, taken):
                _apply(names, rename)
            image = _image(names, moment.contents, kind)
            key = (image.key(), moment.promised)
            if key not in seen:
                seen.add(key)
                yield image, moment


def _image(names: dict[str, Node], contents: dict[Node, tuple[bytes, int]], kind: str) -> Image:
    """The files and folders that can be reached, with so much of what was not synced."""
    image = Image({}, [])
    for path, node in sorted(names.items()):
        parent = os.path.dirname(path)
        if node.kind == "link" or (parent and parent not in image.folders):
            continue
        if node.kind == "folder":
            image.folders.append(path)
            continue
        data, synced = contents.get(node, (b"", 0))
        pending = len(data) - synced
        kept = {"all": len(data), "none": synced, "half": synced + pending // 2, "zeros": synced}[kind]
        image.files[path] = data[:kept] + (bytes(pending) if kind == "zeros" else b"")
    return image


def inject(tally: Tally, folder: Path, chance: random.Random) -> None:
    """Train once, and look at what a power cut at any moment may leave."""
    subject = Subject.known(folder, COSINE)
    runs = subject.runs / "it"
    runs.mkdir()
    journal = Journal(runs)
    with Watch(runs, journal):
        nnctl.train(subject.folder / "it.yaml", runs_dir=subject.runs)
    found = list(images(journal.moments, chance))
    if not tally.full:
        found = chance.sample(found, tally.at_least)
    for number, (image, moment) in enumerate(found):
        what = f"image {number}"
        _restore(runs, image)
        begun = subject.begun()
        if not begun:
            tally.note("not begun")
            tally.check(not moment.begun, f"{what}: a run that was begun is gone")
            continue
        _judge(tally, subject, begun[0], moment.promised, what)
        if number % RESUMED == 0:
            # An older save is kept under a name of its own, which may be lost where the save after it is not.
            recovery.go_on(tally, subject, what, but=("checkpoints",))
            tally.outcomes["of them resumed"] += 1


def _judge(tally: Tally, subject: Subject, run: RunDir, promised: str, what: str) -> None:
    """What is there loads, is a state the run was in, not older than the one promised, and its rows are there."""
    try:
        saved, told = Checkpoints(run).load_last()
    except NnctlError as error:
        tally.note("lost")
        tally.fail(f"{what}: nothing loads: {error}")
        return
    tally.note("last.prev" if told else "last")
    state = state_of(run.previous if told else run.last)
    tally.check(state in subject.legal, f"{what}: a state the run was never in")
    late = not promised or subject.legal.get(state, (0, 0)) >= subject.legal[promised]
    tally.check(late, f"{what}: a save that had returned is gone")
    size, rows = saved.meta["metrics"]
    data = run.metrics_csv.read_bytes()[:size] if run.metrics_csv.exists() else b""
    whole = len(data) == size and data.count(b"\n") == rows + 1 and b"\0" not in data
    tally.check(whole, f"{what}: rows that the save counts on are gone")


def _restore(runs: Path, image: Image) -> None:
    """Write an image in the place of what is there."""
    shutil.rmtree(runs)
    runs.mkdir()
    for path in image.folders:
        (runs / path).mkdir(parents=True)
    for path, data in image.files.items():
        (runs / path).write_bytes(data)


PLAN = Plan("F4", "power cut", "last or last.prev whole, no save lost that had returned", 1_000, 100, inject)
