r"""Theorem 1 for one task, with the term that the published bracket lacks: for 0 <= l <= L, N iid samples, T parameters
and a radius rho > 0 fixed before the sample, with probability >= 1 - delta, for every theta at which L_D(theta) <=
E_eps L_D(theta + eps), eps ~ N(0, sigma^2 I), sigma = rho / (sqrt T + sqrt log N),
L_D(theta) <= (1 - 1/sqrt N) sup_{||eps|| <= rho} L_S(theta + eps) + (1/sqrt N) { L + 1/2
    + (T/2) log[1 + (||theta||^2 / rho^2) (1 + sqrt(log N / T))^2] + log(1/delta) + 6 log(N + T) + L^2/8 }.

Let c = sigma^2 (1 + e^{4N/T}). Alquier's bound at b = sqrt N holds for all priors of the grid at once, prior j at level
delta_j. If ||theta||^2 <= T sigma^2 (e^{4N/T} - 1) then s <= c, so the grid has a prior j* with
s <= sigma_P^2 <= e^{1/T} s; grid-kl and grid-union bound its divergence and its level, tail-term bounds the Gaussian
mean of L_S. Else the logarithm alone is more than 4N/T, and the right side exceeds L.

Paper: Theorem 1, its single-task form (reconstructed).
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies

POPULATION, WORST, LENGTH, ROOT_N = z3.Reals("L_D sup_L_S L sqrt_N")
LOGARITHM, LOG_LEVEL, GRID = z3.Reals("T_log log_1_delta six_log")
HALF = z3.Q(1, 2)
RANGE = [ROOT_N >= 1, LENGTH >= 0, WORST >= 0]


def bound(
    tail: z3.ArithRef = LENGTH, half: z3.ArithRef = HALF, grid: z3.ArithRef = GRID, eighth: int = 8
) -> z3.ArithRef:
    """(1 - 1/sqrt N) sup L_S + (1/sqrt N) {L + 1/2 + (T/2) log(..) + log(1/delta) + 6 log(N + T) + L^2/8}."""
    bracket = tail + half + LOGARITHM / 2 + LOG_LEVEL + grid + LENGTH * LENGTH / eighth
    return (1 - 1 / ROOT_N) * WORST + bracket / ROOT_N


def check() -> list[Finding]:
    """The levels' sum, the logarithm's argument, the two cases, and the bound from its parts in each."""
    return [levels(), argument(), cases(), assembled(), large()]


def levels() -> Finding:
    """sum_j delta_j = delta."""
    j, delta = sympy.symbols("j delta", positive=True)

    def total(power: int) -> sympy.Expr:
        return sympy.summation(6 * delta / (sympy.pi**2 * j**power), (j, 1, sympy.oo))

    return identity(
        "levels",
        "the sum over j >= 1 of delta_j = 6 delta / (pi^2 j^2) is delta (sympy's summation)",
        total(2),
        delta,
        [FalseIdentity("j^4", total(4), delta)],
    )


def argument() -> Finding:
    """T sigma^2 in terms of the radius."""
    size, rho, squared = sympy.symbols("T rho squared_norm", positive=True)
    log_n = sympy.Symbol("log_N", nonnegative=True)
    sigma = rho / (sympy.sqrt(size) + sympy.sqrt(log_n))
    left = squared / (size * sigma**2)

    def ratio(inner: sympy.Expr) -> sympy.Expr:
        return squared / rho**2 * (1 + sympy.sqrt(inner)) ** 2

    return identity(
        "argument",
        "||theta||^2 / (T sigma^2) = (||theta||^2 / rho^2) (1 + sqrt(log N / T))^2 at sigma = rho / (sqrt T + sqrt "
        "log N)",
        left,
        ratio(log_n / size),
        [FalseIdentity("log N without 1/T", left, ratio(log_n))],
    )


def cases() -> Finding:
    """||theta||^2 <= T sigma^2 (e^{4N/T} - 1) implies s <= c."""
    size, variance, squared, power = z3.Reals("T sigma_squared squared_norm exp_4N_T")
    s = variance + squared / size
    given = [size > 0, variance > 0, power >= 1]
    small = squared <= size * variance * (power - 1)
    return implies(
        "cases",
        "for T, sigma^2 > 0, e^{4N/T} >= 1 and s = sigma^2 + ||theta||^2 / T: ||theta||^2 <= T sigma^2 (e^{4N/T} - 1) "
        "implies s <= sigma^2 e^{4N/T} <= c, with c = sigma^2 (1 + e^{4N/T})",
        [*given, small],
        z3.And(s <= variance * power, variance * power <= variance * (1 + power)),
        [FalseImplication("the other case", [*given, z3.Not(small)])],
    )


def assembled() -> Finding:
    """The bound where the grid reaches."""
    gibbs, empirical, kl, log_grid = z3.Reals("E_L_D E_L_S KL log_1_delta_j")
    gauss = gibbs >= POPULATION
    steps = [
        gibbs <= empirical + (kl + log_grid + LENGTH * LENGTH / 8) / ROOT_N,
        kl <= (1 + LOGARITHM) / 2,
        log_grid <= LOG_LEVEL + GRID,
        empirical <= (1 - 1 / ROOT_N) * WORST + LENGTH / ROOT_N,
    ]
    return implies(
        "assembled",
        "L_D <= E L_D, E L_D <= E L_S + (KL + log(1/delta_j) + L^2/8) / sqrt N, KL <= (1 + T log(..)) / 2, "
        "log(1/delta_j) <= log(1/delta) + 6 log(N + T), E L_S <= (1 - 1/sqrt N) sup L_S + L / sqrt N, N >= 1 and "
        "L, sup L_S >= 0 imply the bound",
        [*RANGE, gauss, *steps],
        bound() >= POPULATION,
        [
            FalseImplication("L / sqrt N left out, as published", conclusion=bound(tail=z3.RealVal(0)) >= POPULATION),
            FalseImplication("gauss-assumption dropped", hypotheses=[*RANGE, *steps]),
            FalseImplication("1/4 in place of 1/2", conclusion=bound(half=z3.Q(1, 4)) >= POPULATION),
            FalseImplication("no term 6 log(N + T)", conclusion=bound(grid=z3.RealVal(0)) >= POPULATION),
        ],
    )


def large() -> Finding:
    """The bound where theta is too long for the grid."""
    trivial = [POPULATION <= LENGTH, LOG_LEVEL >= 0, GRID >= 0]
    return implies(
        "large",
        "L_D <= L, T log(..) >= 4N, log(1/delta), 6 log(N + T) >= 0, N >= 1 and L, sup L_S >= 0 imply the bound",
        [*RANGE, *trivial, LOGARITHM >= 4 * ROOT_N * ROOT_N],
        bound() >= POPULATION,
        [
            FalseImplication("T log(..) >= 2N only", [*RANGE, *trivial, LOGARITHM >= 2 * ROOT_N * ROOT_N]),
            FalseImplication("an unbounded loss", [*RANGE, *trivial[1:], LOGARITHM >= 4 * ROOT_N * ROOT_N]),
        ],
    )
