"""The layers but for activations and recurrent ones: dense, convolution, pooling, norms, embedding, composites."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import torch
from torch.nn import functional as F

from tests.reference import make_embedding
from tests.reference.records import Array, Record, make, numbers
from tests.reference.with_torch import TORCH, passed

Tensor = torch.Tensor


def records() -> list[Record]:
    return [
        *_dense(),
        *_convolutions(),
        *_pools(),
        *_shapes(),
        *_norms(),
        *_noise(),
        *_composites(),
        *make_embedding.records(),
    ]


def _dense() -> list[Record]:
    def dense(x: Tensor, W: Tensor, b: Tensor | None = None) -> Tensor:
        return F.linear(x, W.T, b)

    x, source = numbers("dense x", 6, 4), f"{TORCH} nn.Linear"
    W, b = numbers("dense W", 4, 3), numbers("dense b", 3)
    deep = numbers("dense deep", 2, 3, 4)
    return [
        passed("dense", source, dense, x, {"W": W, "b": b}, options={"units": 3}),
        passed("dense", source, dense, x, {"W": W}, options={"units": 3, "bias": False}),
        passed("dense", source, dense, deep, {"W": W, "b": b}, options={"units": 3}, case="sequence"),
        passed(
            "dense",
            f"{source}, nn.GELU",
            lambda x, W, b: F.gelu(dense(x, W, b)),
            x,
            {"W": W, "b": b},
            options={"units": 3, "activation": "gelu"},
        ),
    ]


def _first(x: Tensor) -> Tensor:
    """Channels first, as PyTorch wants them."""
    return x.movedim(-1, 1)


def _last(x: Tensor) -> Tensor:
    return x.movedim(1, -1)


def _convolutions() -> list[Record]:
    variants = [
        {},
        {"bias": False},
        {"stride": 2},
        {"padding": "same"},
        {"padding": 1},
        {"dilation": 2},
        {"padding": 2, "stride": 2, "dilation": 2},
        {"padding": "same", "kernel": 2},
        {"padding": "same", "stride": 2},
    ]
    uneven = {"kernel": [3, 2], "stride": [1, 2], "dilation": [2, 1], "padding": 1}
    return [*(_convolution(axes, options) for axes in (1, 2) for options in variants), _convolution(2, uneven)]


def _convolution(axes: int, changed: dict[str, object]) -> Record:
    options = {"filters": 3, "kernel": 3, **changed}
    kernel, stride = options["kernel"], options.get("stride", 1)
    x = numbers(f"conv{axes}d", 2, *(7, 6)[:axes], 2)
    taps = kernel if isinstance(kernel, list) else [kernel] * axes
    parameters = {"W": numbers(f"conv{axes}d W {taps}", *taps, 2, 3)}
    if options.get("bias", True):
        parameters["b"] = numbers(f"conv{axes}d b", 3)
    padding = options.get("padding", "valid")
    convolve = F.conv1d if axes == 1 else F.conv2d

    def forward(x: Tensor, W: Tensor, b: Tensor | None = None) -> Tensor:
        first, how = _first(x), padding
        if padding == "same" and stride != 1:  # refused by PyTorch
            first, how = _padded(first, kernel, stride), 0
        keys = {"padding": how, "stride": stride, "dilation": options.get("dilation", 1)}
        return _last(convolve(first, W.movedim((-1, -2), (0, 1)), b, **keys))

    return passed(f"conv{axes}d", f"{TORCH} nn.Conv{axes}d", forward, x, parameters, options=options)


def _padded(x: Tensor, window: int, stride: int, value: float = 0.0) -> Tensor:
    """TensorFlow's `same`: ceil(size / stride) places, the longer half of an odd padding at the end."""
    widths = []
    for size in reversed(x.shape[2:]):
        whole = max(0, (-(-size // stride) - 1) * stride + window - size)
        widths += [whole // 2, whole - whole // 2]
    return F.pad(x, widths, value=value)


def _pools() -> list[Record]:
    made = []
    for axes in (1, 2):
        x = numbers(f"pool{axes}d", 2, *(8, 7)[:axes], 3)
        variants = [
            {"size": 2},
            {"size": 3, "stride": 2},
            {"size": 3, "stride": 1},
            {"size": 3, "padding": 1},
            {"size": 3, "stride": 2, "padding": "same"},
        ]
        if axes == 2:
            variants.append({"size": [3, 2], "stride": [2, 1]})
        made += [_pool(word, axes, options, x) for options in variants for word in ("max", "avg")]
        made.append(_pool("max", axes, {"size": 2, "stride": 1}, np.round(x), case="ties"))
        inner = tuple(range(1, axes + 1))
        largest = F.adaptive_max_pool1d if axes == 1 else F.adaptive_max_pool2d
        made.append(
            passed(
                "global_max_pool",
                f"{TORCH} nn.AdaptiveMaxPool{axes}d(1)",
                lambda x, pool=largest: pool(_first(x), 1).flatten(1),
                x,
                case=f"{axes}d",
            )
        )
        made.append(passed("global_avg_pool", f"{TORCH} mean", lambda x, d=inner: x.mean(d), x, case=f"{axes}d"))
    return made


def _pool(word: str, axes: int, options: dict[str, object], x: Array, **content: str) -> Record:
    """Padding counts for nothing; `same`, which PyTorch lacks, is padded here."""
    size, stride, padding = options["size"], options.get("stride"), options.get("padding", 0)
    pools = {"max": (F.max_pool1d, F.max_pool2d), "avg": (F.avg_pool1d, F.avg_pool2d)}
    pool = pools[word][axes - 1]

    def forward(x: Tensor) -> Tensor:
        first = _first(x)
        if padding != "same":
            keys = {"count_include_pad": False} if word == "avg" else {}
            return _last(pool(first, size, stride, padding, **keys))
        if word == "max":
            return _last(pool(_padded(first, size, stride, -math.inf), size, stride))
        inside = _padded(torch.ones_like(first), size, stride)
        return _last(pool(_padded(first, size, stride), size, stride) / pool(inside, size, stride))

    return passed(
        f"{word}_pool{axes}d", f"{TORCH} nn.{word.title()}Pool{axes}d", forward, x, options=options, **content
    )


def _shapes() -> list[Record]:
    flat, deep = numbers("flat", 3, 12), numbers("deep", 3, 2, 3, 2)
    return [
        passed("reshape", f"{TORCH} reshape", lambda x: x.reshape(3, 2, 3, 2), flat, options={"shape": [2, 3, 2]}),
        passed("flatten", f"{TORCH} nn.Flatten", lambda x: x.flatten(1), deep),
    ]


def _norms() -> list[Record]:
    affine = {"gamma": numbers("gamma", 4) + 1, "beta": numbers("beta", 4)}
    wide, deep = numbers("norm x", 6, 4, scale=2) + 1, numbers("norm deep", 3, 5, 4, scale=2) + 1
    mean, var = numbers("running mean", 4), np.abs(numbers("running var", 4)) + 0.5
    made = []
    for x, case in ((wide, ""), (deep, "sequence")):
        made += [
            _batch_norm(x, affine, mean, var, options, training, case)
            for options in ({}, {"momentum": 0.5, "eps": 0.01}, {"affine": False})
            for training in (True, False)
        ]
    for options, (x, case) in product(({}, {"eps": 0.01}, {"affine": False}), ((wide, ""), (deep, "sequence"))):
        learned = {} if options.get("affine") is False else affine
        eps, gain = options.get("eps", 1e-5), dict(list(learned.items())[:1])
        layer_norm = lambda x, gamma=None, beta=None, e=eps: F.layer_norm(x, (4,), gamma, beta, e)  # noqa: E731
        made.append(passed("layer_norm", f"{TORCH} nn.LayerNorm", layer_norm, x, learned, options=options, case=case))
        eps = options.get("eps", 1e-6)
        rms_norm = lambda x, gamma=None, e=eps: F.rms_norm(x, (4,), gamma, e)  # noqa: E731
        made.append(passed("rms_norm", f"{TORCH} nn.RMSNorm", rms_norm, x, gain, options=options, case=case))
    factor = numbers("scale", 4) + 1
    made.append(passed("scale", f"{TORCH} product", lambda x, factor: x * factor, wide, {"factor": factor}))
    return made


def _batch_norm(
    x: Array, affine: dict[str, Array], mean: Array, var: Array, options: dict[str, object], training: bool, case: str
) -> Record:
    """PyTorch's momentum is one minus ours."""
    running = torch.tensor(mean), torch.tensor(var)
    keep, eps = 1 - options.get("momentum", 0.9), options.get("eps", 1e-5)

    def forward(x: Tensor, gamma: Tensor | None = None, beta: Tensor | None = None) -> Tensor:
        return _last(F.batch_norm(_first(x), *running, gamma, beta, training, keep, eps))

    words = [case, "" if training else "evaluation"]
    made = passed(
        "batch_norm",
        f"{TORCH} nn.BatchNorm1d with momentum {keep:g}",
        forward,
        x,
        {} if options.get("affine") is False else affine,
        options=options,
        training=training,
        statistics={"mean": mean, "var": var},
        case=" ".join(filter(None, words)),
    )
    return {**made, "statistics_after": {"mean": running[0].numpy(), "var": running[1].numpy()}}


def _noise() -> list[Record]:
    """What noise does to a constant: the values it can take and their shares, or its mean and deviation."""
    made = []
    for name, noise, constant, source in (
        ("dropout", F.dropout, 1.0, f"{TORCH} nn.Dropout"),
        ("alpha_dropout", F.alpha_dropout, 0.7, f"{TORCH} nn.AlphaDropout"),
    ):
        for rate in (0.5, 0.2):
            torch.manual_seed(0)
            values = noise(torch.full((1000,), constant), rate, training=True).unique().numpy()
            shares = [rate, 1 - rate]
            made.append(make("noise", name, source, {"rate": rate}, constant=constant, values=values, shares=shares))
        x = numbers("noise", 4, 3)
        made.append(passed(name, source, lambda x, f=noise: f(x, 0.5, training=False), x, training=False, case="off"))
    options = {"std": 0.3}
    made.append(make("noise", "gaussian_noise", "x + std N(0, 1)", options, constant=0.7, mean=0.7, std=0.3))
    made.append(
        passed("gaussian_noise", "x in evaluation", lambda x: x * 1, x, options=options, training=False, case="off")
    )
    return made


def _composites() -> list[Record]:
    x = numbers("composite", 6, 4)
    W, b = numbers("composite W", 4, 4), numbers("composite b", 4)
    V, c, P = numbers("composite V", 4, 3), numbers("composite c", 3), numbers("composite P", 4, 3)
    inner = {"type": "dense", "units": 4, "activation": "tanh"}
    outer = {"type": "dense", "units": 3}
    residual = f"{TORCH} x + f(x), as He et al. 2016"
    return [
        passed(
            "residual",
            residual,
            lambda x, layers_0_W, layers_0_b: x + torch.tanh(x @ layers_0_W + layers_0_b),
            x,
            {"layers.0.W": W, "layers.0.b": b},
            options={"layers": [inner]},
        ),
        passed(
            "residual",
            f"{residual}, option B",
            lambda x, layers_0_W, layers_0_b, projection_W: x @ projection_W + x @ layers_0_W + layers_0_b,
            x,
            {"layers.0.W": V, "layers.0.b": c, "projection.W": P},
            options={"layers": [outer]},
        ),
        passed(
            "residual",
            residual,
            lambda x, layers_0_W, layers_0_b: x + torch.tanh(x @ layers_0_W + layers_0_b),
            x,
            {"layers.0.W": W, "layers.0.b": b},
            options={"layers": [inner], "projection": None},
        ),
        passed(
            "concat",
            f"{TORCH} cat",
            lambda x, branches_0_0_W, branches_0_0_b, branches_1_0_W, branches_1_0_b: torch.cat(
                [torch.tanh(x @ branches_0_0_W + branches_0_0_b), x @ branches_1_0_W + branches_1_0_b, x], -1
            ),
            x,
            {"branches.0.0.W": W, "branches.0.0.b": b, "branches.1.0.W": V, "branches.1.0.b": c},
            options={"branches": [[inner], [outer], []]},
        ),
    ]
