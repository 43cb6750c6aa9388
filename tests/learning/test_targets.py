"""What is learned: labels, features, quantiles, and what losses ask of the target."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnctl
from nnctl.errors import DataError, SpecError
from nnctl.experiment import open_experiment
from nnctl.judging import predict
from nnctl.losses import LINKS
from nnctl.model import Model
from nnctl.training.trainer import Trainer
from tests.learning.helpers import CONFIG, HEADER, predicted, prepared, trained
from tests.tables import write_csv


@pytest.mark.parametrize(
    ("target", "override", "error", "message"),
    [
        (
            "sort",
            "loss.class_weight={figs: 3}",
            DataError,
            "loss.class_weight.figs: unknown label `figs`, did you mean",
        ),
        ("sort", "loss.class_weight={fig: -3}", SpecError, "loss.class_weight.fig: must be a number >= 0, got -3"),
        ("ripe", "loss.class_weight={'yes': 0, 'no': 0}", SpecError, "gives every class the weight 0"),
        ("size", "loss.class_weight=balanced", SpecError, "loss.class_weight: .* this is a regression target"),
        ("[ripe, sweet]", "loss.class_weight=balanced", SpecError, "loss.class_weight: .*see `loss.pos_weight`"),
        ("[ripe, sort]", "data.task=multilabel", DataError, "two values in each column, `sort` has 3"),
        ("[ripe, sweet]", "data.positive=yes", DataError, "data.positive: .*several"),
        ("size", "data.positive=yes", DataError, "data.positive: .*a regression"),
        ("a", "loss=poisson", DataError, r"table.csv:\d+: data.target: column `a` must be >= 0 for the loss poisson"),
        ("count", "loss=gamma", DataError, r"table.csv:2: data.target: column `count` must be > 0 .*got 0 \(and 14"),
        ("count", "loss=mape", DataError, r"column `count` must not be 0 for the loss mape"),
        ("[size, b]", "loss=kl_divergence", DataError, r"columns `size`, `b` must be shares >= 0 that sum to 1"),
        ("size", "loss=cosine", SpecError, "data.target: cosine learns a direction"),
        ("ripe", "metrics=[accuracy, roc_auc]", SpecError, r"metrics\[1\]: roc_auc needs probabilities, which hinge"),
        ("size", "loss={type: auto, label_smoothing: 0.1}", SpecError, "loss.label_smoothing: .*a regression"),
        ("features", "data.task=binary", DataError, r"write `\[features\]`"),
        ("features", "data.target_scale=min_max", SpecError, "data.target_scale: .*data.numeric.scale"),
        ("features", "data.positive=yes", DataError, "data.positive: .*this is a regression"),
        ("features", "loss={type: mse, class_weight: balanced}", SpecError, "loss.class_weight: .*a regression target"),
        (
            "features",
            "loss=poisson",
            DataError,
            "column `b` must, after scaling, be >= 0 .*by another `data.numeric.scale`",
        ),
        ("sort", "data.target_scale=standardize", SpecError, "data.target_scale: scales the numbers of a regression"),
        ("[ripe, sweet]", "data.target_scale=min_max", SpecError, "data.target_scale: .*this is a multilabel target"),
        ("count", "loss=poisson", SpecError, "or, as auto chose multiclass, write `data.task: regression`"),
        ("[size, b]", "loss=cross_entropy", SpecError, "does not fit a regression target, allowed: [^;]*$"),
        ("sort", "loss=poisson", SpecError, "does not fit a multiclass target, allowed: [^;]*$"),
    ],
)
def test_what_does_not_fit_the_target_is_refused(target: str, override: str, error: Any, message: str) -> None:
    more = ["data.task=regression"] if target == "count" and override != "loss=poisson" else []
    more += ["loss=hinge"] if "roc_auc" in override else []
    with pytest.raises(error, match=message):
        prepared(target, override, *more)


def test_losses_that_need_the_zero_get_the_target_unscaled() -> None:
    for loss in ("poisson", "gamma", "tweedie", "msle", "mape"):
        found = prepared("size", f"loss={loss}")
        assert found.examples["train"].t.tolist() == found.examples["train"].truth.tolist()
        assert found.experiment.data.target_scale.name == "none"  # type: ignore[union-attr]
        with pytest.raises(SpecError, match=f"standardize moves the zero of the target, which {loss} needs"):
            prepared("size", f"loss={loss}", "data.target_scale=standardize")
    assert prepared("size").experiment.data.target_scale.name == "standardize"  # type: ignore[union-attr]
    divided = prepared("size", "loss=gamma", "data.target_scale={type: divide, by: 10}").examples["train"]
    np.testing.assert_allclose(10 * divided.t, divided.truth)


def test_several_labels_are_learned_predicted_and_judged() -> None:
    run = trained("[ripe, sweet]", "train.epochs=60", "train.batch_size=4")
    model = nnctl.load(run)
    assert (model.target.task, model.classes) == ("multilabel", ("ripe", "sweet"))
    assert model.experiment.loss.name == "binary_cross_entropy"
    assert model.target.pairs == (("no", "yes"), ("off", "on"))
    rows = predicted(run, proba=True)
    assert list(rows[0])[len(HEADER) :] == ["prediction_ripe", "prediction_sweet", "p_ripe", "p_sweet"]
    for name, positive in (("ripe", "yes"), ("sweet", "on")):
        assert all((row[f"prediction_{name}"] == positive) == (float(row[f"p_{name}"]) > 0.5) for row in rows)
    wrong = np.mean([[row[f"prediction_{name}"] != row[name] for name in ("ripe", "sweet")] for row in rows])
    judged = nnctl.evaluate(run, "table.csv")
    assert judged.metrics["hamming"] == pytest.approx(wrong)
    assert wrong < 0.1
    assert set(judged.metrics) == {"loss", "hamming", "micro_f1"}


def test_columns_of_0_and_1_or_of_two_words_are_labels_and_other_numbers_a_regression(folder: Path) -> None:
    write_csv(
        folder / "flags.csv",
        ["a", "x", "y", "z", "v"],
        [[p, p % 2, (p // 2) % 2, "nyy"[p % 3], 1 + p % 2] for p in range(40)],
    )
    tasks = {
        "[x, y]": "multilabel",
        "[x, v]": "regression",
        "[x, z]": "multilabel",
    }
    for target, task in tasks.items():
        path = ["data.path=flags.csv", f"data.target={target}"]
        found = open_experiment("it.yaml", path).prepared
        assert found.target.task == task
        told = "`x`, `y` hold 0 and 1, and are taken for labels; for numbers write `data.task: regression`"
        assert (told in found.notes) == (target == "[x, y]")
    path = ["data.path=flags.csv", "data.target=[x, y]", "data.task=regression"]
    assert open_experiment("it.yaml", path).prepared.target.task == "regression"
    path = ["data.path=flags.csv", "data.target=[x, y]", "data.task=multilabel"]
    found = open_experiment("it.yaml", path).prepared
    assert found.target.pairs == (("0", "1"), ("0", "1"))


@pytest.mark.parametrize("target", ["ripe", "[ripe, sweet]"])
def test_a_hinge_decides_at_zero_and_gives_no_probabilities(target: str) -> None:
    run = trained(target, "loss=hinge", "train.epochs=60", "train.batch_size=4")
    model = nnctl.load(run)
    table = model.table({"a": [-2.0, 2.0], "b": [-2.0, 2.0]})
    scores = model.outputs(table)[0]
    assert (scores[:, 0] > 0).tolist() == [False, True]
    assert np.atleast_2d(model.predict({"a": [-2.0, 2.0], "b": [-2.0, 2.0]}).T)[0].tolist() == ["no", "yes"]
    assert not any("auc" in name or "log_loss" in name for name in run.metrics)
    with pytest.raises(SpecError, match="hinge gives no probabilities"):
        model.predict_proba({"a": [1.0], "b": [1.0]})
    with pytest.raises(SpecError, match="--proba: the loss hinge gives no probabilities"):
        predict(run, "table.csv", "out.csv", proba=True)


def test_features_as_the_target_are_reconstructed() -> None:
    run = trained("features", "model.hidden=[2]", "model.activation=identity", "train.epochs=200")
    model = nnctl.load(run)
    assert model.target.reconstructs
    assert (run.metrics["train_r2"] > 0.9, "train_rmse" in run.metrics) == (True, True)
    rows = predicted(run)
    assert list(rows[0])[len(HEADER) :] == ["reconstruction_error"]
    errors = np.array([float(row["reconstruction_error"]) for row in rows])
    assert errors.mean() == pytest.approx(nnctl.evaluate(run, "table.csv").metrics["loss"], rel=1e-9)
    frame = {name: [float(row[name]) for row in rows] for name in "ab"}
    np.testing.assert_allclose(model.predict(frame), errors)
    assert reconstruction(model, frame) == pytest.approx(errors[0])


def reconstruction(model: Model, frame: dict[str, list[float]]) -> float:
    """The mean squared error of the first row, by hand."""
    x = model.features.matrix(model.table(frame), np.float64)[0]
    return float(((model.evaluator.outputs(x) - x) ** 2)[0].mean())


def test_a_column_named_features_is_written_as_a_list(folder: Path) -> None:
    text = (folder / "table.csv").read_text().replace("size", "features", 1)
    (folder / "table.csv").write_text(text)
    (folder / "it.yaml").write_text(CONFIG.replace("target: size", "target: [features]\n  drop: [sort, ripe, sweet]"))
    assert open_experiment("it.yaml").prepared.target.names == ("features",)
    found = open_experiment("it.yaml", ["data.target=features"]).prepared
    assert found.target.reconstructs
    assert any("write `data.target: [features]`" in note for note in found.notes)


def test_quantiles_and_standard_deviations_are_predicted_in_units_of_the_target() -> None:
    run = trained("size", "loss={type: quantile, q: [0.1, 0.5, 0.9]}", "train.epochs=100", "train.batch_size=4")
    rows = predicted(run)
    assert list(rows[0])[len(HEADER) :] == ["prediction_q0.1", "prediction_q0.5", "prediction_q0.9"]
    low, middle, high = (np.array([float(row[f"prediction_q{q}"]) for row in rows]) for q in (0.1, 0.5, 0.9))
    truth = np.array([float(row["size"]) for row in rows])
    assert nnctl.evaluate(run, "table.csv").metrics["mae"] == pytest.approx(np.abs(middle - truth).mean())
    assert low.mean() < middle.mean() < high.mean()

    run = trained("[size, count]", "loss=gaussian_nll", "data.target_scale=standardize")
    rows = predicted(run)
    names = ["prediction_size", "prediction_size_sd", "prediction_count", "prediction_count_sd"]
    assert list(rows[0])[len(HEADER) :] == names
    model = nnctl.load(run)
    frame = {name: [float(row[name]) for row in rows] for name in "ab"}
    outputs = model.outputs(model.table(frame))[0]
    scale = np.std([[float(row["size"]), float(row["count"])] for row in rows], axis=0)
    told = np.array([[float(row[name]) for name in names] for row in rows])
    np.testing.assert_allclose(told[:, 1::2], outputs[:, 2:] * scale, rtol=1e-9)
    np.testing.assert_allclose(model.predict(frame), told)


@pytest.mark.parametrize(
    ("target", "overrides", "expected"),
    [
        ("ripe", [], lambda t, w: [math.log(t.mean() / (1 - t.mean()))]),
        ("ripe", ["data.weight=w"], lambda t, w: [math.log((w @ t[:, 0]) / (w @ (1 - t[:, 0])))]),
        ("sort", [], lambda t, w: np.log(t.mean(axis=0))),
        ("[ripe, sweet]", [], lambda t, w: np.log(t.mean(axis=0) / (1 - t.mean(axis=0)))),
        ("size", ["data.target_scale=none"], lambda t, w: t.mean(axis=0)),
        ("size", ["loss=poisson"], lambda t, w: np.log(t.mean(axis=0))),
        ("features", [], lambda t, w: t.mean(axis=0)),
    ],
)
def test_the_last_bias_may_start_at_what_the_target_says(target: str, overrides: list[str], expected: Any) -> None:
    also = ("w",) if overrides == ["data.weight=w"] else ()
    found = prepared(target, "model.output.bias_init=prior", *overrides, also=also)
    arena = Trainer(found.job).arena
    train = found.examples["train"]
    bias = arena.named(arena.theta)["output.b"]
    np.testing.assert_allclose(bias, expected(train.t, train.weight), rtol=1e-12, atol=1e-15)
    assert found.experiment.model.output.bias_init == "prior"  # type: ignore[union-attr]


def test_a_prior_needs_the_output_layer_that_is_added() -> None:
    complete = "model={layers: [{type: dense, units: 1, activation: sigmoid}], output: {bias_init: prior}}"
    with pytest.raises(SpecError, match=r"model\.output\.bias_init: prior is for the output layer that is added"):
        prepared("ripe", complete)


def test_a_resolved_config_of_weights_and_prior_trains_the_same_network() -> None:
    wanted = ("data.weight=w", "loss.class_weight=balanced", "model.output.bias_init=prior")
    run = trained("sort", *wanted, also=("w",))
    again = nnctl.train(f"{run.path}/resolved.yaml")
    assert again.metrics == run.metrics


@pytest.mark.parametrize("loss", ["poisson", "mse"])
def test_a_final_exponential_is_the_link_of_a_likelihood_and_else_a_layer_like_any_other(loss: str) -> None:
    layers = "model={layers: [{type: dense, units: 1, activation: exponential}], dtype: float64}"
    found = prepared("size", f"loss={loss}", layers)
    names = [node.name for node in found.network.nodes]
    assert names == (["layers.0"] if loss == "poisson" else ["layers.0", "layers.0.activation", "output"])
    added = prepared("size", "loss=poisson").experiment.model.output
    assert added is not None
    assert added.activation.name == "exponential"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("target", "activation", "overrides"),
    [
        ("ripe", "sigmoid", ["loss=mse"]),
        ("[ripe, sweet]", "sigmoid", ["loss=mse"]),
        ("sort", "softmax", ["loss=mse"]),
        ("size", "exponential", ["loss=mse", "data.target_scale=none"]),
        ("size", "identity", ["loss=poisson"]),
    ],
)
def test_a_prior_is_what_the_activation_gives(target: str, activation: str, overrides: list[str]) -> None:
    output = f"model.output={{activation: {activation}, bias_init: prior}}"
    found = prepared(target, output, *overrides, also=())
    arena = Trainer(found.job).arena
    scores = LINKS[activation](arena.named(arena.theta)["output.b"])
    np.testing.assert_allclose(found.loss.predict(scores), found.examples["train"].t.mean(axis=0), rtol=1e-12)


@pytest.mark.parametrize(
    ("target", "activation", "loss", "message"),
    [
        ("size", "sigmoid", "mse", "the prior .* lies outside of what sigmoid gives"),
        ("size", "tanh", "mse", "prior cannot be led back through tanh, only through `identity`"),
        ("ripe", "relu", "binary_cross_entropy", "prior cannot be led back through relu"),
    ],
)
def test_a_prior_that_no_offsets_give_is_refused(target: str, activation: str, loss: str, message: str) -> None:
    with pytest.raises(SpecError, match=rf"model\.output\.bias_init: {message}"):
        prepared(target, f"model.output={{activation: {activation}, bias_init: prior}}", f"loss={loss}")


def test_a_frame_may_have_columns_that_the_model_does_not_use() -> None:
    model = nnctl.load(trained("size"))
    frame = {"a": [1.0, 2.0], "b": [0.5, 0.1]}
    mess = {"size": [float("inf"), 1.0], "ripe": ["1", "x"], "w": [[1], "inf"], "new": [1, "inf"]}
    np.testing.assert_array_equal(model.predict({**frame, **mess}), model.predict(frame))


def test_names_of_predictions_that_collide_are_refused(folder: Path) -> None:
    write_csv(folder / "two.csv", ["a", "y", "y_sd"], [[p, p / 7, p / 9] for p in range(40)])
    wanted = ["data.path=two.csv", "data.target=[y, y_sd]"]
    open_experiment("it.yaml", wanted)
    with pytest.raises(SpecError, match=r"data\.target: predictions would have two columns `prediction_y_sd`"):
        open_experiment("it.yaml", [*wanted, "loss=gaussian_nll"])


def test_labels_that_are_numbers_are_known_by_their_value(folder: Path) -> None:
    pick = ("data.task=classification", "data.missing_values=['', '2', '3']")
    assert prepared("count", *pick, "data.positive=00.0").target.positive == 0
    found = prepared("count", *pick, "loss.class_weight={'1.0': 3, '0': 2}")
    assert found.target.class_weights == (2.0, 3.0)
    with pytest.raises(SpecError, match=r"loss\.class_weight: names a class of `count` more than once"):
        prepared("count", *pick, "loss.class_weight={'1.0': 3, '1': 2}")
    with pytest.raises(DataError, match=r"data\.positive: `1_0` is no label of `count`"):
        prepared("count", *pick, "data.positive=1_0")
