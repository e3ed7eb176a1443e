"""The worst-case step on a ball: separate or joint radii, plain or adaptive, zero at a zero gradient."""

import math
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

Block: TypeAlias = Float[Tensor, "*shape"]
"""A parameter, or something of its shape."""

_FACTOR = 2.0**96


def shared_radius_factor(norm: float, rho: float) -> float:
    """``rho_sh / ||g_sh^i||``: the perturbation of the trunk for task i is ``eps_sh^i = rho_sh g_sh^i / ||g_sh^i||_2``.

    Paper: eq. 11

    Args:
        norm: length of the gradient (separate or joint norm; of ``|w| g`` when adaptive), >= 0.
        rho: radius, >= 0.

    Returns:
        The factor of the gradient; 0 at a zero gradient.
    """
    return rho / norm if norm > 0 else 0.0


def head_radius_factor(norm: float, rho: float) -> float:
    """``rho_ns / ||g_ns^i||``: the perturbation of head i is ``eps_ns^i = rho_ns g_ns^i / ||g_ns^i||_2``.

    Paper: eq. 7

    Args:
        norm: as for ``shared_radius_factor``, of the head's block.
        rho: radius, >= 0.

    Returns:
        The factor of the gradient; 0 at a zero gradient.
    """
    return rho / norm if norm > 0 else 0.0


def dual_weight(parameter: Block, gradient: Block, *, adaptive: bool) -> Block:
    """The vector whose length is the dual norm of the ball: ``g``, or ``|w| g`` when adaptive (w the parameter)."""
    return parameter.abs() * gradient if adaptive else gradient


def move(parameter: Block, start: Block, gradient: Block, factor: float, *, adaptive: bool) -> None:
    """``parameter <- start + factor * g`` (or ``factor * w^2 g`` when adaptive, w = start), in place.

    The factor may exceed the dtype's range when the gradient is tiny; it is then applied in two powers.
    """
    step = start * start * gradient if adaptive else gradient
    if factor > _FACTOR:
        first = math.ldexp(1.0, math.frexp(factor)[1] // 2)
        step = step * first
        factor /= first
    with torch.no_grad():
        torch.add(start, step, alpha=factor, out=parameter.detach())
