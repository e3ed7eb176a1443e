"""The methods as their definitions read, in plain numpy, for well-conditioned inputs and m <= 3."""

from collections.abc import Iterator
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Orders = tuple[tuple[int, ...], ...]


def all_orders(n_tasks: int) -> Iterator[Orders]:
    """Every choice of one order of the other tasks per task: ((m-1)!)^m of them."""
    yield from product(*(permutations([j for j in range(n_tasks) if j != i]) for i in range(n_tasks)))


def pcgrad(rows: Array, orders: Orders) -> Array:
    """Sum of the projected gradients for the given orders."""
    total = np.zeros(rows.shape[1])
    for row, order in zip(rows, orders, strict=True):
        current = row.copy()
        for other in order:
            overlap = current @ rows[other]
            if overlap < 0:
                current = current - overlap / (rows[other] @ rows[other]) * rows[other]
        total = total + current
    return total


def imtl_g(rows: Array) -> Array:
    """d = J^T a with sum a = 1 and <d, u_1> = <d, u_i>: m linear equations, by least squares."""
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    equations = np.vstack([(unit[0] - unit[1:]) @ rows.T, np.ones(len(rows))])
    right = np.zeros(len(rows))
    right[-1] = 1
    weights = np.linalg.lstsq(equations, right, rcond=None)[0]
    return np.asarray(rows.T @ weights)


def mgda_pair(rows: Array) -> Array:
    """The shortest vector of a segment: clip the unconstrained minimiser."""
    first, second = rows
    edge = first - second
    share = 0.0 if not edge.any() else float(np.clip(edge @ first / (edge @ edge), 0, 1))
    return np.asarray((1 - share) * first + share * second)


def cagrad_pair(rows: Array, c: float, n_points: int) -> float:
    """CAGrad's value for two tasks: the dual min_w <g_w, g_0> + c ||g_0|| ||g_w|| on a grid of w, an upper bound.

    The dual is Lipschitz in w with constant (1 + c) ||g_0|| ||g_1 - g_2||, so the grid is that constant / n_points off.
    """
    share = np.linspace(0, 1, n_points)[:, None]
    mean = rows.mean(axis=0)
    mixed = share * rows[0] + (1 - share) * rows[1]
    return float(np.min(mixed @ mean + c * np.linalg.norm(mean) * np.linalg.norm(mixed, axis=1)))


def nash_pair(rows: Array) -> Array:
    """Nash-MTL for two tasks: the bisector u_1 + u_2, scaled to length sqrt 2."""
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    bisector = unit.sum(axis=0)
    return np.asarray(np.sqrt(2) * bisector / np.linalg.norm(bisector))


def graddrop(rows: Array, draws: Array, leak: float) -> Array:
    """GradDrop coordinate by coordinate, for the given draws from [0, 1)."""
    result = np.zeros(rows.shape[1])
    for k in range(rows.shape[1]):
        positive = sum(entry for entry in rows[:, k] if entry > 0)
        negative = sum(entry for entry in rows[:, k] if entry < 0)
        if positive == 0 and negative == 0:
            continue
        purity = positive / (positive - negative)
        kept = positive if draws[k] < purity else negative
        result[k] = (1 - leak) * kept + leak * (positive + negative)
    return result
