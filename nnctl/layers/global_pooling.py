"""What the global poolings have in common: all axes between batch and channels become one number."""

from __future__ import annotations

from nnctl.component import section
from nnctl.errors import Problem, SpecError
from nnctl.layers import Inputs, Layer, Plan, Scratch, Slot


@section
class GlobalPooling(Layer):
    """One number for every channel, over all P places."""

    transparent = True
    example_input = (3, 2, 2)

    def plan(self, inputs: Inputs) -> Plan:
        *axes, channels = inputs.shape
        if not axes:
            message = f"needs at least one axis in front of the channels, got the shape {inputs.shape}: leave it out"
            raise SpecError(Problem(message))
        return Plan((channels,), scratch=self.scratch(inputs))

    def scratch(self, inputs: Inputs) -> dict[str, Scratch]:
        """Working arrays."""
        return {}

    def bind(self, s: Slot) -> None:
        places = (*s.members, s.rows, -1, s.x.shape[-1])
        s.x_places = s.x.reshape(places)  # (*K, B, P, C)
        if s.dx is not None:
            s.dx_places, s.dy_places = s.dx.reshape(places), s.dy[..., None, :]
