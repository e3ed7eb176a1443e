"""Whatever happens between entry and exit, parameters, buffers and random states are as they should be."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType

import torch
from torch import Tensor, nn

from flatmtl_core.parameters import Blocks
from flatmtl_core.workspace import Workspace


class Buffers:
    """A copy of every buffer of some modules, put back in place bit for bit (also when one was replaced)."""

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        self._saved: list[tuple[nn.Module, str, Tensor | None, Tensor | None]] = []
        owners = {id(owner): owner for module in modules for owner in module.modules()}
        for owner in owners.values():
            for name, buffer in _buffers_of(owner).items():
                self._saved.append((owner, name, buffer, None if buffer is None else buffer.detach().clone()))

    def restore(self) -> None:
        """Put every buffer back: the same tensor, the same bits."""
        with torch.no_grad():
            for owner, name, buffer, copy in self._saved:
                if buffer is not None and copy is not None:
                    buffer.resize_(copy.shape).copy_(copy)
                _buffers_of(owner)[name] = buffer


def _buffers_of(owner: nn.Module) -> dict[str, Tensor | None]:
    """All buffers of one module, None and non-persistent ones included (``named_buffers`` leaves some out)."""
    buffers: dict[str, Tensor | None] = vars(owner)["_buffers"]
    return buffers


class RandomState:
    """The states of torch's default generators: the CPU's and those of the parameters' accelerators."""

    def __init__(self, blocks: Blocks) -> None:
        self._cpu = torch.get_rng_state()
        devices = {parameter.device for parameter in blocks.all() if parameter.device.type == "cuda"}
        self._cuda = {device: torch.cuda.get_rng_state(device) for device in devices}

    def restore(self) -> None:
        """Put the generators back."""
        torch.set_rng_state(self._cpu)
        for device, state in self._cuda.items():
            torch.cuda.set_rng_state(state, device)


@dataclass
class Transaction:
    """Snapshot at entry; on an exception everything goes back to it, else to what ``keep`` recorded.

    Use as a context manager. ``keep`` marks the state of buffers and random numbers that shall remain on success;
    ``rewind`` brings the entry's buffers (and random numbers) back for one more forward of the same function.
    """

    blocks: Blocks
    modules: Sequence[nn.Module]
    workspace: Workspace
    generator: torch.Generator | None

    def __post_init__(self) -> None:
        self._starts: tuple[Tensor, ...] | None = None
        self._kept: tuple[Buffers, RandomState | None] | None = None

    def __enter__(self) -> "Transaction":
        self._buffers = Buffers(self.modules)
        self._random = RandomState(self.blocks)
        self._drawn = None if self.generator is None else self.generator.get_state()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.restore_parameters()
        if kind is not None:
            self._buffers.restore()
            self._random.restore()
            if self.generator is not None and self._drawn is not None:
                self.generator.set_state(self._drawn)
        elif self._kept is not None:
            buffers, random = self._kept
            buffers.restore()
            if random is not None:
                random.restore()

    def save_parameters(self) -> tuple[Tensor, ...]:
        """Copies of all parameters, in the order of ``Blocks.all``; from now on they are put back at exit."""
        parameters = self.blocks.all()
        starts: list[Tensor] = []
        with torch.no_grad():
            for index, parameter in enumerate(parameters):
                start = self.workspace.take(f"start {index}", parameter.shape, parameter.dtype, parameter.device)
                starts.append(start.copy_(parameter))
        self._starts = tuple(starts)
        return self._starts

    def restore_parameters(self) -> None:
        """Every parameter in place, bit for bit."""
        if self._starts is None:
            return
        with torch.no_grad():
            for parameter, start in zip(self.blocks.all(), self._starts, strict=True):
                parameter.copy_(start)

    def keep(self, *, random: bool) -> None:
        """On success, buffers (and, if asked, random states) shall be as they are now."""
        self._kept = (Buffers(self.modules), RandomState(self.blocks) if random else None)

    def rewind(self, *, random: bool) -> None:
        """Buffers (and, if asked, random states) of the entry."""
        self._buffers.restore()
        if random:
            self._random.restore()
