"""What layer_norm and rms_norm have in common: every row is brought to one scale along its last axis."""

from __future__ import annotations

from nnctl.component import section
from nnctl.initializers.constant import Constant
from nnctl.layers import ROWS, Inputs, Layer, Parameter, Plan, Scratch, Slot


@section
class RowNorm(Layer):
    """A normalisation over the last axis, with a learned factor gamma for every feature where it is ``affine``.

    All axes but the last are rows: x2, y2, dy2, dx2 and ``normal`` are (*K, N, I), ``mean`` and ``factor`` (*K, N, 1).
    """

    eps: float
    affine: bool

    transparent = True
    overwrites_x = True
    overwrites_dy = True

    def plan(self, inputs: Inputs) -> Plan:
        *axes, features = inputs.shape
        per_row = Scratch((ROWS, *axes, 1))
        return Plan(
            inputs.shape,
            parameters=self.parameters(features) if self.affine else {},
            scratch={
                "ones": Scratch((ROWS, *axes), fill=1.0),
                "average": Scratch((features, 1), fill=1 / features),  # x @ average is the mean of every row
                "weights": Scratch((features, 1)),  # gamma average
                "normal": Scratch((ROWS, *inputs.shape)),  # x, brought to one scale
                "mean": per_row,
                "factor": per_row,  # what x is multiplied by
            },
        )

    def parameters(self, features: int) -> dict[str, Parameter]:
        """What is learned."""
        return {"gamma": Parameter((features,), Constant(value=1.0), features, features, decay=False)}

    def bind(self, s: Slot) -> None:
        s.x2, s.y2, s.normal, s.mean, s.factor = map(s.matrix, (s.x, s.y, s.normal, s.mean, s.factor))
        s.eps = s.o.eps.reshape(*s.members, 1, 1) if s.members else s.o.eps
        if s.training:
            s.dy2, s.dx2 = s.matrix(s.dy), None if s.dx is None else s.matrix(s.dx)
            s.ones = s.ones.reshape(*s.members, 1, -1)
        if self.affine:
            s.gamma, s.gamma_column, s.dgamma = s.p.gamma[..., None, :], s.p.gamma[..., None], s.g.gamma[..., None, :]
        else:
            s.weights = s.average
