r"""P(||eps_sh|| > rho_sh or ||eps_i|| > rho_ns) <= 1/sqrt N where block b of eps is N(0, sigma_b^2 I) in R^{k_b} and
sigma_b = rho_b / (sqrt k_b + sqrt(log 4N)).

As in radius, with t = (1/2) log(4N) > 0 in both blocks: e^{-t} = 1/(2 sqrt N), so each block leaves its ball with
probability at most 1/(2 sqrt N), and the union bound adds the two. A smaller sigma_b does as well.
"""

import z3

from theory.ledger import Finding
from theory.proof.chain.radius import level, quantile, scale
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """The level, the quantile and the scale of a block; both blocks."""
    return [level(4), quantile("log(4N)"), scale("k", "log(4N)"), both()]


def both() -> Finding:
    """The sum over the blocks."""
    either, shared, head, root = z3.Reals("P_either P_sh P_ns sqrt_N")
    union = [root >= 1, either <= shared + head]
    conclusion = either <= 1 / root
    return implies(
        "both",
        "P(either) <= P_sh + P_ns, P_sh <= 1/(2 sqrt N) and P_ns <= 1/(2 sqrt N) imply P(either) <= 1/sqrt N",
        [*union, shared <= 1 / (2 * root), head <= 1 / (2 * root)],
        conclusion,
        [FalseImplication("1/sqrt N for each: log N", [*union, shared <= 1 / root, head <= 1 / root])],
    )
