"""The recurrent layers, with the two biases of PyTorch added up where one is enough."""

from __future__ import annotations

from itertools import product

import torch
from torch import nn

from tests.reference.records import Record, numbers
from tests.reference.with_torch import TORCH, passed

BATCH, STEPS, INPUTS, UNITS = 3, 5, 2, 4
GATES = {"simple_rnn": (nn.RNN, 1), "gru": (nn.GRU, 3), "lstm": (nn.LSTM, 4)}


def records() -> list[Record]:
    return [_record(name, *both) for name in GATES for both in product((False, True), repeat=2)]


def _record(name: str, sequences: bool, bidirectional: bool) -> Record:
    cls, gates = GATES[name]
    x = numbers(f"{name} x", BATCH, STEPS, INPUTS)
    parameters = {}
    for way in ("", "_reverse")[: 1 + bidirectional]:
        parameters[f"W{way}"] = numbers(f"{name} W{way}", INPUTS, gates * UNITS)
        parameters[f"R{way}"] = numbers(f"{name} R{way}", UNITS, gates * UNITS, scale=0.5)
        parameters[f"b{way}"] = numbers(f"{name} b{way}", gates * UNITS)
        if name == "gru":
            parameters[f"b_hn{way}"] = numbers(f"{name} b_hn{way}", UNITS)
    layer = cls(INPUTS, UNITS, batch_first=True, bidirectional=bidirectional)

    def forward(x: torch.Tensor, **learned: torch.Tensor) -> torch.Tensor:
        weights = {}
        for way in ("", "_reverse")[: 1 + bidirectional]:
            weights[f"weight_ih_l0{way}"] = learned[f"W{way}"].T
            weights[f"weight_hh_l0{way}"] = learned[f"R{way}"].T
            weights[f"bias_ih_l0{way}"] = learned[f"b{way}"]
            recurrent = learned.get(f"b_hn{way}", torch.zeros(0))
            zeros = torch.zeros(gates * UNITS - len(recurrent))
            weights[f"bias_hh_l0{way}"] = torch.cat([zeros, recurrent])
        outputs, last = torch.func.functional_call(layer, weights, (x,))
        last = last[0] if name == "lstm" else last
        return outputs if sequences else torch.cat(list(last), -1)

    options = {"units": UNITS, "return_sequences": sequences, "bidirectional": bidirectional}
    return passed(name, f"{TORCH} nn.{cls.__name__}", forward, x, parameters, options=options)
