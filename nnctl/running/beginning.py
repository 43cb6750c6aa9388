"""How a run comes to be trained: begun anew, from another's weights, or gone on with where it stands."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from threadpoolctl import threadpool_limits

from nnctl.arguments import check_overrides
from nnctl.data.cache import Cache
from nnctl.errors import NnctlError, Place, Problem, RunError, SpecError
from nnctl.preparing.preparation import Prepared, prepare, resolved
from nnctl.running.folding import begin_folds, has_folds, read_folded, with_fold
from nnctl.running.interrupts import Interrupts
from nnctl.running.loop import Event, Found, Note, running
from nnctl.running.naming import check_name, run_name
from nnctl.running.once import fingerprint, same_runs
from nnctl.running.recording import Recorder, begin, commit_of
from nnctl.running.run import Run, read_run
from nnctl.running.threads import Neighbours, Threads, decided, threaded
from nnctl.runs.find import cache_folder, find_any, runs_folder
from nnctl.runs.run_dir import RunDir
from nnctl.runs.run_lock import NameLock
from nnctl.runs.sweep_dir import SweepDir
from nnctl.spec.reading import Spec, read_experiment
from nnctl.spec.schema import Experiment
from nnctl.training.trainer import Trainer

if TYPE_CHECKING:
    from nnctl.running.cross_validation import CrossValidation
    from nnctl.running.origin import Origin

LOOKS, PAUSE = 5, 0.2  # for a run that is the same, and the seconds between them

Overrides = Sequence[str] | Mapping[str, Any] | None


def training(
    config: str | Path,
    overrides: Overrides = (),
    *,
    folds: int | None = None,
    name: str | None = None,
    runs_dir: str | Path | None = None,
    once: bool = False,
    start_from: str | None = None,
    argv: Sequence[str] = (),
    about: Mapping[str, Any] | None = None,
    threads: Threads | None = None,
    together: bool = True,
) -> Iterator[Event]:
    """Train one run, event by event: Started, then Epoch, Tick and Note, at last Finished.

    With folds these are the events of each of them, between FoldsStarted and a last Finished with the `Folded`. With
    ``once`` a run that is the same already is Found, or gone on with. ``about`` goes into its run.json. ``threads`` are
    those of an earlier run, to come to the same bits. ``together`` lets folds share a pass, which nobody can measure.
    """
    if name is not None:
        check_name(name, from_command_line=bool(argv))
    spec = read_with_folds(config, overrides, folds)
    # One BLAS thread: the bits stay the same. What threads pay for is decided below.
    with threadpool_limits(1), Neighbours() as neighbours, ExitStack() as held:
        beginning = Beginning(spec, runs_folder(runs_dir), run_name(name, spec), start_from, argv, cache_of(runs_dir))
        beginning.about |= about or {}
        beginning.thread(threads, neighbours)
        if beginning.folds is not None:
            beginning.folds.together = together
        with NameLock(beginning.runs, beginning.name) if once else nullcontext():
            events = (once and beginning.same(held)) or beginning.anew(held)
        yield from events


def resuming(
    run: str,
    overrides: Overrides = (),
    *,
    exact: bool = False,
    runs_dir: str | Path | None = None,
    argv: Sequence[str] = (),
) -> Iterator[Event]:
    """Go on with a run from its last save, event by event as in `training`."""
    run_dir = _resumable(find_any(runs_folder(runs_dir), run))
    with threadpool_limits(1), Neighbours(), ExitStack() as held:
        yield from _going_on(run_dir, overrides, cache_of(runs_dir), held, exact=exact, argv=argv)


def _resumable(run_dir: RunDir) -> RunDir:
    """The run, unless it goes on as a whole, or with the whole that it is part of. Raises: SpecError if it does."""
    whole = run_dir.path.parent
    if run_dir.is_sweep():
        argv = SweepDir(run_dir.path).read_sweep_json().get("argv") or ["nnctl", "sweep", "CONFIG", "..."]
        message = f"is a sweep, with which its own command goes on: `{shlex.join(map(str, argv))}`"
    elif run_dir.is_fold():
        message = f"is a fold of a cross-validation; go on with the whole: `nnctl resume {whole}`"
    elif run_dir.is_part() and RunDir(whole.parent).is_locked():
        message = "is a trial of a sweep that is being trained; wait until that ends"
    else:
        return run_dir
    raise SpecError(Problem(message, place=Place(str(run_dir.path))))


class Beginning:
    """A run that has no folder yet: everything read and decided."""

    def __init__(
        self, spec: Spec, runs: Path, name: str, start_from: str | None, argv: Sequence[str], cache: Cache
    ) -> None:
        self.spec, self.runs, self.name, self.cache, self.argv = spec, runs, name, cache, argv
        self.about: dict[str, Any] = {"argv": list(argv), "overrides": spec.document.overrides}
        self.about["git"] = commit_of(spec.document.path.parent)
        experiment = replace(spec.experiment, name=name)
        self.origin: Origin | None = None
        if start_from is not None:
            from nnctl.running.origin import open_origin

            self.origin = open_origin(runs, start_from)
            if has_folds(experiment):
                raise SpecError(Problem("cannot stand beside folds, which begin with new weights each", "--from"))
            experiment = self.origin.adopted_by(spec, experiment)
            self.about["from"] = self.origin.about()
        self.folds: CrossValidation | None = None
        if has_folds(experiment):
            from nnctl.running.cross_validation import CrossValidation

            self.folds = CrossValidation(spec, experiment, self.about, cache)
            self.prepared = self.folds.prepare_first()
            decided = self.folds.experiment
        else:
            self.prepared = prepared_for(spec, experiment, cache, self.origin)
            decided = resolved(self.prepared)
        weights = None if self.origin is None else self.origin.weights_sha256
        self.fingerprint = fingerprint(decided, self.prepared, weights)

    def thread(self, threads: Threads | None, neighbours: Neighbours) -> None:
        """Decide about the threads, if they are not given."""
        self.prepared = decided(self.prepared, neighbours) if threads is None else threaded(self.prepared, threads)
        if self.folds is not None:
            self.folds.thread(self.prepared)

    def same(self, held: ExitStack) -> Iterator[Event] | None:
        """The events of the run that is the same: it is Found, or gone on with; None where there is none."""
        for _ in range(LOOKS):  # it may be removed, or begun by `resume`, while we look
            found = same_runs(self.runs, self.name, self.fingerprint)
            with suppress(RunError):
                if found.finished is not None:
                    return iter([Found(self._read(found.finished))])
                if found.running is not None:
                    return iter([Found(replace(self._read(found.running), status="running"))])
            if found.interrupted is None:
                return None
            try:
                with ExitStack() as tried:  # the lock of one that cannot go on is let go
                    events = _going_on(found.interrupted, (), self.cache, tried, argv=self.argv)
                    held.push(tried.pop_all())
                    return events
            except RunError as error:
                return _after(f"warning: {error}; a new run is trained", self.anew(held))
            except SpecError:
                time.sleep(PAUSE)  # somebody has locked it since
        return None

    def _read(self, run_dir: RunDir) -> Run:
        return read_folded(run_dir) if self.folds is not None else read_run(run_dir)

    def anew(self, held: ExitStack) -> Iterator[Event]:
        """Make the folder, lock it, and write what the run begins with; then its events."""
        start = None if self.origin is None else self.origin.weights_for(self.prepared.network)
        trainer = Trainer(self.prepared.job, start)
        self.origin = start = None  # its weights would lie beside those of the run as long as that lasts
        run_dir = RunDir.create(self.runs, self.name, checkpoints=self.folds is None)
        about = {**self.about, "fingerprint": self.fingerprint}
        try:
            held.enter_context(run_dir.lock())
            if self.folds is not None:
                return self.folds.run(begin_folds(run_dir, self.spec.document.content, self.prepared, about))
            recorder = begin(run_dir, self.spec.document.content, self.prepared, trainer, about)
        except BaseException:
            run_dir.discard()
            raise
        return _heeding(recorder, (*self.prepared.warnings, *self.prepared.notes))


def _going_on(
    run_dir: RunDir,
    overrides: Overrides,
    cache: Cache,
    held: ExitStack,
    *,
    exact: bool = False,
    argv: Sequence[str] = (),
) -> Iterator[Event]:
    """Lock a run and open it where its last save left it; then its events."""
    from nnctl.running.cross_validation import reopened
    from nnctl.running.reopening import reopen

    held.enter_context(run_dir.lock())
    if "folds" not in run_dir.read_run_json():
        return _heeding(*reopen(run_dir, overrides, cache, exact=exact, argv=argv))
    if overrides:
        message = "a cross-validation goes on as it is; train a new one with what is to change"
        raise SpecError(Problem(message, place=Place(str(run_dir.path))))
    folds, recorder = reopened(run_dir, cache, argv)
    return folds.run(recorder)


def _heeding(recorder: Recorder, notes: Sequence[str]) -> Iterator[Event]:
    """The events of a run that signals end."""
    with Interrupts() as interrupts:
        yield from running(recorder, interrupts, notes)


def _after(text: str, events: Iterator[Event]) -> Iterator[Event]:
    yield Note(text)
    yield from events


def cache_of(runs_dir: str | Path | None) -> Cache:
    """The cache of a runs folder."""
    return Cache(cache_folder(runs_dir))


def read_with_folds(config: str | Path, overrides: Overrides, folds: int | None) -> Spec:
    """The config with the number of folds that was asked for in the key that stands for it."""
    if folds is None:
        return read_experiment(config, overrides)
    key = "data.split.folds"
    check_overrides(overrides or ())
    if isinstance(overrides, Mapping):
        spec = read_experiment(config, {**overrides, key: folds})
    else:
        given = [overrides] if isinstance(overrides, str) else overrides or ()
        spec = read_experiment(config, [*given, f"{key}={folds}"])
    if spec.experiment.data.split.fold is not None:
        message = "names one fold, and `--folds` asks for all of them: leave out one of the two"
        raise SpecError(Problem(message, "data.split.fold", spec.place("data.split.fold")))
    return spec


def prepared_for(spec: Spec, experiment: Experiment, cache: Cache | None, origin: Origin | None = None) -> Prepared:
    """The experiment with its data; where there are folds, of the first one."""
    try:
        first = with_fold(experiment, 1) if has_folds(experiment) else experiment
        return prepare(first, cache=cache, known=None if origin is None else origin.known)
    except NnctlError as error:
        raise error.placed(spec.place) from None
