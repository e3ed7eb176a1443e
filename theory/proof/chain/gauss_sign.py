r"""At a given variance the sign of the trace of the Hessian decides the Gaussian assumption: REFUTED in both
directions.

One parameter, v = sigma^2 = 4, W = 1/2 - cos(x)/4 + cos(2x)/8 with values in [1/8, 7/8] (gauss-cosine). W''(0) = -1/4,
yet E W(eps) - W(0) = (1 - e^{-2})/4 - (1 - e^{-8})/8 > 0: at theta = 0 the population loss W satisfies the assumption,
strictly. 1 - W has the second derivative +1/4 and violates it by as much. For v -> 0 the sign does decide
(gauss-small-variance): at v = 1/100 it does here, which is the twin.

Paper: the assumption of Theorem 1 (reconstructed).
"""

from fractions import Fraction

from theory.ledger import Finding
from theory.proof.chain.gauss_cosine import GAIN, V
from theory.proof.kernels.interval import Claim, OppositeClaim, positive

WIDE, NARROW = Fraction(4), Fraction(1, 100)


def check() -> list[Finding]:
    """Negative and positive second derivative."""
    return [negative(), positive_curvature()]


def claim(sign: int, variance: Fraction) -> Claim:
    """sign (E W(eps) - W(0)) > 0."""
    return Claim(sign * GAIN, {V: (variance, variance)})


def negative() -> Finding:
    """W at 0."""
    return positive(
        "negative",
        "W(0) > E W(eps) at v = 4, as W''(0) = -1/4 < 0, W = 1/2 - cos(x)/4 + cos(2x)/8",
        claim(-1, WIDE),
        [OppositeClaim("v = 1/100", claim(-1, NARROW))],
    )


def positive_curvature() -> Finding:
    """1 - W at 0: its gain is minus that of W."""
    return positive(
        "positive",
        "U(0) < E U(eps) at v = 4, as U''(0) = +1/4 > 0, U = 1 - W = 1/2 + cos(x)/4 - cos(2x)/8, E U(eps) - U(0) = "
        "W(0) - E W(eps)",
        claim(-1, WIDE),
        [OppositeClaim("v = 1/100", claim(-1, NARROW))],
    )
