r"""A6: where Hoeffding's inequality holds at theta_C, for every theta in the cell C,
L_D(theta) <= sup_{||eps_sh|| <= rho_sh, ||eps_i|| <= rho_ns} L_S(theta + eps) + dev + eta, dev = L sqrt(log(1/delta_C)
/ (2N)).

C is a product of a cell of the shared block and one of the head, so theta and theta_C are less than rho_sh apart in the
one block and less than rho_ns in the other: eps = theta_C - theta is one of the perturbations, and L_S(theta_C) is at
most the supremum. L_D(theta) <= L_D(theta_C) + eta <= L_S(theta_C) + dev + eta.

Paper: ours.
"""

import z3

from theory.ledger import Finding
from theory.proof.kernels.smt import FalseImplication, implies


def check() -> list[Finding]:
    """theta_C is within both radii; the chain of inequalities."""
    return [within(), chain()]


def within() -> Finding:
    """Both blocks of theta_C - theta."""
    rho_shared, rho_head = z3.Reals("rho_sh rho_ns")
    given, sizes = [rho_shared > 0, rho_head > 0], []
    for block, rho in (("sh", rho_shared), ("i", rho_head)):
        apart, first, second = z3.Reals(f"eps_{block} theta_{block}_to_centre theta_C_{block}_to_centre")
        given += [apart <= first + second, first < rho / 2, second < rho / 2]
        sizes.append(apart)
    within_both = z3.And(sizes[0] <= rho_shared, sizes[1] <= rho_head)
    return implies(
        "within",
        "theta and theta_C in one product cell: less than rho_sh/2 resp. rho_ns/2 from one centre in each block; then "
        "||eps_sh|| <= rho_sh and ||eps_i|| <= rho_ns for eps = theta_C - theta",
        given,
        within_both,
        [
            FalseImplication(
                "the two radii exchanged", conclusion=z3.And(sizes[0] <= rho_head, sizes[1] <= rho_shared)
            ),
            FalseImplication("a cell of the shared block alone", given[:5]),
        ],
    )


def chain() -> Finding:
    """From theta to theta_C, to the sample, to the supremum."""
    at_point, at_chosen, sample, worst, dev, eta = z3.Reals("L_D_theta L_D_theta_C L_S_theta_C sup_L_S dev eta")
    near, hoeffding, box = at_point <= at_chosen + eta, at_chosen <= sample + dev, sample <= worst
    bound = at_point <= worst + dev + eta
    return implies(
        "chain",
        "L_D(theta) <= L_D(theta_C) + eta, L_D(theta_C) <= L_S(theta_C) + dev and L_S(theta_C) <= sup L_S imply "
        "L_D(theta) <= sup L_S + dev + eta",
        [near, hoeffding, box],
        bound,
        [
            FalseImplication("theta_C outside the box", [near, hoeffding]),
            FalseImplication("Hoeffding not used", [near, box]),
            FalseImplication("eta lost, eta > 0", [near, hoeffding, box, eta > 0], at_point <= worst + dev),
        ],
    )
