r"""log t <= t - 1 for every t > 0; with t = e^x it reads e^x >= 1 + x for every real x.

Let h(t) = t - 1 - log t. Then h(1) = h'(1) = 0 and h''(t) = 1/t^2. By Taylor's theorem h(t) = h''(xi) (t - 1)^2 / 2 for
some xi between 1 and t, and this is not negative.

Paper: ours; behind Gibbs' inequality and the bounds of exponentials.
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.chain.taylor import remainder, tangent
from theory.proof.kernels.algebra import FalseIdentity, identity


def check() -> list[Finding]:
    """The first Taylor polynomial, the second derivative, the sign of the remainder."""
    t, to = sympy.symbols("t to", positive=True)
    gap = t - 1 - sympy.log(t)
    start, end, second, xi = z3.Reals("start end second xi")
    return [
        identity(
            "polynomial",
            "t - 1 - log t and its derivative vanish at t = 1: the first Taylor polynomial there is zero",
            tangent(gap, t, 1, to),
            sympy.Integer(0),
            [
                FalseIdentity(
                    "2 (t - 1) - log t instead", tangent(2 * (t - 1) - sympy.log(t), t, 1, to), sympy.Integer(0)
                )
            ],
        ),
        identity(
            "second-derivative",
            "the second derivative of t - 1 - log t is 1/t^2 for t > 0",
            sympy.diff(gap, t, 2),
            t**-2,
            [FalseIdentity("1/t", sympy.diff(gap, t, 2), t**-1)],
        ),
        remainder(
            "remainder",
            "for a, t, xi > 0 and a second derivative 1/xi^2 the remainder (1/2) (1/xi^2) (t - a)^2 is not negative",
            [start > 0, end > 0, xi > 0, second * xi * xi == 1],
            (start, end, second),
        ),
    ]
