"""Which tensors the step moves: shared and head parameters, materialised once, checked before anything is computed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NoReturn, cast

import torch
from torch import Tensor, nn

from flatmtl_core.errors import InvalidInput


@dataclass(frozen=True)
class Blocks:
    """Trainable parameters by block, each tensor once.

    Args:
        shared: parameters of the trunk, at least one.
        heads: for each task the parameters that it owns, possibly none.
        names: the parameters' names by ``id``.
    """

    shared: tuple[Tensor, ...]
    heads: tuple[tuple[Tensor, ...], ...]
    names: dict[int, str]

    @property
    def sizes(self) -> list[int]:
        """Entries of each shared parameter."""
        return [parameter.numel() for parameter in self.shared]

    @property
    def dtype(self) -> torch.dtype:
        """One dtype that holds all shared parameters."""
        return reduce(torch.promote_types, [parameter.dtype for parameter in self.shared])

    @property
    def device(self) -> torch.device:
        """Where the shared parameters live."""
        return self.shared[0].device

    def all(self) -> tuple[Tensor, ...]:
        """Shared parameters, then the heads' in the order of the tasks."""
        return self.shared + tuple(parameter for head in self.heads for parameter in head)

    def pieces(self, row: Tensor) -> tuple[Tensor, ...]:
        """A (d,) vector as views in the shapes of the shared parameters."""
        parts = torch.split(row, self.sizes)
        return tuple(part.view(parameter.shape) for part, parameter in zip(parts, self.shared, strict=True))

    def shared_names(self) -> list[str]:
        """Names of the shared parameters, in their order."""
        return [self.names[id(parameter)] for parameter in self.shared]


def collect_modules(model: object) -> tuple[nn.Module, ...]:
    """One module or several, as a tuple.

    Raises:
        InvalidInput: something that is no module.
    """
    modules = (model,) if isinstance(model, nn.Module) else model
    if not isinstance(modules, list | tuple) or not all(
        isinstance(module, nn.Module) for module in cast("Sequence[object]", modules)
    ):
        rule = "a torch.nn.Module or a list of them: their buffers come back after the second pass"
        remedy = "pass the module whose forward the losses call"
        raise InvalidInput("the model can not be protected", "model", type(model).__name__, rule, remedy)
    return tuple(cast("Sequence[nn.Module]", modules))


def collect_blocks(
    shared: Iterable[Tensor], heads: Iterable[Iterable[Tensor]], modules: Sequence[nn.Module] = ()
) -> Blocks:
    """Materialise and check the blocks; parameters frozen on purpose (``requires_grad=False``) are left out.

    Raises:
        InvalidInput: no task, no trainable shared parameter, something that is not a parameter, a parameter given
            twice (in one block, in two heads, or in trunk and head), or shared parameters on two devices.
    """
    known = {id(parameter): name for module in modules for name, parameter in module.named_parameters()}
    seen: dict[int, str] = {}
    trunk = _block(shared, "shared", known, seen)
    if isinstance(heads, Tensor | nn.Module | str):
        _refuse_block("heads", type(heads).__name__, "an iterable with one iterable of parameters a task")
    branches = tuple(_block(head, f"heads[{task}]", known, seen) for task, head in enumerate(heads))
    if not branches:
        _refuse_block("heads", "no task", "m >= 1 tasks; a task without own parameters has an empty block")
    if not sum(parameter.numel() for parameter in trunk):
        _refuse_block("shared", "no entry that requires grad", "d >= 1 trainable shared parameters")
    devices = {str(parameter.device) for parameter in trunk}
    if len(devices) > 1:
        _refuse_block("shared", sorted(devices), "one device for all shared parameters")
    return Blocks(trunk, branches, seen)


def _block(parameters: Iterable[object], where: str, known: dict[int, str], seen: dict[int, str]) -> tuple[Tensor, ...]:
    if isinstance(parameters, Tensor | nn.Module | str):
        _refuse_block(where, type(parameters).__name__, "an iterable of parameters, such as module.parameters()")
    kept: list[Tensor] = []
    for index, parameter in enumerate(parameters):
        name = f"{where}[{index}]"
        if not isinstance(parameter, Tensor):
            _refuse_block(name, type(parameter).__name__, "a tensor")
        name = known.get(id(parameter), name)
        if id(parameter) in seen:
            _refuse_block(where, f"{name} a second time", "every parameter belongs to one block, once")
        seen[id(parameter)] = name
        if not parameter.requires_grad:
            continue
        if not (parameter.is_leaf and parameter.is_floating_point()):
            _refuse_block(name, f"{parameter.dtype}, leaf: {parameter.is_leaf}", "a real floating leaf tensor")
        kept.append(parameter)
    return tuple(kept)


def _refuse_block(where: str, value: object, rule: str) -> NoReturn:
    remedy = "pass shared=trunk.parameters() and heads=[head.parameters() for head in heads]"
    raise InvalidInput("the parameters can not be used", where, value, rule, remedy)
