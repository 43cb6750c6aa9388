"""Losses: values and gradients in closed form, and what is special about one of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from nnctl.component import registry
from nnctl.errors import SpecError
from nnctl.losses import LINKS, UNDONE, Loss, binary_cross_entropy, cross_entropy
from nnctl.losses.binary_cross_entropy import BinaryCrossEntropy
from nnctl.losses.cosine import Cosine
from nnctl.losses.cross_entropy import CrossEntropy
from nnctl.losses.focal import Focal
from nnctl.losses.gaussian_nll import GaussianNll
from nnctl.losses.hinge import Hinge
from nnctl.losses.kl_divergence import KlDivergence
from nnctl.losses.poisson import Poisson
from nnctl.losses.quantile import Quantile
from nnctl.network.workspace import Workspace
from nnctl.testing.harness import dense, loss_of
from nnctl.testing.losses import losses_of

LN2 = math.log(2)

# loss, scores and targets of one row, its loss, the gradient of its scores
CLOSED: list[tuple[str, dict[str, Any], list[float], list[float], float, list[float]]] = [
    ("mae", {}, [3, 0], [1, 4], 3, [0.5, -0.5]),
    ("mae", {"reduction": "sum"}, [3, 0], [1, 4], 6, [1, -1]),
    ("huber", {}, [1.5, 0], [1, 3], (0.125 + 2.5) / 2, [0.25, -0.5]),
    ("huber", {"delta": 2.0, "reduction": "sum"}, [1.5, 0], [1, 3], 0.125 + 4, [0.5, -2]),
    ("log_cosh", {}, [LN2], [0], math.log(1.25), [0.6]),
    ("log_cosh", {}, [-1000.0], [0], 1000 - LN2, [-1]),
    ("mape", {}, [3], [-2], 2.5, [0.5]),
    ("msle", {}, [0.0], [3], LN2**2, [-LN2]),
    ("quantile", {"q": 0.9}, [1], [3], 1.8, [-0.9]),
    ("quantile", {"q": 0.9}, [3], [1], 0.2, [0.1]),
    ("quantile", {"q": [0.2, 0.9]}, [1, 3], [2], (0.2 + 0.1) / 2, [-0.1, 0.05]),
    ("poisson", {}, [LN2], [3], 2 - 3 * LN2, [-1]),
    ("gamma", {}, [LN2], [3], LN2 + 1.5, [-0.5]),
    ("tweedie", {}, [2 * LN2], [3], 4 + 3, [2 - 1.5]),
    ("gaussian_nll", {}, [3, math.log(4)], [1], (math.log(4) + 1) / 2, [0.5, 0]),
    ("binary_cross_entropy", {}, [math.log(3)], [1], math.log(4 / 3), [-0.25]),
    ("binary_cross_entropy", {"pos_weight": 2.0}, [math.log(3)], [1], 2 * math.log(4 / 3), [-0.5]),
    ("binary_cross_entropy", {"pos_weight": 2.0}, [math.log(3)], [0], math.log(4), [0.75]),
    ("binary_cross_entropy", {"label_smoothing": 0.2}, [math.log(3)], [1], math.log(4) - 0.9 * math.log(3), [-0.15]),
    ("binary_cross_entropy", {}, [0, math.log(3)], [1, 0], (LN2 + math.log(4)) / 2, [-0.25, 0.375]),
    ("cross_entropy", {}, [0, 0, LN2], [0, 0, 1], LN2, [0.25, 0.25, -0.5]),
    ("cross_entropy", {"label_smoothing": 0.3}, [0, 0, LN2], [0, 0, 1], math.log(4) - 0.8 * LN2, [0.15, 0.15, -0.3]),
    ("hinge", {}, [0.5], [0], 1.5, [1]),
    ("hinge", {}, [0.5, 2], [1, 1], 0.25, [-0.5, 0]),
    ("squared_hinge", {}, [0.5], [0], 2.25, [3]),
    ("focal", {}, [math.log(3)], [1], 0.25 * 0.25**2 * math.log(4 / 3), [-0.25 / 64 * (1 + 6 * math.log(4 / 3))]),
    ("focal", {"gamma": 0.0, "alpha": None}, [math.log(3)], [1], math.log(4 / 3), [-0.25]),
    ("focal", {"link": "softmax", "gamma": 1.0}, [0, 0], [0, 1], 0.5 * LN2, [0.25 * (1 + LN2), -0.25 * (1 + LN2)]),
    ("multi_margin", {}, [1, 2, 0.5], [1, 0, 0], (2 + 0.5) / 3, [-2 / 3, 1 / 3, 1 / 3]),
    ("kl_divergence", {}, [0, 0], [0.25, 0.75], LN2 + 0.25 * math.log(0.25) + 0.75 * math.log(0.75), [0.25, -0.25]),
    ("kl_divergence", {}, [0, 0], [0, 1], LN2, [0.5, -0.5]),
    ("cosine", {}, [3, 0], [4, 4], 1 - math.sqrt(0.5), [0, -math.sqrt(0.5) / 3]),
    ("cosine", {}, [0, 0], [3, 4], 1, [-0.6, -0.8]),
]


@pytest.mark.parametrize(("name", "options", "y", "t", "expected", "gradient"), CLOSED)
def test_loss_and_gradient_are_those_of_the_formula(
    name: str, options: dict[str, Any], y: list[float], t: list[float], expected: float, gradient: list[float]
) -> None:
    options = {key: tuple(value) if isinstance(value, list) else value for key, value in options.items()}
    loss = registry.all("losses", Loss)[name](**options)
    losses, dy = loss_of(loss, np.array([y, y], float), np.array([t, t], float))
    np.testing.assert_allclose(losses, [expected] * 2, rtol=1e-13)
    np.testing.assert_allclose(2 * dy, [gradient] * 2, rtol=1e-13, atol=1e-15)


def test_a_batch_has_the_mean_of_its_rows_by_weight() -> None:
    losses, dy = loss_of(
        Hinge(), np.array([[0.5], [0.5], [0.0]]), np.array([[0.0], [1.0], [1.0]]), np.array([3.0, 1, 0])
    )
    np.testing.assert_allclose(losses, [4.5, 0.5, 0])
    np.testing.assert_allclose(dy[:, 0], [0.75, -0.25, 0])


def test_a_pass_without_weights_takes_no_further_step() -> None:
    network = dense_network(1)
    plain, weighted = (
        Workspace(network, [Hinge()], network.arena(), 4, training=True, weighted=weighted).at(4)
        for weighted in (False, True)
    )
    assert len(weighted._forward) == len(plain._forward) + 1
    assert len(weighted._backward) == len(plain._backward) + 1
    assert plain.weight() == 4


def dense_network(width: int) -> Any:
    from nnctl.network.network import build

    return build([("output", dense(width))], (3,))


def test_losses_with_a_likelihood_go_on_in_a_straight_line_where_the_exponential_would_overflow() -> None:
    losses, dy = loss_of(Poisson(), np.array([[39.0], [41.0], [140.0]]), np.zeros((3, 1)))
    top = math.exp(40)
    np.testing.assert_allclose(losses, [math.exp(39), 2 * top, 101 * top], rtol=1e-14)
    np.testing.assert_allclose(3 * dy[:, 0], [math.exp(39), top, top], rtol=1e-14)


def test_log_cosh_keeps_the_digits_of_small_errors() -> None:
    losses, _ = loss_of(registry.all("losses", Loss)["log_cosh"](), np.array([[1e-6]]), np.zeros((1, 1)))
    assert losses[0] == pytest.approx(5e-13, rel=1e-8)


@pytest.mark.parametrize("classes", [cross_entropy.FEW, cross_entropy.FEW + 1])
def test_the_cross_entropy_of_few_and_of_many_classes_is_the_same(classes: int) -> None:
    rng = np.random.default_rng(0)
    scores, t = 3 * rng.standard_normal((7, classes)), np.eye(classes)[rng.integers(0, classes, 7)]
    powers = np.exp(scores)
    p = powers / powers.sum(axis=1, keepdims=True)
    losses, dy = loss_of(CrossEntropy(), scores, t)
    np.testing.assert_allclose(losses, -np.log((p * t).sum(axis=1)), rtol=1e-12)
    np.testing.assert_allclose(7 * dy, p - t, atol=1e-14)


@pytest.mark.parametrize("rows", [binary_cross_entropy.FEW, binary_cross_entropy.FEW + 1])
def test_the_cross_entropy_of_few_and_of_many_rows_is_the_same(rows: int) -> None:
    scores, t = np.linspace(-30, 30, rows)[:, None], (np.arange(rows) % 3 == 0)[:, None]
    p = 1 / (1 + np.exp(-scores))
    losses, dy = loss_of(BinaryCrossEntropy(), scores, t)
    np.testing.assert_allclose(losses, (np.logaddexp(0, scores) - t * scores)[:, 0], rtol=1e-12)
    np.testing.assert_allclose(rows * dy, p - t, atol=1e-14)
    losses, _ = loss_of(BinaryCrossEntropy(pos_weight=3.0), scores, t)
    each = np.where(t, 3 * np.logaddexp(0, -scores), np.logaddexp(0, scores))
    np.testing.assert_allclose(losses, each[:, 0], rtol=1e-12, atol=1e-13)


def test_links_are_undone_by_their_inverse() -> None:
    rng = np.random.default_rng(0)
    scores = rng.standard_normal((5, 3))
    for link, apply in LINKS.items():
        found = UNDONE[link](apply(scores))
        shift = (found - scores).mean(axis=-1, keepdims=True) if link == "softmax" else 0.0
        np.testing.assert_allclose(found - shift, scores, rtol=1e-9)


@pytest.mark.parametrize("cls", registry.classes("losses", Loss), ids=lambda cls: cls.name)
def test_every_loss_predicts_by_its_link_in_float64(cls: type[Loss]) -> None:
    for loss, t, _ in losses_of(cls):
        found = loss.predict(loss.scores(t).astype(np.float32))
        assert found.dtype == np.float64
        assert loss.point(found).shape == t.shape
        if loss.link == "exponential":
            np.testing.assert_allclose(found, t, rtol=1e-5, atol=1e-15)


def test_the_prior_of_a_loss_is_the_score_of_the_mean_target() -> None:
    t = np.array([[0.0], [0], [0], [1]])
    assert BinaryCrossEntropy().prior(t, None) == pytest.approx([-math.log(3)])
    assert BinaryCrossEntropy().prior(t, np.array([1.0, 1, 1, 3])) == pytest.approx([0])
    assert BinaryCrossEntropy(pos_weight=3.0).prior(t, None) == pytest.approx([0])
    assert Hinge().prior(t, None) == pytest.approx([-0.5])
    assert Poisson().prior(4 * t, None) == pytest.approx([0])
    assert Quantile(q=(0.1, 0.9)).prior(t, None) == pytest.approx([0.25, 0.25])
    assert GaussianNll().prior(t, None) == pytest.approx([0.25, math.log(3 / 16)])
    classes = CrossEntropy().prior(np.eye(3)[[0, 1, 1, 2]], None)
    np.testing.assert_allclose(np.exp(classes), [0.25, 0.5, 0.25])


def test_quantiles_lie_target_by_target_and_the_median_is_judged() -> None:
    loss = Quantile(q=(0.9, 0.4, 0.1))
    outputs = np.array([[9.0, 4, 1, 90, 40, 10]])
    assert loss.width(task="regression", classes=0, targets=2) == 6
    assert loss.point(outputs).tolist() == [[4, 40]]
    assert loss.suffixes == ("_q0.9", "_q0.4", "_q0.1")
    assert loss.report(outputs, lambda values: values + 1).tolist() == [[[10, 5, 2], [91, 41, 11]]]


def test_a_normal_distribution_is_told_in_units_of_the_target() -> None:
    outputs = GaussianNll().predict(np.array([[1.0, 2, math.log(4), math.log(9)]]))
    told = GaussianNll().report(outputs, lambda values: 10 * values + 100)
    np.testing.assert_allclose(told, [[[110, 20], [120, 30]]])
    np.testing.assert_allclose(GaussianNll().point(outputs), [[1, 2]])


def test_options_that_do_not_fit_the_targets_are_refused() -> None:
    refused: list[tuple[str, Loss, dict[str, Any]]] = [
        ("loss.q", Quantile(q=(0.5, 0.5)), {"task": "regression", "targets": 1}),
        ("loss.pos_weight", BinaryCrossEntropy(pos_weight=(1.0, 2.0)), {"task": "multilabel", "targets": 3}),
        ("data.target", KlDivergence(), {"task": "regression", "targets": 1}),
        ("data.target", Cosine(), {"task": "regression", "targets": 1}),
    ]
    for key, loss, about in refused:
        with pytest.raises(SpecError, match=key.replace(".", r"\.")):
            loss.width(classes=0, **about)
    with pytest.raises(SpecError, match=r"loss\.link"):
        Focal(link="softmax").resolved("multilabel")


def test_focal_takes_the_link_of_its_task() -> None:
    links = {task: Focal().resolved(task).link for task in ("binary", "multilabel", "multiclass")}
    assert links == {"binary": "sigmoid", "multilabel": "sigmoid", "multiclass": "softmax"}
