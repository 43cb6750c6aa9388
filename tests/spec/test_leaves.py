"""Plain values are taken as they are, or refused with the place of what is wrong in them."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from nnctl.spec.leaves import Leaf

HUGE = 10**400
PAIR = int | tuple[int, int]
BOUNDED = {"ge": 1.0}


@pytest.mark.parametrize(
    ("annotation", "value", "read"),
    [
        (float, 1, 1.0),
        (int | float, 1, 1),
        (int | float, 1.0, 1.0),
        (int, HUGE, HUGE),
        (int | Literal["auto"], "auto", "auto"),
        (PAIR, [1, 2], (1, 2)),
        (tuple[float | None, float | None], [None, 2], (None, 2.0)),
        (tuple[str, ...], [], ()),
        (dict[str, float], {"a": -1}, {"a": -1.0}),
        (dict[str, Any], {"a": [None]}, {"a": [None]}),
    ],
)
def test_a_right_value_is_read(annotation: Any, value: Any, read: Any) -> None:
    found = Leaf(annotation, BOUNDED).read(value)
    assert found == read
    assert type(found) is type(read)


@pytest.mark.parametrize(
    ("annotation", "value", "place"),
    [
        (int, True, ()),
        (int, 1.0, ()),
        (int, 0, ()),
        (float, True, ()),
        (float, HUGE, ()),
        (float, float("inf"), ()),
        (float, float("nan"), ()),
        (bool, 1, ()),
        (str, None, ()),
        (str, "half a letter: \ud83d", ()),
        (Literal["a", "b"], "c", ()),
        (PAIR, [1], (1,)),
        (PAIR, [1, 2, 3], ()),
        (PAIR, [1, "2"], (1,)),
        (tuple[float, ...] | tuple[tuple[float, ...], ...], [[1], [1, "x"]], (1, 1)),
        (Literal["balanced"] | dict[str, float], {"a": 1, "b": "x"}, ("b",)),
    ],
)
def test_a_wrong_value_is_refused_where_it_stands(annotation: Any, value: Any, place: tuple[str | int, ...]) -> None:
    with pytest.raises(LookupError) as error:
        Leaf(annotation, BOUNDED).read(value)
    assert error.value.args == place
