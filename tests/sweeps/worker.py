"""``python -m tests.sweeps.worker``: a worker as `nnctl.sweeps.worker` is one, for calls of the tests."""

from __future__ import annotations

from nnctl.sweeps.worker import Calls
from tests.sweeps.calls import crash, deaf, echo, leave, noisy, pid, refuse, stumble, train, unsendable

if __name__ == "__main__":
    Calls().serve(echo, pid, noisy, refuse, stumble, unsendable, leave, crash, train, deaf)
