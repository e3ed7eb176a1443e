"""d_loss = -d_flat != 0 and direct moves: impossible in two parameters for convex losses, MGDA, any number of tasks.

That is: with only the trunk perturbed. Turn the axes and the scale so that d_loss = (1, 0), d_flat = (-1, 0); let g_i
= (a_i, b_i) and h_i = (-c_i, e_i). The Karush-Kuhn-Tucker conditions (law-mgda-descent) give a_i >= 1 and c_i >= 1.
1. A convex loss has <g_i, h_i> >= 0, as h_i is the change of its gradient along rho g_i/||g_i||: b_i e_i >= a_i c_i
   >= 1, so b_i and e_i have one sign, and neither is zero.
2. (1, 0) is in the hull of the g_i: as a_i >= 1, only tasks with a_i = 1 have weight; their b_i average to 0 and are
   not 0, so there are both signs among them. Likewise for (-1, 0), the h_i and tasks with c_i = 1.
3. Let u be the direct direction, <g_i + h_i, u> >= ||u||^2 for all i, in particular for the four tasks of 2: u = 0.

With three parameters, with perturbed heads (where <g_i, h_i> < 0 can occur), or without convexity it is possible:
opposite-parts-elsewhere.
"""

import z3

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication, implies

a, b, c, e, weight, total, first = z3.Reals("a b c e w total first")
convex = b * e >= a * c


def check() -> list[Finding]:
    """The lines of the proof."""
    return [monotone(), one_sign(), active(), both_signs(), direct_stands_still()]


def monotone() -> Finding:
    """<h, g> >= 0."""
    start, end, slope, after, factor = z3.Reals("L_0 L_1 gg gs factor")
    given = [factor > 0, end >= start + factor * slope]
    return implies(
        "monotone",
        "a convex loss lies above its tangents at theta and at theta + eps, eps = factor g with factor > 0: L_1 >= "
        "L_0 + factor <g, g> and L_0 >= L_1 - factor <s, g> imply <s - g, g> >= 0, in every dimension",
        [*given, start >= end - factor * after],
        after - slope >= 0,
        [FalseImplication("the tangent at theta + eps dropped", hypotheses=given)],
    )


def one_sign() -> Finding:
    """b e >= 1."""
    return implies(
        "one-sign",
        "g = (a, b), h = (-c, e) with a >= 1, c >= 1 and <g, h> >= 0 have b e >= 1",
        [a >= 1, c >= 1, convex],
        b * e >= 1,
        [FalseImplication("<g, h> >= 0 dropped", hypotheses=[a >= 1, c >= 1])],
    )


def active() -> Finding:
    """sum_i w_i (a_i - 1) = 0 makes every summand 0."""
    rest = z3.Real("rest")
    given = [weight >= 0, a >= 1, rest + weight * (a - 1) == 0]
    return implies(
        "active",
        "sum_i w_i (a_i - 1) = 0 with w_i >= 0, a_i >= 1: the sum of the others, `rest`, is >= 0 (each summand is), so "
        "w_i > 0 implies a_i = 1; for any number of tasks",
        [*given, rest >= 0],
        z3.Implies(weight > 0, a == 1),
        [FalseImplication("rest may be negative", hypotheses=given)],
    )


def both_signs() -> Finding:
    """Not all active b_i are positive."""
    return implies(
        "both-signs",
        "if every task with weight has b_i > 0, partial sums of w_i b_i stay >= 0 and are > 0 once a weight is: "
        "total >= 0, w >= 0 and b > 0 give total + w b >= 0, and > 0 if w > 0; so sum_i w_i b_i = 0 needs another "
        "sign; the step of the induction on the number of tasks (b_i < 0: by symmetry)",
        [total >= 0, weight >= 0, b > 0],
        z3.And(total + weight * b >= 0, z3.Implies(z3.Or(weight > 0, total > 0), total + weight * b > 0)),
        [FalseImplication("b of any sign", hypotheses=[total >= 0, weight >= 0])],
    )


def direct_stands_still() -> Finding:
    """<s_i, u> >= ||u||^2 for the four tasks makes u = 0."""
    u1, u2 = z3.Reals("u1 u2")
    found = [z3.Reals(f"a_{k} b_{k} c_{k} e_{k}") for k in "ijkl"]
    signs = [sign * b_k > 0 for sign, (_, b_k, _, _) in zip((1, -1, 1, -1), found, strict=True)]
    tight = [found[0][0] == 1, found[1][0] == 1, found[2][2] == 1, found[3][2] == 1]
    kkt = [(a_k - c_k) * u1 + (b_k + e_k) * u2 >= u1 * u1 + u2 * u2 for a_k, b_k, c_k, e_k in found]
    given = [bound for a_k, b_k, c_k, e_k in found for bound in (a_k >= 1, c_k >= 1, b_k * e_k > 0)]
    still = z3.And(u1 == 0, u2 == 0)
    return implies(
        "direct-stands-still",
        "tasks i, j with a = 1, b_i > 0 > b_j and k, l with c = 1, b_k > 0 > b_l, all with a, c >= 1 and b e > 0: "
        "<(a - c, b + e), u> >= ||u||^2 for the four implies u = 0",
        [*given, *signs, *tight, *kkt],
        still,
        [
            FalseImplication("no task with c = 1", hypotheses=[*given, *signs, *tight[:2], *kkt]),
            FalseImplication("all b > 0", hypotheses=[*given, *(entry[1] > 0 for entry in found), *tight, *kkt]),
        ],
    )
