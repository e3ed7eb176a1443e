"""Curvature of a loss at the weights: trace by random probes, largest eigenvalue by Lanczos, from Hessian products."""

import math
import statistics
from collections.abc import Callable

import torch
from jaxtyping import Float64
from torch import Tensor

from experiments.measures.records import Eigenvalue, Trace
from experiments.measures.split_loss import Offsets, SplitLoss, accumulate, gaussian, zeros
from experiments.statistics import check_draws

Product = Callable[[Offsets], Offsets]


def hessian_product(loss: SplitLoss) -> Product:
    """``v -> H v`` by double backward: exact up to rounding, at the weights that the parameters hold now.

    The graphs of all pieces' gradients are built once and kept, so memory grows with the split; the function is stale
    once the weights move. A parameter that some gradient does not depend on contributes zero.
    """
    graphs = [torch.autograd.grad(piece, loss.parameters, create_graph=True) for piece in loss.pieces()]

    def product(vector: Offsets) -> Offsets:
        totals, direction = zeros(loss.blocks), loss.by_parameter(vector)
        for gradients in graphs:
            live = [(one, along) for one, along in zip(gradients, direction, strict=True) if one.requires_grad]
            if not live:
                continue
            products = torch.autograd.grad(
                [one for one, _ in live],
                loss.parameters,
                [along for _, along in live],
                retain_graph=True,
                materialize_grads=True,
            )
            accumulate(totals, loss.by_block(products))
        return totals

    return product


def rademacher(loss: SplitLoss, generator: torch.Generator) -> Offsets:
    """Independent fair signs."""
    return tuple(torch.randint(0, 2, zero.shape, generator=generator).double() * 2 - 1 for zero in zeros(loss.blocks))


def hessian_trace(loss: SplitLoss, product: Product, *, probes: int, generator: torch.Generator) -> Trace:
    """Hutchinson: ``tr H = E v'Hv`` for random signs v, and ``tr H_bb = E v_b'(Hv)_b`` for every block.

    Exact with a single probe where H is diagonal. Mean and standard error over the probes.

    Args:
        probes: at least 2.

    Raises:
        ValueError: fewer probes: they have no standard error.
    """
    check_draws("probes", probes)
    rows: list[list[float]] = []
    for _ in range(probes):
        signs = rademacher(loss, generator)
        rows.append([float(one @ other) for one, other in zip(signs, product(signs), strict=True)])
    totals = [math.fsum(row) for row in rows]
    columns = list(zip(*rows, strict=True))
    return Trace(
        probes=probes,
        mean=statistics.fmean(totals),
        standard_error=_error(totals),
        blocks=tuple(statistics.fmean(column) for column in columns),
        block_errors=tuple(_error(column) for column in columns),
    )


def _error(values: list[float] | tuple[float, ...]) -> float:
    return statistics.stdev(values) / math.sqrt(len(values))


def top_eigenvalue(
    loss: SplitLoss, product: Product, *, steps: int, generator: torch.Generator, tolerance: float = 1e-3
) -> Eigenvalue:
    """Lanczos with full re-orthogonalisation: the largest Ritz value ``t``, a lower bound of the largest eigenvalue.

    The residual is ``||H u - t u||`` with ``||u|| = 1``, from one more product: some eigenvalue lies within it of t.
    Stops early once Lanczos' own estimate of it is at most ``tolerance * |t|``, or when the Krylov space is exhausted.

    Args:
        steps: Hessian products at most, >= 1; the residual takes one more.
    """
    start = torch.cat(gaussian(loss.blocks, generator))
    basis = [start / start.norm()]
    diagonal: list[float] = []
    beside: list[float] = []
    for _ in range(min(steps, len(start))):
        image = _flat_product(loss, product, basis[-1])
        diagonal.append(float(basis[-1] @ image))
        scale = float(image.norm())
        for _ in range(2):
            stacked = torch.stack(basis)
            image = image - stacked.T @ (stacked @ image)
        length = float(image.norm())
        ritz, weights = _largest(diagonal, beside)
        if length <= 1e-10 * scale or length * abs(float(weights[-1])) <= tolerance * abs(ritz):
            break
        beside.append(length)
        basis.append(image / length)
    ritz, weights = _largest(diagonal, beside[: len(diagonal) - 1])
    vector = torch.stack(basis[: len(diagonal)]).T @ weights
    vector = vector / vector.norm()
    residual = float((_flat_product(loss, product, vector) - ritz * vector).norm())
    return Eigenvalue(value=ritz, residual=residual, products=len(diagonal) + 1)


def _largest(diagonal: list[float], beside: list[float]) -> tuple[float, Float64[Tensor, " n"]]:
    """Largest eigenvalue of the symmetric tridiagonal matrix and its eigenvector."""
    matrix = torch.diag(torch.tensor(diagonal, dtype=torch.float64))
    if beside:
        side = torch.tensor(beside, dtype=torch.float64)
        matrix = matrix + torch.diag(side, 1) + torch.diag(side, -1)
    values, vectors = torch.linalg.eigh(matrix)
    return float(values[-1]), vectors[:, -1]


def _flat_product(loss: SplitLoss, product: Product, vector: Float64[Tensor, " d"]) -> Float64[Tensor, " d"]:
    sizes = [len(zero) for zero in zeros(loss.blocks)]
    return torch.cat(product(vector.split(sizes)))
