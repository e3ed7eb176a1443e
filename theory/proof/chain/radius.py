r"""P(||eps|| > rho) <= 1/sqrt N for eps ~ N(0, sigma^2 I) in R^T with sigma = rho / (sqrt T + sqrt(log N)).

||eps||^2 = sigma^2 X with X as in lm-tail. With t = (1/2) log N, e^{-t} = 1/sqrt N and T + 2 sqrt(T t) + 2t <= (sqrt T
+ sqrt(log N))^2 = rho^2 / sigma^2, since 2t = log N and sqrt t <= sqrt(log N). At N = 1 the bound is 1.

Paper: proof of Theorem 1 (reconstructed).
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """The level, the quantile, the scale."""
    return [level(1), quantile("log N"), scale("T", "log N")]


def level(factor: int) -> Finding:
    """e^{-t} = (factor N)^{-1/2} at t = (1/2) log(factor N)."""
    n = sympy.Symbol("N", positive=True)
    size = "N" if factor == 1 else f"({factor} N)"
    left, right = sympy.exp(-sympy.log(factor * n) / 2), 1 / (sympy.sqrt(factor) * sympy.sqrt(n))
    return identity(
        "level",
        f"e^{{-t}} = {size}^{{-1/2}} at t = (1/2) log {size}, for N > 0",
        left,
        right,
        [FalseIdentity(f"t = log {size}", left**2, right)],
    )


def quantile(log: str) -> Finding:
    """T + 2 sqrt(T t) + 2t <= (sqrt T + sqrt log)^2."""
    dimension, root, level = z3.Reals("root_T root_log root_t")
    nonnegative = [dimension >= 0, root >= 0, level >= 0]
    value = dimension * dimension + 2 * dimension * level + 2 * level * level
    return implies(
        "quantile",
        f"T + 2 sqrt(T t) + 2t <= (sqrt T + sqrt({log}))^2 where 2t = {log} >= 0 and T >= 0",
        [*nonnegative, 2 * level * level == root * root],
        value <= (dimension + root) * (dimension + root),
        [FalseImplication(f"t = {log}", hypotheses=[*nonnegative, level == root])],
    )


def scale(dimension_name: str, log: str) -> Finding:
    """||eps|| > rho means X > (sqrt T + sqrt log)^2."""
    sigma, rho, squared, chi, quantile = z3.Reals("sigma rho squared_norm X root_T_plus_root_log")
    positive = [sigma > 0, rho > 0, quantile > 0, squared == sigma * sigma * chi, squared > rho * rho]
    return implies(
        "scale",
        f"||eps||^2 = sigma^2 X > rho^2 and 0 < sigma <= rho / (sqrt {dimension_name} + sqrt({log})) imply X > (sqrt "
        f"{dimension_name} + sqrt({log}))^2; a smaller sigma keeps eps in the ball as well",
        [*positive, sigma * quantile <= rho],
        chi > quantile * quantile,
        [FalseImplication("a larger sigma", hypotheses=[*positive, sigma * quantile > rho])],
    )
