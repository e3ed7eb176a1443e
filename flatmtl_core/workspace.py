"""The buffers that a training loop may keep between steps."""

from collections.abc import Sequence

import torch
from torch import Tensor


class Workspace:
    """Owns the (m, d) matrix, the copy of the parameters and two vectors of length d: (m + 3) d numbers.

    Pass one to every step to allocate them once; a buffer is made anew when shape, dtype or device change. Nothing
    that the step hands out (``.grad``, the report) aliases them. Not to be shared between threads.
    """

    def __init__(self) -> None:
        self._buffers: dict[str, Tensor] = {}

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name}: {tuple(buffer.shape)}" for name, buffer in self._buffers.items())
        return f"Workspace({shapes})"

    def take(self, name: str, shape: Sequence[int], dtype: torch.dtype, device: torch.device) -> Tensor:
        """The buffer of this name, uninitialised when it is new."""
        buffer = self._buffers.get(name)
        if buffer is None or (tuple(buffer.shape), buffer.dtype, buffer.device) != (tuple(shape), dtype, device):
            buffer = torch.empty(tuple(shape), dtype=dtype, device=device)
            self._buffers[name] = buffer
        return buffer
