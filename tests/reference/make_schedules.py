"""Schedules: the factor of every step of a run, of a learning rate 1."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import torch
from torch.optim import lr_scheduler

from tests.reference.records import Record, make
from tests.reference.with_torch import TORCH

TOTAL, EPOCH = 40, 4  # steps in a run and in an epoch

Scheduler = lr_scheduler.LRScheduler


def records() -> list[Record]:
    return [*_of_torch(), *_warm(), *_closed(), *_plateau()]


def _curve(scheduler: Callable[[torch.optim.Optimizer], Scheduler], units: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    steps, rates = scheduler(optimizer), []
    for _ in range(units):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        steps.step()
    return rates


def _record(name: str, options: Mapping[str, Any], source: str, factors: list[float], **content: Any) -> Record:
    return make("schedules", name, source, options, total=TOTAL, epoch_steps=EPOCH, factors=factors, **content)


def _of_torch() -> list[Record]:
    """By step; and by epoch, where every step of an epoch has the factor of its epoch."""
    s, step, epochs = lr_scheduler, {"per": "step"}, TOTAL // EPOCH
    by_step: list[tuple[str, Mapping[str, Any], str, Callable[[torch.optim.Optimizer], Scheduler]]] = [
        ("constant", {}, "ConstantLR(factor=1)", lambda o: s.ConstantLR(o, 1.0)),
        ("step", {"every": 7, **step}, "StepLR", lambda o: s.StepLR(o, 7)),
        ("step", {"every": 9, "gamma": 0.5, **step}, "StepLR", lambda o: s.StepLR(o, 9, 0.5)),
        ("multi_step", {"milestones": [5, 20], **step}, "MultiStepLR", lambda o: s.MultiStepLR(o, [5, 20])),
        (
            "multi_step",
            {"milestones": [3, 8, 30], "gamma": 0.5, **step},
            "MultiStepLR",
            lambda o: s.MultiStepLR(o, [3, 8, 30], 0.5),
        ),
        ("exponential", {"gamma": 0.95, **step}, "ExponentialLR", lambda o: s.ExponentialLR(o, 0.95)),
        ("linear", {}, "LinearLR(1, 0)", lambda o: s.LinearLR(o, 1.0, 0.0, TOTAL)),
        ("linear", {"end": 0.2}, "LinearLR(1, 0.2)", lambda o: s.LinearLR(o, 1.0, 0.2, TOTAL)),
        ("polynomial", {}, "PolynomialLR", lambda o: s.PolynomialLR(o, TOTAL, 1.0)),
        ("polynomial", {"power": 2.0}, "PolynomialLR", lambda o: s.PolynomialLR(o, TOTAL, 2.0)),
        ("cosine", {}, "CosineAnnealingLR", lambda o: s.CosineAnnealingLR(o, TOTAL)),
        ("cosine", {"end": 0.1}, "CosineAnnealingLR", lambda o: s.CosineAnnealingLR(o, TOTAL, 0.1)),
        (
            "cosine_restarts",
            {"period": 7},
            "CosineAnnealingWarmRestarts",
            lambda o: s.CosineAnnealingWarmRestarts(o, 7),
        ),
        (
            "cosine_restarts",
            {"period": 5, "mult": 2, "end": 0.1},
            "CosineAnnealingWarmRestarts",
            lambda o: s.CosineAnnealingWarmRestarts(o, 5, 2, 0.1),
        ),
        ("one_cycle", {}, "OneCycleLR", lambda o: s.OneCycleLR(o, 1.0, TOTAL)),
        (
            "one_cycle",
            {"pct": 0.4, "div": 10.0, "final_div": 100.0},
            "OneCycleLR",
            lambda o: s.OneCycleLR(o, 1.0, TOTAL, pct_start=0.4, div_factor=10.0, final_div_factor=100.0),
        ),
        (
            "cyclic",
            {"low": 0.1, "period": 10},
            "CyclicLR(mode='triangular')",
            lambda o: s.CyclicLR(o, 0.1, 1.0, 5, cycle_momentum=False),
        ),
    ]
    made = [_record(name, options, f"{TORCH} {words}", _curve(f, TOTAL)) for name, options, words, f in by_step]
    by_epoch = [
        ("step", {"every": 3}, "StepLR", lambda o: s.StepLR(o, 3)),
        ("multi_step", {"milestones": [2, 5]}, "MultiStepLR", lambda o: s.MultiStepLR(o, [2, 5])),
        ("exponential", {"gamma": 0.8}, "ExponentialLR", lambda o: s.ExponentialLR(o, 0.8)),
        ("cosine", {"per": "epoch"}, "CosineAnnealingLR", lambda o: s.CosineAnnealingLR(o, epochs)),
        ("linear", {"per": "epoch"}, "LinearLR", lambda o: s.LinearLR(o, 1.0, 0.0, epochs)),
        ("polynomial", {"per": "epoch", "power": 2.0}, "PolynomialLR", lambda o: s.PolynomialLR(o, epochs, 2.0)),
        ("one_cycle", {"per": "epoch"}, "OneCycleLR", lambda o: s.OneCycleLR(o, 1.0, epochs)),
        (
            "cosine_restarts",
            {"per": "epoch", "period": 4},
            "CosineAnnealingWarmRestarts",
            lambda o: s.CosineAnnealingWarmRestarts(o, 4),
        ),
        (
            "cyclic",
            {"per": "epoch", "low": 0.2, "period": 4},
            "CyclicLR",
            lambda o: s.CyclicLR(o, 0.2, 1.0, 2, cycle_momentum=False),
        ),
    ]
    for name, options, words, f in by_epoch:
        factors = [factor for factor in _curve(f, epochs) for _ in range(EPOCH)]
        made.append(_record(name, options, f"{TORCH} {words} by epoch", factors))
    return made


def _warm() -> list[Record]:
    """A warmup of W steps with the factor (t + 1) / W, then the schedule over the steps that remain."""
    s, made = lr_scheduler, []
    proper: list[tuple[str, Mapping[str, Any], Callable[[torch.optim.Optimizer, int], Scheduler]]] = [
        ("constant", {}, lambda o, n: s.ConstantLR(o, 1.0)),
        ("cosine", {}, lambda o, n: s.CosineAnnealingLR(o, n)),
        ("linear", {"end": 0.2}, lambda o, n: s.LinearLR(o, 1.0, 0.2, n)),
        ("step", {"every": 7, "per": "step"}, lambda o, n: s.StepLR(o, 7)),
    ]
    for (name, options, then), (warmup, w) in product(proper, ((0.25, 10), (2, 2 * EPOCH))):
        first = _curve(lambda o, w=w: s.LambdaLR(o, lambda t: (t + 1) / w), w)
        rest = _curve(lambda o, w=w, then=then: then(o, TOTAL - w), TOTAL - w)
        words = f"{TORCH} LambdaLR((t + 1) / {w}), and then the scheduler"
        made.append(_record(name, {**options, "warmup": warmup}, words, first + rest))
    return made


def _closed() -> list[Record]:
    """Closed forms: what PyTorch has no class for."""

    def stable(warmup: float, decay: float, end: float) -> Callable[[int], float]:
        rise, fall = round(warmup * TOTAL), round(decay * TOTAL)

        def factor(t: int) -> float:
            if t < rise:
                return (t + 1) / rise
            return end + (1 - end) * min(1.0, (TOTAL - t) / fall)

        return factor

    def vaswani(t: int) -> float:
        warm = round(0.25 * TOTAL)
        return (t + 1) / warm if t < warm else math.sqrt(warm / t)

    def polynomial(t: int) -> float:
        return 0.1 + 0.9 * (1 - t / TOTAL) ** 2

    forms: list[tuple[str, Mapping[str, Any], str, Callable[[int], float]]] = [
        ("inverse_time", {"rate": 0.1, "per": "step"}, "1 / (1 + rate t)", lambda t: 1 / (1 + 0.1 * t)),
        ("inverse_time", {"rate": 0.5}, "1 / (1 + rate t), t the epoch", lambda t: 1 / (1 + 0.5 * (t // EPOCH))),
        ("inverse_sqrt", {}, "1 / sqrt(1 + t)", lambda t: 1 / math.sqrt(1 + t)),
        ("inverse_sqrt", {"warmup": 0.25}, "Vaswani et al. 2017: min(s / W, sqrt(W / s))", vaswani),
        ("polynomial", {"power": 2.0, "end": 0.1}, "end + (1 - end) (1 - t / n)^power", polynomial),
        (
            "coslog4",
            {},
            "Holzmueller et al. 2024 (RealMLP): 1/2 (1 - cos(2 pi log2(1 + 15 t / n)))",
            lambda t: 0.5 * (1 - math.cos(2 * math.pi * math.log2(1 + 15 * t / TOTAL))),
        ),
        ("warmup_stable_decay", {}, "Hu et al. 2024 (MiniCPM), straight lines", stable(0.1, 0.1, 0.0)),
        (
            "warmup_stable_decay",
            {"warmup": 0.2, "decay": 0.5, "end": 0.1},
            "Hu et al. 2024 (MiniCPM), straight lines",
            stable(0.2, 0.5, 0.1),
        ),
    ]
    return [_record(name, options, source, [f(t) for t in range(TOTAL)]) for name, options, source, f in forms]


def _plateau() -> list[Record]:
    """ReduceLROnPlateau with an absolute threshold, fed one loss an epoch."""
    losses = [1.0, 0.9, 0.9, 0.95, 0.91, 0.8, 0.8, 0.8, 0.79995, 0.8, 0.8, 0.81, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7]
    made = []
    for options in (
        {"patience": 2},
        {"patience": 1, "factor": 0.5, "min_delta": 0.01, "cooldown": 2},
        {"patience": 0, "factor": 0.5},
    ):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        scheduler = lr_scheduler.ReduceLROnPlateau(
            optimizer,
            factor=options.get("factor", 0.1),
            patience=options["patience"],
            threshold=options.get("min_delta", 1e-4),
            threshold_mode="abs",
            cooldown=options.get("cooldown", 0),
            eps=0,
        )
        after = []
        for loss in losses:
            scheduler.step(loss)
            after.append(float(optimizer.param_groups[0]["lr"]))
        source = f"{TORCH} ReduceLROnPlateau(threshold_mode='abs')"
        made.append(make("plateau", "plateau", source, options, values=losses, factors_after=after))
    return made
