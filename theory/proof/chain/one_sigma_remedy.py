r"""One Gaussian for two balls that works: with sigma = min_b rho_b / (sqrt k_b + sqrt(log 4N)), b = sh, ns, it leaves
one of the two balls with probability at most 1/sqrt N.

For each block sigma <= rho_b / (sqrt k_b + sqrt(log 4N)), and block-radius also covers a smaller deviation: each block
leaves its ball with probability at most 1/(2 sqrt N). The price is paid in the divergence, where (T/2) log(1 +
||theta||^2 / (T sigma^2)) has the smaller sigma for both blocks.

Paper: ours, in place of one Gaussian in Theorem 1.
"""

import z3

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """The minimum is below both deviations."""
    return [minimum()]


def minimum() -> Finding:
    """sigma = min_b sigma_b."""
    sigma, shared, head = z3.Reals("sigma sigma_sh sigma_ns")
    positive = [shared > 0, head > 0]

    def is_either(condition: z3.BoolRef) -> list[z3.BoolRef]:
        return [*positive, z3.If(condition, sigma == shared, sigma == head)]

    return implies(
        "minimum",
        "sigma = min(sigma_sh, sigma_ns) with sigma_sh, sigma_ns > 0 implies 0 < sigma <= sigma_sh and sigma <= "
        "sigma_ns",
        is_either(shared <= head),
        z3.And(sigma > 0, sigma <= shared, sigma <= head),
        [FalseImplication("the maximum", hypotheses=is_either(shared >= head))],
    )
