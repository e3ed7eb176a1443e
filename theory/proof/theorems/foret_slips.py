r"""Two steps of the proof in Foret et al., as they are written: REFUTED, both of them without harm to its last line.

The index: j = floor(1 - k log(s/c)) is bounded by k log(c/s). It can be as large as 1 + k log(c/s): at k = 1 and c/s =
sqrt e it is 1, more than 1/2. foret-grid keeps the 1, and arrives at the same price.

The quarter: the bound on the Gaussian mean has (1/4) k log(..) + 1/4 + log(N/delta) + 2 log(6N + 3k) under its root,
the next line has it without the 1/4. At N = 2, k = 1, w = 0, delta = 1/20 the root with it is the larger one. The 2
that stands before the root in the end has room for it (foret-bounded).
"""

import sympy

from theory.ledger import Finding
from theory.proof.kernels.interval import Claim, OppositeClaim, positive

HALF = sympy.Rational(1, 2)
QUARTER = sympy.Rational(1, 4)
SHORT = sympy.log(40) + 2 * sympy.log(15)
"""log(N/delta) + 2 log(6N + 3k) at N = 2, k = 1, delta = 1/20; the logarithm with w is 0 at w = 0, and N - 1 = 1."""


def check() -> list[Finding]:
    """j <= k log(c/s), and the root without 1/4."""
    return [index(), quarter()]


def index() -> Finding:
    """k log(c/s) - floor(1 + k log(c/s)) >= 0 at k = 1, log(c/s) = 1/2."""
    reached = sympy.floor(1 + HALF)
    return positive(
        "index",
        "j <= k log(c/s) for j = floor(1 + k log(c/s)), k = 1, log(c/s) = 1/2",
        Claim(HALF - reached, {}, strict=False),
        [OppositeClaim("j <= 1 + k log(c/s)", Claim(1 + HALF - reached, {}, strict=False))],
    )


def quarter() -> Finding:
    """sqrt A - sqrt(A + 1/4) >= 0."""
    with_quarter = sympy.sqrt(SHORT + QUARTER)
    return positive(
        "quarter",
        "sqrt((A + 1/4)/(N - 1)) <= sqrt(A/(N - 1)) for A = (1/4) k log(..) + log(N/delta) + 2 log(6N + 3k), N = 2, "
        "k = 1, w = 0, delta = 1/20",
        Claim(sympy.sqrt(SHORT) - with_quarter, {}, strict=False),
        [OppositeClaim("2 before the root", Claim(2 * sympy.sqrt(SHORT) - with_quarter, {}, strict=False))],
    )
