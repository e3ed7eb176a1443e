r"""The number of Foret et al. is right for losses in [0, 1], and for many tasks at once: N >= 2, one ball of radius rho
> 0 in each task's k parameters, sigma = rho / (sqrt k + sqrt(log N)). With probability >= 1 - delta, for all i of m <=
(N/delta) (6N + 3k)^2 tasks and every w with L_D^i(w) <= E L_D^i(w + eps), eps ~ N(0, sigma^2 I),
L_D^i(w) <= sup_{||eps|| <= rho} L_S^i(w + eps)
    + sqrt([k log(1 + (||w||^2/rho^2) (1 + sqrt(log N / k))^2) + 4 log(N/delta) + 8 log(6N + 3k)] / (N - 1)).

McAllester's bound (foret-01) for all tasks and all priors of the grid at once, prior j at level delta_j / m. Let r =
k log(1 + ||w||^2 / (k sigma^2)). Within the grid KL <= (1 + r)/2 (grid-kl), log(1/delta_j) <= log(1/delta) + 2 log(6N +
3k) (foret-grid): the root's argument is at most (A + 1/4)/(N - 1), A = r/4 + log(N/delta) + 2 log(6N + 3k), as half of
the last two terms of A pays for log m. The mean of L_S is at most sup L_S + 1/sqrt N (tail-term). As A >= 4,
1 + sqrt(A + 1/4) <= 2 sqrt A: the published root, which is 2 sqrt(A/(N - 1)), pays for the tail too. Beyond the grid
r > 4N, and it is more than 1. The paper splits the cases by rho in place of sigma.
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.chain.theorem_1_single import argument, cases
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.interval import Claim, OppositeClaim, positive
from theory.proof.kernels.smt import FalseImplication, implies

R, LEVEL, LOG_TOP, LOG_M = z3.Reals("r log_N_delta log_6N_3k log_m")
SIGNS = [R >= 0, LEVEL >= 0, LOG_TOP >= 0]
SHORT = R / 4 + LEVEL + 2 * LOG_TOP


def check() -> list[Finding]:
    """The two cases, the root's argument, its least size, room for the tail, the bound from its parts in each case."""
    return [argument(), cases(), complexity(), least(), room(), scaled(), doubled(), assembled(), large()]


def complexity() -> Finding:
    """[KL + log(N/delta) + log m + price] / 2 <= A + 1/4."""
    kl, price = z3.Reals("KL price")
    parts = [*SIGNS, kl <= (1 + R) / 2, price <= 2 * LOG_TOP]
    few = LOG_M <= LEVEL + 2 * LOG_TOP
    value = (kl + LEVEL + LOG_M + price) / 2
    return implies(
        "complexity",
        "KL <= (1 + r)/2, price <= 2 log(6N + 3k), log m <= log(N/delta) + 2 log(6N + 3k), r, log(N/delta), log(6N + "
        "3k) >= 0 imply [KL + log(N/delta) + log m + price] / 2 <= r/4 + log(N/delta) + 2 log(6N + 3k) + 1/4",
        [*parts, few],
        value <= SHORT + z3.Q(1, 4),
        [
            FalseImplication("any number of tasks", parts),
            FalseImplication("1/4 left out", [*parts, few], value <= SHORT),
        ],
    )


def least() -> Finding:
    """log(N/delta) + 2 log(6N + 3k) >= 4 from N = 2, k = 1 on."""
    smallest = sympy.log(2) + 2 * sympy.log(15)
    return positive(
        "least",
        "log 2 + 2 log 15 >= 4, at N = 2, k = 1, delta = 1; larger N, k, r and 1/delta make A larger",
        Claim(smallest - 4, {}, strict=False),
        [OppositeClaim("7 in place of 4", Claim(smallest - 7, {}, strict=False))],
    )


def room() -> Finding:
    """1 + sqrt(A + 1/4) <= 2 sqrt A."""
    root, larger = z3.Reals("sqrt_A sqrt_argument")
    given = [root >= 0, larger >= 0, larger * larger <= root * root + z3.Q(1, 4)]
    conclusion = 1 + larger <= 2 * root
    return implies(
        "room",
        "p, q >= 0, p^2 <= q^2 + 1/4 and q^2 >= 4 imply 1 + p <= 2 q",
        [*given, root * root >= 4],
        conclusion,
        [
            FalseImplication("q^2 >= 1", [*given, root * root >= 1]),
            FalseImplication("3/2 in place of 2", [*given, root * root >= 4], 1 + larger <= 3 * root / 2),
        ],
    )


def scaled() -> Finding:
    """The same over sqrt(N - 1)."""
    root_n, less, root, larger = z3.Reals("sqrt_N sqrt_N_minus_1 sqrt_A sqrt_argument")
    given = [less > 0, larger >= 0, 1 + larger <= 2 * root]
    return implies(
        "scaled",
        "0 < sqrt(N - 1) <= sqrt N and 1 + p <= 2 q imply 1/sqrt N + p / sqrt(N - 1) <= 2 q / sqrt(N - 1)",
        [*given, less <= root_n],
        1 / root_n + larger / less <= 2 * root / less,
        [FalseImplication("sqrt N smaller", [*given, root_n > 0, less > root_n])],
    )


def doubled() -> Finding:
    """4 A is what stands under the published root."""
    r, level, top = sympy.symbols("r log_N_delta log_6N_3k", positive=True)
    short = r / 4 + level + 2 * top
    return identity(
        "doubled",
        "4 A = r + 4 log(N/delta) + 8 log(6N + 3k)",
        4 * short,
        r + 4 * level + 8 * top,
        [FalseIdentity("2 A", 2 * short, r + 4 * level + 8 * top)],
    )


POPULATION, WORST, ROOT_N, PUBLISHED = z3.Reals("L_D sup_L_S sqrt_N published_root")


def assembled() -> Finding:
    """The bound where the grid reaches."""
    gibbs, empirical, root = z3.Reals("E_L_D E_L_S root")
    tail = empirical <= (1 - 1 / ROOT_N) * WORST + 1 / ROOT_N
    steps = [ROOT_N >= 1, WORST >= 0, root >= 0, gibbs <= empirical + root]
    gauss, fits = gibbs >= POPULATION, 1 / ROOT_N + root <= PUBLISHED
    return implies(
        "assembled",
        "L_D <= E L_D, E L_D <= E L_S + x, E L_S <= (1 - 1/sqrt N) sup L_S + 1/sqrt N, sup L_S >= 0, N >= 1 and "
        "1/sqrt N + x <= y imply L_D <= sup L_S + y",
        [*steps, tail, gauss, fits],
        WORST + PUBLISHED >= POPULATION,
        [
            FalseImplication("gauss-assumption dropped", [*steps, tail, fits]),
            FalseImplication("no room for the tail", [*steps, tail, gauss, root <= PUBLISHED]),
        ],
    )


def large() -> Finding:
    """r > 4N makes the published root more than 1."""
    square = PUBLISHED * PUBLISHED * (ROOT_N * ROOT_N - 1)
    given = [*SIGNS, ROOT_N > 1, WORST >= 0, PUBLISHED >= 0, square == R + 4 * LEVEL + 8 * LOG_TOP]
    beyond = R > 4 * ROOT_N * ROOT_N
    return implies(
        "large",
        "r > 4N, N > 1, log(N/delta), log(6N + 3k), sup L_S >= 0, L_D <= 1, y >= 0, (N - 1) y^2 = r + 4 log(N/delta) + "
        "8 log(6N + 3k) imply L_D <= sup L_S + y",
        [*given, POPULATION <= 1, beyond],
        WORST + PUBLISHED >= POPULATION,
        [
            FalseImplication("within the grid", [*given, POPULATION <= 1, z3.Not(beyond)]),
            FalseImplication("a loss that may be more than 1", [*given, beyond]),
        ],
    )
