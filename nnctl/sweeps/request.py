"""What a sweep is asked for: read from the command line and the section ``sweep``, and checked whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnctl.errors import Place, Problem, SpecError
from nnctl.spec.document import Document, Source, load
from nnctl.spec.nodes import plain
from nnctl.spec.overrides import COMMAND_LINE
from nnctl.spec.problems import Problems, instead, shown
from nnctl.spec.schema import Experiment
from nnctl.spec.sweep import METHODS, MOST_TRIALS, EarlyTerminate, SweepOptions
from nnctl.spec.synonyms import SYNONYMS
from nnctl.sweeps.search import Search
from nnctl.sweeps.searches.choosing import search
from nnctl.sweeps.searches.halving import SAME
from nnctl.sweeps.space.axes import Axis, Range
from nnctl.sweeps.space.checking import check_keys, check_values
from nnctl.sweeps.space.section import read_options, read_parameters, without_section
from nnctl.sweeps.space.seeding import seeded
from nnctl.sweeps.space.space import Space
from nnctl.sweeps.space.words import read_words
from nnctl.sweeps.trial import SEED, Goal

USUAL_TRIALS = 20
NOTHING = (
    "there is nothing to vary: give a key several values, as in `optimizer.lr=1e-3,1e-2`, a number of seeds, as in "
    "`--seeds 8`, or write a section `sweep`"
)


@dataclass(frozen=True, slots=True)
class Request:
    """A sweep that can begin: every key exists, and every value is one that its key may have."""

    space: Space
    method: str
    count: int  # settings; each is a trial, or one for each seed
    metric: str | None
    goal: Goal | None
    early: EarlyTerminate
    eval_every: int

    @property
    def params(self) -> tuple[str, ...]:
        """The varied keys; the seed comes last."""
        return self.space.params

    @property
    def fixed(self) -> tuple[str, ...]:
        """The overrides that all trials have, as words."""
        return self.space.fixed

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that every setting is trained with; none where they are as the config says."""
        return self.space.seeds

    def as_json(self) -> dict[str, Any]:
        """Plain values that are the same for the same request, and for no other."""
        early = {"min_iter": self.early.min_iter, "eta": self.early.eta, "s": self.early.s}
        return {
            "method": self.method,
            "settings": self.count,
            "metric": self.metric,
            "goal": self.goal,
            **self.space.as_json(),
            "early_terminate": early if self.method == "halving" else None,
        }

    def search(self, epochs: int, seed: int, goal: Goal) -> Search:
        """The search; ``epochs`` is the config's `train.epochs`, and its ``seed`` decides what is drawn.

        Raises: SpecError if the package that it needs is missing, or the epochs leave nothing to decide.
        """
        return search(
            self.space, self.method, self.count, self.early, self.eval_every, epochs=epochs, seed=seed, goal=goal
        )


def read_request(
    config: str | Path | Source,
    words: Sequence[str],
    *,
    method: str | None = None,
    trials: int | None = None,
    seeds: int | None = None,
) -> Request:
    """Read what to try from the words ``KEY=...``, and from the section ``sweep`` for the keys that no word names.

    Without a method it is grid where everything is listed, and random where something is drawn from a range.
    Raises: SpecError with every problem, before anything is trained.
    """
    problems = Problems()
    _check_numbers(trials, seeds, problems)
    document = load(config)
    options = read_options(document, problems)
    axes = _axes(words, document, options, problems)
    check_keys(axes, problems)
    experiments = check_values(without_section(document), axes, problems)
    asked, method = method, _method(method, options, axes, problems)
    problems.raise_if_any()
    _check_pace(method, experiments)
    space = seeded(axes, experiments, seeds, _root_seed(axes, document))
    if not space.params:
        raise SpecError(Problem(NOTHING, place=COMMAND_LINE))
    metric, cap = options.metric, None if asked == "grid" else options.run_cap  # the command line wins
    return Request(
        space,
        method,
        _count(method, space, trials, cap, document.place("sweep.run_cap")),
        metric=metric.name if metric else None,
        goal=metric.goal if metric else None,
        early=options.early_terminate or EarlyTerminate(),
        eval_every=experiments[0].train.eval_every,
    )


def _check_pace(method: str, experiments: Sequence[Experiment]) -> None:
    """Raise SpecError if halving is to vary what makes its comparisons after a number of epochs fair."""
    varied = [name for name in SAME if len({getattr(each.train, name) for each in experiments}) > 1]
    if method == "halving" and varied:
        message = (
            "halving itself decides how long a trial is trained, and compares trials after equal epochs: give it one "
            "value, or search with another method"
        )
        raise SpecError(Problem(message, f"train.{name}", COMMAND_LINE) for name in varied)


def check_section(document: Document) -> None:
    """Check the section ``sweep`` alone, without any words. Raises: SpecError with every problem."""
    problems = Problems()
    options = read_options(document, problems)
    axes = read_parameters(document.root, options.parameters, problems)
    check_keys(axes, problems)
    if axes:
        check_values(without_section(document), axes, problems)
    _method(None, options, axes, problems)
    problems.raise_if_any()


def _axes(words: Sequence[str], document: Document, options: SweepOptions, problems: Problems) -> list[Axis]:
    """What the file and the words vary; of a key in both, what the words say."""
    own = read_words(words, problems)
    told = {key for axis in own for key in axis.keys}
    listed = read_parameters(document.root, options.parameters, problems)
    return [axis for axis in listed if told.isdisjoint(axis.keys)] + own


def _root_seed(axes: Sequence[Axis], document: Document) -> int:
    """The seed of the config: as a word says, where one says one, else as the file does."""
    node = document.root.items.get(SEED)
    for axis in axes:
        if axis.fixed and axis.keys == (SEED,):
            node = axis.at(0.0)[0].node
    value = None if node is None else plain(node)
    return value if isinstance(value, int) else 0


def _check_numbers(trials: int | None, seeds: int | None, problems: Problems) -> None:
    for name, number in (("--trials", trials), ("--seeds", seeds)):
        if number is not None and not 1 <= number <= MOST_TRIALS:
            problems.add(name, f"must be a whole number from 1 to {MOST_TRIALS:,}, got `{number}`", COMMAND_LINE)


def _method(method: str | None, options: SweepOptions, axes: Sequence[Axis], problems: Problems) -> str:
    """The method that is asked for, or the one that fits."""
    if method is not None and method not in METHODS:
        problems.add("--method", f"unknown method {shown(method)}, {instead(method, METHODS, SYNONYMS)}", COMMAND_LINE)
    asked = method or options.method
    if method is None and options.early_terminate is not None:
        asked = "halving"
    ranges = [axis for axis in axes if isinstance(axis, Range)]
    for axis in ranges if asked == "grid" else ():
        message = "grid tries all there is, and this is a range: list its values, or draw with `--method random`"
        problems.add(axis.keys[0], message, axis.places[0])
    return asked or ("random" if ranges else "grid")


def _count(method: str, space: Space, trials: int | None, cap: int | None, place: Place | None) -> int:
    """How many settings are tried. Raises: SpecError if there are not so many, or more than can be meant."""
    size, wanted = space.size, trials or cap
    key, where = ("--trials", COMMAND_LINE) if trials else ("sweep.run_cap", place)
    if method == "grid":
        assert size is not None
        if wanted is not None and wanted < size:
            message = f"grid tries all {size:,} settings: leave this out, or draw so many with `--method random`"
            raise SpecError(Problem(message, key, where))
        count = size
    elif size is None:
        count = wanted or USUAL_TRIALS
    elif trials is not None and trials > size:
        raise SpecError(Problem(f"there are only {size:,} different settings, got `{trials}`", key, where))
    elif method == "halving" and space.is_listed:
        count = min(size, wanted or size)
    else:
        count = min(size, wanted or USUAL_TRIALS)
    if count * space.repeats > MOST_TRIALS:
        message = f"these are {count * space.repeats:,} trials, at most {MOST_TRIALS:,} can be: vary less"
        raise SpecError(Problem(message, place=COMMAND_LINE))
    return count
