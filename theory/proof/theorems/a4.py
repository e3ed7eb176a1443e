r"""A4: at a point fixed before the sample, except with probability at most delta_C,
L_D(theta_C) <= L_S(theta_C) + L sqrt(log(1/delta_C) / (2N)), for 0 < delta_C < 1.

Let Z = e^{b (L_D - L_S)}, b = sqrt(8 N log(1/delta_C)) / L. Hoeffding's lemma bounds its mean by e^{b^2 L^2 / (8N)}, so
by Markov's inequality b (L_D - L_S) <= b^2 L^2 / (8N) + log(1/delta_C) except with that probability. Divide by b.
Losses are only measurable in the data at each parameter.

Paper: ours.
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """The division by b, the value at this b, and that no b is better."""
    return [divided(), at_best(), no_better()]


def divided() -> Finding:
    """From the event to the deviation."""
    b, n, length, deviation, log_level = z3.Reals("b N L L_D_minus_L_S log_1_delta")
    given = [b > 0, n > 0]
    event = b * deviation <= b * b * length * length / (8 * n) + log_level
    bound = deviation <= b * length * length / (8 * n) + log_level / b
    return implies(
        "divided",
        "b (L_D - L_S) <= b^2 L^2 / (8 N) + log(1/delta) and b, N > 0 imply L_D - L_S <= b L^2 / (8 N) + log(1/delta) "
        "/ b",
        [*given, event],
        bound,
        [
            FalseImplication("b < 0", [b < 0, n > 0, event]),
            FalseImplication("log(1/delta) forgotten", conclusion=deviation <= b * length * length / (8 * n)),
        ],
    )


def at_best() -> Finding:
    """Both terms are equal there."""
    n, length, log_level = sympy.symbols("N L log_1_delta", positive=True)
    b = sympy.sqrt(8 * n * log_level) / length

    def deviation(at: sympy.Expr) -> sympy.Expr:
        return at * length**2 / (8 * n) + log_level / at

    right = length * sympy.sqrt(log_level / (2 * n))
    return identity(
        "at-best",
        "b L^2 / (8 N) + log(1/delta) / b = L sqrt(log(1/delta) / (2 N)) at b = sqrt(8 N log(1/delta)) / L",
        deviation(b),
        right,
        [
            FalseIdentity("4 N in place of 2 N", deviation(b), length * sympy.sqrt(log_level / (4 * n))),
            FalseIdentity("b = sqrt N", deviation(sympy.sqrt(n)), right),
        ],
    )


def no_better() -> Finding:
    """The excess of another b is a square."""
    n, length, log_level, b = sympy.symbols("N L log_1_delta b", positive=True)
    excess = b * length**2 / (8 * n) + log_level / b - length * sympy.sqrt(log_level / (2 * n))
    root = sympy.sqrt(b) * length / sympy.sqrt(8 * n)
    square = (root - sympy.sqrt(log_level / b)) ** 2
    return identity(
        "no-better",
        "for every b > 0 the excess over L sqrt(log(1/delta) / (2 N)) is (L sqrt(b / (8 N)) - sqrt(log(1/delta) / "
        "b))^2",
        excess,
        square,
        [FalseIdentity("sqrt 2 of it lost", excess, (root / sympy.sqrt(2) - sympy.sqrt(log_level / b)) ** 2)],
    )
