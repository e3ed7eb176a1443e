r"""The radius may be chosen after the sample is seen: REFUTED by one parameter, two radii and one sample.

Radii 1 and 2 with slack 1/2 and 1/4: the smaller ball pays more, as in the theorem. A sample z is 1 or 2 with
probability 1/4 each, else 0. For |theta| < 3/2 (and at -3/2), and beyond:
    z = 0: 1 and 1;  z = 1: 0 and 1;  z = 2: 1/4 and 1/2;  L_D: 9/16 and 7/8.
At rho = 1 the statement "for all theta, L_D <= max L_S + slack" fails where z = 1 (at theta = 0: 9/16 > 0 + 1/2), and
at rho = 2 where z = 2 (far out: 7/8 > 1/2 + 1/4), and only there. So each holds with probability 3/4. But the radius
that is 1 where z = 1 and 2 otherwise makes it hold with probability 1/2. A choice among K radii costs log K: each at
delta / K.

Paper: rho in Theorem 1; the tuning of rho in the experiments.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import partial

from theory.ledger import Finding
from theory.proof.chain.line_losses import Steps, Task
from theory.proof.kernels.enumeration import Case, Comparison, OppositeFamily, Space, for_all

BREAKS = (Fraction(-3, 2), Fraction(3, 2))
VALUES = {
    0: (Fraction(1), Fraction(1)),
    1: (Fraction(0), Fraction(1)),
    2: (Fraction(1, 4), Fraction(1, 2)),
}
"""Losses near 0 and far out."""
LAW = Space({0: Fraction(1, 2), 1: Fraction(1, 4), 2: Fraction(1, 4)})
SLACK = {1: Fraction(1, 2), 2: Fraction(1, 4)}


def check() -> list[Finding]:
    """The chosen radius against either one."""
    return [chosen()]


def holds(z: int, rho: int) -> bool:
    """'For all theta, L_D <= max L_S + slack', at this radius."""
    task = Task({point: Steps(BREAKS, (far, near, far)) for point, (near, far) in VALUES.items()}, LAW)
    return task.generalises((z,), Fraction(rho), lambda _: SLACK[rho])


def chosen() -> Finding:
    """P(A at the chosen radius) >= 3/4."""
    return for_all(
        "chosen",
        "losses in [0, 1] on a line, N = 1: as 'for all theta, L_D <= max L_S + slack' has probability 3/4 at rho = 1 "
        "and at rho = 2, it has one >= 3/4 at the radius 1 where z = 1 and 2 otherwise",
        [case("chosen by z", lambda z: 1 if z == 1 else 2)],
        [OppositeFamily(f"rho = {rho} whatever z", [case(f"rho = {rho}", always(rho))]) for rho in SLACK],
    )


def always(rho: int) -> Callable[[int], int]:
    """A radius fixed before the sample."""
    return lambda _: rho


def case(name: str, radius: Callable[[int], int]) -> Case:
    """One way to choose."""
    each = [
        Comparison(f"P(A at rho = {rho})", LAW.probability(partial(holds, rho=rho)), "=", Fraction(3, 4))
        for rho in SLACK
    ]
    good = LAW.probability(lambda z: holds(z, radius(z)))
    return Case(name, LAW, Comparison("P(A at the chosen rho)", good, ">=", Fraction(3, 4)), tuple(each))
