"""The only door to torch.linalg and to the host: norms that neither overflow nor flush to zero, and the Gramian."""

# torch.linalg carries no types: this file gives its results theirs, and no other file calls it.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import mul
from typing import TypeAlias

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from flatmtl_core.types import Direction, Gramian, TaskGrads

CHUNK = 8_192
"""Columns that one low-precision product sums; sums over chunks are kept in float64 (relative error below 1e-7)."""

FEW, SHORT_CHUNK = 4, 1_024
"""Up to 4 rows shorter chunks are faster as well as more accurate: the product then reads from the first cache."""

HALVED = range(9, 16)
"""Numbers of rows for which a CPU's products in strips of four rows, without the lower triangle, take less time."""

SHORT_PAIR = 131_072
"""Two rows of at most so many columns: three dot products take less time than one product with the transpose."""

Square: TypeAlias = Float64[Tensor, "n n"]
"""A small symmetric matrix on the host."""

EPS = torch.finfo(torch.float64).eps
SUMMED_LOW = 1e-7
"""What the entries of a Gramian of float32 rows are good for, relative to the rows' lengths."""

_SAFE_SQUARES = {torch.float64: (1e-290, 1e290)}
_SAFE_SQUARES_LOW = (1e-30, 1e30)
_LOW_PRECISION = (torch.float16, torch.bfloat16)


@dataclass
class Measured:
    """The Gramian of ``rows * 2**-exponent``, row by row in Python floats, with the scalars that rode along.

    ``exponent`` is 0 unless squares of the rows leave the range of the fast path; ``noise`` is what the entries are
    good for relative to the norms, 0 for float64 rows.
    """

    entries: list[float]
    noise: float
    exponent: int = 0
    riders: tuple[Tensor, ...] = ()

    @property
    def gramian(self) -> Gramian:
        """The same as a host tensor."""
        count = math.isqrt(len(self.entries))
        return torch.tensor(self.entries, dtype=torch.float64).view(count, count)

    @property
    def squares(self) -> list[float]:
        """The diagonal of the Gramian."""
        return self.entries[:: math.isqrt(len(self.entries)) + 1]

    @property
    def norms(self) -> list[float]:
        """Euclidean norms of the rows themselves."""
        return [math.ldexp(math.sqrt(square), self.exponent) for square in self.squares]

    def unscaled(self) -> Gramian:
        """The Gramian of the rows themselves; entries that float64 can not hold become infinite or zero."""
        factor = 2.0 ** max(-1000, min(1000, self.exponent))
        return self.gramian * factor * factor


def to_host(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Bring tensors to the host in one transfer (one synchronisation on an accelerator), as float64.

    A single tensor that is there already keeps its dtype: what reads it makes Python floats of it.
    """
    if len(tensors) == 1:
        return (tensors[0].detach() if tensors[0].is_cpu else tensors[0].detach().to("cpu", torch.float64),)
    flat = torch.cat([tensor.detach().reshape(-1).to(torch.float64) for tensor in tensors]).cpu()
    parts = torch.split(flat, [tensor.numel() for tensor in tensors])
    return tuple(part.reshape(tensor.shape) for part, tensor in zip(parts, tensors, strict=True))


def to_floats(values: Tensor) -> list[float]:
    """A host tensor as Python floats, flattened."""
    return list(map(float, (values if values.ndim == 1 else values.reshape(-1)).tolist()))


def to_rows(matrix: Square) -> list[list[float]]:
    """A host matrix as Python floats, row by row."""
    flat, columns = to_floats(matrix), matrix.shape[1]
    return [flat[start : start + columns] for start in range(0, len(flat), columns)]


def dot(left: Iterable[float], right: Iterable[float]) -> float:
    """Inner product of Python floats."""
    total: float = sum(map(mul, left, right))
    return total


def gramian(rows: TaskGrads) -> Gramian:
    """G = J J^T in float64: products over chunks of columns in the rows' dtype, partial sums in float64.

    float16 and bfloat16 rows are raised to float32 block by block; no copy of the whole matrix is made.

    Args:
        rows: (m, d), any floating dtype; squares must stay in the dtype's range (``measure`` looks after that).

    Returns:
        (m, m) float64 on the rows' device.
    """
    count = rows.shape[0]
    if rows.dtype in _LOW_PRECISION:
        blocks = torch.split(rows, 64 * CHUNK, dim=1)
        return torch.stack([gramian(block.to(torch.float32)) for block in blocks]).sum(0)
    if _is_short_pair(rows):
        return _short_pair(rows).to(torch.float64).view(2, 2)
    if count in HALVED and rows.is_cpu:
        blocks = torch.split(rows, 16 * CHUNK, dim=1)
        total = torch.stack([_products(block, CHUNK, 4) for block in blocks]).sum(0)
        return total.triu() + total.triu(1).T
    return _products(rows, SHORT_CHUNK if count <= FEW else CHUNK, count)


def _products(rows: TaskGrads, chunk: int, strip: int) -> Gramian:
    """``rows @ rows.T``, summed over chunks in float64; strips of fewer rows leave out what is below them."""
    count, whole = len(rows), rows.shape[1] // chunk
    tail = rows[:, whole * chunk :]
    total = (tail @ tail.T).to(torch.float64)
    if not whole:
        return total
    body = rows[:, : whole * chunk].view(count, whole, chunk).transpose(0, 1)
    if strip == count:
        return total + torch.bmm(body, body.transpose(1, 2)).sum(0, dtype=torch.float64)
    for i in range(0, count, strip):
        products = torch.bmm(body[:, i : i + strip], body[:, i:].transpose(1, 2))
        total[i : i + strip, i:] += products.sum(0, dtype=torch.float64)
    return total


def _is_short_pair(rows: TaskGrads) -> bool:
    return rows.shape[0] == 2 and rows.shape[1] <= SHORT_PAIR and rows.dtype not in _LOW_PRECISION


def _short_pair(rows: TaskGrads) -> Float[Tensor, "4"]:
    """The entries of the Gramian of two rows by dot products."""
    first, second = rows.unbind()
    cross = torch.dot(first, second)
    return torch.stack((torch.dot(first, first), cross, cross, torch.dot(second, second)))


def inner(left: Direction, right: Direction, *, exponent: int = 0) -> Float64[Tensor, ""]:
    """<left, right>, at most 64 dot products summed in float64.

    Args:
        left, right: (d,).
        exponent: both are divided by ``2**exponent`` first (exactly) where their products would leave the dtype's
            range; see ``safe_exponent``.
    """
    if exponent:
        scaled = inner(_times_power(left, -exponent), _times_power(right, -exponent))
        return _times_power(_times_power(scaled, exponent), exponent)
    chunk = max(SHORT_PAIR, -(-left.shape[0] // 64))
    dtype = torch.float32 if left.dtype in _LOW_PRECISION else left.dtype
    pairs = zip(torch.split(left, chunk), torch.split(right, chunk), strict=True)
    return torch.stack([torch.dot(a.to(dtype), b.to(dtype)) for a, b in pairs]).sum(dtype=torch.float64)


def safe_exponent(length: float, dtype: torch.dtype) -> int:
    """0 when the square of a vector of this length is in the dtype's safe range, else the exponent of the length."""
    low, high = _SAFE_SQUARES.get(dtype, _SAFE_SQUARES_LOW)
    if length == 0 or math.sqrt(low) <= length <= math.sqrt(high):
        return 0
    return math.frexp(length)[1]


def _times_power(values: Tensor, exponent: int) -> Tensor:
    """``values * 2**exponent`` in two factors, each of which the dtype holds."""
    half = exponent // 2
    return values * 2.0**half * 2.0 ** (exponent - half)


def norm(pieces: Sequence[Float[Tensor, "..."]], like: Tensor) -> Float64[Tensor, ""]:
    """Euclidean norm of all pieces together, scaled by the largest entry: no overflow, no flush to zero, 0 at 0.

    Args:
        pieces: tensors of any shape; an empty sequence has norm 0.
        like: gives the device of the result.
    """
    flat = [piece.reshape(-1) for piece in pieces if piece.numel()]
    if not flat:
        return torch.zeros((), dtype=torch.float64, device=like.device)
    vector = torch.cat(flat)
    if vector.dtype in _LOW_PRECISION:
        vector = vector.to(torch.float32)
    largest = vector.abs().amax()
    unit = vector / torch.where(largest > 0, largest, torch.ones_like(largest))
    return largest.to(torch.float64) * gramian(unit.unsqueeze(0)).sqrt().squeeze()


def measure(rows: TaskGrads, *riders: Tensor) -> Measured:
    """The Gramian on the host, formed again from rescaled rows when squares leave the safe range.

    One transfer in the ordinary case. Non-finite entries of ``rows`` show as a non-finite diagonal.

    Args:
        rows: (m, d).
        riders: small tensors that travel in the same transfer.
    """
    host, *others = to_host(_short_pair(rows) if _is_short_pair(rows) else gramian(rows), *riders)
    measured = Measured(to_floats(host), _noise(rows), riders=tuple(others))
    low, high = _SAFE_SQUARES.get(rows.dtype, _SAFE_SQUARES_LOW)
    squares = measured.squares
    if low <= min(squares) and max(squares) <= high and sum(squares) <= math.inf:
        return measured
    return _measure_rescaled(rows, tuple(others))


def _noise(rows: TaskGrads) -> float:
    return 0.0 if rows.dtype == torch.float64 else SUMMED_LOW


def _measure_rescaled(rows: TaskGrads, riders: tuple[Tensor, ...]) -> Measured:
    """Every row divided by a power of two (exact), the Gramian scaled back by one common exponent."""
    (largest,) = to_host(rows.abs().amax(dim=1))
    finite = [value if math.isfinite(value) else 0.0 for value in to_floats(largest)]
    exponents = [math.frexp(value)[1] for value in finite]
    live = [exponent for exponent, value in zip(exponents, finite, strict=True) if value > 0]
    common = max(live, default=0)
    exponents = [exponent if value > 0 else common for exponent, value in zip(exponents, finite, strict=True)]
    total = torch.zeros(len(exponents), len(exponents), dtype=torch.float64, device=rows.device)
    for block in torch.split(rows, 64 * CHUNK, dim=1):
        raised = block.to(torch.float32) if rows.dtype in _LOW_PRECISION else block
        pairs = zip(raised, exponents, strict=True)
        total += gramian(torch.stack([_times_power(row, -exponent) for row, exponent in pairs]))
    (host,) = to_host(total)
    factors = [math.ldexp(1.0, max(exponent - common, -1074)) for exponent in exponents]
    shifts = torch.tensor(factors, dtype=torch.float64)
    return Measured(to_floats(host * shifts * shifts.unsqueeze(1)), _noise(rows), common, riders)


def blocks_of(rows: TaskGrads, out: Direction) -> Iterable[tuple[TaskGrads, Direction]]:
    """Blocks of columns, float16 and bfloat16 ones raised to float32, with their parts of ``out``: no whole copy."""
    raised = torch.float32 if rows.dtype in _LOW_PRECISION else rows.dtype
    blocks = torch.split(rows, 64 * CHUNK, dim=1)
    return zip((block.to(raised) for block in blocks), torch.split(out, 64 * CHUNK), strict=True)


def combine_rows(
    weights: Sequence[float], rows: TaskGrads, lengths: Sequence[float], out: Direction, *, exponent: int = 0
) -> Direction:
    """out = 2^exponent weights @ rows; where weights or sums leave the dtype's range they act through a power of two.

    Args:
        weights: m numbers.
        rows: (m, d), finite.
        lengths: Euclidean norms of the rows.
        out: (d,).
    """
    common = _common_exponent(weights, lengths, rows.dtype)
    if common:
        weights = [math.ldexp(weight, -common) for weight in weights]
    dtype = torch.float32 if rows.dtype in _LOW_PRECISION else rows.dtype
    factors = torch.tensor([weights], dtype=dtype, device=rows.device)
    if rows.dtype in _LOW_PRECISION:
        for block, part in blocks_of(rows, out):
            part.copy_((factors @ block).squeeze(0))
    else:
        torch.mm(factors, rows, out=out.unsqueeze(0))
    if common + exponent:
        out.copy_(_times_power(out, common + exponent))
    return out


def _common_exponent(weights: Sequence[float], lengths: Sequence[float], dtype: torch.dtype) -> int:
    """0, or the power of two that brings ``sum |w_i| s_i`` (and then max |w_i|) into the dtype's range."""
    span, sizes = 800 if dtype == torch.float64 else 96, [abs(weight) for weight in weights]
    total, largest = math.frexp(dot(sizes, lengths))[1], math.frexp(max(sizes))[1]
    exponent = total if abs(total) > span else 0
    return max(exponent, largest - span) if largest > exponent else min(exponent, largest + span)


def count_non_finite(values: Tensor) -> int:
    """How many entries are NaN or infinite."""
    (count,) = to_host(torch.isfinite(values).logical_not().sum())
    return int(count)


def solve_positive(matrix: Square, right: Float64[Tensor, "n k"]) -> Float64[Tensor, "n k"]:
    """X with matrix X = right for a symmetric positive definite matrix: Cholesky (LU where it fails), refined once."""
    factor: Tensor
    factor, info = torch.linalg.cholesky_ex(matrix)
    if to_floats(info)[0] > 0:
        lu, pivots, _ = torch.linalg.lu_factor_ex(matrix)
        solution: Tensor = torch.linalg.lu_solve(lu, pivots, right)
        correction: Tensor = torch.linalg.lu_solve(lu, pivots, right - matrix @ solution)
        return solution + correction
    solution = torch.cholesky_solve(right, factor)
    correction = torch.cholesky_solve(right - matrix @ solution, factor)
    return solution + correction


def invert(matrix: Square) -> Square:
    """The inverse by LU; infinite or NaN where the matrix is singular."""
    inverse: Tensor = torch.linalg.inv_ex(matrix).inverse
    return inverse


def is_positive_definite(matrix: Square) -> bool:
    """Whether a symmetric matrix has a Cholesky factor in floating point."""
    return not to_floats(torch.linalg.cholesky_ex(matrix).info)[0]


def symmetric_eigen(matrix: Square) -> tuple[Float64[Tensor, " n"], Float64[Tensor, "n n"]]:
    """Eigenvalues, ascending, and orthonormal eigenvectors in columns."""
    values: Tensor
    vectors: Tensor
    values, vectors = torch.linalg.eigh(matrix)
    return values, vectors
