"""rho = 0 is the base method: A(0) = 0 and a deterministic forward make both combinations A(g_loss).

At rho = 0 the perturbation is 0, so both passes see one point, and with the same random numbers the same losses: s = g,
f = s - g = 0, A(g) + A(0) = A(g) = A(s), A being a function of its rows. One that draws (PCGrad's orders, random
weights) or remembers (a warm start) is called twice where the base method calls it once: given the same draws and state
its first call answers alike, but draws and state differ from then on. A(0) = 0 follows from homogeneity of a degree k >
0, not of degree 0: there (Nash-MTL at its own scale) it is a convention, which the core's status "zero" implements.
"""

import z3

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """No perturbation, no flat gradient, A(0)."""
    return [no_perturbation(), one_coordinate(), zero_of_homogeneous()]


def no_perturbation() -> Finding:
    """rho = 0 gives eps = 0, also where the gradient vanishes."""
    rho, norm, g, eps, factor = z3.Reals("rho norm g eps factor")
    given = [norm >= 0, z3.Implies(norm > 0, factor * norm == rho), z3.Implies(norm == 0, factor == 0)]
    return implies(
        "no-perturbation",
        "eps = factor g with factor ||g|| = rho, factor = 0 where g = 0: rho = 0 implies eps = 0 in every coordinate",
        [*given, eps == factor * g, rho == 0],
        eps == 0,
        [
            FalseImplication("rho > 0", hypotheses=[*given, eps == factor * g, rho > 0]),
            FalseImplication("any factor where g = 0 has norm 0", [given[0], given[1], eps == factor * g, rho == 0]),
        ],
    )


def one_coordinate() -> Finding:
    """decomposed = direct = base."""
    g, s, f, noise, base, of_flat, of_sam = z3.Reals("g s f noise A_g A_f A_s")
    function = [z3.Implies(f == 0, of_flat == 0), z3.Implies(s == g, of_sam == base)]
    given = [s == g + noise, f == s - g, *function]
    return implies(
        "one-coordinate",
        "s = g (both passes see the same losses at the same point), f = s - g, A(0) = 0 and A a function of its rows: "
        "A(g) + A(f) = A(g) and A(s) = A(g), coordinate by coordinate",
        [*given, noise == 0],
        z3.And(base + of_flat == base, of_sam == base),
        [
            FalseImplication("fresh noise in the second pass", hypotheses=given),
            FalseImplication("A(0) = 0 dropped", hypotheses=[s == g, f == s - g, function[1]]),
            FalseImplication("A draws or remembers: not a function", hypotheses=[s == g, f == s - g, function[0]]),
        ],
    )


def zero_of_homogeneous() -> Finding:
    """A(0) = A(2 0) = 2^k A(0)."""
    value, factor = z3.Reals("A_0 factor")
    return implies(
        "zero",
        "A(0) = 2^k A(0), a coordinate of A(t J) = t^k A(J) at J = 0 and t = 2, implies A(0) = 0 when 2^k > 1",
        [value == factor * value, factor > 1],
        value == 0,
        [FalseImplication("degree k = 0", hypotheses=[value == factor * value, factor == 1])],
    )
