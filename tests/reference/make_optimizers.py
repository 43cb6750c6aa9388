"""Optimizers: theta after some of fifty steps on recorded gradients, the first elements of it decaying."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch

from tests.reference import make_papers, make_textbook
from tests.reference.records import Array, Record, make, numbers
from tests.reference.with_torch import TORCH

STEPS, SIZE = 50, 12
DECAYED = 8  # leading elements of theta that weight decay applies to
SEGMENTS = (0, 5, 8, 12)  # where parameters begin and end
KEPT = (1, 2, 10, 50)  # the steps after which theta is recorded

START = numbers("start", SIZE)
# A slope that turns slowly, noise, and sizes over four decades.
SLOPE = np.sin(np.arange(STEPS)[:, None] / 9 + np.arange(SIZE))
GRADIENTS: Array = (SLOPE + numbers("gradients", STEPS, SIZE, scale=0.5)) * np.logspace(-3, 1, SIZE)

Steps = Iterator[Array]


def records() -> list[Record]:
    recorded = make("recorded", "gradients", "numbers and a closed form", start=START, gradients=GRADIENTS)
    recorded |= {"decayed": DECAYED, "segments": SEGMENTS, "kept": KEPT}
    return [recorded, *_of_torch(), *_of_papers(), *_minima()]


def _of_torch() -> list[Record]:
    """PyTorch's optimizers. The decay is decoupled, theta -= lr weight_decay theta before the step, as in its AdamW."""
    optim = torch.optim
    beta = {"betas": (0.8, 0.99)}
    ours = {"beta1": 0.8, "beta2": 0.99}
    variants: list[tuple[str, type[torch.optim.Optimizer], Mapping[str, Any], Mapping[str, Any]]] = [
        ("sgd", optim.SGD, {}, {"lr": 0.01}),
        ("sgd", optim.SGD, {"lr": 0.1, "weight_decay": 0.1}, {}),
        ("momentum", optim.SGD, {}, {"lr": 0.01, "momentum": 0.9}),
        ("momentum", optim.SGD, {"lr": 0.05, "momentum": 0.5, "weight_decay": 0.1}, {}),
        ("nesterov", optim.SGD, {}, {"lr": 0.01, "momentum": 0.9, "nesterov": True}),
        ("nesterov", optim.SGD, {"lr": 0.05, "momentum": 0.5, "weight_decay": 0.1}, {"nesterov": True}),
        ("adagrad", optim.Adagrad, {}, {"lr": 0.01}),
        ("adagrad", optim.Adagrad, {"initial_accumulator": 0.1, "lr": 0.1}, {"initial_accumulator_value": 0.1}),
        ("adagrad", optim.Adagrad, {"eps": 0.01, "lr": 0.1, "weight_decay": 0.1}, {}),
        ("adadelta", optim.Adadelta, {}, {"lr": 1.0, "rho": 0.9, "eps": 1e-6}),
        ("adadelta", optim.Adadelta, {"lr": 0.5, "rho": 0.8, "eps": 1e-3, "weight_decay": 0.1}, {}),
        ("rmsprop", optim.RMSprop, {}, {"lr": 0.01}),
        ("rmsprop", optim.RMSprop, {"alpha": 0.9, "eps": 1e-3, "weight_decay": 0.1}, {"lr": 0.01}),
        ("rmsprop", optim.RMSprop, {"momentum": 0.9, "lr": 0.001}, {}),
        ("rmsprop", optim.RMSprop, {"centered": True, "lr": 0.001}, {}),
        ("rmsprop", optim.RMSprop, {"centered": True, "momentum": 0.5, "lr": 0.001}, {}),
        ("adam", optim.Adam, {}, {"lr": 0.001}),
        ("adam", optim.Adam, {"lr": 0.01, **ours, "eps": 1e-3, "weight_decay": 0.1}, beta),
        ("amsgrad", optim.Adam, {}, {"lr": 0.001, "amsgrad": True}),
        ("amsgrad", optim.Adam, {"lr": 0.01, **ours, "weight_decay": 0.1}, {**beta, "amsgrad": True}),
        ("adamw", optim.AdamW, {}, {"lr": 0.001, "weight_decay": 0.01}),
        ("adamw", optim.AdamW, {"lr": 0.01, **ours, "weight_decay": 0.2}, beta),
        ("adamax", optim.Adamax, {}, {"lr": 0.002}),
        ("adamax", optim.Adamax, {"lr": 0.01, **ours, "weight_decay": 0.1}, beta),
        ("nadam", optim.NAdam, {}, {"lr": 0.002}),
        ("nadam", optim.NAdam, {"lr": 0.01, **ours, "weight_decay": 0.1}, beta),
        ("nadam", optim.NAdam, {"momentum_decay": 0.02, "eps": 1e-3}, {"lr": 0.002, "momentum_decay": 0.02}),
        ("amsgrad", optim.Adam, {"eps": 1e-3}, {"lr": 0.001, "amsgrad": True}),
        ("adamw", optim.AdamW, {"eps": 1e-3}, {"lr": 0.001, "weight_decay": 0.01}),
        ("adamax", optim.Adamax, {"eps": 1e-3}, {"lr": 0.002}),
        ("radam", optim.RAdam, {"eps": 1e-3}, {"lr": 0.001}),
        ("radam", optim.RAdam, {}, {"lr": 0.001}),
        ("radam", optim.RAdam, {"lr": 0.01, **ours, "weight_decay": 0.1}, beta),
        ("rprop", optim.Rprop, {}, {"lr": 0.01}),
        (
            "rprop",
            optim.Rprop,
            {"eta_minus": 0.6, "eta_plus": 1.5, "step_min": 1e-4, "step_max": 0.1, "step_init": 0.02},
            {"lr": 0.02, "etas": (0.6, 1.5), "step_sizes": (1e-4, 0.1)},
        ),
    ]
    made = []
    for name, cls, options, keys in variants:
        same = {
            key: value for key, value in options.items() if key in ("lr", "momentum", "eps", "rho", "alpha", "centered")
        }
        decay = options.get("weight_decay", keys.get("weight_decay", 0.0))
        arguments = {**same, **{key: value for key, value in keys.items() if key != "weight_decay"}}
        paths = {
            word: list(_stepped(cls, arguments, decay, dtype))
            for word, dtype in (("float64", torch.float64), ("float32", torch.float32))
        }
        source = f"{TORCH} optim.{cls.__name__}({_words(arguments)}), decoupled decay"
        made.append(make("optimizers", name, source, options, theta=paths))
    return made


def _stepped(
    cls: type[torch.optim.Optimizer], arguments: Mapping[str, Any], decay: float, dtype: torch.dtype
) -> Iterator[Array]:
    """Theta after the steps that are kept. AdamW decays by itself, for the others it is done here."""
    theta = torch.tensor(START, dtype=dtype)
    parts = [torch.nn.Parameter(theta[:DECAYED].clone()), torch.nn.Parameter(theta[DECAYED:].clone())]
    own = cls is torch.optim.AdamW
    groups = [
        {"params": [part], **({"weight_decay": wd} if own else {})}
        for part, wd in zip(parts, (decay, 0.0), strict=True)
    ]
    optimizer = cls(groups, **arguments)
    rate = arguments.get("lr", 0.0)
    for step, gradient in enumerate(GRADIENTS, start=1):
        parts[0].grad, parts[1].grad = (torch.tensor(part, dtype=dtype) for part in np.split(gradient, [DECAYED]))
        if decay and not own:
            with torch.no_grad():
                parts[0].mul_(1 - rate * decay)
        optimizer.step()
        if step in KEPT:
            yield torch.cat(parts).detach().numpy().astype(np.float64)


def _of_papers() -> list[Record]:
    """What PyTorch lacks, in plain float64 NumPy from the papers."""
    made = []
    for name, options, source, run in make_papers.VARIANTS:
        path: Callable[..., Iterator[Array]] = run
        thetas = [
            theta
            for step, theta in enumerate(path(START, GRADIENTS, DECAYED, SEGMENTS, **options), start=1)
            if step in KEPT
        ]
        made.append(make("optimizers", name, f"{source}, plain NumPy", options, theta={"float64": thetas}))
    return made


def _minima() -> list[Record]:
    """What an optimizer that searches is judged by: the least loss of three problems, and where it starts."""
    curvature = np.logspace(0, 4, SIZE)
    shape = {"curvature": curvature, "start": START, "least": 0.0}
    valley = {"start": [-1.2, 1.0], "least": 0.0}
    source = "closed form: the sum of curvature theta^2 / 2"
    logistic = make_textbook.logistic_regression()
    logistic = {"start": np.zeros(len(logistic["W"]) + 1), "least": logistic["objective"], "l2": logistic["l2"]}
    return [
        make("minima", "lbfgs", source, case="quadratic", **shape),
        make("minima", "lbfgs", "Rosenbrock 1960: 0 at (1, 1)", case="rosenbrock", **valley),
        make("minima", "lbfgs", make_textbook.LOGISTIC, case="logistic regression", **logistic),
    ]


def _words(arguments: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in arguments.items())
