r"""Theorem D, the price is real. Let rho_sh, rho_ns, R_sh, R_i, L > 0, N >= 1, s an integer, 0 <= s <= N/2, t = 1/2 -
s/N and N [2 t^2 + (16 log 2 - 8) t^4] + log(N + 1) <= k_sh log(R_sh / (2 rho_sh)) + k_i log(R_i / (2 rho_ns)).
There are losses in [0, L] and a distribution, with L_D constant, for which with probability at least 1/2 some theta has
||theta_sh|| <= R_sh, ||theta_i|| <= R_i and
L_D(theta) >= sup_{||eps_sh|| <= rho_sh, ||eps_i|| <= rho_ns} L_S(theta + eps) + L t.
So if L_D <= sup L_S + L sqrt(C / (2N)) holds for all these theta together with probability more than 1/2, for every
distribution, then C >= 2 N t^2 at one of them, however C depends on theta, N, delta and the sample. Theorem A's term
k log(5 + 8 ||theta|| / rho) has the right order in k log(norm / rho), and where that is small against N and large
against log N the right constant. L_D is constant, so the same holds of bounds under gauss-assumption.

Let there be M disjoint boxes, log M at least the right side above (disjoint-boxes); a sample is M independent fair
bits; the loss is L times bit j in box j, and L/2 elsewhere. At the centre of box j the box of the radii is box j, so
the supremum is L times the mean of N bits. It is at most s/N with a probability p >= e^{-N kl(s/N || 1/2)} / (N + 1)
(binomial-term), so M p >= 1 (kl-half). The boxes are independent: in none is the mean so small with probability (1 -
p)^M <= 1 / (1 + M p) <= 1/2. With probability more than zero the bound and the excess L t happen together.

Paper: ours.
"""

import z3

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """M p >= 1, Bernoulli's inequality, the probability of one small mean, the complexity."""
    return [enough_boxes(), one_box_more(), some_box(), complexity()]


def enough_boxes() -> Finding:
    """Logarithms: log M + log p >= 0."""
    samples, kl, bound, log_p, log_boxes, log_terms = z3.Reals("N kl bound log_p log_M log_N_plus_1")
    given = [samples >= 1, samples * bound + log_terms <= log_boxes, kl <= bound]
    return implies(
        "enough-boxes",
        "kl <= 2 t^2 + (16 log 2 - 8) t^4 = B, N B + log(N + 1) <= log M and log p >= -N kl - log(N + 1) imply log(M "
        "p) >= 0",
        [*given, log_p >= -samples * kl - log_terms],
        log_boxes + log_p >= 0,
        [
            FalseImplication(
                "log(N + 1) not paid",
                [
                    samples >= 1,
                    samples * bound <= log_boxes,
                    kl <= bound,
                    log_p >= -samples * kl - log_terms,
                    log_terms >= 0,
                ],
            ),
            FalseImplication("a larger divergence", [*given[:2], log_p >= -samples * kl - log_terms]),
        ],
    )


def one_box_more() -> Finding:
    """(1 - p)^M <= 1 / (1 + M p), by induction over M; at M = 0 both are 1."""
    p, count, power = z3.Reals("p M power")
    given = [p >= 0, p <= 1, count >= 0, power >= 0]

    def below(factor: int, boxes: z3.ArithRef, value: z3.ArithRef) -> z3.BoolRef:
        return value * (1 + factor * boxes * p) <= 1

    return implies(
        "one-box-more",
        "0 <= p <= 1, M >= 0 and (1 - p)^M (1 + M p) <= 1 imply (1 - p)^{M+1} (1 + (M + 1) p) <= 1",
        [*given, below(1, count, power)],
        below(1, count + 1, power * (1 - p)),
        [
            FalseImplication("no induction hypothesis", given),
            FalseImplication("1 + 2 M p", [*given, below(2, count, power)], below(2, count + 1, power * (1 - p))),
        ],
    )


def some_box() -> Finding:
    """P(no small mean) <= 1/2."""
    p, count, none = z3.Reals("p M none")
    given = [p >= 0, count >= 1, none >= 0, none * (1 + count * p) <= 1]
    return implies(
        "some-box",
        "(1 - p)^M (1 + M p) <= 1 and M p >= 1 imply (1 - p)^M <= 1/2",
        [*given, count * p >= 1],
        2 * none <= 1,
        [
            FalseImplication("M p >= 1/2", [*given, 2 * count * p >= 1]),
            FalseImplication("1/3", conclusion=3 * none <= 1),
        ],
    )


def complexity() -> Finding:
    """The bound against the excess."""
    population, worst, length, samples, t = z3.Reals("L_D sup_L_S L N t")
    term, root = z3.Reals("C root")
    given = [length > 0, samples > 0, t >= 0, root >= 0, 2 * samples * root * root == term]
    bound = population <= worst + length * root
    return implies(
        "complexity",
        "L_D >= sup L_S + L t and L_D <= sup L_S + L sqrt(C/(2N)) imply C >= 2 N t^2; the square root by its square",
        [*given, population >= worst + length * t, bound],
        term >= 2 * samples * t * t,
        [
            FalseImplication("3 N t^2", conclusion=term >= 3 * samples * t * t),
            FalseImplication("no excess", [*given, bound]),
        ],
    )
