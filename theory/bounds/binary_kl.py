"""kl(q || p) of two Bernoulli laws, and its inverse: the largest p that a risk q allows. Rounded upwards."""

import math

from theory.bounds.quantities import InvalidBound, check_share
from theory.bounds.rounding import Interval, log1p, one_minus_exp

STEPS = 200
"""Halvings of [q, 1]: about 60 reach neighbouring floats unless q is tiny, where the last ones gain nothing."""


LEAST = 1e-300
"""Below it p/q overflows. The inverse increases in q, so a smaller risk other than 0 may be replaced by this one."""


def binary_kl(q: float, p: float) -> Interval:
    """``q log(q/p) + (1 - q) log((1 - q)/(1 - p))`` in nats, enclosed; infinite where p forbids what q does.

    With x = p - q it is ``(1 - q) log(1 + x/(1 - p)) - q log(1 + x/q)``, which loses nothing where p is close to q.

    Raises:
        InvalidBound: q or p outside [0, 1].
    """
    check_share("q", q)
    check_share("p", p)
    if (p == 0 < q) or (p == 1 > q):
        return Interval(math.inf, math.inf)
    step, total = Interval.of(p) - q, Interval(0.0, 0.0)
    if q > 0:
        total -= q * log1p(step / q)
    if q < 1:
        total += (1.0 - Interval.of(q)) * log1p(step / (1.0 - Interval.of(p)))
    return Interval(max(total.low, 0.0), max(total.high, 0.0))


def kl_inverse(q: float, budget: float) -> float:
    """An upper bound of ``sup {p : kl(q || p) <= budget}``, tight to rounding.

    kl(q || p) increases in p from q on. The search keeps a p at which even the lower end of kl exceeds the budget, so
    it is never below the supremum.

    Args:
        q: a risk in [0, 1].
        budget: nats, >= 0; infinity is allowed and gives 1.

    Raises:
        InvalidBound: q outside [0, 1], a budget that is negative or NaN.
    """
    check_share("q", q)
    if not budget >= 0:
        raise InvalidBound("budget", budget, ">= 0 (nats)", "A divergence and log(1/delta) are never negative.")
    if q == 0:
        return min(one_minus_exp(budget).high, 1.0)
    q = max(q, LEAST)
    low, high = q, 1.0
    for _ in range(STEPS):
        middle = low + (high - low) / 2
        if not low < middle < high:
            break
        if binary_kl(q, middle).low > budget:
            high = middle
        else:
            low = middle
    return high
