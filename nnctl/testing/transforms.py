"""Conformance checks of transforms: scalers, imputers, encoders of categories and of dates."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from nnctl.network.members import stream
from nnctl.testing.harness import Array, made
from nnctl.transforms import DateEncoder, Encoder, Imputer, Scaler, State
from nnctl.transforms.sample import Sample

CLOSE = 1e-9  # relative to the largest number of a column
SEARCHED = 1e-6  # for what is found by a search, which other rounding ends elsewhere
LEVELS = ("blue", "green", "red", "x=y", "")
SECONDS = (
    0.0,
    86_399.0,
    951_782_400.0,
    1_704_067_199.0,
    1_735_603_200.0,
    -1.0,
)  # leap days, ends of years, before 1970
STREAMED = 7  # rows of a block
FAR = -7.0  # stands in columns beside those that an encoder may write


def columns() -> Iterator[tuple[str, Array]]:
    """Columns of numbers of all kinds, without missing cells."""
    rng = stream(0, "columns")
    yield "normal", rng.normal(3.0, 2.0, 200)
    yield "skewed", rng.lognormal(0.0, 2.0, 200)
    yield "mostly zero", np.where(rng.random(200) < 0.7, 0.0, rng.exponential(5.0, 200))
    yield "negative", -rng.exponential(5.0, 50)
    yield "two values", np.array([0.0, 1.0, 1.0, 0.0, 1.0])
    yield "far from zero", 1e6 + rng.random(60)
    yield "huge", np.array([-1e38, 2e37, 3e-5, 1e38])
    yield "tiny", rng.random(40) * 1e-12
    yield "one row", np.array([4.25])
    yield "constant", np.full(7, -0.3)
    yield "zero", np.zeros(3)


def check_scaler_inverts(cls: type[Scaler]) -> None:
    """Scaled numbers of the training rows are finite, keep their order, and are turned back into what they were."""
    for scaler, name, x in _scalers(cls):
        state = scaler.fit(Sample.of(x))
        y = scaler.apply(x, state)
        assert y.dtype == np.float64, f"{scaler}: gives {y.dtype}, not float64"
        assert np.isfinite(y).all(), f"{scaler}: gives numbers that are not finite for the column `{name}`"
        assert (np.diff(y[np.argsort(x)]) >= -1e-12).all(), f"{scaler}: changes the order of the column `{name}`"
        again = scaler.invert(y, state)
        assert np.allclose(again, x, rtol=CLOSE, atol=CLOSE * np.abs(x).max()), f"{scaler}: does not invert `{name}`"


def check_scaler_missing(cls: type[Scaler]) -> None:
    """Missing numbers stay missing, and the array that is handed in stays as it is."""
    for scaler, name, x in _scalers(cls):
        state = scaler.fit(Sample.of(x))
        holed = np.append(x, np.nan)
        kept = holed.copy()
        y = scaler.apply(holed, state)
        assert np.isnan(y[-1]), f"{scaler}: nan does not stay nan in the column `{name}`"
        assert np.isfinite(y[:-1]).all(), f"{scaler}: nan spreads to other rows of `{name}`"
        assert np.array_equal(holed, kept, equal_nan=True), f"{scaler}: writes into the column `{name}`"


def check_scaler_state(cls: type[Scaler]) -> None:
    """What is fitted survives JSON, and does not depend on the order of the rows."""
    for scaler, name, x in _scalers(cls):
        state = scaler.fit(Sample.of(x))
        assert _through_json(state) == state, f"{scaler}: the state of `{name}` does not survive JSON"
        y, turned = scaler.apply(x, state), scaler.apply(x, scaler.fit(Sample.of(x[::-1])))
        assert np.allclose(turned, y, rtol=SEARCHED, atol=SEARCHED), (
            f"{scaler}: the order of the rows matters in `{name}`"
        )


def check_scaler_blocks(cls: type[Scaler]) -> None:
    """More rows than are held in memory give what the same rows give that are."""
    for scaler, name, x in _scalers(cls):
        y, streamed = scaler.apply(x, scaler.fit(Sample.of(x))), scaler.apply(x, scaler.fit(_streamed(x)))
        same = np.allclose(streamed, y, rtol=SEARCHED, atol=SEARCHED)
        assert same, f"{scaler}: many rows are fitted otherwise in `{name}`"


def check_imputer(cls: type[Imputer]) -> None:
    """The replacement is one finite number (or None) for any rows in any order, none that are there included."""
    for example in cls.examples:
        imputer: Imputer = made(cls, example)
        for name, x in [*columns(), ("empty", np.zeros(0))]:
            holed = np.concatenate([[np.nan], x, [np.nan]])
            fill = imputer.fit(Sample.of(holed))
            assert fill is None or type(fill) is float, f"{imputer}: gives {fill!r} for `{name}`, not a float"
            assert fill is None or np.isfinite(fill), f"{imputer}: gives {fill} for `{name}`"
            for other, what in (
                (Sample.of(holed[::-1]), "the order of the rows matters in"),
                (_streamed(holed), "many rows are fitted otherwise in"),
            ):
                again = imputer.fit(other)
                same = fill is again if fill is None or again is None else np.isclose(fill, again, rtol=CLOSE)
                assert same, f"{imputer}: {what} `{name}`"


def check_encoder(cls: type[Encoder]) -> None:
    """Names, width and columns fit together, equal codes have equal rows, and unknown values are as missing ones."""
    for example in cls.examples:
        encoder: Encoder = made(cls, example)
        for count in range(len(LEVELS) + 1):
            for reserved in (0, 2):
                levels = LEVELS[:count]
                state = encoder.fit(levels, counts=[3 * place for place in range(count)], reserved=reserved)
                assert _through_json(state) == state, f"{encoder}: the state does not survive JSON"
                known = encoder.codes([*levels, "never seen"], state)
                codes = np.array([-1, *known, *known, -1], np.int64)
                out = _written(encoder, codes, state)
                for code in set(codes.tolist()):
                    alike = out[codes == code]
                    assert (alike == alike[0]).all(), f"{encoder}: writes one code in several ways"
                _check_codes(encoder, state, out)


def check_date_encoder(cls: type[DateEncoder]) -> None:
    """Names, width and columns fit together for any dates; missing ones are finite, and no row depends on another."""
    for example in cls.examples:
        encoder: DateEncoder = made(cls, example)
        for x in (np.array(SECONDS), np.array(SECONDS[:1]), np.full(4, SECONDS[2])):
            state = encoder.fit(Sample.of(x))
            assert _through_json(state) == state, f"{encoder}: the state does not survive JSON"
            turned = encoder.fit(_streamed(x[::-1]))
            dates = np.array([*SECONDS, np.nan, 4e9])
            out, other = _written(encoder, dates, state), _written(encoder, dates, turned)
            alone = _written(encoder, dates[2:3], state)
            assert np.isfinite(out).all(), f"{encoder}: writes numbers that are not finite"
            assert np.allclose(other, out, rtol=CLOSE, atol=CLOSE), f"{encoder}: the order of the rows matters"
            assert np.array_equal(alone, out[2:3]), f"{encoder}: a row depends on the others"


def _scalers(cls: type[Scaler]) -> Iterator[tuple[Scaler, str, Array]]:
    """Every example with every column, those numbers left out that it does not take."""
    for example in cls.examples:
        scaler: Scaler = made(cls, example)
        for name, x in columns():
            inside = x[~scaler.outside(x)]
            if len(inside):
                yield scaler, name, inside


def _streamed(x: Array) -> Sample:
    """The numbers of a column as those of one that does not fit into memory."""
    return Sample(lambda: (x[start : start + STREAMED] for start in range(0, len(x), STREAMED)), kept=1)


def _written(encoding: Encoder | DateEncoder, given: Array, state: State) -> Array:
    """What an encoding writes; it must write all of its own columns and no other."""
    width = encoding.width(state)
    names = encoding.feature_names("zip", state)
    assert len(names) == len(set(names)) == width, f"{encoding}: has {width} columns and names {names}"
    matrix = np.full((len(given), width + 2), FAR, np.float32)
    encoding.apply(given, state, matrix[:, 1:-1])
    assert (matrix[:, [0, -1]] == FAR).all(), f"{encoding}: writes beside its columns"
    assert not (matrix[:, 1:-1] == FAR).any(), f"{encoding}: leaves cells of its columns as they are"
    return matrix[:, 1:-1]


def _check_codes(encoder: Encoder, state: State, out: Array) -> None:
    levels = encoder.code_levels(state)
    if levels:
        assert (out == np.floor(out)).all(), f"{encoder}: codes are whole numbers"
        assert out.min() >= 0, f"{encoder}: code {out.min()} is negative"
        assert out.max() < levels, f"{encoder}: code {out.max()} is none of {levels}"
        assert not out[0].any(), f"{encoder}: a missing cell must have the reserved code 0"


def _through_json(state: State) -> State:
    read: State = json.loads(json.dumps(state, allow_nan=False))
    return read


BY_ROLE: dict[type, tuple[Any, ...]] = {
    Scaler: (check_scaler_inverts, check_scaler_missing, check_scaler_state, check_scaler_blocks),
    Imputer: (check_imputer,),
    Encoder: (check_encoder,),
    DateEncoder: (check_date_encoder,),
}
