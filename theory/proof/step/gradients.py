"""The gradients of the step: what eq. 14, 15 and 16 say, and the directions of Algorithm 1.

Paper: eq. 14, eq. 15, eq. 16, Algorithm 1

On quadratics the gradient at the perturbed point is exactly that of eq. 13, L + rho_sh ||g_sh|| + rho_ns ||g_ns||, in
the trunk (eq. 15) and in the head (eq. 14): by symbolic differentiation, for a trunk and a head of two parameters
each, at theta = 0, where the gradient is b. For other losses see flat-is-penalty-gradient.
"""

from itertools import combinations_with_replacement

import sympy

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity

rho_sh, rho_ns = sympy.symbols("rho_sh rho_ns", positive=True)
x = sympy.symbols("x1:5", real=True)
b = sympy.symbols("b1:5", real=True)
H = {
    pair: sympy.Symbol(f"H{pair[0] + 1}{pair[1] + 1}", real=True) for pair in combinations_with_replacement(range(4), 2)
}
NORMS = sympy.sqrt(b[0] ** 2 + b[1] ** 2), sympy.sqrt(b[2] ** 2 + b[3] ** 2)
EPS = (
    *(rho_sh * entry / NORMS[0] for entry in b[:2]),
    *(rho_ns * entry / NORMS[1] for entry in b[2:]),
)


def head() -> list[Finding]:
    """Eq. 14: the head's SAM gradient."""
    return [_penalised(coordinate, "head") for coordinate in (2, 3)]


def shared() -> list[Finding]:
    """Eq. 15: the trunk's SAM gradient."""
    return [_penalised(coordinate, "trunk") for coordinate in (0, 1)]


def _entry(i: int, j: int) -> sympy.Symbol:
    return H[(min(i, j), max(i, j))]


def _gradient(i: int) -> sympy.Expr:
    """dL/dx_i of L = (1/2) x' H x + b' x."""
    return b[i] + sum(_entry(i, j) * x[j] for j in range(4))


def _penalised(i: int, block: str) -> Finding:
    norms = [sympy.sqrt(_gradient(k) ** 2 + _gradient(k + 1) ** 2) for k in (0, 2)]
    at_zero = dict.fromkeys(x, 0)
    slope = (_gradient(i) + rho_sh * sympy.diff(norms[0], x[i]) + rho_ns * sympy.diff(norms[1], x[i])).subs(at_zero)
    perturbed = _gradient(i).subs(dict(zip(x, EPS, strict=True)))
    unperturbed_head = _gradient(i).subs(dict(zip(x, (*EPS[:2], 0, 0), strict=True)))
    return identity(
        f"{block}-{i + 1}",
        f"L = (1/2) x' H x + b' x, 2 + 2 parameters, at x = 0 with both blocks of b nonzero: dL/dx_{i + 1} at eps is "
        f"the derivative of L + rho_sh ||g_sh|| + rho_ns ||g_ns|| by x_{i + 1}, a coordinate of the {block}",
        perturbed,
        slope,
        [
            FalseIdentity("the head is not perturbed", unperturbed_head, slope),
            FalseIdentity("the gradient at x = 0", b[i], slope),
        ],
    )


def difference() -> list[Finding]:
    """Eq. 16: loss part plus flat part is the SAM gradient."""
    loss, sam = sympy.symbols("g_loss g_SAM", real=True)
    flat = sam - loss
    return [
        identity(
            "difference",
            "g_flat = g_SAM - g_loss: g_loss + g_flat = g_SAM, entry by entry; nothing is approximated by taking the "
            "SAM gradient apart",
            loss + flat,
            sam,
            [FalseIdentity("the sign of the flat part", loss - flat, sam)],
        )
    ]


def algorithm() -> list[Finding]:
    """Algorithm 1: decomposed has two weights a task, direct one."""
    loss, sam, first, second = sympy.symbols("g_loss g_SAM a_i b_i", real=True)
    decomposed = first * loss + second * (sam - loss)
    return [
        identity(
            "weights",
            "a_i g_loss^i + b_i g_flat^i = b_i g_SAM^i + (a_i - b_i) g_loss^i, entry by entry: with equal weights "
            "for loss and flat part the decomposed direction is a direct one",
            decomposed,
            second * sam + (first - second) * loss,
            [FalseIdentity("one weight a task serves both", decomposed, second * sam)],
        )
    ]
