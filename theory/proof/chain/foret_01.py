r"""PAC-Bayes with the kl divergence holds for every loss in [0, L], not for 0-1 loss only: with probability >= 1 -
delta, for all Q at once, with p = E_Q L_S / L, q = E_Q L_D / L and K = KL(Q || P) + log(1/delta),
    N kl(p || q) <= K + log(2 sqrt N)                                         (Maurer),
    E_Q L_D <= E_Q L_S + L sqrt([K + log(2 sqrt N)] / (2 N)),
    E_Q L_D <= E_Q L_S + L sqrt([K + log N] / (2 (N - 1))) for N >= 2         (McAllester, as in Foret et al.).

Divide the losses by L. Donsker-Varadhan with f = N kl(L_S || L_D) >= 0 gives N E_Q kl <= KL + log Z; E_S Z <= 2 sqrt N
by maurer-mgf and Tonelli, so log Z <= log(2 sqrt N) + log(1/delta) by Markov's inequality. kl is jointly convex: with a
= E_Q p and b = E_Q q strictly between 0 and 1, log t <= t - 1 at t = q a / (p b) and at the same ratio of 1 - p, 1 - q
gives
    kl(p || q) >= p log(a/b) + (1 - p) log((1 - a)/(1 - b)) + 1 - q a/b - (1 - q)(1 - a)/(1 - b),
whose mean is kl(a || b). Where p = 0 the first term of kl is 0 >= -q a/b, and so for 1 - p; where q is 0 or 1 and p is
not, kl is infinite; where a or b is 0 or 1 almost every p or q equals it. (Z is finite outside the event, so f is
infinite on a P-null set at most, which is a Q-null set where KL is finite.) Last, Pinsker: for 0 < q < 1, kl(p || q) -
2 (p - q)^2 vanishes at q = p, and its derivative by q has the sign of q - p; p = 0 and p = 1 follow by continuity.

Paper: its remark on the bound of Foret et al.
"""

import sympy
import z3

from theory.ledger import Finding
from theory.proof.kernels.algebra import FalseIdentity, identity
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """Joint convexity, the bound from its parts, Pinsker's inequality, the root, McAllester's constants."""
    return [ratio(), half(), mean(), assembled(), slope(), sign(), root(), mcallester(), condition()]


def ratio() -> Finding:
    """log(p/q) = log(a/b) - log t with t = q a / (p b)."""
    p, q, a, b = sympy.symbols("p q a b", positive=True)
    left = sympy.log(p / q)
    right = sympy.log(a / b) - sympy.log(q * a / (p * b))
    return identity(
        "ratio",
        "log(p/q) = log(a/b) - log(q a / (p b)) for p, q, a, b > 0",
        left,
        right,
        [FalseIdentity("p and q interchanged in t", left, sympy.log(a / b) - sympy.log(p * a / (q * b)))],
    )


def half() -> Finding:
    """One of the two terms of kl above its tangent."""
    p, q, a, b, log_pq, log_ab, log_t = z3.Reals("p q a b log_pq log_ab log_t")
    given = [p > 0, q > 0, a > 0, b > 0, log_pq == log_ab - log_t]
    gibbs = log_t <= q * a / (p * b) - 1
    tangent = p * log_ab + p - q * a / b
    return implies(
        "half",
        "p, q, a, b > 0, log(p/q) = log(a/b) - log t and log t <= t - 1 with t = q a / (p b) imply "
        "p log(p/q) >= p log(a/b) + p - q a/b",
        [*given, gibbs],
        p * log_pq >= tangent,
        [
            FalseImplication("log t <= t - 1 not used", hypotheses=given),
            FalseImplication("the tangent's constant left out", conclusion=p * log_pq >= tangent - p + q * a / b),
        ],
    )


def mean() -> Finding:
    """The mean of both tangents at the means themselves."""
    a, b = sympy.symbols("a b")
    u, v = sympy.symbols("u v", positive=True)
    inside = {a: 1 / (1 + u), b: 1 / (1 + v)}
    kl = a * sympy.log(a / b) + (1 - a) * sympy.log((1 - a) / (1 - b))

    def tangents(p: sympy.Expr, q: sympy.Expr) -> sympy.Expr:
        first = p * sympy.log(a / b) + p - q * a / b
        return first + (1 - p) * sympy.log((1 - a) / (1 - b)) + 1 - p - (1 - q) * (1 - a) / (1 - b)

    return identity(
        "mean",
        "p log(a/b) + p - q a/b + (1 - p) log((1-a)/(1-b)) + 1 - p - (1 - q)(1-a)/(1-b), which is affine in (p, q), is "
        "kl(a || b) at p = a and q = b, for a = 1/(1 + u), b = 1/(1 + v) with u, v > 0",
        tangents(a, b).subs(inside),
        kl.subs(inside),
        [FalseIdentity("the mean of q is a", tangents(a, a).subs(inside), kl.subs(inside))],
    )


def assembled() -> Finding:
    """N kl(E p || E q) <= KL + log(1/delta) + log(2 sqrt N)."""
    n, outer, inner, kl, log_z, log_root, log_level = z3.Reals(
        "N kl_of_means mean_of_kl KL log_Z log_2_sqrt_N log_1_delta"
    )
    jensen, event = outer <= inner, log_z <= log_root + log_level
    change = n * inner <= kl + log_z
    return implies(
        "assembled",
        "N > 0, kl(E p || E q) <= E kl, N E kl <= KL + log Z and log Z <= log(2 sqrt N) + log(1/delta) imply "
        "N kl(E p || E q) <= KL + log(2 sqrt N) + log(1/delta)",
        [n > 0, jensen, change, event],
        n * outer <= kl + log_root + log_level,
        [
            FalseImplication("convexity not used", hypotheses=[n > 0, change, event]),
            FalseImplication("log(2 sqrt N) left out", conclusion=n * outer <= kl + log_level),
        ],
    )


def slope() -> Finding:
    """The derivative of kl(p || q) - 2 (p - q)^2 by q."""
    p, q = sympy.symbols("p q")
    u, v = sympy.symbols("u v", positive=True)
    inside = {p: 1 / (1 + u), q: 1 / (1 + v)}
    kl = p * sympy.log(p / q) + (1 - p) * sympy.log((1 - p) / (1 - q))
    left = sympy.diff(kl - 2 * (p - q) ** 2, q).subs(inside)

    def right(four: int) -> sympy.Expr:
        return ((q - p) * (1 / (q * (1 - q)) - four)).subs(inside)

    return identity(
        "slope",
        "the derivative of kl(p || q) - 2 (p - q)^2 by q is (q - p) (1/(q (1 - q)) - 4), at p = 1/(1 + u), q = 1/(1 "
        "+ v) with u, v > 0",
        left,
        right(4),
        [FalseIdentity("2 in place of 4", left, right(2))],
    )


def sign() -> Finding:
    """1/(q (1 - q)) >= 4."""
    p, q = z3.Reals("p q")
    given = [q > 0, q < 1]

    def slope_times_step(four: z3.ArithRef) -> z3.ArithRef:
        return (q - p) * (1 / (q * (1 - q)) - four) * (q - p)

    return implies(
        "sign",
        "(q - p) (1/(q (1 - q)) - 4) (q - p) >= 0 for 0 < q < 1",
        given,
        slope_times_step(z3.RealVal(4)) >= 0,
        [
            FalseImplication("5 in place of 4", conclusion=slope_times_step(z3.RealVal(5)) >= 0),
            FalseImplication("q > 1", hypotheses=[q > 1]),
        ],
    )


def root() -> Finding:
    """From 2 (p - q)^2 <= kl <= C / N to the root, with the losses in [0, L] again."""
    p, q, n, length, complexity, r = z3.Reals("p q N L C r")
    scale = [n > 0, length > 0, complexity >= 0, r >= 0]
    pinsker = n * 2 * (p - q) * (p - q) <= complexity
    return implies(
        "root",
        "2 N (p - q)^2 <= C, N, L > 0 and C >= 0 imply L q <= L p + L r where r >= 0 and r^2 = C / (2 N)",
        [*scale, pinsker, 2 * n * r * r == complexity],
        length * q <= length * p + length * r,
        [FalseImplication("r^2 = C / (4 N)", [*scale, pinsker, 4 * n * r * r == complexity])],
    )


def mcallester() -> Finding:
    """[K + log(2 sqrt N)] / (2 N) <= [K + log N] / (2 (N - 1))."""
    n, complexity, ours, theirs = z3.Reals("N K log_2_sqrt_N log_N")
    given = [n > 1, complexity >= 0]
    fits = (n - 1) * ours <= n * theirs
    return implies(
        "mcallester",
        "N > 1, K >= 0 and (N - 1) log(2 sqrt N) <= N log N imply [K + log(2 sqrt N)] / (2 N) <= [K + log N] / (2 (N "
        "- 1))",
        [*given, fits],
        (complexity + ours) / (2 * n) <= (complexity + theirs) / (2 * (n - 1)),
        [
            FalseImplication("K < 0", hypotheses=[n > 1, complexity < 0, fits]),
            FalseImplication("the condition dropped", hypotheses=given),
        ],
    )


def condition() -> Finding:
    """(N - 1) log(2 sqrt N) <= N log N for every N >= 2."""
    n, log_two, log_n = z3.Reals("N log_2 log_N")
    given = [n >= 2, log_two >= 0, log_n >= log_two]
    four = z3.Or(n <= 3, log_n >= 2 * log_two)
    return implies(
        "condition",
        "log N >= log 2 >= 0, N >= 2 and, unless N <= 3, log N >= 2 log 2 imply (N - 1) [log 2 + (log N) / 2] <= N "
        "log N",
        [*given, four],
        (n - 1) * (log_two + log_n / 2) <= n * log_n,
        [
            FalseImplication("log N >= 2 log 2 dropped", hypotheses=given),
            FalseImplication("log N >= log 2 dropped", hypotheses=[n >= 2, log_two >= 0, log_n >= 0, four]),
        ],
    )
