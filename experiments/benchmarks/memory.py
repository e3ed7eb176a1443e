"""Memory of one step: live torch allocations, counted exactly, and the resident set, as the system sees it."""

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.autograd.profiler import profile

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def peak_live_bytes(function: Callable[[], object]) -> int:
    """Largest sum of live torch allocations on the CPU during one call, beyond what was live before it.

    The sum runs over the allocator's own events; memory that a library takes without torch's allocator is not in it.
    """
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler prints that it starts and stops
    with profile(profile_memory=True) as recorded:
        kept = function()
    results = recorded.kineto_results
    assert results is not None
    events = [event for event in results.events() if event.name() == "[memory]"]
    live = peak = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        live += event.nbytes()
        peak = max(peak, live)
    del kept
    return peak


def resident_growth(function: Callable[[], object]) -> int | None:
    """Bytes by which the largest resident set during one call exceeds the resident set before it.

    Only means something in a fresh process: an older one has pages to use again. None where the system does not tell.
    """
    if not (os.access(_STATUS, os.R_OK) and os.access(_CLEAR, os.W_OK)):
        return None
    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim"):
        library.malloc_trim(0)  # what was freed before must not serve this call
    _CLEAR.write_text("5")  # the high-water mark starts anew
    before = _status("VmRSS")
    function()
    return max(0, _status("VmHWM") - before)


def _status(name: str) -> int:
    (line,) = [line for line in _STATUS.read_text(encoding="utf-8").splitlines() if line.startswith(f"{name}:")]
    return 1024 * int(line.split()[1])


class PassCounter:
    """Counts what a step asks of the network: calls of the losses, and gradients that reach one shared parameter.

    A batched backward (``torch.vmap``) counts once for each of its rows.
    """

    def __init__(self, parameter: Tensor) -> None:
        self.forwards = 0
        self.backwards = 0
        self._handle = parameter.register_hook(self._arrived)

    def close(self) -> None:
        self._handle.remove()

    def _arrived(self, gradient: Tensor) -> None:
        tell: Callable[[Tensor, PassCounter], Tensor] = _Rows.apply
        tell(gradient, self)


class _Rows(torch.autograd.Function):
    """Tells a counter of a gradient, or of the rows that a vmap hides from everybody else."""

    @staticmethod
    def forward(gradient: Tensor, counter: PassCounter) -> Tensor:
        counter.backwards += 1
        return gradient.view_as(gradient)

    @staticmethod
    def setup_context(ctx: object, inputs: object, output: object) -> None:
        """Nothing is kept: nobody differentiates this."""

    @staticmethod
    def vmap(info: Any, in_dims: Any, gradient: Tensor, counter: PassCounter) -> tuple[Tensor, Any]:
        counter.backwards += info.batch_size
        return gradient.view_as(gradient), in_dims[0]
