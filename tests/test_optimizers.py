"""What is special about single optimizers; their steps are held to records: test_reference_optimizers.py."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from nnctl.component import registry
from nnctl.network import descent
from nnctl.network.descent import optimizer_slot
from nnctl.network.members import stream
from nnctl.network.team import Team
from nnctl.optimizers import Optimizer, OptimizerSlot
from nnctl.optimizers.lamb import Lamb
from nnctl.optimizers.prodigy import Prodigy
from nnctl.optimizers.radam import RAdam
from nnctl.optimizers.schedule_free_adamw import ScheduleFreeAdamW

Array = NDArray[np.float64]

SIZE = 40
RNG = stream(0, "trajectories")
START = RNG.standard_normal(SIZE)
GRADIENTS = RNG.standard_normal((50, SIZE)) * np.exp(RNG.standard_normal(SIZE)) + 0.1


def test_lamb_takes_the_ratio_of_each_parameter_by_itself() -> None:
    """Its step is as long as lr times the parameter; one that is zero moves by adam's direction."""
    theta = np.concatenate([np.full(4, 3.0), np.full(9, 0.5), np.zeros(2)])
    slot = optimizer_slot([Lamb(lr=0.1)], theta.copy(), np.ones(15), decayed=0, segments=(0, 4, 13, 15))
    Lamb(lr=0.1).advance(slot, 1.0)
    moved = theta - slot.theta
    assert [float(np.linalg.norm(moved[part])) for part in (slice(0, 4), slice(4, 13))] == pytest.approx([0.6, 0.15])
    assert moved[13:] == pytest.approx([0.1, 0.1], rel=1e-5)


def test_schedule_free_weights_are_the_average_of_all_its_points() -> None:
    """At a constant learning rate every z counts the same; theta lies between z and x."""
    optimizer = ScheduleFreeAdamW(lr=0.01)
    theta = START.copy()
    slot = optimizer_slot([optimizer], theta, np.zeros_like(theta), decayed=0)
    points = []
    for gradient in GRADIENTS:
        slot.grad[...] = gradient
        optimizer.advance(slot, 1.0)
        points.append(slot.z.copy())
    np.testing.assert_allclose(slot.x, np.mean(points, 0), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(theta, 0.1 * slot.z + 0.9 * slot.x, rtol=1e-10, atol=1e-12)


def test_a_warmup_gives_early_points_of_schedule_free_less_weight() -> None:
    optimizer = ScheduleFreeAdamW(lr=1.0)
    slot = optimizer_slot([optimizer], START.copy(), np.zeros(SIZE), decayed=0)
    shares = []
    for factor in (0.0, 0.5, 1.0, 0.5):
        slot.grad[...] = 1.0
        optimizer.advance(slot, factor)
        shares.append(float(slot.c))
    assert shares == pytest.approx([0, 1, 1 / 1.25, 1 / 2.25])


def test_prodigy_finds_the_scale_of_the_problem_whatever_its_first_guess() -> None:
    """|theta - 100| in 30 dimensions: d grows to the size of the distance, and theta reaches the minimum."""
    for d0 in (1e-8, 1e-4):
        optimizer = Prodigy(d0=d0)
        theta = np.zeros(30, np.float32)
        slot = optimizer_slot([optimizer], theta, np.zeros_like(theta), decayed=0)
        for step in range(600):
            slot.grad[...] = np.sign(theta - 100)
            optimizer.advance(slot, 1 - step / 600)
        assert 10 < float(slot.d) * d0 < 1000
        assert np.abs(theta - 100).max() < 1


def test_prodigy_knows_how_far_max_norm_has_moved_it() -> None:
    optimizer = Prodigy(d0=0.1, weight_decay=0.1)
    theta = START.copy()
    slot = optimizer_slot([optimizer], theta, np.zeros_like(theta), decayed=10)
    for gradient in GRADIENTS:
        slot.grad[...] = gradient
        optimizer.advance(slot, 1.0)
        optimizer.bound(slot, lambda: np.clip(theta, -0.5, 0.5, out=theta))
    np.testing.assert_allclose(slot.moved, START - theta, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("beta2", [0.0, 0.5, 0.9, 0.999])
def test_radam_computes_the_scalars_of_a_single_network_without_arrays(
    beta2: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And they are those of a member of a stack."""
    optimizers = [RAdam(beta2=beta2), RAdam(beta2=0.99)]
    alone = optimizer_slot(optimizers[:1], START.copy(), np.zeros(SIZE), decayed=0)
    stacked = optimizer_slot(optimizers, np.tile(START, (2, 1)), np.zeros((2, SIZE)), decayed=0)
    for _ in range(10):
        for slot in (alone, stacked):
            slot.grad[...] = 1.0
        optimizers[0].advance(stacked, 0.7)
        with monkeypatch.context() as patch:
            for name in ("where", "maximum", "minimum"):
                patch.delattr(np, name)
            optimizers[0].advance(alone, 0.7)
        for name in ("a", "k", "e"):
            assert float(getattr(alone, name)) == pytest.approx(float(getattr(stacked, name)[0, 0]), rel=1e-12)


@pytest.mark.parametrize("cls", registry.classes("optimizers", Optimizer), ids=lambda cls: cls.name)
def test_long_vectors_are_moved_piece_by_piece_to_the_same_bits(
    cls: type[Optimizer], monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    start, gradients = rng.standard_normal(21), rng.standard_normal((5, 21))
    optimizer = cls(weight_decay=0.1)

    def moved(team: Team) -> tuple[OptimizerSlot, np.ndarray]:
        slot = optimizer_slot([optimizer], start.copy(), np.zeros(21), decayed=13, threads=team.threads)
        slot.run = team.run
        for gradient in gradients:
            slot.grad[...] = gradient
            optimizer.advance(slot, 0.5)
        return slot, np.stack([slot.theta, *(getattr(slot, name) for name in optimizer.vectors)])

    if optimizer.evaluates:
        pytest.skip("it asks for gradients of its own")
    whole, expected = moved(Team(1))
    monkeypatch.setattr(descent, "PIECE", 8)
    monkeypatch.setattr(descent, "LONG", 16)
    assert not whole.pieces
    for team, sizes in ((Team(1), (8, 8, 5)), (Team(2), (11, 10)), (Team(3), (7, 7, 7))):
        cut, found = moved(team)
        team.close()
        cuttable = optimizer.elementwise and not optimizer.numbers
        assert tuple(piece.theta.size for piece in cut.pieces) == (sizes if cuttable else ())
        assert np.array_equal(found, expected)
