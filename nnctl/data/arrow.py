"""Arrays of pyarrow as numbers, dates and texts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.data.columns import Numbers, Texts
from nnctl.data.dates import FIRST, LAST, date_text

_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_LONGEST = 1e16  # from which on whole numbers are not written with all digits


def kind_of(type: Any) -> str | None:
    """What the cells of a type are: number, boolean, text, date or nothing; None if nnctl has no use for them."""
    from pyarrow import types

    if types.is_dictionary(type):
        return kind_of(type.value_type)
    if types.is_integer(type) or types.is_floating(type) or types.is_decimal(type):
        return "number"
    if types.is_string(type) or types.is_large_string(type) or types.is_string_view(type):
        return "text"
    if types.is_date(type) or types.is_timestamp(type):
        return "date"
    return "boolean" if types.is_boolean(type) else "nothing" if types.is_null(type) else None


def plain(array: Any) -> Any:
    """An array whose cells are of one type, without a table of them."""
    from pyarrow import large_string, types

    array = array.dictionary_decode() if types.is_dictionary(array.type) else array
    return array.cast(large_string()) if types.is_string_view(array.type) else array


def numbers(array: Any) -> Numbers:
    """Numbers, nan where one is missing; each the nearest one of 64 bits."""
    from pyarrow import types

    if types.is_null(array.type):
        return np.full(len(array), np.nan)
    if types.is_decimal(array.type):
        encoded = array.dictionary_encode()
        return Texts(_codes(encoded), ()).look_up([float(value) for value in encoded.dictionary.to_pylist()], np.nan)
    return np.asarray(array.to_numpy(zero_copy_only=False), np.float64)


def seconds(array: Any) -> Numbers:
    """Seconds since the start of 1970 in UTC, nan where a date is missing; whole microseconds."""
    from pyarrow import int32, int64, types

    days = types.is_date32(array.type)
    ticks = array.view(int32() if days else int64()).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    unit = 1 if days else _UNITS["ms" if types.is_date64(array.type) else array.type.unit]
    if unit > _UNITS["us"]:
        ticks, unit = ticks // (unit // _UNITS["us"]), _UNITS["us"]
    found: Numbers = ticks * 86400.0 if days else ticks / unit
    found[array.is_null().to_numpy(zero_copy_only=False)] = np.nan
    return found


def _codes(encoded: Any) -> NDArray[Any]:
    codes: NDArray[Any] = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return codes


def texts(array: Any) -> Texts:
    """The cells as a CSV file would have them."""
    encoded = array.dictionary_encode()
    written = _written(encoded.dictionary)
    places = np.array([*(-1 if text is None else place for place, text in enumerate(written)), -1], np.int32)
    return Texts(places[_codes(encoded)], [text or "" for text in written])


def written_cells(array: Any) -> list[str]:
    """The cells as texts, missing ones empty; values that nnctl has no use for as Python writes them."""
    if kind_of(array.type) is None:
        return ["" if value is None else str(value) for value in array.to_pylist()]
    found = texts(plain(array))
    written = [*found.texts, ""]
    return [written[code] for code in found.codes.tolist()]


def _written(values: Any) -> list[str | None]:
    """Every value as a text, None for nan."""
    from pyarrow import types

    if types.is_floating(values.type):
        found = values.to_numpy(zero_copy_only=False)
        # Python writes a number of 64 bits as NumPy does, and is three times as fast.
        return list(map(_decimal, found.tolist() if types.is_float64(values.type) else found))
    if types.is_date(values.type):
        return [moment(each).removesuffix("T00:00:00") for each in seconds(values).tolist()]
    if types.is_timestamp(values.type):
        zone = "" if values.type.tz is None else "+00:00"
        return [f"{moment(each)}{zone}" for each in seconds(values).tolist()]
    if types.is_boolean(values.type):
        return ["true" if value else "false" for value in values.to_pylist()]
    return [None if value is None else str(value) for value in values.to_pylist()]


def moment(seconds: float) -> str:
    """A date as ISO 8601 writes it, if there is such a date."""
    return date_text(seconds) if FIRST <= seconds <= LAST else f"{seconds:.0f} s from 1970"


def _decimal(value: float | np.floating[Any]) -> str | None:
    """The shortest decimal that reads back as the number, in its own precision."""
    if value != value:
        return None
    whole = value.is_integer() and -_LONGEST < value < _LONGEST
    return f"{value:.0f}" if whole else str(value)
