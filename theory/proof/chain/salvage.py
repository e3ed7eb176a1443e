r"""The published number, with log(1/delta) and without L / sqrt N, is right for all m tasks at once, coordinate by
coordinate and with one ball of radius rho in each task's T parameters, whenever L + log m <= 4 log(N + T) - 2 log 6.

The corrected bound for every task at level delta / m has the bracket L + 1/2 + (T/2) log(..) + log(m/delta) + price +
L^2/8, price = log(pi^2/6) + 2 log j*. By grid-union j* <= 4n - 3 + log 2, n = N + T, and (pi / sqrt 6) (4n - 3 + log
2) < 6n for every integer n >= 2: price <= 2 log 6 + 2 log n. So the published 6 log n has room for L + log m as soon as
L + log m + 2 log 6 <= 4 log n. With long theta both are trivial (large-norm). At N = 120,000 and two tasks every L <=
42 is allowed, whatever T; for 40 tasks and N = 162,770 every L <= 40. Where the condition fails nothing is decided.

Paper: Theorem 1 (what survives of it).
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.chain.grid_union import LOG_2, ROOT, N, T
from theory.proof.kernels import integers, interval
from theory.proof.kernels.integers import AllIntegers, OppositeIntegers
from theory.proof.kernels.interval import Claim, OppositeClaim
from theory.proof.kernels.rays import Ray
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """The sharper price, the room, the bound from its parts, its size in the paper's settings."""
    sizes = [allowed("two-tasks", 120_000, 2, 42, 43), allowed("forty-tasks", 162_770, 40, 40, 41)]
    return [price(), squared(), room(), assembled(), *sizes]


def linear(factor: int) -> AllIntegers:
    """factor n > (pi / sqrt 6) (4n - 3 + log 2) for all integers n >= 2."""
    scaled = factor - ROOT * (4 - 3 * T + LOG_2 * T)
    return AllIntegers(2, Ray(factor * N - ROOT * (4 * N - 3 + LOG_2), N, 2, T, scaled, power=1))


def price() -> Finding:
    """(pi / sqrt 6) (4n - 3 + log 2) < 6n."""
    return integers.positive(
        "price",
        "6n > (pi / sqrt 6) (4n - 3 + log 2) for all integers n >= 2",
        linear(6),
        [OppositeIntegers("5n", linear(5))],
    )


def squared() -> Finding:
    """(pi^2/6) j^2 <= 36 n^2."""
    root, j, bound, n = z3.Reals("pi_over_sqrt_6 j J n")
    given = [root > 0, root * bound <= 6 * n]
    return implies(
        "squared",
        "0 < j <= J and (pi / sqrt 6) J <= 6n imply (pi^2/6) j^2 <= 36 n^2, whose logarithm is 2 log 6 + 2 log n",
        [*given, j > 0, j <= bound],
        root * root * j * j <= 36 * n * n,
        [FalseImplication("j may be negative", hypotheses=[*given, j <= bound])],
    )


LENGTH, LOG_M, LOG_N_T, LOG_6, PRICE = z3.Reals("L log_m log_N_plus_T log_6 price")
SHARP = PRICE <= 2 * LOG_6 + 2 * LOG_N_T
CONDITION = LENGTH + LOG_M <= 4 * LOG_N_T - 2 * LOG_6


def room() -> Finding:
    """L + log m + price <= 6 log(N + T)."""
    return implies(
        "room",
        "price <= 2 log 6 + 2 log(N + T) and L + log m <= 4 log(N + T) - 2 log 6 imply "
        "L + log m + price <= 6 log(N + T)",
        [SHARP, CONDITION],
        LENGTH + LOG_M + PRICE <= 6 * LOG_N_T,
        [
            FalseImplication("the condition dropped", hypotheses=[SHARP]),
            FalseImplication("price <= 6 log(N + T) only", hypotheses=[PRICE <= 6 * LOG_N_T, CONDITION]),
        ],
    )


def assembled() -> Finding:
    """The published number from the corrected bound's parts."""
    population, gibbs, empirical, worst, root = z3.Reals("L_D E_L_D E_L_S sup_L_S sqrt_N")
    kl, log, log_level, log_grid = z3.Reals("KL T_log log_1_delta log_1_delta_j")
    steps = [
        *(root >= 1, worst >= 0, gibbs >= population),
        gibbs <= empirical + (kl + log_grid + LENGTH * LENGTH / 8) / root,
        kl <= (1 + log) / 2,
        log_grid == log_level + LOG_M + PRICE,
        empirical <= (1 - 1 / root) * worst + LENGTH / root,
    ]
    published = worst + (z3.Q(1, 2) + log / 2 + log_level + 6 * LOG_N_T + LENGTH * LENGTH / 8) / root
    fits = LENGTH + LOG_M + PRICE <= 6 * LOG_N_T
    return implies(
        "assembled",
        "L_D <= E L_D, E L_D <= E L_S + (KL + log(1/delta_j) + L^2/8) / sqrt N, KL <= (1 + T log(..)) / 2, "
        "log(1/delta_j) = log(m/delta) + price, E L_S <= (1 - 1/sqrt N) sup L_S + L / sqrt N, N >= 1, sup L_S >= 0 and "
        "L + log m + price <= 6 log(N + T) imply L_D <= sup L_S + [1/2 + (T/2) log(..) + log(1/delta) + 6 log(N + T) "
        "+ L^2/8] / sqrt N",
        [*steps, fits],
        population <= published,
        [
            FalseImplication("no room for L", hypotheses=[*steps, LOG_M + PRICE <= 6 * LOG_N_T]),
            FalseImplication("no room for log m", hypotheses=[*steps, LENGTH + PRICE <= 6 * LOG_N_T]),
        ],
    )


def allowed(name: str, n: int, tasks: int, length: int, too_long: int) -> Finding:
    """The condition at N samples and m tasks, for every T >= 0."""

    def margin(bound: int) -> Claim:
        return Claim(4 * sympy.log(n) - 2 * sympy.log(6) - bound - sympy.log(tasks), {})

    return interval.positive(
        name,
        f"L + log m <= 4 log N - 2 log 6 at N = {n}, m = {tasks} and L = {length}, hence the condition for smaller L "
        "and every T",
        margin(length),
        [OppositeClaim(f"L = {too_long}", margin(too_long))],
    )
