"""Members of a stack: what may differ between them, and what null means beside numbers."""

from __future__ import annotations

import numpy as np
import pytest

from nnctl.component import option, section
from nnctl.network.descent import Descent
from nnctl.network.members import check_alike, stacked_options
from nnctl.optimizers.adam import Adam
from nnctl.optimizers.sgd import Sgd
from tests.test_descent import arena


def test_members_whose_options_cannot_differ_are_refused() -> None:
    own = arena("float64", (2,))
    with pytest.raises(ValueError, match=r"adam\.accumulate differs inside a stack: 1, 2"):
        Descent([Adam(), Adam(accumulate=2)], own)
    with pytest.raises(ValueError, match="adam and sgd cannot share a stack"):
        Descent([Adam(), Sgd()], own)


@section
class Inner:
    bias: bool = option(default=True, help="Not stacked.")
    limit: float | None = option(default=None, stack=True, help="Stacked, and nothing stands for its absence.")


@section
class Outer:
    inner: Inner = option(default_factory=Inner, help="A section.")


def test_sections_inside_options_are_compared_as_well() -> None:
    check_alike([Outer(), Outer(inner=Inner(limit=2.0))])
    with pytest.raises(ValueError, match=r"Inner\.bias differs inside a stack: True, False"):
        check_alike([Outer(), Outer(inner=Inner(bias=False))])


def test_a_mix_of_null_and_numbers_is_refused_where_no_number_means_null() -> None:
    assert stacked_options([Inner(), Inner()], (2,), 1, np.float64).limit is None
    with pytest.raises(ValueError, match=r"Inner\.limit is null for some members of a stack"):
        stacked_options([Inner(), Inner(limit=1.0)], (2,), 1, np.float64)
